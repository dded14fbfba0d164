//! Why a story was not told to its end.

use std::io;
use yardarm_client::{ApiError, HttpError, InvalidServerUrl};

/// Why a story was not told to its end.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The machine did not do something.
    #[error("{what}: {source}")]
    Machine {
        /// What.
        what: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// The server did not do something.
    #[error(transparent)]
    Server(#[from] ApiError),
    /// No requests can be sent at all.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The server says a strange address.
    #[error(transparent)]
    Address(#[from] InvalidServerUrl),
    /// The server did not start.
    #[error("the server did not start: {0}")]
    NotStarted(String),
    /// A command failed that should not have.
    #[error("`{command}` failed: {told}")]
    Command {
        /// Which.
        command: String,
        /// What it said.
        told: String,
    },
    /// Something did not happen in time.
    #[error("not within {seconds} s: {what}")]
    TooLate {
        /// What.
        what: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// Something else happened.
    #[error("the story went another way: {0}")]
    Otherwise(String),
}

impl DemoError {
    /// The machine did not do `what`.
    pub(crate) fn machine(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Machine { what, source }
    }
}
