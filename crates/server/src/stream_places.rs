//! How many event streams of a kind may be open at a time, and what is counted of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use yardarm_listen::SlowReaders;

/// The places of one kind of event streams.
#[derive(Debug)]
pub(crate) struct StreamPlaces {
    /// What the kind is called in the metrics.
    pub(crate) kind: &'static str,
    free: Arc<Semaphore>,
    most: usize,
    /// Clients that found no place.
    full: AtomicU64,
    /// Clients that came too fast after others.
    early: AtomicU64,
    /// Clients that were dropped because they did not read.
    pub(crate) slow: SlowReaders,
}

impl StreamPlaces {
    /// At most `most`; zero for none.
    pub(crate) fn new(kind: &'static str, most: usize) -> Self {
        let most = most.min(Semaphore::MAX_PERMITS);
        let (full, early) = Default::default();
        Self { kind, free: Arc::new(Semaphore::new(most)), most, full, early, slow: SlowReaders::default() }
    }

    /// Whether there are any.
    pub(crate) fn exist(&self) -> bool {
        self.most > 0
    }

    /// Takes a place, until it is dropped. `None`: all are taken.
    pub(crate) fn take(&self) -> Option<OwnedSemaphorePermit> {
        let place = self.free.clone().try_acquire_owned().ok();
        if place.is_none() {
            self.full.fetch_add(1, Ordering::Relaxed);
        }
        place
    }

    /// Notes that a client was sent away because it came too fast after others.
    pub(crate) fn note_early(&self) {
        self.early.fetch_add(1, Ordering::Relaxed);
    }

    /// How many are taken.
    pub(crate) fn taken(&self) -> usize {
        self.most.saturating_sub(self.free.available_permits())
    }

    /// How many clients were refused, by why.
    pub(crate) fn refused(&self) -> [(&'static str, u64); 2] {
        [("full", &self.full), ("rate", &self.early)].map(|(why, count)| (why, count.load(Ordering::Relaxed)))
    }
}
