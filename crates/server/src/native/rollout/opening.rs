//! How many streams may be opened in a second, and when those come back that were sent away.
//!
//! **Invariants:** pure, time is an argument; whoever is sent away is given a turn of its own, so that those who came
//! together come back at the rate that is agreeable; no turn is later than [`LONGEST_S`]; a clock that is set back keeps
//! nobody out.

use crate::rate::{Buckets, Rate};

/// The longest that anybody is sent away for, seconds.
pub(super) const LONGEST_S: u32 = 60;

const SECOND_NS: i64 = 1_000_000_000;

/// Those who open streams are not told apart.
const ALL: u64 = 0;

/// Who is let in.
#[derive(Debug)]
pub(super) struct Opening {
    bucket: Buckets,
    /// From one turn to the next.
    interval_ns: i64,
    /// The next turn that nobody was given.
    free_ns: i64,
}

impl Opening {
    /// `per_s` a second, and as many at once.
    pub(super) fn new(per_s: u32) -> Self {
        let interval_ns = SECOND_NS / i64::from(per_s.max(1));
        Self { bucket: Buckets::new(Rate::new(per_s, 1), 1), interval_ns, free_ns: i64::MIN }
    }

    /// Lets one more in.
    ///
    /// # Errors
    /// Not now: in how many seconds it is that one's turn, at least 1.
    pub(super) fn admit(&mut self, now_ns: i64) -> Result<(), u32> {
        let Err(lacking_ns) = self.bucket.take(ALL, 1, now_ns) else { return Ok(()) };
        let first = now_ns.saturating_add(lacking_ns);
        let last = now_ns.saturating_add(i64::from(LONGEST_S) * SECOND_NS);
        // Once all turns are taken, they are given out a second time.
        let turn = if (first..=last).contains(&self.free_ns) { self.free_ns } else { first };
        self.free_ns = turn.saturating_add(self.interval_ns);
        let seconds = turn.saturating_sub(now_ns).saturating_add(SECOND_NS - 1) / SECOND_NS;
        Err(u32::try_from(seconds).unwrap_or(LONGEST_S).clamp(1, LONGEST_S))
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_S, Opening, SECOND_NS};
    use proptest::prelude::*;

    #[test]
    fn those_who_come_together_come_back_at_the_agreeable_rate() {
        let mut opening = Opening::new(100);
        let told: Vec<Result<(), u32>> = (0..1_000).map(|_| opening.admit(0)).collect();
        assert!(told.iter().take(100).all(Result::is_ok));
        for second in 1..=9 {
            let count = told.iter().filter(|told| **told == Err(second)).count();
            assert!((99..=101).contains(&count), "{count} in second {second}");
        }
        for second in 1..=9 {
            for _ in 0..100 {
                assert_eq!(opening.admit(i64::from(second) * SECOND_NS), Ok(()), "in its turn");
            }
        }
    }

    proptest! {
        #[test]
        fn never_more_than_the_rate_and_nobody_waits_too_long(
            per_s in 1_u32..2_000,
            pauses in proptest::collection::vec(-2_000_000_000_i64..2_000_000_000, 1..300),
        ) {
            let mut opening = Opening::new(per_s);
            let (mut now, mut earliest, mut latest, mut admitted) = (0_i64, 0_i64, 0_i64, 0_i64);
            for pause in pauses {
                now += pause;
                earliest = earliest.min(now);
                latest = latest.max(now);
                match opening.admit(now) {
                    Ok(()) => admitted += 1,
                    Err(seconds) => prop_assert!((1..=LONGEST_S).contains(&seconds)),
                }
            }
            // With a clock that only goes forward; one that is set back may let in another burst each time.
            if earliest == 0 && latest == now {
                let most = (latest / SECOND_NS + 2) * i64::from(per_s) + 1;
                prop_assert!(admitted <= most);
            }
        }
    }
}
