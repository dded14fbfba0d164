use http::StatusCode;
use std::collections::BTreeMap;

use super::{golden, golden_headers, some, time};
use crate::enums::{DeploymentState, GrowthType};
use crate::forced_flags::*;
use crate::native::*;

fn access_key() -> AccessKey {
    AccessKey {
        access_key_id: "YDKEXAMPLE".into(),
        name: "ci".into(),
        description: some("The pipeline"),
        enabled: true,
        created_at: time("2026-09-28T11:59:58.004Z"),
    }
}

#[test]
fn access_keys() {
    let least = AccessKey { description: None, ..access_key() };
    golden("native.access-keys", &Items { items: vec![access_key(), least] });
    golden(
        "native.created-access-key",
        &CreatedAccessKey { access_key: access_key(), secret_access_key: "example-secret".into() },
    );
}

#[test]
fn bearer_tokens() {
    let full = BearerToken {
        token_id: "abcdef234567".into(),
        name: "web shop".into(),
        description: some("Browsers"),
        application_id: "3zgdtsk".into(),
        environment_id: "0mk1vxx".into(),
        scope: TokenScope::Read,
        expires_at: Some(time("2027-09-28T11:59:58.004Z")),
        expired: false,
        created_at: time("2026-09-28T11:59:58.004Z"),
    };
    let least =
        BearerToken { description: None, expires_at: None, scope: TokenScope::Evaluate, ..full.clone() };
    golden("native.bearer-tokens", &Items { items: vec![full, least.clone()] });
    let token = "ydm_abcdef234567_example".into();
    golden("native.created-bearer-token", &CreatedBearerToken { bearer_token: least, token });
}

#[test]
fn deletions_and_strategies() {
    golden(
        "native.deleted-application",
        &DeletedApplication {
            application_id: "3zgdtsk".into(),
            name: "lambda-latte".into(),
            removed: RemovedCounts {
                environments: 2,
                configuration_profiles: 3,
                hosted_configuration_versions: 40,
                deployments: 25,
                extension_associations: 1,
            },
        },
    );
    let full = DeploymentStrategy {
        id: "0mk1vxx".into(),
        name: "quick".into(),
        description: some("For tests"),
        duration_seconds: 90,
        bake_seconds: 30,
        growth_factor: 33.3_f32.into(),
        growth_type: GrowthType::Linear,
    };
    golden("native.deployment-strategy.full", &full);
    golden("native.deployment-strategy.minimal", &DeploymentStrategy { description: None, ..full });
}

#[test]
fn configuration() {
    let headers = ConfigurationHeaders {
        etag: "9f86d081".into(),
        configuration_version: "23".into(),
        content_type: "application/json".into(),
    };
    golden_headers("native.configuration", &headers.to_headers().unwrap());
}

#[test]
fn rollout() {
    let stable = RolloutVersion {
        version: 6,
        label: some("v6"),
        content_type: "application/json".into(),
        sha256: some("8cfe5d8a1b6b8e3b7a2f2d1c8e2a0a4f6b1d8f0b6a5e4c3d2b1a0f9e8d7c6b5a"),
        content: some(r#"{"flags":{},"values":{},"version":"1"}"#),
        content_base64: None,
        forced_flags: BTreeMap::new(),
    };
    let candidate = RolloutVersion {
        version: 7,
        label: None,
        sha256: None,
        content: None,
        content_base64: some("gA=="),
        ..stable.clone()
    };
    let full = RolloutState {
        profile_type: "AWS.AppConfig.FeatureFlags".into(),
        seq: 8_841,
        stable: Some(stable),
        candidate: Some(candidate),
        rollout: Some(RolloutProgress {
            deployment: 12,
            exposure: 250_000,
            key: "application/3zgdtsk/environment/6a2reud/deployment/12".into(),
        }),
        forced: None,
    };
    golden("native.rollout.full", &full);
    let stable = full.stable.clone().map(|stable| RolloutVersion {
        forced_flags: BTreeMap::from([
            ("banner".into(), ForceTo::Variant("plain".into())),
            ("checkout".into(), ForceTo::Off),
        ]),
        ..stable
    });
    let forced = RolloutForced {
        exposure: 10_000,
        key: "application/3zgdtsk/environment/6a2reud/forced/8840".into(),
        stable: stable.clone(),
        candidate: None,
    };
    let minimal = RolloutState { candidate: None, rollout: None, ..full };
    golden("native.rollout.minimal", &minimal);
    golden("native.rollout.forced", &RolloutState { forced: Some(forced), ..minimal });
}

#[test]
fn forced_flags() {
    let asked = ForceFlag {
        to: ForceTo::Variant("plain".into()),
        reason: some("It charges twice"),
        grow_seconds: Some(3),
        watch_seconds: Some(120),
    };
    golden("native.force-flag.full", &asked);
    let minimal = ForceFlag { to: ForceTo::Off, reason: None, grow_seconds: None, watch_seconds: None };
    golden("native.force-flag.minimal", &minimal);
    let growing = ForcedFlag {
        flag: "checkout".into(),
        to: ForceTo::Off,
        by: "AKIAIOSFODNN7EXAMPLE".into(),
        reason: "It charges twice".into(),
        forced_at: time("2026-09-28T12:00:00Z"),
        grows_until: Some(time("2026-09-28T12:00:05Z")),
        grown_at: None,
        watched_until: None,
        alarms_disregarded: vec!["latency".into()],
        before: Some(ForceTo::Variant("plain".into())),
    };
    let grown = ForcedFlag {
        flag: "banner".into(),
        grows_until: None,
        grown_at: Some(time("2026-09-28T11:00:05Z")),
        watched_until: Some(time("2026-09-28T11:01:05Z")),
        alarms_disregarded: vec![],
        before: None,
        ..growing.clone()
    };
    let by_alarm = ReleasedFlag {
        forced: grown.clone(),
        released_at: time("2026-09-28T11:00:42Z"),
        released_by: None,
        release_reason: None,
        alarm: some("errors"),
    };
    let by_hand = ReleasedFlag {
        released_by: some("AKIAIOSFODNN7EXAMPLE"),
        release_reason: some("Mended"),
        alarm: None,
        ..by_alarm.clone()
    };
    golden(
        "native.forced-flags",
        &ForcedFlags { items: vec![growing, grown], released: vec![by_alarm, by_hand] },
    );
}

#[test]
fn ways_back() {
    let full = DeploymentConfirmation {
        deployment: 12,
        state: DeploymentState::Baking,
        confirm_within_seconds: 1_800,
        confirm_by: Some(time("2026-09-28T11:59:58.004Z")),
        confirmed_at: Some(time("2026-09-28T11:59:58.004Z")),
        confirmed_by: some("YDMADMIN"),
        reason: some("orders come in"),
    };
    golden("native.deployment-confirmation.full", &full);
    let minimal = DeploymentConfirmation {
        confirm_by: None,
        confirmed_at: None,
        confirmed_by: None,
        reason: None,
        ..full
    };
    golden("native.deployment-confirmation.minimal", &minimal);
    let reverted = RevertedFlag {
        flag: "checkout".into(),
        as_in_version: 3,
        version: 9,
        deployment: 12,
        state: DeploymentState::Deploying,
    };
    golden("native.reverted-flag", &reverted);
}

#[test]
fn deliveries() {
    let full = Delivery {
        delivery_id: "17-0".into(),
        state: DeliveryState::GivenUp,
        extension_id: "e3xt9aa".into(),
        extension_association_id: "a7x2kq1".into(),
        action_point: "ON_DEPLOYMENT_START".into(),
        action_name: "tell".into(),
        uri: "https://chat.example/hook".into(),
        application_id: "3zgdtsk".into(),
        environment_id: "6a2reud".into(),
        deployment_number: 12,
        occurred_at: time("2026-09-28T11:59:58.004Z"),
        attempts: Some(12),
        error_code: some("TimedOut"),
        error_message: some("no answer within 15 s"),
        given_up_at: Some(time("2026-09-28T11:59:58.004Z")),
    };
    golden("native.delivery.full", &full);
    let minimal = Delivery {
        state: DeliveryState::Waiting,
        attempts: None,
        error_code: None,
        error_message: None,
        given_up_at: None,
        ..full
    };
    golden("native.delivery.minimal", &minimal);
    golden(
        "native.signing-secret",
        &SigningSecret { extension_id: "e3xt9aa".into(), secret: "whsec_AAAA".into() },
    );
}

#[test]
fn server_and_health() {
    golden(
        "native.server",
        &ServerInfo {
            version: "0.1.0".into(),
            region: "us-east-1".into(),
            account_id: "000000000000".into(),
            dev: true,
            seq: 1234,
        },
    );
    let stale = Health {
        status: HealthStatus::Stale,
        seq: 1234,
        stale_for_seconds: 17,
        why: some("the database does not answer"),
    };
    golden("native.health.full", &stale);
    golden(
        "native.health.minimal",
        &Health { status: HealthStatus::Ok, seq: 1234, stale_for_seconds: 0, why: None },
    );
}

#[test]
fn problems() {
    golden(
        "native.problem.full",
        &Problem {
            problem_type: "urn:yardarm:problem:invalid-request".into(),
            detail: some("1 member is wrong"),
            request_id: some("5b0e3a2e-6f3c-4b52-9d6c-0f1c6f0a7b11"),
            errors: vec![
                ProblemError { detail: "must have 1 to 64 characters".into(), pointer: some("/name") },
                ProblemError { detail: "the body is empty".into(), pointer: None },
            ],
            ..Problem::of_status(StatusCode::BAD_REQUEST)
        },
    );
    golden("native.problem.minimal", &Problem::of_status(StatusCode::SERVICE_UNAVAILABLE));
}
