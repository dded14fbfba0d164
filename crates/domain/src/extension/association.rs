//! Associations of extensions with applications, environments and configuration profiles.

use super::ExtensionVersion;
use crate::account::Resource;
use crate::context::{Command, Context, Decision};
use crate::event::Event;
use crate::ids::{ApplicationId, ExtensionAssociationId, ExtensionId, ExtensionVersionNumber};
use crate::refusal::{Missing, Quota, Refusal};
use crate::tags::Tags;
use crate::text::{ParameterName, ParameterValue};
use crate::world::World;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Values of an extension's parameters.
pub(crate) type Values = BTreeMap<ParameterName, ParameterValue>;

/// An extension at work on a resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExtensionAssociation {
    /// Its id.
    pub id: ExtensionAssociationId,
    /// Which extension.
    pub extension: ExtensionId,
    /// Which version of it; stays when there are newer ones.
    pub version: ExtensionVersionNumber,
    /// On what: an application, an environment or a configuration profile.
    pub resource: Resource,
    /// What the actions are told.
    pub parameters: Values,
    /// Its owner's notes.
    pub tags: Tags,
    /// Position in the log at which it was created: the order of listings, and of invocations.
    pub ordinal: u64,
}

/// Associates an extension. The same one may be associated with the same resource several times.
#[derive(Clone, Debug)]
pub struct CreateExtensionAssociation {
    /// Which extension.
    pub extension: ExtensionId,
    /// Which version of it; the highest unless given.
    pub version: Option<ExtensionVersionNumber>,
    /// On what.
    pub resource: Resource,
    /// What the actions are told.
    pub parameters: Values,
    /// Its tags.
    pub tags: Tags,
}

impl Command for CreateExtensionAssociation {
    type Outcome = ExtensionAssociationId;

    fn decide(&self, world: &World, context: &Context<'_>) -> Result<Decision<Self::Outcome>, Refusal> {
        let extension = world.extension(&self.extension)?;
        let version = extension.version(self.version)?;
        match &self.resource {
            Resource::Application(application) => world.application(application).map(|_| ())?,
            Resource::Environment(application, environment) => {
                world.environment(application, environment).map(|_| ())?;
            }
            Resource::Profile(application, profile) => world.profile(application, profile).map(|_| ())?,
            Resource::HostedVersion(..)
            | Resource::Deployment(..)
            | Resource::Strategy(_)
            | Resource::Extension(..)
            | Resource::ExtensionAssociation(_) => {
                return Err(Refusal::NotExtensible(self.resource.clone()));
            }
        }
        complete(extension.name.as_str(), &extension.id, version, &self.parameters)?;
        let limit = context.quotas.extension_associations;
        if world.associations().len() >= limit {
            return Err(Refusal::QuotaExceeded { quota: Quota::ExtensionAssociations, limit: limit as u64 });
        }
        let id = ExtensionAssociationId::draw(context.entropy, |id| world.associations().contains_key(id));
        let event = Event::ExtensionAssociationCreated {
            association: id.clone(),
            extension: self.extension.clone(),
            version: version.number,
            resource: self.resource.clone(),
            parameters: self.parameters.clone(),
            tags: self.tags.clone(),
        };
        Decision::new(id, vec![event])
    }
}

/// Replaces what an association's actions are told.
#[derive(Clone, Debug)]
pub struct UpdateExtensionAssociation {
    /// Which.
    pub association: ExtensionAssociationId,
    /// New values, if any; all of them.
    pub parameters: Option<Values>,
}

impl Command for UpdateExtensionAssociation {
    type Outcome = ();

    fn decide(&self, world: &World, _: &Context<'_>) -> Result<Decision<()>, Refusal> {
        let association = world.association(&self.association)?;
        let Some(parameters) = self.parameters.clone() else { return Decision::new((), vec![]) };
        let extension = world.extension(&association.extension)?;
        let version = extension.version(Some(association.version))?;
        complete(extension.name.as_str(), &extension.id, version, &parameters)?;
        let event = Event::ExtensionAssociationUpdated { association: self.association.clone(), parameters };
        Decision::new((), vec![event])
    }
}

/// Every required parameter has a value, and every value is of a parameter.
fn complete(
    name: &str,
    id: &ExtensionId,
    version: &ExtensionVersion,
    values: &Values,
) -> Result<(), Refusal> {
    let number = version.number;
    let missing = version
        .parameters
        .iter()
        .find(|(name, parameter)| parameter.required && !values.contains_key(*name))
        .map(|(name, _)| name.clone());
    if let Some(parameter) = missing {
        return Err(if values.is_empty() {
            Refusal::NoParameters { name: name.into(), version: number }
        } else {
            Refusal::ParameterMissing { parameter, extension: id.clone(), version: number }
        });
    }
    match values.keys().find(|name| !version.parameters.contains_key(*name)) {
        Some(parameter) => Err(Refusal::ParameterUnknown {
            parameter: parameter.to_string(),
            extension: id.to_string(),
            version: number,
        }),
        None => Ok(()),
    }
}

/// Ends an association. Nothing is called because of it any more.
#[derive(Clone, Debug)]
pub struct DeleteExtensionAssociation {
    /// Which.
    pub association: ExtensionAssociationId,
}

impl Command for DeleteExtensionAssociation {
    type Outcome = ();

    fn decide(&self, world: &World, _: &Context<'_>) -> Result<Decision<()>, Refusal> {
        world.association(&self.association)?;
        Decision::new((), vec![Event::ExtensionAssociationDeleted { association: self.association.clone() }])
    }
}

impl World {
    /// Refuses to delete `resource` while extensions are associated with it.
    pub(crate) fn ensure_not_extended(&self, resource: &Resource) -> Result<(), Refusal> {
        if self.associations().values().any(|association| association.resource == *resource) {
            return Err(Refusal::Extended(resource.clone()));
        }
        Ok(())
    }

    /// The associations with an application and with what is in it.
    pub(crate) fn associations_within<'w>(
        &'w self,
        application: &'w ApplicationId,
    ) -> impl Iterator<Item = &'w Arc<ExtensionAssociation>> {
        self.associations().values().filter(move |association| match &association.resource {
            Resource::Application(id) | Resource::Environment(id, _) | Resource::Profile(id, _) => {
                id == application
            }
            _ => false,
        })
    }

    /// An association by id.
    ///
    /// # Errors
    /// There is none.
    pub fn association(&self, id: &ExtensionAssociationId) -> Result<&ExtensionAssociation, Refusal> {
        let missing = || Refusal::NotFound(Missing::ExtensionAssociation(id.to_string()));
        self.associations().get(id).map(|found| &**found).ok_or_else(missing)
    }
}
