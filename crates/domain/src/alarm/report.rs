//! What is heard of alarms, and what of it is worth recording.
//!
//! **Invariants:** an unchanged state is recorded at most twice in the time for which evidence is fresh; evidence that came
//! late, or for another definition, is dropped; a rollback, and the release of a forced flag, that evidence asks for is recorded together with it.

use super::watch::rollbacks;
use super::{Alarm, AlarmState, Evidence};
use crate::context::{Command, Context, Decision};
use crate::event::Event;
use crate::forced_flag::releases;
use crate::refusal::{Missing, Refusal};
use crate::rollout::CLOCK_DISAGREEMENT;
use crate::text::{AlarmArn, AlarmReason, FiringGroup};
use crate::world::World;
use jiff::Timestamp;

/// What somebody says of an alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmReport {
    /// Of which.
    pub alarm: AlarmArn,
    /// For which of its definitions. `None`: whichever it is.
    pub revision: Option<u64>,
    /// What it says: for a source whose breaches must last, whether there is one.
    pub state: AlarmState,
    /// When it was so.
    pub at: Timestamp,
    /// Whether the source would act on it.
    pub actions_enabled: bool,
    /// Why, in the source's words.
    pub reason: Option<AlarmReason>,
    /// Of which of its groups, if the source tells of them one by one.
    pub group: Option<FiringGroup>,
}

/// Groups of one alarm that are remembered as firing. An alarm with more stays firing until it is told its state whole.
const MOST_GROUPS: usize = 64;

/// Stands for the groups that are not remembered.
const OTHER_GROUPS: &str = "others";

impl AlarmReport {
    /// The evidence that this leaves `alarm` with. `None`: nothing worth recording.
    #[must_use]
    pub fn heard(&self, alarm: &Alarm, now: Timestamp) -> Option<Evidence> {
        if self.revision.is_some_and(|revision| revision != alarm.revision) {
            return None;
        }
        // What is known from a time that has not come was recorded before the clock was set back.
        let before =
            alarm.evidence.as_ref().filter(|evidence| now.duration_until(evidence.at) <= CLOCK_DISAGREEMENT);
        if before.is_some_and(|before| self.at < before.at) {
            return None;
        }
        let firing = self.firing(before);
        let said = if firing.is_empty() { self.state } else { AlarmState::Alarm };
        let breaching_since = (said == AlarmState::Alarm).then(|| {
            before.and_then(|before| before.breaching_since).filter(|at| *at <= self.at).unwrap_or(self.at)
        });
        let lasts = |since| self.at.duration_since(since) >= alarm.source.for_duration();
        let state = match breaching_since {
            Some(since) if !lasts(since) => AlarmState::Ok,
            Some(_) | None => said,
        };
        let since = before.filter(|before| before.state == state).map_or(self.at, |before| before.since);
        let evidence = Evidence {
            state,
            at: self.at,
            since: since.min(self.at),
            breaching_since,
            actions_enabled: self.actions_enabled,
            reason: self.reason.clone(),
            firing,
        };
        let is_news =
            before.is_none_or(|before| before.says_else(&evidence) || is_old(alarm, before, self.at));
        is_news.then_some(evidence)
    }

    /// The groups that are firing after this.
    fn firing(&self, before: Option<&Evidence>) -> Vec<FiringGroup> {
        let Some(group) = &self.group else { return vec![] };
        let mut firing = before.map(|before| before.firing.clone()).unwrap_or_default();
        match (self.state, firing.binary_search(group)) {
            (AlarmState::Alarm, Err(place)) if firing.len() < MOST_GROUPS => {
                firing.insert(place, group.clone());
            }
            (AlarmState::Alarm, Err(_)) => {
                if let Ok(others) = OTHER_GROUPS.parse::<FiringGroup>()
                    && let Err(place) = firing.binary_search(&others)
                {
                    firing.insert(place, others);
                }
            }
            (AlarmState::Ok | AlarmState::InsufficientData, Ok(place)) => {
                firing.remove(place);
            }
            (AlarmState::Alarm, Ok(_)) | (AlarmState::Ok | AlarmState::InsufficientData, Err(_)) => {}
        }
        firing
    }
}

impl Evidence {
    /// Whether `new` says something else, not only of another time.
    #[must_use]
    pub fn says_else(&self, new: &Self) -> bool {
        self.state != new.state
            || self.breaching_since.is_some() != new.breaching_since.is_some()
            || self.actions_enabled != new.actions_enabled
            || self.firing != new.firing
    }
}

/// Whether `evidence` has used up half of the time for which it is fresh at `now`.
pub(super) fn is_old(alarm: &Alarm, evidence: &Evidence, now: Timestamp) -> bool {
    now.duration_since(evidence.at) >= alarm.fresh_for.duration() / 2
}

impl Alarm {
    /// Whether it has to be asked before anything is decided by it: what is known is not fresh, or soon will not be.
    #[must_use]
    pub fn wants_evidence(&self, now: Timestamp) -> bool {
        self.fresh_evidence(now).is_none_or(|evidence| is_old(self, evidence, now))
    }
}

/// Records what was heard, and takes back what must not go on because of it.
#[derive(Clone, Debug)]
pub struct ReportAlarms {
    /// What was heard. Reports of alarms that are gone by now are dropped.
    pub reports: Vec<AlarmReport>,
}

impl Command for ReportAlarms {
    type Outcome = ();

    fn decide(&self, world: &World, context: &Context<'_>) -> Result<Decision<()>, Refusal> {
        if let [only] = &*self.reports
            && !world.alarms().contains_key(&only.alarm)
        {
            return Err(Refusal::NotFound(Missing::Alarm(only.alarm.clone())));
        }
        let mut after = world.clone();
        let mut events = vec![];
        for report in &self.reports {
            let Some(alarm) = after.alarms.get_mut(&report.alarm) else { continue };
            if let Some(evidence) = report.heard(alarm, context.now) {
                std::sync::Arc::make_mut(alarm).evidence = Some(evidence.clone());
                events.push(Event::AlarmReported { alarm: report.alarm.clone(), evidence });
            }
        }
        if !events.is_empty() {
            events.extend(rollbacks(&after, context.now));
            events.extend(releases(&after, context.now));
        }
        Decision::new((), events)
    }
}
