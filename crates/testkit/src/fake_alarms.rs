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
}

/// Sources of alarms. Clones are the same ones.
#[derive(Clone, Debug)]
pub struct FakeAlarms {
    clock: ManualClock,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    truths: BTreeMap<String, Truth>,
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
        self.shared().truths.insert(arn.into(), truth);
    }

    /// What the source of `arn` does.
    #[must_use]
    pub fn truth(&self, arn: &str) -> Truth {
        self.shared().truths.get(arn).copied().unwrap_or(Truth::Says(AlarmState::Ok))
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
        self.shared().asked += 1;
        match self.truth(asked.query.as_str()) {
            Truth::Says(state) => {
                self.note(asked.query.as_str(), self.clock.now(), state);
                Ok(Heard { state, actions_enabled: true, reason: None })
            }
            Truth::Silent => Err(NotHeard::NoAnswer("silent".into())),
            Truth::Garbage => Err(NotHeard::Garbage("xyzzy".into())),
        }
    }
}
