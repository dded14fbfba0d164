//! Applications: what environments and configuration profiles belong to.

use crate::account::Resource;
use crate::configuration_profile::ConfigurationProfile;
use crate::context::{Command, Context, Decision};
use crate::deletion_protection::DeletionProtectionCheck;
use crate::environment::Environment;
use crate::event::Event;
use crate::ids::{ApplicationId, EnvironmentId, ProfileId};
use crate::refusal::{Noun, Quota, Refusal};
use crate::tags::Tags;
use crate::text::{Description, Name};
use crate::world::World;
use imbl::OrdMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An application.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Application {
    /// Its id.
    pub id: ApplicationId,
    /// Its name, unique in the account.
    pub name: Name,
    /// What it is for.
    pub description: Option<Description>,
    /// Its owner's notes.
    pub tags: Tags,
    /// Position in the log at which it was created: the order of listings.
    pub ordinal: u64,
    /// When it was created.
    pub created_at: Timestamp,
    /// Its environments.
    pub environments: OrdMap<EnvironmentId, Environment>,
    /// Its configuration profiles.
    pub profiles: OrdMap<ProfileId, ConfigurationProfile>,
}

/// Makes an application. Names are unique in the account.
#[derive(Clone, Debug)]
pub struct CreateApplication {
    /// Its name.
    pub name: Name,
    /// What it is for.
    pub description: Option<Description>,
    /// Its tags.
    pub tags: Tags,
}

impl Command for CreateApplication {
    type Outcome = ApplicationId;

    fn decide(&self, world: &World, context: &Context<'_>) -> Result<Decision<ApplicationId>, Refusal> {
        name_is_free(world, &self.name, None)?;
        let limit = context.quotas.applications;
        if world.applications().len() >= limit {
            return Err(Refusal::QuotaExceeded { quota: Quota::Applications, limit: limit as u64 });
        }
        let id = ApplicationId::draw(context.entropy, |id| world.application(id).is_ok());
        let event = Event::ApplicationCreated {
            application: id.clone(),
            name: self.name.clone(),
            description: self.description.clone().and_then(Description::none_if_empty),
            tags: self.tags.clone(),
        };
        Decision::new(id, vec![event])
    }
}

/// Changes what is given.
#[derive(Clone, Debug)]
pub struct UpdateApplication {
    /// Which.
    pub application: ApplicationId,
    /// New name, if any.
    pub name: Option<Name>,
    /// New description, if any; the empty one removes it.
    pub description: Option<Description>,
}

impl Command for UpdateApplication {
    type Outcome = ();

    fn decide(&self, world: &World, _: &Context<'_>) -> Result<Decision<()>, Refusal> {
        world.application(&self.application)?;
        if let Some(name) = &self.name {
            name_is_free(world, name, Some(&self.application))?;
        }
        if self.name.is_none() && self.description.is_none() {
            return Decision::new((), vec![]);
        }
        let event = Event::ApplicationUpdated {
            application: self.application.clone(),
            name: self.name.clone(),
            description: self.description.clone(),
        };
        Decision::new((), vec![event])
    }
}

fn name_is_free(world: &World, name: &Name, except: Option<&ApplicationId>) -> Result<(), Refusal> {
    match world.applications().values().find(|other| other.name == *name && Some(&other.id) != except) {
        None => Ok(()),
        Some(other) => Err(Refusal::NameTaken {
            noun: Noun::Application,
            name: name.to_string(),
            id: other.id.to_string(),
            application: None,
        }),
    }
}

/// Deletes an application that holds nothing any more.
#[derive(Clone, Debug)]
pub struct DeleteApplication {
    /// Which.
    pub application: ApplicationId,
}

impl Command for DeleteApplication {
    type Outcome = ();

    fn decide(&self, world: &World, _: &Context<'_>) -> Result<Decision<()>, Refusal> {
        let application = world.application(&self.application)?;
        world.ensure_not_extended(&Resource::Application(self.application.clone()))?;
        if !application.environments.is_empty() {
            return Err(Refusal::HasEnvironments(self.application.clone()));
        }
        if !application.profiles.is_empty() {
            return Err(Refusal::HasProfiles(self.application.clone()));
        }
        Decision::new((), vec![Event::ApplicationDeleted { application: self.application.clone() }])
    }
}

/// Deletes an application with everything in it, in one step. Only the native API offers it.
#[derive(Clone, Debug)]
pub struct CascadeDeleteApplication {
    /// Which.
    pub application: ApplicationId,
    /// Whether environments in use stand in the way.
    pub check: DeletionProtectionCheck,
    /// When each environment last served a configuration, as far as is known.
    pub last_reads: Vec<(EnvironmentId, Timestamp)>,
}

/// What a cascade removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removed {
    /// How many environments.
    pub environments: usize,
    /// How many configuration profiles.
    pub profiles: usize,
    /// How many hosted configuration versions.
    pub versions: usize,
    /// How many deployments.
    pub deployments: usize,
    /// How many associations of extensions.
    pub associations: usize,
}

impl Command for CascadeDeleteApplication {
    type Outcome = Removed;

    fn decide(&self, world: &World, context: &Context<'_>) -> Result<Decision<Removed>, Refusal> {
        let application = world.application(&self.application)?;
        for environment in application.environments.values() {
            let last_read =
                self.last_reads.iter().filter(|(id, _)| *id == environment.id).map(|(_, at)| *at).max();
            let resource = environment.id.as_str();
            let settings = world.settings();
            self.check.run(settings, resource, environment.created_at, last_read, context.now)?;
        }
        let removed = Removed {
            environments: application.environments.len(),
            profiles: application.profiles.len(),
            versions: application.profiles.values().map(|profile| profile.versions.len()).sum(),
            deployments: application
                .environments
                .values()
                .map(|environment| environment.deployments.len())
                .sum(),
            associations: world.associations_within(&self.application).count(),
        };
        Decision::new(removed, vec![Event::ApplicationDeleted { application: self.application.clone() }])
    }
}
