//! What can go wrong in this engine, in words for an operator.
//!
//! Faults are cloneable, because one failed transaction is the answer to everybody who was in it. They become
//! [`Error`] at the engine's edge; nothing of the SQL library shows in a signature.

use crate::chain::Break;
use crate::{ContentHash, Error};
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("{0} is already in use by another process")]
    InUse(PathBuf),
    #[error("{0} is not a Yardarm log")]
    NotALog(PathBuf),
    #[error("{path} was written by a newer Yardarm (schema {found}; this one knows {known})")]
    Newer { path: PathBuf, found: i32, known: i32 },
    #[error("the file system of {0} does not support SQLite's write-ahead log")]
    NoWriteAheadLog(PathBuf),
    #[error("the log was opened for reading only")]
    ReadOnly,
    #[error("cannot open {path}")]
    File { path: PathBuf, source: Arc<std::io::Error> },
    #[error("cannot start a thread")]
    Thread(#[source] Arc<std::io::Error>),
    #[error("SQLite: {0}")]
    Sqlite(#[source] Arc<rusqlite::Error>),
    #[error(transparent)]
    Corrupt(#[from] Break),
    #[error("content {0} does not match its hash")]
    CorruptContent(ContentHash),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(Arc::new(error))
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Corrupt(broken) => broken.into(),
            Fault::CorruptContent(hash) => Self::CorruptContent(hash),
            other => Self::Storage(Box::new(other)),
        }
    }
}
