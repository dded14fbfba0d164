//! Making, changing and deleting extensions.

use super::{Actions, Parameters};
use crate::context::{Command, Context, Decision};
use crate::event::Event;
use crate::ids::{ExtensionId, ExtensionVersionNumber};
use crate::refusal::{Quota, Refusal};
use crate::tags::Tags;
use crate::text::{Description, ExtensionName};
use crate::world::World;

/// Makes an extension, or a new version of the one that has the name.
#[derive(Clone, Debug)]
pub struct CreateExtension {
    /// Its name.
    pub name: ExtensionName,
    /// What it is for.
    pub description: Option<Description>,
    /// What is called when.
    pub actions: Actions,
    /// What the actions want to be told.
    pub parameters: Parameters,
    /// The version's tags.
    pub tags: Tags,
    /// The number that the caller believes to be the latest. `None`: they believe that there is none, or want the very
    /// same extension.
    pub latest_version: Option<u32>,
}

impl Command for CreateExtension {
    type Outcome = (ExtensionId, ExtensionVersionNumber);

    fn decide(&self, world: &World, context: &Context<'_>) -> Result<Decision<Self::Outcome>, Refusal> {
        sound(&self.actions, &self.parameters)?;
        let description = self.description.clone().and_then(Description::none_if_empty);
        let before = world.extensions().values().find(|extension| extension.name == self.name);
        let actual = before.map_or(0, |extension| extension.latest().0);
        if let (Some(extension), None) = (before, self.latest_version) {
            let latest = extension.version(None)?;
            let same = latest.description == description
                && latest.actions == self.actions
                && latest.parameters == self.parameters;
            return if same {
                Decision::new((extension.id.clone(), latest.number), vec![])
            } else {
                Err(Refusal::ExtensionExists(self.name.clone()))
            };
        }
        if let Some(sent) = self.latest_version.filter(|sent| *sent != actual) {
            return Err(Refusal::LatestExtensionVersion { sent, actual });
        }
        let limit = context.quotas.extensions;
        if world.extensions().values().map(|extension| extension.versions.len()).sum::<usize>() >= limit {
            return Err(Refusal::QuotaExceeded { quota: Quota::Extensions, limit: limit as u64 });
        }
        let id = match before {
            Some(extension) => extension.id.clone(),
            None => ExtensionId::draw(context.entropy, |id| world.extensions().contains_key(id)),
        };
        let version = ExtensionVersionNumber(actual).next();
        let event = Event::ExtensionVersionCreated {
            extension: id.clone(),
            version,
            name: self.name.clone(),
            description,
            actions: self.actions.clone(),
            parameters: self.parameters.clone(),
            tags: self.tags.clone(),
        };
        Decision::new((id, version), vec![event])
    }
}

/// Changes what is given of one version, in place. Deployments on their way follow the change.
#[derive(Clone, Debug)]
pub struct UpdateExtension {
    /// Which.
    pub extension: ExtensionId,
    /// Which version of it; the highest unless given.
    pub version: Option<ExtensionVersionNumber>,
    /// New description, if any; the empty one removes it.
    pub description: Option<Description>,
    /// New actions, if any; all of them.
    pub actions: Option<Actions>,
    /// New parameters, if any; all of them.
    pub parameters: Option<Parameters>,
}

impl Command for UpdateExtension {
    type Outcome = ExtensionVersionNumber;

    fn decide(&self, world: &World, _: &Context<'_>) -> Result<Decision<Self::Outcome>, Refusal> {
        let version = world.extension(&self.extension)?.version(self.version)?;
        let actions = self.actions.as_ref().unwrap_or(&version.actions);
        sound(actions, self.parameters.as_ref().unwrap_or(&version.parameters))?;
        if self.description.is_none() && self.actions.is_none() && self.parameters.is_none() {
            return Decision::new(version.number, vec![]);
        }
        let event = Event::ExtensionVersionUpdated {
            extension: self.extension.clone(),
            version: version.number,
            description: self.description.clone(),
            actions: self.actions.clone(),
            parameters: self.parameters.clone(),
        };
        Decision::new(version.number, vec![event])
    }
}

/// What only the whole of an extension shows.
fn sound(actions: &Actions, parameters: &Parameters) -> Result<(), Refusal> {
    if let Some((name, _)) = parameters.iter().find(|(_, parameter)| parameter.required && parameter.dynamic)
    {
        return Err(Refusal::ParameterRequiredAndDynamic(name.clone()));
    }
    let waits_for_nobody =
        actions.iter().find(|(point, action)| point.is_synchronous() && action.uri.is_notification_only());
    match waits_for_nobody {
        Some((_, action)) => Err(Refusal::NotificationOnly(action.uri.clone())),
        None => Ok(()),
    }
}

/// Deletes one version of an extension, and the extension with its last one.
#[derive(Clone, Debug)]
pub struct DeleteExtension {
    /// Which.
    pub extension: ExtensionId,
    /// Which version of it; the highest unless given.
    pub version: Option<ExtensionVersionNumber>,
}

impl Command for DeleteExtension {
    type Outcome = ();

    fn decide(&self, world: &World, _: &Context<'_>) -> Result<Decision<()>, Refusal> {
        let version = world.extension(&self.extension)?.version(self.version)?.number;
        let uses = |found: &&std::sync::Arc<super::ExtensionAssociation>| {
            found.extension == self.extension && found.version == version
        };
        let associations = world.associations().values().filter(uses).count();
        let extension = self.extension.clone();
        if associations > 0 {
            return Err(Refusal::ExtensionInUse { extension, version, associations });
        }
        Decision::new((), vec![Event::ExtensionVersionDeleted { extension, version }])
    }
}
