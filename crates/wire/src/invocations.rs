//! What extensions' actions and functions that validate are sent, and what they answer.
//!
//! The shapes are those that the service sends to Lambda functions, so that a function written for it serves here.

use crate::enums::DeploymentState;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an action is sent. Which members are there depends on when it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ActionEvent {
    /// Of this run.
    pub invocation_id: String,
    /// Values of the extension's parameters.
    pub parameters: BTreeMap<String, String>,
    /// When it runs, as in `OnDeploymentStart`.
    #[serde(rename = "Type")]
    pub event_type: &'static str,
    /// About which application.
    pub application: Named,
    /// About which environment; absent before a version is stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<Named>,
    /// About which configuration profile.
    pub configuration_profile: Named,
    /// Of which deployment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment_number: Option<u64>,
    /// What is going to be stored or deployed, in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// What that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Number of the version that it is, or is going to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_version: Option<String>,
    /// Of the version, or of the deployment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The version before the one that is going to be stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_content: Option<PreviousContent>,
    /// Number of the version that is deployed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration_version: Option<String>,
    /// What the deployment is doing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment_state: Option<DeploymentState>,
    /// How many clients have the new version, as in `25.0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percentage_complete: Option<String>,
    /// What the profile's content is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration_profile_type: Option<&'static str>,
}

/// A resource by id and name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Named {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A version that is there already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PreviousContent {
    /// What it is.
    pub content_type: String,
    /// Its number.
    pub content_version: String,
    /// Its bytes, in base64.
    pub content: String,
}

/// What an action answers. Everything may be absent, and other members are passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ActionAnswer {
    /// Content to go on with, in base64.
    pub content: Option<String>,
    /// Present when it refuses.
    pub error: Option<String>,
    /// Why it refuses.
    pub message: Option<String>,
    /// What exactly it finds wrong.
    pub details: Option<Vec<AnswerDetail>>,
    /// `CONTINUE` or `ROLL_BACK`.
    pub directive: Option<String>,
    /// Why it wants the deployment taken back.
    pub description: Option<String>,
}

/// One thing that an action finds wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct AnswerDetail {
    /// What kind of thing.
    #[serde(rename = "Type")]
    pub detail_type: Option<String>,
    /// Where.
    pub name: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// What a function that failed is reported as.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FunctionError {
    /// What went wrong.
    pub error_message: Option<String>,
    /// The exception's name.
    pub error_type: Option<String>,
}

/// What a function that validates is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ValidatorEvent {
    /// Of which application.
    pub application_id: String,
    /// Of which profile.
    pub configuration_profile_id: String,
    /// Number of the version.
    pub configuration_version: String,
    /// The content, in base64.
    pub content: String,
    /// Where the profile's configuration is stored.
    pub uri: String,
}

/// An action's event in the shape of Amazon EventBridge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventBridgeEvent {
    /// Of the shape.
    pub version: &'static str,
    /// The same for the same event, however often it is sent.
    pub id: String,
    /// As in `On Deployment Start`.
    #[serde(rename = "detail-type")]
    pub detail_type: String,
    /// Who tells.
    pub source: &'static str,
    /// Of the resources.
    pub account: String,
    /// When it happened, whole seconds.
    pub time: String,
    /// Of the resources.
    pub region: String,
    /// The association because of which it is told.
    pub resources: Vec<String>,
    /// What is told.
    pub detail: ActionEvent,
}

/// An action's event as a CloudEvent, structured mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CloudEvent {
    /// Of CloudEvents.
    pub specversion: &'static str,
    /// The same for the same event, however often it is sent.
    pub id: String,
    /// ARN of the environment.
    pub source: String,
    /// As in `dev.yardarm.deployment.start`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The deployment, below the source.
    pub subject: String,
    /// When it happened.
    pub time: String,
    /// Of `data`.
    pub datacontenttype: &'static str,
    /// What is told.
    pub data: ActionEvent,
}
