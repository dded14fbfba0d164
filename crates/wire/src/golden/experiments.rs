use std::collections::BTreeMap;

use super::{golden, map, some, time};
use crate::enums::{ExperimentDefinitionStatus, ExperimentRunEventType, ExperimentRunStatus, TriggeredBy};
use crate::experiments::*;

fn treatment(key: &str) -> Treatment {
    Treatment {
        key: some(key),
        weight: 50.0_f32.into(),
        description: some("Peppermint"),
        flag_value: FlagValue {
            enabled: true,
            attribute_values: BTreeMap::from([
                ("color".into(), AttributeValue::StringValue("green".into())),
                ("price".into(), AttributeValue::NumberValue(4.5)),
                ("seasonal".into(), AttributeValue::BooleanValue(true)),
                ("sizes".into(), AttributeValue::NumberArray(vec![1.0, 2.5])),
                ("toppings".into(), AttributeValue::StringArray(vec!["cream".into()])),
            ]),
        },
    }
}

fn bare_treatment(key: &str) -> Treatment {
    let flag_value = FlagValue { enabled: false, attribute_values: BTreeMap::new() };
    Treatment { description: None, flag_value, ..treatment(key) }
}

fn definition() -> ExperimentDefinition {
    ExperimentDefinition {
        application_id: "3zgdtsk".into(),
        id: "d3fn1t0".into(),
        name: "peppermint".into(),
        hypothesis: some("Green sells"),
        status: ExperimentDefinitionStatus::Active,
        configuration_profile_id: "p3dw7cp".into(),
        environment_id: "0n9wc7p".into(),
        flag_key: "banner".into(),
        audience_rule: "(exists key::\"user\")".into(),
        audience_description: some("Everyone signed in"),
        launch_criteria: some("More sales"),
        treatments: vec![treatment("t1")],
        control: bare_treatment("c"),
        created_at: time("2026-09-28T11:59:58.004Z"),
        updated_at: time("2026-09-28T12:00:00Z"),
        kms_key_identifier: some("alias/limits"),
    }
}

fn least_definition() -> ExperimentDefinition {
    ExperimentDefinition {
        hypothesis: None,
        audience_description: None,
        launch_criteria: None,
        treatments: vec![bare_treatment("t1")],
        kms_key_identifier: None,
        ..definition()
    }
}

fn summary(definition: ExperimentDefinition) -> ExperimentDefinitionSummary {
    ExperimentDefinitionSummary {
        application_id: definition.application_id,
        id: definition.id,
        name: definition.name,
        hypothesis: definition.hypothesis,
        status: definition.status,
        configuration_profile_id: definition.configuration_profile_id,
        environment_id: definition.environment_id,
        flag_key: definition.flag_key,
        created_at: definition.created_at,
        updated_at: definition.updated_at,
    }
}

fn snapshot(definition: ExperimentDefinition) -> ExperimentDefinitionSnapshot {
    ExperimentDefinitionSnapshot {
        application_id: definition.application_id,
        id: definition.id,
        name: definition.name,
        hypothesis: definition.hypothesis,
        configuration_profile_id: definition.configuration_profile_id,
        environment_id: definition.environment_id,
        flag_key: definition.flag_key,
        audience_rule: definition.audience_rule,
        audience_description: definition.audience_description,
        launch_criteria: definition.launch_criteria,
        treatments: definition.treatments,
        control: definition.control,
    }
}

#[test]
fn definitions() {
    golden("experiment-definition.full", &definition());
    golden("experiment-definition.minimal", &least_definition());
    golden("experiment-definition-summary.full", &summary(definition()));
    golden("experiment-definition-summary.minimal", &summary(least_definition()));
}

#[test]
fn runs() {
    let started_at = "2026-09-28T11:59:58.620037Z".parse::<jiff::Timestamp>().unwrap().into();
    let overrides = TreatmentOverrides { inline: Some(map(&[("user-17", "t1")])) };
    let full = ExperimentRun {
        application_id: "3zgdtsk".into(),
        experiment_definition_id: "d3fn1t0".into(),
        run: 2,
        description: some("Second try"),
        status: ExperimentRunStatus::Done,
        exposure_percentage: Some(20.0_f32.into()),
        treatment_overrides: Some(overrides.clone()),
        result: Some(ExperimentRunResult {
            executive_summary: some("Green sells"),
            reasons_to_launch: some("More sales"),
            reasons_not_to_launch: some("Costs"),
        }),
        started_at,
        updated_at: time("2026-09-28T12:00:00Z"),
        ended_at: Some(time("2026-09-28T13:00:00Z")),
        experiment_definition_snapshot: snapshot(definition()),
    };
    golden("experiment-run.full", &full);
    golden(
        "experiment-run.minimal",
        &ExperimentRun {
            description: None,
            status: ExperimentRunStatus::Running,
            exposure_percentage: None,
            treatment_overrides: None,
            result: None,
            ended_at: None,
            experiment_definition_snapshot: snapshot(least_definition()),
            ..full
        },
    );

    let summary = ExperimentRunSummary {
        experiment_definition_id: "d3fn1t0".into(),
        run: 2,
        description: some("Second try"),
        status: ExperimentRunStatus::Done,
        started_at,
        updated_at: time("2026-09-28T12:00:00Z"),
        ended_at: Some(time("2026-09-28T13:00:00Z")),
    };
    golden("experiment-run-summary.full", &summary);
    golden(
        "experiment-run-summary.minimal",
        &ExperimentRunSummary { description: None, ended_at: None, ..summary },
    );

    let event = ExperimentRunEvent {
        description: some("Run started"),
        associated_deployment: some("arn:aws:appconfig:x"),
        event_type: ExperimentRunEventType::RunStarted,
        occurred_at: time("2026-09-28T12:00:00Z"),
        triggered_by: TriggeredBy::User,
        exposure_percentage: Some(0.0_f32.into()),
        treatment_overrides: Some(overrides),
    };
    golden("experiment-run-event.full", &event);
    golden(
        "experiment-run-event.minimal",
        &ExperimentRunEvent {
            description: None,
            associated_deployment: None,
            exposure_percentage: None,
            treatment_overrides: None,
            ..event
        },
    );
}
