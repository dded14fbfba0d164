//! Which variant is whose, with what reason, and how it is explained.

use serde_json::json;
use yardarm_flags::document::AttributeValue;
use yardarm_flags::{CompiledFlags, Context, FlagDocument, Reason, Value};

fn flags() -> CompiledFlags {
    let document = json!({
        "version": "1",
        "flags": {
            "checkout": { "attributes": { "color": {} } },
            "basic": { "attributes": { "limit": {} } },
        },
        "values": {
            "basic": { "enabled": true, "limit": 3 },
            "off": { "enabled": false },
            "nothing": { "_variants": [] },
            "only": { "_variants": [{ "name": "everyone", "enabled": true }] },
            "checkout": { "_variants": [
                { "name": "qa", "enabled": true, "attributeValues": { "color": "red" },
                  "rule": r#"(and (ends_with $email "@qa.example.org") (gte $age 18))"# },
                { "name": "banned", "enabled": false, "attributeValues": { "color": "grey" },
                  "rule": r#"(in $country ["XX", "YY"])"# },
                { "name": "some", "enabled": true, "attributeValues": { "color": "blue" },
                  "rule": r#"(or (eq $tier "gold") (split pct::25 by::$userId seed::"abc"))"# },
                { "name": "default", "enabled": true, "attributeValues": { "color": "green" } },
            ] },
        },
    });
    CompiledFlags::compile(&FlagDocument::read(document.to_string().as_bytes()).unwrap())
}

/// Variant, colour and reason of `checkout`.
fn checkout<'f>(
    flags: &'f CompiledFlags,
    attributes: &[(&str, Value<'_>)],
) -> (&'f str, Option<&'f str>, Reason) {
    let evaluation = flags.evaluate("checkout", &Context::new(attributes)).unwrap();
    let color = evaluation.attributes.get("color").map(|color| match color {
        AttributeValue::String(color) => color.as_str(),
        other => panic!("{other:?}"),
    });
    (evaluation.variant.unwrap(), color, evaluation.reason)
}

#[test]
fn the_first_true_rule_decides_and_says_how() {
    let flags = flags();
    let qa = [
        ("email", Value::Text("a@qa.example.org")),
        ("age", Value::from(40)),
        ("country", Value::Text("XX")),
    ];
    assert_eq!(checkout(&flags, &qa), ("qa", Some("red"), Reason::TargetingMatch));
    let banned = [("country", Value::Text("XX")), ("tier", Value::Text("gold"))];
    assert_eq!(checkout(&flags, &banned), ("banned", None, Reason::Disabled));
    assert_eq!(
        checkout(&flags, &[("tier", Value::Text("gold"))]),
        ("some", Some("blue"), Reason::TargetingMatch)
    );
    let id = (0..)
        .map(|n| format!("u{n}"))
        .find(|id| checkout(&flags, &[("userId", Value::Text(id))]).0 == "some")
        .unwrap();
    assert_eq!(checkout(&flags, &[("userId", Value::Text(&id))]), ("some", Some("blue"), Reason::Split));
    assert_eq!(
        checkout(&flags, &[("userId", Value::Text("user1"))]),
        ("default", Some("green"), Reason::Default)
    );
    assert_eq!(checkout(&flags, &[]), ("default", Some("green"), Reason::Default));
}

#[test]
fn flags_without_rules_are_static_and_what_is_off_is_disabled() {
    let flags = flags();
    let of = |key| flags.evaluate(key, &Context::EMPTY).map(|one| (one.variant, one.enabled, one.reason));
    assert_eq!(of("basic"), Some((None, true, Reason::Static)));
    assert_eq!(of("off"), Some((None, false, Reason::Disabled)));
    assert_eq!(of("nothing"), Some((None, false, Reason::Disabled)));
    assert_eq!(of("only"), Some((Some("everyone"), true, Reason::Static)));
    assert_eq!(of("unknown"), None);
}

#[test]
fn evaluating_all_flags_gives_what_evaluating_each_gives() {
    let flags = flags();
    let attributes =
        [("tier", Value::from("silver")), ("tier", Value::from("gold")), ("country", Value::from("XY"))];
    let context = Context::new(&attributes);
    let all: Vec<_> = flags.evaluate_all(&context).collect();
    assert_eq!(all.len(), 5);
    for (key, evaluation) in all {
        assert_eq!(Some(evaluation), flags.evaluate(key.as_str(), &context), "{key}");
    }
}

#[test]
fn a_flag_says_which_keys_it_reads_and_which_it_draws_by() {
    let flags = flags();
    let flag = flags.flag("checkout").unwrap();
    let mut keys: Vec<&str> = flag.keys().collect();
    keys.sort_unstable();
    assert_eq!(keys, ["age", "country", "email", "tier", "userId"]);
    assert_eq!(flag.split_keys().collect::<Vec<&str>>(), ["userId"]);
    assert_eq!(flags.keys().collect::<Vec<&str>>(), ["age", "country", "email", "tier", "userId"]);
}

#[test]
fn an_explanation_says_what_became_of_every_clause() {
    let flags = flags();
    let attributes = [
        ("userId", Value::from("user1")),
        ("email", Value::from("x@qa.example.org")),
        ("age", Value::from("old")),
    ];
    let explained = flags.explain("checkout", &Context::new(&attributes)).unwrap().to_string();
    let expected = r#"checkout: default, on (DEFAULT)
  qa: passed over
    no   (and (ends_with $email "@qa.example.org") (gte $age 18))
      yes  (ends_with $email "@qa.example.org")  ; email is "x@qa.example.org"
      no   (gte $age 18)  ; age is "old", not a number
  banned: passed over
    no   (in $country ["XX", "YY"])  ; country is missing
  some: passed over
    no   (or (eq $tier "gold") (split pct::25 by::$userId seed::"abc"))
      no   (eq $tier "gold")  ; tier is missing
      no   (split pct::25 by::$userId seed::"abc")  ; userId is "user1", in bucket 42.4009 of 100
  default: chosen, the default
"#;
    assert_eq!(explained, expected);

    let gold = [("tier", Value::from("gold"))];
    let explained = flags.explain("checkout", &Context::new(&gold)).unwrap().to_string();
    let expected = r#"  some: chosen
    yes  (or (eq $tier "gold") (split pct::25 by::$userId seed::"abc"))
      yes  (eq $tier "gold")  ; tier is "gold"
      -    (split pct::25 by::$userId seed::"abc")
  default: not asked, a variant above was chosen
"#;
    assert!(explained.ends_with(expected), "{explained}");
    assert_eq!(flags.explain("basic", &Context::EMPTY).unwrap().to_string(), "basic: on (STATIC)\n");
    assert!(flags.explain("unknown", &Context::EMPTY).is_none());
}
