//! Which extensions are at work where.

use super::association::Values;
use super::{Action, ActionPoint, ExtensionAssociation};
use crate::account::Resource;
use crate::deployment::Deployment;
use crate::ids::{
    ApplicationId, EnvironmentId, ExtensionAssociationId, ExtensionId, ExtensionVersionNumber, InvocationId,
    ProfileId,
};
use crate::invocation::Invocation;
use crate::refusal::Refusal;
use crate::text::{ParameterName, ParameterValue};
use crate::world::World;
use serde::{Deserialize, Serialize};

/// Where work is done: a profile's version is made, or deployed to an environment.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// In which application.
    pub application: &'a ApplicationId,
    /// In which environment, once it is about one.
    pub environment: Option<&'a EnvironmentId>,
    /// On which profile.
    pub profile: &'a ProfileId,
}

/// An extension that takes part in a deployment, as it was when that started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppliedExtension {
    /// By which association.
    pub association: ExtensionAssociationId,
    /// Which extension.
    pub extension: ExtensionId,
    /// Which version of it.
    pub version: ExtensionVersionNumber,
    /// What its actions are told in this deployment.
    pub parameters: Values,
}

/// A value that whoever starts a deployment gives to an extension's parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DynamicParameter {
    /// As the caller named the extension.
    pub named: String,
    /// Which that is; `None` if there is none.
    pub extension: Option<ExtensionId>,
    /// Which parameter of it.
    pub parameter: ParameterName,
    /// Its value.
    pub value: ParameterValue,
}

impl World {
    /// The associations at work at `place`, in the order in which they are asked: those of the application, of the
    /// environment, of the profile, each in the order in which they were made.
    pub fn associations_at(&self, place: Place<'_>) -> Vec<&ExtensionAssociation> {
        let level = |association: &ExtensionAssociation| match &association.resource {
            Resource::Application(application) if application == place.application => Some(0),
            Resource::Environment(application, environment)
                if application == place.application && Some(environment) == place.environment =>
            {
                Some(1)
            }
            Resource::Profile(application, profile)
                if application == place.application && profile == place.profile =>
            {
                Some(2)
            }
            _ => None,
        };
        let mut found: Vec<_> = self
            .associations()
            .values()
            .filter_map(|association| Some((level(association)?, association.ordinal, &**association)))
            .collect();
        found.sort_unstable_by_key(|(level, ordinal, _)| (*level, *ordinal));
        found.into_iter().map(|(_, _, association)| association).collect()
    }

    /// The extensions that take part in a deployment at `place`, told what the associations say and, before that, what
    /// is given for this deployment.
    ///
    /// # Errors
    /// A value is given to something that takes none.
    pub fn applied_at(
        &self,
        place: Place<'_>,
        given: &[DynamicParameter],
    ) -> Result<Vec<AppliedExtension>, Refusal> {
        let mut applied: Vec<_> = self
            .associations_at(place)
            .into_iter()
            .map(|association| AppliedExtension {
                association: association.id.clone(),
                extension: association.extension.clone(),
                version: association.version,
                parameters: association.parameters.clone(),
            })
            .collect();
        for DynamicParameter { named, extension, parameter, value } in given {
            let mut taken = false;
            for applied in applied.iter_mut().filter(|applied| Some(&applied.extension) == extension.as_ref())
            {
                let version = self.extension(&applied.extension)?.version(Some(applied.version))?;
                if version.parameters.get(parameter).is_some_and(|parameter| parameter.dynamic) {
                    applied.parameters.insert(parameter.clone(), value.clone());
                    taken = true;
                }
            }
            if !taken {
                let (named, parameter) = (named.clone(), parameter.to_string());
                let at_work = applied.iter().any(|applied| Some(&applied.extension) == extension.as_ref());
                return Err(if at_work {
                    Refusal::ParameterNotDynamic { extension: named, parameter }
                } else {
                    Refusal::NotAssociated { extension: named, parameter }
                });
            }
        }
        Ok(applied)
    }

    /// What an applied extension does at `point`. `None`: nothing, or the association has ended since.
    pub fn action_of(&self, applied: &AppliedExtension, point: ActionPoint) -> Option<&Action> {
        self.associations().get(&applied.association)?;
        let extension = self.extensions().get(&applied.extension)?;
        extension.versions.get(&applied.version)?.actions.get(&point)
    }

    /// A run of what an applied extension does at `point`. `None` as for [`Self::action_of`].
    #[must_use]
    pub fn invocation(
        &self,
        applied: &AppliedExtension,
        point: ActionPoint,
        id: InvocationId,
    ) -> Option<Invocation> {
        let action = self.action_of(applied, point)?;
        Some(Invocation {
            id,
            point,
            association: applied.association.clone(),
            extension: applied.extension.clone(),
            action: action.name.clone(),
            uri: action.uri.clone(),
            role: action.role.clone(),
            failure: None,
        })
    }

    /// Whether any of a deployment's extensions has something to do once it has started.
    pub(crate) fn is_attended(&self, deployment: &Deployment) -> bool {
        deployment.extensions.iter().any(|applied| self.acts_during_deployment(applied))
    }

    /// Whether an applied extension has something to do once the deployment has started.
    pub(crate) fn acts_during_deployment(&self, applied: &AppliedExtension) -> bool {
        let version = self
            .extensions()
            .get(&applied.extension)
            .and_then(|extension| extension.versions.get(&applied.version));
        version.is_some_and(|version| version.actions.keys().any(|point| point.is_during_deployment()))
    }
}
