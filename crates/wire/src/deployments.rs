//! Deployments and their event log.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::enums::{DeploymentEventType, DeploymentState, DeploymentType, GrowthType, TriggeredBy};
use crate::floats::WireFloat;
use crate::pages::Page;
use crate::times::WireTime;

/// Body of StartDeployment.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct StartDeploymentRequest {
    /// Required; an id or the name of a predefined strategy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment_strategy_id: Option<String>,
    /// Required; an id or a name, 1–128 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration_profile_id: Option<String>,
    /// Required; version number or label, 1–1024 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration_version: Option<String>,
    /// Up to 1024 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Up to 50; never echoed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
    /// Id, alias or ARN of a key for the deployed copy, 1–2048 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key_identifier: Option<String>,
    /// 1–10 values, keyed by `{extension}#{parameter}`. Sensitive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dynamic_extension_parameters: Option<BTreeMap<String, String>>,
    /// Number of the environment's latest deployment as the caller knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_deployment_number: Option<i64>,
}

impl fmt::Debug for StartDeploymentRequest {
    /// Hides the values of dynamic parameters, which the protocol declares sensitive.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parameters = self.dynamic_extension_parameters.as_ref().map(|map| map.keys().collect::<Vec<_>>());
        f.debug_struct("StartDeploymentRequest")
            .field("deployment_strategy_id", &self.deployment_strategy_id)
            .field("configuration_profile_id", &self.configuration_profile_id)
            .field("configuration_version", &self.configuration_version)
            .field("description", &self.description)
            .field("tags", &self.tags)
            .field("kms_key_identifier", &self.kms_key_identifier)
            .field("dynamic_extension_parameters", &parameters)
            .field("latest_deployment_number", &self.latest_deployment_number)
            .finish()
    }
}

/// A deployment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Deployment {
    /// Its application.
    pub application_id: String,
    /// Its environment.
    pub environment_id: String,
    /// The strategy it was started with.
    pub deployment_strategy_id: String,
    /// The profile it deploys.
    pub configuration_profile_id: String,
    /// Its number within the environment, from 1.
    pub deployment_number: u64,
    /// Name of the profile.
    pub configuration_name: String,
    /// Where the profile's configuration is stored.
    pub configuration_location_uri: String,
    /// The version: its number, also when it was started by label.
    pub configuration_version: String,
    /// Its description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Minutes from the start to 100 %, copied from the strategy.
    pub deployment_duration_in_minutes: u32,
    /// How exposure grows, copied from the strategy.
    pub growth_type: GrowthType,
    /// Percent of the first step, copied from the strategy.
    pub growth_factor: WireFloat,
    /// Minutes of watch after 100 %, copied from the strategy.
    pub final_bake_time_in_minutes: u32,
    /// What it is doing.
    pub state: DeploymentState,
    /// What happened, newest first.
    pub event_log: Vec<DeploymentEvent>,
    /// Percent of clients that receive the version; 0 before the first step, after a rollback and after a revert.
    pub percentage_complete: WireFloat,
    /// When it began.
    pub started_at: WireTime,
    /// When it completed; kept by a revert, absent after a rollback.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<WireTime>,
    /// Extensions that took part. Present though empty in the answer of StartDeployment; `None` leaves it out, as the
    /// answer of StopDeployment does when there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied_extensions: Option<Vec<AppliedExtension>>,
    /// The key of the deployed copy, resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key_arn: Option<String>,
    /// The key of the deployed copy, as it was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key_identifier: Option<String>,
    /// The version's label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_label: Option<String>,
    /// Who started it. Sent by the live service, absent from the model.
    #[serde(rename = "Type")]
    pub deployment_type: DeploymentType,
}

/// An entry of a deployment's event log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeploymentEvent {
    /// What happened.
    pub event_type: DeploymentEventType,
    /// Who or what caused it.
    pub triggered_by: TriggeredBy,
    /// What happened, in words.
    pub description: String,
    /// Actions that ran during the event; left out when there were none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub action_invocations: Vec<ActionInvocation>,
    /// When it happened.
    pub occurred_at: WireTime,
}

/// One run of an extension's action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ActionInvocation {
    /// The extension.
    pub extension_identifier: String,
    /// The action's name.
    pub action_name: String,
    /// What was called.
    pub uri: String,
    /// The role it was called with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// On failure only: what went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// On failure only: its code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// Its id.
    pub invocation_id: String,
}

/// An extension that took part in a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AppliedExtension {
    /// The extension as it was named. Sent by the live service for its built-in extension, absent from the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provided_identifier: Option<String>,
    /// The extension.
    pub extension_id: String,
    /// The association that brought it.
    pub extension_association_id: String,
    /// The extension's version.
    pub version_number: u64,
    /// Values of its parameters, also when there are none.
    pub parameters: BTreeMap<String, String>,
}

/// A deployment in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeploymentSummary {
    /// Its number within the environment.
    pub deployment_number: u64,
    /// The profile it deploys.
    pub configuration_profile_id: String,
    /// Name of the profile.
    pub configuration_name: String,
    /// The version's number.
    pub configuration_version: String,
    /// Minutes from the start to 100 %.
    pub deployment_duration_in_minutes: u32,
    /// How exposure grows.
    pub growth_type: GrowthType,
    /// Percent of the first step.
    pub growth_factor: WireFloat,
    /// Minutes of watch after 100 %.
    pub final_bake_time_in_minutes: u32,
    /// What it is doing.
    pub state: DeploymentState,
    /// Percent of clients that receive the version.
    pub percentage_complete: WireFloat,
    /// When it began.
    pub started_at: WireTime,
    /// When it completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<WireTime>,
    /// The version's label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_label: Option<String>,
    /// Who started it.
    #[serde(rename = "Type")]
    pub deployment_type: DeploymentType,
}

/// Answer of ListDeployments, highest number first.
pub type Deployments = Page<DeploymentSummary>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::read_body;

    #[test]
    fn debug_output_hides_the_values_of_dynamic_parameters() {
        let request: StartDeploymentRequest =
            read_body(br#"{"DynamicExtensionParameters":{"jira#token":"hunter2"}}"#).unwrap();
        let debug = format!("{request:?}");
        assert!(debug.contains("jira#token") && !debug.contains("hunter2"), "{debug}");
    }
}
