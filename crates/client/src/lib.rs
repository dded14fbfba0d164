//! Yardarm's client: flags evaluated in the process, and what everybody needs who talks to a server.
//!
//! - [`LiveFlags`] follows one flag configuration: changes stream in, a copy is kept on disk, and what was good stays when
//!   the server is away. `Provider` answers OpenFeature from it (feature `provider`, on by default).
//! - [`RolloutChanges`] tells when a configuration of any type has changed, for those who ask for it in their own way.
//! - [`Server`] sends requests of the native API, signed or with a token, and reads its answers.
//! - [`HttpClient`] sends any request: pooled, over TLS, bounded in time and size.
//! - [`Backoff`] says how long to wait before the next try; [`private_file`] replaces files whole.
//!
//! **Invariants:** reading a flag never waits for a server; everything is bounded: time, answers, waits, files.

mod acknowledging;
mod backoff;
mod clock;
mod disk_copy;
mod event_reader;
mod event_stream;
mod follower;
mod http_client;
mod live_flags;
mod place;
pub mod private_file;
#[cfg(feature = "provider")]
mod provider;
mod rollout;
mod rollout_changes;
mod server;

pub use acknowledging::{AcknowledgeSettings, Acknowledger, Said};
pub use backoff::Backoff;
pub use clock::{Now, system_now};
pub use follower::Freshness;
pub use http_client::{HttpClient, HttpError, HttpProxy, HttpSettings};
pub use live_flags::{LiveFlags, LiveSettings};
pub use place::Place;
#[cfg(feature = "provider")]
pub use provider::Provider;
pub use rollout::{Rollout, UnreadableRollout, Version};
pub use rollout_changes::RolloutChanges;
pub use server::{ApiError, ApiRequest, Credentials, InvalidServerUrl, Server, ServerUrl, segment};
pub use yardarm_outbound::Cause;
