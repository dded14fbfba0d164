//! Experiments: definitions, runs and a run's event log.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::body;
use crate::enums::{ExperimentDefinitionStatus, ExperimentRunEventType, ExperimentRunStatus, TriggeredBy};
use crate::floats::WireFloat;
use crate::pages::Page;
use crate::times::{WireMicroTime, WireTime};

/// Body of CreateExperimentDefinition.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct CreateExperimentDefinitionRequest {
    /// Required; 1–64 characters, not beginning with `AWS.`.
    pub name: Option<String>,
    /// Required; id or name.
    pub configuration_profile_identifier: Option<String>,
    /// Required; id or name.
    pub environment_identifier: Option<String>,
    /// Required; a lower-case letter and 1–64 of letters, digits, `_` and `-`.
    pub flag_key: Option<String>,
    /// Required; 1–5.
    #[serde(deserialize_with = "body::object_list")]
    pub treatments: Option<Vec<TreatmentInput>>,
    /// Required.
    #[serde(deserialize_with = "body::object")]
    pub control: Option<TreatmentInput>,
    /// Required; 1–16384 characters.
    pub audience_rule: Option<String>,
    /// Up to 1024 characters.
    pub hypothesis: Option<String>,
    /// Up to 1024 characters.
    pub audience_description: Option<String>,
    /// Up to 1024 characters.
    pub launch_criteria: Option<String>,
    /// Up to 50; never echoed.
    pub tags: Option<BTreeMap<String, String>>,
}

/// Body of UpdateExperimentDefinition: only what is sent changes.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct UpdateExperimentDefinitionRequest {
    /// 1–5.
    #[serde(deserialize_with = "body::object_list")]
    pub treatments: Option<Vec<TreatmentInput>>,
    /// The baseline.
    #[serde(deserialize_with = "body::object")]
    pub control: Option<TreatmentInput>,
    /// Up to 1024 characters.
    pub hypothesis: Option<String>,
    /// 1–16384 characters.
    pub audience_rule: Option<String>,
    /// Up to 1024 characters.
    pub audience_description: Option<String>,
    /// Up to 1024 characters.
    pub launch_criteria: Option<String>,
}

/// Query of DeleteExperimentDefinition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct DeleteExperimentDefinitionQuery {
    /// A [`crate::enums::DeleteType`], by default `ARCHIVE`.
    pub delete_type: Option<String>,
}

/// Query of ListExperimentDefinitions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ListExperimentDefinitionsQuery {
    /// Only those of this application; id or name.
    pub application_identifier: Option<String>,
    /// Only those of this profile; id or name.
    pub configuration_profile_identifier: Option<String>,
    /// Only those of this environment; id or name.
    pub environment_identifier: Option<String>,
    /// Only those in this [`ExperimentDefinitionStatus`].
    pub status: Option<String>,
    /// Most entries wanted, 1–50.
    pub max_results: Option<String>,
    /// The `NextToken` of the page before.
    pub next_token: Option<String>,
}

/// Body of StartExperimentRun.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct StartExperimentRunRequest {
    /// Up to 1024 characters.
    pub description: Option<String>,
    /// 0–100, by default 0.
    pub exposure_percentage: Option<WireFloat>,
    /// Entities with a fixed treatment.
    #[serde(deserialize_with = "body::object")]
    pub treatment_overrides: Option<TreatmentOverrides>,
    /// Up to 50; never echoed.
    pub tags: Option<BTreeMap<String, String>>,
    /// For the deployment that carries the run.
    #[serde(deserialize_with = "body::object")]
    pub deployment_parameters: Option<DeploymentParameters>,
}

/// Body of UpdateExperimentRun: only what is sent changes.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct UpdateExperimentRunRequest {
    /// Up to 1024 characters.
    pub description: Option<String>,
    /// 0–100; can only grow.
    pub exposure_percentage: Option<WireFloat>,
    /// Entities with a fixed treatment.
    #[serde(deserialize_with = "body::object")]
    pub treatment_overrides: Option<TreatmentOverrides>,
    /// For the deployment that carries the change.
    #[serde(deserialize_with = "body::object")]
    pub deployment_parameters: Option<DeploymentParameters>,
}

/// Body of StopExperimentRun.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct StopExperimentRunRequest {
    /// What was learnt.
    #[serde(deserialize_with = "body::object")]
    pub result: Option<ExperimentRunResult>,
    /// For the deployment that ends the run.
    #[serde(deserialize_with = "body::object")]
    pub deployment_parameters: Option<DeploymentParameters>,
}

/// Query of ListExperimentRuns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ListExperimentRunsQuery {
    /// Most entries wanted, 1–50.
    pub max_results: Option<String>,
    /// The `NextToken` of the page before.
    pub next_token: Option<String>,
    /// Only those in this [`ExperimentRunStatus`].
    pub status: Option<String>,
}

/// What a run hands to the deployments it makes.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DeploymentParameters {
    /// 1–10 values, keyed by `{extension}#{parameter}`. Sensitive.
    pub dynamic_extension_parameters: Option<BTreeMap<String, String>>,
    /// Up to 50.
    pub tags: Option<BTreeMap<String, String>>,
}

impl fmt::Debug for DeploymentParameters {
    /// Hides the values of dynamic parameters, which the protocol declares sensitive.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parameters = self.dynamic_extension_parameters.as_ref().map(|map| map.keys().collect::<Vec<_>>());
        f.debug_struct("DeploymentParameters")
            .field("dynamic_extension_parameters", &parameters)
            .field("tags", &self.tags)
            .finish()
    }
}

/// A treatment as sent.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TreatmentInput {
    /// Required; 0 or more.
    pub weight: Option<WireFloat>,
    /// Up to 1024 characters.
    pub description: Option<String>,
    /// Required.
    #[serde(deserialize_with = "body::object")]
    pub flag_value: Option<FlagValueInput>,
}

/// A flag's value as sent.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct FlagValueInput {
    /// Required.
    pub enabled: Option<bool>,
    /// Up to 25, keyed by attribute.
    pub attribute_values: Option<BTreeMap<String, AttributeValue>>,
}

/// A treatment.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Treatment {
    /// `t1`, `t2` and so on; the control's is `c`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Its share, relative to the others.
    pub weight: WireFloat,
    /// Its description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What its members receive.
    pub flag_value: FlagValue,
}

/// A flag's value.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct FlagValue {
    /// Whether the flag is on.
    pub enabled: bool,
    /// The attributes; left out when there are none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attribute_values: BTreeMap<String, AttributeValue>,
}

/// An attribute's value: an object with exactly one member.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AttributeValue {
    /// Up to 1024 characters.
    StringValue(String),
    /// A double.
    NumberValue(f64),
    /// A boolean.
    BooleanValue(bool),
    /// Up to 25 texts of up to 1024 characters.
    StringArray(Vec<String>),
    /// Up to 25 doubles.
    NumberArray(Vec<f64>),
}

/// Entities with a fixed treatment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TreatmentOverrides {
    /// Up to 32 treatment keys, keyed by entity of 1–2048 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inline: Option<BTreeMap<String, String>>,
}

/// What a run has shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ExperimentRunResult {
    /// Up to 1024 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub executive_summary: Option<String>,
    /// Up to 1024 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasons_to_launch: Option<String>,
    /// Up to 1024 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasons_not_to_launch: Option<String>,
}

/// An experiment definition.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExperimentDefinition {
    /// Its application.
    pub application_id: String,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hypothesis: Option<String>,
    /// What it is doing.
    pub status: ExperimentDefinitionStatus,
    /// The profile of its flag.
    pub configuration_profile_id: String,
    /// Where it runs.
    pub environment_id: String,
    /// Its flag.
    pub flag_key: String,
    /// Who takes part.
    pub audience_rule: String,
    /// Who takes part, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience_description: Option<String>,
    /// When to launch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub launch_criteria: Option<String>,
    /// The variations.
    pub treatments: Vec<Treatment>,
    /// The baseline.
    pub control: Treatment,
    /// When it was created.
    pub created_at: WireTime,
    /// When it was changed. The live service cuts it to whole seconds when it is read.
    pub updated_at: WireTime,
    /// The key it is encrypted with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key_identifier: Option<String>,
}

/// An experiment definition in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExperimentDefinitionSummary {
    /// Its application.
    pub application_id: String,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hypothesis: Option<String>,
    /// What it is doing.
    pub status: ExperimentDefinitionStatus,
    /// The profile of its flag.
    pub configuration_profile_id: String,
    /// Where it runs.
    pub environment_id: String,
    /// Its flag.
    pub flag_key: String,
    /// When it was created.
    pub created_at: WireTime,
    /// When it was changed.
    pub updated_at: WireTime,
}

/// Answer of ListExperimentDefinitions.
pub type ExperimentDefinitions = Page<ExperimentDefinitionSummary>;

/// The definition as it was when a run began.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExperimentDefinitionSnapshot {
    /// Its application.
    pub application_id: String,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hypothesis: Option<String>,
    /// The profile of its flag.
    pub configuration_profile_id: String,
    /// Where it runs.
    pub environment_id: String,
    /// Its flag.
    pub flag_key: String,
    /// Who takes part.
    pub audience_rule: String,
    /// Who takes part, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience_description: Option<String>,
    /// When to launch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub launch_criteria: Option<String>,
    /// The variations.
    pub treatments: Vec<Treatment>,
    /// The baseline.
    pub control: Treatment,
}

/// A run of an experiment.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExperimentRun {
    /// Its application.
    pub application_id: String,
    /// Its definition.
    pub experiment_definition_id: String,
    /// Its number within the definition, from 1.
    pub run: u64,
    /// Its description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it is doing.
    pub status: ExperimentRunStatus,
    /// Percent of the audience that takes part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exposure_percentage: Option<WireFloat>,
    /// Entities with a fixed treatment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub treatment_overrides: Option<TreatmentOverrides>,
    /// What it has shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<ExperimentRunResult>,
    /// When it began, to the microsecond.
    pub started_at: WireMicroTime,
    /// When it was changed.
    pub updated_at: WireTime,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<WireTime>,
    /// The definition as it was when the run began.
    pub experiment_definition_snapshot: ExperimentDefinitionSnapshot,
}

/// A run in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExperimentRunSummary {
    /// Its definition.
    pub experiment_definition_id: String,
    /// Its number within the definition.
    pub run: u64,
    /// Its description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it is doing.
    pub status: ExperimentRunStatus,
    /// When it began, to the microsecond.
    pub started_at: WireMicroTime,
    /// When it was changed.
    pub updated_at: WireTime,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<WireTime>,
}

/// Answer of ListExperimentRuns.
pub type ExperimentRuns = Page<ExperimentRunSummary>;

/// An entry of a run's event log.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExperimentRunEvent {
    /// What happened, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// ARN of the deployment that carried it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub associated_deployment: Option<String>,
    /// What happened.
    pub event_type: ExperimentRunEventType,
    /// When it happened.
    pub occurred_at: WireTime,
    /// Who or what caused it.
    pub triggered_by: TriggeredBy,
    /// Percent of the audience from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exposure_percentage: Option<WireFloat>,
    /// Overrides from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub treatment_overrides: Option<TreatmentOverrides>,
}

/// Answer of ListExperimentRunEvents.
pub type ExperimentRunEvents = Page<ExperimentRunEvent>;
