//! Whole answers. The golden files are what clients parse.
#![expect(clippy::unwrap_used, reason = "a failing test panics")]

use yardarm_flags::{CompiledFlags, FlagDocument};
use yardarm_ofrep::{
    Answer, Configuration, EventStream, FlagSet, Malformed, Request, StreamAddress, entity_tag,
    evaluate_flag, evaluate_flags, malformed_bulk, malformed_single,
};

/// One flag of every kind.
const SHOP: &str = r#"{
    "version": "1",
    "flags": {
        "banner": {"name": "Banner", "attributes": {
            "text": {"constraints": {"type": "string"}}, "price": {"constraints": {"type": "number"}},
            "tags": {"constraints": {"type": "array"}}, "late": {"constraints": {"type": "boolean"}}}},
        "limit": {"name": "Limit", "attributes": {"value": {"constraints": {"type": "number"}}}},
        "sizes": {"name": "Sizes", "attributes": {"value": {"constraints": {"type": "array"}}}},
        "closed": {"name": "Closed", "attributes": {"text": {"constraints": {"type": "string"}}}},
        "colour": {"name": "Colour", "attributes": {"value": {"constraints": {"type": "string"}}}}
    },
    "values": {
        "plain": {"enabled": true},
        "off": {"enabled": false},
        "banner": {"enabled": true, "text": "50 % \"off\"", "price": 4.5, "tags": ["a", "b"]},
        "limit": {"enabled": true, "value": 9007199254740991},
        "sizes": {"enabled": true, "value": [1, 2.5]},
        "closed": {"enabled": false, "text": "hidden"},
        "colour": {"_variants": [
            {"name": "staff", "enabled": true, "rule": "(ends_with $email \"@example.com\")", "attributeValues": {"value": "red"}},
            {"name": "some", "enabled": true, "rule": "(split pct::100 by::$targetingKey)", "attributeValues": {"value": "green"}},
            {"name": "rest", "enabled": false, "attributeValues": {"value": "blue"}}
        ]},
        "tier": {"_variants": [
            {"name": "adults", "enabled": true, "rule": "(gte $age 18)"},
            {"name": "nested", "enabled": true, "rule": "(eq '$user.plan' \"pro\")"},
            {"name": "rest", "enabled": false}
        ]}
    }
}"#;

fn compiled(document: &str) -> CompiledFlags {
    CompiledFlags::compile(&FlagDocument::read(document.as_bytes()).unwrap())
}

/// Runs `then` on the flag set of `documents`, one profile each.
fn with_set<R>(documents: &[(&str, &str)], then: impl FnOnce(&FlagSet<'_>) -> R) -> R {
    let flags: Vec<CompiledFlags> = documents.iter().map(|(_, document)| compiled(document)).collect();
    let configurations: Vec<Configuration<'_>> = documents
        .iter()
        .zip(&flags)
        .map(|((profile, document), flags)| Configuration {
            profile,
            version: "3",
            label: (*profile == "shop").then_some("v1.2"),
            content: document.as_bytes(),
            flags,
        })
        .collect();
    then(&FlagSet { id: "abcd123/efgh456", scope: "", configurations: &configurations })
}

fn one(key: &str, body: &str) -> Answer {
    with_set(&[("shop", SHOP)], |set| match Request::parse(body.as_bytes()) {
        Ok(request) => evaluate_flag(set, key, &request, |_, _| ()),
        Err(malformed) => malformed_single(key, &malformed),
    })
}

fn all(documents: &[(&str, &str)], body: &str, streams: &[EventStream<'_>]) -> Answer {
    with_set(documents, |set| match Request::parse(body.as_bytes()) {
        Ok(request) => {
            evaluate_flags(set, &request, streams, entity_tag(set, &request, streams.len()), |_, _| ())
        }
        Err(malformed) => malformed_bulk(&malformed),
    })
}

fn shown(answer: &Answer) -> String {
    let body = String::from_utf8(answer.body.clone()).unwrap();
    let _: serde_json::Value = serde_json::from_str(&body).unwrap();
    // One element a line.
    format!("{}\n{}", answer.status.as_u16(), body.replace(",{\"key\"", ",\n{\"key\""))
}

#[test]
fn one_flag_of_every_kind() {
    let known = r#"{"context":{"targetingKey":"u-1","age":"30"}}"#;
    let cases = [
        ("boolean", "plain", known),
        ("boolean off", "off", known),
        ("object", "banner", known),
        ("object off", "closed", known),
        ("attribute text", "banner.text", known),
        ("attribute number", "banner.price", known),
        ("attribute array", "banner.tags", known),
        ("attribute enabled", "banner.enabled", known),
        ("attribute without a value", "banner.late", known),
        ("attribute of a flag that is off", "closed.text", known),
        ("value", "limit", known),
        ("value array", "sizes", known),
        ("split", "colour", known),
        ("rule", "colour", r#"{"context":{"targetingKey":"u-1","email":"ann@example.com"}}"#),
        ("split without a targeting key", "colour", r#"{"context":{"email":"ann@example.com"}}"#),
        ("split without a targeting key, attribute", "colour.value", ""),
        ("numeric rule", "tier", r#"{"context":{"age":30}}"#),
        ("nested rule", "tier", r#"{"context":{"age":3,"user":{"plan":"pro"}}}"#),
        ("default, off", "tier", r#"{"context":{"age":17.5}}"#),
        ("no such flag", "no/such \"flag\"", known),
        ("no such attribute", "banner.nothing", known),
        ("attribute of a boolean", "plain.enabled", known),
        ("broken", "plain", "{\"context\":"),
        ("no context", "plain", "{\"context\":[]}"),
    ];
    let answers: Vec<String> = cases
        .iter()
        .map(|(name, key, body)| format!("# {name}: {key}\n{}\n", shown(&one(key, body))))
        .collect();
    insta::assert_snapshot!(answers.join("\n"));
}

#[test]
fn all_flags() {
    let streams =
        [EventStream { address: StreamAddress::RequestUri("/ofrep/v1/stream?t=x"), inactivity_s: 120 }];
    let anonymous = all(&[("shop", SHOP)], "", &[]);
    let known = all(&[("shop", SHOP)], r#"{"context":{"targetingKey":"u-1","age":30}}"#, &streams);
    insta::assert_snapshot!("all-anonymous", shown(&anonymous));
    insta::assert_snapshot!("all-known", shown(&known));
    let some = all(&[("shop", SHOP)], r#"{"context":{"flags":["plain","banner.text","tier"]}}"#, &[]);
    insta::assert_snapshot!("all-filtered", shown(&some));
}

#[test]
fn of_two_profiles_the_first_has_the_flag_with_all_its_attributes() {
    let other = r#"{"version":"1","flags":{"plain":{"name":"p","attributes":{"x":{}}},"a-b":{"name":"x"}},
        "values":{"plain":{"enabled":true,"x":"y"},"a-b":{"enabled":true},"zebra":{"enabled":true}}}"#;
    let url = EventStream { address: StreamAddress::Url("https://flags.example.com/s"), inactivity_s: 0 };
    let merged = all(&[("shop", SHOP), ("terms", other)], "", &[url]);
    insta::assert_snapshot!("all-merged", shown(&merged));
    with_set(&[("shop", SHOP), ("terms", other)], |set| {
        let request = Request::parse(b"").unwrap();
        assert_eq!(evaluate_flag(set, "plain.x", &request, |_, _| ()).status.as_u16(), 404);
        assert_eq!(evaluate_flag(set, "zebra", &request, |_, _| ()).status.as_u16(), 200);
    });
}

#[test]
fn nothing_at_all_is_an_empty_list() {
    let none = all(&[], "", &[]);
    assert_eq!(shown(&none), "200\n{\"flags\":[],\"metadata\":{\"flagSetId\":\"abcd123/efgh456\"}}");
}

#[test]
fn failures_of_a_whole_request_name_no_key() {
    let malformed: Malformed = Request::parse(b"{").unwrap_err();
    insta::assert_snapshot!(shown(&malformed_bulk(&malformed)));
}

#[test]
fn answers_about_no_flag() {
    let later = Answer::later(http::StatusCode::SERVICE_UNAVAILABLE, "no data yet", 0);
    assert_eq!(later.retry_after_s, Some(1));
    assert_eq!(shown(&later), "503\n{\"errorDetails\":\"no data yet\"}");
    let same = Answer::not_modified("\"x\"".into());
    assert_eq!((same.status.as_u16(), same.etag.as_deref(), same.body.len()), (304, Some("\"x\""), 0));
}
