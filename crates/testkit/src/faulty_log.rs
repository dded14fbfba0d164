//! A log that fails when a test says so.
//!
//! Wraps any engine. What goes wrong is drawn from a seeded generator with the [`Trouble`] set at the moment of the call,
//! or said beforehand for the next appends ([`FaultyLog::script`]). An append can fail before anything is written, or be
//! written and then look failed; both are what a lost connection looks like. Delays are given by yielding to the other
//! tasks, never by waiting for time, and a call that is dropped half-way stops there, as in a crash.

use async_trait::async_trait;
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use yardarm_log::{AppendError, Batch, ContentHash, Error, Log, Record, Seq, Snapshot};

/// How often calls go wrong, in a thousand: 0 is never, 1,000 is always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trouble {
    /// Appends that fail and write nothing.
    pub appends_fail: u16,
    /// Appends that write and then report a failure.
    pub answers_lost: u16,
    /// Reads and waits that fail. Snapshots fail when more than half of the reads do: they are saved from another thread,
    /// which must not disturb what is drawn.
    pub reads_fail: u16,
    /// Content that cannot be loaded.
    pub content_fails: u16,
    /// The most turns a call gives to other tasks before it does its work, and again before it answers.
    pub most_yields: u8,
}

impl Trouble {
    /// Everything works, at once.
    pub const NONE: Self =
        Self { appends_fail: 0, answers_lost: 0, reads_fail: 0, content_fails: 0, most_yields: 0 };

    /// Nothing works.
    pub const DOWN: Self = Self {
        appends_fail: 1_000,
        answers_lost: 0,
        reads_fail: 1_000,
        content_fails: 1_000,
        most_yields: 0,
    };
}

/// What becomes of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendFate {
    /// It is done and answered.
    Works,
    /// It fails and nothing is written.
    Fails,
    /// It is written and the answer is a failure.
    AnswerLost,
}

/// A [`Log`] that fails when a test says so. Clones are the same log with the same trouble.
#[derive(Clone)]
pub struct FaultyLog {
    inner: Arc<dyn Log>,
    /// Wakes those who wait for the log to grow, in the order in which they came. `None`: the engine does it.
    grown: Option<Arc<Notify>>,
    state: Arc<State>,
}

struct State {
    faults: Mutex<Faults>,
    begun: AtomicU64,
    ended: AtomicU64,
    appends: AtomicU64,
    records_read: AtomicU64,
}

struct Faults {
    trouble: Trouble,
    script: VecDeque<AppendFate>,
    /// Content that cannot be loaded, whatever the trouble.
    lost: Vec<ContentHash>,
    generator: fastrand::Rng,
}

/// Counts a call as ended also when it is dropped half-way.
struct Call<'a>(&'a State);

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::Relaxed);
    }
}

impl FaultyLog {
    /// Wraps `inner`, without trouble for now. The same seed goes wrong in the same places.
    #[must_use]
    pub fn new(inner: Arc<dyn Log>, seed: u64) -> Self {
        Self::with(inner, None, seed)
    }

    /// Several ways to `inner`, each with its own trouble. They wake their waiters in an order that is the same in every
    /// run, but only for what is appended through one of them.
    #[must_use]
    pub fn several(inner: &Arc<dyn Log>, count: usize, seed: u64) -> Vec<Self> {
        let grown = Arc::new(Notify::new());
        let seeds = (0..count).map(|index| seed.wrapping_add(index as u64));
        seeds.map(|seed| Self::with(inner.clone(), Some(grown.clone()), seed)).collect()
    }

    fn with(inner: Arc<dyn Log>, grown: Option<Arc<Notify>>, seed: u64) -> Self {
        let generator = fastrand::Rng::with_seed(seed);
        let faults = Faults { trouble: Trouble::NONE, script: VecDeque::new(), lost: vec![], generator };
        let state = State {
            faults: Mutex::new(faults),
            begun: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            appends: AtomicU64::new(0),
            records_read: AtomicU64::new(0),
        };
        Self { inner, grown, state: Arc::new(state) }
    }

    /// From now on this much goes wrong.
    pub fn set(&self, trouble: Trouble) {
        self.faults().trouble = trouble;
    }

    /// What becomes of the next appends, one after the other, whatever the trouble.
    pub fn script(&self, fates: impl IntoIterator<Item = AppendFate>) {
        self.faults().script.extend(fates);
    }

    /// From now on this content cannot be loaded.
    pub fn lose(&self, hash: ContentHash) {
        self.faults().lost.push(hash);
    }

    /// What was lost can be loaded again.
    pub fn find_all(&self) {
        self.faults().lost.clear();
    }

    /// Calls begun so far, without those that only wait for a change or concern snapshots.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.state.begun.load(Ordering::Relaxed)
    }

    /// Calls begun and not ended.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.calls().saturating_sub(self.state.ended.load(Ordering::Relaxed))
    }

    /// Appends begun so far, whatever became of them.
    #[must_use]
    pub fn appends(&self) -> u64 {
        self.state.appends.load(Ordering::Relaxed)
    }

    /// Records handed to readers so far.
    #[must_use]
    pub fn records_read(&self) -> u64 {
        self.state.records_read.load(Ordering::Relaxed)
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.state.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self) -> Call<'_> {
        self.state.begun.fetch_add(1, Ordering::Relaxed);
        Call(&self.state)
    }

    /// Lets other tasks go first.
    async fn dawdle(&self) {
        let turns = {
            let mut faults = self.faults();
            let most = faults.trouble.most_yields;
            faults.generator.u8(0..=most)
        };
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
    }

    fn append_fate(&self) -> AppendFate {
        let mut faults = self.faults();
        if let Some(fate) = faults.script.pop_front() {
            return fate;
        }
        let Trouble { appends_fail, answers_lost, .. } = faults.trouble;
        let draw = faults.generator.u16(0..1_000);
        if draw < appends_fail {
            AppendFate::Fails
        } else if draw < appends_fail.saturating_add(answers_lost) {
            AppendFate::AnswerLost
        } else {
            AppendFate::Works
        }
    }

    /// Fails as often as `odds` says.
    fn try_luck(&self, odds: impl Fn(&Trouble) -> u16) -> Result<(), Error> {
        let mut faults = self.faults();
        let odds = odds(&faults.trouble);
        if faults.generator.u16(0..1_000) < odds { Err(injected()) } else { Ok(()) }
    }
}

fn injected() -> Error {
    Error::Storage("injected failure".into())
}

#[async_trait]
impl Log for FaultyLog {
    async fn append(&self, expected: Seq, batch: Batch) -> Result<Vec<Record>, AppendError> {
        let _call = self.begin();
        self.state.appends.fetch_add(1, Ordering::Relaxed);
        self.dawdle().await;
        let fate = self.append_fate();
        if fate == AppendFate::Fails {
            return Err(injected().into());
        }
        let written = self.inner.append(expected, batch).await?;
        if let Some(grown) = &self.grown {
            grown.notify_waiters();
        }
        self.dawdle().await;
        if fate == AppendFate::AnswerLost { Err(injected().into()) } else { Ok(written) }
    }

    async fn read(&self, after: Seq, limit: usize) -> Result<Vec<Record>, Error> {
        let _call = self.begin();
        self.dawdle().await;
        self.try_luck(|trouble| trouble.reads_fail)?;
        let page = self.inner.read(after, limit).await?;
        self.state.records_read.fetch_add(page.len() as u64, Ordering::Relaxed);
        self.dawdle().await;
        Ok(page)
    }

    async fn end(&self) -> Result<Seq, Error> {
        let _call = self.begin();
        self.dawdle().await;
        self.try_luck(|trouble| trouble.reads_fail)?;
        self.inner.end().await
    }

    async fn wait_for_change(&self, after: Seq) -> Result<(), Error> {
        self.try_luck(|trouble| trouble.reads_fail)?;
        let Some(grown) = &self.grown else { return self.inner.wait_for_change(after).await };
        loop {
            let grown = grown.notified();
            if self.inner.end().await? > after {
                return Ok(());
            }
            grown.await;
        }
    }

    async fn content(&self, hash: ContentHash) -> Result<Option<Bytes>, Error> {
        let _call = self.begin();
        self.dawdle().await;
        self.try_luck(|trouble| trouble.content_fails)?;
        if self.faults().lost.contains(&hash) {
            return Err(injected());
        }
        let content = self.inner.content(hash).await;
        self.dawdle().await;
        content
    }

    async fn save_snapshot(&self, snapshot: Snapshot) -> Result<(), Error> {
        if self.faults().trouble.reads_fail > 500 {
            return Err(injected());
        }
        self.inner.save_snapshot(snapshot).await
    }

    async fn load_snapshot(&self) -> Result<Option<Snapshot>, Error> {
        if self.faults().trouble.reads_fail > 500 {
            return Err(injected());
        }
        self.inner.load_snapshot().await
    }
}
