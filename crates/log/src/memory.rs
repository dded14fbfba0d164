//! A log that lives as long as the process: for tests, simulations and demonstrations.
//!
//! Clones share their storage, so that a simulator can end a node and start another one on what the first had written.
//! Every method is ready at once, except [`Log::wait_for_change`]: a run on a seeded scheduler is repeatable.

use crate::{AppendError, Batch, ContentHash, Digest, Error, Log, Record, Seq, Snapshot};
use async_trait::async_trait;
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// The engine that keeps everything in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryLog {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    end: watch::Sender<Seq>,
}

#[derive(Debug, Default)]
struct State {
    records: Vec<Record>,
    contents: HashMap<ContentHash, Bytes>,
    snapshot: Option<Snapshot>,
}

impl State {
    fn end(&self) -> (Seq, Digest) {
        self.records.last().map_or((Seq::ZERO, Digest::ZERO), |last| (last.seq, last.digest))
    }

    fn digest_at(&self, seq: Seq) -> Option<Digest> {
        match usize::try_from(seq.0).ok()?.checked_sub(1) {
            None => Some(Digest::ZERO),
            Some(index) => self.records.get(index).map(|record| record.digest),
        }
    }
}

impl MemoryLog {
    /// An empty log.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// No method leaves the state half changed, so a panic elsewhere is no reason to refuse it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Log for MemoryLog {
    async fn append(&self, expected: Seq, batch: Batch) -> Result<Vec<Record>, AppendError> {
        let mut state = self.state();
        let (mut seq, mut digest) = state.end();
        if expected != seq {
            return Err(AppendError::Conflict { expected, actual: seq });
        }
        let mut written = Vec::with_capacity(batch.drafts.len());
        for draft in batch.drafts {
            let record = Record::seal(seq.next(), digest, draft);
            (seq, digest) = (record.seq, record.digest);
            written.push(record);
        }
        state
            .contents
            .extend(batch.contents.into_iter().map(|content| (content.hash(), content.bytes().clone())));
        state.records.extend_from_slice(&written);
        self.shared.end.send_replace(seq);
        Ok(written)
    }

    async fn read(&self, after: Seq, limit: usize) -> Result<Vec<Record>, Error> {
        let state = self.state();
        let skip = usize::try_from(after.0).unwrap_or(usize::MAX);
        Ok(state.records.iter().skip(skip).take(limit).cloned().collect())
    }

    async fn end(&self) -> Result<Seq, Error> {
        Ok(self.state().end().0)
    }

    async fn wait_for_change(&self, after: Seq) -> Result<(), Error> {
        let mut end = self.shared.end.subscribe();
        end.wait_for(|end| *end > after).await.map(drop).map_err(|_| Error::Closed)
    }

    async fn content(&self, hash: ContentHash) -> Result<Option<Bytes>, Error> {
        Ok(self.state().contents.get(&hash).cloned())
    }

    async fn save_snapshot(&self, snapshot: Snapshot) -> Result<(), Error> {
        let mut state = self.state();
        if state.digest_at(snapshot.seq) != Some(snapshot.digest) {
            return Err(Error::Corrupt {
                seq: snapshot.seq,
                what: "the snapshot is of another history".into(),
            });
        }
        if state.snapshot.as_ref().is_none_or(|kept| kept.seq <= snapshot.seq) {
            state.snapshot = Some(snapshot);
        }
        Ok(())
    }

    async fn load_snapshot(&self) -> Result<Option<Snapshot>, Error> {
        Ok(self.state().snapshot.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::suite;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_memory_log_behaves() {
        suite(async || MemoryLog::new(), async |log: MemoryLog| log.clone()).await;
    }

    #[test]
    fn no_method_needs_a_runtime_or_a_second_poll() {
        let log = MemoryLog::new();
        assert!(ready(log.append(Seq::ZERO, Batch::default())).is_ok());
        assert!(ready(log.read(Seq::ZERO, 1)).is_ok());
        assert!(ready(log.end()).is_ok());
        assert!(ready(log.content(ContentHash::of(b""))).is_ok());
        assert!(ready(log.load_snapshot()).is_ok());
    }

    fn ready<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("not ready at once"),
        }
    }
}
