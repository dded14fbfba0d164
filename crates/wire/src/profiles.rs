//! Configuration profiles and their validators.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::body;
use crate::enums::ValidatorType;
use crate::pages::Page;

/// Body of CreateConfigurationProfile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct CreateConfigurationProfileRequest {
    /// Required; 1–128 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Up to 1024 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Required; `hosted` or the URI of another store, 1–2048 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location_uri: Option<String>,
    /// Role that reads another store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retrieval_role_arn: Option<String>,
    /// Up to 2.
    #[serde(deserialize_with = "body::object_list", skip_serializing_if = "Option::is_none")]
    pub validators: Option<Vec<ValidatorInput>>,
    /// Up to 50; never echoed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
    /// `AWS.Freeform` (the default) or `AWS.AppConfig.FeatureFlags`.
    #[serde(rename = "Type", skip_serializing_if = "Option::is_none")]
    pub profile_type: Option<String>,
    /// Id, alias or ARN of a key, 1–2048 characters; hosted store only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key_identifier: Option<String>,
}

/// Body of UpdateConfigurationProfile: only what is sent changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct UpdateConfigurationProfileRequest {
    /// 1–128 characters.
    pub name: Option<String>,
    /// Up to 1024 characters.
    pub description: Option<String>,
    /// Role that reads another store.
    pub retrieval_role_arn: Option<String>,
    /// Up to 2.
    #[serde(deserialize_with = "body::object_list")]
    pub validators: Option<Vec<ValidatorInput>>,
    /// As in the create request; the empty text removes the key.
    pub kms_key_identifier: Option<String>,
}

/// Query of ListConfigurationProfiles.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ListConfigurationProfilesQuery {
    /// Most entries wanted, 1–50.
    pub max_results: Option<String>,
    /// The `NextToken` of the page before.
    pub next_token: Option<String>,
    /// Only profiles of exactly this type.
    #[serde(rename = "type")]
    pub profile_type: Option<String>,
}

/// Query of ValidateConfiguration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ValidateConfigurationQuery {
    /// Required; version number or label, 1–1024 characters.
    pub configuration_version: Option<String>,
}

/// A validator as sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ValidatorInput {
    /// Required; a [`ValidatorType`].
    #[serde(rename = "Type", skip_serializing_if = "Option::is_none")]
    pub validator_type: Option<String>,
    /// Required; the schema or the function's ARN, up to 32768 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

/// A validator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Validator {
    /// Its kind.
    #[serde(rename = "Type")]
    pub validator_type: ValidatorType,
    /// The schema or the function's ARN.
    pub content: String,
}

/// A configuration profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ConfigurationProfile {
    /// Its application.
    pub application_id: String,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where its configuration is stored.
    pub location_uri: String,
    /// Role that reads another store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retrieval_role_arn: Option<String>,
    /// Its validators; left out when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub validators: Vec<Validator>,
    /// Its type; always sent, also when it is the default.
    #[serde(rename = "Type")]
    pub profile_type: String,
    /// The key, resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key_arn: Option<String>,
    /// The key, as it was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key_identifier: Option<String>,
}

/// A configuration profile in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ConfigurationProfileSummary {
    /// Its application.
    pub application_id: String,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where its configuration is stored.
    pub location_uri: String,
    /// Kinds of its validators; left out when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub validator_types: Vec<ValidatorType>,
    /// Its type.
    #[serde(rename = "Type")]
    pub profile_type: String,
}

/// Answer of ListConfigurationProfiles.
pub type ConfigurationProfiles = Page<ConfigurationProfileSummary>;
