//! Events on disk. The golden files are what is in people's logs: a changed one is a log that cannot be read any more.
#![expect(clippy::unwrap_used, reason = "a failing test panics")]

use jiff::Timestamp;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use yardarm_domain::rollout::{Begin, GrowthFactor, GrowthType, Plan, Transition, TriggeredBy};
use yardarm_domain::{
    AccountSettings, AlarmOverride, AlarmSource, AlarmState, CloudWatchAlarm, Comparison, ConfirmWithin,
    ContentHash, ContentRef, DeploymentNumber, Event, Evidence, Exposure, FreshFor, Gate, MissingData,
    Monitor, Percent, ProfileType, PrometheusAlarm, ReplicateTo, Resource, SealedSecret, Stopped, Tags,
    Threshold, TokenHash, TokenScope, UnknownEvent, Validator, VersionNumber,
};
use yardarm_testkit::events::{KINDS, one_of_each, ordinal};

#[test]
fn every_event_is_written_as_it_always_was() {
    let mut seen = BTreeMap::new();
    for event in one_of_each() {
        let (kind, version, body) = event.write().unwrap();
        let count = seen.entry(kind.clone()).and_modify(|count| *count += 1).or_insert(1);
        let name = if *count == 1 { kind.clone() } else { format!("{kind}-{count}") };
        insta::assert_snapshot!(name, format!("{kind} {version}\n{body}"));
        assert_eq!(Event::read(&kind, version, &body).unwrap(), event);
    }
}

#[test]
fn no_kind_is_forgotten() {
    let ordinals: BTreeSet<usize> = one_of_each().iter().map(ordinal).collect();
    assert_eq!(ordinals, (0..KINDS).collect());
    let kinds: BTreeSet<String> = one_of_each().iter().map(|event| event.write().unwrap().0).collect();
    assert_eq!(kinds.len(), KINDS, "no two share a name");
}

#[test]
fn an_event_of_a_newer_release_is_an_error() {
    let body = r#"{"application":"app1234"}"#;
    assert!(Event::read("application-deleted", 1, body).is_ok());
    let newer = Event::read("application-deleted", 2, body).unwrap_err();
    assert!(matches!(newer, UnknownEvent::Kind { version: 2, .. }), "{newer}");
    for kind in ["application-archived", "ApplicationDeleted", ""] {
        assert!(Event::read(kind, 1, body).is_err(), "{kind}");
    }
}

#[test]
fn a_damaged_body_is_an_error() {
    for body in
        ["", "null", "[]", "7", "\"x\"", "{", "{}", r#"{"application":"no id"}"#, r#"{"application":7}"#]
    {
        let damaged = Event::read("application-deleted", 1, body).unwrap_err();
        assert!(matches!(damaged, UnknownEvent::Body { .. }), "{body}: {damaged}");
    }
}

#[test]
fn members_that_came_later_may_be_missing() {
    let body = r#"{"application":"app1234","name":"shop","description":null}"#;
    let read = Event::read("application-created", 1, body).unwrap();
    let Event::ApplicationCreated { tags, .. } = read else { panic!("{read:?}") };
    assert_eq!(tags, Tags::default());
}

fn parsed<T: std::str::FromStr + std::fmt::Debug>(pattern: &'static str) -> impl Strategy<Value = T>
where
    T::Err: std::fmt::Debug,
{
    pattern.prop_map(|text: String| text.parse().unwrap())
}

fn id<T: std::str::FromStr<Err: std::fmt::Debug> + std::fmt::Debug>() -> impl Strategy<Value = T> {
    parsed("[a-z0-9]{4,7}")
}

fn text<T: std::str::FromStr<Err: std::fmt::Debug> + std::fmt::Debug>() -> impl Strategy<Value = T> {
    parsed("\\PC{20,40}x")
}

fn maybe<T: std::fmt::Debug>(strategy: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
    proptest::option::of(strategy)
}

fn some_tags() -> impl Strategy<Value = Tags> {
    proptest::collection::btree_map("[a-z]{1,9}", "\\PC{0,9}", 0..4)
        .prop_map(|pairs| Tags::new(pairs).unwrap())
}

fn some_content() -> impl Strategy<Value = ContentRef> {
    (any::<[u8; 32]>(), any::<u64>())
        .prop_map(|(hash, size_bytes)| ContentRef { hash: ContentHash(hash), size_bytes })
}

fn some_factor() -> impl Strategy<Value = GrowthFactor> {
    (10_000..=1_000_000_u32).prop_map(|ppm| GrowthFactor::from_parts_per_million(ppm).unwrap())
}

fn some_growth() -> impl Strategy<Value = GrowthType> {
    prop_oneof![Just(GrowthType::Linear), Just(GrowthType::Exponential)]
}

fn some_plan() -> impl Strategy<Value = Plan> {
    let begin = prop_oneof![Just(Begin::AfterInterval), Just(Begin::AtOnce)];
    (any::<u32>(), any::<u32>(), some_growth(), some_factor(), begin).prop_map(
        |(duration_s, bake_s, growth, factor, begin)| Plan { duration_s, bake_s, growth, factor, begin },
    )
}

fn some_time() -> impl Strategy<Value = Timestamp> {
    (-4_000_000_000_000..4_000_000_000_000_i64).prop_map(|ms| Timestamp::from_millisecond(ms).unwrap())
}

fn some_transition() -> impl Strategy<Value = Transition> {
    let exposure = (0..=1_000_000_u32).prop_map(|ppm| Exposure::from_parts_per_million(ppm).unwrap());
    prop_oneof![
        Just(Transition::Begun),
        (any::<u32>(), exposure, some_time()).prop_map(|(step, exposure, since)| Transition::Advanced {
            step,
            exposure,
            since
        }),
        some_time().prop_map(|since| Transition::BakeStarted { since }),
        Just(Transition::Completed),
        prop_oneof![Just(TriggeredBy::User), Just(TriggeredBy::Yardarm)].prop_map(Transition::RolledBack),
        (text(), some_state())
            .prop_map(|(alarm, state)| Transition::RolledBack(TriggeredBy::Alarm { alarm, state })),
        Just(Transition::Reverted),
        some_time().prop_map(|since| Transition::Rescheduled { since }),
    ]
}

fn some_state() -> impl Strategy<Value = AlarmState> {
    prop_oneof![Just(AlarmState::Ok), Just(AlarmState::Alarm), Just(AlarmState::InsufficientData)]
}

fn some_alarm_source() -> impl Strategy<Value = AlarmSource> {
    let url = || parsed("http://[a-z]{1,9}:[1-9]{1,4}");
    let comparison = prop_oneof![
        Just(Comparison::Above),
        Just(Comparison::AtLeast),
        Just(Comparison::Below),
        Just(Comparison::AtMost)
    ];
    let missing = prop_oneof![
        Just(MissingData::Missing),
        Just(MissingData::NotBreaching),
        Just(MissingData::Breaching)
    ];
    let threshold = any::<f64>().prop_filter_map("finite", |number| Threshold::new(number).ok());
    let prometheus = (url(), text(), comparison, threshold, any::<u32>(), missing).prop_map(
        |(url, query, comparison, threshold, for_s, missing_data)| {
            AlarmSource::Prometheus(PrometheusAlarm {
                url,
                query,
                comparison,
                threshold,
                for_s,
                missing_data,
            })
        },
    );
    let cloudwatch = (text(), parsed("[a-z0-9-]{1,9}"), maybe(url())).prop_map(|(name, region, endpoint)| {
        AlarmSource::CloudWatch(CloudWatchAlarm { name, region, endpoint })
    });
    prop_oneof![prometheus, Just(AlarmSource::Pushed), cloudwatch]
}

fn some_evidence() -> impl Strategy<Value = Evidence> {
    let firing = proptest::collection::vec(parsed("[0-9a-f]{16}"), 0..3);
    (some_state(), some_time(), some_time(), maybe(some_time()), any::<bool>(), maybe(text()), firing)
        .prop_map(|(state, at, since, breaching_since, actions_enabled, reason, firing)| Evidence {
            state,
            at,
            since,
            breaching_since,
            actions_enabled,
            reason,
            firing,
        })
}

fn some_alarm_event() -> impl Strategy<Value = Event> {
    let secret = || maybe(any::<[u8; 32]>().prop_map(TokenHash));
    let fresh = (5..604_800_u32).prop_map(|seconds| FreshFor::try_from(seconds).unwrap());
    prop_oneof![
        (text(), maybe(text()), some_alarm_source(), fresh, any::<bool>(), secret()).prop_map(
            |(alarm, description, source, fresh_for, actions_enabled, secret)| Event::AlarmPut {
                alarm,
                description,
                source,
                fresh_for,
                actions_enabled,
                secret
            }
        ),
        (text(), maybe(any::<bool>()))
            .prop_map(|(alarm, actions_enabled)| Event::AlarmUpdated { alarm, actions_enabled }),
        text().prop_map(|alarm| Event::AlarmDeleted { alarm }),
        (text(), some_evidence()).prop_map(|(alarm, evidence)| Event::AlarmReported { alarm, evidence }),
    ]
}

fn some_override() -> impl Strategy<Value = AlarmOverride> {
    (proptest::collection::vec(text(), 1..3), "\\PC{0,20}", "\\PC{1,20}")
        .prop_map(|(alarms, by, reason)| AlarmOverride { alarms, by, reason })
}

fn some_gate() -> impl Strategy<Value = Gate> {
    let percent = || (0..=100_u8).prop_map(|percent| Percent::try_from(percent).unwrap());
    (percent(), percent()).prop_map(|(applied, refused)| Gate { applied, refused })
}

fn some_monitors() -> impl Strategy<Value = Vec<Monitor>> {
    let monitor =
        (text(), maybe(text())).prop_map(|(alarm_arn, alarm_role_arn)| Monitor { alarm_arn, alarm_role_arn });
    proptest::collection::vec(monitor, 0..3)
}

fn some_validators() -> impl Strategy<Value = Vec<Validator>> {
    proptest::collection::vec("\\PC{0,40}".prop_map(Validator::JsonSchema), 0..3)
}

fn some_resource() -> impl Strategy<Value = Resource> {
    prop_oneof![
        id().prop_map(Resource::Application),
        (id(), id()).prop_map(|(app, env)| Resource::Environment(app, env)),
        (id(), id()).prop_map(|(app, profile)| Resource::Profile(app, profile)),
        (id(), id(), 1..9_u32).prop_map(|(app, profile, n)| Resource::HostedVersion(
            app,
            profile,
            VersionNumber(n)
        )),
        (id(), id(), 1..9_u32).prop_map(|(app, env, n)| Resource::Deployment(app, env, DeploymentNumber(n))),
        id().prop_map(Resource::Strategy),
    ]
}

fn some_kind() -> impl Strategy<Value = ProfileType> {
    prop_oneof![Just(ProfileType::Freeform), Just(ProfileType::FeatureFlags)]
}

fn sealed() -> impl Strategy<Value = SealedSecret> {
    "\\PC{0,40}".prop_map(SealedSecret)
}

fn some_resource_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (id(), text(), maybe(text()), some_tags()).prop_map(|(application, name, description, tags)| {
            Event::ApplicationCreated { application, name, description, tags }
        }),
        (id(), maybe(text()), maybe(text())).prop_map(|(application, name, description)| {
            Event::ApplicationUpdated { application, name, description }
        }),
        (id(), id(), text(), maybe(text()), some_monitors(), some_tags()).prop_map(
            |(application, environment, name, description, monitors, tags)| Event::EnvironmentCreated {
                application,
                environment,
                name,
                description,
                monitors,
                tags
            }
        ),
        (id(), id(), maybe(text()), maybe(text()), maybe(some_monitors())).prop_map(
            |(application, environment, name, description, monitors)| Event::EnvironmentUpdated {
                application,
                environment,
                name,
                description,
                monitors
            }
        ),
        (id(), id(), text(), maybe(text()), some_kind(), some_validators(), some_tags()).prop_map(
            |(application, profile, name, description, kind, validators, tags)| {
                Event::ConfigurationProfileCreated {
                    application,
                    profile,
                    name,
                    description,
                    kind,
                    validators,
                    tags,
                }
            }
        ),
        (id(), id(), maybe(text()), maybe(text()), maybe(some_validators())).prop_map(
            |(application, profile, name, description, validators)| Event::ConfigurationProfileUpdated {
                application,
                profile,
                name,
                description,
                validators
            }
        ),
        (id(), id(), 1..u32::MAX, maybe(text()), some_content(), parsed("[ -~]{1,40}"), maybe(text()))
            .prop_map(|(application, profile, version, description, content, content_type, label)| {
                Event::HostedVersionCreated {
                    application,
                    profile,
                    version: VersionNumber(version),
                    description,
                    content,
                    content_type,
                    label,
                }
            }),
        (some_resource(), some_tags()).prop_map(|(resource, tags)| Event::ResourceTagged { resource, tags }),
        (some_resource(), proptest::collection::vec("\\PC{1,9}", 0..3))
            .prop_map(|(resource, keys)| Event::ResourceUntagged { resource, keys }),
        (any::<bool>(), any::<u32>(), maybe(any::<bool>())).prop_map(
            |(deletion_protection, protection_period_min, vended_metrics)| Event::AccountSettingsUpdated {
                settings: AccountSettings { deletion_protection, protection_period_min, vended_metrics }
            }
        ),
    ]
}

fn some_deployment_event() -> impl Strategy<Value = Event> {
    let names = (id(), id(), id(), text(), id());
    let figures = (1..u32::MAX, 1..u32::MAX, some_plan(), any::<bool>());
    let within = (10_u32..=86_400).prop_map(|seconds| ConfirmWithin::try_from(seconds).unwrap());
    let overrides = (maybe(some_override()), proptest::collection::vec(text(), 0..3));
    let evidence = (overrides, maybe(within), maybe(some_gate()));
    let rest =
        (some_kind(), maybe(text()), some_content(), parsed("[ -~]{1,40}"), maybe(text()), some_tags());
    let started = (names, figures, rest, evidence).prop_map(
        |(
            (application, environment, profile, configuration_name, strategy),
            (number, version, plan, queued),
            (kind, label, content, content_type, description, tags),
            ((alarms_overridden, alarms_not_watched), confirm_within, gate),
        )| Event::DeploymentStarted {
            application,
            environment,
            deployment: DeploymentNumber(number),
            profile,
            configuration_name,
            kind,
            strategy,
            version: VersionNumber(version),
            label,
            content,
            content_type,
            description,
            plan,
            tags,
            queued,
            extensions: vec![],
            invocations: vec![],
            alarms_overridden,
            alarms_not_watched,
            confirm_within,
            gate,
        },
    );
    let created =
        (id(), text(), maybe(text()), any::<u32>(), any::<u32>(), some_growth(), some_factor(), some_tags());
    prop_oneof![
        started,
        (id(), id(), 1..u32::MAX, some_transition(), maybe(("\\PC{0,9}", "\\PC{0,9}"))).prop_map(
            |(application, environment, number, transition, stopped)| {
                let deployment = DeploymentNumber(number);
                let stopped = stopped.map(|(by, reason)| Stopped { by, reason });
                Event::DeploymentStepped {
                    application,
                    environment,
                    deployment,
                    step: transition.into(),
                    stopped,
                }
            }
        ),
        (id(), id(), 1..u32::MAX, "\\PC{0,9}", maybe(text())).prop_map(
            |(application, environment, number, by, reason)| {
                let deployment = DeploymentNumber(number);
                Event::DeploymentConfirmed { application, environment, deployment, by, reason }
            }
        ),
        created.prop_map(|(strategy, name, description, duration_s, bake_s, growth, factor, tags)| {
            let replicate_to = ReplicateTo::None;
            Event::DeploymentStrategyCreated {
                strategy,
                name,
                description,
                duration_s,
                bake_s,
                growth,
                factor,
                replicate_to,
                tags,
            }
        }),
        (
            id(),
            maybe(text()),
            maybe(any::<u32>()),
            maybe(any::<u32>()),
            maybe(some_growth()),
            maybe(some_factor())
        )
            .prop_map(|(strategy, description, duration_s, bake_s, growth, factor)| {
                Event::DeploymentStrategyUpdated { strategy, description, duration_s, bake_s, growth, factor }
            }),
    ]
}

fn some_token_event() -> impl Strategy<Value = Event> {
    let scope = prop_oneof![Just(TokenScope::Evaluate), Just(TokenScope::Read)];
    let names = (parsed("[a-z0-9]{12}"), text(), maybe(text()));
    (names, id(), id(), scope, any::<[u8; 32]>(), maybe(some_time())).prop_map(
        |((token, name, description), application, environment, scope, hash, expires_at)| {
            Event::BearerTokenCreated {
                token,
                name,
                description,
                application,
                environment,
                scope,
                hash: TokenHash(hash),
                expires_at,
            }
        },
    )
}

fn some_secret_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (id(), text(), maybe(text()), sealed()).prop_map(|(access_key, name, description, secret)| {
            Event::AccessKeyCreated { access_key, name, description, secret }
        }),
        (id(), maybe(any::<bool>()), maybe(text()), maybe(text())).prop_map(
            |(access_key, enabled, name, description)| Event::AccessKeyUpdated {
                access_key,
                enabled,
                name,
                description
            }
        ),
        some_token_event(),
        sealed().prop_map(|sealed| Event::TokenKeyCreated { sealed }),
        (maybe(sealed()), maybe(sealed()), proptest::collection::vec((id(), sealed()), 0..3)).prop_map(
            |(token_key, signing_key, access_keys)| Event::SecretsResealed {
                token_key,
                signing_key,
                access_keys
            }
        ),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        event in prop_oneof![
            some_resource_event(),
            some_deployment_event(),
            some_secret_event(),
            some_alarm_event(),
        ],
    ) {
        let (kind, version, body) = event.write().unwrap();
        prop_assert_eq!(version, Event::VERSION);
        prop_assert!(!kind.is_empty());
        prop_assert_eq!(Event::read(&kind, version, &body).unwrap(), event);
    }

    #[test]
    fn no_text_makes_the_reader_panic(kind in "[a-z-]{0,30}", body in "\\PC{0,60}") {
        prop_assert!(Event::read(&kind, 1, &body).is_err());
    }
}
