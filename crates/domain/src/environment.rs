//! Environments: where configuration is deployed to, one deployment at a time.

use crate::account::Resource;
use crate::application::Application;
use crate::context::{Command, Context, Decision};
use crate::deletion_protection::DeletionProtectionCheck;
use crate::deployment::Deployment;
use crate::event::Event;
use crate::forced_flag::ForcedFlags;
use crate::ids::{ApplicationId, DeploymentNumber, EnvironmentId, ProfileId};
use crate::refusal::{Missing, Noun, Quota, Refusal};
use crate::rollout::Phase;
use crate::tags::Tags;
use crate::text::{AlarmArn, Description, Name, RoleArn};
use crate::world::World;
use imbl::{OrdMap, Vector};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// An alarm to be watched while a deployment is on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Monitor {
    /// Names the alarm.
    pub alarm_arn: AlarmArn,
    /// Kept for clients of the original service; alarms here need no role.
    pub alarm_role_arn: Option<RoleArn>,
}

impl Monitor {
    /// The most monitors an environment may have.
    pub const MOST: usize = 5;
}

/// An environment of an application.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// Its id.
    pub id: EnvironmentId,
    /// Its name, unique in the application.
    pub name: Name,
    /// What it is for.
    pub description: Option<Description>,
    /// Alarms watched during deployments.
    pub monitors: Vec<Monitor>,
    /// From when on these are the monitors.
    pub monitored_since: Timestamp,
    /// Its owner's notes.
    pub tags: Tags,
    /// Position in the log at which it was created: the order of listings.
    pub ordinal: u64,
    /// When it was created.
    pub created_at: Timestamp,
    /// All deployments there ever were.
    pub deployments: OrdMap<DeploymentNumber, Arc<Deployment>>,
    /// Per profile, the flags that are forced and the last ones that were.
    pub(crate) forced: OrdMap<ProfileId, Arc<ForcedFlags>>,
    /// Deployments that are not over: queued, growing or baking.
    pub(crate) open: Vector<DeploymentNumber>,
    /// Per profile, the completed deployments that were not reverted, oldest first. The last one is what is served.
    pub(crate) completed: OrdMap<ProfileId, Vector<DeploymentNumber>>,
}

/// What an environment is doing, by its latest deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnvironmentState {
    /// Nothing, or the last deployment is complete.
    ReadyForDeployment,
    /// A deployment is on its way.
    Deploying,
    /// The last deployment was rolled back.
    RolledBack,
    /// The last deployment was reverted.
    Reverted,
}

impl Environment {
    /// Number of the latest deployment; zero when there was none.
    #[must_use]
    pub fn latest_deployment(&self) -> u32 {
        self.deployments.get_max().map_or(0, |(number, _)| number.0)
    }

    /// The deployments of a profile that are complete and were not reverted, newest first: what everybody had, in turn.
    pub fn completed(&self, profile: &ProfileId) -> impl Iterator<Item = &Arc<Deployment>> {
        let numbers = self.completed.get(profile).into_iter().flatten().rev();
        numbers.filter_map(|number| self.deployments.get(number))
    }

    /// Deployments that are not over, oldest first: queued, growing or baking.
    pub fn open(&self) -> impl Iterator<Item = &Arc<Deployment>> {
        self.open.iter().filter_map(|number| self.deployments.get(number))
    }

    /// The latest deployment of each version of `profile` whose bake passed and that was not reverted, the newest first.
    pub fn known_good(&self, profile: &ProfileId) -> impl Iterator<Item = &Arc<Deployment>> {
        let numbers = self.completed.get(profile).into_iter().flat_map(|numbers| numbers.iter().rev());
        let mut seen = BTreeSet::new();
        numbers
            .filter_map(|number| self.deployments.get(number))
            .filter(move |deployment| seen.insert(deployment.version))
    }

    /// Whether one of its monitors names `alarm`.
    #[must_use]
    pub fn watches(&self, alarm: &AlarmArn) -> bool {
        self.monitors.iter().any(|monitor| monitor.alarm_arn == *alarm)
    }

    /// What it is doing.
    #[must_use]
    pub fn state(&self) -> EnvironmentState {
        if !self.open.is_empty() {
            return EnvironmentState::Deploying;
        }
        match self.deployments.get_max().map(|(_, deployment)| deployment.phase) {
            Some(Phase::Queued | Phase::Growing { .. } | Phase::Baking { .. }) => EnvironmentState::Deploying,
            Some(Phase::RolledBack) => EnvironmentState::RolledBack,
            Some(Phase::Reverted) => EnvironmentState::Reverted,
            Some(Phase::Complete { .. }) | None => EnvironmentState::ReadyForDeployment,
        }
    }

    /// A deployment by number.
    ///
    /// # Errors
    /// When there is none.
    pub fn deployment(
        &self,
        application: &ApplicationId,
        number: DeploymentNumber,
    ) -> Result<&Arc<Deployment>, Refusal> {
        self.deployments.get(&number).ok_or_else(|| {
            Refusal::NotFound(Missing::Deployment(application.clone(), self.id.clone(), number))
        })
    }
}

/// Makes an environment. Names are unique in the application.
#[derive(Clone, Debug)]
pub struct CreateEnvironment {
    /// Of which application.
    pub application: ApplicationId,
    /// Its name.
    pub name: Name,
    /// What it is for.
    pub description: Option<Description>,
    /// At most [`Monitor::MOST`].
    pub monitors: Vec<Monitor>,
    /// Its tags.
    pub tags: Tags,
}

impl Command for CreateEnvironment {
    type Outcome = EnvironmentId;

    fn decide(&self, world: &World, context: &Context<'_>) -> Result<Decision<EnvironmentId>, Refusal> {
        let application = world.application(&self.application)?;
        name_is_free(application, &self.name, None)?;
        let limit = context.quotas.environments_per_application;
        if application.environments.len() >= limit {
            return Err(Refusal::QuotaExceeded { quota: Quota::Environments, limit: limit as u64 });
        }
        let id = EnvironmentId::draw(context.entropy, |id| application.environments.contains_key(id));
        let event = Event::EnvironmentCreated {
            application: self.application.clone(),
            environment: id.clone(),
            name: self.name.clone(),
            description: self.description.clone().and_then(Description::none_if_empty),
            monitors: self.monitors.clone(),
            tags: self.tags.clone(),
        };
        Decision::new(id, vec![event])
    }
}

/// Changes what is given.
#[derive(Clone, Debug)]
pub struct UpdateEnvironment {
    /// Of which application.
    pub application: ApplicationId,
    /// Which.
    pub environment: EnvironmentId,
    /// New name, if any.
    pub name: Option<Name>,
    /// New description, if any; the empty one removes it.
    pub description: Option<Description>,
    /// New monitors, if any; none at all removes them.
    pub monitors: Option<Vec<Monitor>>,
}

impl Command for UpdateEnvironment {
    type Outcome = ();

    fn decide(&self, world: &World, _: &Context<'_>) -> Result<Decision<()>, Refusal> {
        world.environment(&self.application, &self.environment)?;
        if let Some(name) = &self.name {
            name_is_free(world.application(&self.application)?, name, Some(&self.environment))?;
        }
        if self.name.is_none() && self.description.is_none() && self.monitors.is_none() {
            return Decision::new((), vec![]);
        }
        let event = Event::EnvironmentUpdated {
            application: self.application.clone(),
            environment: self.environment.clone(),
            name: self.name.clone(),
            description: self.description.clone(),
            monitors: self.monitors.clone(),
        };
        Decision::new((), vec![event])
    }
}

fn name_is_free(
    application: &Application,
    name: &Name,
    except: Option<&EnvironmentId>,
) -> Result<(), Refusal> {
    let taken = |other: &&Environment| other.name == *name && Some(&other.id) != except;
    match application.environments.values().find(taken) {
        None => Ok(()),
        Some(other) => Err(Refusal::NameTaken {
            noun: Noun::Environment,
            name: name.to_string(),
            id: other.id.to_string(),
            application: Some(application.id.clone()),
        }),
    }
}

/// Deletes an environment with its deployments.
#[derive(Clone, Debug)]
pub struct DeleteEnvironment {
    /// Of which application.
    pub application: ApplicationId,
    /// Which.
    pub environment: EnvironmentId,
    /// Whether use stands in the way.
    pub check: DeletionProtectionCheck,
    /// When it last served a configuration, as far as is known.
    pub last_read: Option<Timestamp>,
}

impl Command for DeleteEnvironment {
    type Outcome = ();

    fn decide(&self, world: &World, context: &Context<'_>) -> Result<Decision<()>, Refusal> {
        let environment = world.environment(&self.application, &self.environment)?;
        let resource = Resource::Environment(self.application.clone(), self.environment.clone());
        world.ensure_not_extended(&resource)?;
        let id = environment.id.as_str();
        self.check.run(world.settings(), id, environment.created_at, self.last_read, context.now)?;
        let event = Event::EnvironmentDeleted {
            application: self.application.clone(),
            environment: self.environment.clone(),
        };
        Decision::new((), vec![event])
    }
}
