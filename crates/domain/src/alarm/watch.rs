//! What alarms mean for a deployment: go on, hold, or go back.
//!
//! **Invariants:** a step is taken only while every alarm that is watched is known to be quiet; an alarm that fires takes a
//! deployment back at once; an alarm that nobody has heard of holds it up, and takes it back once there was time enough to
//! hear of it.

use super::{Alarm, AlarmState};
use crate::context::UnregisteredAlarms;
use crate::deployment::Deployment;
use crate::environment::Environment;
use crate::event::Event;
use crate::rollout::{self, CLOCK_DISAGREEMENT, Input, TriggeredBy};
use crate::text::AlarmArn;
use crate::world::World;
use jiff::{SignedDuration, Timestamp};

/// What the alarms of an environment say to one of its deployments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All are known to be quiet, until then unless more is heard. `None`: there are none.
    Quiet(Option<Timestamp>),
    /// Not all are: wait, until then at most.
    Hold(Timestamp),
    /// Go back.
    RollBack {
        /// Because of this one.
        alarm: AlarmArn,
        /// Which says so.
        state: AlarmState,
    },
}

/// After `at`: the first moment at which something from `at` is older than `lasts`.
fn over(at: Timestamp, lasts: SignedDuration) -> Timestamp {
    at.saturating_add(lasts + SignedDuration::from_millis(1)).unwrap_or(Timestamp::MAX)
}

/// What the alarms of `environment` say to `deployment`. `attentive_since` is from when on somebody was there to hear of
/// them: silence before that is not theirs.
pub(crate) fn verdict(
    world: &World,
    environment: &Environment,
    deployment: &Deployment,
    unregistered: UnregisteredAlarms,
    attentive_since: Timestamp,
    now: Timestamp,
) -> Verdict {
    let (mut quiet, mut hold): (Option<Timestamp>, Option<Timestamp>) = (None, None);
    for monitor in &environment.monitors {
        let arn = &monitor.alarm_arn;
        let alarm = world.alarms().get(arn);
        if deployment.disregards(arn) || alarm.is_some_and(|alarm| !alarm.acts()) {
            continue;
        }
        if alarm.is_none() && unregistered == UnregisteredAlarms::Ignore {
            continue;
        }
        let lasts = alarm.map_or(super::FreshFor::POLLED, |alarm| alarm.fresh_for).duration();
        match alarm.and_then(|alarm| alarm.fresh_evidence(now)) {
            Some(evidence) if evidence.state != AlarmState::Ok => {
                return Verdict::RollBack { alarm: arn.clone(), state: evidence.state };
            }
            Some(evidence) => {
                let until = over(evidence.at, lasts);
                // A breach that does not yet count: who is inside stays, nobody joins.
                let slot = if evidence.breaching_since.is_some() { &mut hold } else { &mut quiet };
                *slot = Some(slot.map_or(until, |other| other.min(until)));
            }
            None => {
                let changed_at = alarm.map_or(environment.monitored_since, |alarm| alarm.changed_at);
                // A time that has not come is one from before the clock was set back.
                let since = [deployment.began_at(), attentive_since, environment.monitored_since, changed_at]
                    .into_iter()
                    .filter(|at| now.duration_until(*at) <= CLOCK_DISAGREEMENT)
                    .max();
                let until = since.map(|since| over(since, lasts)).filter(|until| *until > now);
                let Some(until) = until else {
                    return Verdict::RollBack { alarm: arn.clone(), state: AlarmState::InsufficientData };
                };
                // Evidence from before the clock was set back counts again when its time has come.
                let comes = alarm.and_then(|alarm| alarm.evidence.as_ref()).and_then(|evidence| {
                    evidence.at.checked_sub(CLOCK_DISAGREEMENT).ok().filter(|at| *at > now)
                });
                let until = comes.map_or(until, |comes| comes.min(until));
                hold = Some(hold.map_or(until, |other| other.min(until)));
            }
        }
    }
    match (hold, quiet) {
        (Some(hold), quiet) => Verdict::Hold(quiet.map_or(hold, |quiet| quiet.min(hold))),
        (None, quiet) => Verdict::Quiet(quiet),
    }
}

/// Alarms that stand in the way of starting a deployment, and what they say. `None`: nothing, as they are not registered.
pub(crate) fn obstacles(
    world: &World,
    environment: &Environment,
    unregistered: UnregisteredAlarms,
    now: Timestamp,
) -> Vec<(AlarmArn, Option<AlarmState>)> {
    let says = |alarm: &Alarm| {
        let evidence = alarm.fresh_evidence(now).filter(|_| alarm.acts())?;
        (evidence.state != AlarmState::Ok).then_some(Some(evidence.state))
    };
    let arns = environment.monitors.iter().map(|monitor| &monitor.alarm_arn);
    arns.filter_map(|arn| {
        let obstacle = match world.alarms().get(arn) {
            Some(alarm) => says(alarm)?,
            None if unregistered == UnregisteredAlarms::Refuse => None,
            None => return None,
        };
        Some((arn.clone(), obstacle))
    })
    .collect()
}

/// The rollbacks that fresh evidence asks for.
pub(super) fn rollbacks(world: &World, now: Timestamp) -> Vec<Event> {
    let mut events = vec![];
    for (application, environment) in world.deploying() {
        let firing = environment.monitors.iter().filter_map(|monitor| {
            let alarm = world.alarms().get(&monitor.alarm_arn).filter(|alarm| alarm.acts())?;
            let evidence = alarm.fresh_evidence(now)?;
            (evidence.state != AlarmState::Ok).then(|| (alarm.arn.clone(), evidence.state))
        });
        let firing: Vec<_> = firing.collect();
        for deployment in environment.open() {
            let reason = firing.iter().find(|(alarm, _)| !deployment.disregards(alarm)).cloned();
            let Some((alarm, state)) = reason else { continue };
            let input = Input::RollBack(TriggeredBy::Alarm { alarm, state });
            // Never refused; were it, the driver would ask again.
            let transitions =
                rollout::step(&deployment.plan, deployment.phase, input, now).unwrap_or_default();
            events.extend(
                transitions
                    .into_iter()
                    .map(|transition| deployment.event(application, &environment.id, transition)),
            );
        }
    }
    events
}
