//! Configuration profiles: what a configuration is, where its versions live and what they must satisfy.

use crate::account::Resource;
use crate::application::Application;
use crate::context::{Command, Context, Decision};
use crate::deletion_protection::DeletionProtectionCheck;
use crate::event::Event;
use crate::hosted_version::HostedVersion;
use crate::ids::{ApplicationId, ProfileId, VersionNumber};
use crate::refusal::{Missing, Noun, Quota, Refusal};
use crate::tags::Tags;
use crate::text::{Description, FunctionUri, ProfileName, VersionLabel};
use crate::world::World;
use imbl::OrdMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What the content of a profile is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProfileType {
    /// Any bytes.
    Freeform,
    /// A flag document.
    FeatureFlags,
}

/// What content must satisfy when it is deployed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Validator {
    /// A JSON Schema. Its text is kept as given: it is judged when it is used. At most 32,768 characters.
    JsonSchema(String),
    /// A function that is asked.
    Lambda(FunctionUri),
}

impl Validator {
    /// The most validators a profile may have.
    pub const MOST: usize = 2;
}

/// A configuration profile of an application. Its versions are hosted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConfigurationProfile {
    /// Its id.
    pub id: ProfileId,
    /// Its name, unique in the application.
    pub name: ProfileName,
    /// What it is for.
    pub description: Option<Description>,
    /// What its content is.
    pub kind: ProfileType,
    /// Checks before a deployment.
    pub validators: Vec<Validator>,
    /// Its owner's notes.
    pub tags: Tags,
    /// Position in the log at which it was created: the order of listings.
    pub ordinal: u64,
    /// When it was created.
    pub created_at: Timestamp,
    /// The highest version number ever given; zero before the first. Deleting a version does not free its number.
    pub latest_version: u32,
    /// Its versions.
    pub versions: OrdMap<VersionNumber, Arc<HostedVersion>>,
}

impl ConfigurationProfile {
    /// A version by number.
    #[must_use]
    pub fn version(&self, number: VersionNumber) -> Option<&Arc<HostedVersion>> {
        self.versions.get(&number)
    }

    /// A version by label.
    #[must_use]
    pub fn labelled(&self, label: &VersionLabel) -> Option<&Arc<HostedVersion>> {
        self.versions.values().find(|version| version.label.as_ref() == Some(label))
    }

    /// The newest version that was not deleted.
    #[must_use]
    pub fn newest(&self) -> Option<&Arc<HostedVersion>> {
        self.versions.get_max().map(|(_, version)| version)
    }

    /// The version that `text` names: a number, a label, or `$LATEST`.
    ///
    /// # Errors
    /// When there is no such version.
    pub fn named(&self, text: &str) -> Result<&Arc<HostedVersion>, Refusal> {
        let name = self.name.to_string();
        if text == "$LATEST" {
            let missing = Missing::ConfigurationNumber(name, text.into());
            return self.newest().ok_or(Refusal::NotFound(missing));
        }
        match text.parse::<VersionLabel>() {
            Ok(label) => {
                let missing = Missing::ConfigurationLabel(name, label.clone());
                self.labelled(&label).ok_or(Refusal::NotFound(missing))
            }
            Err(_) => {
                let missing = Missing::ConfigurationNumber(name, text.into());
                text.parse().ok().and_then(|number| self.version(number)).ok_or(Refusal::NotFound(missing))
            }
        }
    }
}

/// Makes a configuration profile. Names are unique in the application.
#[derive(Clone, Debug)]
pub struct CreateConfigurationProfile {
    /// Of which application.
    pub application: ApplicationId,
    /// Its name.
    pub name: ProfileName,
    /// What it is for.
    pub description: Option<Description>,
    /// What its content is.
    pub kind: ProfileType,
    /// At most [`Validator::MOST`].
    pub validators: Vec<Validator>,
    /// Its tags.
    pub tags: Tags,
}

impl Command for CreateConfigurationProfile {
    type Outcome = ProfileId;

    fn decide(&self, world: &World, context: &Context<'_>) -> Result<Decision<ProfileId>, Refusal> {
        let application = world.application(&self.application)?;
        name_is_free(application, &self.name, None)?;
        let limit = context.quotas.profiles_per_application;
        if application.profiles.len() >= limit {
            return Err(Refusal::QuotaExceeded { quota: Quota::ConfigurationProfiles, limit: limit as u64 });
        }
        let id = ProfileId::draw(context.entropy, |id| application.profiles.contains_key(id));
        let event = Event::ConfigurationProfileCreated {
            application: self.application.clone(),
            profile: id.clone(),
            name: self.name.clone(),
            description: self.description.clone().and_then(Description::none_if_empty),
            kind: self.kind,
            validators: self.validators.clone(),
            tags: self.tags.clone(),
        };
        Decision::new(id, vec![event])
    }
}

/// Changes what is given.
#[derive(Clone, Debug)]
pub struct UpdateConfigurationProfile {
    /// Of which application.
    pub application: ApplicationId,
    /// Which.
    pub profile: ProfileId,
    /// New name, if any.
    pub name: Option<ProfileName>,
    /// New description, if any; the empty one removes it.
    pub description: Option<Description>,
    /// New validators, if any; none at all removes them.
    pub validators: Option<Vec<Validator>>,
}

impl Command for UpdateConfigurationProfile {
    type Outcome = ();

    fn decide(&self, world: &World, _: &Context<'_>) -> Result<Decision<()>, Refusal> {
        world.profile(&self.application, &self.profile)?;
        if let Some(name) = &self.name {
            name_is_free(world.application(&self.application)?, name, Some(&self.profile))?;
        }
        if self.name.is_none() && self.description.is_none() && self.validators.is_none() {
            return Decision::new((), vec![]);
        }
        let event = Event::ConfigurationProfileUpdated {
            application: self.application.clone(),
            profile: self.profile.clone(),
            name: self.name.clone(),
            description: self.description.clone(),
            validators: self.validators.clone(),
        };
        Decision::new((), vec![event])
    }
}

fn name_is_free(
    application: &Application,
    name: &ProfileName,
    except: Option<&ProfileId>,
) -> Result<(), Refusal> {
    let taken = |other: &&ConfigurationProfile| other.name == *name && Some(&other.id) != except;
    match application.profiles.values().find(taken) {
        None => Ok(()),
        Some(other) => Err(Refusal::NameTaken {
            noun: Noun::ConfigurationProfile,
            name: name.to_string(),
            id: other.id.to_string(),
            application: Some(application.id.clone()),
        }),
    }
}

/// Deletes a profile that has no versions any more.
#[derive(Clone, Debug)]
pub struct DeleteConfigurationProfile {
    /// Of which application.
    pub application: ApplicationId,
    /// Which.
    pub profile: ProfileId,
    /// Whether use stands in the way.
    pub check: DeletionProtectionCheck,
    /// When it was last served anywhere, as far as is known.
    pub last_read: Option<Timestamp>,
}

impl Command for DeleteConfigurationProfile {
    type Outcome = ();

    fn decide(&self, world: &World, context: &Context<'_>) -> Result<Decision<()>, Refusal> {
        let profile = world.profile(&self.application, &self.profile)?;
        if !profile.versions.is_empty() {
            return Err(Refusal::HasVersions(self.profile.clone()));
        }
        world.ensure_not_extended(&Resource::Profile(self.application.clone(), self.profile.clone()))?;
        let id = profile.id.as_str();
        self.check.run(world.settings(), id, profile.created_at, self.last_read, context.now)?;
        let event = Event::ConfigurationProfileDeleted {
            application: self.application.clone(),
            profile: self.profile.clone(),
        };
        Decision::new((), vec![event])
    }
}
