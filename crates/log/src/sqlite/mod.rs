//! A log in one SQLite file: what a single server uses.
//!
//! One thread writes and commits everything that waits in one transaction; two threads read. Futures only pass messages,
//! so any executor will do and none is started here. An acknowledged append is on the disk (write-ahead log,
//! `synchronous=FULL`). A file is open for writing once at a time; reading it from elsewhere is always possible.

mod append;
mod fault;
mod file;
mod readers;
mod rows;
#[cfg(test)]
mod tests;
mod writer;

use self::fault::Fault;
use self::readers::Read;
use self::writer::{Write, Writer};
use crate::{AppendError, Batch, ContentHash, Error, Log, Record, Seq, Snapshot};
use async_trait::async_trait;
use bytes::Bytes;
use rusqlite::Connection;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use tokio::sync::{mpsc, oneshot, watch};

/// The engine that keeps everything in one SQLite file.
///
/// Dropping it waits until what was asked for is written and the file is tidied up; [`SqliteLog::close`] does so without
/// blocking a thread.
pub struct SqliteLog {
    path: PathBuf,
    queues: Mutex<Option<Queues>>,
    /// Closed by the last thread to end.
    running: watch::Receiver<()>,
    /// The last record committed; closed when the writer has ended. `None` if there is no writer.
    ends: Option<watch::Receiver<Seq>>,
    threads: Vec<JoinHandle<()>>,
}

/// The ways to the threads. When the last copy goes, the threads finish what is in the queues and end.
#[derive(Clone)]
struct Queues {
    writes: Option<mpsc::Sender<Write>>,
    reads: mpsc::Sender<Read>,
}

impl SqliteLog {
    /// Opens the log in the file at `path`, which is made if there is none; its folder must be there.
    /// Blocks for as long as the disk takes; after a crash, what was in the write-ahead log is recovered here.
    ///
    /// # Errors
    /// [`Error::Storage`] when the file is open elsewhere for writing, is not a Yardarm log, was written by a newer
    /// version, or cannot be read or written; [`Error::Corrupt`] when its last record is damaged.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = file::create(path.as_ref())?;
        let lock = file::lock(&path)?;
        let (writer, ends) = Writer::new(file::connect_for_writing(&path)?)?;
        let (running, ended) = watch::channel(());
        let running = Arc::new(running);
        let (reads, readers) = start_readers(&path, readers::READERS, &running)?;
        let (writes, queue) = mpsc::channel(writer::QUEUE);
        let writer = start("yardarm-log-writer", move || {
            writer.run(queue, readers, lock);
            drop(running);
        })?;
        Ok(Self {
            path,
            queues: Mutex::new(Some(Queues { writes: Some(writes), reads })),
            running: ended,
            ends: Some(ends),
            threads: vec![writer],
        })
    }

    /// Opens the log in the file at `path` without ever changing it, even while a server has it open. Appending and
    /// saving a snapshot fail; waiting for a change ends only with [`SqliteLog::close`], unless the change is there.
    ///
    /// # Errors
    /// As for [`SqliteLog::open`]; [`Error::Storage`] also when there is no such file or nothing was ever written to it.
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = file::resolve(path.as_ref())?;
        let (running, ended) = watch::channel(());
        let (reads, threads) = start_readers(&path, 1, &Arc::new(running))?;
        let queues = Mutex::new(Some(Queues { writes: None, reads }));
        Ok(Self { path, queues, running: ended, ends: None, threads })
    }

    /// The file, as an absolute path without symbolic links.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Finishes what was asked for, tidies up and lets go of the file. From now on every method fails with
    /// [`Error::Closed`]. Closing again is no error.
    pub async fn close(&self) {
        drop(self.queues().take());
        let mut running = self.running.clone();
        while running.changed().await.is_ok() {}
    }

    fn queues(&self) -> MutexGuard<'_, Option<Queues>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open_queues(&self) -> Result<Queues, Error> {
        self.queues().clone().ok_or(Error::Closed)
    }

    /// Has the writer do what `write` makes of a way to answer.
    async fn write<T>(&self, write: impl FnOnce(oneshot::Sender<T>) -> Write) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        let writes = self.open_queues()?.writes.ok_or(Fault::ReadOnly)?;
        writes.send(write(reply)).await.map_err(|_| Error::Closed)?;
        drop(writes);
        answer.await.map_err(|_| Error::Closed)
    }

    /// Has a reader do `read`.
    async fn query<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        let job: Read = Box::new(move |db| {
            // Nobody may be waiting any more, and reads can be long.
            if !reply.is_closed() {
                let _ = reply.send(read(db));
            }
        });
        let reads = self.open_queues()?.reads;
        reads.send(job).await.map_err(|_| Error::Closed)?;
        drop(reads);
        Ok(answer.await.map_err(|_| Error::Closed)??)
    }
}

impl Drop for SqliteLog {
    fn drop(&mut self) {
        drop(self.queues().take());
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so already.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for SqliteLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteLog").field("path", &self.path).finish_non_exhaustive()
    }
}

#[async_trait]
impl Log for SqliteLog {
    async fn append(&self, expected: Seq, batch: Batch) -> Result<Vec<Record>, AppendError> {
        self.write(|reply| Write::Append { expected, batch, reply }).await?
    }

    async fn read(&self, after: Seq, limit: usize) -> Result<Vec<Record>, Error> {
        self.query(move |db| rows::page(db, after, limit)).await
    }

    async fn end(&self) -> Result<Seq, Error> {
        self.open_queues()?;
        match &self.ends {
            Some(ends) => Ok(*ends.borrow()),
            None => self.query(|db| rows::end(db).map(|(seq, _)| seq)).await,
        }
    }

    async fn wait_for_change(&self, after: Seq) -> Result<(), Error> {
        self.open_queues()?;
        match &self.ends {
            Some(ends) => {
                let mut ends = ends.clone();
                ends.wait_for(|end| *end > after).await.map(drop).map_err(|_| Error::Closed)
            }
            None if self.end().await? > after => Ok(()),
            None => {
                let mut running = self.running.clone();
                while running.changed().await.is_ok() {}
                Err(Error::Closed)
            }
        }
    }

    async fn content(&self, hash: ContentHash) -> Result<Option<Bytes>, Error> {
        self.query(move |db| rows::content(db, hash)).await
    }

    async fn save_snapshot(&self, snapshot: Snapshot) -> Result<(), Error> {
        self.write(|reply| Write::Snapshot { snapshot, reply }).await?
    }

    async fn load_snapshot(&self) -> Result<Option<Snapshot>, Error> {
        self.query(rows::snapshot).await
    }
}

/// Starts `count` threads that read the file at `path`, and answers the way to them. `running` lives as long as they do.
fn start_readers(
    path: &Path,
    count: usize,
    running: &Arc<watch::Sender<()>>,
) -> Result<(mpsc::Sender<Read>, Vec<JoinHandle<()>>), Fault> {
    let (reads, queue) = mpsc::channel(readers::QUEUE);
    let queue = Arc::new(Mutex::new(queue));
    let threads = (0..count).map(|_| {
        let db = file::connect_for_reading(path)?;
        let (queue, running) = (Arc::clone(&queue), Arc::clone(running));
        start("yardarm-log-reader", move || {
            readers::run(&db, &queue);
            drop(db);
            drop(running);
        })
    });
    Ok((reads, threads.collect::<Result<_, _>>()?))
}

fn start(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Fault> {
    Builder::new().name(name.into()).spawn(work).map_err(|error| Fault::Thread(Arc::new(error)))
}
