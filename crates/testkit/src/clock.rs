//! A clock that stands still until a test moves it.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use tokio::sync::watch;
use yardarm_node::Clock;

/// Clones are the same clock.
#[derive(Clone, Debug)]
pub struct ManualClock {
    now: Arc<watch::Sender<Timestamp>>,
}

impl Default for ManualClock {
    /// Starts at 2026-09-28T12:00:00Z.
    fn default() -> Self {
        let start = Timestamp::from_second(1_790_596_800).unwrap_or(Timestamp::UNIX_EPOCH);
        Self { now: Arc::new(watch::Sender::new(start)) }
    }
}

impl ManualClock {
    /// Sets the time, forward or back.
    pub fn set(&self, now: Timestamp) {
        self.now.send_replace(now);
    }

    /// Moves the time; a negative duration moves it back.
    pub fn advance(&self, by: SignedDuration) {
        self.now.send_modify(|now| *now = now.saturating_add(by).unwrap_or(Timestamp::MAX));
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    async fn sleep_until(&self, until: Timestamp) {
        let mut now = self.now.subscribe();
        let mut latest = *now.borrow();
        // The sender lives as long as `self`, so waiting ends by the time being reached or set back only.
        let _ = now
            .wait_for(|now| {
                let set_back = *now < latest;
                latest = *now;
                set_back || *now >= until
            })
            .await;
    }
}
