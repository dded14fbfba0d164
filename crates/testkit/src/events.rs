//! One event of every kind, for tests that must miss none.

use jiff::Timestamp;
use std::collections::BTreeMap;
use std::str::FromStr;
use yardarm_domain::rollout::{Begin, GrowthFactor, GrowthType, Plan, Transition, TriggeredBy};
use yardarm_domain::{
    AccountSettings, Action, ActionPoint, Actions, AlarmOverride, AlarmSource, AlarmState, AppliedExtension,
    CloudWatchAlarm, Comparison, ConfirmWithin, ContentHash, ContentRef, DeliveryId, DeploymentNumber, Event,
    Evidence, Exposure, ExtensionVersionNumber, Failure, ForceTo, FreshFor, Gate, Invocation, Measure,
    MeasureEnd, Measured, MissingData, Monitor, Parameter, Percent, ProfileType, PrometheusAlarm,
    ReplicateTo, Resource, SealedSecret, Stopped, Tags, Threshold, TokenHash, TokenScope, Validator,
    VersionNumber,
};

/// How many kinds of events there are. A new one does not compile before [`ordinal`] knows it.
pub const KINDS: usize = 45;

/// The place of an event's kind, from zero.
#[must_use]
pub fn ordinal(event: &Event) -> usize {
    match event {
        Event::ApplicationCreated { .. } => 0,
        Event::ApplicationUpdated { .. } => 1,
        Event::ApplicationDeleted { .. } => 2,
        Event::EnvironmentCreated { .. } => 3,
        Event::EnvironmentUpdated { .. } => 4,
        Event::EnvironmentDeleted { .. } => 5,
        Event::ConfigurationProfileCreated { .. } => 6,
        Event::ConfigurationProfileUpdated { .. } => 7,
        Event::ConfigurationProfileDeleted { .. } => 8,
        Event::HostedVersionCreated { .. } => 9,
        Event::HostedVersionDeleted { .. } => 10,
        Event::DeploymentStrategyCreated { .. } => 11,
        Event::DeploymentStrategyUpdated { .. } => 12,
        Event::DeploymentStrategyDeleted { .. } => 13,
        Event::DeploymentStarted { .. } => 14,
        Event::DeploymentStepped { .. } => 15,
        Event::ResourceTagged { .. } => 16,
        Event::ResourceUntagged { .. } => 17,
        Event::AccountSettingsUpdated { .. } => 18,
        Event::AccessKeyCreated { .. } => 19,
        Event::AccessKeyUpdated { .. } => 20,
        Event::AccessKeyDeleted { .. } => 21,
        Event::TokenKeyCreated { .. } => 22,
        Event::SecretsResealed { .. } => 23,
        Event::BearerTokenCreated { .. } => 24,
        Event::BearerTokenRevoked { .. } => 25,
        Event::ExtensionVersionCreated { .. } => 26,
        Event::ExtensionVersionUpdated { .. } => 27,
        Event::ExtensionVersionDeleted { .. } => 28,
        Event::ExtensionAssociationCreated { .. } => 29,
        Event::ExtensionAssociationUpdated { .. } => 30,
        Event::ExtensionAssociationDeleted { .. } => 31,
        Event::DeploymentTicked { .. } => 32,
        Event::DeploymentConfirmed { .. } => 40,
        Event::DeliveryEnded { .. } => 33,
        Event::DeliveryResumed { .. } => 34,
        Event::SigningKeyCreated { .. } => 35,
        Event::AlarmPut { .. } => 36,
        Event::AlarmUpdated { .. } => 37,
        Event::AlarmDeleted { .. } => 38,
        Event::AlarmReported { .. } => 39,
        Event::DeploymentMeasured { .. } => 41,
        Event::FlagForced { .. } => 42,
        Event::FlagForceGrown { .. } => 43,
        Event::FlagReleased { .. } => 44,
    }
}

#[expect(clippy::expect_used, reason = "constants, all of which are right")]
fn it<T: FromStr>(text: &str) -> T {
    text.parse().ok().expect("a valid constant")
}

/// Every kind at least once, with everything in it that can be there, and every step of a deployment.
///
/// # Panics
/// Never: the constants are right.
#[must_use]
pub fn one_of_each() -> Vec<Event> {
    let mut events = resources();
    events.extend(deployments());
    events.extend(secrets());
    events.extend(extensions());
    events.extend(alarms());
    events.extend(forced_flags());
    events
}

#[expect(clippy::expect_used, reason = "a constant")]
fn tags() -> Tags {
    Tags::new(BTreeMap::from([("team".into(), "checkout".into())])).expect("tags")
}

fn content() -> ContentRef {
    ContentRef { hash: ContentHash([0xab; 32]), size_bytes: 42 }
}

fn monitors() -> Vec<Monitor> {
    let role = it("arn:aws:iam::123456789012:role/alarms");
    vec![
        Monitor {
            alarm_arn: it("arn:aws:cloudwatch:us-east-1:123456789012:alarm:errors"),
            alarm_role_arn: Some(role),
        },
        Monitor { alarm_arn: it("latency"), alarm_role_arn: None },
    ]
}

#[expect(clippy::expect_used, reason = "a constant")]
fn factor() -> GrowthFactor {
    GrowthFactor::from_parts_per_million(333_000).expect("a factor")
}

fn resources() -> Vec<Event> {
    vec![
        Event::ApplicationCreated {
            application: it("app1234"),
            name: it("shop"),
            description: Some(it("Sells things")),
            tags: tags(),
        },
        Event::ApplicationUpdated {
            application: it("app1234"),
            name: Some(it("store")),
            description: Some(it("")),
        },
        Event::ApplicationDeleted { application: it("app1234") },
        Event::EnvironmentCreated {
            application: it("app1234"),
            environment: it("env1234"),
            name: it("production"),
            description: None,
            monitors: monitors(),
            tags: tags(),
        },
        Event::EnvironmentUpdated {
            application: it("app1234"),
            environment: it("env1234"),
            name: None,
            description: Some(it("Live")),
            monitors: Some(vec![]),
        },
        Event::EnvironmentDeleted { application: it("app1234"), environment: it("env1234") },
        Event::ConfigurationProfileCreated {
            application: it("app1234"),
            profile: it("prof123"),
            name: it("flags"),
            description: None,
            kind: ProfileType::FeatureFlags,
            validators: vec![Validator::JsonSchema(r#"{"type":"object"}"#.into())],
            tags: Tags::default(),
        },
        Event::ConfigurationProfileUpdated {
            application: it("app1234"),
            profile: it("prof123"),
            name: Some(it("all flags")),
            description: None,
            validators: Some(vec![]),
        },
        Event::ConfigurationProfileDeleted { application: it("app1234"), profile: it("prof123") },
        Event::HostedVersionCreated {
            application: it("app1234"),
            profile: it("prof123"),
            version: VersionNumber(3),
            description: Some(it("Faster")),
            content: content(),
            content_type: it("application/json"),
            label: Some(it("v3")),
        },
        Event::HostedVersionDeleted {
            application: it("app1234"),
            profile: it("prof123"),
            version: VersionNumber(3),
        },
        Event::DeploymentStrategyCreated {
            strategy: it("strat12"),
            name: it("slowly"),
            description: None,
            duration_s: 1_200,
            bake_s: 600,
            growth: GrowthType::Exponential,
            factor: factor(),
            replicate_to: ReplicateTo::SsmDocument,
            tags: tags(),
        },
        Event::DeploymentStrategyUpdated {
            strategy: it("strat12"),
            description: None,
            duration_s: Some(0),
            bake_s: None,
            growth: Some(GrowthType::Linear),
            factor: None,
        },
        Event::DeploymentStrategyDeleted { strategy: it("strat12") },
        Event::ResourceTagged {
            resource: Resource::Deployment(it("app1234"), it("env1234"), DeploymentNumber(7)),
            tags: tags(),
        },
        Event::ResourceUntagged {
            resource: Resource::Strategy(it("AppConfig.AllAtOnce")),
            keys: vec!["team".into()],
        },
        Event::AccountSettingsUpdated {
            settings: AccountSettings {
                deletion_protection: true,
                protection_period_min: 15,
                vended_metrics: Some(false),
            },
        },
    ]
}

#[expect(clippy::expect_used, reason = "constants")]
fn deployments() -> Vec<Event> {
    let since = it("2026-09-28T12:00:00.123Z");
    let exposure = Exposure::from_parts_per_million(333_000).expect("an exposure");
    let plan = Plan {
        duration_s: 60,
        bake_s: 60,
        growth: GrowthType::Linear,
        factor: factor(),
        begin: Begin::AtOnce,
    };
    let started = Event::DeploymentStarted {
        application: it("app1234"),
        environment: it("env1234"),
        deployment: DeploymentNumber(7),
        profile: it("prof123"),
        configuration_name: it("flags"),
        kind: ProfileType::Freeform,
        strategy: it("AppConfig.Linear50PercentEvery30Seconds"),
        version: VersionNumber(3),
        label: Some(it("v3")),
        content: content(),
        content_type: it("text/plain"),
        description: Some(it("Friday")),
        plan,
        tags: tags(),
        queued: true,
        alarms_overridden: None,
        alarms_not_watched: vec![],
        confirm_within: None,
        gate: None,
        extensions: vec![],
        invocations: vec![],
    };
    let mut extended = started.clone();
    if let Event::DeploymentStarted { extensions, invocations, .. } = &mut extended {
        *extensions = vec![applied()];
        *invocations = vec![invocation(None)];
    }
    let mut over_alarms = started.clone();
    if let Event::DeploymentStarted { alarms_overridden, alarms_not_watched, .. } = &mut over_alarms {
        *alarms_overridden = Some(AlarmOverride {
            alarms: vec![it("errors")],
            by: "YDMADMIN".into(),
            reason: "It is what mends it".into(),
        });
        *alarms_not_watched = vec![it("latency")];
    }
    let mut unconfirmed = started.clone();
    if let Event::DeploymentStarted { confirm_within, .. } = &mut unconfirmed {
        *confirm_within = ConfirmWithin::try_from(600).ok();
    }
    let mut gated = started.clone();
    if let Event::DeploymentStarted { gate, .. } = &mut gated {
        *gate = Some(Gate { applied: Percent::ALL, refused: Percent::NONE });
    }
    let transitions = [
        Transition::Begun,
        Transition::Advanced { step: 1, exposure, since },
        Transition::BakeStarted { since },
        Transition::Completed,
        Transition::RolledBack(TriggeredBy::User),
        Transition::RolledBack(TriggeredBy::Yardarm),
        Transition::Reverted,
        Transition::Rescheduled { since },
        Transition::RolledBack(TriggeredBy::Alarm {
            alarm: it("errors"),
            state: AlarmState::InsufficientData,
        }),
        Transition::RolledBack(TriggeredBy::Unconfirmed),
        Transition::RolledBack(TriggeredBy::Refused { refused: 2, exposed: 9 }),
    ];
    let stepped = transitions.map(|transition| Event::DeploymentStepped {
        application: it("app1234"),
        environment: it("env1234"),
        deployment: DeploymentNumber(7),
        step: transition.into(),
        stopped: None,
    });
    let stopped = Event::DeploymentStepped {
        application: it("app1234"),
        environment: it("env1234"),
        deployment: DeploymentNumber(7),
        step: Transition::RolledBack(TriggeredBy::User).into(),
        stopped: Some(Stopped { by: "YDMADMIN".into(), reason: "It sells nothing".into() }),
    };
    let confirmed = Event::DeploymentConfirmed {
        application: it("app1234"),
        environment: it("env1234"),
        deployment: DeploymentNumber(7),
        by: "YDMADMIN".into(),
        reason: Some(it("Looks good")),
    };
    let measured = Event::DeploymentMeasured {
        application: it("app1234"),
        environment: it("env1234"),
        deployment: DeploymentNumber(7),
        measure: Measure {
            of: Measured::Rollback,
            evidence_at: Some(since),
            decided_at: since,
            served_ms: 3,
            clients: 40,
            half_ms: Some(20),
            nearly_all_ms: Some(70),
            all_ms: None,
            ended: MeasureEnd::GivenUp,
        },
    };
    [started, extended, over_alarms, unconfirmed, gated]
        .into_iter()
        .chain(stepped)
        .chain([stopped, confirmed, measured])
        .collect()
}

fn applied() -> AppliedExtension {
    AppliedExtension {
        association: it("ass1234"),
        extension: it("ext1234"),
        version: ExtensionVersionNumber(2),
        parameters: BTreeMap::from([(it("channel"), it("#deployments"))]),
    }
}

fn invocation(failure: Option<Failure>) -> Invocation {
    Invocation {
        id: it("inv1234"),
        point: ActionPoint::PreStartDeployment,
        association: it("ass1234"),
        extension: it("ext1234"),
        action: it("check"),
        uri: it("https://checks.example/yardarm"),
        role: Some(it("arn:aws:iam::123456789012:role/checks")),
        failure,
    }
}

fn extensions() -> Vec<Event> {
    let failure = Failure { code: "TimedOut".into(), message: "no answer within 15 s".into() };
    let action = Action {
        name: it("check"),
        description: Some(it("Asks the on-call engineer")),
        uri: it("https://checks.example/yardarm"),
        role: Some(it("arn:aws:iam::123456789012:role/checks")),
    };
    let points = [
        ActionPoint::PreCreateHostedConfigurationVersion,
        ActionPoint::PreStartDeployment,
        ActionPoint::AtDeploymentTick,
        ActionPoint::OnDeploymentStart,
        ActionPoint::OnDeploymentStep,
        ActionPoint::OnDeploymentBaking,
        ActionPoint::OnDeploymentComplete,
        ActionPoint::OnDeploymentRolledBack,
    ];
    let actions: Actions = points.into_iter().map(|point| (point, action.clone())).collect();
    let parameter = |required, dynamic| Parameter { description: Some(it("Where to")), required, dynamic };
    let parameters =
        BTreeMap::from([(it("channel"), parameter(true, false)), (it("mention"), parameter(false, true))]);
    let delivery = DeliveryId { position: 42, index: 1 };
    vec![
        Event::ExtensionVersionCreated {
            extension: it("ext1234"),
            version: ExtensionVersionNumber(2),
            name: it("checks"),
            description: Some(it("Watches")),
            actions: actions.clone(),
            parameters,
            tags: tags(),
        },
        Event::ExtensionVersionUpdated {
            extension: it("ext1234"),
            version: ExtensionVersionNumber(2),
            description: None,
            actions: Some(actions),
            parameters: None,
        },
        Event::ExtensionVersionDeleted { extension: it("ext1234"), version: ExtensionVersionNumber(2) },
        Event::ExtensionAssociationCreated {
            association: it("ass1234"),
            extension: it("ext1234"),
            version: ExtensionVersionNumber(2),
            resource: Resource::Environment(it("app1234"), it("env1234")),
            parameters: BTreeMap::from([(it("channel"), it("#deployments"))]),
            tags: tags(),
        },
        Event::ExtensionAssociationUpdated {
            association: it("ass1234"),
            parameters: BTreeMap::from([(it("channel"), it("#other"))]),
        },
        Event::ExtensionAssociationDeleted { association: it("ass1234") },
        Event::DeploymentTicked {
            application: it("app1234"),
            environment: it("env1234"),
            deployment: DeploymentNumber(7),
            invocations: vec![invocation(Some(failure.clone()))],
            roll_back: Some(it("Too many errors")),
        },
        Event::DeliveryEnded { delivery, failure: Some(failure), attempts: 12 },
        Event::DeliveryResumed { delivery },
        Event::SigningKeyCreated { sealed: SealedSecret("v1.00000001.c2lnbg".into()) },
    ]
}

fn forced_flags() -> Vec<Event> {
    let forced = |to, watch_s| Event::FlagForced {
        application: it("app1234"),
        environment: it("env1234"),
        profile: it("prof123"),
        flag: it("checkout"),
        to,
        by: "AKIAIOSFODNN7EXAMPLE".into(),
        reason: it("It charges twice"),
        until: it("2026-09-28T12:00:05.123Z"),
        watch_s,
        alarms_disregarded: vec![it("latency")],
    };
    let released = |triggered_by, by, reason| Event::FlagReleased {
        application: it("app1234"),
        environment: it("env1234"),
        profile: it("prof123"),
        flag: it("checkout"),
        triggered_by,
        by,
        reason,
    };
    let alarm = TriggeredBy::Alarm { alarm: it("errors"), state: AlarmState::Alarm };
    vec![
        forced(ForceTo::Off, 60),
        forced(ForceTo::Variant("old".into()), 0),
        Event::FlagForceGrown {
            application: it("app1234"),
            environment: it("env1234"),
            profile: it("prof123"),
        },
        released(TriggeredBy::User, Some("AKIAIOSFODNN7EXAMPLE".into()), Some(it("Mended"))),
        released(alarm, None, None),
    ]
}

#[expect(clippy::expect_used, reason = "constants")]
fn alarms() -> Vec<Event> {
    let put = |alarm, source, secret| Event::AlarmPut {
        alarm: it(alarm),
        description: Some(it("Too many errors")),
        source,
        fresh_for: FreshFor::POLLED,
        actions_enabled: true,
        secret,
    };
    let prometheus = PrometheusAlarm {
        url: it("http://127.0.0.1:9090"),
        query: it("rate(errors_total[1m])"),
        comparison: Comparison::Above,
        threshold: Threshold::new(0.05).expect("a threshold"),
        for_s: 30,
        missing_data: MissingData::NotBreaching,
    };
    let cloudwatch = CloudWatchAlarm {
        name: it("errors"),
        region: it("us-east-1"),
        endpoint: Some(it("http://127.0.0.1:4566")),
    };
    let evidence = Evidence {
        state: AlarmState::Alarm,
        at: it("2026-09-28T12:00:30Z"),
        since: it("2026-09-28T12:00:20Z"),
        breaching_since: Some(it("2026-09-28T11:59:50Z")),
        actions_enabled: true,
        reason: Some(it("0.07 > 0.05")),
        firing: vec![it("0123456789abcdef")],
    };
    vec![
        put("errors", AlarmSource::Prometheus(prometheus), None),
        put("latency", AlarmSource::Pushed, Some(TokenHash([171; 32]))),
        put(
            "arn:aws:cloudwatch:us-east-1:123456789012:alarm:errors",
            AlarmSource::CloudWatch(cloudwatch),
            None,
        ),
        Event::AlarmUpdated { alarm: it("errors"), actions_enabled: Some(false) },
        Event::AlarmDeleted { alarm: it("errors") },
        Event::AlarmReported { alarm: it("errors"), evidence },
    ]
}

fn secrets() -> Vec<Event> {
    let sealed = |text: &str| SealedSecret(format!("v1.00000001.{text}"));
    vec![
        Event::AccessKeyCreated {
            access_key: it("YDMEXAMPLE"),
            name: it("continuous integration"),
            description: None,
            secret: sealed("c2VjcmV0"),
        },
        Event::AccessKeyUpdated {
            access_key: it("YDMEXAMPLE"),
            enabled: Some(false),
            name: None,
            description: Some(it("Left")),
        },
        Event::AccessKeyDeleted { access_key: it("YDMEXAMPLE") },
        Event::BearerTokenCreated {
            token: it("tok123456789"),
            name: it("web shop"),
            description: Some(it("Browsers")),
            application: it("app1234"),
            environment: it("env1234"),
            scope: TokenScope::Evaluate,
            hash: TokenHash([171; 32]),
            expires_at: Timestamp::from_second(1_900_000_000).ok(),
        },
        Event::BearerTokenRevoked { token: it("tok123456789") },
        Event::TokenKeyCreated { sealed: sealed("dG9rZW4") },
        Event::SecretsResealed {
            token_key: Some(sealed("dG9rZW4")),
            signing_key: None,
            access_keys: vec![(it("YDMEXAMPLE"), sealed("c2VjcmV0"))],
        },
    ]
}
