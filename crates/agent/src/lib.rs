//! The agent: a local HTTP server between applications and a data plane, in the manner of the AWS AppConfig agent.
//!
//! - [`context_header`] reads what callers say about the one they ask for.
//! - [`ConfigurationName`] is how callers, manifests and files name a configuration.

pub mod context_header;
mod name;

pub use name::{ConfigurationName, NameError};
