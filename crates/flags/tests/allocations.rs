//! Evaluating allocates nothing: not for a value, nor for the reason, however many rules there are and whatever they ask.
#![expect(clippy::unwrap_used, reason = "a failing test panics")]

use allocation_counter::measure;
use yardarm_flags::{CompiledFlags, Context, FlagDocument, Reason, ResolvedValue, Value};

/// A flag of every kind, with rules that read texts, numbers, versions, times, networks and expressions.
const DOCUMENT: &str = r#"{"version": "1",
 "flags": {
  "plain": {}, "off": {},
  "banner": {"attributes": {"text": {}, "price": {}, "tags": {}}},
  "limit": {"attributes": {"value": {}}},
  "many": {"attributes": {"colour": {}}},
  "split": {}
 },
 "values": {
  "plain": {"enabled": true}, "off": {"enabled": false},
  "banner": {"enabled": true, "text": "hello", "price": 4.5, "tags": ["a", "b"]},
  "limit": {"enabled": true, "value": 7},
  "many": {"_variants": [
    {"name": "one", "enabled": true, "rule": "(or (eq $plan \"none\") (in $country [\"AT\", \"CH\"]))"},
    {"name": "two", "enabled": true, "rule": "(and (matches in::$email pattern::\"^.*@example\\\\.org$\") (gt $age 90))"},
    {"name": "three", "enabled": true, "rule": "(or (ends_with $email \"@none\") (contains $email \"+\"))"},
    {"name": "four", "enabled": true, "rule": "(not (gte $score 0.5))"},
    {"name": "five", "enabled": true, "rule": "(split pct::0 by::$userId)"},
    {"name": "rest", "enabled": true, "attributeValues": {"colour": "grey"}}]},
  "split": {"_variants": [
    {"name": "in", "enabled": true, "rule": "(split pct::50 by::$targetingKey seed::\"s\")"},
    {"name": "out", "enabled": false}]}
 }}"#;

const CONTEXT: [(&str, Value<'static>); 7] = [
    ("targetingKey", Value::Text("user-17")),
    ("userId", Value::Integer(17)),
    ("country", Value::Text("DE")),
    ("plan", Value::Text("pro")),
    ("email", Value::Text("a@example.com")),
    ("age", Value::Integer(30)),
    ("score", Value::Float(0.75)),
];

fn flags() -> CompiledFlags {
    CompiledFlags::compile(&FlagDocument::read(DOCUMENT.as_bytes()).unwrap())
}

/// How often `work` allocates, after it has run once: what a library makes on its first use is made once.
fn allocations(mut work: impl FnMut()) -> u64 {
    work();
    measure(|| (0..100).for_each(|_| work())).count_total
}

#[test]
fn the_counter_counts() {
    assert_eq!(measure(|| drop(Box::new(7))).count_total, 1);
}

#[test]
fn resolving_a_key_allocates_nothing() {
    let flags = flags();
    let context = Context::new(&CONTEXT);
    for key in [
        "plain",
        "off",
        "banner",
        "banner.text",
        "banner.price",
        "banner.tags",
        "banner.enabled",
        "limit",
        "limit.value",
        "many",
        "many.colour",
        "split",
        "missing",
        "banner.missing",
    ] {
        let count = allocations(|| {
            std::hint::black_box(flags.resolve(std::hint::black_box(key), &context));
        });
        assert_eq!(count, 0, "{key}");
    }
    let colour = flags.resolve("many.colour", &context).unwrap();
    assert_eq!((colour.variant, colour.reason), (Some("rest"), Reason::Default));
    assert!(matches!(colour.value, Some(ResolvedValue::Attribute(_))));
}

#[test]
fn making_a_context_and_evaluating_with_it_allocates_nothing() {
    let flags = flags();
    let count = allocations(|| {
        let context = Context::new(&CONTEXT);
        for key in ["plain", "banner", "many", "split"] {
            std::hint::black_box(flags.evaluate(std::hint::black_box(key), &context));
        }
    });
    assert_eq!(count, 0);
}
