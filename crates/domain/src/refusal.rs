//! Why a command was refused. Variants hold data; the words that clients read are chosen where the wire begins.

use crate::account::Resource;
use crate::alarm::AlarmState;
use crate::delivery::DeliveryId;
use crate::deployment::DeploymentState;
use crate::ids::{
    AccessKeyId, ApplicationId, BearerTokenId, DeploymentNumber, EnvironmentId, ExtensionId,
    ExtensionVersionNumber, ProfileId, StrategyId, VersionNumber,
};
use crate::text::{ActionUri, AlarmArn, Constraint, ExtensionName, ParameterName, VersionLabel};
use jiff::Timestamp;
use yardarm_flags::NotForceable;
use yardarm_flags::document::FlagKey;

/// A kind of named resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noun {
    /// An application.
    Application,
    /// An environment.
    Environment,
    /// A configuration profile.
    ConfigurationProfile,
}

/// Why a flag cannot be brought back to what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotRevertible {
    /// The configuration holds something else than flags.
    NoFlags,
    /// Nothing is deployed.
    NotDeployed,
    /// There is no such flag, and never was.
    Unknown,
    /// It was the same in every version that was deployed before, or in the one that is named.
    Unchanged,
}

/// What could not be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// By id or name, as it was asked for.
    Application(String),
    /// In an application.
    Environment(ApplicationId, String),
    /// In an application.
    ConfigurationProfile(ApplicationId, String),
    /// Of a configuration profile.
    HostedVersion(ApplicationId, ProfileId, VersionNumber),
    /// By number, of the profile with this name.
    ConfigurationNumber(String, String),
    /// By label, of the profile with this name.
    ConfigurationLabel(String, VersionLabel),
    /// By id.
    Strategy(String),
    /// In an environment.
    Deployment(ApplicationId, EnvironmentId, DeploymentNumber),
    /// By ARN.
    Resource(String),
    /// By id.
    AccessKey(AccessKeyId),
    /// By id.
    BearerToken(BearerTokenId),
    /// An extension, or a version of one.
    Extension,
    /// An extension that the service's makers wrote, by name.
    ServiceExtension(String),
    /// By id.
    ExtensionAssociation(String),
    /// Among those that are forced.
    ForcedFlag(FlagKey),
    /// Among those that were given up.
    Delivery(DeliveryId),
    /// By ARN.
    Alarm(AlarmArn),
}

/// A limit that is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quota {
    /// Applications.
    Applications,
    /// Environments in an application.
    Environments,
    /// Configuration profiles in an application.
    ConfigurationProfiles,
    /// Own deployment strategies.
    DeploymentStrategies,
    /// Bytes in the hosted configuration store.
    HostedStore,
    /// Deployments waiting in an environment.
    QueuedDeployments,
    /// Forced flags of a configuration in an environment.
    ForcedFlags,
    /// Access keys.
    AccessKeys,
    /// Bearer tokens.
    BearerTokens,
    /// Versions of extensions.
    Extensions,
    /// Associations of extensions.
    ExtensionAssociations,
    /// Alarms.
    Alarms,
}

/// Why a command was refused. Nothing has happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Something the command refers to does not exist.
    #[error("not found: {0:?}")]
    NotFound(Missing),
    /// The name is taken.
    #[error("{noun:?} `{name}` exists already with id {id}")]
    NameTaken {
        /// What kind of resource.
        noun: Noun,
        /// The name.
        name: String,
        /// Who has it.
        id: String,
        /// In which application, for environments and profiles.
        application: Option<ApplicationId>,
    },
    /// An application that has environments is not deleted.
    #[error("application {0} still has environments")]
    HasEnvironments(ApplicationId),
    /// An application that has configuration profiles is not deleted.
    #[error("application {0} still has configuration profiles")]
    HasProfiles(ApplicationId),
    /// A profile that has versions is not deleted.
    #[error("configuration profile {0} still has hosted configuration versions")]
    HasVersions(ProfileId),
    /// Predefined strategies cannot be changed.
    #[error("{0} is predefined and cannot be changed")]
    PredefinedStrategyUpdate(StrategyId),
    /// Predefined strategies cannot be deleted.
    #[error("{0} is predefined and cannot be deleted")]
    PredefinedStrategyDelete(StrategyId),
    /// Flag profiles live in the hosted store.
    #[error("flag profiles can only be hosted")]
    FlagProfileNotHosted,
    /// The optimistic lock on versions does not hold.
    #[error("expected latest version {sent}, found {actual}")]
    LatestVersion {
        /// What the caller thought.
        sent: u32,
        /// What it is; zero when there is none.
        actual: u32,
    },
    /// The optimistic lock on deployments does not hold, and the installation is strict about it.
    #[error("expected latest deployment {sent}, found {actual}")]
    LatestDeployment {
        /// What the caller thought.
        sent: u32,
        /// What it is; zero when there is none.
        actual: u32,
    },
    /// The label names another version of the profile.
    #[error("label `{label}` is taken by version {version}")]
    LabelTaken {
        /// The label.
        label: VersionLabel,
        /// Who has it.
        version: VersionNumber,
    },
    /// Another deployment is in the way.
    #[error("deployment {number} is in progress in environment {environment}")]
    DeploymentInProgress {
        /// Where.
        environment: EnvironmentId,
        /// The one in the way.
        number: DeploymentNumber,
    },
    /// Only flags can be forced.
    #[error("configuration profile {0} holds no flags")]
    NoFlagProfile(ProfileId),
    /// Nothing of the profile is served there, so no flag of it can be forced.
    #[error("nothing of configuration profile {1} is deployed in environment {0}")]
    NothingDeployed(EnvironmentId, ProfileId),
    /// No version that is served there has the flag, or the variant.
    #[error("flag `{flag}` cannot be forced: {why}")]
    NotForceable {
        /// Which.
        flag: FlagKey,
        /// What is missing.
        why: NotForceable,
    },
    /// The deployment is in no state in which it can be stopped.
    #[error("deployment {number} is {state:?}")]
    NotStoppable {
        /// Of the deployment.
        application: ApplicationId,
        /// Of the deployment.
        environment: EnvironmentId,
        /// Of the deployment.
        number: DeploymentNumber,
        /// What it is in.
        state: DeploymentState,
    },
    /// A flag cannot be brought back to what it was in `environment`.
    #[error("flag {flag} cannot be reverted in environment {environment}: {why:?}")]
    FlagNotRevertible {
        /// Where.
        environment: EnvironmentId,
        /// Its key.
        flag: String,
        /// Why not.
        why: NotRevertible,
    },
    /// The deployment was not started to be confirmed.
    #[error("deployment {number} was not started to be confirmed")]
    NothingToConfirm {
        /// Its number.
        number: DeploymentNumber,
    },
    /// The deployment is over, or has not begun.
    #[error("deployment {number} is {state:?} and cannot be confirmed")]
    NotConfirmable {
        /// Its number.
        number: DeploymentNumber,
        /// What it is doing.
        state: DeploymentState,
        /// It waits for the one in front of it.
        waits: bool,
    },
    /// Only the newest deployment of a configuration profile can be reverted: `newer` came after it.
    #[error("deployment {number} is followed by {newer}")]
    NotNewest {
        /// The one to revert.
        number: DeploymentNumber,
        /// The one that replaced it.
        newer: DeploymentNumber,
    },
    /// A limit is reached.
    #[error("{quota:?} limit of {limit} reached")]
    QuotaExceeded {
        /// Which.
        quota: Quota,
        /// How many are allowed.
        limit: u64,
    },
    /// Content is larger than allowed.
    #[error("{size_bytes} bytes are more than {limit_bytes}")]
    ContentTooLarge {
        /// Allowed.
        limit_bytes: u64,
        /// Given.
        size_bytes: u64,
    },
    /// The resource is in use, and protected because of that.
    #[error("{resource} served a configuration within the last {period_min} minutes")]
    DeletionProtected {
        /// Environment or profile id.
        resource: String,
        /// The protection period, minutes.
        period_min: u32,
    },
    /// A value breaks a limit that only the whole resource shows (too many tags after a merge).
    #[error("{member}: {constraint}")]
    Constraint {
        /// Member of the request, camel case.
        member: &'static str,
        /// The limit.
        constraint: Constraint,
    },
    /// An access key with this id exists.
    #[error("access key {0} exists already")]
    AccessKeyTaken(AccessKeyId),
    /// A bearer token with this id exists.
    #[error("bearer token {0} exists already")]
    BearerTokenTaken(BearerTokenId),
    /// A bearer token would have expired before it is made.
    #[error("{0} has passed")]
    ExpiryPassed(Timestamp),
    /// An extension with the name exists and is another one.
    #[error("an extension with name `{0}` exists already")]
    ExtensionExists(ExtensionName),
    /// The optimistic lock on extensions' versions does not hold.
    #[error("expected latest version {sent}, found {actual}")]
    LatestExtensionVersion {
        /// What the caller thought.
        sent: u32,
        /// What it is; zero when there is none.
        actual: u32,
    },
    /// What an association must give nobody else can give.
    #[error("parameter `{0}` is both required and dynamic")]
    ParameterRequiredAndDynamic(ParameterName),
    /// Topics, queues and event buses give no answers, so nothing can wait for one.
    #[error("`{0}` gives no answers")]
    NotificationOnly(ActionUri),
    /// A version that is associated is not deleted.
    #[error("extension {extension} version {version} has {associations} associations")]
    ExtensionInUse {
        /// Which.
        extension: ExtensionId,
        /// Which version of it.
        version: ExtensionVersionNumber,
        /// How many.
        associations: usize,
    },
    /// Extensions work on applications, environments and configuration profiles.
    #[error("extensions cannot be associated with {0}")]
    NotExtensible(Resource),
    /// A resource that extensions are associated with is not deleted.
    #[error("extensions are associated with {0}")]
    Extended(Resource),
    /// Parameters are required and none is given.
    #[error("extension `{name}` version {version} has required parameters")]
    NoParameters {
        /// The extension's name.
        name: String,
        /// Its version.
        version: ExtensionVersionNumber,
    },
    /// A required parameter is not given.
    #[error("parameter `{parameter}` of extension {extension} version {version} is required")]
    ParameterMissing {
        /// Which.
        parameter: ParameterName,
        /// Of which extension.
        extension: ExtensionId,
        /// Of which version of it.
        version: ExtensionVersionNumber,
    },
    /// A value is given for something that is no parameter.
    #[error("extension {extension} version {version} has no parameter `{parameter}`")]
    ParameterUnknown {
        /// What was named.
        parameter: String,
        /// Of which extension.
        extension: String,
        /// Of which version of it.
        version: ExtensionVersionNumber,
    },
    /// Only dynamic parameters are given by whoever starts a deployment.
    #[error("extension {extension} has no dynamic parameter `{parameter}`")]
    ParameterNotDynamic {
        /// The extension, as it was named.
        extension: String,
        /// Which.
        parameter: String,
    },
    /// The extension takes no part in the deployment.
    #[error("extension {extension} takes no part in the deployment")]
    NotAssociated {
        /// The extension, as it was named.
        extension: String,
        /// The parameter that was given for it.
        parameter: String,
    },
    /// An alarm speaks against deploying there.
    #[error("alarm {alarm} of environment {environment} is in {}", .state.as_str())]
    AlarmFiring {
        /// Where.
        environment: EnvironmentId,
        /// Which.
        alarm: AlarmArn,
        /// What it says.
        state: AlarmState,
    },
    /// A monitor names an alarm that nobody would watch.
    #[error("alarm {alarm} of environment {environment} is not registered")]
    AlarmUnregistered {
        /// Where.
        environment: EnvironmentId,
        /// Which.
        alarm: AlarmArn,
    },
    /// A deployment on its way depends on the alarm.
    #[error("a deployment in environment {environment} is watched by alarm {alarm}")]
    AlarmInUse {
        /// Which.
        alarm: AlarmArn,
        /// Where.
        environment: EnvironmentId,
    },
    /// What was prepared for the command no longer fits the world (new version, other validators): prepare again.
    #[error("the world moved on")]
    Raced,
}
