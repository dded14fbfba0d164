//! Hosted configuration versions: immutable content with a number.

use crate::content::ContentRef;
use crate::context::{Command, Context, Decision};
use crate::event::Event;
use crate::ids::{ApplicationId, ProfileId, VersionNumber};
use crate::refusal::{Missing, Quota, Refusal};
use crate::tags::Tags;
use crate::text::{ContentType, Description, VersionLabel};
use crate::world::World;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One version of a configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostedVersion {
    /// Its number in the profile.
    pub number: VersionNumber,
    /// What is new in it.
    pub description: Option<Description>,
    /// Where its bytes are.
    pub content: ContentRef,
    /// What its bytes are; served as it was given.
    pub content_type: ContentType,
    /// Its label, unique in the profile.
    pub label: Option<VersionLabel>,
    /// Its owner's notes.
    pub tags: Tags,
    /// When it was created.
    pub created_at: Timestamp,
}

/// Stores a version. Its bytes are appended to the log together with the event.
#[derive(Clone, Debug)]
pub struct CreateHostedVersion {
    /// Of which application.
    pub application: ApplicationId,
    /// Of which profile.
    pub profile: ProfileId,
    /// What is new in it.
    pub description: Option<Description>,
    /// Where its bytes will be.
    pub content: ContentRef,
    /// What its bytes are.
    pub content_type: ContentType,
    /// Its label.
    pub label: Option<VersionLabel>,
    /// The number the caller believes to be the latest; refused if it is another.
    pub latest_version: Option<u32>,
    /// For flag documents: the newest version when the content was normalised against it. Deciding on another world
    /// answers [`Refusal::Raced`]. Content equal to that version's is not stored again.
    pub normalised_against: Option<Option<VersionNumber>>,
}

impl Command for CreateHostedVersion {
    type Outcome = VersionNumber;

    fn decide(&self, world: &World, context: &Context<'_>) -> Result<Decision<VersionNumber>, Refusal> {
        let profile = world.profile(&self.application, &self.profile)?;
        let actual = profile.latest_version;
        if let Some(sent) = self.latest_version.filter(|sent| *sent != actual) {
            return Err(Refusal::LatestVersion { sent, actual });
        }
        if let Some(label) = &self.label
            && let Some(version) = profile.labelled(label)
        {
            return Err(Refusal::LabelTaken { label: label.clone(), version: version.number });
        }
        let size_bytes = self.content.size_bytes;
        let limit_bytes = context.quotas.hosted_version_bytes;
        if size_bytes > limit_bytes {
            return Err(Refusal::ContentTooLarge { limit_bytes, size_bytes });
        }
        if let Some(newest) = self.normalised_against {
            if newest != profile.newest().map(|version| version.number) {
                return Err(Refusal::Raced);
            }
            if let Some(same) = profile.newest().filter(|version| version.content == self.content) {
                return Decision::new(same.number, vec![]);
            }
        }
        let limit = context.quotas.hosted_store_bytes;
        if world.hosted_bytes().saturating_add(size_bytes) > limit {
            return Err(Refusal::QuotaExceeded { quota: Quota::HostedStore, limit });
        }
        let number = VersionNumber(actual).next();
        let event = Event::HostedVersionCreated {
            application: self.application.clone(),
            profile: self.profile.clone(),
            version: number,
            description: self.description.clone().and_then(Description::none_if_empty),
            content: self.content,
            content_type: self.content_type.clone(),
            label: self.label.clone(),
        };
        Decision::new(number, vec![event])
    }
}

/// Deletes a version. Deployments keep their own copy.
#[derive(Clone, Debug)]
pub struct DeleteHostedVersion {
    /// Of which application.
    pub application: ApplicationId,
    /// Of which profile.
    pub profile: ProfileId,
    /// Which.
    pub version: VersionNumber,
}

impl Command for DeleteHostedVersion {
    type Outcome = ();

    fn decide(&self, world: &World, _: &Context<'_>) -> Result<Decision<()>, Refusal> {
        let profile = world.profile(&self.application, &self.profile)?;
        if profile.version(self.version).is_none() {
            let missing =
                Missing::HostedVersion(self.application.clone(), self.profile.clone(), self.version);
            return Err(Refusal::NotFound(missing));
        }
        let event = Event::HostedVersionDeleted {
            application: self.application.clone(),
            profile: self.profile.clone(),
            version: self.version,
        };
        Decision::new((), vec![event])
    }
}
