//! How long to wait before the next try.

use std::time::Duration;

/// Waits that double with every failure, each drawn evenly from zero to its bound ("full jitter"), so that a thousand
/// clients that have lost a server together do not come back together.
///
/// **Invariant:** pure. Whoever waits brings the randomness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl Backoff {
    /// After the first failure at most `first`, then at most twice as long each time, never more than `longest`.
    #[must_use]
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, failures: 0 }
    }

    /// How long to wait after one more failure. `draw` is any random number; its whole range counts.
    pub fn failed(&mut self, draw: u64) -> Duration {
        let bound = self.bound();
        self.failures = self.failures.saturating_add(1);
        // A share of the bound: a multiplication and a shift, which cannot exceed it.
        let nanoseconds = bound.as_nanos().min(u128::from(u64::MAX));
        let share = (nanoseconds * u128::from(draw)) >> 64;
        u64::try_from(share).map_or(bound, Duration::from_nanos)
    }

    /// Begins anew.
    pub const fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// How many times it has failed since it last succeeded.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// The longest that the next wait can be.
    #[must_use]
    pub fn bound(&self) -> Duration {
        let factor = 1_u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::Backoff;
    use proptest::prelude::*;
    use std::time::Duration;

    const LONGEST: Duration = Duration::from_secs(30);

    #[test]
    fn waits_double_up_to_the_longest_and_begin_anew_after_a_success() {
        let mut backoff = Backoff::new(Duration::from_millis(500), LONGEST);
        let bounds: Vec<u64> = (0..8)
            .map(|_| {
                let bound = backoff.bound();
                backoff.failed(u64::MAX);
                u64::try_from(bound.as_millis()).unwrap()
            })
            .collect();
        assert_eq!(bounds, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
        assert_eq!(backoff.failures(), 8);
        backoff.succeeded();
        assert_eq!(backoff, Backoff::new(Duration::from_millis(500), LONGEST));
    }

    proptest! {
        #[test]
        fn no_wait_exceeds_its_bound_however_often_it_failed(
            draws in proptest::collection::vec(any::<u64>(), 1..80),
        ) {
            let mut backoff = Backoff::new(Duration::from_millis(1), LONGEST);
            for draw in draws {
                let bound = backoff.bound();
                prop_assert!(bound <= LONGEST);
                prop_assert!(backoff.failed(draw) <= bound);
            }
        }

        #[test]
        fn a_larger_draw_waits_no_shorter(a: u64, b: u64) {
            let wait = |draw| Backoff::new(LONGEST, LONGEST).failed(draw);
            prop_assert!(wait(a.min(b)) <= wait(a.max(b)));
        }
    }
}
