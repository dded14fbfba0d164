//! Deployment strategies, own and predefined. The wire counts in minutes, the domain in seconds.

use super::described;
use super::pages::{List, PageRequest};
use crate::answer::Answer;
use crate::arguments::{Arguments, Checked};
use crate::call::Call;
use crate::fault::Fault;
use crate::refusal::OrFault;
use yardarm_domain::rollout::{GrowthFactor, GrowthType};
use yardarm_domain::{
    CreateDeploymentStrategy, DeleteDeploymentStrategy, DeploymentStrategy, PREDEFINED_STRATEGIES,
    PredefinedStrategy, ReplicateTo, StrategyId, UpdateDeploymentStrategy,
};
use yardarm_node::View;
use yardarm_wire::floats::WireFloat;
use yardarm_wire::{enums, strategies as wire};

const DURATION: &str = "DeploymentDurationInMinutes";
const BAKE: &str = "FinalBakeTimeInMinutes";

/// The longest duration and the longest bake, minutes.
const LONGEST: u32 = 1_440;

pub(crate) async fn create(call: Call) -> Result<Answer, Fault> {
    let body: wire::CreateDeploymentStrategyRequest = call.json()?;
    let mut arguments = Arguments::default();
    let name = arguments.required("Name", body.name.as_deref());
    let description = arguments.optional("Description", body.description.as_deref());
    let duration = arguments.number(DURATION, body.deployment_duration_in_minutes, 0..=LONGEST);
    let bake = arguments.optional_number(BAKE, body.final_bake_time_in_minutes, 0..=LONGEST);
    let factor = match body.growth_factor {
        Some(factor) => growth_factor(&mut arguments, factor),
        None => arguments.missing("GrowthFactor"),
    };
    let growth = growth_type(&mut arguments, body.growth_type.as_deref());
    let replicate_to = replicate_to(&mut arguments, body.replicate_to.as_deref());
    let tags = arguments.tags(body.tags);
    let (name, description, duration, bake, factor, growth, replicate_to, tags) =
        arguments.finish((name, description, duration, bake, factor, growth, replicate_to, tags))?;
    let command = CreateDeploymentStrategy {
        name,
        description,
        duration_s: seconds(duration),
        bake_s: seconds(bake.unwrap_or(0)),
        growth: growth.unwrap_or(GrowthType::Linear),
        factor,
        replicate_to,
        tags,
    };
    let committed = call.node.execute(command, call.cause()).await.or_fault(&call)?;
    changed(&call, &committed.view, &committed.outcome, body.description.as_deref())
}

pub(crate) async fn get(call: Call) -> Result<Answer, Fault> {
    Answer::json(&strategy_body(&named(&call)?))
}

pub(crate) async fn list(call: Call) -> Result<Answer, Fault> {
    let mut arguments = Arguments::default();
    let page = PageRequest::read(&mut arguments, &call);
    let place = arguments.finish(page)?.of(List::DeploymentStrategies)?;
    let view = call.node.view();
    // Predefined strategies come first, at positions that no record of the log can have: before all own ones.
    let behind = PREDEFINED_STRATEGIES.len() as u64;
    let predefined = (0..).zip(PREDEFINED_STRATEGIES.iter().filter_map(PredefinedStrategy::strategy));
    let own =
        view.world.own_strategies().values().map(|own| (own.ordinal.saturating_add(behind), own.clone()));
    Answer::json(&place.sorted(predefined.chain(own), |strategy| strategy_body(&strategy)))
}

pub(crate) async fn update(call: Call) -> Result<Answer, Fault> {
    let body: wire::UpdateDeploymentStrategyRequest = call.json()?;
    let mut arguments = Arguments::default();
    let description = arguments.optional("Description", body.description.as_deref());
    let duration = arguments.optional_number(DURATION, body.deployment_duration_in_minutes, 0..=LONGEST);
    let bake = arguments.optional_number(BAKE, body.final_bake_time_in_minutes, 0..=LONGEST);
    let factor = match body.growth_factor {
        Some(factor) => growth_factor(&mut arguments, factor).map(Some),
        None => Checked::fine(None),
    };
    let growth = growth_type(&mut arguments, body.growth_type.as_deref());
    let (description, duration, bake, factor, growth) =
        arguments.finish((description, duration, bake, factor, growth))?;
    let strategy = named(&call)?.id;
    let command = UpdateDeploymentStrategy {
        strategy: strategy.clone(),
        description,
        duration_s: duration.map(seconds),
        bake_s: bake.map(seconds),
        growth,
        factor,
    };
    let committed = call.node.execute(command, call.cause()).await.or_fault(&call)?;
    changed(&call, &committed.view, &strategy, body.description.as_deref())
}

pub(crate) async fn delete(call: Call) -> Result<Answer, Fault> {
    let strategy = named(&call)?.id;
    call.node.execute(DeleteDeploymentStrategy { strategy }, call.cause()).await.or_fault(&call)?;
    Ok(Answer::empty())
}

/// The strategy that the path names.
fn named(call: &Call) -> Result<DeploymentStrategy, Fault> {
    call.node.view().world.find_strategy(call.label("DeploymentStrategyId")).or_fault(call)
}

fn growth_factor(arguments: &mut Arguments, percent: WireFloat) -> Checked<GrowthFactor> {
    arguments.judged("GrowthFactor", percent, |percent| GrowthFactor::from_percent(percent.to_f64()))
}

fn growth_type(arguments: &mut Arguments, word: Option<&str>) -> Checked<Option<GrowthType>> {
    use enums::GrowthType as Wire;
    let growth = arguments.optional_word("GrowthType", word, Wire::WORDS, Wire::parse);
    growth.map(|growth| {
        growth.map(|growth| match growth {
            Wire::Linear => GrowthType::Linear,
            Wire::Exponential => GrowthType::Exponential,
        })
    })
}

fn replicate_to(arguments: &mut Arguments, word: Option<&str>) -> Checked<ReplicateTo> {
    use enums::ReplicateTo as Wire;
    let place = arguments.optional_word("ReplicateTo", word, Wire::WORDS, Wire::parse);
    place.map(|place| match place {
        None | Some(Wire::None) => ReplicateTo::None,
        Some(Wire::SsmDocument) => ReplicateTo::SsmDocument,
    })
}

fn seconds(minutes: u32) -> u32 {
    minutes.saturating_mul(60)
}

/// Whole minutes; a begun one counts. Strategies made otherwise than here may have fractions.
pub(super) fn minutes(seconds: u32) -> u32 {
    seconds.div_ceil(60)
}

/// The growth type in the service's word.
pub(super) fn growth_word(growth: GrowthType) -> enums::GrowthType {
    match growth {
        GrowthType::Linear => enums::GrowthType::Linear,
        GrowthType::Exponential => enums::GrowthType::Exponential,
    }
}

/// The answer to a change.
fn changed(call: &Call, view: &View, id: &StrategyId, description: Option<&str>) -> Result<Answer, Fault> {
    let strategy = view.world.strategy(id).or_fault(call)?;
    let description = described(strategy.description.as_ref(), description);
    Answer::json(&wire::DeploymentStrategy { description, ..strategy_body(&strategy) })
}

fn strategy_body(strategy: &DeploymentStrategy) -> wire::DeploymentStrategy {
    wire::DeploymentStrategy {
        id: strategy.id.to_string(),
        name: strategy.name.to_string(),
        description: strategy.description.as_ref().map(ToString::to_string),
        deployment_duration_in_minutes: minutes(strategy.duration_s),
        growth_type: growth_word(strategy.growth),
        growth_factor: WireFloat::from(strategy.factor.percent()),
        final_bake_time_in_minutes: minutes(strategy.bake_s),
        replicate_to: match strategy.replicate_to {
            ReplicateTo::None => enums::ReplicateTo::None,
            ReplicateTo::SsmDocument => enums::ReplicateTo::SsmDocument,
        },
    }
}
