//! When to ask again.
//!
//! **Invariant:** pure. Whoever waits brings the randomness.

use crate::trouble::Trouble;
use std::time::Duration;
use yardarm_client::Backoff;

/// The bound of the first wait after a failure.
const FIRST: Duration = Duration::from_secs(1);

/// The rhythm in which one configuration is asked for.
#[derive(Clone, Debug)]
pub struct Pace {
    interval: Duration,
    backoff: Backoff,
    /// How long upstream wants the session to wait. It counts once upstream has shown that it insists.
    announced: Option<Duration>,
    insists: bool,
}

impl Pace {
    /// Asks every `interval`; after a failure sooner.
    #[must_use]
    pub fn new(interval: Duration) -> Self {
        Self { interval, backoff: Backoff::new(FIRST, interval), announced: None, insists: false }
    }

    /// How long to wait after a success. `announced`: how long upstream wants us to wait.
    pub fn succeeded(&mut self, announced: Option<Duration>) -> Duration {
        self.backoff.succeeded();
        self.announced = announced.or(self.announced);
        match self.announced {
            Some(announced) if self.insists => announced.max(self.interval),
            Some(_) | None => self.interval,
        }
    }

    /// How long to wait after a failure. `draw` is any random number; its whole range counts.
    pub fn failed(&mut self, trouble: &Trouble, draw: u64) -> Duration {
        self.insists |= *trouble == Trouble::TooEarly;
        self.backoff.failed(draw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const INTERVAL: Duration = Duration::from_secs(45);

    fn lost() -> Trouble {
        Trouble::Unreachable("no route".into())
    }

    #[test]
    fn a_success_is_followed_by_one_interval() {
        let mut pace = Pace::new(INTERVAL);
        assert_eq!(pace.succeeded(Some(Duration::from_secs(60))), INTERVAL);
        pace.failed(&lost(), u64::MAX);
        assert_eq!(pace.succeeded(None), INTERVAL);
    }

    #[test]
    fn who_insists_on_an_interval_is_given_it() {
        let mut pace = Pace::new(INTERVAL);
        pace.succeeded(Some(Duration::from_secs(60)));
        assert!(pace.failed(&Trouble::TooEarly, u64::MAX) <= FIRST);
        assert_eq!(pace.succeeded(Some(Duration::from_secs(90))), Duration::from_secs(90));
        assert_eq!(pace.succeeded(Some(Duration::from_secs(15))), INTERVAL);
    }

    proptest! {
        #[test]
        fn no_wait_is_longer_than_one_interval_while_nobody_insists(
            draws in proptest::collection::vec(any::<Option<u64>>(), 1..60),
        ) {
            let mut pace = Pace::new(INTERVAL);
            for draw in draws {
                let wait = match draw {
                    Some(draw) => pace.failed(&lost(), draw),
                    None => pace.succeeded(Some(Duration::from_secs(600))),
                };
                prop_assert!(wait <= INTERVAL);
            }
        }
    }
}
