//! One decision of the rollout engine, and what it leads to.

use super::plan::{Begin, Plan};
use crate::alarm::AlarmState;
use crate::text::AlarmArn;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use yardarm_flags::Exposure;

/// How far a deployment has come. Each state carries only what it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Waiting for the deployment in front of it.
    Queued,
    /// Reaching more clients step by step.
    Growing {
        /// Steps taken so far.
        step: u32,
        /// When the last step was due, or the deployment began.
        since: Timestamp,
    },
    /// Everyone has it; it is being watched.
    Baking {
        /// When the bake began.
        since: Timestamp,
    },
    /// Done.
    Complete {
        /// When it was completed.
        at: Timestamp,
    },
    /// Taken back before it was complete.
    RolledBack,
    /// Taken back after it was complete.
    Reverted,
}

/// What the engine is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Time may have passed, and nothing speaks against the next step.
    Tick,
    /// As a tick, but it must not be completed yet: somebody is to confirm it first.
    TickUnconfirmed,
    /// Nothing is in front of it any more.
    Proceed {
        /// Whether its steps need evidence: then none is taken before it was asked for.
        watched: bool,
    },
    /// Something says that it does harm.
    RollBack(TriggeredBy),
    /// Somebody wants it stopped.
    Stop {
        /// Also when it is complete already.
        allow_revert: bool,
    },
}

/// Who or what caused a rollback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TriggeredBy {
    /// A request.
    User,
    /// The engine itself.
    Yardarm,
    /// Nobody has confirmed it in time.
    Unconfirmed,
    /// Evidence, or the want of it.
    Alarm {
        /// Which alarm.
        alarm: AlarmArn,
        /// What it said.
        state: AlarmState,
    },
    /// Clients that could not do with it.
    Refused {
        /// How many have refused it.
        refused: u32,
        /// How many have it.
        exposed: u32,
    },
}

/// What the engine decides. Recorded as events; [`Phase::after`] is their effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transition {
    /// A queued deployment starts to grow.
    Begun,
    /// One more step was taken.
    Advanced {
        /// Number of steps taken, this one included.
        step: u32,
        /// How many have the new version now.
        exposure: Exposure,
        /// When the step was due; the next one is counted from here.
        since: Timestamp,
    },
    /// Growth is over.
    BakeStarted {
        /// The bake is counted from here.
        since: Timestamp,
    },
    /// The new version is the one to keep.
    Completed,
    /// Everyone goes back to the version before.
    RolledBack(TriggeredBy),
    /// As a rollback, of a deployment that was complete.
    Reverted,
    /// The clock was set back: waiting begins anew at the clock's present time.
    Rescheduled {
        /// Waiting is counted from here.
        since: Timestamp,
    },
}

/// The deployment is not in a state in which it can be stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotPossible;

/// How long after its completion a deployment can be reverted.
const REVERTIBLE: SignedDuration = SignedDuration::from_hours(72);

/// A step that comes at most this late counts as punctual, so that small delays do not add up.
const PUNCTUAL: SignedDuration = SignedDuration::from_secs(10);

/// A clock behind the last transition by less than this is two nodes disagreeing a little; more is a clock set back.
pub(crate) const CLOCK_DISAGREEMENT: SignedDuration = SignedDuration::from_secs(60);

/// One decision: no clock, no I/O, no randomness. Same arguments, same answer. Nothing to do is an empty answer.
///
/// # Errors
/// [`NotPossible`] for a stop in a state that cannot be stopped.
pub fn step(plan: &Plan, phase: Phase, input: Input, now: Timestamp) -> Result<Vec<Transition>, NotPossible> {
    match (phase, input) {
        (Phase::Queued, Input::Proceed { watched: false }) if plan.is_instant() => {
            Ok(vec![Transition::Begun, Transition::Completed])
        }
        (Phase::Queued, Input::Proceed { .. }) => Ok(vec![Transition::Begun]),
        (Phase::Growing { .. } | Phase::Baking { .. }, Input::RollBack(by)) => {
            Ok(vec![Transition::RolledBack(by)])
        }
        (Phase::Queued | Phase::Growing { .. } | Phase::Baking { .. }, Input::Stop { .. }) => {
            Ok(vec![Transition::RolledBack(TriggeredBy::User)])
        }
        (Phase::Complete { at }, Input::Stop { allow_revert: true })
            if now.duration_since(at) <= REVERTIBLE =>
        {
            Ok(vec![Transition::Reverted])
        }
        (Phase::Complete { .. } | Phase::RolledBack | Phase::Reverted, Input::Stop { .. }) => {
            Err(NotPossible)
        }
        (Phase::Growing { .. } | Phase::Baking { .. }, Input::Tick | Input::TickUnconfirmed)
            if phase.is_ahead_of(now) =>
        {
            Ok(vec![Transition::Rescheduled { since: now }])
        }
        (Phase::Growing { step, .. }, Input::Tick) => Ok(grow(plan, phase, step, now)),
        (Phase::Growing { step, .. }, Input::TickUnconfirmed) => {
            let mut transitions = grow(plan, phase, step, now);
            transitions.retain(|transition| *transition != Transition::Completed);
            Ok(transitions)
        }
        (Phase::Baking { .. }, Input::TickUnconfirmed) => Ok(vec![]),
        (Phase::Baking { .. }, Input::Tick) => {
            let over = plan.wake_at(phase).is_some_and(|due| now >= due);
            Ok(if over { vec![Transition::Completed] } else { vec![] })
        }
        (
            Phase::Queued | Phase::Complete { .. } | Phase::RolledBack | Phase::Reverted,
            Input::Tick | Input::TickUnconfirmed | Input::RollBack(_),
        )
        | (
            Phase::Growing { .. }
            | Phase::Baking { .. }
            | Phase::Complete { .. }
            | Phase::RolledBack
            | Phase::Reverted,
            Input::Proceed { .. },
        ) => Ok(vec![]),
    }
}

/// At most one step, and what follows from reaching everyone.
fn grow(plan: &Plan, phase: Phase, taken: u32, now: Timestamp) -> Vec<Transition> {
    let Some(due) = plan.wake_at(phase).filter(|due| now >= *due) else { return vec![] };
    let punctual = PUNCTUAL.min(plan.interval() / 2);
    let since = if now.duration_since(due) <= punctual { due } else { now };
    let mut transitions = vec![];
    let mut reached = taken;
    if taken < plan.steps() {
        reached = taken.saturating_add(1);
        transitions.push(Transition::Advanced {
            step: reached,
            exposure: plan.exposure_after(reached),
            since,
        });
    }
    let ends_here = match plan.begin {
        Begin::AfterInterval => reached >= plan.steps(),
        Begin::AtOnce => taken >= plan.steps() || (reached >= plan.steps() && plan.duration_s == 0),
    };
    if ends_here {
        // Not from when it was due: watching for less than the bake would be less evidence.
        transitions.push(Transition::BakeStarted { since: now });
        if plan.bake_s == 0 {
            transitions.push(Transition::Completed);
        }
    }
    transitions
}

impl Plan {
    /// When to call [`step`] with [`Input::Tick`] if nothing else happens and the clock behaves. `None`: never.
    #[must_use]
    pub fn wake_at(&self, phase: Phase) -> Option<Timestamp> {
        match phase {
            Phase::Growing { step, since } => {
                let wait = match (step, self.begin) {
                    (0, Begin::AtOnce) => SignedDuration::ZERO,
                    _ if self.duration_s == 0 => SignedDuration::ZERO,
                    _ => self.interval(),
                };
                Some(since.saturating_add(wait).unwrap_or(Timestamp::MAX))
            }
            Phase::Baking { since } => Some(since.saturating_add(self.bake()).unwrap_or(Timestamp::MAX)),
            Phase::Queued | Phase::Complete { .. } | Phase::RolledBack | Phase::Reverted => None,
        }
    }

    /// How many have the new version.
    #[must_use]
    pub fn exposure(&self, phase: Phase) -> Exposure {
        match phase {
            Phase::Queued | Phase::RolledBack | Phase::Reverted => Exposure::NONE,
            Phase::Growing { step, .. } => self.exposure_after(step),
            Phase::Baking { .. } | Phase::Complete { .. } => Exposure::ALL,
        }
    }
}

impl Phase {
    /// The phase that `transition`, recorded at `at`, leads to.
    #[must_use]
    pub fn after(self, transition: &Transition, at: Timestamp) -> Self {
        match (transition, self) {
            (Transition::Begun, _) => Self::Growing { step: 0, since: at },
            (Transition::Advanced { step, since, .. }, _) => Self::Growing { step: *step, since: *since },
            (Transition::BakeStarted { since }, _)
            | (Transition::Rescheduled { since }, Self::Baking { .. }) => Self::Baking { since: *since },
            (Transition::Completed, _) => Self::Complete { at },
            (Transition::RolledBack(_), _) => Self::RolledBack,
            (Transition::Reverted, _) => Self::Reverted,
            (Transition::Rescheduled { since }, Self::Growing { step, .. }) => {
                Self::Growing { step, since: *since }
            }
            (
                Transition::Rescheduled { .. },
                Self::Queued | Self::Complete { .. } | Self::RolledBack | Self::Reverted,
            ) => self,
        }
    }

    /// Its waiting is counted from a time that `now` has not nearly reached: the clock was set back, or it is another
    /// node's clock.
    #[must_use]
    pub fn is_ahead_of(self, now: Timestamp) -> bool {
        match self {
            Self::Growing { since, .. } | Self::Baking { since } => {
                now.duration_until(since) > CLOCK_DISAGREEMENT
            }
            Self::Queued | Self::Complete { .. } | Self::RolledBack | Self::Reverted => false,
        }
    }

    /// Still on its way: growing or baking.
    #[must_use]
    pub fn is_active(self) -> bool {
        matches!(self, Self::Growing { .. } | Self::Baking { .. })
    }

    /// Neither on its way nor waiting for it.
    #[must_use]
    pub fn is_over(self) -> bool {
        !self.is_active() && self != Self::Queued
    }
}
