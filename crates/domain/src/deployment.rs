//! Deployments: one version of a configuration on its way into an environment, and what became of it.

use crate::alarm::obstacles;
use crate::configuration_profile::{ConfigurationProfile, ProfileType, Validator};
use crate::confirmation::{ConfirmWithin, Confirmation};
use crate::content::{ContentHash, ContentRef};
use crate::context::{Command, Concurrency, Context, Decision, Policy, Quotas, UnregisteredAlarms};
use crate::environment::Environment;
use crate::event::Event;
use crate::extension::{AppliedExtension, DynamicParameter, Place};
use crate::gate::Gate;
use crate::ids::{
    ApplicationId, DeploymentNumber, EnvironmentId, ProfileId, StrategyId, VersionNumber,
    flag_helper_association,
};
use crate::invocation::{Invocation, LoggedInvocation};
use crate::measure::Measure;
use crate::refusal::{Quota, Refusal};
use crate::rollout::{self, Input, Phase, Plan, Transition, TriggeredBy};
use crate::tags::Tags;
use crate::text::{AlarmArn, ContentType, Description, ProfileName, VersionLabel};
use crate::world::World;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use yardarm_flags::Exposure;

/// A deployment. Everything it needs is its own copy: versions, strategies and profiles may be changed or deleted later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deployment {
    /// Its number in the environment.
    pub number: DeploymentNumber,
    /// Whose configuration it is.
    pub profile: ProfileId,
    /// The profile's name when it started.
    pub configuration_name: ProfileName,
    /// What the content is.
    pub kind: ProfileType,
    /// With which strategy.
    pub strategy: StrategyId,
    /// Which version.
    pub version: VersionNumber,
    /// That version's label.
    pub label: Option<VersionLabel>,
    /// Where the bytes are.
    pub content: ContentRef,
    /// What the bytes are.
    pub content_type: ContentType,
    /// Why.
    pub description: Option<Description>,
    /// The strategy's figures when it started.
    pub plan: Plan,
    /// Its owner's notes.
    pub tags: Tags,
    /// The extensions that take part in it.
    pub extensions: Vec<AppliedExtension>,
    /// Which of their actions ran, in the order in which that became known.
    pub invocations: Vec<LoggedInvocation>,
    /// When its extensions were last asked whether it may go on.
    pub ticked_at: Option<Timestamp>,
    /// Why an extension wanted it taken back, if one did.
    pub rolled_back_because: Option<Description>,
    /// Who has stopped or reverted it, if they said why.
    pub stopped: Option<Stopped>,
    /// When it was asked for.
    pub started_at: Timestamp,
    /// When it was completed. Stays after a revert.
    pub completed_at: Option<Timestamp>,
    /// Alarms that spoke against it, and who started it nevertheless.
    pub alarms_overridden: Option<AlarmOverride>,
    /// Alarms of the environment's monitors that nobody watches.
    pub alarms_not_watched: Vec<AlarmArn>,
    /// Whether it wants to be confirmed, and was.
    pub confirmation: Option<Confirmation>,
    /// What it asks of clients before it goes on, if anything.
    pub gate: Option<Gate>,
    /// How long its steps and the way back took, where clients acknowledged them.
    pub measures: Vec<Measure>,
    /// How far it has come.
    pub phase: Phase,
    /// What happened, oldest first.
    pub log: Vec<DeploymentLogEntry>,
}

/// Alarms that spoke against a deployment when it was started nevertheless. They do not roll it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AlarmOverride {
    /// Which.
    pub alarms: Vec<AlarmArn>,
    /// Who started it.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// Who has stopped or reverted a deployment, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stopped {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// Something that happened to a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentLogEntry {
    /// What.
    pub kind: DeploymentLogKind,
    /// When.
    pub at: Timestamp,
}

/// What can happen to a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeploymentLogKind {
    /// It began.
    Started,
    /// More clients have the new version.
    Exposed(Exposure),
    /// Everyone has it; it is being watched.
    BakeStarted,
    /// It is done.
    Completed {
        /// In the very step in which it began.
        instantly: bool,
    },
    /// It was taken back before it was done.
    RolledBack(TriggeredBy),
    /// It was taken back after it was done.
    Reverted,
}

/// What a deployment is doing, as the service names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeploymentState {
    /// Growing, or waiting to.
    Deploying,
    /// Everyone has it; it is being watched.
    Baking,
    /// Done.
    Complete,
    /// Taken back before it was done.
    RolledBack,
    /// Taken back after it was done.
    Reverted,
}

impl Deployment {
    /// What it is doing.
    #[must_use]
    pub fn state(&self) -> DeploymentState {
        match self.phase {
            Phase::Queued | Phase::Growing { .. } => DeploymentState::Deploying,
            Phase::Baking { .. } => DeploymentState::Baking,
            Phase::Complete { .. } => DeploymentState::Complete,
            Phase::RolledBack => DeploymentState::RolledBack,
            Phase::Reverted => DeploymentState::Reverted,
        }
    }

    /// When it began to be on its way, or was asked for if it has not yet.
    #[must_use]
    pub fn began_at(&self) -> Timestamp {
        self.log.first().map_or(self.started_at, |entry| entry.at)
    }

    /// Whether `alarm` does not concern it.
    #[must_use]
    pub fn disregards(&self, alarm: &AlarmArn) -> bool {
        self.alarms_overridden.as_ref().is_some_and(|overridden| overridden.alarms.contains(alarm))
    }

    /// How many have the new version.
    #[must_use]
    pub fn exposure(&self) -> Exposure {
        self.plan.exposure(self.phase)
    }

    /// The id under which the built-in flag checks are listed among the applied extensions: the same in every deployment
    /// of a profile.
    #[must_use]
    pub fn flag_helper_association(&self) -> String {
        flag_helper_association(&self.profile)
    }

    /// What clients are bucketed with: the same for the whole deployment, different for each one.
    #[must_use]
    pub fn bucketing_key(
        application: &ApplicationId,
        environment: &EnvironmentId,
        number: DeploymentNumber,
    ) -> String {
        format!("application/{application}/environment/{environment}/deployment/{number}")
    }

    /// The event that records `transition`.
    pub(crate) fn event(
        &self,
        application: &ApplicationId,
        environment: &EnvironmentId,
        transition: Transition,
    ) -> Event {
        Event::DeploymentStepped {
            application: application.clone(),
            environment: environment.clone(),
            deployment: self.number,
            step: transition.into(),
            stopped: None,
        }
    }
}

/// Proof that content was checked: against which bytes and which validators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validated {
    /// The bytes that were checked.
    pub content: ContentHash,
    /// What they were checked with.
    pub validators: Vec<Validator>,
}

/// Starts a deployment.
#[derive(Clone, Debug)]
pub struct StartDeployment {
    /// Of which application.
    pub application: ApplicationId,
    /// Where to.
    pub environment: EnvironmentId,
    /// Which configuration.
    pub profile: ProfileId,
    /// Which version of it.
    pub version: VersionNumber,
    /// How.
    pub strategy: StrategyId,
    /// Why.
    pub description: Option<Description>,
    /// Its tags.
    pub tags: Tags,
    /// The number the caller believes to be the latest in the environment.
    pub latest_deployment_number: Option<u32>,
    /// What extensions made of the version's content for this deployment, if they changed it. Appended to the log together
    /// with the event.
    pub changed: Option<ContentRef>,
    /// What is given to extensions' parameters for this deployment.
    pub dynamic_parameters: Vec<DynamicParameter>,
    /// The extensions that were asked. Others by now: [`Refusal::Raced`].
    pub extensions: Vec<AppliedExtension>,
    /// What they were asked.
    pub invocations: Vec<Invocation>,
    /// Who starts it although alarms speak against it, and why.
    pub alarm_override: Option<(String, String)>,
    /// It is taken back unless it is confirmed in this time.
    pub confirm_within: Option<ConfirmWithin>,
    /// What it asks of clients before it goes on, if anything.
    pub gate: Option<Gate>,
    /// That the content satisfies the profile's validators. Other content or validators by now: [`Refusal::Raced`].
    pub validated: Validated,
}

impl Command for StartDeployment {
    type Outcome = DeploymentNumber;

    fn decide(&self, world: &World, context: &Context<'_>) -> Result<Decision<DeploymentNumber>, Refusal> {
        let environment = world.environment(&self.application, &self.environment)?;
        let profile = world.profile(&self.application, &self.profile)?;
        let strategy = world.strategy(&self.strategy)?;
        let version = profile.named(&self.version.to_string())?;
        let actual = environment.latest_deployment();
        if let Some(sent) = self.latest_deployment_number
            && context.policy.strict_latest_deployment_number
            && sent != actual
        {
            return Err(Refusal::LatestDeployment { sent, actual });
        }
        let waits = must_wait(environment, profile, context.policy, context.quotas)?;
        let content = self.changed.unwrap_or(version.content);
        if self.validated.content != content.hash || self.validated.validators != profile.validators {
            return Err(Refusal::Raced);
        }
        let (application, environment_id) = (&self.application, Some(&self.environment));
        let place = Place { application, environment: environment_id, profile: &self.profile };
        if world.applied_at(place, &self.dynamic_parameters)? != self.extensions {
            return Err(Refusal::Raced);
        }
        let alarms_overridden = self.overridden(world, environment, context)?;
        let alarms_not_watched = match context.policy.unregistered_alarms {
            UnregisteredAlarms::Refuse => vec![],
            UnregisteredAlarms::Ignore => {
                let arns = environment.monitors.iter().map(|monitor| &monitor.alarm_arn);
                arns.filter(|arn| !world.alarms().contains_key(*arn)).cloned().collect()
            }
        };
        let number = DeploymentNumber(actual).next();
        let plan = Plan {
            duration_s: strategy.duration_s,
            bake_s: strategy.bake_s,
            growth: strategy.growth,
            factor: strategy.factor,
            begin: context.policy.growth_begins,
        };
        // Alarms are evidence: a deployment that is watched by any is never over in the instant it starts.
        // So are extensions that have something to do on the way, and clients that have something to say.
        let attended = self.extensions.iter().any(|applied| world.acts_during_deployment(applied));
        // So are clients that are asked, and so is somebody who is to confirm it.
        let judged = self.gate.is_some() || self.confirm_within.is_some();
        let evidence = !environment.monitors.is_empty() || attended || judged;
        let instantly = plan.is_instant() && !evidence && !waits;
        let started = Event::DeploymentStarted {
            application: self.application.clone(),
            environment: self.environment.clone(),
            deployment: number,
            profile: self.profile.clone(),
            configuration_name: profile.name.clone(),
            kind: profile.kind,
            strategy: self.strategy.clone(),
            version: version.number,
            label: version.label.clone(),
            content,
            content_type: version.content_type.clone(),
            description: self.description.clone().and_then(Description::none_if_empty),
            plan,
            tags: self.tags.clone(),
            queued: waits,
            extensions: self.extensions.clone(),
            invocations: self.invocations.clone(),
            alarms_overridden,
            alarms_not_watched,
            confirm_within: self.confirm_within,
            gate: self.gate,
        };
        let mut events = vec![started];
        if instantly {
            events.push(Event::DeploymentStepped {
                application: self.application.clone(),
                environment: self.environment.clone(),
                deployment: number,
                step: Transition::Completed.into(),
                stopped: None,
            });
        }
        Decision::new(number, events)
    }
}

impl StartDeployment {
    /// Nothing speaks against it, or somebody takes it upon themselves.
    fn overridden(
        &self,
        world: &World,
        environment: &Environment,
        context: &Context<'_>,
    ) -> Result<Option<AlarmOverride>, Refusal> {
        let obstacles = obstacles(world, environment, context.policy.unregistered_alarms, context.now);
        let Some((alarm, state)) = obstacles.first().cloned() else { return Ok(None) };
        let Some((by, reason)) = self.alarm_override.clone() else {
            let environment = environment.id.clone();
            return Err(match state {
                Some(state) => Refusal::AlarmFiring { environment, alarm, state },
                None => Refusal::AlarmUnregistered { environment, alarm },
            });
        };
        let alarms = obstacles.into_iter().map(|(alarm, _)| alarm).collect();
        Ok(Some(AlarmOverride { alarms, by, reason }))
    }
}

/// Whether a new deployment of `profile` has to wait for others, or is refused because of them. Worth asking before
/// content is looked at; [`StartDeployment`] asks again.
///
/// # Errors
/// Another deployment is in the way, or too many are waiting.
pub fn must_wait(
    environment: &Environment,
    profile: &ConfigurationProfile,
    policy: &Policy,
    quotas: &Quotas,
) -> Result<bool, Refusal> {
    let in_the_way = match policy.concurrency {
        Concurrency::OnePerEnvironment | Concurrency::Queue => environment.open().next(),
        Concurrency::OnePerProfile => environment.open().find(|open| open.profile == profile.id),
    };
    let Some(in_the_way) = in_the_way else { return Ok(false) };
    if policy.concurrency != Concurrency::Queue {
        return Err(Refusal::DeploymentInProgress {
            environment: environment.id.clone(),
            number: in_the_way.number,
        });
    }
    let limit = quotas.queued_deployments;
    if environment.open().filter(|open| open.phase == Phase::Queued).count() >= limit {
        return Err(Refusal::QuotaExceeded { quota: Quota::QueuedDeployments, limit: limit as u64 });
    }
    Ok(true)
}

/// Stops a deployment that is on its way, or reverts one that is complete.
#[derive(Clone, Debug)]
pub struct StopDeployment {
    /// Of which application.
    pub application: ApplicationId,
    /// Where.
    pub environment: EnvironmentId,
    /// Which.
    pub deployment: DeploymentNumber,
    /// Also when it is complete already.
    pub allow_revert: bool,
    /// Who wants it, if they say why.
    pub stopped: Option<Stopped>,
}

impl Command for StopDeployment {
    type Outcome = ();

    fn decide(&self, world: &World, context: &Context<'_>) -> Result<Decision<()>, Refusal> {
        let environment = world.environment(&self.application, &self.environment)?;
        let deployment = environment.deployment(&self.application, self.deployment)?;
        let input = Input::Stop { allow_revert: self.allow_revert };
        let transitions =
            rollout::step(&deployment.plan, deployment.phase, input, context.now).map_err(|_| {
                Refusal::NotStoppable {
                    application: self.application.clone(),
                    environment: self.environment.clone(),
                    number: self.deployment,
                    state: deployment.state(),
                }
            })?;
        if transitions.contains(&Transition::Reverted) {
            is_newest(environment, deployment)?;
        }
        let event = |transition: Transition| Event::DeploymentStepped {
            application: self.application.clone(),
            environment: self.environment.clone(),
            deployment: deployment.number,
            step: transition.into(),
            stopped: self.stopped.clone(),
        };
        Decision::new((), transitions.into_iter().map(event).collect())
    }
}

/// Reverting an older deployment would take nothing back, or the wrong thing.
fn is_newest(environment: &Environment, deployment: &Deployment) -> Result<(), Refusal> {
    let newest = environment.completed.get(&deployment.profile).and_then(|numbers| numbers.last()).copied();
    let on_its_way =
        environment.open().find(|open| open.profile == deployment.profile).map(|open| open.number);
    match on_its_way.or(newest) {
        Some(newer) if newer != deployment.number => {
            Err(Refusal::NotNewest { number: deployment.number, newer })
        }
        Some(_) | None => Ok(()),
    }
}
