use serde_json::json;

use super::{golden, map, some};
use crate::enums::{InvalidParameterProblem, ResourceType};
use crate::errors::{ErrorBody, ErrorKind, InvalidConfigurationDetail};

#[test]
fn codes() {
    let codes: Vec<_> = ErrorKind::ALL
        .iter()
        .map(|kind| {
            json!({ "status": kind.status().as_u16(), "x-amzn-errortype": kind.error_type().to_str().unwrap() })
        })
        .collect();
    golden("error-codes", &codes);
}

#[test]
fn bodies() {
    golden(
        "error.message",
        &ErrorBody::message("Application with Id 3zgdtsk could not be found for account 0."),
    );
    golden("error.empty", &ErrorBody::default());
    golden(
        "error.resource-name",
        &ErrorBody {
            resource_name: some("ConfigurationProfileType"),
            ..ErrorBody::message("Invalid type, must be one of: AWS.Freeform, AWS.AppConfig.FeatureFlags")
        },
    );
    golden(
        "error.payload-too-large",
        &ErrorBody::payload_too_large("Content size limit exceeded.", 2048.0_f32.into(), 2049.0_f32.into()),
    );
}

#[test]
fn invalid_configuration() {
    let full = InvalidConfigurationDetail {
        constraint: some("OneOf(blue, green)"),
        location: some("values.feature.color"),
        reason: some("not in the list"),
        detail_type: some("NotSatisfied"),
        value: some("red"),
        pointer: some("/values/feature/color"),
        line: Some(12),
        column: Some(16),
    };
    let missing = InvalidConfigurationDetail {
        constraint: some("Required"),
        location: some("version"),
        detail_type: some("NotSatisfied"),
        value: some(""),
        ..Default::default()
    };
    golden(
        "error.invalid-configuration",
        &ErrorBody::invalid_configuration(
            "Error invoking extension AppConfig Feature Flags Helper: Invalid 'Content' data",
            vec![full, missing],
        ),
    );
}

#[test]
fn data_plane() {
    golden(
        "error.invalid-parameter",
        &ErrorBody::invalid_parameter(
            "Request too early",
            "ConfigurationToken",
            InvalidParameterProblem::PollIntervalNotSatisfied,
        ),
    );
    golden(
        "error.not-referenced",
        &ErrorBody::not_referenced(
            "Deployment not found",
            ResourceType::Deployment,
            map(&[("EnvironmentIdentifier", "production"), ("ConfigurationProfileIdentifier", "flags")]),
        ),
    );
}
