//! Through OpenFeature's own client, as an application does.

use crate::following::{OFF, ON};
use crate::server::{Rig, until, until_version};
use open_feature::provider::{FeatureProvider, ProviderStatus};
use open_feature::{
    EvaluationContext, EvaluationErrorCode, EvaluationReason, FlagMetadataValue, OpenFeature, StructValue,
    Value,
};
use std::sync::Arc;
use std::time::Duration;
use yardarm_client::{Freshness, Provider};
use yardarm_domain::ProfileType;

const DOCUMENT: &str = r#"{"version": "1",
 "flags": {
  "plain": {}, "off": {},
  "banner": {"attributes": {"text": {}, "price": {}, "level": {}, "tags": {}}},
  "limit": {"attributes": {"value": {}}},
  "split": {},
  "tier": {"attributes": {"discount": {}}}
 },
 "values": {
  "plain": {"enabled": true}, "off": {"enabled": false},
  "banner": {"enabled": true, "text": "hello", "price": 4.5, "level": 3, "tags": ["a", "b"]},
  "limit": {"enabled": true, "value": 7},
  "split": {"_variants": [{"name": "in", "enabled": true, "rule": "(split pct::50 by::$targetingKey)"},
                          {"name": "out", "enabled": false}]},
  "tier": {"_variants": [
    {"name": "gold", "enabled": true, "rule": "(gt $orders 10)", "attributeValues": {"discount": 20}},
    {"name": "none", "enabled": false, "attributeValues": {"discount": 0}}]}
 }}"#;

fn text(text: &str) -> FlagMetadataValue {
    FlagMetadataValue::String(text.into())
}

#[tokio::test]
async fn an_application_asks_openfeature() {
    let rig = Rig::start(ProfileType::FeatureFlags).await;
    rig.shop.store(DOCUMENT, Some("spring")).await.unwrap();
    let at_once = rig.shop.strategy(0, 0, 100).await.unwrap();
    rig.shop.deploy(&at_once).await.unwrap();
    let flags = Arc::new(rig.follow(None).await);
    let mut api = OpenFeature::default();
    api.set_provider(Provider::new([flags])).await;
    let client = api.create_client();

    let plain = client.get_bool_details("plain", None, None).await.unwrap();
    assert_eq!((plain.value, plain.reason), (true, Some(EvaluationReason::Static)));
    assert_eq!(plain.variant.as_deref(), Some("default"));
    let told = [
        ("profile", text("settings")),
        ("version", text("1")),
        ("versionLabel", text("spring")),
        ("variant", text("default")),
    ];
    assert_eq!(plain.flag_metadata.values, told.map(|(name, value)| (name.to_owned(), value)).into());

    let off = client.get_bool_details("off", None, None).await.unwrap();
    assert_eq!((off.value, off.reason), (false, Some(EvaluationReason::Disabled)));

    assert_eq!(client.get_string_value("banner.text", None, None).await.unwrap(), "hello");
    assert_eq!(client.get_float_value("banner.price", None, None).await, Ok(4.5));
    assert_eq!(client.get_int_value("banner.level", None, None).await, Ok(3));
    assert_eq!(client.get_float_value("banner.level", None, None).await, Ok(3.0));
    assert_eq!(client.get_bool_value("banner.enabled", None, None).await, Ok(true));
    assert_eq!(client.get_int_value("limit", None, None).await, Ok(7));
    let banner = client.get_struct_value::<StructValue>("banner", None, None).await.unwrap();
    let tags = Value::Array(vec![Value::String("a".into()), Value::String("b".into())]);
    assert_eq!(banner.fields["tags"], tags);
    assert_eq!(banner.fields["level"], Value::Int(3));
    assert_eq!(banner.fields["enabled"], Value::Bool(true));
    assert_eq!(banner.fields.len(), 5);
    let wrapped = client.get_struct_value::<StructValue>("banner.tags", None, None).await.unwrap();
    assert_eq!(wrapped.fields, [("value".to_owned(), tags)].into());

    let gold = EvaluationContext::default().with_custom_field("orders", 11);
    let tier = client.get_int_details("tier.discount", Some(&gold), None).await.unwrap();
    assert_eq!((tier.value, tier.reason), (20, Some(EvaluationReason::TargetingMatch)));
    assert_eq!(tier.variant.as_deref(), Some("gold"));
    assert_eq!(tier.flag_metadata.values["variant"], text("gold"));

    for (key, wanted) in [
        ("tier.discount", EvaluationErrorCode::General("DISABLED".into())),
        ("banner.text", EvaluationErrorCode::TypeMismatch),
        ("banner.missing", EvaluationErrorCode::FlagNotFound),
        ("missing", EvaluationErrorCode::FlagNotFound),
    ] {
        let error = client.get_int_value(key, None, None).await.unwrap_err();
        assert_eq!(error.code, wanted, "{key}");
        assert!(error.message.is_some_and(|message| message.contains(key)), "{key}");
    }
    let error = client.get_bool_value("split", None, None).await.unwrap_err();
    assert_eq!(error.code, EvaluationErrorCode::TargetingKeyMissing);
    let anyone = EvaluationContext::default().with_targeting_key("anyone");
    let split = client.get_bool_details("split", Some(&anyone), None).await.unwrap();
    assert!(matches!(split.reason, Some(EvaluationReason::Split | EvaluationReason::Disabled)));
}

#[tokio::test]
async fn a_provider_says_how_fresh_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(ProfileType::FeatureFlags).await;
    let nothing = Arc::new(rig.follow(None).await);
    let mut provider = Provider::new([nothing.clone()]);
    provider.initialize(&EvaluationContext::default()).await;
    assert_eq!(provider.status(), ProviderStatus::Error);
    let asked = provider.resolve_bool_value("banner", &EvaluationContext::default()).await;
    assert_eq!(asked.unwrap_err().code, EvaluationErrorCode::ProviderNotReady);

    rig.shop.serve(ON).await.unwrap();
    until_version(&nothing, 1).await;
    until(nothing.watch_freshness(), || provider.status() == ProviderStatus::Ready).await;
    assert!(provider.resolve_bool_value("banner", &EvaluationContext::default()).await.unwrap().value);

    let kept = Arc::new(rig.follow(Some(folder.path())).await);
    let both = Provider::new([nothing.clone(), kept.clone()]);
    kept.settled(Duration::from_secs(60)).await;
    rig.shop.serve(OFF).await.unwrap();
    until_version(&kept, 2).await;
    until_version(&nothing, 2).await;
    rig.kill().await;
    for one in [&nothing, &kept] {
        until(one.watch_freshness(), || one.freshness() != Freshness::Current).await;
    }
    assert_eq!(both.status(), ProviderStatus::STALE);
    assert!(!both.resolve_bool_value("banner", &EvaluationContext::default()).await.unwrap().value);
}
