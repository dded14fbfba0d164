//! Deployment strategies: named plans, own and predefined.

use crate::context::{Command, Context, Decision};
use crate::event::Event;
use crate::ids::StrategyId;
use crate::refusal::{Missing, Quota, Refusal};
use crate::rollout::{GrowthFactor, GrowthType};
use crate::tags::Tags;
use crate::text::{Description, Name};
use crate::world::World;
use serde::{Deserialize, Serialize};

/// Where else a strategy is to be saved. Kept for clients of the original service; nothing is written elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReplicateTo {
    /// Nowhere.
    #[default]
    None,
    /// As a document of the AWS Systems Manager.
    SsmDocument,
}

/// A deployment strategy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeploymentStrategy {
    /// Its id.
    pub id: StrategyId,
    /// Its name; need not be unique.
    pub name: Name,
    /// What it is for.
    pub description: Option<Description>,
    /// From start to the end of growth, seconds: up to 86,400.
    pub duration_s: u32,
    /// How long everyone has the new version before a deployment is complete, seconds: up to 86,400.
    pub bake_s: u32,
    /// How exposure grows.
    pub growth: GrowthType,
    /// By how much.
    pub factor: GrowthFactor,
    /// Where else it is to be saved.
    pub replicate_to: ReplicateTo,
    /// Its owner's notes.
    pub tags: Tags,
    /// Position in the log at which it was created: the order of listings. Zero for predefined ones.
    pub ordinal: u64,
}

/// A strategy that is always there. Its id is its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PredefinedStrategy {
    /// Id and name.
    pub name: &'static str,
    /// What it is for.
    pub description: &'static str,
    duration_s: u32,
    bake_s: u32,
    growth: GrowthType,
    factor_ppm: u32,
}

/// The strategies that are always there, in the order in which they are listed.
pub const PREDEFINED_STRATEGIES: [PredefinedStrategy; 4] = [
    PredefinedStrategy {
        name: "AppConfig.AllAtOnce",
        description: "Quick",
        duration_s: 0,
        bake_s: 600,
        growth: GrowthType::Linear,
        factor_ppm: 1_000_000,
    },
    PredefinedStrategy {
        name: "AppConfig.Linear50PercentEvery30Seconds",
        description: "Test/Demo",
        duration_s: 60,
        bake_s: 60,
        growth: GrowthType::Linear,
        factor_ppm: 500_000,
    },
    PredefinedStrategy {
        name: "AppConfig.Canary10Percent20Minutes",
        description: "AWS Recommended",
        duration_s: 1_200,
        bake_s: 600,
        growth: GrowthType::Exponential,
        factor_ppm: 100_000,
    },
    PredefinedStrategy {
        name: "AppConfig.Linear20PercentEvery6Minutes",
        description: "AWS Recommended",
        duration_s: 1_800,
        bake_s: 1_800,
        growth: GrowthType::Linear,
        factor_ppm: 200_000,
    },
];

impl PredefinedStrategy {
    /// As a strategy like any other. `None` never happens: the table is tested.
    #[must_use]
    pub fn strategy(&self) -> Option<DeploymentStrategy> {
        Some(DeploymentStrategy {
            id: self.name.parse().ok()?,
            name: self.name.parse().ok()?,
            description: Some(self.description.parse().ok()?),
            duration_s: self.duration_s,
            bake_s: self.bake_s,
            growth: self.growth,
            factor: GrowthFactor::from_parts_per_million(self.factor_ppm)?,
            replicate_to: ReplicateTo::None,
            tags: Tags::default(),
            ordinal: 0,
        })
    }
}

pub(crate) fn is_predefined(id: &StrategyId) -> bool {
    PREDEFINED_STRATEGIES.iter().any(|strategy| strategy.name == id.as_str())
}

/// Makes a strategy.
#[derive(Clone, Debug)]
pub struct CreateDeploymentStrategy {
    /// Its name.
    pub name: Name,
    /// What it is for.
    pub description: Option<Description>,
    /// From start to the end of growth, seconds.
    pub duration_s: u32,
    /// How long to bake, seconds.
    pub bake_s: u32,
    /// How exposure grows.
    pub growth: GrowthType,
    /// By how much.
    pub factor: GrowthFactor,
    /// Where else to save it.
    pub replicate_to: ReplicateTo,
    /// Its tags.
    pub tags: Tags,
}

impl Command for CreateDeploymentStrategy {
    type Outcome = StrategyId;

    fn decide(&self, world: &World, context: &Context<'_>) -> Result<Decision<StrategyId>, Refusal> {
        let limit = context.quotas.deployment_strategies;
        if world.own_strategies().len() >= limit {
            return Err(Refusal::QuotaExceeded { quota: Quota::DeploymentStrategies, limit: limit as u64 });
        }
        let id = StrategyId::draw(context.entropy, |id| world.own_strategies().contains_key(id));
        let event = Event::DeploymentStrategyCreated {
            strategy: id.clone(),
            name: self.name.clone(),
            description: self.description.clone().and_then(Description::none_if_empty),
            duration_s: self.duration_s,
            bake_s: self.bake_s,
            growth: self.growth,
            factor: self.factor,
            replicate_to: self.replicate_to,
            tags: self.tags.clone(),
        };
        Decision::new(id, vec![event])
    }
}

/// Changes what is given. Deployments on their way keep the figures they started with.
#[derive(Clone, Debug)]
pub struct UpdateDeploymentStrategy {
    /// Which.
    pub strategy: StrategyId,
    /// New description, if any; the empty one removes it.
    pub description: Option<Description>,
    /// New duration, if any, seconds.
    pub duration_s: Option<u32>,
    /// New bake, if any, seconds.
    pub bake_s: Option<u32>,
    /// New growth type, if any.
    pub growth: Option<GrowthType>,
    /// New growth factor, if any.
    pub factor: Option<GrowthFactor>,
}

impl Command for UpdateDeploymentStrategy {
    type Outcome = ();

    fn decide(&self, world: &World, _: &Context<'_>) -> Result<Decision<()>, Refusal> {
        if is_predefined(&self.strategy) {
            return Err(Refusal::PredefinedStrategyUpdate(self.strategy.clone()));
        }
        own(world, &self.strategy)?;
        let growth = self.growth.is_some() || self.factor.is_some();
        let times = self.duration_s.is_some() || self.bake_s.is_some();
        if !growth && !times && self.description.is_none() {
            return Decision::new((), vec![]);
        }
        let event = Event::DeploymentStrategyUpdated {
            strategy: self.strategy.clone(),
            description: self.description.clone(),
            duration_s: self.duration_s,
            bake_s: self.bake_s,
            growth: self.growth,
            factor: self.factor,
        };
        Decision::new((), vec![event])
    }
}

/// Deletes a strategy. Deployments keep their figures.
#[derive(Clone, Debug)]
pub struct DeleteDeploymentStrategy {
    /// Which.
    pub strategy: StrategyId,
}

impl Command for DeleteDeploymentStrategy {
    type Outcome = ();

    fn decide(&self, world: &World, _: &Context<'_>) -> Result<Decision<()>, Refusal> {
        if is_predefined(&self.strategy) {
            return Err(Refusal::PredefinedStrategyDelete(self.strategy.clone()));
        }
        own(world, &self.strategy)?;
        Decision::new((), vec![Event::DeploymentStrategyDeleted { strategy: self.strategy.clone() }])
    }
}

fn own(world: &World, id: &StrategyId) -> Result<(), Refusal> {
    let missing = || Refusal::NotFound(Missing::Strategy(id.to_string()));
    world.own_strategies().get(id).map(|_| ()).ok_or_else(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_predefined_strategy_is_a_strategy() {
        for predefined in PREDEFINED_STRATEGIES {
            let strategy = predefined.strategy().unwrap();
            assert_eq!(strategy.id.as_str(), predefined.name);
            assert!(is_predefined(&strategy.id));
        }
    }
}
