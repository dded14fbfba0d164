//! HTTP: AWS control plane, AWS data plane, native API, signatures and limits.
//!
//! A request is authenticated, read whole within limits and handed to the handler of its operation as a `Call`;
//! the handler converts, asks the node, and converts back. Routes are registered from the table of operations in `wire`,
//! so a path, a method or a status cannot drift from it.
//!
//! **Invariants:** every answer of the AWS planes, also to what is no request at all, has the AWS shape; what is our
//! fault is logged in full and shown as an internal error; only this crate converts between wire and domain.

mod accept;
mod answer;
mod arguments;
mod authenticate;
mod call;
mod control_plane;
mod data_plane;
#[cfg(test)]
mod desk;
mod dispatch;
mod fault;
mod metrics;
mod native;
mod ofrep;
mod outside;
mod pace;
mod rate;
mod refusal;
mod request_id;
mod router;
mod settings;
mod stream_places;

pub use outside::{HttpOutside, OutsideSettings};
pub use router::router;
pub use settings::{
    Authentication, Limits, OfrepSettings, RateLimits, RolloutStreamSettings, ServerSettings,
};
pub use yardarm_ofrep::StreamSettings;
