//! Why a configuration could not be brought up to date.

use std::time::Duration;

/// What went wrong between the agent and where its configurations come from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// Upstream does not know it, or nothing is deployed.
    #[error("{message}")]
    NotFound {
        /// What upstream says.
        message: String,
        /// What it has not found, in its words.
        resource_type: Option<String>,
    },
    /// Upstream finds fault with the request.
    #[error("the request was refused: {0}")]
    BadRequest(String),
    /// The session's token is not taken any more.
    #[error("the session has ended: {0}")]
    SessionEnded(String),
    /// The session was polled earlier than it may be.
    #[error("polled too early")]
    TooEarly,
    /// Upstream does not let us.
    #[error("access was refused: {0}")]
    Refused(String),
    /// There is nothing to sign with.
    #[error("no credentials: {0}")]
    NoCredentials(String),
    /// Upstream has too much to do, or is broken.
    #[error("answered {status}: {message}")]
    Failed {
        /// The status of its answer.
        status: u16,
        /// What it says.
        message: String,
    },
    /// Upstream cannot be reached.
    #[error("{0}")]
    Unreachable(String),
    /// Upstream did not answer in time.
    #[error("no answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// What upstream answered makes no sense.
    #[error("the answer cannot be used: {0}")]
    Unusable(String),
}

impl Trouble {
    /// Whether the same request may succeed when it is sent again at once.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::Failed { .. } | Self::Unreachable(_) | Self::TimedOut(_) => true,
            Self::NotFound { .. }
            | Self::BadRequest(_)
            | Self::SessionEnded(_)
            | Self::TooEarly
            | Self::Refused(_)
            | Self::NoCredentials(_)
            | Self::Unusable(_) => false,
        }
    }

    /// Whether upstream is out of reach, so that a copy from the disk is better than nothing.
    #[must_use]
    pub const fn is_outage(&self) -> bool {
        match self {
            Self::Failed { .. }
            | Self::Unreachable(_)
            | Self::TimedOut(_)
            | Self::Refused(_)
            | Self::NoCredentials(_)
            | Self::Unusable(_) => true,
            Self::NotFound { .. } | Self::BadRequest(_) | Self::SessionEnded(_) | Self::TooEarly => false,
        }
    }
}
