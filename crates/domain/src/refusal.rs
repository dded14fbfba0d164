//! Why a command was refused. Variants hold data; the words that clients read are chosen where the wire begins.

use crate::alarm::AlarmState;
use crate::deployment::DeploymentState;
use crate::ids::{
    AccessKeyId, ApplicationId, BearerTokenId, DeploymentNumber, EnvironmentId, ProfileId, StrategyId,
    VersionNumber,
};
use crate::text::{AlarmArn, Constraint, VersionLabel};
use jiff::Timestamp;

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
    /// Access keys.
    AccessKeys,
    /// Bearer tokens.
    BearerTokens,
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
