//! Sources of alarms that say what a test tells them to, and remember what they said.

use crate::clock::ManualClock;
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use yardarm_domain::{
    AlarmArn, AlarmSource, AlarmState, Comparison, MissingData, PrometheusAlarm, Threshold,
};
use yardarm_node::{AlarmSources, Clock, Heard, NotHeard};

/// What the source of an alarm does when it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// Says so.
    Says(AlarmState),
    /// Does not answer.
    Silent,
    /// Answers nonsense.
    Garbage,
    /// Fires, and does not, whenever another question has been asked.
    Flaps,
}

/// Sources of alarms. Clones are the same ones.
#[derive(Clone, Debug)]
pub struct FakeAlarms {
    clock: ManualClock,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// What each does, and since when.
    truths: BTreeMap<String, (Truth, Timestamp)>,
    said: BTreeSet<(String, Timestamp, AlarmState)>,
    asked: u64,
}

impl FakeAlarms {
    /// All of them quiet, with the time of `clock`.
    #[must_use]
    pub fn new(clock: ManualClock) -> Self {
        Self { clock, shared: Arc::default() }
    }

    /// A source whose answers are told under `arn`.
    ///
    /// # Panics
    /// Never: the constants are right.
    #[must_use]
    #[expect(clippy::expect_used, reason = "constants")]
    pub fn source(arn: &AlarmArn, for_s: u32) -> AlarmSource {
        AlarmSource::Prometheus(PrometheusAlarm {
            url: "http://fake.test".parse().expect("a URL"),
            query: arn.as_str().parse().expect("a query"),
            comparison: Comparison::Above,
            threshold: Threshold::new(0.0).expect("a number"),
            for_s,
            missing_data: MissingData::Missing,
        })
    }

    /// What the source of `arn` does from now on.
    pub fn set(&self, arn: &str, truth: Truth) {
        let now = self.clock.now();
        let mut shared = self.shared();
        let known = shared.truths.entry(arn.into()).or_insert((truth, now));
        if known.0 != truth {
            *known = (truth, now);
        }
    }

    /// What the source of `arn` does.
    #[must_use]
    pub fn truth(&self, arn: &str) -> Truth {
        self.shared().truths.get(arn).map_or(Truth::Says(AlarmState::Ok), |(truth, _)| *truth)
    }

    /// Since when the source of `arn` has said nothing but that it fires. `None`: it does not say so.
    #[must_use]
    pub fn firing_since(&self, arn: &str) -> Option<Timestamp> {
        let shared = self.shared();
        let (truth, since) = shared.truths.get(arn)?;
        (*truth == Truth::Says(AlarmState::Alarm)).then_some(*since)
    }

    /// Notes that somebody said so of `arn` at `at`.
    pub fn note(&self, arn: &str, at: Timestamp, state: AlarmState) {
        self.shared().said.insert((arn.into(), at, state));
    }

    /// Whether somebody said so of `arn` at `at`.
    #[must_use]
    pub fn said(&self, arn: &str, at: Timestamp, state: AlarmState) -> bool {
        self.shared().said.contains(&(arn.into(), at, state))
    }

    /// How often they were asked.
    #[must_use]
    pub fn asked(&self) -> u64 {
        self.shared().asked
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl AlarmSources for FakeAlarms {
    async fn ask(&self, source: &AlarmSource) -> Result<Heard, NotHeard> {
        let AlarmSource::Prometheus(asked) = source else {
            return Err(NotHeard::NoAnswer("only one kind is played".into()));
        };
        let count = {
            let mut shared = self.shared();
            shared.asked += 1;
            shared.asked
        };
        let state = match self.truth(asked.query.as_str()) {
            Truth::Says(state) => state,
            Truth::Flaps if count.is_multiple_of(2) => AlarmState::Ok,
            Truth::Flaps => AlarmState::Alarm,
            Truth::Silent => return Err(NotHeard::NoAnswer("silent".into())),
            Truth::Garbage => return Err(NotHeard::Garbage("xyzzy".into())),
        };
        self.note(asked.query.as_str(), self.clock.now(), state);
        Ok(Heard { state, actions_enabled: true, reason: None })
    }
}
