//! What is accepted, what is refused, and how refusals are located.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failing test panics")]

use proptest::prelude::*;
use serde_json::{Value, json};
use yardarm_flags::document::{AttributeValue, MAX_DOCUMENT_BYTES, Setting};
use yardarm_flags::{FlagDocument, MAX_VIOLATIONS, ReadError, Violation, ViolationKind, Violations};

fn refused(text: &str) -> Violations {
    match FlagDocument::read(text.as_bytes()) {
        Err(ReadError::Invalid(violations)) => violations,
        other => panic!("expected violations of {text}, got {other:?}"),
    }
}

/// `constraint | location | value | pointer`, one for each violation.
fn listed(document: &Value) -> Vec<String> {
    let line = |violation: &Violation| {
        let Violation { constraint, location, value, pointer, .. } = violation;
        format!("{constraint} | {location} | {value} | {pointer}")
    };
    refused(&document.to_string()).listed.iter().map(line).collect()
}

fn accepted(document: &Value) -> FlagDocument {
    FlagDocument::read(document.to_string().as_bytes()).unwrap()
}

/// A document with one flag `f` that has one attribute `a`.
fn with_attribute(constraints: &Value, value: &Value) -> Value {
    json!({
        "version": "1",
        "flags": { "f": { "attributes": { "a": { "constraints": constraints } } } },
        "values": { "f": { "enabled": true, "a": value } },
    })
}

#[test]
fn a_version_is_required_and_must_be_1() {
    assert_eq!(listed(&json!({})), ["Required | version |  | "]);
    assert_eq!(listed(&json!({ "version": "2" })), ["OneOf(1) | version | 2 | /version"]);
    assert_eq!(listed(&json!({ "version": 1 })), ["OneOf(1) | version | 1 | /version"]);
}

/// The positions below are those of this text, as an editor shows them.
const MISTAKES: &str = r#"{
  "version": "1",
  "flags": {
    "feature": { "attributes": {
      "color": { "constraints": { "type": "string", "enum": ["blue", "green"] } },
      "größe": {},
      "limit": { "constraints": { "type": "number", "required": true } }
    } }
  },
  "values": {
    "feature": { "enabled": 2, "color": "red" }
  }
}"#;

#[test]
fn violations_say_where_they_are_in_the_text() {
    let violations = refused(MISTAKES);
    let places: Vec<String> =
        violations.listed.iter().map(|v| format!("{} {}", v.location, v.at.unwrap())).collect();
    assert_eq!(
        places,
        [
            "flags.feature.attributes.größe line 6, column 7",
            "values.feature.enabled line 11, column 29",
            "values.feature.color line 11, column 41",
            "values.feature.attributes line 11, column 16",
            "values.feature.attributes.limit line 11, column 16",
        ]
    );
    assert_eq!(
        violations.to_string(),
        "5 violations in the flag document; first: Regexp(^[a-z][a-zA-Z\\d_-]{0,63}$) at \
         flags.feature.attributes.größe (line 6, column 7)"
    );
}

#[test]
fn the_documented_example_of_a_violation_is_reproduced() {
    let document = json!({
        "version": "1",
        "flags": { "feature": { "attributes": {
            "color": { "constraints": { "type": "string", "enum": ["blue", "green"] } } } } },
        "values": { "feature": { "enabled": true, "color": "red" } },
    });
    let violations = refused(&document.to_string());
    let [violation] = &violations.listed[..] else { panic!("{violations:?}") };
    assert_eq!(violation.constraint, "OneOf(blue, green)");
    assert_eq!(violation.location, "values.feature.color");
    assert_eq!(violation.kind, ViolationKind::NotSatisfied);
    assert_eq!(violation.value, "red");
    assert_eq!(violation.reason, None);
    assert_eq!(violation.pointer, "/values/feature/color");
}

#[test]
fn enabled_is_a_boolean_a_boolean_string_or_absent() {
    let enabled = |value: Value| {
        let document = accepted(&json!({ "version": "1", "values": { "f": { "enabled": value } } }));
        match document.values().get("f").unwrap().setting() {
            Setting::Basic(state) => state.enabled,
            other => panic!("{other:?}"),
        }
    };
    for text in ["1", "t", "T", "TRUE", "true", "True"] {
        assert!(enabled(json!(text)), "{text}");
    }
    for text in ["0", "f", "F", "FALSE", "false", "False"] {
        assert!(!enabled(json!(text)), "{text}");
    }
    assert!(enabled(json!(true)) && !enabled(json!(false)) && !enabled(json!(null)));

    for wrong in [json!(1), json!("yes"), json!("")] {
        let text = json!({ "version": "1", "values": { "f": { "enabled": wrong } } }).to_string();
        let violations = refused(&text);
        let [violation] = &violations.listed[..] else { panic!("{violations:?}") };
        assert_eq!(violation.constraint, "AttributeType(boolean)");
        assert_eq!(violation.location, "values.f.enabled");
        assert_eq!(violation.kind, ViolationKind::Invalid);
        assert_eq!(violation.kind.as_str(), "Invalid");
    }
}

#[test]
fn attribute_values_must_satisfy_their_constraints() {
    let cases = [
        (json!({ "type": "number", "minimum": 3 }), json!(2.5), "FloatGTE(3) | values.f.a | 2.5"),
        (json!({ "type": "number", "maximum": 3 }), json!(4), "FloatLTE(3) | values.f.a | 4"),
        (
            json!({ "type": "number", "maximum": 9_007_199_254_740_992_i64 }),
            json!(9_007_199_254_740_993_i64),
            "FloatLTE(9007199254740992) | values.f.a | 9007199254740993",
        ),
        (json!({ "type": "number" }), json!("x"), "AttributeType(number) | values.f.a | x"),
        (json!({ "type": "string" }), json!(1), "AttributeType(string) | values.f.a | 1"),
        (json!({ "type": "boolean" }), json!("true"), "AttributeType(boolean) | values.f.a | true"),
        (json!({ "type": "array" }), json!({}), "AttributeType(array) | values.f.a | {}"),
        (json!(null), json!({}), "AttributeType(string, number, boolean, array) | values.f.a | {}"),
        (json!({ "type": "string", "pattern": "^a+$" }), json!("ab"), "Regexp(^a+$) | values.f.a | ab"),
        (json!({ "type": "string", "enum": [1, "b"] }), json!("2"), "OneOf(1, b) | values.f.a | 2"),
        (
            json!({ "type": "array", "elements": { "type": "string", "pattern": "^a" } }),
            json!(["a", "b"]),
            "Regexp(^a) | values.f.a.1 | b",
        ),
        (
            json!({ "type": "array", "elements": { "type": "string" } }),
            json!(["a", 1]),
            "ElementType(string) | values.f.a.1 | 1",
        ),
        (
            json!({ "type": "array", "elements": { "type": "number", "minimum": 2 } }),
            json!([1]),
            "FloatGTE(2) | values.f.a.0 | 1",
        ),
        (json!({ "type": "array" }), json!(["a", 1]), "ElementType(string) | values.f.a.1 | 1"),
        (json!({ "type": "array" }), json!([1, "a"]), "ElementType(number) | values.f.a.1 | a"),
        (json!(null), json!([[]]), "ElementType(string, number) | values.f.a.0 | []"),
    ];
    for (constraints, value, expected) in cases {
        let found = listed(&with_attribute(&constraints, &value));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(&format!("{expected} | /values/f/a")), "{found:?} is not {expected}");
    }
    let long = "x".repeat(1025);
    assert!(
        listed(&with_attribute(&json!(null), &json!(long)))[0].starts_with("MaxLength(1024) | values.f.a")
    );
}

#[test]
fn legal_attribute_values_are_read() {
    for (constraints, value) in [
        (json!(null), json!("anything")),
        (json!(null), json!([])),
        (json!({ "type": "string", "pattern": "b" }), json!("abc")),
        (json!({ "type": "string", "enum": [5] }), json!("5")),
        (json!({ "type": "number", "minimum": 1, "maximum": 1 }), json!(1.0)),
        (json!({ "type": "array", "elements": { "type": "number" } }), json!([])),
        (json!({ "type": "array" }), json!([1, 2.5])),
        (json!({ "type": "array", "required": true }), json!([])),
        (json!({ "type": "boolean", "required": true }), json!(false)),
    ] {
        accepted(&with_attribute(&constraints, &value));
    }
    let document = accepted(&with_attribute(&json!(null), &json!("é".repeat(1024))));
    let Setting::Basic(state) = document.values().get("f").unwrap().setting() else { panic!() };
    assert_eq!(state.attributes.get("a"), Some(&AttributeValue::String("é".repeat(1024))));
}

#[test]
fn an_attribute_must_be_defined() {
    let document = with_attribute(&json!({ "type": "string" }), &json!("x"));
    let mut undefined = document.clone();
    undefined["values"]["f"]["b"] = json!([1]);
    assert_eq!(
        listed(&undefined),
        [r#"Satisfies(map[a]) | values.f.b | {"Key":"b","Value":[1]} | /values/f/b"#]
    );
    let mut no_definition = document;
    no_definition["flags"] = json!({});
    assert_eq!(
        listed(&no_definition),
        [r#"Satisfies(map[]) | values.f.a | {"Key":"a","Value":"x"} | /values/f/a"#]
    );
}

#[test]
fn a_value_without_attributes_needs_no_definition() {
    accepted(&json!({ "version": "1", "values": { "f": { "enabled": true } } }));
    accepted(&json!({ "version": "1", "flags": { "g": {} }, "values": { "f": {} } }));
}

#[test]
fn a_required_attribute_is_missed_twice_even_when_the_flag_is_disabled() {
    let definitions = json!({ "a": { "constraints": { "type": "string", "required": true } } });
    let document = json!({
        "version": "1",
        "flags": { "f": { "attributes": definitions } },
        "values": { "f": { "enabled": false } },
    });
    let expected = [
        format!("Not(IsZero([])) | values.f.attributes | {definitions} | /values/f"),
        format!("Entries | values.f.attributes.a | {} | /values/f", definitions["a"]),
    ];
    assert_eq!(listed(&document), expected);
}

fn variants(list: &Value) -> Value {
    json!({
        "version": "1",
        "flags": { "f": { "attributes": { "a": { "constraints": { "type": "number", "maximum": 5 } } } } },
        "values": { "f": { "_variants": list } },
    })
}

fn constraints_and_locations(document: &Value) -> Vec<String> {
    let violations = refused(&document.to_string());
    violations.listed.iter().map(|v| format!("{} {} {}", v.constraint, v.location, v.pointer)).collect()
}

#[test]
fn variants_are_checked_as_a_whole_and_one_by_one() {
    let rule = "(eq $a \"b\")";
    let cases = [
        (
            json!([{ "name": "n", "enabled": true, "rule": rule }, { "name": "n", "enabled": true }]),
            "UniqueVariantNames values.f._variants.variants.variants /values/f/_variants",
        ),
        (
            json!([{ "name": "x", "enabled": true }, { "name": "y", "enabled": true }]),
            "NonEmpty values.f._variants.variants.x.rule /values/f/_variants/0",
        ),
        (
            json!([{ "name": "x", "enabled": true, "rule": "" }, { "name": "y", "enabled": true }]),
            "NonEmpty values.f._variants.variants.x.rule /values/f/_variants/0/rule",
        ),
        (
            json!([{ "name": "y", "enabled": true, "rule": rule }]),
            "Empty values.f._variants.variants.y.rule /values/f/_variants/0/rule",
        ),
        (
            json!([{ "name": "y", "enabled": 1 }]),
            "AttributeType(boolean) values.f._variants.variants.y.enabled /values/f/_variants/0/enabled",
        ),
        (
            json!([{ "name": "y", "enabled": true, "attributeValues": { "a": 6 } }]),
            "FloatLTE(5) values.f._variants.variants.y.attributeValues.a /values/f/_variants/0/attributeValues/a",
        ),
        (
            json!([{ "name": "y", "enabled": true, "attributeValues": { "b": 6 } }]),
            "Satisfies(map[a]) values.f._variants.variants.y.attributeValues.b /values/f/_variants/0/attributeValues/b",
        ),
        (json!([{ "enabled": true }]), "Required values.f._variants.0.name /values/f/_variants/0"),
        (
            json!([{ "name": "a\nb" }]),
            r"Regexp(^[^\n]{1,64}$) values.f._variants.0.name /values/f/_variants/0/name",
        ),
        (
            json!([{ "name": "y", "ruel": rule }]),
            "KnownMember values.f._variants.variants.y.ruel /values/f/_variants/0/ruel",
        ),
        (json!({}), "JsonType(array) values.f._variants /values/f/_variants"),
        (json!([1]), "JsonType(object) values.f._variants.0 /values/f/_variants/0"),
        (
            json!([{ "name": "x", "rule": "x".repeat(16_385) }, { "name": "y" }]),
            "MaxLength(16384) values.f._variants.variants.x.rule /values/f/_variants/0/rule",
        ),
        (json!(vec![json!({ "name": "x" }); 65]), "MaxEntries(64) values.f._variants /values/f/_variants"),
    ];
    for (list, expected) in cases {
        assert_eq!(constraints_and_locations(&variants(&list)), [expected]);
    }
}

#[test]
fn required_attributes_are_missed_in_variants() {
    let mut document = variants(&json!([{ "name": "only", "enabled": false }]));
    document["flags"]["f"]["attributes"]["a"]["constraints"]["required"] = json!(true);
    assert_eq!(
        constraints_and_locations(&document),
        [
            "Not(IsZero([])) values.f._variants.variants.only.attributeValues /values/f/_variants/0",
            "Entries values.f._variants.variants.only.attributeValues.a /values/f/_variants/0",
        ]
    );
}

#[test]
fn a_value_with_variants_holds_nothing_else() {
    for (key, value) in [("enabled", json!(true)), ("a", json!(1))] {
        let mut document = variants(&json!([{ "name": "default", "enabled": true }]));
        document["values"]["f"][key] = value;
        assert_eq!(constraints_and_locations(&document), ["StrictVariants values.f /values/f"]);
    }
    let mut stamped = variants(&json!([{ "name": "default", "enabled": true }]));
    stamped["values"]["f"]["_createdAt"] = json!("2026-09-28T11:56:57.65Z");
    accepted(&stamped);
}

#[test]
fn as_many_variants_as_documented_and_more_are_accepted() {
    let mut list: Vec<Value> =
        (0..63).map(|n| json!({ "name": format!("v{n}"), "enabled": true, "rule": "(eq $a 1)" })).collect();
    list.push(json!({ "name": "Default Variant", "enabled": "f" }));
    let document = accepted(&variants(&json!(list)));
    let Setting::Variants(variants) = document.values().get("f").unwrap().setting() else { panic!() };
    assert_eq!(variants.with_rule().len(), 63);
    assert_eq!(variants.with_rule()[0].1.as_str(), "(eq $a 1)");
    assert_eq!(variants.default_variant().name, "Default Variant");
    assert!(!variants.default_variant().state.enabled);
}

#[test]
fn definitions_are_checked() {
    let cases = [
        (json!({ "name": "" }), r"Regexp(^[^\n]{1,64}$) flags.f.name"),
        (json!({ "description": "x".repeat(1025) }), "MaxLength(1024) flags.f.description"),
        (json!({ "_deprecation": { "status": "done" } }), "OneOf(planned) flags.f._deprecation.status"),
        (json!({ "_deprecation": {} }), "Required flags.f._deprecation.status"),
        (
            json!({ "_deprecation": { "status": "planned", "date": "2026-13-01" } }),
            "Format(date) flags.f._deprecation.date",
        ),
        (json!({ "_createdAt": "2000-01-01" }), "Format(date-time) flags.f._createdAt"),
        (json!({ "_updatedAt": 1 }), "Format(date-time) flags.f._updatedAt"),
        (json!({ "attributes": [] }), "JsonType(object) flags.f.attributes"),
        (json!({ "attributes": { "A": {} } }), r"Regexp(^[a-z][a-zA-Z\d_-]{0,63}$) flags.f.attributes.A"),
        (json!({ "attributes": { "enabled": {} } }), "Not(OneOf(enabled)) flags.f.attributes.enabled"),
        (
            json!({ "attributes": { "a": { "constraints": { "type": "object" } } } }),
            "OneOf(string, number, boolean, array) flags.f.attributes.a.constraints.type",
        ),
        (
            json!({ "attributes": { "a": { "constraints": {} } } }),
            "Required flags.f.attributes.a.constraints.type",
        ),
        (
            json!({ "attributes": { "a": { "constraints": { "type": "number", "minimum": 1.5 } } } }),
            "JsonType(integer) flags.f.attributes.a.constraints.minimum",
        ),
        (
            json!({ "attributes": { "a": { "constraints": { "type": "string", "pattern": "(" } } } }),
            "PatternIsValid flags.f.attributes.a.constraints.pattern",
        ),
        (
            json!({ "attributes": { "a": { "constraints": { "type": "string", "pattern": "a{999}{999}" } } } }),
            "PatternIsValid flags.f.attributes.a.constraints.pattern",
        ),
        (
            json!({ "attributes": { "a": { "constraints": { "type": "string", "pattern": "a", "enum": ["a"] } } } }),
            "Excludes(enum) flags.f.attributes.a.constraints.pattern",
        ),
        (
            json!({ "attributes": { "a": { "constraints": { "type": "string", "enum": ["a", true] } } } }),
            "ElementType(string, integer) flags.f.attributes.a.constraints.enum.1",
        ),
        (
            json!({ "attributes": { "a": { "constraints": { "type": "array", "elements": { "type": "array" } } } } }),
            "OneOf(string, number) flags.f.attributes.a.constraints.elements.type",
        ),
        (json!([]), "JsonType(object) flags.f"),
    ];
    for (definition, expected) in cases {
        // The value has attributes that a broken definition says nothing about: no violations of their own.
        let document = json!({ "version": "1", "flags": { "f": definition } });
        let found = constraints_and_locations(&document);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(expected), "{found:?} is not {expected}");
    }
    let many: serde_json::Map<String, Value> = (0..26).map(|n| (format!("a{n}"), json!({}))).collect();
    let document = json!({ "version": "1", "flags": { "f": { "attributes": many } } });
    assert_eq!(
        constraints_and_locations(&document),
        ["MaxEntries(25) flags.f.attributes /flags/f/attributes"]
    );
}

#[test]
fn a_broken_definition_does_not_make_its_values_wrong_too() {
    let found = constraints_and_locations(&with_attribute(&json!({ "type": "text" }), &json!("x")));
    assert_eq!(found.len(), 1, "{found:?}");
    let document = json!({ "version": "1", "flags": { "f": 1 }, "values": { "f": { "a": 1 } } });
    assert_eq!(constraints_and_locations(&document), ["JsonType(object) flags.f /flags/f"]);
}

#[test]
fn a_bad_key_is_placed_at_the_key() {
    assert_eq!(
        listed(&json!({ "version": "1", "values": { "Flag": {} } })),
        [r"Regexp(^[a-z][a-zA-Z\d_-]{0,63}$) | values.Flag | Flag | /values/Flag"]
    );
}

#[test]
fn flags_and_values_must_be_objects() {
    assert_eq!(
        constraints_and_locations(&json!({ "flags": 1, "values": [] })),
        ["Required version ", "JsonType(object) flags /flags", "JsonType(object) values /values"]
    );
    assert_eq!(constraints_and_locations(&json!([])), ["JsonType(object)  "]);
}

#[test]
fn unknown_members_outside_values_are_dropped() {
    let document = json!({
        "version": "1",
        "x": 1,
        "flags": { "f": { "x": 1, "attributes": { "a": { "x": 1, "constraints": { "type": "string", "x": 1 } } } } },
    });
    let plain = json!({
        "version": "1",
        "flags": { "f": { "attributes": { "a": { "constraints": { "type": "string" } } } } },
    });
    assert_eq!(accepted(&document), accepted(&plain));
}

#[test]
fn malformed_json_is_placed() {
    let malformed = |bytes: &[u8]| match FlagDocument::read(bytes) {
        Err(ReadError::Malformed { message, at }) => (message, at.line, at.column),
        other => panic!("{other:?}"),
    };
    assert_eq!(malformed(b""), ("EOF while parsing a value".to_owned(), 1, 1));
    assert_eq!(malformed(b"{\n \"a\": }").1, 2);
    assert_eq!(malformed(b"{\"\xc3\xa9\": \"\xff\"}"), ("not UTF-8".to_owned(), 1, 8));
    assert_eq!(malformed("[".repeat(200).as_bytes()).0, "recursion limit exceeded");
}

#[test]
fn the_last_of_duplicate_keys_wins() {
    let document = FlagDocument::read(br#"{"version":"2","version":"1"}"#).unwrap();
    assert_eq!(document, FlagDocument::default());
}

#[test]
fn what_is_too_large_is_not_even_parsed() {
    let bytes = vec![b' '; MAX_DOCUMENT_BYTES + 1];
    assert_eq!(
        FlagDocument::read(&bytes),
        Err(ReadError::TooLarge { limit: MAX_DOCUMENT_BYTES, size: MAX_DOCUMENT_BYTES + 1 })
    );
}

#[test]
fn the_list_of_violations_is_bounded() {
    let values: serde_json::Map<String, Value> =
        (0..1000).map(|n| (format!("f{n}"), json!({ "enabled": "x".repeat(3000) }))).collect();
    let violations = refused(&json!({ "version": "1", "values": values }).to_string());
    assert_eq!(violations.listed.len(), MAX_VIOLATIONS);
    assert_eq!(violations.omitted, 1000 - MAX_VIOLATIONS);
    assert!(violations.listed.iter().all(|violation| violation.value.chars().count() == 2048));
    assert!(violations.listed.iter().all(|violation| violation.at.is_some()));
}

#[test]
fn only_rfc_3339_instants_are_stamps() {
    let document = |stamp: &str| {
        json!({ "version": "1", "values": { "f": { "_createdAt": stamp, "enabled": true } } }).to_string()
    };
    for good in [
        "2026-09-28T11:56:57.65Z",
        "2026-09-28T11:56:57Z",
        "2026-09-28t11:56:57.123456789+02:00",
        "0001-01-01T00:00:00-00:00",
    ] {
        FlagDocument::read(document(good).as_bytes()).unwrap();
    }
    for bad in [
        "",
        "2000-01-01",
        "2026-09-28T11:56:57",
        "2026-09-28 11:56:57Z",
        "2026-09-28T11:56:57.Z",
        "2026-02-30T11:56:57Z",
        "20260928T115657Z",
        "2026-09-28T11:56:57+0200",
        "2026-09-28T11:56:57+02:00[Europe/Berlin]",
        "9999-12-31T23:59:59-23:00",
    ] {
        assert_eq!(refused(&document(bad)).listed[0].constraint, "Format(date-time)", "{bad}");
    }
}

/// JSON that looks enough like a flag document to get somewhere.
fn almost_a_document() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("version"),
        Just("flags"),
        Just("values"),
        Just("f"),
        Just("_variants"),
        Just("attributes"),
        Just("constraints"),
        Just("type"),
        Just("enum"),
        Just("pattern"),
        Just("enabled"),
        Just("rule"),
        Just("name"),
        Just("attributeValues"),
        Just("_createdAt"),
        Just("elements"),
        Just("string"),
        Just("array"),
        Just("1"),
        Just("é\""),
    ]
    .prop_map(str::to_owned);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(8, 60, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(word.clone(), inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    (value.clone(), value).prop_map(|(flags, values)| {
        json!({ "version": "1", "flags": { "f": flags }, "values": { "f": values } }).to_string()
    })
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
        let _ = FlagDocument::read(&bytes);
    }

    #[test]
    fn no_json_makes_the_reader_panic(text in almost_a_document()) {
        if let Err(ReadError::Invalid(violations)) = FlagDocument::read(text.as_bytes()) {
            prop_assert!(violations.listed.iter().all(|violation| violation.at.is_some()));
        }
    }
}
