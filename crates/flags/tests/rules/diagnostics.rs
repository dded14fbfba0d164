//! What authors are told: the wording, the place, and who is refused.

use std::fmt::Write as _;

use yardarm_flags::rule::{Code, MAX_DEPTH, MAX_DIAGNOSTICS, check, read};

use crate::blocks::blocks;

const DIAGNOSTICS: &str = include_str!("../../../../conformance/rules/diagnostics.txt");
const ADMISSION: &str = include_str!("../../../../conformance/rules/admission.txt");

/// A diagnostic as the golden file has it.
fn told(rule: &str) -> String {
    let checked = check(rule);
    assert_eq!(checked.rule.is_none(), checked.diagnostics.iter().any(|one| one.is_error()), "{rule}");
    let mut told = String::new();
    for one in &checked.diagnostics {
        let (kind, at) = (if one.is_error() { "error" } else { "warning" }, one.at(rule));
        let place = if one.location.is_empty() { String::new() } else { format!(".{}", one.location) };
        let hint = one.hint.as_ref().map(|hint| format!(" ; {hint}")).unwrap_or_default();
        writeln!(told, "{kind} {} {}:{} rule{place} {}{hint}", one.code, at.line, at.column, one.message)
            .unwrap();
    }
    if told.is_empty() { "accepted\n".to_owned() } else { told }
}

#[test]
fn authors_are_told_what_is_wrong_where_and_what_to_write() {
    let head = DIAGNOSTICS.split_inclusive("\n\n").next().unwrap();
    let all: Vec<String> = blocks(DIAGNOSTICS)
        .iter()
        .map(|block| format!("{}\n---\n{}", block.text, told(block.text)))
        .collect();
    let now = format!("{head}{}", all.join("===\n"));
    assert!(now == DIAGNOSTICS, "diagnostics.txt should be:\n<<<<\n{now}>>>>");
}

#[test]
fn rules_are_admitted_and_refused_as_the_service_does() {
    for block in blocks(ADMISSION) {
        let checked = check(block.text);
        let first = checked.diagnostics.iter().find(|one| one.is_error());
        let outcome = match first {
            None => "accepted".to_owned(),
            Some(one) if one.location.is_empty() => format!("{} rule", one.code),
            Some(one) => format!("{} rule.{}", one.code, one.location),
        };
        assert_eq!(outcome, block.lines[0].split("  ;").next().unwrap(), "{}", block.text);
    }
}

fn codes(rule: &str) -> Vec<Code> {
    check(rule).diagnostics.iter().map(|one| one.code).collect()
}

#[test]
fn nesting_is_bounded_and_reported_once() {
    let nested =
        |depth: usize| format!("{}{}{}", "(not ".repeat(depth - 1), "(eq $a 1)", ")".repeat(depth - 1));
    assert_eq!(codes(&nested(MAX_DEPTH)), []);
    assert_eq!(codes(&nested(MAX_DEPTH + 1)), [Code::TooDeep]);
    assert_eq!(codes(&nested(2_000)), [Code::TooDeep]);
    assert!(codes(&"(".repeat(16_000)).contains(&Code::TooDeep));
    assert!(!codes(&"a::".repeat(5_000)).is_empty());
    assert!(!codes(&format!("(split by::{}1)", "a::".repeat(5_000))).is_empty());
    assert!(!codes(&"[".repeat(16_000)).is_empty());
}

#[test]
fn a_rule_has_at_most_16384_characters() {
    let of_length = |length: usize| format!("(eq $a \"{}\")", "é".repeat(length - 10));
    assert_eq!(codes(&of_length(16_384)), []);
    assert_eq!(codes(&of_length(16_385)), [Code::NotAnExpression]);
}

#[test]
fn errors_are_bounded_and_not_crowded_out_by_warnings() {
    let many = format!("(and {})", "nope ".repeat(1_000));
    assert_eq!(check(&many).diagnostics.len(), MAX_DIAGNOSTICS);
    let warnings = "(gt $a \"1\") ".repeat(100);
    let checked = check(&format!("(and {warnings} nope)"));
    assert!(checked.rule.is_none());
    assert_eq!(checked.diagnostics.len(), MAX_DIAGNOSTICS);
    assert!(checked.diagnostics.iter().any(|one| one.code == Code::UnknownSymbol));
}

#[test]
fn checking_large_rules_takes_bounded_work() {
    // Two hundred disjunctions of distinct equalities: proofs over all pairs would not end soon.
    let any = |n: usize| format!("(or (eq $a{n} 1) (eq $b{n} 2) (not (eq $c{n} 3)))");
    let all: Vec<String> = (0..200).map(any).collect();
    assert_eq!(codes(&format!("(and {})", all.join(" "))), []);
}

#[test]
fn reading_alone_asks_only_for_shape() {
    assert!(read("(nope)").diagnostics.is_empty());
    assert!(read("(eq $a").node.is_some());
    assert!(!read("(eq $a").diagnostics.is_empty());
}
