//! A clock that stands still until a test moves it.

use async_trait::async_trait;
use jiff::{RoundMode, SignedDuration, Timestamp, TimestampRound, Unit};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use yardarm_node::Clock;

/// Clones are the same clock. Who waited first is woken first, so that a simulation is repeatable.
#[derive(Clone, Debug)]
pub struct ManualClock {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    time: Mutex<Time>,
    moved: Notify,
}

#[derive(Clone, Copy, Debug)]
struct Time {
    now: Timestamp,
    /// How often it was set back.
    set_back: u64,
}

impl Default for ManualClock {
    /// Starts at 2026-09-28T12:00:00Z.
    fn default() -> Self {
        let now = Timestamp::from_second(1_790_596_800).unwrap_or(Timestamp::UNIX_EPOCH);
        let time = Mutex::new(Time { now, set_back: 0 });
        Self { shared: Arc::new(Shared { time, moved: Notify::new() }) }
    }
}

impl ManualClock {
    /// Sets the time, forward or back: to the next whole millisecond, as clocks tell no less.
    pub fn set(&self, now: Timestamp) {
        let whole = TimestampRound::new().smallest(Unit::Millisecond).mode(RoundMode::Ceil);
        let now = now.round(whole).unwrap_or(now);
        let mut time = self.time();
        time.set_back += u64::from(now < time.now);
        time.now = now;
        drop(time);
        self.shared.moved.notify_waiters();
    }

    /// Moves the time; a negative duration moves it back.
    pub fn advance(&self, by: SignedDuration) {
        self.set(self.now().saturating_add(by).unwrap_or(Timestamp::MAX));
    }

    fn time(&self) -> MutexGuard<'_, Time> {
        self.shared.time.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.time().now
    }

    async fn sleep_until(&self, until: Timestamp) {
        let before = self.time().set_back;
        loop {
            let moved = self.shared.moved.notified();
            let time = *self.time();
            if time.now >= until || time.set_back > before {
                return;
            }
            moved.await;
        }
    }
}
