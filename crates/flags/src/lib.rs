//! Feature-flag documents and bucketing: what every in-process client of flags needs, and nothing else.
//!
//! - [`FlagDocument::read`] turns submitted bytes into a [`FlagDocument`] or says everything that is wrong with them,
//!   each violation with the service's dotted location, a JSON pointer, and line and column.
//! - [`normalise`] writes a document the way it is stored; [`served`] the way clients receive it.
//! - [`bucketing`] decides who is in a rollout.
//! - [`json_position`] finds the place of a value in a JSON text.
//!
//! **Invariant:** pure. No clock, no randomness, no I/O; the same arguments give the same answer on every machine.

pub mod bucketing;
pub mod document;
pub mod json_position;
mod json_text;
mod normalise;
mod served;
mod violation;

pub use bucketing::Exposure;
pub use document::FlagDocument;
pub use normalise::{Normalised, TooLarge, normalise};
pub use served::served;
pub use violation::{MAX_VIOLATIONS, ReadError, Violation, ViolationKind, Violations};
