use std::collections::BTreeMap;

use super::{golden, map, some};
use crate::enums::ActionPoint;
use crate::extensions::{
    Action, Extension, ExtensionAssociation, ExtensionAssociationSummary, ExtensionSummary, Parameter,
};

const ARN: &str = "arn:aws:appconfig:us-east-1:000000000000:extension/e3xt9aa/1";

fn action() -> Action {
    Action {
        name: "notify".into(),
        description: some("Tell the channel"),
        uri: "https://chat.example/hook".into(),
        role_arn: some("arn:aws:iam::000000000000:role/notify"),
    }
}

#[test]
fn extensions() {
    let least = Action { description: None, role_arn: None, ..action() };
    let full = Extension {
        id: "e3xt9aa".into(),
        name: "chat".into(),
        version_number: 1,
        arn: ARN.into(),
        description: some("Tells a channel"),
        actions: BTreeMap::from([
            (ActionPoint::OnDeploymentStart.to_string(), vec![action()]),
            (ActionPoint::OnDeploymentComplete.to_string(), vec![least]),
        ]),
        parameters: BTreeMap::from([
            ("channel".into(), Parameter { description: some("Where to"), required: true, dynamic: false }),
            ("mention".into(), Parameter { description: None, required: false, dynamic: true }),
        ]),
    };
    golden("extension.full", &full);
    let actions = BTreeMap::from([(ActionPoint::PreStartDeployment.to_string(), vec![action()])]);
    golden(
        "extension.minimal",
        &Extension { description: None, actions, parameters: BTreeMap::new(), ..full },
    );

    let summary = ExtensionSummary {
        id: "e3xt9aa".into(),
        name: "chat".into(),
        version_number: 1,
        arn: ARN.into(),
        description: some("Tells a channel"),
    };
    golden("extension-summary.full", &summary);
    golden("extension-summary.minimal", &ExtensionSummary { description: None, ..summary });
}

#[test]
fn extension_associations() {
    let full = ExtensionAssociation {
        id: "a7x2kq1".into(),
        extension_arn: ARN.into(),
        resource_arn: "arn:aws:appconfig:us-east-1:000000000000:application/3zgdtsk".into(),
        arn: "arn:aws:appconfig:us-east-1:000000000000:extensionassociation/a7x2kq1".into(),
        parameters: map(&[("channel", "#deployments")]),
        extension_version_number: 1,
    };
    golden("extension-association.full", &full);
    let least = ExtensionAssociation { parameters: BTreeMap::new(), ..full };
    golden("extension-association.minimal", &least);
    golden(
        "extension-association-summary",
        &ExtensionAssociationSummary {
            id: least.id,
            extension_arn: least.extension_arn,
            resource_arn: least.resource_arn,
        },
    );
}
