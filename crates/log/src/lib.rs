//! The ordered log and content store that everything else is derived from.
//!
//! A log is a gap-free sequence of [`Record`]s, each holding the hash of the one before, and a store of immutable
//! configuration bytes addressed by their SHA-256. Appending names the sequence number it expects: whoever loses the
//! race gets [`AppendError::Conflict`], reads what happened and decides again. The log knows nothing of what a record
//! means; `domain` does.
//!
//! **Invariants**, checked for every engine by [`suite`]: a batch is there whole or not at all; readers see no gap; what
//! was acknowledged survives a reopen; stored content never changes and is checked against its hash when read.

mod chain;
mod content;
mod memory;
mod record;
mod sqlite;
pub mod suite;
mod verify;

pub use content::{Content, ContentHash, InvalidHash};
pub use memory::MemoryLog;
pub use record::{Digest, Draft, Record, Seq};
pub use sqlite::SqliteLog;
pub use verify::{Verified, verify};

use async_trait::async_trait;
use bytes::Bytes;

/// What one append writes, whole or not at all.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Records in order; the first gets the sequence number after the expected one.
    pub drafts: Vec<Draft>,
    /// Content that the records refer to. Storing bytes that are there already is not an error.
    pub contents: Vec<Content>,
}

/// A derived state at a position of the log, kept to bound start-up. Losing one costs time, never data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The last record that the state includes.
    pub seq: Seq,
    /// That record's hash, so that a snapshot of another history is not believed.
    pub digest: Digest,
    /// Layout of `bytes`; readers ignore a snapshot whose layout they do not know.
    pub format: u32,
    /// The state itself, opaque to the log.
    pub bytes: Bytes,
}

/// Why an append was not done.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The log's end is not where the caller thought: somebody else appended first. Nothing was written.
    #[error("the log moved on: expected {expected}, found {actual}")]
    Conflict {
        /// The sequence number the caller named.
        expected: Seq,
        /// Where the log ends now.
        actual: Seq,
    },
    /// The engine failed. Whether the batch was written is unknown: read the log to find out.
    #[error(transparent)]
    Backend(#[from] Error),
}

/// A failure of the storage engine or of what it holds.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The engine could not do its work (disk full, file locked, connection lost).
    #[error("storage: {0}")]
    Storage(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What is stored contradicts itself: a gap, a broken hash chain, content that does not match its hash.
    #[error("corrupt log at record {seq}: {what}")]
    Corrupt {
        /// The record at which the contradiction shows.
        seq: Seq,
        /// What was expected and what was found.
        what: String,
    },
    /// Stored content does not have the hash it is filed under.
    #[error("content {0} does not match its hash")]
    CorruptContent(ContentHash),
    /// The engine has been closed.
    #[error("the log is closed")]
    Closed,
}

/// A storage engine.
#[async_trait]
pub trait Log: Send + Sync + 'static {
    /// Appends `batch` after `expected`, durably, and answers the records as written. `expected` zero means an empty log.
    /// Giving up on the answer does not take the append back.
    ///
    /// # Errors
    /// [`AppendError::Conflict`] when the log does not end at `expected`; then nothing was written.
    async fn append(&self, expected: Seq, batch: Batch) -> Result<Vec<Record>, AppendError>;

    /// Up to `limit` records after `after`, in order, without gaps. Empty at the end of the log.
    async fn read(&self, after: Seq, limit: usize) -> Result<Vec<Record>, Error>;

    /// Where the log ends; zero when it is empty.
    async fn end(&self) -> Result<Seq, Error>;

    /// Returns once the log ends after `after`; at once if it already does. May also return early: read to find out.
    async fn wait_for_change(&self, after: Seq) -> Result<(), Error>;

    /// The bytes filed under `hash`, checked against it; `None` if there are none.
    async fn content(&self, hash: ContentHash) -> Result<Option<Bytes>, Error>;

    /// Keeps `snapshot` in place of older ones. A newer one that agrees with the log stays in its place instead.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when `snapshot` names a record, or a digest of it, that this log does not hold.
    async fn save_snapshot(&self, snapshot: Snapshot) -> Result<(), Error>;

    /// The newest snapshot whose digest agrees with the log, if any.
    async fn load_snapshot(&self) -> Result<Option<Snapshot>, Error>;
}
