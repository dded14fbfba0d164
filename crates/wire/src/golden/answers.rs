use std::collections::BTreeMap;

use super::{golden, golden_headers, map, some, time};
use crate::accounts::{AccountSettings, DeletionProtectionSettings, VendedMetricsSettings};
use crate::applications::Application;
use crate::deployments::{
    ActionInvocation, AppliedExtension, Deployment, DeploymentEvent, DeploymentSummary,
};
use crate::enums::*;
use crate::environments::{Environment, Monitor};
use crate::hosted_versions::{HostedConfigurationVersionHeaders, HostedConfigurationVersionSummary};
use crate::pages::Page;
use crate::profiles::{ConfigurationProfile, ConfigurationProfileSummary, Validator};
use crate::strategies::DeploymentStrategy;
use crate::tags::ResourceTags;

fn application() -> Application {
    Application { id: "3zgdtsk".into(), name: "lambda-latte".into(), description: some("The coffee shop") }
}

#[test]
fn applications() {
    golden("application.full", &application());
    golden("application.minimal", &Application { description: None, ..application() });
}

#[test]
fn pages() {
    golden("page.full", &Page { items: vec![application()], next_token: some("eyJhIjoxfQ") });
    golden("page.minimal", &Page::<Application> { items: vec![], next_token: None });
}

#[test]
fn environments() {
    let full = Environment {
        application_id: "3zgdtsk".into(),
        id: "0n9wc7p".into(),
        name: "production".into(),
        description: some("What guests see"),
        state: EnvironmentState::ReadyForDeployment,
        monitors: vec![
            Monitor {
                alarm_arn: "arn:aws:cloudwatch:us-east-1:000000000000:alarm:orders".into(),
                alarm_role_arn: some("arn:aws:iam::000000000000:role/alarms"),
            },
            Monitor { alarm_arn: "https://alarms.example/orders".into(), alarm_role_arn: None },
        ],
    };
    golden("environment.full", &full);
    golden("environment.minimal", &Environment { description: None, monitors: vec![], ..full });
}

#[test]
fn configuration_profiles() {
    let full = ConfigurationProfile {
        application_id: "3zgdtsk".into(),
        id: "p3dw7cp".into(),
        name: "limits".into(),
        description: some("Rate limits"),
        location_uri: "hosted".into(),
        retrieval_role_arn: some("arn:aws:iam::000000000000:role/read"),
        validators: vec![
            Validator { validator_type: ValidatorType::JsonSchema, content: r#"{"type":"object"}"#.into() },
            Validator { validator_type: ValidatorType::Lambda, content: "arn:aws:lambda:x".into() },
        ],
        profile_type: "AWS.Freeform".into(),
        kms_key_arn: some("arn:aws:kms:us-east-1:000000000000:key/1"),
        kms_key_identifier: some("alias/limits"),
    };
    golden("configuration-profile.full", &full);
    golden(
        "configuration-profile.minimal",
        &ConfigurationProfile {
            description: None,
            retrieval_role_arn: None,
            validators: vec![],
            kms_key_arn: None,
            kms_key_identifier: None,
            ..full
        },
    );
    let summary = ConfigurationProfileSummary {
        application_id: "3zgdtsk".into(),
        id: "p3dw7cp".into(),
        name: "limits".into(),
        location_uri: "hosted".into(),
        validator_types: vec![ValidatorType::JsonSchema],
        profile_type: "AWS.AppConfig.FeatureFlags".into(),
    };
    golden("configuration-profile-summary.full", &summary);
    golden(
        "configuration-profile-summary.minimal",
        &ConfigurationProfileSummary { validator_types: vec![], ..summary },
    );
}

#[test]
fn hosted_configuration_versions() {
    let full = HostedConfigurationVersionHeaders {
        application_id: "3zgdtsk".into(),
        configuration_profile_id: "p3dw7cp".into(),
        version_number: 23,
        description: some("Lower the limits"),
        content_type: "application/json".into(),
        version_label: some("v1.4"),
        kms_key_arn: some("arn:aws:kms:us-east-1:000000000000:key/1"),
    };
    golden_headers("hosted-configuration-version.full", &full.to_headers().unwrap());
    let least = HostedConfigurationVersionHeaders {
        description: None,
        version_label: None,
        kms_key_arn: None,
        ..full
    };
    golden_headers("hosted-configuration-version.minimal", &least.to_headers().unwrap());

    let summary = HostedConfigurationVersionSummary {
        application_id: "3zgdtsk".into(),
        configuration_profile_id: "p3dw7cp".into(),
        version_number: 23,
        description: some("Lower the limits"),
        content_type: "application/json".into(),
        version_label: some("v1.4"),
        kms_key_arn: some("arn:aws:kms:us-east-1:000000000000:key/1"),
    };
    golden("hosted-configuration-version-summary.full", &summary);
    golden(
        "hosted-configuration-version-summary.minimal",
        &HostedConfigurationVersionSummary {
            description: None,
            version_label: None,
            kms_key_arn: None,
            ..summary
        },
    );
}

#[test]
fn deployment_strategies() {
    let full = DeploymentStrategy {
        id: "AppConfig.Canary10Percent20Minutes".into(),
        name: "AppConfig.Canary10Percent20Minutes".into(),
        description: some("AWS Recommended"),
        deployment_duration_in_minutes: 20,
        growth_type: GrowthType::Exponential,
        growth_factor: 10.0_f32.into(),
        final_bake_time_in_minutes: 10,
        replicate_to: ReplicateTo::None,
    };
    golden("deployment-strategy.full", &full);
    let least = DeploymentStrategy { description: None, growth_factor: 33.3_f32.into(), ..full };
    golden("deployment-strategy.minimal", &least);
}

fn event(event_type: DeploymentEventType, triggered_by: TriggeredBy, description: &str) -> DeploymentEvent {
    DeploymentEvent {
        event_type,
        triggered_by,
        description: description.into(),
        action_invocations: vec![],
        occurred_at: time("2026-09-28T11:59:58.004Z"),
    }
}

/// A recorded instant deployment of a flag profile.
fn deployment() -> Deployment {
    Deployment {
        application_id: "3zgdtsk".into(),
        environment_id: "0n9wc7p".into(),
        deployment_strategy_id: "0mk1vxx".into(),
        configuration_profile_id: "p3dw7cp".into(),
        deployment_number: 1,
        configuration_name: "flags".into(),
        configuration_location_uri: "hosted".into(),
        configuration_version: "23".into(),
        description: None,
        deployment_duration_in_minutes: 0,
        growth_type: GrowthType::Linear,
        growth_factor: 100.0_f32.into(),
        final_bake_time_in_minutes: 0,
        state: DeploymentState::Complete,
        event_log: vec![
            event(
                DeploymentEventType::DeploymentCompleted,
                TriggeredBy::AppConfig,
                "Deployment completed instantly",
            ),
            event(DeploymentEventType::DeploymentStarted, TriggeredBy::User, "Deployment started"),
        ],
        percentage_complete: 100.0_f32.into(),
        started_at: time("2026-09-28T11:59:58.004Z"),
        completed_at: Some(time("2026-09-28T11:59:58.006Z")),
        applied_extensions: Some(vec![AppliedExtension {
            provided_identifier: some("AWS.AppConfig.FeatureFlags"),
            extension_id: "AWS.AppConfig.FeatureFlags".into(),
            extension_association_id: "a7x2kq1".into(),
            version_number: 1,
            parameters: BTreeMap::new(),
        }]),
        kms_key_arn: None,
        kms_key_identifier: None,
        version_label: None,
        deployment_type: DeploymentType::User,
    }
}

#[test]
fn deployments() {
    let mut full = Deployment {
        description: some("Turn it on"),
        kms_key_arn: some("arn:aws:kms:us-east-1:000000000000:key/1"),
        kms_key_identifier: some("alias/limits"),
        version_label: some("v1.4"),
        ..deployment()
    };
    full.applied_extensions.as_mut().unwrap().push(AppliedExtension {
        provided_identifier: None,
        extension_id: "e3xt9aa".into(),
        extension_association_id: "b7x2kq1".into(),
        version_number: 2,
        parameters: map(&[("channel", "#deployments")]),
    });
    full.event_log[0].action_invocations = vec![
        ActionInvocation {
            extension_identifier: "e3xt9aa".into(),
            action_name: "notify".into(),
            uri: "https://chat.example/hook".into(),
            role_arn: some("arn:aws:iam::000000000000:role/notify"),
            error_message: some("connection refused"),
            error_code: some("Unreachable"),
            invocation_id: "rnprsya".into(),
        },
        ActionInvocation {
            extension_identifier: "e3xt9aa".into(),
            action_name: "notify".into(),
            uri: "https://chat.example/hook".into(),
            role_arn: None,
            error_message: None,
            error_code: None,
            invocation_id: "rnprsyb".into(),
        },
    ];
    golden("deployment.full", &full);
    golden("deployment.recorded", &deployment());

    let growing = Deployment {
        state: DeploymentState::Deploying,
        event_log: vec![event(
            DeploymentEventType::DeploymentStarted,
            TriggeredBy::User,
            "Deployment started",
        )],
        percentage_complete: 0.0_f32.into(),
        completed_at: None,
        applied_extensions: Some(vec![]),
        ..deployment()
    };
    golden("deployment.just-started", &growing);
    golden("deployment.minimal", &Deployment { applied_extensions: None, ..growing });
}

#[test]
fn a_recorded_deployment_is_printed_byte_by_byte() {
    let json = serde_json::to_string(&deployment()).unwrap();
    let recorded = concat!(
        r#""DeploymentDurationInMinutes":0,"GrowthType":"LINEAR","GrowthFactor":100.0,"#,
        r#""FinalBakeTimeInMinutes":0,"State":"COMPLETE","EventLog":["#,
        r#"{"EventType":"DEPLOYMENT_COMPLETED","TriggeredBy":"APPCONFIG","#,
        r#""Description":"Deployment completed instantly","OccurredAt":"2026-09-28T11:59:58.004Z"},"#,
        r#"{"EventType":"DEPLOYMENT_STARTED","TriggeredBy":"USER","#,
        r#""Description":"Deployment started","OccurredAt":"2026-09-28T11:59:58.004Z"}],"#,
        r#""PercentageComplete":100.0,"StartedAt":"2026-09-28T11:59:58.004Z","#,
        r#""CompletedAt":"2026-09-28T11:59:58.006Z","#,
    );
    assert!(json.contains(recorded), "{json}");
    assert!(json.ends_with(r#","Type":"USER"}"#), "{json}");
}

#[test]
fn deployment_summaries() {
    let full = DeploymentSummary {
        deployment_number: 7,
        configuration_profile_id: "p3dw7cp".into(),
        configuration_name: "flags".into(),
        configuration_version: "23".into(),
        deployment_duration_in_minutes: 30,
        growth_type: GrowthType::Linear,
        growth_factor: 20.0_f32.into(),
        final_bake_time_in_minutes: 30,
        state: DeploymentState::Baking,
        percentage_complete: 100.0_f32.into(),
        started_at: time("2026-09-28T11:00:00Z"),
        completed_at: Some(time("2026-09-28T12:00:00.5Z")),
        version_label: some("v1.4"),
        deployment_type: DeploymentType::Managed,
    };
    golden("deployment-summary.full", &full);
    golden(
        "deployment-summary.minimal",
        &DeploymentSummary { completed_at: None, version_label: None, ..full },
    );
}

#[test]
fn tags_and_account_settings() {
    golden("resource-tags.full", &ResourceTags { tags: map(&[("stage", "prod"), ("team", "")]) });
    golden("resource-tags.minimal", &ResourceTags { tags: BTreeMap::new() });
    golden(
        "account-settings.full",
        &AccountSettings {
            deletion_protection: DeletionProtectionSettings {
                enabled: Some(true),
                protection_period_in_minutes: Some(60),
            },
            vended_metrics: VendedMetricsSettings { enabled: Some(false) },
        },
    );
    golden(
        "account-settings.minimal",
        &AccountSettings {
            deletion_protection: DeletionProtectionSettings::default(),
            vended_metrics: VendedMetricsSettings::default(),
        },
    );
}
