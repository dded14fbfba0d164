//! Extensions and what they are associated with.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::body;
use crate::pages::Page;

/// Body of CreateExtension; the header `Latest-Version-Number` goes with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct CreateExtensionRequest {
    /// Required; 1–64 characters, none of them `/`, `#`, `:` or a line break.
    pub name: Option<String>,
    /// Up to 1024 characters.
    pub description: Option<String>,
    /// Required; 1–5 entries of one action each, keyed by [`crate::enums::ActionPoint`].
    #[serde(deserialize_with = "body::object_list_map")]
    pub actions: Option<BTreeMap<String, Vec<ActionInput>>>,
    /// 1–10 entries, keyed by name.
    #[serde(deserialize_with = "body::object_map")]
    pub parameters: Option<BTreeMap<String, ParameterInput>>,
    /// Up to 50; never echoed.
    pub tags: Option<BTreeMap<String, String>>,
}

/// Body of UpdateExtension: only what is sent changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct UpdateExtensionRequest {
    /// Up to 1024 characters.
    pub description: Option<String>,
    /// As in the create request.
    #[serde(deserialize_with = "body::object_list_map")]
    pub actions: Option<BTreeMap<String, Vec<ActionInput>>>,
    /// As in the create request.
    #[serde(deserialize_with = "body::object_map")]
    pub parameters: Option<BTreeMap<String, ParameterInput>>,
    /// The version to change, by default the latest.
    pub version_number: Option<i64>,
}

/// Query of GetExtension.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct GetExtensionQuery {
    /// The version wanted, by default the latest.
    pub version_number: Option<String>,
}

/// Query of DeleteExtension.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct DeleteExtensionQuery {
    /// The version to delete. GetExtension spells the same member `version_number`.
    pub version: Option<String>,
}

/// Query of ListExtensions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ListExtensionsQuery {
    /// Most entries wanted, 1–50.
    pub max_results: Option<String>,
    /// The `NextToken` of the page before.
    pub next_token: Option<String>,
    /// Only the extension of exactly this name.
    pub name: Option<String>,
}

/// Body of CreateExtensionAssociation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct CreateExtensionAssociationRequest {
    /// Required; id, name or ARN, 1–2048 characters.
    pub extension_identifier: Option<String>,
    /// The version, by default the latest.
    pub extension_version_number: Option<i64>,
    /// Required; ARN of an application, environment or profile.
    pub resource_identifier: Option<String>,
    /// Up to 10 values of 1–2048 characters, keyed by parameter.
    pub parameters: Option<BTreeMap<String, String>>,
    /// Up to 50; never echoed.
    pub tags: Option<BTreeMap<String, String>>,
}

/// Body of UpdateExtensionAssociation: only what is sent changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct UpdateExtensionAssociationRequest {
    /// Up to 10 values of 1–2048 characters, keyed by parameter.
    pub parameters: Option<BTreeMap<String, String>>,
}

/// Query of ListExtensionAssociations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ListExtensionAssociationsQuery {
    /// Only associations with this resource, by ARN.
    pub resource_identifier: Option<String>,
    /// Only associations of this extension; id, name or ARN.
    pub extension_identifier: Option<String>,
    /// Only associations of this version.
    pub extension_version_number: Option<String>,
    /// Most entries wanted, 1–50.
    pub max_results: Option<String>,
    /// The `NextToken` of the page before.
    pub next_token: Option<String>,
}

/// An action as sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ActionInput {
    /// 1–64 characters.
    pub name: Option<String>,
    /// Up to 1024 characters.
    pub description: Option<String>,
    /// What to call; 1–2048 characters.
    pub uri: Option<String>,
    /// Role to call it with.
    pub role_arn: Option<String>,
}

/// An action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Action {
    /// Its name.
    pub name: String,
    /// Its description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it calls.
    pub uri: String,
    /// Role it calls with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
}

/// A parameter's definition as sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ParameterInput {
    /// Up to 1024 characters.
    pub description: Option<String>,
    /// Whether an association must give a value; by default not.
    pub required: Option<bool>,
    /// Whether StartDeployment may give a value; by default not.
    pub dynamic: Option<bool>,
}

/// A parameter's definition; both booleans are always sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Parameter {
    /// Its description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether an association must give a value.
    pub required: bool,
    /// Whether StartDeployment may give a value.
    pub dynamic: bool,
}

/// An extension, in one version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Extension {
    /// Its id, the same for all versions.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The version, from 1.
    pub version_number: u64,
    /// ARN of the version.
    pub arn: String,
    /// Its description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its actions, keyed by [`crate::enums::ActionPoint`].
    pub actions: BTreeMap<String, Vec<Action>>,
    /// Its parameters; left out when there are none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, Parameter>,
}

/// An extension in a list: its latest version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExtensionSummary {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The version.
    pub version_number: u64,
    /// ARN of the version.
    pub arn: String,
    /// Its description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Answer of ListExtensions.
pub type Extensions = Page<ExtensionSummary>;

/// An extension's association with a resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExtensionAssociation {
    /// Its id.
    pub id: String,
    /// ARN of the extension's version.
    pub extension_arn: String,
    /// ARN of the resource.
    pub resource_arn: String,
    /// Its own ARN.
    pub arn: String,
    /// Values of the parameters; left out when there are none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
    /// The extension's version.
    pub extension_version_number: u64,
}

/// An extension's association in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExtensionAssociationSummary {
    /// Its id.
    pub id: String,
    /// ARN of the extension's version.
    pub extension_arn: String,
    /// ARN of the resource.
    pub resource_arn: String,
}

/// Answer of ListExtensionAssociations.
pub type ExtensionAssociations = Page<ExtensionAssociationSummary>;
