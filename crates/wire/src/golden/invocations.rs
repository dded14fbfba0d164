//! What actions and functions are sent.

use super::golden;
use crate::enums::DeploymentState;
use crate::invocations::{
    ActionAnswer, ActionEvent, CloudEvent, EventBridgeEvent, Named, PreviousContent, ValidatorEvent,
};
use std::collections::BTreeMap;

fn named(id: &str, name: &str) -> Named {
    Named { id: id.into(), name: name.into() }
}

fn notice() -> ActionEvent {
    ActionEvent {
        invocation_id: "o2xbtm7".into(),
        event_type: "OnDeploymentStart",
        application: named("3zgdtsk", "shop"),
        environment: Some(named("0n9wc7p", "production")),
        configuration_profile: named("p3dw7cp", "settings"),
        deployment_number: Some(1),
        description: Some("Friday".into()),
        configuration_version: Some("2".into()),
        ..ActionEvent::default()
    }
}

#[test]
fn what_actions_are_sent() {
    let version = ActionEvent {
        invocation_id: "rnprsya".into(),
        parameters: BTreeMap::from([("fixed".into(), "one".into())]),
        event_type: "PreCreateHostedConfigurationVersion",
        application: named("3zgdtsk", "shop"),
        configuration_profile: named("p3dw7cp", "hosted"),
        content: Some("e30=".into()),
        content_type: Some("application/json".into()),
        content_version: Some("2".into()),
        description: Some("second-description".into()),
        previous_content: Some(PreviousContent {
            content_type: "application/json".into(),
            content_version: "1".into(),
            content: "W10=".into(),
        }),
        configuration_profile_type: Some("AWS.Freeform"),
        ..ActionEvent::default()
    };
    golden("action-event.version", &version);
    golden("action-event.notice", &notice());
    let tick = ActionEvent {
        event_type: "AtDeploymentTick",
        description: None,
        deployment_state: Some(DeploymentState::Deploying),
        percentage_complete: Some("0.0".into()),
        ..notice()
    };
    golden("action-event.tick", &tick);
    golden(
        "action-event.event-bridge",
        &EventBridgeEvent {
            version: "0",
            id: "msg_17-0".into(),
            detail_type: "On Deployment Start".into(),
            source: "aws.appconfig",
            account: "000000000000".into(),
            time: "2026-09-28T11:59:58Z".into(),
            region: "us-east-1".into(),
            resources: vec!["arn:aws:appconfig:us-east-1:000000000000:extensionassociation/a7x2kq1".into()],
            detail: notice(),
        },
    );
    golden(
        "action-event.cloud-event",
        &CloudEvent {
            specversion: "1.0",
            id: "msg_17-0".into(),
            source: "arn:aws:appconfig:us-east-1:000000000000:application/3zgdtsk/environment/0n9wc7p".into(),
            event_type: "dev.yardarm.OnDeploymentStart".into(),
            subject: "deployment/1".into(),
            time: "2026-09-28T11:59:58.004Z".into(),
            datacontenttype: "application/json",
            data: notice(),
        },
    );
}

#[test]
fn what_functions_are_sent() {
    golden(
        "validator-event",
        &ValidatorEvent {
            application_id: "3zgdtsk".into(),
            configuration_profile_id: "p3dw7cp".into(),
            configuration_version: "2".into(),
            content: "e30=".into(),
            uri: "hosted".into(),
        },
    );
}

#[test]
fn what_is_not_known_of_an_answer_is_passed_over() {
    let answer: ActionAnswer = serde_json::from_str(r#"{"statusCode":200,"Content":"e30="}"#).unwrap();
    assert_eq!(answer, ActionAnswer { content: Some("e30=".into()), ..ActionAnswer::default() });
}
