//! The nouns of configuration deployment, the commands that change them and the events that record the changes.
//!
//! Everything here is a value or a pure function. A [`Command`] is decided against the current [`World`] and yields
//! [`Event`]s; applying events to a world yields the next one. What the log records is exactly these events, so every
//! node that reads the log arrives at the same world.
//!
//! **Invariants:** nothing here waits, logs, draws random numbers or asks for the time; time and entropy are arguments
//! ([`Context`]). The same world, command and context always give the same events.

mod access_key;
mod account;
mod account_settings;
mod alarm;
mod application;
mod apply;
mod bearer_token;
mod configuration_profile;
mod confirmation;
mod content;
mod context;
mod deletion_protection;
mod delivery;
mod deployment;
mod deployment_driver;
mod deployment_strategy;
mod environment;
mod event;
mod extension;
mod forced_flag;
mod gate;
mod hosted_version;
mod ids;
mod invocation;
mod measure;
mod refusal;
pub mod rollout;
mod secret;
mod serving;
mod tags;
mod text;
mod world;

pub use access_key::{AccessKey, ChangeAccessKey, CreateAccessKey, DeleteAccessKey};
pub use account::{Account, AccountId, Region, Resource};
pub use account_settings::{AccountSettings, UpdateAccountSettings};
pub use alarm::{
    ALARM_STATES, Alarm, AlarmReport, AlarmSource, AlarmState, COMPARISONS, ChangeAlarm, CloudWatchAlarm,
    Comparison, DeleteAlarm, Evidence, FreshFor, MISSING_DATA, MissingData, PrometheusAlarm, PutAlarm,
    ReportAlarms, Threshold, Verdict,
};
pub use application::{
    Application, CascadeDeleteApplication, CreateApplication, DeleteApplication, Removed, UpdateApplication,
};
pub use apply::Inapplicable;
pub use bearer_token::{
    BearerToken, CreateBearerToken, RevokeBearerToken, TokenHash, TokenScope, WantedBearerToken,
};
pub use configuration_profile::{
    ConfigurationProfile, CreateConfigurationProfile, DeleteConfigurationProfile, ProfileType,
    UpdateConfigurationProfile, Validator,
};
pub use confirmation::{ConfirmDeployment, ConfirmWithin, Confirmation, Confirmed};
pub use content::{ContentHash, ContentRef};
pub use context::{
    Command, Concurrency, Context, Decision, Policy, Quotas, TickInterval, UnregisteredAlarms,
};
pub use deletion_protection::DeletionProtectionCheck;
pub use delivery::{DeliverAgain, Delivery, DeliveryId, EndDelivery, RetryPolicy, Undelivered};
pub use deployment::{
    AlarmOverride, Deployment, DeploymentLogEntry, DeploymentLogKind, DeploymentState, StartDeployment,
    StopDeployment, Stopped, Validated, must_wait,
};
pub use deployment_driver::AdvanceDeployments;
pub use deployment_strategy::{
    CreateDeploymentStrategy, DeleteDeploymentStrategy, DeploymentStrategy, PREDEFINED_STRATEGIES,
    PredefinedStrategy, ReplicateTo, UpdateDeploymentStrategy,
};
pub use environment::{
    CreateEnvironment, DeleteEnvironment, Environment, EnvironmentState, Monitor, UpdateEnvironment,
};
pub use event::{Event, UnknownEvent};
pub use extension::{
    Action, ActionPoint, Actions, AppliedExtension, CreateExtension, CreateExtensionAssociation,
    DeleteExtension, DeleteExtensionAssociation, DynamicParameter, Extension, ExtensionAssociation,
    ExtensionVersion, HeedTick, Parameter, Parameters, Place, Tick, UpdateExtension,
    UpdateExtensionAssociation, ticks_due,
};
pub use forced_flag::{
    ForceFlag, ForcedFlag, ForcedFlags, GrowFor, GrowingForce, ReleaseFlag, ReleasedFlag, WatchFor,
};
pub use gate::{ClientCounts, ClientEvidence, Gate, Passage, Percent};
pub use hosted_version::{CreateHostedVersion, DeleteHostedVersion, HostedVersion};
pub use ids::{
    AccessKeyId, ApplicationId, BearerTokenId, DeploymentNumber, EnvironmentId, ExtensionAssociationId,
    ExtensionId, ExtensionVersionNumber, InvalidId, InvocationId, ProfileId, StrategyId, VersionNumber,
};
pub use invocation::{Failure, Invocation, LoggedInvocation};
pub use measure::{Measure, MeasureEnd, Measured, MeasuredDeployment, RecordMeasures, Recovery, recoveries};
pub use refusal::{Missing, NotRevertible, Noun, Quota, Refusal};
pub use secret::{CreateSigningKey, CreateTokenKey, ResealSecrets, SealedSecret};
pub use serving::{Live, live};
pub use tags::{TagResource, Tags, UntagResource};
pub use text::{
    ActionUri, AlarmArn, AlarmReason, CloudWatchAlarmName, Constraint, ContentType, Description, EventShape,
    ExtensionName, FiringGroup, FunctionUri, Name, ParameterName, ParameterValue, ProfileName, Query,
    RoleArn, SourceUrl, VersionLabel, shaped,
};
pub use world::World;
pub use yardarm_flags::document::FlagKey;
pub use yardarm_flags::{Exposure, ForceTo};
