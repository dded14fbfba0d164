//! Yardarm's client: requests to a server, and what everybody needs who talks to one.
//!
//! - [`Server`] sends requests of the native API, signed or with a token, and reads its answers.
//! - [`HttpClient`] sends any request: pooled, over TLS, bounded in time and size.
//! - [`Backoff`] says how long to wait before the next try; [`private_file`] replaces files whole.
//!
//! **Invariant:** everything is bounded: time, answers, waits, files.

mod backoff;
mod clock;
mod http_client;
pub mod private_file;
mod server;

pub use backoff::Backoff;
pub use clock::{Now, system_now};
pub use http_client::{Cause, HttpClient, HttpError, HttpProxy, HttpSettings};
pub use server::{ApiError, ApiRequest, Credentials, InvalidServerUrl, Server, ServerUrl, segment};
