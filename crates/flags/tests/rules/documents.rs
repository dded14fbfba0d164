//! Rules within documents: how a refusal is located, and what is only warned of.

use serde_json::{Value as Json, json};
use yardarm_flags::rule::Code;
use yardarm_flags::{FlagDocument, ReadError, Violation, lint};

fn document(rules: &[&str]) -> Json {
    let mut variants: Vec<Json> = rules
        .iter()
        .enumerate()
        .map(|(index, rule)| json!({ "name": format!("v{index}"), "enabled": true, "rule": rule }))
        .collect();
    variants.push(json!({ "name": "default", "enabled": true }));
    json!({ "version": "1", "values": { "f": { "_variants": variants } } })
}

fn violations(text: &str) -> Vec<Violation> {
    match FlagDocument::read(text.as_bytes()) {
        Err(ReadError::Invalid(violations)) => violations.listed,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn a_rule_that_does_not_check_is_two_violations() {
    let text = r#"{
  "version": "1",
  "values": {
    "checkout": { "_variants": [
      { "name": "a", "enabled": true, "rule": "(eq $x \"1\")" },
      { "name": "b", "enabled": true,
        "rule": "(and\n  (eq $user \"Grö\u00DFe \uD83D\uDE00\") (nope \"\\u0041\" $tier))" },
      { "name": "default", "enabled": false }
    ] }
  }
}"#;
    let found = violations(text);
    let [rule, error] = &found[..] else { panic!("{found:#?}") };
    let written = "(and\n  (eq $user \"Größe 😀\") (nope \"\\u0041\" $tier))";

    assert_eq!(rule.constraint, "Empty");
    assert_eq!(rule.location, "values.checkout._variants.1.rule");
    assert_eq!(rule.value, written);
    assert_eq!(rule.reason, None);
    assert_eq!(rule.pointer, "/values/checkout/_variants/1/rule");
    assert_eq!(rule.at.unwrap().to_string(), "line 7, column 17");

    assert_eq!(error.constraint, "RuleIsValid");
    assert_eq!(error.location, "values.checkout._variants.1.rule.and.2");
    assert_eq!(error.value, written);
    assert_eq!(error.reason.as_deref(), Some("UnknownSymbol"));
    assert!(error.message.as_ref().unwrap().starts_with("there is no operator `nope`; "));
    assert_eq!(error.pointer, "/values/checkout/_variants/1/rule");
    let line = text.lines().nth(6).unwrap();
    let column = line[..line.find("nope").unwrap()].chars().count() + 1;
    assert_eq!(error.at.unwrap().to_string(), format!("line 7, column {column}"));
}

#[test]
fn every_error_of_every_rule_is_listed() {
    let found =
        violations(&document(&["not-a-rule", "(eq $a 1)", "(eq $tier)", "(and (eq) (eq 1))"]).to_string());
    let listed: Vec<String> = found
        .iter()
        .map(|one| format!("{} {} {}", one.constraint, one.location, one.reason.as_deref().unwrap_or("-")))
        .collect();
    assert_eq!(
        listed,
        [
            "Empty values.f._variants.0.rule -",
            "RuleIsValid values.f._variants.0.rule NotAnExpression",
            "Empty values.f._variants.2.rule -",
            "RuleIsValid values.f._variants.2.rule.eq TooFewOperands",
            "Empty values.f._variants.3.rule -",
            "RuleIsValid values.f._variants.3.rule.and.1.eq TooFewOperands",
            "RuleIsValid values.f._variants.3.rule.and.2.eq TooFewOperands",
        ]
    );
}

#[test]
fn a_long_rule_is_cut_beside_its_error() {
    let of_length = |length: usize| format!("({})", "é".repeat(length - 2));
    let found = violations(&document(&[&of_length(100)]).to_string());
    assert_eq!((found[0].value.as_str(), found[1].value.as_str()), (&*of_length(100), &*of_length(100)));
    let found = violations(&document(&[&of_length(101)]).to_string());
    assert_eq!(found[0].value, of_length(101));
    assert_eq!(found[1].value, format!("({}...", "é".repeat(96)));
}

fn warned(rules: &[&str]) -> Vec<String> {
    let document = FlagDocument::read(document(rules).to_string().as_bytes()).unwrap();
    lint(&document).iter().map(|one| format!("{} {} {}", one.flag, one.name, one.diagnostic.code)).collect()
}

#[test]
fn a_warning_keeps_nothing_from_being_stored() {
    assert_eq!(warned(&["(in $a [])", "(gt $age \"65\")"]), ["f v0 NeverTrue", "f v1 OrderedAsText"]);
}

#[test]
fn a_variant_is_never_reached_when_the_rules_above_take_everybody() {
    for (above, rule) in [
        ("(split by::$id pct::20)", "(split by::$id pct::20)"),
        ("(split by::$id pct::25)", "(split pct::20 by::$id)"),
        ("(split by::$id pct::25 seed::\"s\")", "(and (eq $a 1) (split by::$id pct::20 seed::\"s\"))"),
        ("(in $a [\"x\", \"y\"])", "(eq $a \"x\")"),
        ("(exists key::\"a\")", "(and (begins_with $a \"x\") (eq $b 1))"),
        ("(gt $age 18)", "(gte $age 65.5)"),
        ("(or (eq $a \"x\") (eq $b \"y\"))", "(and (eq $b \"y\") (eq $c \"z\"))"),
        ("(not (eq $a \"x\"))", "(and (ne $a \"x\") (eq $b 1))"),
        ("(ne $a \"x\")", "(eq $a \"y\")"),
        ("(contains $a \"b\")", "(ends_with $a \"abc\")"),
        ("(matches in::$a pattern::\"^x\")", "(in $a [\"xy\", \"xz\"])"),
        ("(gt $at 2024-01)", "(gt $at 2024-01-02)"),
        ("(or true (eq $a 1))", "(eq $a 1)"),
    ] {
        let warned = warned(&[above, rule]);
        assert!(warned.contains(&format!("f v1 {}", Code::NeverReached)), "{above} {rule}: {warned:?}");
    }
}

#[test]
fn a_variant_that_somebody_gets_is_not_warned_of() {
    for (above, rule) in [
        ("(split by::$id pct::20)", "(split by::$id pct::25)"),
        ("(split by::$id pct::20 seed::\"s\")", "(split by::$id pct::20 seed::\"t\")"),
        ("(split by::$id pct::20 seed::\"s\")", "(split by::$id pct::20)"),
        ("(split by::$id pct::20)", "(split by::$other pct::20)"),
        ("(eq $a \"x\")", "(in $a [\"x\", \"y\"])"),
        ("(eq $a \"x\")", "(eq $b \"x\")"),
        ("(eq $a 1)", "(eq $a \"1.0\")"),
        ("(gte $age 65)", "(gt $age 18)"),
        ("(exists key::\"a\")", "(not (eq $a \"x\"))"),
        ("(begins_with $a \"ab\")", "(begins_with $a \"a\")"),
    ] {
        let warned = warned(&[above, rule]);
        // A text that is a number compares as both.
        let expected: &[&str] = if above == "(eq $a 1)" { &["f v1 NeverReached"] } else { &[] };
        assert_eq!(warned, expected, "{above} {rule}");
    }
}
