//! Shapes of Yardarm's own API, below `/yardarm/v1`, and of the health endpoints.
//!
//! It offers what the AWS planes cannot say: access keys, durations in seconds, deletion of a whole application, a
//! plain read with a long poll. Conventions, the same as OpenFeature's: members in camelCase, absent members left out,
//! times in RFC 3339. Unlike the AWS planes, a request with an unknown member is refused: nobody calls this API with
//! an SDK from the future, and a misspelt member that is ignored costs an afternoon. Errors are problem details
//! (RFC 9457) as `application/problem+json`.

use std::collections::BTreeMap;
use std::fmt;

use http::header::{CONTENT_TYPE, ETAG, InvalidHeaderValue};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::enums::{DeploymentState, GrowthType, wire_enum};
use crate::floats::WireFloat;
use crate::forced_flags::ForceTo;
use crate::headers;
use crate::hosted_versions::text;
use crate::times::WireTime;

/// Where everything is, with labels in braces.
pub mod paths {
    /// `POST` creates an access key, `GET` lists them.
    pub const ACCESS_KEYS: &str = "/yardarm/v1/access-keys";
    /// `GET`, `PATCH` and `DELETE` of one access key.
    pub const ACCESS_KEY: &str = "/yardarm/v1/access-keys/{accessKeyId}";
    /// `POST` creates a bearer token, `GET` lists them.
    pub const TOKENS: &str = "/yardarm/v1/tokens";
    /// `GET` and `DELETE` of one bearer token.
    pub const TOKEN: &str = "/yardarm/v1/tokens/{tokenId}";
    /// `GET` lists the alarms.
    pub const ALARMS: &str = "/yardarm/v1/alarms";
    /// `GET`, `PUT`, `PATCH` and `DELETE` of one alarm, by its percent-encoded ARN.
    pub const ALARM: &str = "/yardarm/v1/alarms/{alarm}";
    /// `PUT`: what an alarm says.
    pub const ALARM_STATE: &str = "/yardarm/v1/alarms/{alarm}/state";
    /// `POST`: a notification of Alertmanager.
    pub const ALARM_ALERTMANAGER: &str = "/yardarm/v1/alarms/{alarm}/alertmanager";
    /// `POST`: a notification of Grafana.
    pub const ALARM_GRAFANA: &str = "/yardarm/v1/alarms/{alarm}/grafana";
    /// `DELETE` with `?cascade=true` removes an application and all it contains.
    pub const APPLICATION: &str = "/yardarm/v1/applications/{application}";
    /// `GET` reads deployed configuration; `?wait=SECONDS` waits for a change.
    pub const CONFIGURATION: &str =
        "/yardarm/v1/applications/{application}/environments/{environment}/configurations/{profile}";
    /// `GET` reads both versions of a configuration and how far the newer one has come; `?wait=SECONDS` waits for a change.
    /// Who accepts `text/event-stream` is told of every change: [`crate::rollout_events`].
    pub const ROLLOUT: &str =
        "/yardarm/v1/applications/{application}/environments/{environment}/configurations/{profile}/rollout";
    /// `POST`: what a client has made of what it was given.
    pub const ACKNOWLEDGEMENTS: &str = "/yardarm/v1/applications/{application}/environments/{environment}/configurations/{profile}/acknowledgements";
    /// `GET`: the clients of a deployment, and where they stand.
    pub const DEPLOYMENT_CLIENTS: &str =
        "/yardarm/v1/applications/{application}/environments/{environment}/deployments/{deployment}/clients";
    /// `GET`: the last versions whose bake passed and that were not reverted.
    pub const KNOWN_GOOD: &str = "/yardarm/v1/applications/{application}/environments/{environment}/configurations/{profile}/known-good";
    /// `GET`: how long ways back took; `?application=…&environment=…` of one place, `?steps=true` steps too.
    pub const RECOVERY: &str = "/yardarm/v1/recovery";
    /// `GET` lists the flags that are forced, and the last ones that were.
    pub const FORCED_FLAGS: &str = "/yardarm/v1/applications/{application}/environments/{environment}/configurations/{profile}/forced-flags";
    /// `PUT` forces a flag, `DELETE` releases it.
    pub const FORCED_FLAG: &str = "/yardarm/v1/applications/{application}/environments/{environment}/configurations/{profile}/forced-flags/{flag}";
    /// `POST`: what flags are for somebody, in the version that is deployed for them.
    pub const EVALUATE: &str =
        "/yardarm/v1/applications/{application}/environments/{environment}/configurations/{profile}/evaluate";
    /// `POST`: why a flag is what it is for somebody, in the version that is deployed for them.
    pub const EXPLAIN: &str =
        "/yardarm/v1/applications/{application}/environments/{environment}/configurations/{profile}/explain";
    /// `POST`: what flags are for somebody in a stored version: a number, a label, or `$LATEST`.
    pub const EVALUATE_VERSION: &str =
        "/yardarm/v1/applications/{application}/configurations/{profile}/versions/{version}/evaluate";
    /// `POST`: why a flag is what it is for somebody in a stored version.
    pub const EXPLAIN_VERSION: &str =
        "/yardarm/v1/applications/{application}/configurations/{profile}/versions/{version}/explain";
    /// `GET`: what extensions are still to be told, and what they could not be told.
    pub const DELIVERIES: &str = "/yardarm/v1/deliveries";
    /// `POST`: tries a delivery again that was given up.
    pub const RETRY_DELIVERY: &str = "/yardarm/v1/deliveries/{deliveryId}/retry";
    /// `GET`: the secret that calls to an extension are signed with.
    pub const SIGNING_SECRET: &str = "/yardarm/v1/extensions/{extension}/signing-secret";
    /// `POST`: one flag back to what it was, the others as they are.
    pub const REVERT_FLAG: &str = "/yardarm/v1/applications/{application}/environments/{environment}/configurations/{profile}/flags/{flag}/revert";
    /// `GET`: whether a deployment has to be confirmed, and was. `PUT` confirms it.
    pub const CONFIRMATION: &str = "/yardarm/v1/applications/{application}/environments/{environment}/deployments/{deployment}/confirmation";
    /// `POST` creates a deployment strategy, `GET` lists them.
    pub const DEPLOYMENT_STRATEGIES: &str = "/yardarm/v1/deployment-strategies";
    /// `GET` says what this server is.
    pub const SERVER: &str = "/yardarm/v1/server";
    /// `GET`: the process is alive.
    pub const HEALTHZ: &str = "/healthz";
    /// `GET`: the process can answer reads.
    pub const READYZ: &str = "/readyz";
}

/// A list. `items` is present even when empty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Items<T> {
    /// The entries.
    pub items: Vec<T>,
}

/// Something that an extension is to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// Its id; the webhook's id is the same after `msg_`.
    pub delivery_id: String,
    /// `waiting`, or `given-up`.
    pub state: DeliveryState,
    /// The extension's id.
    pub extension_id: String,
    /// The association because of which it is told.
    pub extension_association_id: String,
    /// When in the work, as in `ON_DEPLOYMENT_START`.
    pub action_point: String,
    /// The action's name.
    pub action_name: String,
    /// What is called.
    pub uri: String,
    /// About which application.
    pub application_id: String,
    /// About which environment.
    pub environment_id: String,
    /// About which deployment.
    pub deployment_number: u64,
    /// When what it tells of happened.
    pub occurred_at: WireTime,
    /// How often it was tried; only once it was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u64>,
    /// A word for why it was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// A sentence for why it was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// When it was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_up_at: Option<WireTime>,
}

/// What becomes of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryState {
    /// It is tried again and again.
    Waiting,
    /// It is not tried any more.
    GivenUp,
}

/// The secret that calls to an extension are signed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SigningSecret {
    /// The extension's id.
    pub extension_id: String,
    /// As libraries for Standard Webhooks want it: `whsec_` and base64.
    pub secret: String,
}

/// Body of `POST` [`paths::ACCESS_KEYS`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateAccessKey {
    /// What people call it; 1–64 characters.
    pub name: String,
    /// What it is for; up to 1024 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Body of `PATCH` [`paths::ACCESS_KEY`]: only what is sent changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct UpdateAccessKey {
    /// What people call it; 1–64 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is for; up to 1024 characters, the empty text removes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether requests signed with it are accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// An access key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessKey {
    /// Its id, which requests carry.
    pub access_key_id: String,
    /// What people call it.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether requests signed with it are accepted.
    pub enabled: bool,
    /// When it was created.
    pub created_at: WireTime,
}

/// Answer to the creation of an access key: the only one that ever contains the secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreatedAccessKey {
    /// The key.
    #[serde(flatten)]
    pub access_key: AccessKey,
    /// Its secret.
    pub secret_access_key: String,
}

impl fmt::Debug for CreatedAccessKey {
    /// Hides the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreatedAccessKey").field("access_key", &self.access_key).finish_non_exhaustive()
    }
}

wire_enum! {
    /// What a bearer token is good for.
    TokenScope {
        /// Evaluating flags over OFREP, and its event streams.
        Evaluate = "evaluate",
        /// That, and reading deployed configuration.
        Read = "read",
    }
}

/// Body of `POST` [`paths::TOKENS`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateBearerToken {
    /// What people call it; 1–64 characters.
    pub name: String,
    /// What it is for; up to 1024 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Id or name of its application.
    pub application: String,
    /// Id or name of its environment.
    pub environment: String,
    /// What it is good for, by default evaluating.
    #[serde(default = "evaluate")]
    pub scope: TokenScope,
    /// From when on it is not accepted; left out for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<WireTime>,
}

fn evaluate() -> TokenScope {
    TokenScope::Evaluate
}

/// A bearer token, without its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BearerToken {
    /// Its id, which is also a part of its text.
    pub token_id: String,
    /// What people call it.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Of which application.
    pub application_id: String,
    /// For which environment.
    pub environment_id: String,
    /// What it is good for.
    pub scope: TokenScope,
    /// From when on it is not accepted; absent for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<WireTime>,
    /// Whether that time has come.
    pub expired: bool,
    /// When it was created.
    pub created_at: WireTime,
}

/// Answer to the creation of a bearer token: the only one that ever contains its text.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreatedBearerToken {
    /// What is known of it.
    #[serde(flatten)]
    pub bearer_token: BearerToken,
    /// The text, to be sent as `Authorization: Bearer …`.
    pub token: String,
}

impl fmt::Debug for CreatedBearerToken {
    /// Hides the text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreatedBearerToken").field("bearer_token", &self.bearer_token).finish_non_exhaustive()
    }
}

/// Query of `DELETE` [`paths::APPLICATION`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct DeleteApplicationQuery {
    /// Whether to remove what the application contains; otherwise only an empty one is deleted.
    pub cascade: bool,
}

/// Answer to the deletion of an application: what went with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeletedApplication {
    /// The application's id.
    pub application_id: String,
    /// The application's name.
    pub name: String,
    /// How many of each kind were removed with it.
    pub removed: RemovedCounts,
}

/// How many of each kind were removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RemovedCounts {
    /// Environments.
    pub environments: u64,
    /// Profiles.
    pub configuration_profiles: u64,
    /// Hosted versions.
    pub hosted_configuration_versions: u64,
    /// Deployments.
    pub deployments: u64,
    /// Associations of extensions.
    pub extension_associations: u64,
}

/// Query of `GET` [`paths::CONFIGURATION`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ReadConfigurationQuery {
    /// Stands for the reader in rollouts, 1–64 characters. Without it a reader gets a new version only once everyone has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Seconds to wait for a version other than the one named by `If-None-Match`; the server bounds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait: Option<u32>,
}

/// Headers of the answer of `GET` [`paths::CONFIGURATION`], whose body is the configuration's bytes.
///
/// The status is 200, or 304 without a body when `If-None-Match` names the current version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigurationHeaders {
    /// Names the served bytes, without quotes.
    pub etag: String,
    /// The deployed version.
    pub configuration_version: String,
    /// Type of the content, as it was stored.
    pub content_type: String,
}

impl ConfigurationHeaders {
    /// The headers, with a strong `ETag`.
    ///
    /// # Errors
    /// When a value contains a control character.
    pub fn to_headers(&self) -> Result<HeaderMap, InvalidHeaderValue> {
        let mut map = HeaderMap::with_capacity(3);
        map.insert(ETAG, text(&format!("\"{}\"", self.etag))?);
        map.insert(headers::CONFIGURATION_VERSION, text(&self.configuration_version)?);
        map.insert(CONTENT_TYPE, text(&self.content_type)?);
        Ok(map)
    }
}

/// Query of `GET` [`paths::ROLLOUT`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ReadRolloutQuery {
    /// Seconds to wait for a state other than the one named by `If-None-Match`; the server bounds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait: Option<u32>,
}

/// Answer of `GET` [`paths::ROLLOUT`]: all that a client needs to decide by itself which version an entity gets.
///
/// An entity gets the candidate if its bucket lies below the exposure, else the stable version. The `ETag` names all of it
/// but `seq`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RolloutState {
    /// The profile's type: `AWS.Freeform` or `AWS.AppConfig.FeatureFlags`.
    #[serde(rename = "type")]
    pub profile_type: String,
    /// Sequence number of the log up to which this is the state.
    pub seq: u64,
    /// What clients outside a rollout get. Left out if nothing was ever completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stable: Option<RolloutVersion>,
    /// What clients inside a rollout get. Left out when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<RolloutVersion>,
    /// How far the candidate has come. There if and only if the candidate is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<RolloutProgress>,
    /// Both as those get them whom forced flags on their way to everybody have reached. Left out when there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forced: Option<RolloutForced>,
}

/// Both versions as those get them whom forced flags have reached: those whose bucket lies below the exposure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RolloutForced {
    /// How many they have reached, in parts per million.
    pub exposure: u32,
    /// What subjects are drawn with.
    pub key: String,
    /// In place of the stable version. There if and only if that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stable: Option<RolloutVersion>,
    /// In place of the candidate. There if and only if that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<RolloutVersion>,
}

impl RolloutState {
    /// The versions there are.
    pub fn versions(&self) -> impl Iterator<Item = &RolloutVersion> {
        let forced = self.forced.iter().flat_map(|forced| forced.stable.iter().chain(&forced.candidate));
        self.stable.iter().chain(&self.candidate).chain(forced)
    }

    /// The versions there are, in the same order.
    pub fn versions_mut(&mut self) -> impl Iterator<Item = &mut RolloutVersion> {
        let forced = self.forced.iter_mut();
        let forced = forced.flat_map(|forced| forced.stable.iter_mut().chain(&mut forced.candidate));
        self.stable.iter_mut().chain(&mut self.candidate).chain(forced)
    }
}

/// A version as it is stored. Exactly one of `content` and `contentBase64` is there; neither in an event of a stream, if the
/// client has it by the state before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RolloutVersion {
    /// Its number.
    pub version: u32,
    /// Its label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Type of the content.
    pub content_type: String,
    /// Hash of the stored bytes, in hexadecimal. Servers before it left it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The stored bytes as text. Flag documents whole, with rules and all variants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The stored bytes in base64 if they are not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_base64: Option<String>,
    /// Flags that are forced in it, and to what: the content is the stored one but for them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub forced_flags: BTreeMap<String, ForceTo>,
}

/// How far a rollout has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RolloutProgress {
    /// The deployment's number in the environment.
    pub deployment: u32,
    /// How many have the candidate, in parts per million.
    pub exposure: u32,
    /// What subjects are drawn with.
    pub key: String,
}

/// Body of `POST` [`paths::REVERT_FLAG`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RevertFlag {
    /// The version whose flag it gets. Left out: the newest that was deployed there before and in which it was another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_version: Option<u32>,
    /// Id or name of the deployment strategy; by default `AppConfig.AllAtOnce`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<String>,
}

/// Answer of `POST` [`paths::REVERT_FLAG`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RevertedFlag {
    /// The flag.
    pub flag: String,
    /// It will be as in this version.
    pub as_in_version: u32,
    /// The new version: what everybody had, with that flag.
    pub version: u32,
    /// The deployment that brings it, by its number in the environment.
    pub deployment: u32,
    /// What that is doing.
    pub state: DeploymentState,
}

/// Answer of `GET` and `PUT` [`paths::CONFIRMATION`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentConfirmation {
    /// The deployment's number in the environment.
    pub deployment: u32,
    /// What it is doing.
    pub state: DeploymentState,
    /// In what time it has to be confirmed, from when it began to be on its way.
    pub confirm_within_seconds: u32,
    /// When it is taken back. Left out once it is confirmed or over, and while it waits for another deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm_by: Option<WireTime>,
    /// When it was confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<WireTime>,
    /// By whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_by: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Body of `POST` [`paths::DEPLOYMENT_STRATEGIES`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateDeploymentStrategy {
    /// Its name; 1–64 characters.
    pub name: String,
    /// Its description; up to 1024 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Seconds from the start to 100 %; 0–86400.
    pub duration_seconds: u32,
    /// Seconds of watch after 100 %; 0–86400, by default 0.
    #[serde(default)]
    pub bake_seconds: u32,
    /// Percent of the first step; 1–100.
    pub growth_factor: WireFloat,
    /// How exposure grows, by default linearly.
    #[serde(default = "linear")]
    pub growth_type: GrowthType,
}

fn linear() -> GrowthType {
    GrowthType::Linear
}

/// A deployment strategy with its times in seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentStrategy {
    /// Its id, for StartDeployment too.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Seconds from the start to 100 %.
    pub duration_seconds: u32,
    /// Seconds of watch after 100 %.
    pub bake_seconds: u32,
    /// Percent of the first step.
    pub growth_factor: WireFloat,
    /// How exposure grows.
    pub growth_type: GrowthType,
}

/// Answer of `GET` [`paths::SERVER`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerInfo {
    /// Yardarm's version.
    pub version: String,
    /// The region it signs and names resources with.
    pub region: String,
    /// The account it names resources with; 12 digits.
    pub account_id: String,
    /// Whether it runs with the well-known development key.
    pub dev: bool,
    /// Sequence number of the log up to which it answers.
    pub seq: u64,
}

wire_enum! {
    /// Whether a server should get requests.
    HealthStatus {
        /// It should.
        Ok = "ok",
        /// It should: what it answers is right but not the newest.
        Stale = "stale",
        /// It should get reads: what it answers is right, but its log takes no changes.
        ReadOnly = "read-only",
        /// It should not.
        Unavailable = "unavailable",
    }
}

/// Answer of [`paths::HEALTHZ`] and [`paths::READYZ`]; status 200, or 503 when unavailable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// The verdict.
    pub status: HealthStatus,
    /// Sequence number of the log up to which it answers.
    pub seq: u64,
    /// For how many seconds it has not heard from its log; 0 when it is current.
    pub stale_for_seconds: u64,
    /// Why it is not `ok`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Content type of [`Problem`].
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Body of an error answer: problem details (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// A URI reference that names the kind of problem. `about:blank` says no more than the status.
    #[serde(rename = "type", default = "about_blank")]
    pub problem_type: String,
    /// The kind of problem in a few words, the same every time.
    pub title: String,
    /// The status, the same as the answer's.
    #[serde(serialize_with = "number", deserialize_with = "status")]
    pub status: StatusCode,
    /// What went wrong this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The request that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Every violation found in the request; left out when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ProblemError>,
}

impl Problem {
    /// A problem that says no more than its status.
    pub fn of_status(status: StatusCode) -> Self {
        Self {
            problem_type: about_blank(),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status,
            detail: None,
            request_id: None,
            errors: Vec::new(),
        }
    }
}

fn about_blank() -> String {
    "about:blank".to_owned()
}

fn number<S: Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

fn status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<StatusCode, D::Error> {
    StatusCode::from_u16(u16::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

/// One violation in a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProblemError {
    /// What is wrong.
    pub detail: String,
    /// Where: a JSON Pointer (RFC 6901) into the request body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::read_body;

    #[test]
    fn a_misspelt_member_is_refused_and_named() {
        let error = read_body::<CreateAccessKey>(br#"{"name":"ci","descripton":"x"}"#).unwrap_err();
        assert!(error.to_string().contains("unknown field `descripton`"), "{error}");
    }

    #[test]
    fn a_missing_member_is_named() {
        let error = read_body::<CreateAccessKey>(b"{}").unwrap_err();
        assert!(error.to_string().contains("missing field `name`"), "{error}");
    }

    #[test]
    fn a_strategy_grows_linearly_and_does_not_bake_unless_told() {
        let body = br#"{"name":"s","durationSeconds":90,"growthFactor":25}"#;
        let strategy: CreateDeploymentStrategy = read_body(body).unwrap();
        assert_eq!((strategy.growth_type, strategy.bake_seconds), (GrowthType::Linear, 0));
        assert_eq!(strategy.growth_factor, WireFloat::from(25.0_f32));
    }

    #[test]
    fn a_negative_duration_is_refused_at_its_member() {
        let body = br#"{"name":"s","durationSeconds":-1,"growthFactor":25}"#;
        let error = read_body::<CreateDeploymentStrategy>(body).unwrap_err();
        assert_eq!(error.member(), Some("durationSeconds"));
    }

    #[test]
    fn debug_output_hides_the_secret() {
        let created = CreatedAccessKey {
            access_key: AccessKey {
                access_key_id: "YDKEXAMPLE".into(),
                name: "ci".into(),
                description: None,
                enabled: true,
                created_at: jiff::Timestamp::UNIX_EPOCH.into(),
            },
            secret_access_key: "hunter2".into(),
        };
        assert!(!format!("{created:?}").contains("hunter2"));
    }

    #[test]
    fn a_problem_survives_the_wire() {
        let problem = Problem {
            detail: Some("no such key".into()),
            errors: vec![ProblemError { detail: "too long".into(), pointer: Some("/name".into()) }],
            ..Problem::of_status(StatusCode::NOT_FOUND)
        };
        let json = serde_json::to_string(&problem).unwrap();
        assert_eq!(serde_json::from_str::<Problem>(&json).unwrap(), problem);
    }
}
