//! One append on its way through a transaction that it may share with others.
//!
//! **Invariant:** until [`Append::answer`], everything can be undone and done again, because a transaction is repeated
//! without the append that spoiled it.

use super::fault::Fault;
use super::writer::{pages, stored};
use crate::{AppendError, Batch, Content, Digest, Draft, Error, Record, Seq};
use rusqlite::Connection;
use tokio::sync::oneshot;

/// Content that is there already stays as it is, unless it was damaged: then this is how it is mended.
const INSERT_CONTENT: &str = "
    INSERT INTO contents (hash, bytes) VALUES (?1, ?2)
    ON CONFLICT (hash) DO UPDATE SET bytes = excluded.bytes WHERE bytes IS NOT excluded.bytes";

const INSERT_RECORD: &str = "
    INSERT INTO records (seq, time_ms, actor, request_id, reason, kind, version, previous, digest, body)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

/// Where the answer to an append goes.
pub(super) type Reply = oneshot::Sender<Result<Vec<Record>, AppendError>>;

pub(super) struct Append {
    expected: Seq,
    contents: Vec<Content>,
    drafts: Vec<Draft>,
    outcome: Outcome,
    reply: Reply,
}

enum Outcome {
    Won(Vec<Record>),
    Lost { actual: Seq },
}

impl Append {
    pub(super) fn new(expected: Seq, batch: Batch, reply: Reply) -> Self {
        let Batch { drafts, contents } = batch;
        Self { expected, contents, drafts, outcome: Outcome::Won(Vec::new()), reply }
    }

    /// Writes the batch if the log ends where it should, and moves the end. Answers about how many pages that took.
    pub(super) fn decide(&mut self, db: &Connection, end: &mut (Seq, Digest)) -> Result<usize, Fault> {
        if self.expected != end.0 {
            self.outcome = Outcome::Lost { actual: end.0 };
            return Ok(0);
        }
        let mut taken = 0;
        for content in &self.contents {
            let mut insert = db.prepare_cached(INSERT_CONTENT)?;
            insert.execute((content.hash().0, content.bytes().as_ref()))?;
            taken += 1 + pages(content.bytes().len());
        }
        let mut insert = db.prepare_cached(INSERT_RECORD)?;
        let mut written = Vec::with_capacity(self.drafts.len());
        for draft in self.drafts.drain(..) {
            let record = Record::seal(end.0.next(), end.1, draft);
            let Record { seq, previous, digest, draft } = &record;
            insert.execute((
                stored(*seq)?,
                draft.time_ms,
                &draft.actor,
                &draft.request_id,
                &draft.reason,
                &draft.kind,
                draft.version,
                previous.0,
                digest.0,
                &draft.body,
            ))?;
            taken += pages(draft.body.len());
            *end = (*seq, *digest);
            written.push(record);
        }
        self.outcome = Outcome::Won(written);
        Ok(taken)
    }

    /// As if it had not been decided.
    pub(super) fn undo(&mut self) {
        let outcome = std::mem::replace(&mut self.outcome, Outcome::Won(Vec::new()));
        if let Outcome::Won(records) = outcome
            && !records.is_empty()
        {
            self.drafts = records.into_iter().map(|record| record.draft).collect();
        }
    }

    /// Says how it ended. To be called once that is on the disk.
    pub(super) fn answer(self) {
        let answer = match self.outcome {
            Outcome::Won(records) => Ok(records),
            Outcome::Lost { actual } => Err(AppendError::Conflict { expected: self.expected, actual }),
        };
        // Whoever asked may be gone.
        let _ = self.reply.send(answer);
    }

    /// Says that it could not be done.
    pub(super) fn fail(self, fault: &Fault) {
        let _ = self.reply.send(Err(Error::from(fault.clone()).into()));
    }
}
