//! How it stands with one configuration, and what a request or an outcome does to that. Pure: time and randomness are
//! arguments.

use crate::pace::Pace;
use crate::source::{News, What};
use crate::trouble::Trouble;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// How it stands with one configuration.
#[derive(Clone, Debug)]
pub(crate) struct Status {
    phase: Phase,
    /// Whether somebody is asking upstream for it, or will.
    followed: bool,
    pace: Pace,
    pub(crate) last_success: Option<Timestamp>,
    /// When something else was held for the last time.
    pub(crate) last_change: Option<Timestamp>,
    pub(crate) last_error: Option<(Timestamp, Trouble)>,
    /// Whether the last thing that is known is that something could not be found out.
    pub(crate) stale: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    /// Nobody has asked for it.
    Unknown,
    /// It is asked for the first time, and callers wait.
    Fetching,
    /// There is something to answer with.
    Holding,
    /// There is nothing to answer with.
    Failed { trouble: Trouble, retry_at: Timestamp },
}

impl Status {
    pub(crate) fn new(interval: Duration) -> Self {
        Self {
            phase: Phase::Unknown,
            followed: false,
            pace: Pace::new(interval),
            last_success: None,
            last_change: None,
            last_error: None,
            stale: false,
        }
    }

    /// Asks at another interval from now on.
    pub(crate) fn pace(&mut self, interval: Duration) {
        self.pace = Pace::new(interval);
    }

    /// Somebody wants it. Answers whether it must be followed from now on: nobody does, and the last failure, if that is
    /// what there is, is old enough.
    pub(crate) fn want(&mut self, now: Timestamp) -> bool {
        let due = match &self.phase {
            Phase::Unknown => true,
            Phase::Failed { retry_at, .. } => now >= *retry_at,
            Phase::Fetching | Phase::Holding => false,
        };
        self.follow_if(due)
    }

    /// There is a copy from the disk. Answers whether it must be followed from now on.
    pub(crate) fn restored(&mut self, retrieved_at: Timestamp) -> bool {
        self.last_success = self.last_success.max(Some(retrieved_at));
        self.stale = true;
        let follow = self.follow_if(true);
        self.phase = Phase::Holding;
        follow
    }

    fn follow_if(&mut self, due: bool) -> bool {
        let follow = due && !self.followed;
        if follow {
            self.followed = true;
            self.phase = Phase::Fetching;
        }
        follow
    }

    /// An outcome has come. `holds`: whether there is something to answer with. Answers how long to wait.
    pub(crate) fn learn(
        &mut self,
        outcome: &Result<News, Trouble>,
        holds: bool,
        now: Timestamp,
        draw: u64,
    ) -> Duration {
        let trouble = match outcome {
            Ok(News { what: What::Same | What::Held(_), wait }) => {
                self.phase = Phase::Holding;
                self.last_success = Some(now);
                self.stale = false;
                return self.pace.succeeded(*wait);
            }
            Ok(News { what: What::Nothing(trouble), .. }) | Err(trouble) => trouble,
        };
        let wait = self.pace.failed(trouble, draw);
        self.last_error = Some((now, trouble.clone()));
        self.stale = holds;
        self.phase = if holds {
            Phase::Holding
        } else {
            let retry_at = now.saturating_add(SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX));
            Phase::Failed { trouble: trouble.clone(), retry_at: retry_at.unwrap_or(now) }
        };
        wait
    }

    /// Nobody follows it any more.
    pub(crate) fn let_go(&mut self) {
        self.followed = false;
    }

    pub(crate) fn is_fetching(&self) -> bool {
        self.phase == Phase::Fetching
    }

    /// Whether it can be forgotten: there is nothing, and nobody is going to look.
    pub(crate) fn is_idle(&self) -> bool {
        !self.followed && self.phase != Phase::Holding
    }

    /// Why there is nothing.
    pub(crate) fn trouble(&self) -> Option<&Trouble> {
        match &self.phase {
            Phase::Failed { trouble, .. } => Some(trouble),
            Phase::Unknown | Phase::Fetching | Phase::Holding => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(45);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn same() -> Result<News, Trouble> {
        Ok(News { what: What::Same, wait: None })
    }

    fn missing() -> Result<News, Trouble> {
        Err(Trouble::NotFound { message: "no".into(), resource_type: None })
    }

    #[test]
    fn many_who_want_it_start_one_fetch() {
        let mut status = Status::new(INTERVAL);
        assert!(status.want(at(0)) && status.is_fetching());
        assert!(!status.want(at(0)) && !status.want(at(100)));
        status.learn(&same(), true, at(1), 0);
        assert!(!status.want(at(1_000)) && !status.is_fetching());
        assert_eq!(status.last_success, Some(at(1)));
    }

    #[test]
    fn a_failure_is_answered_until_it_is_due_again_and_no_longer_than_an_interval() {
        let mut status = Status::new(INTERVAL);
        assert!(status.want(at(0)));
        let wait = status.learn(&missing(), false, at(0), u64::MAX);
        status.let_go();
        assert!(wait <= INTERVAL && status.trouble().is_some() && status.is_idle());
        assert!(!status.want(at(0)));
        assert!(status.want(at(45)));
    }

    #[test]
    fn what_is_held_stays_through_trouble_and_is_called_stale() {
        let mut status = Status::new(INTERVAL);
        status.want(at(0));
        status.learn(&same(), true, at(0), 0);
        status.learn(&missing(), true, at(45), 0);
        assert!(status.stale && status.trouble().is_none() && !status.is_fetching());
        assert_eq!((status.last_success, status.last_error.is_some()), (Some(at(0)), true));
        status.learn(&same(), true, at(46), 0);
        assert!(!status.stale);
    }

    #[test]
    fn a_copy_from_the_disk_is_served_and_checked() {
        let mut status = Status::new(INTERVAL);
        assert!(status.restored(at(-100)));
        assert!(status.stale && !status.is_fetching() && !status.want(at(0)));
        assert!(!status.restored(at(-100)));
    }
}
