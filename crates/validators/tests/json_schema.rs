//! What the `JSON_SCHEMA` validator accepts, and what it says otherwise.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failing test panics")]

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use yardarm_flags::json_position::TextPosition;
use yardarm_validators::{
    ContentFault, Detail, JsonSchema, MAX_CONTENT_BYTES, MAX_DETAILS, MAX_SCHEMA_CHARS, SchemaFault,
};

fn compile(schema: &Value) -> JsonSchema {
    JsonSchema::compile(&schema.to_string()).unwrap_or_else(|refused| panic!("{refused}"))
}

fn is_valid(schema: &Value, content: &Value) -> bool {
    compile(schema).validate(content.to_string().as_bytes()).is_ok()
}

fn schema_fault(schema: &str) -> SchemaFault {
    match JsonSchema::compile(schema) {
        Err(refused) => refused.fault,
        Ok(_) => panic!("{schema} was accepted"),
    }
}

fn content_fault(schema: &Value, content: &str) -> ContentFault {
    compile(schema).validate(content.as_bytes()).unwrap_err().fault
}

fn details(schema: &Value, content: &str) -> Vec<Detail> {
    match content_fault(schema, content) {
        ContentFault::Broken { details, omitted: 0 } => details,
        other => panic!("{other:?}"),
    }
}

#[test]
fn content_that_breaks_a_schema_is_refused_in_the_services_words() {
    let schema = r#"{"properties": {"count": {"minimum": 1}}}"#;
    let refused = JsonSchema::compile(schema).unwrap().validate(b"{\n  \"count\": 0\n}").unwrap_err();
    assert_eq!(
        refused.to_string(),
        "Could not build JSON schema from invalid input:\n {\"properties\": {\"count\": {\"minimum\": 1}}}.\n \
         Original error message:\n\
         [message: \"numeric instance is lower than the required minimum (minimum: 1, found: 0)\" - parent node: /count]"
    );
    assert_eq!(
        refused.fault,
        ContentFault::Broken {
            details: vec![Detail {
                constraint: "minimum".into(),
                pointer: "/count".into(),
                at: Some(TextPosition { line: 2, column: 12 }),
                value: "0".into(),
                reason: "numeric instance is lower than the required minimum (minimum: 1, found: 0)".into(),
            }],
            omitted: 0
        }
    );
}

#[test]
fn every_keyword_is_explained() {
    let cases = [
        (
            json!({ "maximum": 1 }),
            "2",
            "maximum",
            "numeric instance is greater than the required maximum (maximum: 1, found: 2)",
        ),
        (
            json!({ "minimum": 1, "exclusiveMinimum": true }),
            "1",
            "exclusiveMinimum",
            "numeric instance is not strictly greater than the required minimum 1",
        ),
        (
            json!({ "maximum": 1, "exclusiveMaximum": true }),
            "1",
            "exclusiveMaximum",
            "numeric instance is not strictly lower than the required maximum 1",
        ),
        (json!({ "multipleOf": 2 }), "7", "multipleOf", "remainder of division is not zero (7 / 2)"),
        (
            json!({ "type": "integer" }),
            "\"x\"",
            "type",
            "instance type (string) does not match any allowed primitive type (allowed: [\"integer\"])",
        ),
        (
            json!({ "type": ["string", "null"] }),
            "1",
            "type",
            "instance type (integer) does not match any allowed primitive type (allowed: [\"null\",\"string\"])",
        ),
        (
            json!({ "required": ["b", "a"] }),
            "{}",
            "required",
            "object has missing required properties ([\"a\",\"b\"])",
        ),
        (
            json!({ "enum": ["a", 1] }),
            "\"x\"",
            "enum",
            "instance value (\"x\") not found in enum (possible values: [\"a\",1])",
        ),
        (
            json!({ "pattern": "^[a-z]+$" }),
            "\"A\"",
            "pattern",
            "ECMA 262 regex \"^[a-z]+$\" does not match input string \"A\"",
        ),
        (
            json!({ "properties": { "a": {} }, "additionalProperties": false }),
            "{\"a\":1,\"c\":1,\"b\":1}",
            "additionalProperties",
            "object instance has properties which are not allowed by the schema: [\"b\",\"c\"]",
        ),
        (
            json!({ "additionalProperties": false }),
            "{\"c\":1,\"b\":1}",
            "additionalProperties",
            "object instance has properties which are not allowed by the schema: [\"b\",\"c\"]",
        ),
        (
            json!({ "minLength": 3 }),
            "\"ü\"",
            "minLength",
            "string \"ü\" is too short (length: 1, required minimum: 3)",
        ),
        (
            json!({ "maxLength": 1 }),
            "\"ab\"",
            "maxLength",
            "string \"ab\" is too long (length: 2, maximum allowed: 1)",
        ),
        (
            json!({ "minItems": 2 }),
            "[1]",
            "minItems",
            "array is too short: must have at least 2 elements but instance has 1 elements",
        ),
        (
            json!({ "maxItems": 1 }),
            "[1, 2]",
            "maxItems",
            "array is too long: must have at most 1 elements but instance has 2 elements",
        ),
        (
            json!({ "items": [{}], "additionalItems": false }),
            "[1, 2]",
            "additionalItems",
            "schema only allows 1 elements in array but instance has 2 elements",
        ),
        (
            json!({ "uniqueItems": true }),
            "[1, 1]",
            "uniqueItems",
            "array must not contain duplicate elements",
        ),
        (
            json!({ "minProperties": 1 }),
            "{}",
            "minProperties",
            "object has too few properties (found 0 but schema requires at least 1)",
        ),
        (
            json!({ "maxProperties": 0 }),
            "{\"a\":1}",
            "maxProperties",
            "object has too many properties (found 1 but schema requires at most 0)",
        ),
        (
            json!({ "anyOf": [{ "type": "null" }, { "type": "array" }] }),
            "1",
            "anyOf",
            "instance failed to match at least one required schema among 2",
        ),
        (
            json!({ "oneOf": [{ "type": "null" }, { "type": "array" }] }),
            "1",
            "oneOf",
            "instance failed to match exactly one schema (matched 0 out of 2)",
        ),
        (
            json!({ "oneOf": [{ "type": "number" }, { "type": "integer" }, { "type": "null" }] }),
            "1",
            "oneOf",
            "instance failed to match exactly one schema (matched 2 out of 3)",
        ),
        (json!({ "not": {} }), "1", "not", "instance matched a schema which it should not have"),
        (json!({ "format": "email" }), "\"x\"", "format", "string \"x\" is not a valid email address"),
        (
            json!({ "dependencies": { "a": ["b"] } }),
            "{\"a\":1}",
            "dependencies",
            "\"b\" is a required property",
        ),
    ];
    for (schema, content, constraint, reason) in cases {
        let found = details(&schema, content);
        let [detail] = &found[..] else { panic!("{schema}: {found:?}") };
        assert_eq!((detail.constraint.as_str(), detail.reason.as_str()), (constraint, reason));
        assert_eq!(detail.pointer, "");
        assert_eq!(detail.at, Some(TextPosition { line: 1, column: 1 }));
    }
}

#[test]
fn all_mistakes_are_listed_by_position() {
    let schema = json!({
        "properties": { "a": { "type": "string" }, "b/c": { "items": { "maximum": 1 } } },
        "required": ["z"],
    });
    let found = details(&schema, "{\"b/c\": [1, 2, 3],\n\"a\": 1}");
    let places: Vec<String> = found
        .iter()
        .map(|detail| {
            format!("{} {} {} {}", detail.constraint, detail.pointer, detail.value, detail.at.unwrap())
        })
        .collect();
    assert_eq!(
        places,
        [
            "required  {\"a\":1,\"b/c\":[1,2,3]} line 1, column 1",
            "maximum /b~1c/1 2 line 1, column 13",
            "maximum /b~1c/2 3 line 1, column 16",
            "type /a 1 line 2, column 6",
        ]
    );
}

#[test]
fn the_rules_are_draft_4_whatever_the_schema_says() {
    let draft7 = "http://json-schema.org/draft-07/schema#";
    assert!(is_valid(&json!({ "$schema": draft7, "const": 1 }), &json!(2)));
    let nested = json!({ "properties": { "a": { "$schema": draft7, "id": "http://x/y", "const": 1, "if": {}, "then": { "not": {} } } } });
    assert!(is_valid(&nested, &json!({ "a": 2 })));
    assert!(is_valid(
        &json!({ "$schema": "http://nowhere.example/", "contains": { "not": {} } }),
        &json!([1])
    ));
    assert!(!is_valid(&json!({ "minimum": 1, "exclusiveMinimum": true }), &json!(1)));
    assert!(matches!(schema_fault(r#"{"minimum": 1, "exclusiveMinimum": 1}"#), SchemaFault::NotASchema(_)));
    assert!(matches!(schema_fault(r#"{"properties": {"a": true}}"#), SchemaFault::NotASchema(_)));
}

#[test]
fn members_that_are_called_like_keywords_are_not_mistaken_for_them() {
    let schema = json!({
        "properties": { "id": { "type": "string" }, "$schema": { "type": "string" }, "enum": { "type": "string" } },
        "definitions": { "const": { "type": "string" }, "enum": { "type": "string" } },
        "patternProperties": { "^default$": { "$ref": "#/definitions/const" }, "^x$": { "$ref": "#/definitions/enum" } },
    });
    for name in ["id", "$schema", "enum", "default", "x"] {
        assert!(!is_valid(&schema, &json!({ name: 1 })), "{name}");
        assert!(is_valid(&schema, &json!({ name: "1" })), "{name}");
    }
    assert!(is_valid(
        &json!({ "enum": [{ "$schema": "x", "id": "y" }] }),
        &json!({ "$schema": "x", "id": "y" })
    ));
}

#[test]
fn references_stay_within_the_schema() {
    let recursive = json!({
        "definitions": { "a b": { "type": "object", "additionalProperties": { "$ref": "#/definitions/a%20b" } } },
        "$ref": "#/definitions/a%20b",
    });
    assert!(is_valid(&recursive, &json!({ "x": { "y": {} } })));
    assert!(!is_valid(&recursive, &json!({ "x": { "y": 1 } })));

    for external in
        ["http://json-schema.org/draft-04/schema#", "file:///etc/passwd", "other.json", "//x/y#/a", "", " #"]
    {
        let schema = json!({ "items": { "$ref": external } }).to_string();
        let refused = JsonSchema::compile(&schema).unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!(
                "Could not build JSON schema from invalid input:\n {schema}.\n Original error message:\n\
                 External schema references are not supported."
            )
        );
        let fault = SchemaFault::ExternalReference { reference: external.into(), pointer: "/items".into() };
        assert_eq!(refused.fault, fault);
    }
    for unresolved in ["#name", "#/enum/0"] {
        let schema = json!({ "enum": [{}], "items": { "$ref": unresolved } });
        assert!(
            matches!(schema_fault(&schema.to_string()), SchemaFault::UnresolvedReference { .. }),
            "{unresolved}"
        );
    }
    for nowhere in ["#/nope", "#/default"] {
        let schema = json!({ "default": {}, "items": { "$ref": nowhere } });
        assert!(matches!(schema_fault(&schema.to_string()), SchemaFault::NotASchema(_)), "{nowhere}");
    }
}

#[test]
fn what_is_no_schema_is_refused_with_its_place() {
    assert!(matches!(
        schema_fault("{not json"),
        SchemaFault::NotJson { at: TextPosition { line: 1, column: 2 }, .. }
    ));
    for not_an_object in ["true", "[]", "1"] {
        assert_eq!(schema_fault(not_an_object), SchemaFault::NotAnObject);
    }
    let SchemaFault::NotASchema(detail) = schema_fault("{\n \"items\": {\"minLength\": -1}\n}") else {
        panic!()
    };
    assert_eq!(detail.pointer, "/items/minLength");
    assert_eq!(detail.at, Some(TextPosition { line: 2, column: 25 }));
    let refused = JsonSchema::compile("{not json").unwrap_err().to_string();
    assert!(refused.starts_with(
        "Could not build JSON schema from invalid input:\n {not json.\n Original error message:\n"
    ));
}

#[test]
fn a_schema_has_at_most_32768_characters() {
    let of_length = |length: usize| format!("{{\"title\":\"{}\"}}", "ü".repeat(length - 12));
    JsonSchema::compile(&of_length(MAX_SCHEMA_CHARS)).unwrap();
    let refused = JsonSchema::compile(&of_length(MAX_SCHEMA_CHARS + 1)).unwrap_err();
    assert_eq!(refused.fault, SchemaFault::TooLong);
    assert_eq!(refused.schema.chars().count(), MAX_SCHEMA_CHARS);
}

#[test]
fn content_must_be_json() {
    let ContentFault::NotJson { at, .. } = content_fault(&json!({}), "a: 1\n") else { panic!() };
    assert_eq!(at, TextPosition { line: 1, column: 1 });
    for bad in ["", "{\"a\": \n}", "\u{feff}{}"] {
        assert!(matches!(content_fault(&json!({}), bad), ContentFault::NotJson { .. }), "{bad}");
    }
    assert!(compile(&json!({})).validate(b"\"\xff\"").is_err());
    let large = vec![b' '; MAX_CONTENT_BYTES + 1];
    let fault = compile(&json!({})).validate(&large).unwrap_err().fault;
    assert_eq!(fault, ContentFault::TooLarge { size: MAX_CONTENT_BYTES + 1 });
}

#[test]
fn refusals_are_bounded() {
    let numbers: Vec<u32> = (0..1000).collect();
    let fault = content_fault(&json!({ "items": { "type": "string" } }), &json!(numbers).to_string());
    let ContentFault::Broken { details, omitted } = fault else { panic!() };
    assert_eq!((details.len(), omitted), (MAX_DETAILS, 1000 - MAX_DETAILS));

    let long = json!({ "a": "é".repeat(100_000) }).to_string();
    let found = details_of(&json!({ "type": "string", "enum": ["y".repeat(10_000)] }), &long);
    assert!(found.iter().all(|detail| detail.value.len() < 600 && detail.reason.len() < 1500), "{found:?}");
    let many: Map<String, Value> = (0..10_000).map(|n| (format!("k{n}"), json!(1))).collect();
    let found = details_of(&json!({ "additionalProperties": false }), &json!(many).to_string());
    assert!(found.len() == 1 && found.iter().all(|detail| detail.reason.len() < 1500));
}

fn details_of(schema: &Value, content: &str) -> Vec<Detail> {
    match content_fault(schema, content) {
        ContentFault::Broken { details, .. } => details,
        other => panic!("{other:?}"),
    }
}

#[test]
fn patterns_run_in_linear_time_or_not_at_all() {
    assert!(is_valid(&json!({ "pattern": "^[\\w-]{1,255}$" }), &json!("a-b")));
    let evil = json!({ "pattern": "^(a+)+$" });
    assert!(!is_valid(&evil, &json!("a".repeat(50_000) + "!")));
    for pattern in ["(?=a)b", "(a)\\1", "\\d{1,1000}{1,1000}", "("] {
        let schema = json!({ "properties": { "x": { "pattern": pattern } } });
        let SchemaFault::NotASchema(detail) = schema_fault(&schema.to_string()) else { panic!("{pattern}") };
        assert_eq!(detail.pointer, "/properties/x/pattern");
        assert!(detail.reason.contains("is not a regular expression in RE2 syntax"), "{}", detail.reason);
    }
}

/// `a0` refers twice to `a1`, which refers twice to `a2`, and so on.
fn doubling(steps: usize, keyword: &str) -> Value {
    let twice = |next: usize| {
        let reference = json!({ "$ref": format!("#/definitions/a{next}") });
        json!({ keyword: [reference, reference] })
    };
    let mut definitions: Map<String, Value> = (0..steps).map(|n| (format!("a{n}"), twice(n + 1))).collect();
    definitions.insert(format!("a{steps}"), json!({ "type": "integer" }));
    json!({ "definitions": definitions, "allOf": [{ "$ref": "#/definitions/a0" }] })
}

#[test]
fn references_that_multiply_are_refused_before_the_work_is_done() {
    for keyword in ["allOf", "anyOf", "oneOf"] {
        assert_eq!(content_fault(&doubling(100, keyword), "\"x\""), ContentFault::TooMuchWork);
    }
    assert!(is_valid(&doubling(8, "allOf"), &json!(1)));
    let recursive = json!({ "properties": { "a": { "allOf": [{ "$ref": "#" }, { "$ref": "#" }] } } });
    let deep = "{\"a\":".repeat(100) + "1" + &"}".repeat(100);
    assert_eq!(content_fault(&recursive, &deep), ContentFault::TooMuchWork);
}

#[test]
fn references_that_go_in_circles_are_refused() {
    for schema in [
        json!({ "$ref": "#" }),
        json!({ "allOf": [{ "$ref": "#" }] }),
        json!({ "not": { "$ref": "#" } }),
        json!({ "definitions": { "a": { "$ref": "#/definitions/b" }, "b": { "$ref": "#/definitions/a" } },
                "anyOf": [{ "$ref": "#/definitions/a" }] }),
    ] {
        // Whether the schema or the content is refused is the engine's to say; that it ends is what counts.
        if let Ok(schema) = JsonSchema::compile(&schema.to_string()) {
            assert_eq!(schema.validate(b"1").unwrap_err().fault, ContentFault::TooMuchWork);
        }
    }
}

/// Runs on a stack as small as those of worker threads.
fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(2 << 20).spawn(test).unwrap().join().unwrap();
}

#[test]
fn the_deepest_schemas_and_contents_fit_on_a_small_stack() {
    on_a_small_stack(|| {
        let deep =
            |open: &str, middle: &str, close: &str, times| open.repeat(times) + middle + &close.repeat(times);
        let schema = deep("{\"not\":", "{}", "}", 126);
        assert!(JsonSchema::compile(&schema).unwrap().validate(b"1").is_ok());
        let content = deep("{\"a\":", "1", "}", 126);
        let recursive = json!({ "additionalProperties": { "$ref": "#" } });
        assert!(compile(&recursive).validate(content.as_bytes()).is_ok());
        // As long a chain of references as is followed at all, and one longer than that.
        for (links, outcome) in [(240, true), (1000, false)] {
            let mut definitions: Map<String, Value> = (0..links)
                .map(|n| {
                    (format!("a{n}"), json!({ "allOf": [{ "$ref": format!("#/definitions/a{}", n + 1) }] }))
                })
                .collect();
            definitions.insert(format!("a{links}"), json!({ "type": "integer" }));
            let schema = json!({ "definitions": definitions, "$ref": "#/definitions/a0" });
            if let Ok(schema) = JsonSchema::compile(&schema.to_string()) {
                let _ = schema.validate(b"\"x\"");
                assert_eq!(schema.validate(b"1").is_ok(), outcome, "{links}");
            }
        }
        // The chain is gone through once more at each level of the content.
        let mut definitions: Map<String, Value> = (0..40)
            .map(|n| (format!("a{n}"), json!({ "not": { "$ref": format!("#/definitions/a{}", n + 1) } })))
            .collect();
        definitions.insert("a40".into(), json!({ "items": { "$ref": "#/definitions/a0" } }));
        let schema = compile(&json!({ "definitions": definitions, "$ref": "#/definitions/a0" }));
        assert!(schema.validate(deep("[", "1", "]", 5).as_bytes()).is_ok());
        let fault = schema.validate(deep("[", "1", "]", 100).as_bytes()).unwrap_err().fault;
        assert_eq!(fault, ContentFault::TooMuchWork);
    });
}

#[test]
fn a_wide_content_is_validated_and_a_huge_one_without_explanations() {
    let numbers = |count: usize| format!("[{}0]", "0,".repeat(count));
    let schema = json!({ "items": { "type": "integer", "maximum": 1 } });
    assert!(compile(&schema).validate(numbers(600_000).as_bytes()).is_ok());
    let wrong = json!({ "items": { "type": "string" } });
    let fault = content_fault(&wrong, &numbers(600_000));
    assert_eq!(fault, ContentFault::Broken { details: vec![], omitted: 1 });
    assert!(fault.to_string().contains("too large to say where"));
}

/// JSON made of the words of JSON Schema.
fn almost_a_schema() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("$ref"),
        Just("id"),
        Just("$schema"),
        Just("properties"),
        Just("items"),
        Just("allOf"),
        Just("anyOf"),
        Just("not"),
        Just("enum"),
        Just("type"),
        Just("string"),
        Just("pattern"),
        Just("minimum"),
        Just("required"),
        Just("dependencies"),
        Just("additionalProperties"),
        Just("definitions"),
        Just("#"),
        Just("#/definitions/id"),
        Just("format"),
        Just("regex"),
        Just("patternProperties"),
        Just("(a+)+"),
    ]
    .prop_map(str::to_owned);
    let leaf = prop_oneof![
        Just(json!(true)),
        any::<i8>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(word.clone(), inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_text_makes_the_validator_panic(schema: String, content: Vec<u8>) {
        if let Ok(schema) = JsonSchema::compile(&schema) {
            let _ = schema.validate(&content);
        }
        let _ = JsonSchema::compile("{}").unwrap().validate(&content);
    }

    #[test]
    fn no_schema_and_no_content_make_the_validator_panic(
        keywords in prop::collection::vec(almost_a_schema(), 1..4),
        content in almost_a_schema(),
    ) {
        let names = ["properties", "items", "allOf", "not", "additionalProperties", "definitions"];
        let schema: Map<String, Value> = names.iter().map(|name| (*name).to_owned()).zip(keywords).collect();
        match JsonSchema::compile(&Value::Object(schema).to_string()) {
            Err(refused) => prop_assert!(refused.to_string().starts_with("Could not build")),
            Ok(schema) => {
                if let Err(refused) = schema.validate(content.to_string().as_bytes()) {
                    prop_assert!(refused.to_string().starts_with("Could not build"));
                }
            }
        }
    }
}
