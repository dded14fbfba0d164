//! Evidence from clients: what a deployment asks of them before it goes on, and what they have said.
//!
//! Clients acknowledge what they were given to whoever serves them. Their acknowledgements are counted there, and are in no
//! log; the count is an argument of the decision.
//!
//! **Invariants:** silence never lets a deployment go on; a count is good only for the step that it was made for; clients
//! that refuse take a deployment back however many others have applied it.

use crate::ids::{ApplicationId, DeploymentNumber, EnvironmentId};
use crate::text::Constraint;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use yardarm_flags::Exposure;

/// A share in whole percent, 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Percent(u8);

impl Percent {
    /// None at all.
    pub const NONE: Self = Self(0);
    /// All of them.
    pub const ALL: Self = Self(100);

    /// As a number.
    #[must_use]
    pub fn get(self) -> u8 {
        self.0
    }

    /// Whether `some` of `all` is this share or more. None at all is no share.
    #[must_use]
    pub fn is_reached(self, some: u32, all: u32) -> bool {
        some > 0 && u64::from(some) * 100 >= u64::from(all) * u64::from(self.0)
    }

    /// Whether `some` of `all` is more than this share.
    #[must_use]
    pub fn is_exceeded(self, some: u32, all: u32) -> bool {
        u64::from(some) * 100 > u64::from(all) * u64::from(self.0)
    }
}

impl TryFrom<u8> for Percent {
    type Error = Constraint;

    fn try_from(percent: u8) -> Result<Self, Constraint> {
        if percent <= 100 { Ok(Self(percent)) } else { Err(Constraint::Max(100)) }
    }
}

impl From<Percent> for u8 {
    fn from(percent: Percent) -> Self {
        percent.0
    }
}

/// What a deployment asks of the clients that have its version before it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Gate {
    /// How many must have applied it before the next step.
    pub applied: Percent,
    /// When more than this have refused it, it is taken back.
    pub refused: Percent,
}

/// What is known of the clients that have a deployment's version, at one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientCounts {
    /// At which exposure this was counted.
    pub at: Exposure,
    /// Clients that serve the version, or would serve it.
    pub exposed: u32,
    /// Those that have applied this very step.
    pub applied: u32,
    /// Those that have refused the version.
    pub refused: u32,
    /// Until when this is so if nobody says anything: then a client is forgotten.
    pub until: Option<Timestamp>,
}

impl ClientCounts {
    /// Nobody is known.
    #[must_use]
    pub fn none(at: Exposure) -> Self {
        Self { at, exposed: 0, applied: 0, refused: 0, until: None }
    }
}

/// What is known of the clients of the deployments that ask for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientEvidence(BTreeMap<(ApplicationId, EnvironmentId, DeploymentNumber), ClientCounts>);

impl ClientEvidence {
    /// Nobody has said anything.
    pub const NONE: Self = Self(BTreeMap::new());

    /// Adds what is known of the clients of a deployment.
    pub fn insert(
        &mut self,
        application: &ApplicationId,
        environment: &EnvironmentId,
        deployment: DeploymentNumber,
        counts: ClientCounts,
    ) {
        self.0.insert((application.clone(), environment.clone(), deployment), counts);
    }

    /// What is known of the clients of a deployment that has come to `exposure`. What was counted at another step says
    /// nothing.
    #[must_use]
    pub fn of(
        &self,
        application: &ApplicationId,
        environment: &EnvironmentId,
        deployment: DeploymentNumber,
        exposure: Exposure,
    ) -> ClientCounts {
        let key = (application.clone(), environment.clone(), deployment);
        let known = self.0.get(&key).copied().filter(|counts| counts.at == exposure);
        known.unwrap_or_else(|| ClientCounts::none(exposure))
    }
}

/// What clients say to a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    /// Go on.
    Open,
    /// Wait: too few have applied it.
    Hold,
    /// Go back: too many have refused it.
    RollBack,
}

impl Gate {
    /// What the clients of a deployment say to it. Before its first step nobody has it, so nobody need have applied it.
    #[must_use]
    pub fn passage(self, counts: &ClientCounts) -> Passage {
        if self.refused.is_exceeded(counts.refused, counts.exposed) {
            Passage::RollBack
        } else if counts.at == Exposure::NONE || self.applied.is_reached(counts.applied, counts.exposed) {
            Passage::Open
        } else {
            Passage::Hold
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(exposed: u32, applied: u32, refused: u32) -> ClientCounts {
        let at = Exposure::from_parts_per_million(200_000).unwrap();
        ClientCounts { exposed, applied, refused, ..ClientCounts::none(at) }
    }

    fn gate(applied: u8, refused: u8) -> Gate {
        Gate { applied: Percent(applied), refused: Percent(refused) }
    }

    #[test]
    fn silence_holds_and_enough_acknowledgements_open() {
        assert_eq!(gate(90, 0).passage(&counts(0, 0, 0)), Passage::Hold);
        assert_eq!(gate(90, 0).passage(&counts(10, 8, 0)), Passage::Hold);
        assert_eq!(gate(90, 0).passage(&counts(10, 9, 0)), Passage::Open);
        assert_eq!(gate(0, 0).passage(&counts(10, 0, 0)), Passage::Hold);
        assert_eq!(gate(0, 0).passage(&counts(10, 1, 0)), Passage::Open);
    }

    #[test]
    fn refusals_above_the_share_take_it_back_also_before_the_first_step() {
        assert_eq!(gate(50, 10).passage(&counts(10, 9, 1)), Passage::Open);
        assert_eq!(gate(50, 10).passage(&counts(10, 8, 2)), Passage::RollBack);
        assert_eq!(gate(50, 0).passage(&counts(10, 9, 1)), Passage::RollBack);
        let before = ClientCounts { at: Exposure::NONE, ..counts(10, 0, 1) };
        assert_eq!(gate(50, 0).passage(&before), Passage::RollBack);
    }

    #[test]
    fn the_first_step_needs_nobody_as_nobody_has_the_version() {
        assert_eq!(gate(100, 0).passage(&ClientCounts::none(Exposure::NONE)), Passage::Open);
    }

    #[test]
    fn what_was_counted_at_another_step_says_nothing() {
        let (application, environment) = ("app1234".parse().unwrap(), "env1234".parse().unwrap());
        let mut evidence = ClientEvidence::default();
        evidence.insert(&application, &environment, DeploymentNumber(1), counts(3, 3, 0));
        let of = |exposure| evidence.of(&application, &environment, DeploymentNumber(1), exposure);
        assert_eq!(of(counts(0, 0, 0).at).applied, 3);
        assert_eq!(of(Exposure::ALL), ClientCounts::none(Exposure::ALL));
    }
}
