//! Measurements under way: of each step and each way back, how long until it is served, and until clients have it.
//!
//! **Invariants:** pure, time is an argument; one measurement for each place at most, the newest; each ends: when all have
//! acknowledged, when something newer is served, or after [`GIVEN_UP_AFTER`]; what has ended is handed out once.

use crate::address::Address;
use crate::ledger::{Ledger, Standing, State};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;
use yardarm_domain::rollout::{Transition, TriggeredBy};
use yardarm_domain::{
    ApplicationId, DeploymentLogKind, DeploymentNumber, EnvironmentId, Event, Measure, MeasureEnd, Measured,
    MeasuredDeployment, World,
};

/// How long it is waited for clients.
pub(crate) const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// Measures that wait to be recorded; older ones are dropped while the log does not answer.
const MOST_ENDED: usize = 1_024;

/// Upper bounds of the buckets of times, seconds.
pub const RECOVERY_BOUNDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 300.0];

/// Times, counted by how long they are.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Times {
    /// How many there are up to each bound and above the one before.
    pub buckets: [u64; RECOVERY_BOUNDS.len()],
    /// How many there are.
    pub count: u64,
    /// All of them together, seconds.
    pub sum: f64,
}

impl Times {
    fn add(&mut self, ms: u64) {
        let seconds = Duration::from_millis(ms).as_secs_f64();
        let bucket = RECOVERY_BOUNDS.iter().position(|bound| seconds <= *bound);
        if let Some(bucket) = bucket.and_then(|bucket| self.buckets.get_mut(bucket)) {
            *bucket = bucket.saturating_add(1);
        }
        self.count = self.count.saturating_add(1);
        self.sum += seconds;
    }
}

/// How long steps and ways back took since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RecoveryTimes {
    /// Until they were served: steps, and ways back.
    pub served: [Times; 2],
    /// Until 50, 99 and 100 percent of clients had acknowledged: steps, and ways back.
    pub acknowledged: [[Times; 3]; 2],
}

fn kind(of: Measured) -> usize {
    match of {
        Measured::Step(_) => 0,
        Measured::Rollback | Measured::Revert => 1,
    }
}

/// All measurements.
#[derive(Debug, Default)]
pub(crate) struct Measures {
    open: BTreeMap<Address, Open>,
    ended: Vec<MeasuredDeployment>,
    times: RecoveryTimes,
}

#[derive(Debug)]
struct Open {
    about: MeasuredDeployment,
    state: State,
    /// Clients that have not acknowledged it.
    waits_for: HashSet<String>,
    gives_up_at: Timestamp,
}

/// Something that is to be measured: decided, and served now.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) application: ApplicationId,
    pub(crate) environment: EnvironmentId,
    pub(crate) deployment: DeploymentNumber,
    pub(crate) address: Address,
    of: Measured,
    evidence_at: Option<Timestamp>,
    decided_at: Timestamp,
}

impl Begun {
    /// What of `event`, which has led to `world`, is to be measured.
    pub(crate) fn by(event: &Event, world: &World) -> Option<Self> {
        let Event::DeploymentStepped { application, environment, deployment: number, step, .. } = event
        else {
            return None;
        };
        match Transition::from(step.clone()) {
            Transition::Advanced { .. } | Transition::RolledBack(_) | Transition::Reverted => {}
            Transition::Begun
            | Transition::BakeStarted { .. }
            | Transition::Completed
            | Transition::Rescheduled { .. } => return None,
        }
        let deployment = world.environment(application, environment).ok()?.deployments.get(number)?;
        // The newest of its log: a step that came just before another one was never served.
        let entry = deployment.log.iter().rev().find(|entry| Measured::of(entry).is_some())?;
        let of = Measured::of(entry)?;
        let evidence_at = match &entry.kind {
            DeploymentLogKind::RolledBack(TriggeredBy::Alarm { alarm, .. }) => {
                world.alarms().get(alarm).and_then(|alarm| Some(alarm.evidence.as_ref()?.since))
            }
            _ => None,
        };
        Some(Self {
            application: application.clone(),
            environment: environment.clone(),
            deployment: *number,
            address: Address::new(application, environment, &deployment.profile),
            of,
            evidence_at,
            decided_at: entry.at,
        })
    }
}

fn since_ms(at: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(now.duration_since(at).as_millis()).unwrap_or(0)
}

impl Measures {
    /// Begins to measure what is served at `now`, which is `state`.
    pub(crate) fn begin(&mut self, begun: Begun, state: State, ledger: &mut Ledger, now: Timestamp) {
        let Begun { application, environment, deployment, address, of, evidence_at, decided_at } = begun;
        // Several steps that came at once were served as one.
        let same = |open: &Open| open.about.measure.of == of && open.about.measure.decided_at == decided_at;
        if self.open.get(&address).is_some_and(same) {
            return;
        }
        self.end(&address, MeasureEnd::Superseded);
        let served_ms = since_ms(decided_at, now);
        if let Some(times) = self.times.served.get_mut(kind(of)) {
            times.add(served_ms);
        }
        let waits_for: HashSet<String> = ledger
            .clients(&address, now)
            .filter(|(_, client)| matches!(state.standing(client), Standing::Lags | Standing::Refused))
            .map(|(name, _)| name.clone())
            .collect();
        if waits_for.is_empty() {
            return;
        }
        let measure = Measure {
            of,
            evidence_at,
            decided_at,
            served_ms,
            clients: u32::try_from(waits_for.len()).unwrap_or(u32::MAX),
            half_ms: None,
            nearly_all_ms: None,
            all_ms: None,
            ended: MeasureEnd::GivenUp,
        };
        let about = MeasuredDeployment { application, environment, deployment, measure };
        let gives_up_at = now.saturating_add(GIVEN_UP_AFTER).unwrap_or(Timestamp::MAX);
        self.open.insert(address, Open { about, state, waits_for, gives_up_at });
    }

    /// Hears what a client of `address` says now. Answers whether a measurement has ended.
    pub(crate) fn hear(
        &mut self,
        address: &Address,
        client: &str,
        standing: impl FnOnce(&State) -> Standing,
        now: Timestamp,
    ) -> bool {
        let Some(open) = self.open.get_mut(address) else { return false };
        if !open.waits_for.contains(client) || standing(&open.state) != Standing::Applied {
            return false;
        }
        open.waits_for.remove(client);
        let measure = &mut open.about.measure;
        let left = u64::try_from(open.waits_for.len()).unwrap_or(u64::MAX);
        let (all, ms) = (u64::from(measure.clients), since_ms(measure.decided_at, now));
        let done = all.saturating_sub(left);
        let marks =
            [(50, &mut measure.half_ms), (99, &mut measure.nearly_all_ms), (100, &mut measure.all_ms)];
        let times = self.times.acknowledged.get_mut(kind(measure.of));
        for ((percent, mark), times) in marks.into_iter().zip(times.into_iter().flatten()) {
            if mark.is_none() && done.saturating_mul(100) >= all.saturating_mul(percent) {
                *mark = Some(ms);
                times.add(ms);
            }
        }
        if left > 0 {
            return false;
        }
        self.end(address, MeasureEnd::Complete);
        true
    }

    fn end(&mut self, address: &Address, ended: MeasureEnd) {
        let Some(open) = self.open.remove(address) else { return };
        let mut about = open.about;
        about.measure.ended = ended;
        if self.ended.len() < MOST_ENDED {
            self.ended.push(about);
        }
    }

    /// What has ended by `now`, to be recorded.
    pub(crate) fn take_ended(&mut self, now: Timestamp) -> Vec<MeasuredDeployment> {
        let over: Vec<Address> = self
            .open
            .iter()
            // A clock set back makes nobody wait for longer.
            .filter(|(_, open)| {
                now >= open.gives_up_at || now.duration_until(open.gives_up_at) > GIVEN_UP_AFTER * 2
            })
            .map(|(address, _)| *address)
            .collect();
        for address in &over {
            self.end(address, MeasureEnd::GivenUp);
        }
        std::mem::take(&mut self.ended)
    }

    /// Puts back what could not be recorded.
    pub(crate) fn put_back(&mut self, measures: Vec<MeasuredDeployment>) {
        let newer = std::mem::replace(&mut self.ended, measures);
        let room = MOST_ENDED.saturating_sub(self.ended.len());
        self.ended.extend(newer.into_iter().take(room));
    }

    /// When the next measurement is given up.
    pub(crate) fn gives_up_at(&self) -> Option<Timestamp> {
        self.open.values().map(|open| open.gives_up_at).min()
    }

    /// Measurements that have not ended.
    pub(crate) fn under_way(&self) -> Vec<MeasuredDeployment> {
        self.open.values().map(|open| open.about.clone()).chain(self.ended.iter().cloned()).collect()
    }

    pub(crate) fn times(&self) -> RecoveryTimes {
        self.times
    }
}
