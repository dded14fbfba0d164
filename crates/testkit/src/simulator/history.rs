//! The log as it is, replayed record by record, and the laws that every history must keep.
//!
//! What a node believes is compared with this; what this believes comes from the log alone.

use super::acknowledgers::Acknowledgers;
use super::{Broken, TakenBack, ensure};
use crate::fake_alarms::FakeAlarms;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use yardarm_domain::rollout::{Begin, Phase, Plan, Transition, TriggeredBy};
use yardarm_domain::{
    AlarmState, ApplicationId, Concurrency, Deployment, DeploymentNumber, Environment, EnvironmentId, Event,
    Exposure, Policy, ProfileId, UnregisteredAlarms, VersionNumber, World,
};
use yardarm_log::{Digest, Log, Record, Seq};

type Place = (ApplicationId, EnvironmentId);

/// Two nodes disagreeing this much about the time is nothing to worry about.
const CLOCK_DISAGREEMENT: SignedDuration = SignedDuration::from_secs(60);

/// Everything the log says, and what is needed to judge the next record.
pub(super) struct History {
    policy: Policy,
    alarms: FakeAlarms,
    /// Steps taken under an alarm that counts.
    pub(super) watched_steps: u64,
    /// Deployments taken back by alarms.
    pub(super) taken_back: TakenBack,
    /// Steps taken because clients had applied the one before.
    pub(super) acknowledged_steps: u64,
    /// Deployments taken back because clients refused them.
    pub(super) refused: u64,
    pub(super) acknowledgers: Acknowledgers,
    pub(super) world: World,
    pub(super) seq: Seq,
    pub(super) digest: Digest,
    deployments: BTreeMap<Place, DeploymentNumber>,
    versions: BTreeMap<(ApplicationId, ProfileId), VersionNumber>,
    /// From when each open deployment's waiting is counted, in recorded time.
    anchors: BTreeMap<(Place, DeploymentNumber), Timestamp>,
    /// Where each request's records are: first and last.
    requests: BTreeMap<String, (Seq, Seq)>,
}

impl History {
    pub(super) fn new(policy: Policy, alarms: FakeAlarms) -> Self {
        Self {
            policy,
            alarms,
            watched_steps: 0,
            taken_back: TakenBack::default(),
            acknowledged_steps: 0,
            refused: 0,
            acknowledgers: Acknowledgers::default(),
            world: World::default(),
            seq: Seq::ZERO,
            digest: Digest::ZERO,
            deployments: BTreeMap::new(),
            versions: BTreeMap::new(),
            anchors: BTreeMap::new(),
            requests: BTreeMap::new(),
        }
    }

    /// Where the records of a request are: first and last. `None`: it left none.
    pub(super) fn of_request(&self, request_id: &str) -> Option<(Seq, Seq)> {
        self.requests.get(request_id).copied()
    }

    /// Reads on to the end of `log`.
    pub(super) async fn read(&mut self, log: &dyn Log) -> Result<(), Broken> {
        for record in log.read(self.seq, usize::MAX).await.map_err(|error| Broken(error.to_string()))? {
            self.follow(&record).map_err(|Broken(what)| {
                Broken(format!("record {} ({}): {what}", record.seq, record.draft.kind))
            })?;
        }
        Ok(())
    }

    fn follow(&mut self, record: &Record) -> Result<(), Broken> {
        ensure(record.seq == self.seq.next() && record.previous == self.digest, || "a gap".into())?;
        ensure(record.is_intact(), || "its digest is wrong".into())?;
        let draft = &record.draft;
        let event = Event::read(&draft.kind, draft.version, &draft.body);
        let event = event.map_err(|error| Broken(error.to_string()))?;
        let at = Timestamp::from_millisecond(draft.time_ms).map_err(|error| Broken(error.to_string()))?;
        self.note_request(&draft.request_id, record.seq)?;
        let before = self.stepped(&event);
        self.judge_evidence(&event, at)?;
        self.count(&event);
        self.judge_gate(&event)?;
        let applied = self.world.apply(record.seq.0, at, event.clone());
        applied.map_err(|error| Broken(error.to_string()))?;
        (self.seq, self.digest) = (record.seq, record.digest);
        self.judge(&event, before, at)
    }

    /// The records of one request follow each other: it was carried out once.
    fn note_request(&mut self, request_id: &str, seq: Seq) -> Result<(), Broken> {
        if request_id == "-" {
            return Ok(());
        }
        let (_, last) = self.requests.entry(request_id.into()).or_insert((seq, seq));
        ensure(*last == seq || last.next() == seq, || format!("{request_id} was carried out twice"))?;
        *last = seq;
        Ok(())
    }

    fn stepped(&self, event: &Event) -> Option<Deployment> {
        let Event::DeploymentStepped { application, environment, deployment, .. } = event else {
            return None;
        };
        self.deployment(application, environment, *deployment)
    }

    fn deployment(
        &self,
        application: &ApplicationId,
        environment: &EnvironmentId,
        number: DeploymentNumber,
    ) -> Option<Deployment> {
        let environment = self.world.environment(application, environment).ok()?;
        environment.deployments.get(&number).map(|deployment| Deployment::clone(deployment))
    }

    fn count(&mut self, event: &Event) {
        let Event::DeploymentStepped { application, environment, step, .. } = event else { return };
        let Ok(environment) = self.world.environment(application, environment) else { return };
        let mut alarms =
            environment.monitors.iter().filter_map(|monitor| self.world.alarms().get(&monitor.alarm_arn));
        match Transition::from(step.clone()) {
            Transition::Advanced { .. } => self.watched_steps += u64::from(alarms.any(|alarm| alarm.acts())),
            Transition::RolledBack(TriggeredBy::Alarm { state: AlarmState::Alarm, .. }) => {
                self.taken_back.firing += 1;
            }
            Transition::RolledBack(TriggeredBy::Alarm { .. }) => self.taken_back.unknown += 1,
            _ => {}
        }
    }

    /// A deployment that asks clients goes on only from what some have applied. Judged by the world before.
    fn judge_gate(&mut self, event: &Event) -> Result<(), Broken> {
        let Event::DeploymentStepped { application, environment, deployment: number, step, .. } = event
        else {
            return Ok(());
        };
        let Some(deployment) = self.deployment(application, environment, *number) else { return Ok(()) };
        let goes_on = match Transition::from(step.clone()) {
            Transition::Advanced { .. } | Transition::Completed => true,
            Transition::RolledBack(TriggeredBy::Refused { .. }) => {
                self.refused += 1;
                return ensure(deployment.gate.is_some(), || "refused without being asked".into());
            }
            Transition::Begun
            | Transition::BakeStarted { .. }
            | Transition::RolledBack(_)
            | Transition::Reverted
            | Transition::Rescheduled { .. } => false,
        };
        let exposure = deployment.exposure();
        if deployment.gate.is_none() || !goes_on || exposure == Exposure::NONE {
            return Ok(());
        }
        self.acknowledged_steps += 1;
        let place = (application.clone(), environment.clone(), deployment.profile);
        self.acknowledgers.may_go_on(&place, *number, exposure)
    }

    /// What is recorded of an alarm was said of it, and is news; what is done because of alarms, or in spite of them, has
    /// reason. Judged by the world before.
    fn judge_evidence(&self, event: &Event, now: Timestamp) -> Result<(), Broken> {
        match event {
            Event::AlarmReported { alarm, evidence } => {
                let said = match (evidence.state, evidence.breaching_since) {
                    (AlarmState::Ok, Some(_)) => AlarmState::Alarm,
                    (state, _) => state,
                };
                ensure(self.alarms.said(alarm.as_str(), evidence.at, said), || {
                    format!("{evidence:?} was never said")
                })?;
                let Some(known) = self.world.alarms().get(alarm) else { return Ok(()) };
                let Some(before) = &known.evidence else { return Ok(()) };
                let age = evidence.at.duration_since(before.at);
                let is_news = before.says_else(evidence)
                    || age >= known.fresh_for.duration() / 2
                    || before.at > now + CLOCK_DISAGREEMENT;
                ensure(is_news, || format!("{before:?} was fresh enough, {age:#} before"))
            }
            Event::DeploymentStepped { application, environment, deployment, step, .. } => {
                let Ok(environment) = self.world.environment(application, environment) else { return Ok(()) };
                let Some(deployment) = environment.deployments.get(deployment) else { return Ok(()) };
                let transition = Transition::from(step.clone());
                let completes = transition == Transition::Completed;
                match transition {
                    Transition::Advanced { .. } | Transition::BakeStarted { .. } | Transition::Completed => {
                        let judged = deployment.confirm_by().is_none() || !completes;
                        ensure(judged, || format!("{} completes unconfirmed", deployment.number))?;
                        self.known_to_be_quiet(environment, deployment, now)
                    }
                    Transition::RolledBack(TriggeredBy::Unconfirmed) => {
                        let late = deployment.confirm_by().is_some_and(|by| by <= now);
                        ensure(late, || {
                            format!("taken back unconfirmed before its time: {:?}", deployment.confirmation)
                        })
                    }
                    Transition::RolledBack(TriggeredBy::Alarm { alarm, state }) => {
                        let known = self.world.alarms().get(&alarm);
                        let says = known.map_or(AlarmState::InsufficientData, |known| known.state(now));
                        let fair =
                            environment.watches(&alarm) && says == state && !deployment.disregards(&alarm);
                        ensure(fair && known.is_none_or(|known| known.acts()), || {
                            format!("a rollback by {alarm} in {state:?}, which is {known:?}")
                        })
                    }
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    /// A step was taken: every alarm that counts was quiet not long ago.
    fn known_to_be_quiet(
        &self,
        environment: &Environment,
        deployment: &Deployment,
        now: Timestamp,
    ) -> Result<(), Broken> {
        for monitor in &environment.monitors {
            let arn = &monitor.alarm_arn;
            let Some(alarm) = self.world.alarms().get(arn) else {
                let counts = self.policy.unregistered_alarms == UnregisteredAlarms::Refuse;
                ensure(!counts || deployment.disregards(arn), || {
                    format!("a step past {arn}, which is nowhere")
                })?;
                continue;
            };
            if deployment.disregards(arn) || !alarm.acts() {
                continue;
            }
            let quiet = alarm.evidence.as_ref().is_some_and(|evidence| {
                let age = now.duration_since(evidence.at);
                evidence.state == AlarmState::Ok
                    && evidence.breaching_since.is_none()
                    && age <= alarm.fresh_for.duration()
                    && age >= -CLOCK_DISAGREEMENT
            });
            ensure(quiet, || format!("a step past {alarm:?}"))?;
        }
        Ok(())
    }

    /// Nothing is on its way that should have been confirmed by now.
    pub(super) fn nothing_goes_on_unconfirmed(&self, now: Timestamp) -> Result<(), Broken> {
        for (_, environment) in self.world.deploying() {
            let late = environment.open().find(|open| open.confirm_by().is_some_and(|by| by <= now));
            ensure(late.is_none(), || format!("{late:?} was not confirmed in time"))?;
        }
        Ok(())
    }

    /// Nothing is on its way where a source has been firing for so long that somebody must have heard.
    pub(super) fn what_fires_is_heard(&self, now: Timestamp) -> Result<(), Broken> {
        for (_, environment) in self.world.deploying() {
            for deployment in environment.open().filter(|open| open.phase.is_active()) {
                let unheard = environment.monitors.iter().find(|monitor| {
                    let arn = &monitor.alarm_arn;
                    let (alarm, since) =
                        (self.world.alarms().get(arn), self.alarms.firing_since(arn.as_str()));
                    let (Some(alarm), Some(since)) = (alarm, since) else { return false };
                    let bound = alarm.fresh_for.duration() + alarm.source.for_duration();
                    now.duration_since(since) > bound && !deployment.disregards(arn)
                });
                ensure(unheard.is_none(), || {
                    format!("{} is on its way, and nobody has heard {unheard:?} fire", deployment.number)
                })?;
            }
        }
        Ok(())
    }

    /// Nothing is on its way where an alarm is known to fire.
    pub(super) fn nothing_goes_on_over_an_alarm(&self, now: Timestamp) -> Result<(), Broken> {
        for (_, environment) in self.world.deploying() {
            for deployment in environment.open().filter(|open| open.phase.is_active()) {
                let firing = environment.monitors.iter().find(|monitor| {
                    let alarm = self.world.alarms().get(&monitor.alarm_arn);
                    alarm.is_some_and(|alarm| alarm.acts() && alarm.state(now) == AlarmState::Alarm)
                        && !deployment.disregards(&monitor.alarm_arn)
                });
                ensure(firing.is_none(), || format!("{} goes on over {firing:?}", deployment.number))?;
            }
        }
        Ok(())
    }

    fn judge(&mut self, event: &Event, before: Option<Deployment>, at: Timestamp) -> Result<(), Broken> {
        match event {
            Event::HostedVersionCreated { application, profile, version, .. } => {
                let key = (application.clone(), profile.clone());
                let latest = self.versions.insert(key, *version).unwrap_or(VersionNumber(0));
                ensure(*version == latest.next(), || format!("version {version} follows {latest}"))
            }
            Event::DeploymentStarted { application, environment, deployment, queued, .. } => {
                let place = (application.clone(), environment.clone());
                let latest =
                    self.deployments.insert(place.clone(), *deployment).unwrap_or(DeploymentNumber(0));
                ensure(*deployment == latest.next(), || format!("deployment {deployment} follows {latest}"))?;
                if !queued {
                    self.anchors.insert((place, *deployment), at);
                }
                self.as_many_as_allowed(application, environment)
            }
            Event::DeploymentStepped { application, environment, deployment, step, .. } => {
                let before = before.ok_or_else(|| Broken("a step of no deployment".into()))?;
                let after = self.deployment(application, environment, *deployment);
                let after = after.ok_or_else(|| Broken("a step loses its deployment".into()))?;
                let key = ((application.clone(), environment.clone()), *deployment);
                let anchor = self.anchors.get(&key).copied();
                judge_exposure(&before, &after)?;
                judge_time(&before, &after, anchor, at).map_err(|Broken(what)| {
                    Broken(format!("deployment {deployment} {step:?} of {:?}: {what}", before.plan))
                })?;
                if after.phase.is_over() {
                    self.anchors.remove(&key);
                } else {
                    self.anchors.insert(key, at);
                }
                self.as_many_as_allowed(application, environment)
            }
            _ => Ok(()),
        }
    }

    /// No more deployments are on their way than the policy allows.
    fn as_many_as_allowed(
        &self,
        application: &ApplicationId,
        environment: &EnvironmentId,
    ) -> Result<(), Broken> {
        let Ok(found) = self.world.environment(application, environment) else { return Ok(()) };
        let open: Vec<_> = found.open().collect();
        let active = open.iter().filter(|deployment| deployment.phase.is_active());
        let crowded = match self.policy.concurrency {
            Concurrency::OnePerEnvironment => open.len() > 1,
            Concurrency::OnePerProfile => {
                open.iter().any(|one| open.iter().filter(|other| other.profile == one.profile).count() > 1)
            }
            Concurrency::Queue => active.count() > 1,
        };
        ensure(!crowded, || {
            let open: Vec<_> = open.iter().map(|deployment| (deployment.number, deployment.phase)).collect();
            format!("too many on their way in {environment}: {open:?}")
        })
    }
}

/// Exposure grows step by step as planned, and shrinks only by going all the way back.
fn judge_exposure(before: &Deployment, after: &Deployment) -> Result<(), Broken> {
    let (old, new) = (before.exposure(), after.exposure());
    let told = || format!("exposure goes from {old} to {new}, from {:?} to {:?}", before.phase, after.phase);
    match after.phase {
        Phase::RolledBack => ensure(new == Exposure::NONE && !before.phase.is_over(), told),
        Phase::Reverted => {
            ensure(new == Exposure::NONE && matches!(before.phase, Phase::Complete { .. }), told)
        }
        Phase::Growing { step, .. } => {
            let taken = match before.phase {
                Phase::Growing { step, .. } => step,
                _ => 0,
            };
            let planned = new == before.plan.exposure_after(step);
            ensure(new >= old && planned && (step == taken || step == taken + 1), told)
        }
        Phase::Baking { .. } => ensure(old == Exposure::ALL && new == Exposure::ALL, told),
        Phase::Complete { .. } => ensure(old == Exposure::ALL || before.plan.is_instant(), told),
        Phase::Queued => Err(Broken(told())),
    }
}

/// No step sooner than an interval after the one before, less what counts as punctual; no bake cut short; no re-anchoring
/// unless the clock went back.
fn judge_time(
    before: &Deployment,
    after: &Deployment,
    anchor: Option<Timestamp>,
    at: Timestamp,
) -> Result<(), Broken> {
    let plan = &before.plan;
    let waited = anchor.map_or(SignedDuration::MAX, |anchor| at.duration_since(anchor));
    let early = |due: SignedDuration| {
        ensure(waited >= due, || format!("{waited:#} after the step before instead of {due:#}"))
    };
    match (before.phase, after.phase) {
        (Phase::Growing { step: old, .. }, Phase::Growing { step: new, .. }) if new > old => {
            early(least_wait(plan, old))
        }
        // The step to everyone and the start of the bake are one decision, unless a last interval is spent at everyone.
        (Phase::Growing { .. }, Phase::Baking { .. }) => match plan.begin {
            Begin::AfterInterval => early(SignedDuration::ZERO),
            Begin::AtOnce => {
                early(if plan.duration_s == 0 { SignedDuration::ZERO } else { least_wait(plan, 1) })
            }
        },
        (Phase::Baking { .. }, Phase::Complete { .. }) => early(plan.bake()),
        (Phase::Growing { since, .. }, Phase::Growing { .. })
        | (Phase::Baking { since }, Phase::Baking { .. }) => {
            ensure(at.duration_until(since) > CLOCK_DISAGREEMENT, || {
                format!("counted anew at {at} although the clock did not go back from {since}")
            })
        }
        _ => Ok(()),
    }
}

/// How long the step after `taken` steps waits at least.
fn least_wait(plan: &Plan, taken: u32) -> SignedDuration {
    if plan.duration_s == 0 || (taken == 0 && plan.begin == Begin::AtOnce) {
        return SignedDuration::ZERO;
    }
    let interval = plan.interval();
    interval - SignedDuration::from_secs(10).min(interval / 2)
}
