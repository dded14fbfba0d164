//! From configuration bytes to a stored version, and from a version to a deployment: everything that must look at the
//! bytes before a command can be decided.
//!
//! The looking happens outside the sequencer, against the world as it is; the command then carries what was looked at, and
//! is refused as raced if the world has moved on. **Invariant:** nothing is deployed that its validators have not passed.

use crate::error::Error;
use crate::extensions::{Asked, ExtensionRefused, Work, WorkKind};
use crate::node::{Cause, Committed, Node};
use crate::outside::VersionContent;
use bytes::Bytes;
use std::sync::Arc;
use yardarm_domain::{
    ActionPoint, ApplicationId, AppliedExtension, Command, ConfigurationProfile, ConfirmWithin, ContentHash,
    ContentRef, ContentType, Context, CreateHostedVersion, DeploymentNumber, Description, DynamicParameter,
    EnvironmentId, Failure, FunctionUri, Gate, HostedVersion, Invocation, Place, ProfileId, ProfileType,
    Refusal, StartDeployment, StrategyId, Tags, Validated, Validator, VersionLabel, VersionNumber, World,
    must_wait,
};
use yardarm_flags::{CompiledFlags, FlagDocument, ReadError, normalise};
use yardarm_log::Content;
use yardarm_validators::{ContentRefused, JsonSchema, SchemaRefused};

/// How often content is prepared anew because the world has moved on.
pub(crate) const MOST_RACES: usize = 20;

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
    /// What is given to extensions' parameters for this deployment.
    pub dynamic_parameters: Vec<DynamicParameter>,
    /// Why it is to be started although alarms speak against it, if it is.
    pub override_alarms: Option<String>,
    /// It is taken back unless it is confirmed in this time.
    pub confirm_within: Option<ConfirmWithin>,
    /// What it asks of clients before it goes on, if anything.
    pub gate: Option<Gate>,
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
    /// An extension has kept it from being done.
    #[error("extension `{}`: {}", .0.extension, .0.message)]
    Extension(ExtensionRefused),
    /// A function that validates has said no, or nothing.
    #[error("validator {function}: {}", .failure.message)]
    Function {
        /// Which.
        function: FunctionUri,
        /// What it said.
        failure: Failure,
    },
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
        self.ensure_not_too_large(&wanted.content)?;
        let wanted = self.extended(wanted).await?;
        for _ in 0..MOST_RACES {
            let view = self.newest_view().await?;
            let profile = view.world.profile(&wanted.application, &wanted.profile)?;
            let (bytes, normalised_against) = match profile.kind {
                ProfileType::Freeform => (wanted.content.clone(), None),
                ProfileType::FeatureFlags => {
                    let newest = profile.newest().map(|version| version.number);
                    is_flag_content_type(&wanted.content_type)?;
                    let previous = profile.newest().map(|version| version.content.hash);
                    (self.normalised(wanted.content.clone(), previous).await?, Some(newest))
                }
            };
            let content = Content::new(bytes);
            let command = wanted.command(reference(&content), normalised_against);
            let stored = content.bytes().clone();
            match self.execute_with(command, vec![content], cause.clone()).await {
                Ok(committed) => return self.stored(&committed, &wanted, stored),
                Err(Error::Refused(Refusal::Raced)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Busy("the profile is changing too fast").into())
    }

    fn ensure_not_too_large(&self, content: &Bytes) -> Result<(), Refusal> {
        let limit_bytes = self.config().quotas.hosted_version_bytes;
        let size_bytes = content.len() as u64;
        if size_bytes > limit_bytes {
            Err(Refusal::ContentTooLarge { limit_bytes, size_bytes })
        } else {
            Ok(())
        }
    }

    /// What extensions make of a version that is to be stored. They are asked once: should others store versions at the
    /// same time, the number they were told may be another's in the end.
    async fn extended(&self, wanted: StoreConfiguration) -> Result<StoreConfiguration, ConfigurationRefused> {
        let view = self.newest_view().await?;
        let world = &view.world;
        let place = Place { application: &wanted.application, environment: None, profile: &wanted.profile };
        let applied = world.applied_at(place, &[])?;
        if applied.is_empty() {
            return Ok(wanted);
        }
        // What would be refused anyway is not shown to anybody.
        let size_bytes = wanted.content.len() as u64;
        let unread = ContentRef { hash: ContentHash([0; 32]), size_bytes };
        let context = Context {
            now: self.now(),
            entropy: 0,
            quotas: &self.config().quotas,
            policy: &self.config().policy,
        };
        wanted.command(unread, None).decide(world, &context)?;
        let profile = world.profile(&wanted.application, &wanted.profile)?;
        let previous = match profile.newest() {
            Some(version) => Some(VersionContent {
                version: version.number,
                bytes: self.content(version.content.hash).await?,
                content_type: version.content_type.clone(),
            }),
            None => None,
        };
        let work = Work {
            world,
            place,
            content: VersionContent {
                version: VersionNumber(profile.latest_version).next(),
                bytes: wanted.content.clone(),
                content_type: wanted.content_type.clone(),
            },
            description: wanted.description.as_ref(),
            kind: WorkKind::Version { previous },
        };
        let Asked { content, .. } = self.ask_extensions(work, &applied).await?;
        self.ensure_not_too_large(&content)?;
        Ok(StoreConfiguration { content, ..wanted })
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
        content: Bytes,
        previous: Option<ContentHash>,
    ) -> Result<Bytes, ConfigurationRefused> {
        let previous = match previous {
            Some(hash) => Some(self.content(hash).await?),
            None => None,
        };
        let now = self.now();
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
        let compiled = read_flags(content, |document| CompiledFlags::compile(&document)).await?;
        Ok(Some(compiled))
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
        let content = VersionContent {
            version: version.number,
            bytes: self.content(version.content.hash).await?,
            content_type: version.content_type.clone(),
        };
        let place = Place { application, environment: None, profile: &profile.id };
        self.judge(place, profile, content).await
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
            let place = Place {
                application: &wanted.application,
                environment: Some(&wanted.environment),
                profile: &wanted.profile,
            };
            let applied = world.applied_at(place, &wanted.dynamic_parameters)?;
            self.ensure_askable(world, &applied)?;
            let number = DeploymentNumber(environment.latest_deployment()).next();
            let asks = applied
                .iter()
                .any(|applied| world.action_of(applied, ActionPoint::PreStartDeployment).is_some());
            let (mut hash, mut contents, mut invocations) = (version.content.hash, vec![], vec![]);
            // What nobody wants to look at is not read.
            if asks || !profile.validators.is_empty() {
                let prepared = self.prepared(world, place, version, &wanted, &applied, number).await?;
                invocations = prepared.invocations;
                if let Some(changed) = prepared.changed {
                    hash = ContentHash(changed.hash().0);
                    contents.push(changed);
                }
                self.judge(place, profile, prepared.content).await?;
            }
            let command = StartDeployment {
                application: wanted.application.clone(),
                environment: wanted.environment.clone(),
                profile: wanted.profile.clone(),
                version: version.number,
                strategy: wanted.strategy.clone(),
                description: wanted.description.clone(),
                tags: wanted.tags.clone(),
                latest_deployment_number: wanted.latest_deployment_number,
                confirm_within: wanted.confirm_within,
                alarm_override: wanted.override_alarms.clone().map(|reason| (cause.actor.clone(), reason)),
                gate: wanted.gate,
                changed: contents.first().map(reference),
                dynamic_parameters: wanted.dynamic_parameters.clone(),
                extensions: applied,
                invocations,
                validated: Validated { content: hash, validators: profile.validators.clone() },
            };
            match self.execute_with(command, contents, cause.clone()).await {
                Err(Error::Refused(Refusal::Raced)) => {}
                result => return Ok(result?),
            }
        }
        Err(Error::Busy("the profile is changing too fast").into())
    }

    /// What extensions make of a version for one deployment.
    async fn prepared(
        &self,
        world: &World,
        place: Place<'_>,
        version: &HostedVersion,
        wanted: &DeployConfiguration,
        applied: &[AppliedExtension],
        number: DeploymentNumber,
    ) -> Result<Prepared, ConfigurationRefused> {
        let stored = self.content(version.content.hash).await?;
        let shown = |bytes| VersionContent {
            version: version.number,
            bytes,
            content_type: version.content_type.clone(),
        };
        let work = Work {
            world,
            place,
            content: shown(stored.clone()),
            description: wanted.description.as_ref(),
            kind: WorkKind::Deployment { number },
        };
        let Asked { mut content, invocations } = self.ask_extensions(work, applied).await?;
        let mut changed = None;
        if content != stored {
            self.ensure_not_too_large(&content)?;
            if world.profile(place.application, place.profile)?.kind == ProfileType::FeatureFlags {
                content = self.normalised(content, Some(version.content.hash)).await?;
            }
            changed = Some(Content::new(content.clone()));
        }
        Ok(Prepared { content: shown(content), changed, invocations })
    }

    /// Has `content` judged by the profile's validators: its schemas, and then its functions.
    async fn judge(
        &self,
        place: Place<'_>,
        profile: &ConfigurationProfile,
        content: VersionContent,
    ) -> Result<(), ConfigurationRefused> {
        let (mut schemas, mut functions) = (vec![], vec![]);
        for validator in &profile.validators {
            match validator {
                Validator::JsonSchema(schema) => schemas.push(schema.clone()),
                Validator::Lambda(function) => functions.push(function),
            }
        }
        if !schemas.is_empty() {
            let bytes = content.bytes.clone();
            apart(bytes.len(), move || check(&bytes, &schemas)).await?;
        }
        for function in functions {
            self.ask_function(function, place, content.again()).await?;
        }
        Ok(())
    }
}

/// A deployment's content, ready to be judged.
struct Prepared {
    content: VersionContent,
    /// The same if it is not the version's.
    changed: Option<Content>,
    invocations: Vec<Invocation>,
}

impl StoreConfiguration {
    fn command(
        &self,
        content: ContentRef,
        normalised_against: Option<Option<VersionNumber>>,
    ) -> CreateHostedVersion {
        CreateHostedVersion {
            application: self.application.clone(),
            profile: self.profile.clone(),
            description: self.description.clone(),
            content,
            content_type: self.content_type.clone(),
            label: self.label.clone(),
            latest_version: self.latest_version,
            normalised_against,
        }
    }
}

fn reference(content: &Content) -> ContentRef {
    ContentRef { hash: ContentHash(content.hash().0), size_bytes: content.bytes().len() as u64 }
}

fn is_flag_content_type(content_type: &ContentType) -> Result<(), ConfigurationRefused> {
    if content_type.as_str() == "application/json" {
        Ok(())
    } else {
        Err(ConfigurationRefused::FlagContentType(content_type.clone()))
    }
}

fn check(content: &[u8], schemas: &[String]) -> Result<(), ConfigurationRefused> {
    for schema in schemas {
        let schema = JsonSchema::compile(schema).map_err(ConfigurationRefused::Schema)?;
        schema.validate(content).map_err(ConfigurationRefused::Content)?;
    }
    Ok(())
}

/// What `make` makes of a flag document that was stored, and so was checked.
///
/// # Errors
/// It cannot be read: an older release wrote it, or a newer one.
pub(crate) async fn read_flags<T: Send + 'static>(
    stored: Bytes,
    make: impl FnOnce(FlagDocument) -> T + Send + 'static,
) -> Result<T, Error> {
    apart(stored.len(), move || {
        let document = FlagDocument::read(&stored).map_err(|error| Error::Unreadable(error.to_string()))?;
        Ok(make(document))
    })
    .await
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
