//! What forced flags want done as time passes and alarms are heard of.

use super::{FIRING, ForcedFlags};
use crate::environment::Environment;
use crate::event::Event;
use crate::ids::{ApplicationId, ProfileId};
use crate::rollout::TriggeredBy;
use crate::text::AlarmArn;
use crate::world::World;
use jiff::Timestamp;

/// Everything that is due: what alarms take back, and of the rest what is to reach everybody.
pub(crate) fn due(world: &World, now: Timestamp) -> Vec<Event> {
    let mut events = releases(world, now);
    for (application, environment) in world.forcing() {
        for (profile, forced) in &environment.forced {
            let over = forced.growing.is_some_and(|growing| growing.is_over(now));
            let firing = firing(world, environment, now);
            let stays = |flag: &_| taken_back(&firing, flag, now).is_none();
            if over && forced.flags.values().any(|flag| flag.grown_at.is_none() && stays(flag)) {
                events.push(Event::FlagForceGrown {
                    application: application.clone(),
                    environment: environment.id.clone(),
                    profile: profile.clone(),
                });
            }
        }
    }
    events
}

/// When something will be due if nothing else happens; at `now`: it is.
pub(crate) fn wake_at(world: &World, now: Timestamp) -> Option<Timestamp> {
    if !due(world, now).is_empty() {
        return Some(now);
    }
    let all = world.forcing().flat_map(|(_, environment)| environment.forced.values());
    all.filter_map(|forced| forced.growing.map(|growing| growing.until)).min()
}

/// Whether a forced flag depends on the alarm at `now`.
pub(crate) fn watches(world: &World, alarm: &AlarmArn, now: Timestamp) -> bool {
    world.forcing().any(|(_, environment)| {
        let mut flags = environment.forced.values().flat_map(|forced| forced.flags.values());
        environment.watches(alarm)
            && flags.any(|flag| flag.is_watched(now) && !flag.alarms_disregarded.contains(alarm))
    })
}

/// The releases that fresh evidence asks for.
pub(crate) fn releases(world: &World, now: Timestamp) -> Vec<Event> {
    let mut events = vec![];
    for (application, environment) in world.forcing() {
        let firing = firing(world, environment, now);
        if firing.is_empty() {
            continue;
        }
        for (profile, forced) in &environment.forced {
            released(application, environment, (profile, forced), &firing, now, &mut events);
        }
    }
    events
}

fn released(
    application: &ApplicationId,
    environment: &Environment,
    (profile, forced): (&ProfileId, &ForcedFlags),
    firing: &[AlarmArn],
    now: Timestamp,
    events: &mut Vec<Event>,
) {
    for (flag, forced) in &forced.flags {
        let Some(alarm) = taken_back(firing, forced, now) else { continue };
        events.push(Event::FlagReleased {
            application: application.clone(),
            environment: environment.id.clone(),
            profile: profile.clone(),
            flag: flag.clone(),
            triggered_by: TriggeredBy::Alarm { alarm: alarm.clone(), state: FIRING },
            by: None,
            reason: None,
        });
    }
}

/// The alarm that takes a forced flag back.
fn taken_back<'f>(
    firing: &'f [AlarmArn],
    forced: &super::ForcedFlag,
    now: Timestamp,
) -> Option<&'f AlarmArn> {
    let counts = |alarm: &&AlarmArn| !forced.alarms_disregarded.contains(*alarm);
    firing.iter().find(counts).filter(|_| forced.is_watched(now))
}

/// The alarms of an environment that fire.
fn firing(world: &World, environment: &Environment, now: Timestamp) -> Vec<AlarmArn> {
    let arns = environment.monitors.iter().map(|monitor| &monitor.alarm_arn);
    let fires = |arn: &&AlarmArn| {
        let alarm = world.alarms().get(*arn).filter(|alarm| alarm.acts());
        alarm.and_then(|alarm| alarm.fresh_evidence(now)).is_some_and(|evidence| evidence.state == FIRING)
    };
    arns.filter(fires).cloned().collect()
}
