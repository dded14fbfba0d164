//! Records, their numbers and the hash chain that ties each to the one before.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// Position in the log. The first record has 1; zero stands for the empty log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// Before the first record.
    pub const ZERO: Self = Self(0);

    /// The position after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// SHA-256 over a record, including the digest of the record before it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// What the first record names as the one before it.
    pub const ZERO: Self = Self([0; 32]);
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A record before it has a place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// When it was decided, milliseconds since the Unix epoch.
    pub time_ms: i64,
    /// Who asked for it: an access key id, or `yardarm` for the deployment driver.
    pub actor: String,
    /// The request that caused it.
    pub request_id: String,
    /// Why, when somebody said so.
    pub reason: Option<String>,
    /// Stable name of the event, for example `application-created`.
    pub kind: String,
    /// Version of the event's body.
    pub version: u16,
    /// The event itself: JSON text.
    pub body: String,
}

/// A record of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its position.
    pub seq: Seq,
    /// Digest of the record before it; [`Digest::ZERO`] for the first.
    pub previous: Digest,
    /// Digest of this record.
    pub digest: Digest,
    /// What was recorded.
    pub draft: Draft,
}

impl Record {
    /// Gives `draft` its place after the record whose digest is `previous`.
    #[must_use]
    pub fn seal(seq: Seq, previous: Digest, draft: Draft) -> Self {
        Self { seq, previous, digest: digest(seq, previous, &draft), draft }
    }

    /// Whether the digest is the one this content must have.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        digest(self.seq, self.previous, &self.draft) == self.digest
    }
}

/// Every field is preceded by its length, so that no two records share an encoding.
fn digest(seq: Seq, previous: Digest, draft: &Draft) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update(seq.0.to_be_bytes());
    hasher.update(previous.0);
    hasher.update(draft.time_ms.to_be_bytes());
    hasher.update(draft.version.to_be_bytes());
    hasher.update([u8::from(draft.reason.is_some())]);
    let reason = draft.reason.as_deref().unwrap_or_default();
    for field in [&draft.actor, &draft.request_id, reason, &draft.kind, &draft.body] {
        hasher.update((field.len() as u64).to_be_bytes());
        hasher.update(field.as_bytes());
    }
    Digest(hasher.finalize().into())
}
