//! Deployment strategies.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::enums::{GrowthType, ReplicateTo};
use crate::floats::WireFloat;
use crate::pages::Page;

/// Body of CreateDeploymentStrategy.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct CreateDeploymentStrategyRequest {
    /// Required; 1–64 characters.
    pub name: Option<String>,
    /// Up to 1024 characters.
    pub description: Option<String>,
    /// Required; 0–1440 minutes.
    pub deployment_duration_in_minutes: Option<i64>,
    /// 0–1440 minutes, by default 0.
    pub final_bake_time_in_minutes: Option<i64>,
    /// Required; 1–100 percent.
    pub growth_factor: Option<WireFloat>,
    /// A [`GrowthType`], by default `LINEAR`.
    pub growth_type: Option<String>,
    /// A [`ReplicateTo`], by default `NONE`.
    pub replicate_to: Option<String>,
    /// Up to 50; never echoed.
    pub tags: Option<BTreeMap<String, String>>,
}

/// Body of UpdateDeploymentStrategy: only what is sent changes.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct UpdateDeploymentStrategyRequest {
    /// Up to 1024 characters.
    pub description: Option<String>,
    /// 0–1440 minutes.
    pub deployment_duration_in_minutes: Option<i64>,
    /// 0–1440 minutes.
    pub final_bake_time_in_minutes: Option<i64>,
    /// 1–100 percent.
    pub growth_factor: Option<WireFloat>,
    /// A [`GrowthType`].
    pub growth_type: Option<String>,
}

/// A deployment strategy.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeploymentStrategy {
    /// Its id; a predefined strategy's id is its name.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Minutes from the start to 100 %.
    pub deployment_duration_in_minutes: u32,
    /// How exposure grows.
    pub growth_type: GrowthType,
    /// Percent of the first step.
    pub growth_factor: WireFloat,
    /// Minutes of watch after 100 %.
    pub final_bake_time_in_minutes: u32,
    /// Where else it is stored.
    pub replicate_to: ReplicateTo,
}

/// Answer of ListDeploymentStrategies.
pub type DeploymentStrategies = Page<DeploymentStrategy>;
