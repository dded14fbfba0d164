//! The one thread that writes.
//!
//! It takes everything that is waiting and commits it together, so that many appends share one wait for the disk. Each
//! append is still compared with the end that the ones before it in the group left: losing is not catching.
//!
//! **Invariants.** Nobody is answered before the commit that the answer speaks of has returned. The end of the log is
//! remembered between groups, and forgotten whenever it could be wrong: after any failure, and when SQLite says that
//! another connection has written.

use super::append::{Append, Reply};
use super::fault::Fault;
use super::file::Lock;
use super::rows;
use crate::{Batch, ContentHash, Digest, Error, Seq, Snapshot};
use rusqlite::Connection;
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot, watch};

/// Writes that may wait at one time, and the most that share a transaction. Further callers wait before they enqueue.
pub(super) const QUEUE: usize = 256;

/// Pages of write-ahead log after which it is copied into the database.
const CHECKPOINT_PAGES: usize = 1000;

/// Pages after which the writer waits for readers that keep the write-ahead log from being reused.
const OVERDUE_PAGES: i64 = 16_000;

/// What the writer is asked to do.
pub(super) enum Write {
    Append { expected: Seq, batch: Batch, reply: Reply },
    Snapshot { snapshot: Snapshot, reply: oneshot::Sender<Result<(), Error>> },
}

/// What is remembered of where the log ends.
#[derive(Clone, Copy)]
struct End {
    last: (Seq, Digest),
    /// SQLite's count of what other connections have committed.
    data_version: i64,
}

impl End {
    /// The count is read first: whatever another connection commits meanwhile will then show as a difference.
    fn read(db: &Connection) -> Result<Self, Fault> {
        let data_version = data_version(db)?;
        Ok(Self { last: rows::end(db)?, data_version })
    }
}

/// Where a transaction failed.
enum Failed {
    /// Before its work began: nothing was written.
    Begin(Fault),
    /// In its work: nothing was written.
    Work(Fault),
    /// In its commit: what was written is unknown.
    Commit(Fault),
}

impl From<Failed> for Fault {
    fn from(failed: Failed) -> Self {
        let (Failed::Begin(fault) | Failed::Work(fault) | Failed::Commit(fault)) = failed;
        fault
    }
}

pub(super) struct Writer {
    db: Connection,
    end: Option<End>,
    published: watch::Sender<Seq>,
    /// About how many pages were committed since the last checkpoint.
    pages: usize,
    overdue: bool,
}

impl Writer {
    /// Reads where the log ends, and copies what a crash may have left in the write-ahead log.
    pub(super) fn new(db: Connection) -> Result<(Self, watch::Receiver<Seq>), Fault> {
        let end = End::read(&db)?;
        let (published, ends) = watch::channel(end.last.0);
        let mut writer = Self { db, end: Some(end), published, pages: CHECKPOINT_PAGES, overdue: false };
        writer.checkpoint_if_due();
        Ok((writer, ends))
    }

    /// Serves `queue` until it is closed and empty. Then waits for `readers`, since the last connection to go is the one
    /// that tidies up, and lets go of the file.
    pub(super) fn run(mut self, mut queue: mpsc::Receiver<Write>, readers: Vec<JoinHandle<()>>, lock: Lock) {
        let mut group = Vec::new();
        while queue.blocking_recv_many(&mut group, QUEUE) > 0 {
            self.serve(group.drain(..));
            self.checkpoint_if_due();
        }
        for reader in readers {
            // A reader that panicked has said so already.
            let _ = reader.join();
        }
        if let Err(error) = self.checkpoint("PRAGMA wal_checkpoint(TRUNCATE)") {
            tracing::warn!(%error, "the write-ahead log stays beside the database until the next start");
        }
        drop(self.db);
        drop(lock);
        drop(self.published);
    }

    fn serve(&mut self, group: impl Iterator<Item = Write>) {
        let mut appends = Vec::new();
        let mut snapshots = Vec::new();
        for write in group {
            match write {
                Write::Append { expected, batch, reply } => appends.push(Append::new(expected, batch, reply)),
                Write::Snapshot { snapshot, reply } => snapshots.push((snapshot, reply)),
            }
        }
        self.serve_appends(appends);
        for (snapshot, reply) in snapshots {
            let saved = self.transaction(|db, _| save(db, &snapshot));
            // Whoever asked may be gone; the same holds wherever an answer is sent.
            let _ = reply.send(saved.map_err(|failed| Fault::from(failed).into()));
        }
    }

    /// All of them in one transaction; if one of them cannot be written, all the others in another.
    fn serve_appends(&mut self, mut appends: Vec<Append>) {
        while !appends.is_empty() {
            let mut at = 0;
            let done = self.transaction(|db, end| {
                let mut pages = 0;
                for (index, append) in appends.iter_mut().enumerate() {
                    at = index;
                    pages += append.decide(db, end)?;
                }
                Ok(pages)
            });
            match done {
                Ok(()) => return appends.into_iter().for_each(Append::answer),
                Err(Failed::Work(fault)) => {
                    appends.remove(at).fail(&fault);
                    appends.iter_mut().for_each(Append::undo);
                }
                Err(Failed::Begin(fault) | Failed::Commit(fault)) => {
                    return appends.into_iter().for_each(|append| append.fail(&fault));
                }
            }
        }
    }

    /// Does `work`, which moves the end and says how many pages it took, whole or not at all.
    fn transaction(
        &mut self,
        work: impl FnOnce(&Connection, &mut (Seq, Digest)) -> Result<usize, Fault>,
    ) -> Result<(), Failed> {
        let done = self.try_transaction(work);
        match done {
            Ok((end, pages)) => {
                self.end = Some(end);
                self.pages = self.pages.saturating_add(pages);
            }
            Err(_) => self.recover(),
        }
        if let Some(end) = self.end {
            self.published.send_if_modified(|seq| std::mem::replace(seq, end.last.0) != end.last.0);
        }
        done.map(drop)
    }

    fn try_transaction(
        &self,
        work: impl FnOnce(&Connection, &mut (Seq, Digest)) -> Result<usize, Fault>,
    ) -> Result<(End, usize), Failed> {
        self.execute("BEGIN IMMEDIATE").map_err(Failed::Begin)?;
        // From here on nobody else can write, so what is true of the end now stays true.
        let mut end = self.current_end().map_err(Failed::Begin)?;
        let pages = work(&self.db, &mut end.last).map_err(Failed::Work)?;
        self.execute("COMMIT").map_err(Failed::Commit)?;
        Ok((end, pages))
    }

    fn current_end(&self) -> Result<End, Fault> {
        match self.end {
            Some(end) if end.data_version == data_version(&self.db)? => Ok(end),
            _ => End::read(&self.db),
        }
    }

    /// After a failure: takes back what was begun, and looks where the log really ends.
    fn recover(&mut self) {
        if !self.db.is_autocommit()
            && let Err(error) = self.execute("ROLLBACK")
        {
            tracing::warn!(%error, "a failed transaction could not be rolled back");
        }
        self.end = End::read(&self.db).ok();
    }

    fn checkpoint_if_due(&mut self) {
        if self.pages < CHECKPOINT_PAGES {
            return;
        }
        self.pages = 0;
        // Passive waits for nobody. Restart waits for readers, after which the file is written from its start again.
        let how =
            if self.overdue { "PRAGMA wal_checkpoint(RESTART)" } else { "PRAGMA wal_checkpoint(PASSIVE)" };
        match self.checkpoint(how) {
            Ok(pages) => self.overdue = pages > OVERDUE_PAGES,
            Err(error) => tracing::warn!(%error, "checkpoint failed; it is tried again later"),
        }
    }

    /// Answers how many pages the write-ahead log has.
    fn checkpoint(&self, how: &str) -> Result<i64, Fault> {
        Ok(self.db.prepare_cached(how)?.query_row([], |row| row.get(1))?)
    }

    fn execute(&self, sql: &str) -> Result<(), Fault> {
        self.db.prepare_cached(sql)?.execute([])?;
        Ok(())
    }
}

fn data_version(db: &Connection) -> Result<i64, Fault> {
    Ok(db.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?)
}

/// Makes `snapshot` the one that is kept, unless a newer one of this history is there.
fn save(db: &Connection, snapshot: &Snapshot) -> Result<usize, Fault> {
    let Snapshot { seq, digest, format, bytes } = snapshot;
    if !rows::belongs(db, *seq, *digest)? {
        return Err(rows::corrupt(*seq, "the snapshot is of another history"));
    }
    let seq = stored(*seq)?;
    db.prepare_cached(
        "DELETE FROM snapshots WHERE seq <= ?1 OR NOT EXISTS
         (SELECT 1 FROM records WHERE records.seq = snapshots.seq AND records.digest = snapshots.digest)",
    )?
    .execute([seq])?;
    db.prepare_cached(
        "INSERT INTO snapshots (seq, digest, format, hash, bytes) SELECT ?1, ?2, ?3, ?4, ?5
         WHERE NOT EXISTS (SELECT 1 FROM snapshots)",
    )?
    .execute((seq, digest.0, format, ContentHash::of(bytes).0, bytes.as_ref()))?;
    Ok(1 + pages(bytes.len()))
}

/// The number as SQLite keeps it.
pub(super) fn stored(seq: Seq) -> Result<i64, Fault> {
    i64::try_from(seq.0).map_err(|_| rows::corrupt(seq, "the log is full"))
}

/// About how many pages `bytes` bytes take.
pub(super) fn pages(bytes: usize) -> usize {
    1 + bytes / 4096
}
