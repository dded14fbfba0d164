//! The keys of OpenFeature clients, and the retrieval form.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failing test panics")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use yardarm_flags::document::{AttributeValue, Setting, State};
use yardarm_flags::retrieval::{self, Content, ContentError};
use yardarm_flags::{CompiledFlags, Context, FlagDocument, Reason, Resolution, ResolvedValue, Value, served};

fn compiled(document: &Json) -> CompiledFlags {
    CompiledFlags::compile(&FlagDocument::read(document.to_string().as_bytes()).unwrap())
}

fn attribute(value: &AttributeValue) -> Json {
    match value {
        AttributeValue::String(text) => json!(text),
        AttributeValue::Number(number) => json!(number),
        AttributeValue::Boolean(is) => json!(is),
        AttributeValue::Strings(texts) => json!(texts),
        AttributeValue::Numbers(numbers) => json!(numbers),
    }
}

fn value(resolution: &Resolution<'_>) -> Json {
    match resolution.value {
        None => Json::Null,
        Some(ResolvedValue::Boolean(is)) => json!(is),
        Some(ResolvedValue::Attribute(value)) => attribute(value),
        Some(ResolvedValue::Object(evaluation)) => {
            let mut members = serde_json::Map::from_iter([("enabled".to_owned(), json!(evaluation.enabled))]);
            members
                .extend(evaluation.attributes.iter().map(|(key, value)| (key.to_string(), attribute(value))));
            Json::Object(members)
        }
    }
}

/// All keys with their values, for somebody on a plan.
fn resolved(flags: &CompiledFlags, plan: &str) -> Vec<(String, Json, Option<String>, Reason)> {
    let attributes = [("plan", Value::Text(plan))];
    let context = Context::new(&attributes);
    flags
        .resolve_all(&context)
        .map(|(key, all)| {
            let one = flags.resolve(key.as_str(), &context).unwrap();
            assert_eq!(one, all, "{key}");
            (key.to_string(), value(&one), one.variant.map(str::to_owned), one.reason)
        })
        .collect()
}

fn shop() -> CompiledFlags {
    compiled(&json!({
        "version": "1",
        "flags": {
            "checkout": { "attributes": { "color": {}, "limit": {}, "tags": {} } },
            "banner": { "attributes": { "value": {} } },
            "undefined-value": {},
        },
        "values": {
            "plain": { "enabled": true },
            "off": { "enabled": false },
            "nothing": { "_variants": [] },
            "banner": { "_variants": [
                { "name": "none", "enabled": false, "rule": "(eq $plan \"trial\")", "attributeValues": { "value": "hidden" } },
                { "name": "all", "enabled": true, "attributeValues": { "value": "hello" } },
            ] },
            "checkout": { "_variants": [
                { "name": "gold", "enabled": true, "rule": "(eq $plan \"gold\")",
                  "attributeValues": { "color": "gold", "limit": 10, "tags": ["a", "b"] } },
                { "name": "trial", "enabled": true, "rule": "(eq $plan \"trial\")", "attributeValues": { "limit": 0.5 } },
                { "name": "rest", "enabled": false, "attributeValues": { "color": "gray" } },
            ] },
        },
    }))
}

#[test]
fn a_flag_is_a_boolean_an_object_or_its_only_value() {
    let text = |text: &str| Some(text.to_owned());
    let one =
        |key: &str, value: Json, variant: Option<String>, reason| (key.to_owned(), value, variant, reason);
    let fixed = |value| {
        [
            one("nothing", json!(false), None, Reason::Disabled),
            one("off", json!(false), None, Reason::Disabled),
            one("plain", json!(value), None, Reason::Static),
        ]
    };
    let gold = resolved(&shop(), "gold");
    let expected = [
        one("banner", json!("hello"), text("all"), Reason::Default),
        one("banner.enabled", json!(true), text("all"), Reason::Default),
        one("banner.value", json!("hello"), text("all"), Reason::Default),
        one(
            "checkout",
            json!({ "color": "gold", "enabled": true, "limit": 10, "tags": ["a", "b"] }),
            text("gold"),
            Reason::TargetingMatch,
        ),
        one("checkout.color", json!("gold"), text("gold"), Reason::TargetingMatch),
        one("checkout.enabled", json!(true), text("gold"), Reason::TargetingMatch),
        one("checkout.limit", json!(10), text("gold"), Reason::TargetingMatch),
        one("checkout.tags", json!(["a", "b"]), text("gold"), Reason::TargetingMatch),
    ];
    assert_eq!(gold, [&expected[..], &fixed(true)].concat());
}

#[test]
fn what_is_off_says_so_and_leaves_attributes_to_the_caller() {
    let text = |text: &str| Some(text.to_owned());
    let rest = resolved(&shop(), "none");
    let of = |all: &[(String, Json, Option<String>, Reason)], key: &str| {
        all.iter().find(|(known, ..)| known == key).cloned().unwrap()
    };
    let off = Reason::Disabled;
    let checkout = |name: &str| format!("checkout{name}");
    assert_eq!(of(&rest, "checkout"), (checkout(""), json!({ "enabled": false }), text("rest"), off));
    assert_eq!(of(&rest, "checkout.enabled"), (checkout(".enabled"), json!(false), text("rest"), off));
    assert_eq!(of(&rest, "checkout.color"), (checkout(".color"), Json::Null, text("rest"), off));

    let trial = resolved(&shop(), "trial");
    assert_eq!(of(&trial, "banner"), ("banner".to_owned(), Json::Null, text("none"), off));
    assert_eq!(of(&trial, "banner.enabled"), ("banner.enabled".to_owned(), json!(false), text("none"), off));
    // On, but this variant has no such attribute.
    let on = Reason::TargetingMatch;
    assert_eq!(of(&trial, "checkout.color"), (checkout(".color"), Json::Null, text("trial"), on));
    assert_eq!(of(&trial, "checkout.limit"), (checkout(".limit"), json!(0.5), text("trial"), on));
    assert_eq!(
        of(&trial, "checkout"),
        (checkout(""), json!({ "enabled": true, "limit": 0.5 }), text("trial"), on)
    );
}

#[test]
fn there_are_no_other_keys() {
    let flags = shop();
    for key in [
        "",
        ".",
        "nobody",
        "plain.enabled",
        "plain.value",
        "undefined-value",
        "checkout.",
        "checkout.nothing",
        "checkout.color.",
        "checkout.enabled.enabled",
        ".enabled",
        "Checkout",
        " checkout",
    ] {
        assert_eq!(flags.resolve(key, &Context::EMPTY), None, "{key}");
    }
}

#[test]
fn a_definition_gives_a_flag_its_type_before_it_has_a_value_for_it() {
    let flags = compiled(&json!({
        "version": "1",
        "flags": { "f": { "attributes": { "color": {} } }, "g": { "attributes": { "value": {} } } },
        "values": { "f": { "enabled": true }, "g": { "enabled": true } },
    }));
    let found = resolved(&flags, "");
    let expected = [
        ("f", json!({ "enabled": true })),
        ("f.color", Json::Null),
        ("f.enabled", json!(true)),
        ("g", Json::Null),
        ("g.enabled", json!(true)),
        ("g.value", Json::Null),
    ];
    let expected: Vec<_> =
        expected.into_iter().map(|(key, value)| (key.to_owned(), value, None, Reason::Static)).collect();
    assert_eq!(found, expected);
}

/// Keys that are prefixes of each other, with the characters around the dot.
fn key() -> impl Strategy<Value = String> {
    "[ab][ab0_-]{0,3}"
}

fn attributes() -> impl Strategy<Value = BTreeMap<String, Json>> {
    let name = prop_oneof!["[ab][a-]{0,1}", Just("value".to_owned()), Just("zone".to_owned())];
    let value = prop_oneof![
        "[a-z<&>\"é]{0,3}".prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        (-1e9..1e9_f64).prop_map(Json::from),
        any::<bool>().prop_map(Json::from),
        prop::collection::vec("[a-z]{0,3}", 0..3).prop_map(Json::from),
        prop::collection::vec(any::<i32>(), 1..3).prop_map(Json::from),
    ];
    prop::collection::btree_map(name, value, 0..4)
}

fn setting() -> impl Strategy<Value = Json> {
    let basic = (any::<bool>(), attributes()).prop_map(|(enabled, attributes)| {
        let mut value = json!(attributes);
        value["enabled"] = json!(enabled);
        value
    });
    let variants = prop::collection::vec((any::<bool>(), attributes(), 0_u8..4), 1..4).prop_map(|variants| {
        let last = variants.len() - 1;
        let variant = |(index, (enabled, attributes, level)): (usize, (bool, BTreeMap<String, Json>, u8))| {
            let mut variant =
                json!({ "name": format!("v{index}"), "enabled": enabled, "attributeValues": attributes });
            if index < last {
                variant["rule"] = json!(format!("(eq $plan {level})"));
            }
            variant
        };
        json!({ "_variants": variants.into_iter().enumerate().map(variant).collect::<Vec<_>>() })
    });
    prop_oneof![basic, variants]
}

fn document() -> impl Strategy<Value = FlagDocument> {
    prop::collection::btree_map(key(), (setting(), prop::collection::btree_set("[ab][a-]{0,1}", 0..3)), 0..8)
        .prop_map(|flags| {
            let mut document = json!({ "version": "1", "flags": {}, "values": {} });
            for (key, (value, mut defined)) in flags {
                let states: Vec<&Json> = match value["_variants"].as_array() {
                    Some(variants) => variants.iter().map(|variant| &variant["attributeValues"]).collect(),
                    None => vec![&value],
                };
                defined.extend(states.iter().flat_map(|state| state.as_object().unwrap().keys().cloned()));
                defined.remove("enabled");
                let attributes: BTreeMap<&String, Json> =
                    defined.iter().map(|attribute| (attribute, json!({}))).collect();
                document["flags"][&key] = json!({ "attributes": attributes });
                document["values"][&key] = value;
            }
            FlagDocument::read(document.to_string().as_bytes()).unwrap()
        })
}

proptest! {
    #[test]
    fn resolving_all_is_resolving_each_in_the_order_of_the_keys(document in document(), plan in "[0-4]") {
        let flags = CompiledFlags::compile(&document);
        let found = resolved(&flags, &plan);
        let mut expected: Vec<String> = Vec::new();
        for (key, flag) in flags.flags() {
            expected.push(key.to_string());
            if !flag.attributes().is_empty() {
                expected.push(format!("{key}.enabled"));
                expected.extend(flag.attributes().iter().map(|attribute| format!("{key}.{attribute}")));
            }
        }
        expected.sort_unstable();
        prop_assert_eq!(found.iter().map(|(key, ..)| key.clone()).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_is_served_reads_back_as_the_default_of_everything(document in document()) {
        let settings = retrieval::read(&served(&document)).unwrap();
        for (key, setting) in &settings {
            let of_document = document.values()[key].setting();
            let default = match of_document {
                Setting::Basic(state) => (None, state),
                Setting::Variants(variants) => {
                    let default = variants.default_variant();
                    (Some(default.name.clone()), &default.state)
                }
                Setting::Nothing => unreachable!(),
            };
            let attributes = if default.1.enabled { default.1.attributes.clone() } else { BTreeMap::new() };
            let state = State { enabled: default.1.enabled, attributes };
            prop_assert_eq!(setting, &Content { variant: default.0, state }.into_setting());
        }
        prop_assert_eq!(settings.len(), document.values().len());

        let flags = CompiledFlags::from_settings(settings);
        prop_assert_eq!(retrieval::write_all(flags.evaluate_all(&Context::EMPTY)), served(&document));
        for (key, evaluation) in flags.evaluate_all(&Context::EMPTY) {
            let content = String::from_utf8(retrieval::write(&evaluation)).unwrap();
            let of_document: Json = serde_json::from_slice(&served(&document)).unwrap();
            prop_assert_eq!(serde_json::from_str::<Json>(&content).unwrap(), of_document[key.as_str()].clone());
            Content::read(&content).unwrap();
        }
    }

    #[test]
    fn no_bytes_make_reading_panic(bytes in any::<Vec<u8>>(), text in r#"[{}":,a_\[\]1-]{0,40}"#) {
        let _ = retrieval::read(&bytes);
        let _ = retrieval::read(text.as_bytes());
        let _ = Content::read(&text);
    }
}

#[test]
fn content_is_sorted_with_the_variant_first() {
    let text = r#"{"_variant":"a<b","a":1,"enabled":true,"zone":["x"]}"#;
    let Content { variant, state } = Content::read(text).unwrap();
    assert_eq!(retrieval::content(variant.as_deref(), &state), text.replace('<', "\\u003c"));
    let off = State { enabled: false, ..state };
    assert_eq!(retrieval::content(None, &off), r#"{"enabled":false}"#);
}

#[test]
fn members_a_later_service_adds_are_passed_over_and_what_is_wrong_is_named() {
    let content = Content::read(r#"{"_later":{"a":[]},"enabled":true,"a":[]}"#).unwrap();
    assert_eq!(content.state.attributes["a"], AttributeValue::Strings(Vec::new()));
    let attribute: yardarm_flags::document::AttributeKey = "a".parse().unwrap();
    for (text, fault) in [
        ("[]", ContentError::NotAnObject),
        ("{}", ContentError::Enabled),
        (r#"{"enabled":"true"}"#, ContentError::Enabled),
        (r#"{"enabled":true,"_variant":1}"#, ContentError::Variant),
        (r#"{"enabled":true,"A":1}"#, ContentError::AttributeKey("A".to_owned())),
        (r#"{"enabled":true,"a":{}}"#, ContentError::AttributeValue(attribute.clone())),
        (r#"{"enabled":true,"a":null}"#, ContentError::AttributeValue(attribute.clone())),
        (r#"{"enabled":true,"a":["x",1]}"#, ContentError::AttributeValue(attribute.clone())),
        (r#"{"enabled":true,"a":[1,"x"]}"#, ContentError::AttributeValue(attribute)),
    ] {
        assert_eq!(Content::read(text), Err(fault), "{text}");
    }
    assert!(matches!(Content::read("{"), Err(ContentError::Malformed(_))));
    let of = |text: &str| {
        let error = retrieval::read(text.as_bytes()).unwrap_err();
        let source =
            std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
        format!("{error}{source}")
    };
    assert_eq!(of(r#"{"f":{}}"#), "the content of flag `f` is wrong: `enabled` must be true or false");
    assert_eq!(of(r#"{"F":{}}"#), "no flag can have the key `F`");
    assert_eq!(of(r#"{"f":1}"#), "the content of flag `f` is wrong: not a JSON object");
    assert!(of("[]").starts_with("malformed JSON: "), "{}", of("[]"));
}
