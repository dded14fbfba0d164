//! The only place that reads the time.

use async_trait::async_trait;
use jiff::Timestamp;
use std::time::Duration;

/// Tells the time and waits for it. Injected, so that tests own it.
#[async_trait]
pub trait Clock: Send + Sync + 'static {
    /// The time, whole milliseconds.
    fn now(&self) -> Timestamp;

    /// Returns once [`Clock::now`] has reached `until`, or early when the clock is set back: look at the time again.
    async fn sleep_until(&self, until: Timestamp);
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

/// A sleep looks at the clock at least this often, so that a clock set forward is noticed.
const LONGEST_NAP: Duration = Duration::from_secs(1);

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the time")]
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    async fn sleep_until(&self, until: Timestamp) {
        let mut latest = self.now();
        loop {
            let now = self.now();
            if now < latest {
                return;
            }
            latest = now;
            let remaining = now.duration_until(until);
            let Ok(remaining) = Duration::try_from(remaining) else { return };
            if remaining.is_zero() {
                return;
            }
            tokio::time::sleep(remaining.min(LONGEST_NAP)).await;
        }
    }
}
