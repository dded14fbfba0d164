//! Events: what the log records. Applying them in order gives the world.
//!
//! On disk an event is its kind, a version and a JSON body. **Invariant:** what was ever written can be read for ever: a
//! change of shape adds a version and an upcaster in [`Event::read`]; members are only ever added with a default.

use crate::account::Resource;
use crate::account_settings::AccountSettings;
use crate::alarm::{AlarmSource, Evidence, FreshFor};
use crate::bearer_token::{TokenHash, TokenScope};
use crate::configuration_profile::{ProfileType, Validator};
use crate::confirmation::ConfirmWithin;
use crate::content::ContentRef;
use crate::delivery::DeliveryId;
use crate::deployment::{AlarmOverride, Stopped};
use crate::deployment_strategy::ReplicateTo;
use crate::environment::Monitor;
use crate::extension::{Actions, AppliedExtension, Parameters};
use crate::gate::Gate;
use crate::ids::{
    AccessKeyId, ApplicationId, BearerTokenId, DeploymentNumber, EnvironmentId, ExtensionAssociationId,
    ExtensionId, ExtensionVersionNumber, ProfileId, StrategyId, VersionNumber,
};
use crate::invocation::{Failure, Invocation};
use crate::measure::Measure;
use crate::rollout::{GrowthFactor, GrowthType, Plan, Transition, TriggeredBy};
use crate::secret::SealedSecret;
use crate::tags::Tags;
use crate::text::{
    AlarmArn, ContentType, Description, ExtensionName, Name, ParameterName, ParameterValue, ProfileName,
    VersionLabel,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use yardarm_flags::document::FlagKey;
use yardarm_flags::{Exposure, ForceTo};

/// Something that happened. Members named as in the commands that cause them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[expect(missing_docs, reason = "every member is documented at the noun or command it is copied from")]
#[allow(
    clippy::large_enum_variant,
    reason = "only a few are held at a time, on their way into the log or out of it; which is the largest changes"
)]
pub enum Event {
    ApplicationCreated {
        application: ApplicationId,
        name: Name,
        description: Option<Description>,
        #[serde(default)]
        tags: Tags,
    },
    ApplicationUpdated {
        application: ApplicationId,
        name: Option<Name>,
        description: Option<Description>,
    },
    ApplicationDeleted {
        application: ApplicationId,
    },
    EnvironmentCreated {
        application: ApplicationId,
        environment: EnvironmentId,
        name: Name,
        description: Option<Description>,
        #[serde(default)]
        monitors: Vec<Monitor>,
        #[serde(default)]
        tags: Tags,
    },
    EnvironmentUpdated {
        application: ApplicationId,
        environment: EnvironmentId,
        name: Option<Name>,
        description: Option<Description>,
        monitors: Option<Vec<Monitor>>,
    },
    EnvironmentDeleted {
        application: ApplicationId,
        environment: EnvironmentId,
    },
    ConfigurationProfileCreated {
        application: ApplicationId,
        profile: ProfileId,
        name: ProfileName,
        description: Option<Description>,
        #[serde(rename = "type")]
        kind: ProfileType,
        #[serde(default)]
        validators: Vec<Validator>,
        #[serde(default)]
        tags: Tags,
    },
    ConfigurationProfileUpdated {
        application: ApplicationId,
        profile: ProfileId,
        name: Option<ProfileName>,
        description: Option<Description>,
        validators: Option<Vec<Validator>>,
    },
    ConfigurationProfileDeleted {
        application: ApplicationId,
        profile: ProfileId,
    },
    HostedVersionCreated {
        application: ApplicationId,
        profile: ProfileId,
        version: VersionNumber,
        description: Option<Description>,
        content: ContentRef,
        content_type: ContentType,
        label: Option<VersionLabel>,
    },
    HostedVersionDeleted {
        application: ApplicationId,
        profile: ProfileId,
        version: VersionNumber,
    },
    DeploymentStrategyCreated {
        strategy: StrategyId,
        name: Name,
        description: Option<Description>,
        duration_s: u32,
        bake_s: u32,
        growth: GrowthType,
        factor: GrowthFactor,
        #[serde(default)]
        replicate_to: ReplicateTo,
        #[serde(default)]
        tags: Tags,
    },
    DeploymentStrategyUpdated {
        strategy: StrategyId,
        description: Option<Description>,
        duration_s: Option<u32>,
        bake_s: Option<u32>,
        growth: Option<GrowthType>,
        factor: Option<GrowthFactor>,
    },
    DeploymentStrategyDeleted {
        strategy: StrategyId,
    },
    DeploymentStarted {
        application: ApplicationId,
        environment: EnvironmentId,
        deployment: DeploymentNumber,
        profile: ProfileId,
        configuration_name: ProfileName,
        #[serde(rename = "type")]
        kind: ProfileType,
        strategy: StrategyId,
        version: VersionNumber,
        label: Option<VersionLabel>,
        content: ContentRef,
        content_type: ContentType,
        description: Option<Description>,
        plan: Plan,
        #[serde(default)]
        tags: Tags,
        #[serde(default)]
        queued: bool,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        extensions: Vec<AppliedExtension>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        invocations: Vec<Invocation>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        alarms_overridden: Option<AlarmOverride>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        alarms_not_watched: Vec<AlarmArn>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        confirm_within: Option<ConfirmWithin>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        gate: Option<Gate>,
    },
    DeploymentConfirmed {
        application: ApplicationId,
        environment: EnvironmentId,
        deployment: DeploymentNumber,
        by: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Description>,
    },
    DeploymentStepped {
        application: ApplicationId,
        environment: EnvironmentId,
        deployment: DeploymentNumber,
        step: Step,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stopped: Option<Stopped>,
    },
    DeploymentTicked {
        application: ApplicationId,
        environment: EnvironmentId,
        deployment: DeploymentNumber,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        invocations: Vec<Invocation>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        roll_back: Option<Description>,
    },
    DeploymentMeasured {
        application: ApplicationId,
        environment: EnvironmentId,
        deployment: DeploymentNumber,
        measure: Measure,
    },
    FlagForced {
        application: ApplicationId,
        environment: EnvironmentId,
        profile: ProfileId,
        flag: FlagKey,
        to: ForceTo,
        by: String,
        reason: Description,
        until: Timestamp,
        watch_s: u32,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        alarms_disregarded: Vec<AlarmArn>,
    },
    FlagForceGrown {
        application: ApplicationId,
        environment: EnvironmentId,
        profile: ProfileId,
    },
    FlagReleased {
        application: ApplicationId,
        environment: EnvironmentId,
        profile: ProfileId,
        flag: FlagKey,
        triggered_by: TriggeredBy,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Description>,
    },
    DeliveryEnded {
        delivery: DeliveryId,
        failure: Option<Failure>,
        attempts: u32,
    },
    DeliveryResumed {
        delivery: DeliveryId,
    },
    ExtensionVersionCreated {
        extension: ExtensionId,
        version: ExtensionVersionNumber,
        name: ExtensionName,
        description: Option<Description>,
        actions: Actions,
        parameters: Parameters,
        tags: Tags,
    },
    ExtensionVersionUpdated {
        extension: ExtensionId,
        version: ExtensionVersionNumber,
        description: Option<Description>,
        actions: Option<Actions>,
        parameters: Option<Parameters>,
    },
    ExtensionVersionDeleted {
        extension: ExtensionId,
        version: ExtensionVersionNumber,
    },
    ExtensionAssociationCreated {
        association: ExtensionAssociationId,
        extension: ExtensionId,
        version: ExtensionVersionNumber,
        resource: Resource,
        parameters: BTreeMap<ParameterName, ParameterValue>,
        tags: Tags,
    },
    ExtensionAssociationUpdated {
        association: ExtensionAssociationId,
        parameters: BTreeMap<ParameterName, ParameterValue>,
    },
    ExtensionAssociationDeleted {
        association: ExtensionAssociationId,
    },
    ResourceTagged {
        resource: Resource,
        tags: Tags,
    },
    ResourceUntagged {
        resource: Resource,
        keys: Vec<String>,
    },
    AccountSettingsUpdated {
        settings: AccountSettings,
    },
    AccessKeyCreated {
        access_key: AccessKeyId,
        name: Name,
        description: Option<Description>,
        secret: SealedSecret,
    },
    AccessKeyUpdated {
        access_key: AccessKeyId,
        enabled: Option<bool>,
        name: Option<Name>,
        description: Option<Description>,
    },
    AccessKeyDeleted {
        access_key: AccessKeyId,
    },
    BearerTokenCreated {
        token: BearerTokenId,
        name: Name,
        description: Option<Description>,
        application: ApplicationId,
        environment: EnvironmentId,
        scope: TokenScope,
        hash: TokenHash,
        expires_at: Option<Timestamp>,
    },
    BearerTokenRevoked {
        token: BearerTokenId,
    },
    TokenKeyCreated {
        sealed: SealedSecret,
    },
    SigningKeyCreated {
        sealed: SealedSecret,
    },
    SecretsResealed {
        token_key: Option<SealedSecret>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signing_key: Option<SealedSecret>,
        access_keys: Vec<(AccessKeyId, SealedSecret)>,
    },
    AlarmPut {
        alarm: AlarmArn,
        description: Option<Description>,
        source: AlarmSource,
        fresh_for: FreshFor,
        actions_enabled: bool,
        secret: Option<TokenHash>,
    },
    AlarmUpdated {
        alarm: AlarmArn,
        actions_enabled: Option<bool>,
    },
    AlarmDeleted {
        alarm: AlarmArn,
    },
    AlarmReported {
        alarm: AlarmArn,
        evidence: Evidence,
    },
}

/// A [`Transition`] as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Step {
    Begun,
    Advanced { step: u32, exposure: Exposure, since: Timestamp },
    BakeStarted { since: Timestamp },
    Completed,
    RolledBack { by: TriggeredBy },
    Reverted,
    Rescheduled { since: Timestamp },
}

impl From<Transition> for Step {
    fn from(transition: Transition) -> Self {
        match transition {
            Transition::Begun => Self::Begun,
            Transition::Advanced { step, exposure, since } => Self::Advanced { step, exposure, since },
            Transition::BakeStarted { since } => Self::BakeStarted { since },
            Transition::Completed => Self::Completed,
            Transition::RolledBack(by) => Self::RolledBack { by },
            Transition::Reverted => Self::Reverted,
            Transition::Rescheduled { since } => Self::Rescheduled { since },
        }
    }
}

impl From<Step> for Transition {
    fn from(step: Step) -> Self {
        match step {
            Step::Begun => Self::Begun,
            Step::Advanced { step, exposure, since } => Self::Advanced { step, exposure, since },
            Step::BakeStarted { since } => Self::BakeStarted { since },
            Step::Completed => Self::Completed,
            Step::RolledBack { by } => Self::RolledBack(by),
            Step::Reverted => Self::Reverted,
            Step::Rescheduled { since } => Self::Rescheduled { since },
        }
    }
}

/// A stored event that this release cannot read.
#[derive(Debug, thiserror::Error)]
pub enum UnknownEvent {
    /// Written by a newer release, or not an event at all.
    #[error("event `{kind}` version {version} is not known to this release")]
    Kind {
        /// Its kind.
        kind: String,
        /// Its version.
        version: u16,
    },
    /// The body does not have the shape of its kind and version.
    #[error("event `{kind}` version {version}: {source}")]
    Body {
        /// Its kind.
        kind: String,
        /// Its version.
        version: u16,
        /// What is wrong.
        source: serde_json::Error,
    },
}

impl Event {
    /// The version under which every event is written today.
    pub const VERSION: u16 = 1;

    /// Kind, version and JSON body for the log.
    ///
    /// # Errors
    /// Never, as no event holds a map with other keys than texts; kept because the encoder cannot know.
    pub fn write(&self) -> Result<(String, u16, String), serde_json::Error> {
        let mut body = serde_json::to_value(self)?;
        let kind = body.as_object_mut().and_then(|members| members.remove("kind"));
        let kind = kind.and_then(|kind| kind.as_str().map(String::from)).unwrap_or_default();
        Ok((kind, Self::VERSION, serde_json::to_string(&body)?))
    }

    /// Reads what [`Event::write`] of this or an older release wrote.
    ///
    /// # Errors
    /// The event is of a newer release, or damaged.
    pub fn read(kind: &str, version: u16, body: &str) -> Result<Self, UnknownEvent> {
        let damaged = |source| UnknownEvent::Body { kind: kind.into(), version, source };
        if version != Self::VERSION {
            return Err(UnknownEvent::Kind { kind: kind.into(), version });
        }
        let mut value: serde_json::Value = serde_json::from_str(body).map_err(damaged)?;
        if let Some(members) = value.as_object_mut() {
            members.insert("kind".into(), kind.into());
        }
        serde_json::from_value(value).map_err(damaged)
    }
}
