//! Why a node could not do what it was asked.

use yardarm_domain::Refusal;

/// Why a command was not carried out, or a node not started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command is not allowed. Nothing has happened.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The log failed. Whether the command's events were written is unknown.
    #[error("the log is not available: {0}")]
    Log(String),
    /// The node is shutting down, or too many commands are waiting. Nothing has happened.
    #[error("the node takes no commands at the moment: {0}")]
    Busy(&'static str),
    /// What the log holds cannot be read by this release, or contradicts itself.
    #[error("the log cannot be read: {0}")]
    Unreadable(String),
    /// A sealed secret cannot be opened: the master key is another one.
    #[error("{0} cannot be opened with the given master key")]
    Sealed(String),
    /// A defect: a decision could not be carried out.
    #[error("internal error: {0}")]
    Internal(String),
}

impl From<yardarm_log::Error> for Error {
    fn from(error: yardarm_log::Error) -> Self {
        match error {
            yardarm_log::Error::Corrupt { .. } | yardarm_log::Error::CorruptContent(_) => {
                Self::Unreadable(error.to_string())
            }
            yardarm_log::Error::Storage(_) | yardarm_log::Error::Closed => Self::Log(error.to_string()),
        }
    }
}
