//! OFREP 0.3.0, OpenFeature's remote evaluation protocol, as pure functions: bytes and compiled flags in, an answer out.
//!
//! - [`Request::parse`] reads what a client says about itself; broken requests become [`Malformed`].
//! - [`FlagSet`] is what there is to evaluate: the flags of one or more configuration profiles, merged.
//! - [`evaluate_flag`] and [`evaluate_flags`] answer the two operations; [`entity_tag`] names an answer before it is made.
//! - [`Freshness`] reads the hints that a client copies out of a change event; [`event`] writes such events, and
//!   [`stream`] says how their streams behave.
//! - [`answer`] makes the answers that need no flags: who may not ask, and what cannot be answered now.
//!
//! Server and agent both answer with this crate, so a client cannot tell them apart.
//!
//! **Invariants:** equal flags and an equal context give equal bytes; whatever can change an answer is in its entity tag;
//! nothing here waits, reads a clock or knows a web framework.

pub mod answer;
mod bulk;
mod event;
mod failure;
mod flag_set;
mod freshness;
mod request;
mod single;
pub mod stream;
mod tag;
mod write;

pub use answer::Answer;
pub use bulk::evaluate_flags;
pub use event::{EventStream, HEARTBEAT, StreamAddress, event};
pub use failure::{ErrorCode, malformed_bulk, malformed_single};
pub use flag_set::{Configuration, FlagSet};
pub use freshness::{Freshness, revision_tag};
pub use request::{MAX_ATTRIBUTES, Malformed, Request};
pub use single::evaluate_flag;
pub use stream::StreamSettings;
pub use tag::{entity_tag, is_current};
