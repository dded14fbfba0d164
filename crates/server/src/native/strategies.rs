//! Deployment strategies with times in seconds, for tests, demos and the impatient.

use super::json;
use crate::arguments::Arguments;
use crate::call::Call;
use crate::fault::Fault;
use crate::refusal::OrFault;
use axum::response::Response;
use http::StatusCode;
use yardarm_domain::rollout::{GrowthFactor, GrowthType};
use yardarm_domain::{
    CreateDeploymentStrategy, DeploymentStrategy, Description, Name, PREDEFINED_STRATEGIES,
    PredefinedStrategy, ReplicateTo, Tags,
};
use yardarm_wire::enums;
use yardarm_wire::floats::WireFloat;
use yardarm_wire::native as wire;

pub(super) async fn create(call: Call) -> Result<Response, Fault> {
    let body: wire::CreateDeploymentStrategy = call.json()?;
    let mut arguments = Arguments::default();
    let name = arguments.required::<Name>("Name", Some(&body.name));
    let description = arguments.optional::<Description>("Description", body.description.as_deref());
    let duration = arguments.number("DurationSeconds", Some(body.duration_seconds.into()), 0..=86_400);
    let bake = arguments.number("BakeSeconds", Some(body.bake_seconds.into()), 0..=86_400);
    let factor = arguments
        .judged("GrowthFactor", body.growth_factor.to_f64(), |percent| GrowthFactor::from_percent(*percent));
    let (name, description, duration_s, bake_s, factor) =
        arguments.finish((name, description, duration, bake, factor))?;
    let command = CreateDeploymentStrategy {
        name,
        description,
        duration_s,
        bake_s,
        growth: match body.growth_type {
            enums::GrowthType::Linear => GrowthType::Linear,
            enums::GrowthType::Exponential => GrowthType::Exponential,
        },
        factor,
        replicate_to: ReplicateTo::None,
        tags: Tags::default(),
    };
    let committed = call.node.execute(command, call.cause()).await.or_fault(&call)?;
    let strategy = committed.view.world.strategy(&committed.outcome).or_fault(&call)?;
    json(StatusCode::CREATED, &shape(&strategy))
}

pub(super) async fn list(call: Call) -> Result<Response, Fault> {
    let view = call.node.view();
    let mut own: Vec<&DeploymentStrategy> = view.world.own_strategies().values().collect();
    own.sort_by_key(|strategy| strategy.ordinal);
    let predefined = PREDEFINED_STRATEGIES.iter().filter_map(PredefinedStrategy::strategy);
    let items = predefined.map(|strategy| shape(&strategy)).chain(own.into_iter().map(shape)).collect();
    json(StatusCode::OK, &wire::Items { items })
}

fn shape(strategy: &DeploymentStrategy) -> wire::DeploymentStrategy {
    #[expect(clippy::cast_possible_truncation, reason = "a percentage with four digits")]
    let growth_factor = WireFloat::from(strategy.factor.percent() as f32);
    wire::DeploymentStrategy {
        id: strategy.id.to_string(),
        name: strategy.name.to_string(),
        description: strategy.description.as_ref().map(ToString::to_string),
        duration_seconds: strategy.duration_s,
        bake_seconds: strategy.bake_s,
        growth_factor,
        growth_type: match strategy.growth {
            GrowthType::Linear => enums::GrowthType::Linear,
            GrowthType::Exponential => enums::GrowthType::Exponential,
        },
    }
}
