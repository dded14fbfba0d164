//! Forced flags: the kill switch. A flag is forced off, or to one of its variants, in one environment, over whatever is
//! deployed there and whatever is deployed later, until it is released.
//!
//! Forcing reaches a hundredth of the clients first and everybody a few seconds later. It needs no evidence to go on, because
//! it is the way back; an alarm that fires because of it takes it back by itself while it is watched.
//!
//! **Invariants:** growing takes a forced flag from nobody; releasing one gives everybody at once what is deployed; alarms
//! that fired before a flag was forced do not release it; the flags of one configuration that are growing grow together.

mod change;
mod watch;

use crate::alarm::AlarmState;
use crate::environment::Environment;
use crate::ids::{ApplicationId, EnvironmentId, ProfileId};
use crate::rollout::TriggeredBy;
use crate::text::{AlarmArn, Constraint, Description};
use crate::world::World;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use yardarm_flags::document::FlagKey;
use yardarm_flags::{Exposure, ForceTo};

pub use change::{ForceFlag, ReleaseFlag};
pub(crate) use watch::{due, releases, wake_at, watches};

/// How long a forced flag has reached a hundredth of the clients before it reaches everybody: 1 to 60 seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrowFor(u32);

impl GrowFor {
    /// What it is unless somebody says otherwise.
    pub const DEFAULT: Self = Self(5);
    /// The longest there is, also for a flag that others join.
    const LONGEST: SignedDuration = SignedDuration::from_secs(60);

    pub(crate) fn duration(self) -> SignedDuration {
        SignedDuration::from_secs(self.0.into())
    }
}

impl TryFrom<u32> for GrowFor {
    type Error = Constraint;

    fn try_from(seconds: u32) -> Result<Self, Constraint> {
        within(seconds, 1, 60).map(Self)
    }
}

/// For how long after it has reached everybody alarms release a forced flag: up to a day; zero for not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchFor(u32);

impl WatchFor {
    /// What it is unless somebody says otherwise.
    pub const DEFAULT: Self = Self(60);

    pub(crate) fn seconds(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for WatchFor {
    type Error = Constraint;

    fn try_from(seconds: u32) -> Result<Self, Constraint> {
        within(seconds, 0, 86_400).map(Self)
    }
}

fn within(seconds: u32, least: u32, most: u32) -> Result<u32, Constraint> {
    if seconds < least {
        Err(Constraint::Min(least.into()))
    } else if seconds > most {
        Err(Constraint::Max(most.into()))
    } else {
        Ok(seconds)
    }
}

/// A flag that is forced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForcedFlag {
    /// What it is.
    pub to: ForceTo,
    /// Who did it.
    pub by: String,
    /// Why.
    pub reason: Description,
    /// When.
    pub at: Timestamp,
    /// When it had reached everybody. `None`: it has not yet.
    pub grown_at: Option<Timestamp>,
    /// For how long after that alarms release it, seconds.
    pub watch_s: u32,
    /// Alarms that fired before it was forced. They do not release it.
    pub alarms_disregarded: Vec<AlarmArn>,
    /// What the flag was forced to before, for everybody: those whom this has not reached have that, and an alarm that takes
    /// this back brings that back.
    pub before: Option<Box<Self>>,
}

impl ForcedFlag {
    /// Until when alarms release it. `None`: until some time after it has reached everybody.
    #[must_use]
    pub fn watched_until(&self) -> Option<Timestamp> {
        let watch = SignedDuration::from_secs(self.watch_s.into());
        self.grown_at.map(|at| at.saturating_add(watch).unwrap_or(Timestamp::MAX))
    }

    /// Whether an alarm that fires at `now` releases it.
    #[must_use]
    pub fn is_watched(&self, now: Timestamp) -> bool {
        self.watch_s > 0 && self.watched_until().is_none_or(|until| now < until)
    }
}

/// A flag that is forced no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleasedFlag {
    /// Which.
    pub flag: FlagKey,
    /// How it was forced.
    pub forced: ForcedFlag,
    /// When it was released.
    pub at: Timestamp,
    /// By a request, or by an alarm.
    pub triggered_by: TriggeredBy,
    /// Who asked for it.
    pub by: Option<String>,
    /// Why.
    pub reason: Option<Description>,
}

/// Flags on their way to everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrowingForce {
    /// Tells it from every other one: the position in the log at which it began.
    pub number: u64,
    /// When it began.
    pub since: Timestamp,
    /// When everybody has them.
    pub until: Timestamp,
}

impl GrowingForce {
    /// How many they have reached.
    pub const EXPOSURE: Exposure = match Exposure::from_parts_per_million(10_000) {
        Some(exposure) => exposure,
        None => Exposure::ALL,
    };

    /// What clients are bucketed with.
    #[must_use]
    pub fn bucketing_key(&self, application: &ApplicationId, environment: &EnvironmentId) -> String {
        format!("application/{application}/environment/{environment}/forced/{}", self.number)
    }

    /// Whether everybody is to have them. An end further away than it can be is one from before the clock was set back: going
    /// on is what a way back does in doubt.
    fn is_over(&self, now: Timestamp) -> bool {
        now >= self.until || now.duration_until(self.until) > GrowFor::LONGEST
    }
}

/// The forced flags of one configuration in one environment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ForcedFlags {
    /// Those that are forced.
    pub flags: BTreeMap<FlagKey, ForcedFlag>,
    /// Those of them that are growing have all reached the same clients. `None`: there are none.
    pub growing: Option<GrowingForce>,
    /// The last ones that were released, oldest first.
    pub released: Vec<ReleasedFlag>,
}

impl ForcedFlags {
    /// The most forced flags of one configuration in one environment.
    pub const MOST: usize = 50;
    /// So many released ones are remembered.
    const MOST_RELEASED: usize = 10;

    /// What everybody gets whom flags on their way have not reached.
    pub fn for_everyone(&self) -> impl Iterator<Item = (&FlagKey, &ForceTo)> {
        self.flags.iter().filter_map(|(flag, forced)| match (&forced.before, forced.grown_at) {
            (_, Some(_)) => Some((flag, &forced.to)),
            (Some(before), None) => Some((flag, &before.to)),
            (None, None) => None,
        })
    }

    /// What those get whom flags on their way have reached.
    pub fn for_reached(&self) -> impl Iterator<Item = (&FlagKey, &ForceTo)> {
        self.flags.iter().map(|(flag, forced)| (flag, &forced.to))
    }

    /// One more flag is forced, as the log has it at `position`.
    pub(crate) fn force(&mut self, position: u64, flag: FlagKey, forced: ForcedFlag, until: Timestamp) {
        let since = forced.at;
        let before = self.flags.remove(&flag).and_then(|before| match before.grown_at {
            Some(_) => Some(Box::new(ForcedFlag { before: None, ..before })),
            None => before.before,
        });
        self.flags.insert(flag, ForcedFlag { before, ..forced });
        let growing = self.growing.get_or_insert(GrowingForce { number: position, since, until });
        growing.until = until;
    }

    /// Everybody has what was growing.
    pub(crate) fn grow(&mut self, at: Timestamp) {
        self.growing = None;
        for forced in self.flags.values_mut().filter(|forced| forced.grown_at.is_none()) {
            forced.grown_at = Some(at);
        }
    }

    /// A flag is forced no more, or as it was before.
    pub(crate) fn release(
        &mut self,
        released: (FlagKey, Timestamp, TriggeredBy, Option<String>, Option<Description>),
    ) {
        let (flag, at, triggered_by, by, reason) = released;
        let Some(mut forced) = self.flags.remove(&flag) else { return };
        let before = forced.before.take();
        if let (TriggeredBy::Alarm { .. }, Some(before)) = (&triggered_by, before) {
            // What brought it back has no say over it.
            self.flags.insert(flag.clone(), ForcedFlag { watch_s: 0, ..*before });
        }
        if self.flags.values().all(|forced| forced.grown_at.is_some()) {
            self.growing = None;
        }
        self.released.push(ReleasedFlag { flag, forced, at, triggered_by, by, reason });
        let too_many = self.released.len().saturating_sub(Self::MOST_RELEASED);
        self.released.drain(..too_many);
    }
}

impl Environment {
    /// The forced flags of a configuration, if there are any or were.
    #[must_use]
    pub fn forced_flags(&self, profile: &ProfileId) -> Option<&ForcedFlags> {
        self.forced.get(profile).map(|forced| &**forced)
    }

    /// Whether a flag is forced.
    pub(crate) fn forces(&self) -> bool {
        self.forced.values().any(|forced| !forced.flags.is_empty())
    }
}

impl World {
    /// Environments in which a flag is forced.
    pub fn forcing(&self) -> impl Iterator<Item = (&ApplicationId, &Environment)> {
        self.forcing.iter().filter_map(|(application, environment)| {
            self.environment(application, environment).ok().map(|found| (application, found))
        })
    }
}

/// What an alarm says that releases a flag.
const FIRING: AlarmState = AlarmState::Alarm;
