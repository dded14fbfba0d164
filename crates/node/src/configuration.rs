//! From configuration bytes to a stored version, and from a version to a deployment: everything that must look at the
//! bytes before a command can be decided.
//!
//! The looking happens outside the sequencer, against the world as it is; the command then carries what was looked at, and
//! is refused as raced if the world has moved on. **Invariant:** nothing is deployed that its validators have not passed.

use crate::error::Error;
use crate::node::{Cause, Committed, Node};
use bytes::Bytes;
use std::sync::Arc;
use yardarm_domain::{
    ApplicationId, ConfigurationProfile, ContentHash, ContentRef, ContentType, CreateHostedVersion,
    DeploymentNumber, Description, EnvironmentId, HostedVersion, ProfileId, ProfileType, Refusal,
    StartDeployment, StrategyId, Tags, Validated, Validator, VersionLabel, VersionNumber, must_wait,
};
use yardarm_flags::{CompiledFlags, FlagDocument, ReadError, normalise};
use yardarm_log::Content;
use yardarm_validators::{ContentRefused, JsonSchema, SchemaRefused};

/// How often content is prepared anew because the world has moved on.
const MOST_RACES: usize = 20;

/// Looking at more bytes than this happens on a thread of its own, so that requests are not held up.
const LARGE_BYTES: usize = 64 * 1024;

/// A configuration version to store.
#[derive(Clone, Debug)]
pub struct StoreConfiguration {
    /// Of which application.
    pub application: ApplicationId,
    /// Of which profile.
    pub profile: ProfileId,
    /// What is new in it.
    pub description: Option<Description>,
    /// The bytes as given.
    pub content: Bytes,
    /// What they are.
    pub content_type: ContentType,
    /// Its label.
    pub label: Option<VersionLabel>,
    /// The number the caller believes to be the latest.
    pub latest_version: Option<u32>,
}

/// A stored version and its bytes, which for flag documents differ from those given.
#[derive(Clone, Debug)]
pub struct StoredConfiguration {
    /// The version.
    pub version: Arc<HostedVersion>,
    /// Its bytes.
    pub content: Bytes,
}

/// A deployment to start.
#[derive(Clone, Debug)]
pub struct DeployConfiguration {
    /// Of which application.
    pub application: ApplicationId,
    /// Where to.
    pub environment: EnvironmentId,
    /// Which configuration.
    pub profile: ProfileId,
    /// Which version: a number, a label, or `$LATEST`.
    pub version: String,
    /// How.
    pub strategy: StrategyId,
    /// Why.
    pub description: Option<Description>,
    /// Its tags.
    pub tags: Tags,
    /// The number the caller believes to be the latest in the environment.
    pub latest_deployment_number: Option<u32>,
    /// Why it is to be started although alarms speak against it, if it is.
    pub override_alarms: Option<String>,
}

/// Why a configuration was not stored, validated or deployed.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationRefused {
    /// The command was refused, or the log does not answer.
    #[error(transparent)]
    Node(#[from] Error),
    /// Not a flag document, or a wrong one.
    #[error(transparent)]
    FlagDocument(ReadError),
    /// Flag documents are JSON.
    #[error("flag documents have the content type application/json, not `{0}`")]
    FlagContentType(ContentType),
    /// The profile's schema is no schema.
    #[error(transparent)]
    Schema(SchemaRefused),
    /// The content does not satisfy the profile's schema.
    #[error(transparent)]
    Content(ContentRefused),
}

impl From<Refusal> for ConfigurationRefused {
    fn from(refusal: Refusal) -> Self {
        Self::Node(Error::Refused(refusal))
    }
}

impl Node {
    /// Stores a version.
    ///
    /// # Errors
    /// The content is refused, or the command is.
    pub async fn store_configuration(
        &self,
        wanted: StoreConfiguration,
        cause: Cause,
    ) -> Result<StoredConfiguration, ConfigurationRefused> {
        for _ in 0..MOST_RACES {
            let view = self.newest_view().await?;
            let profile = view.world.profile(&wanted.application, &wanted.profile)?;
            let limit_bytes = self.config().quotas.hosted_version_bytes;
            let size_bytes = wanted.content.len() as u64;
            if size_bytes > limit_bytes {
                return Err(Refusal::ContentTooLarge { limit_bytes, size_bytes }.into());
            }
            let (bytes, normalised_against) = match profile.kind {
                ProfileType::Freeform => (wanted.content.clone(), None),
                ProfileType::FeatureFlags => {
                    let newest = profile.newest().map(|version| version.number);
                    (self.normalised(profile, &wanted).await?, Some(newest))
                }
            };
            let content = Content::new(bytes);
            let hash = ContentHash(content.hash().0);
            let command = CreateHostedVersion {
                application: wanted.application.clone(),
                profile: wanted.profile.clone(),
                description: wanted.description.clone(),
                content: ContentRef { hash, size_bytes: content.bytes().len() as u64 },
                content_type: wanted.content_type.clone(),
                label: wanted.label.clone(),
                latest_version: wanted.latest_version,
                normalised_against,
            };
            let stored = content.bytes().clone();
            match self.execute_with(command, vec![content], cause.clone()).await {
                Ok(committed) => return self.stored(&committed, &wanted, stored),
                Err(Error::Refused(Refusal::Raced)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Busy("the profile is changing too fast").into())
    }

    fn stored(
        &self,
        committed: &Committed<VersionNumber>,
        wanted: &StoreConfiguration,
        content: Bytes,
    ) -> Result<StoredConfiguration, ConfigurationRefused> {
        let profile = committed.view.world.profile(&wanted.application, &wanted.profile)?;
        let version = profile.version(committed.outcome).cloned();
        let version = version.ok_or_else(|| Error::Internal("a version just stored is not there".into()))?;
        Ok(StoredConfiguration { version, content })
    }

    /// The stored form of a flag document.
    async fn normalised(
        &self,
        profile: &ConfigurationProfile,
        wanted: &StoreConfiguration,
    ) -> Result<Bytes, ConfigurationRefused> {
        if wanted.content_type.as_str() != "application/json" {
            return Err(ConfigurationRefused::FlagContentType(wanted.content_type.clone()));
        }
        let previous = match profile.newest() {
            Some(version) => Some(self.content(version.content.hash).await?),
            None => None,
        };
        let (content, now) = (wanted.content.clone(), self.now());
        apart(content.len(), move || {
            let document = FlagDocument::read(&content).map_err(ConfigurationRefused::FlagDocument)?;
            // A previous version that this release cannot read has no stamps to take over.
            let previous = previous.and_then(|bytes| FlagDocument::read(&bytes).ok());
            let normalised = normalise(&document, previous.as_ref(), now).map_err(|error| {
                Refusal::ContentTooLarge { limit_bytes: error.limit as u64, size_bytes: error.size as u64 }
            })?;
            Ok(Bytes::from(normalised.bytes))
        })
        .await
    }

    /// The bytes filed under `hash`.
    ///
    /// # Errors
    /// The log does not answer, or has lost them.
    pub async fn content(&self, hash: ContentHash) -> Result<Bytes, Error> {
        let hash = yardarm_log::ContentHash(hash.0);
        let missing = || Error::Unreadable(format!("content {hash} is missing"));
        self.shared().log.content(hash).await?.ok_or_else(missing)
    }

    /// The flags of a stored version, ready to be evaluated. `None` unless the profile is one of flags.
    ///
    /// # Errors
    /// The log does not answer, or what it holds cannot be read.
    pub async fn stored_flags(
        &self,
        profile: &ConfigurationProfile,
        version: &HostedVersion,
    ) -> Result<Option<CompiledFlags>, ConfigurationRefused> {
        if profile.kind != ProfileType::FeatureFlags {
            return Ok(None);
        }
        let content = self.content(version.content.hash).await?;
        apart(content.len(), move || match FlagDocument::read(&content) {
            Ok(document) => Ok(Some(CompiledFlags::compile(&document))),
            Err(error) => Err(Error::Unreadable(error.to_string()).into()),
        })
        .await
    }

    /// Runs the profile's validators on a version: a number, a label, or `$LATEST`.
    ///
    /// # Errors
    /// The version does not exist or is not valid.
    pub async fn validate_configuration(
        &self,
        application: &ApplicationId,
        profile: &ProfileId,
        version: &str,
    ) -> Result<(), ConfigurationRefused> {
        let view = self.newest_view().await?;
        let profile = view.world.profile(application, profile)?;
        let version = profile.named(version)?;
        self.validated(profile, version).await.map(|_| ())
    }

    /// Starts a deployment of a version that satisfies the profile's validators.
    ///
    /// # Errors
    /// The version is not valid, or the command is refused. No deployment number is used then.
    pub async fn deploy(
        &self,
        wanted: DeployConfiguration,
        cause: Cause,
    ) -> Result<Committed<DeploymentNumber>, ConfigurationRefused> {
        self.ask_alarms_of(&wanted.application, &wanted.environment).await;
        for _ in 0..MOST_RACES {
            let view = self.newest_view().await?;
            let world = &view.world;
            let environment = world.environment(&wanted.application, &wanted.environment)?;
            let profile = world.profile(&wanted.application, &wanted.profile)?;
            world.strategy(&wanted.strategy)?;
            let version = profile.named(&wanted.version)?;
            must_wait(environment, profile, &self.config().policy, &self.config().quotas)?;
            let command = StartDeployment {
                application: wanted.application.clone(),
                environment: wanted.environment.clone(),
                profile: wanted.profile.clone(),
                version: version.number,
                strategy: wanted.strategy.clone(),
                description: wanted.description.clone(),
                tags: wanted.tags.clone(),
                latest_deployment_number: wanted.latest_deployment_number,
                alarm_override: wanted.override_alarms.clone().map(|reason| (cause.actor.clone(), reason)),
                validated: self.validated(profile, version).await?,
            };
            match self.execute(command, cause.clone()).await {
                Err(Error::Refused(Refusal::Raced)) => {}
                result => return Ok(result?),
            }
        }
        Err(Error::Busy("the profile is changing too fast").into())
    }

    /// Proof that `version` satisfies the profile's validators.
    async fn validated(
        &self,
        profile: &ConfigurationProfile,
        version: &HostedVersion,
    ) -> Result<Validated, ConfigurationRefused> {
        let validators = profile.validators.clone();
        let proof = Validated { content: version.content.hash, validators: validators.clone() };
        if validators.is_empty() {
            return Ok(proof);
        }
        let content = self.content(version.content.hash).await?;
        apart(content.len(), move || check(&content, &validators)).await?;
        Ok(proof)
    }
}

fn check(content: &[u8], validators: &[Validator]) -> Result<(), ConfigurationRefused> {
    for validator in validators {
        let schema = JsonSchema::compile(&validator.json_schema).map_err(ConfigurationRefused::Schema)?;
        schema.validate(content).map_err(ConfigurationRefused::Content)?;
    }
    Ok(())
}

/// Runs `work` here if it is small, else on a thread where it holds up nobody.
pub(crate) async fn apart<T, E>(
    size: usize,
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    if size <= LARGE_BYTES {
        return work();
    }
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::Internal(error.to_string()))?
}
