//! The back-end that computes recommendations: one queue, and so much that it gets done in a second.
//!
//! The more recommendations an order asks for, the fewer orders a second it can serve, and the longer the queue at a peak.

use std::time::Duration;

/// The back-end's queue. Times count from when the shop opened.
#[derive(Debug, Default)]
pub struct Recommendations {
    /// When everything asked for so far will be done.
    done_at: Duration,
}

/// Recommendations that the back-end computes in a second.
const A_SECOND: u32 = 600;

impl Recommendations {
    /// How long an order waits that asks for `count` at `now`, behind all that asked before.
    pub fn ask(&mut self, count: u32, now: Duration) -> Duration {
        self.done_at = self.done_at.max(now) + Duration::from_secs(1) * count / A_SECOND;
        self.done_at - now
    }
}

#[cfg(test)]
mod tests {
    use super::Recommendations;
    use proptest::prelude::*;
    use std::time::Duration;

    proptest! {
        #[test]
        fn fewer_recommendations_never_make_anybody_wait_longer(
            gaps in proptest::collection::vec(0_u64..100, 1..50), count in 1_u32..20,
        ) {
            let (mut many, mut few, mut now) = (Recommendations::default(), Recommendations::default(), Duration::ZERO);
            for gap in gaps {
                now += Duration::from_millis(gap);
                prop_assert!(few.ask(count - 1, now) <= many.ask(count, now));
            }
        }
    }

    #[test]
    fn who_comes_to_an_empty_queue_waits_only_for_what_was_asked() {
        let mut backend = Recommendations::default();
        assert_eq!(backend.ask(12, Duration::from_secs(5)), Duration::from_millis(20));
        assert_eq!(backend.ask(12, Duration::from_secs(5)), Duration::from_millis(40));
        assert_eq!(backend.ask(0, Duration::from_secs(9)), Duration::ZERO);
    }
}
