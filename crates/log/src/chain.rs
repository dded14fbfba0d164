//! What makes a sequence of records a chain.
//!
//! The one place that says so: engines run what they read through it, so that no reader is ever handed a gap or a record
//! that was changed, and [`verify`](crate::verify()) runs the whole log through it.

use crate::{Digest, Error, Record, Seq};

/// Where and how a chain is broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("record {seq}: {what}")]
pub(crate) struct Break {
    pub(crate) seq: Seq,
    pub(crate) what: String,
}

impl From<Break> for Error {
    fn from(Break { seq, what }: Break) -> Self {
        Self::Corrupt { seq, what }
    }
}

/// The end of the chain checked so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chain {
    end: Seq,
    /// `None` while the record at `end` has not been seen.
    digest: Option<Digest>,
}

impl Chain {
    /// Before the record after `after`.
    pub(crate) fn after(after: Seq) -> Self {
        Self { end: after, digest: (after == Seq::ZERO).then_some(Digest::ZERO) }
    }

    /// The last record seen, or where the chain began.
    pub(crate) fn end(&self) -> Seq {
        self.end
    }

    /// The digest of the last record; `None` if that record has not been seen.
    pub(crate) fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// Accepts `record` as the next link.
    pub(crate) fn follow(&mut self, record: &Record) -> Result<(), Break> {
        let due = self.end.next();
        if record.seq != due {
            return Err(Break { seq: due, what: format!("missing: record {} is next", record.seq) });
        }
        if let Some(digest) = self.digest.filter(|digest| *digest != record.previous) {
            let what =
                format!("follows a record with digest {}, but the one before has {digest}", record.previous);
            return Err(Break { seq: record.seq, what });
        }
        if !record.is_intact() {
            let what = format!("its digest {} is not that of what it holds", record.digest);
            return Err(Break { seq: record.seq, what });
        }
        (self.end, self.digest) = (record.seq, Some(record.digest));
        Ok(())
    }
}
