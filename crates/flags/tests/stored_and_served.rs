//! The stored form and the retrieval form.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failing test panics")]

use jiff::{Timestamp, ToSpan as _};
use proptest::prelude::*;
use serde_json::{Value, json};
use yardarm_flags::document::MAX_DOCUMENT_BYTES;
use yardarm_flags::{FlagDocument, Normalised, normalise, served};

fn read(document: &Value) -> FlagDocument {
    FlagDocument::read(document.to_string().as_bytes()).unwrap()
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    time("2026-09-28T11:56:57.650987Z")
}

fn stored(document: &Value, previous: Option<&FlagDocument>, now: Timestamp) -> String {
    String::from_utf8(normalise(&read(document), previous, now).unwrap().bytes).unwrap()
}

fn served_text(document: &Value) -> String {
    String::from_utf8(served(&read(document))).unwrap()
}

#[test]
fn the_stored_form_is_compact_sorted_escaped_and_stamped() {
    let document = json!({
        "version": "1",
        "unknown": true,
        "values": { "b": { "enabled": "True", "text": "<a> & b", "n": 1.50 }, "a": { "enabled": null } },
        "flags": { "b": {
            "name": "B", "unknown": 1, "_deprecation": { "status": "planned", "date": "2026-12-24" },
            "attributes": {
                "text": { "description": "x>y", "constraints": { "type": "string", "required": false } },
                "n": {} } } },
    });
    let stamps = r#""_createdAt":"2026-09-28T11:56:57.65Z","_updatedAt":"2026-09-28T11:56:57.65Z""#;
    let expected = [
        r#"{"flags":{"b":{"_createdAt":"2026-09-28T11:56:57.65Z","_deprecation":{"date":"2026-12-24","status":"planned"},"#,
        r#""_updatedAt":"2026-09-28T11:56:57.65Z","attributes":{"n":{},"text":{"constraints":{"required":false,"#,
        r#""type":"string"},"description":"x\u003ey"}},"name":"B"}},"values":{"a":{"#,
        stamps,
        r#","enabled":false},"b":{"#,
        stamps,
        r#","enabled":true,"n":1.5,"text":"\u003ca\u003e \u0026 b"}},"version":"1"}"#,
    ];
    assert_eq!(stored(&document, None, now()), expected.concat());
}

#[test]
fn empty_things_are_dropped() {
    assert_eq!(
        stored(&json!({ "version": "1", "flags": {}, "values": {} }), None, now()),
        r#"{"version":"1"}"#
    );
    let document = json!({
        "version": "1",
        "flags": { "f": { "attributes": {}, "_createdAt": "2026-01-01T00:00:00Z" } },
        "values": { "f": { "_variants": [] } },
    });
    assert_eq!(
        stored(&document, None, time("2026-01-02T00:00:00.010Z")),
        concat!(
            r#"{"flags":{"f":{"_createdAt":"2026-01-01T00:00:00Z","_updatedAt":"2026-01-02T00:00:00.01Z"}},"#,
            r#""values":{"f":{"_createdAt":"2026-01-02T00:00:00.01Z","_updatedAt":"2026-01-02T00:00:00.01Z"}},"#,
            r#""version":"1"}"#
        )
    );
}

#[test]
fn variants_keep_their_order_and_lose_what_is_empty() {
    let document = json!({
        "version": "1",
        "values": { "f": { "_variants": [
            { "rule": "(eq $a \"<\")", "name": "z", "enabled": "t", "attributeValues": {} },
            { "name": "a", "enabled": false, "rule": "" },
        ] } },
    });
    let text = stored(&document, None, now());
    let expected = concat!(
        r#""_variants":[{"enabled":true,"name":"z","rule":"(eq $a \"\u003c\")"},"#,
        r#"{"enabled":false,"name":"a"}]"#
    );
    assert!(text.contains(expected), "{text}");
}

fn stamps(stored: &str, pointer: &str) -> (String, String) {
    let stored: Value = serde_json::from_str(stored).unwrap();
    let entry = stored.pointer(pointer).unwrap();
    let text = |key: &str| entry[key].as_str().unwrap().to_owned();
    (text("_createdAt"), text("_updatedAt"))
}

#[test]
fn an_unchanged_entry_keeps_its_stamps_and_a_changed_one_its_creation() {
    let flags = json!({ "f": { "attributes": { "c": {} } }, "g": {} });
    let first = json!({ "version": "1", "flags": flags, "values": {
        "f": { "enabled": true, "c": "red" }, "g": { "enabled": true } } });
    let v1 = stored(&first, None, time("2026-01-01T00:00:00Z"));

    let second = json!({ "version": "1", "flags": flags, "values": {
        "f": { "enabled": true, "c": "blue", "_updatedAt": "1999-01-01T00:00:00Z" }, "g": { "enabled": "1" } } });
    let v1_document = FlagDocument::read(v1.as_bytes()).unwrap();
    let v2 = stored(&second, Some(&v1_document), time("2026-01-02T00:00:00Z"));

    let (day1, day2) = ("2026-01-01T00:00:00Z".to_owned(), "2026-01-02T00:00:00Z".to_owned());
    assert_eq!(stamps(&v2, "/flags/f"), (day1.clone(), day1.clone()));
    assert_eq!(stamps(&v2, "/values/f"), (day1.clone(), day2));
    assert_eq!(stamps(&v2, "/values/g"), (day1.clone(), day1));
}

#[test]
fn a_key_that_was_missing_from_the_previous_version_starts_anew() {
    let with = json!({ "version": "1", "values": { "f": { "enabled": true } } });
    let without = json!({ "version": "1" });
    let v2 = stored(&without, Some(&read(&with)), now());
    let v3 = stored(&with, Some(&FlagDocument::read(v2.as_bytes()).unwrap()), time("2026-10-01T00:00:00Z"));
    assert_eq!(stamps(&v3, "/values/f").0, "2026-10-01T00:00:00Z");
}

#[test]
fn a_submitted_creation_is_kept_in_utc() {
    let document =
        json!({ "version": "1", "values": { "f": { "_createdAt": "2026-01-01T02:00:00.1239+02:00" } } });
    let (created, updated) = stamps(&stored(&document, None, now()), "/values/f");
    assert_eq!((created.as_str(), updated.as_str()), ("2026-01-01T00:00:00.123Z", "2026-09-28T11:56:57.65Z"));
}

#[test]
fn the_same_content_is_recognised_whatever_its_spelling() {
    let again = |first: &Value, second: &Value| -> Normalised {
        let v1 = stored(first, None, now());
        let v1 = FlagDocument::read(v1.as_bytes()).unwrap();
        normalise(&read(second), Some(&v1), now() + 1.hour()).unwrap()
    };
    let with_true = json!({ "version": "1", "values": { "f": { "enabled": true } } });
    let with_text = json!({ "values": { "f": { "enabled": "true" } }, "version": "1", "flags": {} });
    assert!(again(&with_true, &with_text).same_as_previous);
    let off = json!({ "version": "1", "values": { "f": { "enabled": false } } });
    assert!(!again(&with_true, &off).same_as_previous);
    assert!(!normalise(&read(&off), None, now()).unwrap().same_as_previous);
    let with_name =
        json!({ "version": "1", "flags": { "f": { "name": "F" } }, "values": { "f": { "enabled": true } } });
    assert!(!again(&with_true, &with_name).same_as_previous);
}

#[test]
fn no_variants_at_all_stay_that_way_when_submitted_again() {
    let document = json!({ "version": "1", "values": { "f": { "_variants": [] } } });
    let v1 = stored(&document, None, now());
    let again = FlagDocument::read(v1.as_bytes()).unwrap();
    let v2 = normalise(&again, Some(&again), now() + 1.hour()).unwrap();
    assert_eq!(String::from_utf8(v2.bytes).unwrap(), v1);
    assert!(v2.same_as_previous);
}

#[test]
fn what_could_not_be_read_back_is_not_stored() {
    // Every `<` takes six bytes when stored.
    let values: serde_json::Map<String, Value> =
        (0..1000).map(|n| (format!("f{n}"), json!({ "enabled": true, "a": "<".repeat(1024) }))).collect();
    let flags: serde_json::Map<String, Value> =
        (0..1000).map(|n| (format!("f{n}"), json!({ "attributes": { "a": {} } }))).collect();
    let document = read(&json!({ "version": "1", "flags": flags, "values": values }));
    let error = normalise(&document, None, now()).unwrap_err();
    assert!(error.size > MAX_DOCUMENT_BYTES && error.limit == MAX_DOCUMENT_BYTES);
}

#[test]
fn basic_flags_are_served_with_attributes_only_when_enabled() {
    let document = json!({
        "version": "1",
        "flags": {
            "disabled": { "name": "D", "attributes": { "color": {} } },
            "feature": { "attributes": { "color": {}, "limit": {}, "tags": {} } },
            "unset": {},
        },
        "values": {
            "disabled": { "enabled": false, "color": "hidden" },
            "feature": { "enabled": true, "color": "blue", "limit": 2, "tags": ["ok"] },
        },
    });
    assert_eq!(
        served_text(&document),
        r#"{"disabled":{"enabled":false},"feature":{"color":"blue","enabled":true,"limit":2,"tags":["ok"]}}"#
    );
}

#[test]
fn of_variants_only_the_default_is_served() {
    let with_variants = |variants: Value| {
        json!({
            "version": "1",
            "flags": { "checkout": { "attributes": { "color": { "constraints": { "type": "string" } } } } },
            "values": { "checkout": { "_variants": variants } },
        })
    };
    let premium = json!([
        { "name": "blue", "enabled": true, "rule": "(eq $tier \"premium\")", "attributeValues": { "color": "blue" } },
        { "name": "default", "enabled": false, "attributeValues": { "color": "red" } },
    ]);
    assert_eq!(
        served_text(&with_variants(premium)),
        r#"{"checkout":{"_variant":"default","enabled":false}}"#
    );
    let fallback = json!([
        { "name": "blue", "enabled": false, "rule": "(eq $tier \"premium\")" },
        { "name": "fallback", "enabled": true, "attributeValues": { "color": "green" } },
    ]);
    assert_eq!(
        served_text(&with_variants(fallback)),
        r#"{"checkout":{"_variant":"fallback","color":"green","enabled":true}}"#
    );
    assert_eq!(served_text(&with_variants(json!([]))), r#"{"checkout":{"enabled":false}}"#);
}

#[test]
fn without_values_an_empty_object_is_served() {
    assert_eq!(served_text(&json!({ "version": "1", "flags": { "f": {} } })), "{}");
}

/// Legal documents, unconstrained and constrained, basic and with variants.
fn document() -> impl Strategy<Value = Value> {
    let number = prop_oneof![any::<f64>().prop_map(Value::from), any::<i64>().prop_map(Value::from)];
    let attribute = prop_oneof![
        ".{0,12}".prop_map(Value::from),
        "[<>&\"\\\\]{0,4}".prop_map(Value::from),
        number.clone(),
        any::<bool>().prop_map(Value::from),
        prop::collection::vec(".{0,5}", 0..3).prop_map(Value::from),
        prop::collection::vec(number, 0..3).prop_map(Value::from),
    ];
    let attributes = prop::collection::hash_map("[a-d]", attribute, 0..4)
        .prop_map(|map| map.into_iter().collect::<serde_json::Map<String, Value>>());
    let stamp = prop_oneof![
        Just(Value::Null),
        (-60_000_000_000_000_i64..200_000_000_000_000)
            .prop_map(|ms| Value::from(Timestamp::from_millisecond(ms).unwrap().to_string())),
    ];
    let enabled = prop_oneof![Just(json!(true)), Just(json!("f")), Just(json!(null))];
    let basic = (attributes.clone(), enabled.clone()).prop_map(|(mut members, enabled)| {
        members.insert("enabled".into(), enabled);
        Value::Object(members)
    });
    let variant = (enabled, attributes).prop_map(|(enabled, attributes)| (enabled, attributes));
    let variants = prop::collection::vec(variant, 0..4).prop_map(|list| {
        let last = list.len().saturating_sub(1);
        let of = |(index, (enabled, attributes)): (usize, (Value, serde_json::Map<String, Value>))| {
            let rule = if index == last { "" } else { "(eq $a \"<\")" };
            json!({ "name": format!("v&{index}"), "enabled": enabled, "rule": rule, "attributeValues": attributes })
        };
        json!({ "_variants": list.into_iter().enumerate().map(of).collect::<Vec<_>>() })
    });
    let value = (prop_oneof![basic, variants], stamp.clone(), stamp.clone()).prop_map(
        |(mut value, created, updated)| {
            value["_createdAt"] = created;
            value["_updatedAt"] = updated;
            value
        },
    );
    (prop::collection::hash_map("[a-z][a-zA-Z0-9_-]{0,3}", value, 0..5), stamp, ".{0,8}").prop_map(
        |(values, created, description)| {
            let definition = json!({
                "description": description, "_createdAt": created,
                "attributes": { "a": {}, "b": { "description": "<b>" }, "c": {}, "d": { "constraints": null } },
            });
            let flags: serde_json::Map<String, Value> =
                values.keys().map(|key| (key.clone(), definition.clone())).collect();
            json!({ "version": "1", "flags": flags, "values": values })
        },
    )
}

proptest! {
    #[test]
    fn normalising_again_changes_nothing(submitted in document(), later in 0_i64..1_000_000) {
        let submitted = read(&submitted);
        let once = normalise(&submitted, None, now()).unwrap();
        let stored = FlagDocument::read(&once.bytes).unwrap();
        let later = now() + later.milliseconds();
        for document in [&stored, &submitted] {
            let again = normalise(document, Some(&stored), later).unwrap();
            prop_assert_eq!(String::from_utf8_lossy(&again.bytes), String::from_utf8_lossy(&once.bytes));
            prop_assert!(again.same_as_previous);
        }
    }

    #[test]
    fn what_is_stored_is_served_like_what_was_submitted(submitted in document()) {
        let submitted = read(&submitted);
        let stored = normalise(&submitted, None, now()).unwrap();
        let from_stored = served(&FlagDocument::read(&stored.bytes).unwrap());
        let from_submitted = served(&submitted);
        prop_assert_eq!(String::from_utf8_lossy(&from_stored), String::from_utf8_lossy(&from_submitted));
        prop_assert!(serde_json::from_slice::<Value>(&from_stored).unwrap().is_object());
    }

    #[test]
    fn the_stored_form_is_what_serde_json_reads(submitted in document()) {
        let bytes = normalise(&read(&submitted), None, now()).unwrap().bytes;
        prop_assert!(!bytes.iter().any(|byte| b"<>&\n".contains(byte)));
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        prop_assert_eq!(FlagDocument::read(&bytes).unwrap(), read(&value));
    }
}
