//! How many requests a caller may make: a bucket of tokens for each, filled evenly.
//!
//! Of a bucket only one number is kept, the time at which it is full again; before that it lacks what it would gain until
//! then. **Invariants:** pure, time is an argument; a clock that is set back locks nobody out; the callers that are
//! remembered are bounded in number, and those whose bucket is full are the first to be forgotten.

use std::collections::HashMap;

/// The most that one request takes.
pub(crate) const MOST_COST: u32 = 10;

const SECOND_NS: i64 = 1_000_000_000;

/// How fast buckets fill, and how much they hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    /// From one token to the next, nanoseconds.
    interval_ns: i64,
    /// From empty to full.
    capacity_ns: i64,
    /// The furthest ahead that a bucket can be full again.
    longest_ns: i64,
}

impl Rate {
    /// `per_s` tokens a second, and room for those of `burst_s` seconds. At least one each.
    pub(crate) fn new(per_s: u32, burst_s: u32) -> Self {
        let interval_ns = SECOND_NS / i64::from(per_s.max(1));
        let capacity_ns = i64::from(burst_s.max(1)).saturating_mul(SECOND_NS);
        let longest_ns = capacity_ns.max(interval_ns.saturating_mul(MOST_COST.into()));
        Self { interval_ns, capacity_ns, longest_ns }
    }

    /// Takes `cost` tokens from a bucket that is full again at `full_at`. Answers when it is then; or, if it has too few,
    /// after how many nanoseconds it has enough. What costs more than a bucket holds takes a full one.
    fn take(&self, full_at: Option<i64>, cost: u32, now_ns: i64) -> Result<i64, i64> {
        // Further ahead than it can be: the clock was set back.
        let full_at = full_at.filter(|full_at| full_at.saturating_sub(now_ns) <= self.longest_ns);
        let cost_ns = self.interval_ns.saturating_mul(cost.min(MOST_COST).into());
        let after = full_at.map_or(now_ns, |full_at| full_at.max(now_ns)).saturating_add(cost_ns);
        let lacking = after.saturating_sub(now_ns).saturating_sub(self.capacity_ns.max(cost_ns));
        if lacking <= 0 { Ok(after) } else { Err(lacking) }
    }
}

/// The buckets of all callers of one kind.
#[derive(Debug)]
pub(crate) struct Buckets {
    rate: Rate,
    /// By what tells callers apart.
    full_at: HashMap<u64, i64>,
    most: usize,
    /// Before this nobody is looked for to forget.
    next_sweep_ns: i64,
}

/// The bucket of all who come when there is no room for more.
const EVERYBODY_ELSE: u64 = u64::MAX;

impl Buckets {
    /// None yet, and never more than `most`.
    pub(crate) fn new(rate: Rate, most: usize) -> Self {
        Self { rate, full_at: HashMap::new(), most, next_sweep_ns: i64::MIN }
    }

    /// Takes `cost` tokens of a caller.
    ///
    /// # Errors
    /// There are too few: after how many nanoseconds there will be enough.
    pub(crate) fn take(&mut self, caller: u64, cost: u32, now_ns: i64) -> Result<(), i64> {
        let caller =
            if self.full_at.contains_key(&caller) || self.has_room(now_ns) { caller } else { EVERYBODY_ELSE };
        let full_at = self.rate.take(self.full_at.get(&caller).copied(), cost, now_ns)?;
        self.full_at.insert(caller, full_at);
        Ok(())
    }

    /// Whether one more caller can be remembered. Forgets those whose buckets are full, at most once a second.
    fn has_room(&mut self, now_ns: i64) -> bool {
        if self.full_at.len() >= self.most
            && (now_ns >= self.next_sweep_ns || self.clock_was_set_back(now_ns))
        {
            let longest_ns = self.rate.longest_ns;
            self.full_at
                .retain(|_, full_at| *full_at > now_ns && full_at.saturating_sub(now_ns) <= longest_ns);
            self.next_sweep_ns = now_ns.saturating_add(SECOND_NS);
        }
        self.full_at.len() < self.most
    }

    fn clock_was_set_back(&self, now_ns: i64) -> bool {
        self.next_sweep_ns.saturating_sub(now_ns) > SECOND_NS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_burst_is_let_through_and_then_as_many_as_are_due() {
        let mut buckets = Buckets::new(Rate::new(10, 2), 100);
        for _ in 0..20 {
            assert_eq!(buckets.take(1, 1, 0), Ok(()));
        }
        assert_eq!(buckets.take(1, 1, 0), Err(SECOND_NS / 10));
        assert_eq!(buckets.take(2, 1, 0), Ok(()), "another caller has another bucket");
        assert_eq!(buckets.take(1, 1, SECOND_NS / 10), Ok(()));
        assert_eq!(buckets.take(1, 5, SECOND_NS / 10), Err(SECOND_NS / 2));
        assert_eq!(buckets.take(1, 5, SECOND_NS * 6 / 10), Ok(()));
    }

    #[test]
    fn what_costs_more_than_a_bucket_holds_takes_a_full_one() {
        let mut buckets = Buckets::new(Rate::new(1, 1), 100);
        assert_eq!(buckets.take(1, 10, 0), Ok(()));
        assert_eq!(buckets.take(1, 1, 0), Err(10 * SECOND_NS));
        assert_eq!(buckets.take(1, 10, 10 * SECOND_NS), Ok(()));
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let mut buckets = Buckets::new(Rate::new(10, 1), 1);
        let later = 3_600 * SECOND_NS;
        for _ in 0..10 {
            buckets.take(1, 1, later).unwrap();
        }
        assert!(buckets.take(1, 1, later).is_err());
        assert_eq!(buckets.take(1, 1, 0), Ok(()));
        assert_eq!(buckets.take(2, 1, 0), Ok(()));
    }

    #[test]
    fn callers_beyond_the_most_share_a_bucket_until_others_are_forgotten() {
        let mut buckets = Buckets::new(Rate::new(1, 1), 10);
        for caller in 0..10 {
            assert_eq!(buckets.take(caller, 1, 0), Ok(()));
        }
        assert_eq!(buckets.take(100, 1, 0), Ok(()));
        assert!(buckets.take(101, 1, 0).is_err(), "it shares with the one before");
        assert_eq!(buckets.take(101, 1, SECOND_NS), Ok(()), "the first ten have full buckets");
        assert!(buckets.full_at.len() <= 11);
    }

    proptest! {
        #[test]
        fn nobody_gets_more_than_a_burst_and_the_rate(
            per_s in 1_u32..1_000, burst_s in 1_u32..10,
            requests in proptest::collection::vec((0_i64..SECOND_NS, 1_u32..=MOST_COST), 1..300),
        ) {
            let rate = Rate::new(per_s, burst_s);
            let mut buckets = Buckets::new(rate, 10);
            let (mut now, mut taken) = (0, 0_i64);
            for (pause, cost) in requests {
                now += pause;
                match buckets.take(1, cost, now) {
                    Ok(()) => taken += i64::from(cost),
                    // Whoever comes back when told to is let through.
                    Err(wait) => {
                        now += wait;
                        prop_assert_eq!(buckets.take(1, cost, now), Ok(()));
                        taken += i64::from(cost);
                    }
                }
                prop_assert!(taken * rate.interval_ns <= now + rate.longest_ns);
            }
        }

        #[test]
        fn the_callers_remembered_are_bounded(
            requests in proptest::collection::vec((any::<u64>(), -SECOND_NS..SECOND_NS), 1..500),
        ) {
            let mut buckets = Buckets::new(Rate::new(5, 1), 20);
            let mut now = 0;
            for (caller, pause) in requests {
                now += pause;
                let _ = buckets.take(caller, 1, now);
                prop_assert!(buckets.full_at.len() <= 21);
            }
        }
    }
}
