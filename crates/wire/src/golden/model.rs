//! The tables as data, and the structs compared with the tables.

use std::collections::BTreeSet;

use serde::de::value::Error;
use serde::de::{Deserialize, Deserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::json;

use crate::enums::*;
use crate::operations::{OPERATIONS, Operation, OperationName, Place};
use crate::{
    accounts, applications, data_plane, deployments, environments, experiments, extensions, hosted_versions,
    pages, patterns, profiles, strategies, tags,
};

/// JSON that a person can read in a difference: one member a line.
fn table_json(operations: &[Operation]) -> String {
    let mut text = String::from("[\n");
    for (index, operation) in operations.iter().enumerate() {
        let object = serde_json::to_value(operation).unwrap();
        let mut lines = Vec::new();
        for name in ["name", "plane", "method", "path", "alias", "status", "served", "errors"] {
            if let Some(value) = object.get(name) {
                lines.push(format!("    \"{name}\": {value}"));
            }
        }
        for (name, members) in [("input", operation.input), ("output", operation.output)] {
            let members: Vec<_> =
                members.iter().map(|m| format!("\n      {}", serde_json::to_string(m).unwrap())).collect();
            let end = if members.is_empty() { "" } else { "\n    " };
            lines.push(format!("    \"{name}\": [{}{end}]", members.join(",")));
        }
        let comma = if index + 1 < operations.len() { "," } else { "" };
        text += &format!("  {{\n{}\n  }}{comma}\n", lines.join(",\n"));
    }
    text + "]\n"
}

macro_rules! golden_file {
    ($name:literal, $json:expr) => {{
        let json: String = $json;
        serde_json::from_str::<serde_json::Value>(&json).unwrap();
        insta::with_settings!(
            { snapshot_path => "../../golden", prepend_module_to_snapshot => false, omit_expression => true },
            { insta::assert_binary_snapshot!($name, json.into_bytes()) }
        );
    }};
}

#[test]
fn the_operations_table_is_the_golden_one() {
    golden_file!("operations.json", table_json(OPERATIONS));
}

#[test]
fn the_rules_are_the_golden_ones() {
    let line = |rule: &patterns::Rule| format!("    {}", serde_json::to_string(rule).unwrap());
    let lines = |rules: &[patterns::Rule]| rules.iter().map(line).collect::<Vec<_>>().join(",\n");
    let json = format!(
        "{{\n  \"control\": [\n{}\n  ],\n  \"data\": [\n{}\n  ]\n}}\n",
        lines(patterns::ALL),
        lines(patterns::data_plane::ALL)
    );
    golden_file!("rules.json", json);
}

#[test]
fn the_words_are_the_golden_ones() {
    let words = json!({
        "ActionPoint": ActionPoint::WORDS,
        "BadRequestReason": BadRequestReason::WORDS,
        "BytesMeasure": BytesMeasure::WORDS,
        "DeleteType": DeleteType::WORDS,
        "DeletionProtectionCheck": DeletionProtectionCheck::WORDS,
        "DeploymentEventType": DeploymentEventType::WORDS,
        "DeploymentState": DeploymentState::WORDS,
        "DeploymentType": DeploymentType::WORDS,
        "EnvironmentState": EnvironmentState::WORDS,
        "ExperimentDefinitionStatus": ExperimentDefinitionStatus::WORDS,
        "ExperimentRunEventType": ExperimentRunEventType::WORDS,
        "ExperimentRunStatus": ExperimentRunStatus::WORDS,
        "GrowthType": GrowthType::WORDS,
        "InvalidParameterProblem": InvalidParameterProblem::WORDS,
        "ReplicateTo": ReplicateTo::WORDS,
        "ResourceType": ResourceType::WORDS,
        "TriggeredBy": TriggeredBy::WORDS,
        "ValidatorType": ValidatorType::WORDS,
    });
    golden_file!("words.json", serde_json::to_string_pretty(&words).unwrap() + "\n");
}

/// The member names a struct reads, without reading anything.
fn members<T: Deserialize<'static>>() -> BTreeSet<&'static str> {
    struct Ask<'a>(&'a mut &'static [&'static str]);

    impl<'de> Deserializer<'de> for Ask<'_> {
        type Error = Error;

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
            Err(serde::de::Error::custom("asked for names only"))
        }

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            visitor: V,
        ) -> Result<V::Value, Error> {
            *self.0 = fields;
            self.deserialize_any(visitor)
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
            newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    let mut fields: &'static [&'static str] = &[];
    let _ = T::deserialize(Ask(&mut fields));
    fields.iter().copied().collect()
}

/// Members of the structs that read an operation's body and query.
fn read_by(name: OperationName) -> (BTreeSet<&'static str>, BTreeSet<&'static str>) {
    use OperationName::*;
    let none = BTreeSet::new;
    let page = members::<pages::PageQuery>;
    match name {
        CreateApplication => (members::<applications::CreateApplicationRequest>(), none()),
        UpdateApplication => (members::<applications::UpdateApplicationRequest>(), none()),
        CreateEnvironment => (members::<environments::CreateEnvironmentRequest>(), none()),
        UpdateEnvironment => (members::<environments::UpdateEnvironmentRequest>(), none()),
        CreateConfigurationProfile => (members::<profiles::CreateConfigurationProfileRequest>(), none()),
        UpdateConfigurationProfile => (members::<profiles::UpdateConfigurationProfileRequest>(), none()),
        ListConfigurationProfiles => (none(), members::<profiles::ListConfigurationProfilesQuery>()),
        ValidateConfiguration => (none(), members::<profiles::ValidateConfigurationQuery>()),
        ListHostedConfigurationVersions => {
            (none(), members::<hosted_versions::ListHostedConfigurationVersionsQuery>())
        }
        CreateDeploymentStrategy => (members::<strategies::CreateDeploymentStrategyRequest>(), none()),
        UpdateDeploymentStrategy => (members::<strategies::UpdateDeploymentStrategyRequest>(), none()),
        StartDeployment => (members::<deployments::StartDeploymentRequest>(), none()),
        GetConfiguration => (none(), members::<data_plane::GetConfigurationQuery>()),
        TagResource => (members::<tags::TagResourceRequest>(), none()),
        UntagResource => (none(), BTreeSet::from([tags::TAG_KEYS])),
        UpdateAccountSettings => (members::<accounts::UpdateAccountSettingsRequest>(), none()),
        CreateExtension => (members::<extensions::CreateExtensionRequest>(), none()),
        GetExtension => (none(), members::<extensions::GetExtensionQuery>()),
        UpdateExtension => (members::<extensions::UpdateExtensionRequest>(), none()),
        DeleteExtension => (none(), members::<extensions::DeleteExtensionQuery>()),
        ListExtensions => (none(), members::<extensions::ListExtensionsQuery>()),
        CreateExtensionAssociation => (members::<extensions::CreateExtensionAssociationRequest>(), none()),
        UpdateExtensionAssociation => (members::<extensions::UpdateExtensionAssociationRequest>(), none()),
        ListExtensionAssociations => (none(), members::<extensions::ListExtensionAssociationsQuery>()),
        CreateExperimentDefinition => (members::<experiments::CreateExperimentDefinitionRequest>(), none()),
        UpdateExperimentDefinition => (members::<experiments::UpdateExperimentDefinitionRequest>(), none()),
        DeleteExperimentDefinition => (none(), members::<experiments::DeleteExperimentDefinitionQuery>()),
        ListExperimentDefinitions => (none(), members::<experiments::ListExperimentDefinitionsQuery>()),
        StartExperimentRun => (members::<experiments::StartExperimentRunRequest>(), none()),
        UpdateExperimentRun => (members::<experiments::UpdateExperimentRunRequest>(), none()),
        StopExperimentRun => (members::<experiments::StopExperimentRunRequest>(), none()),
        ListExperimentRuns => (none(), members::<experiments::ListExperimentRunsQuery>()),
        StartConfigurationSession => (members::<data_plane::StartConfigurationSessionRequest>(), none()),
        GetLatestConfiguration => (none(), members::<data_plane::GetLatestConfigurationQuery>()),
        ListApplications
        | ListEnvironments
        | ListDeploymentStrategies
        | ListDeployments
        | ListExperimentRunEvents => (none(), page()),
        GetApplication
        | DeleteApplication
        | GetEnvironment
        | DeleteEnvironment
        | GetConfigurationProfile
        | DeleteConfigurationProfile
        | CreateHostedConfigurationVersion
        | GetHostedConfigurationVersion
        | DeleteHostedConfigurationVersion
        | GetDeploymentStrategy
        | DeleteDeploymentStrategy
        | GetDeployment
        | StopDeployment
        | ListTagsForResource
        | GetAccountSettings
        | GetExtensionAssociation
        | DeleteExtensionAssociation
        | GetExperimentDefinition
        | GetExperimentRun => (none(), none()),
    }
}

#[test]
fn request_structs_read_exactly_the_members_of_the_table() {
    for operation in OPERATIONS {
        let at = |place| {
            operation.input.iter().filter(|m| m.place == place).map(|m| m.wire).collect::<BTreeSet<_>>()
        };
        let (body, query) = read_by(operation.name);
        assert_eq!(body, at(Place::Body), "body of {}", operation.name);
        assert_eq!(query, at(Place::Query), "query of {}", operation.name);
    }
}

/// Name of the golden file with an operation's fullest answer, if it has a JSON body.
fn fullest_answer(name: OperationName) -> Option<&'static str> {
    use OperationName::*;
    Some(match name {
        CreateApplication | GetApplication | UpdateApplication => "application.full",
        CreateEnvironment | GetEnvironment | UpdateEnvironment => "environment.full",
        CreateConfigurationProfile | GetConfigurationProfile | UpdateConfigurationProfile => {
            "configuration-profile.full"
        }
        CreateDeploymentStrategy | GetDeploymentStrategy | UpdateDeploymentStrategy => {
            "deployment-strategy.full"
        }
        StartDeployment | GetDeployment | StopDeployment => "deployment.full",
        ListTagsForResource => "resource-tags.full",
        GetAccountSettings | UpdateAccountSettings => "account-settings.full",
        CreateExtension | GetExtension | UpdateExtension => "extension.full",
        CreateExtensionAssociation | GetExtensionAssociation | UpdateExtensionAssociation => {
            "extension-association.full"
        }
        CreateExperimentDefinition | GetExperimentDefinition | UpdateExperimentDefinition => {
            "experiment-definition.full"
        }
        StartExperimentRun | GetExperimentRun | UpdateExperimentRun | StopExperimentRun => {
            "experiment-run.full"
        }
        StartConfigurationSession => "session",
        list if list.as_str().starts_with("List") => "page.full",
        _ => return None,
    })
}

#[test]
fn answers_have_the_members_of_the_table_in_its_order() {
    for operation in OPERATIONS {
        let expected: Vec<_> =
            operation.output.iter().filter(|m| m.place == Place::Body).map(|m| m.wire).collect();
        // Members of the outermost object are the lines indented by two.
        let file = |name| format!("{}/golden/{name}.snap", env!("CARGO_MANIFEST_DIR"));
        let answer = fullest_answer(operation.name).map(|name| std::fs::read_to_string(file(name)).unwrap());
        let found: Vec<_> = answer
            .as_deref()
            .unwrap_or_default()
            .lines()
            .filter_map(|line| line.strip_prefix("  \"")?.split_once("\":").map(|(name, _)| name))
            .collect();
        assert_eq!(found, expected, "{}", operation.name);
    }
}
