//! Environments and the alarms that watch them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::body;
use crate::enums::EnvironmentState;
use crate::pages::Page;

/// Body of CreateEnvironment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct CreateEnvironmentRequest {
    /// Required; 1–64 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Up to 1024 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Up to 5.
    #[serde(deserialize_with = "body::object_list", skip_serializing_if = "Option::is_none")]
    pub monitors: Option<Vec<MonitorInput>>,
    /// Up to 50; never echoed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

/// Body of UpdateEnvironment: only what is sent changes, and an empty list of monitors removes them all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct UpdateEnvironmentRequest {
    /// 1–64 characters.
    pub name: Option<String>,
    /// Up to 1024 characters.
    pub description: Option<String>,
    /// Up to 5.
    #[serde(deserialize_with = "body::object_list")]
    pub monitors: Option<Vec<MonitorInput>>,
}

/// A monitor as sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct MonitorInput {
    /// Required; 1–2048 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alarm_arn: Option<String>,
    /// Optional in the model, though the live service refuses a monitor without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alarm_role_arn: Option<String>,
}

/// A monitor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Monitor {
    /// The alarm.
    pub alarm_arn: String,
    /// The role its state is read with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alarm_role_arn: Option<String>,
}

/// An environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Environment {
    /// Its application.
    pub application_id: String,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What its deployments are doing.
    pub state: EnvironmentState,
    /// Its alarms; left out when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub monitors: Vec<Monitor>,
}

/// Answer of ListEnvironments.
pub type Environments = Page<Environment>;
