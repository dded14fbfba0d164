//! What holds for every rule, and for every text that is none.

use proptest::prelude::*;
use yardarm_flags::rule::{CompiledRule, Node, NodeKind, Rule, Span, check, read};
use yardarm_flags::{CompiledFlags, FlagDocument, Outcome, Reason};

use crate::generated::{context, rule, timestamp, with_context};

fn node(kind: NodeKind) -> Node {
    Node { kind, span: Span::default() }
}

fn word() -> impl Strategy<Value = Box<str>> {
    prop_oneof![
        "[a-z_$][a-zA-Z0-9_$]{0,6}",
        ".{1,6}",
        Just("true".to_owned()),
        Just("null".to_owned()),
        Just("1".to_owned()),
        Just("a-b".to_owned()),
        Just("it's \\ \"quoted\"\u{7f}\u{1}".to_owned()),
    ]
    .prop_map(Box::from)
}

/// Any tree that could be read, whether it means something or not.
fn tree() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![
        word()
            .prop_filter("a context key", |text| !text.starts_with('$'))
            .prop_map(|text| node(NodeKind::Symbol(text))),
        word().prop_map(|key| node(NodeKind::Context(key))),
        ".{0,12}".prop_map(|text| node(NodeKind::Text(text.into()))),
        any::<i64>().prop_map(|integer| node(NodeKind::Integer(integer))),
        any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(|float| node(NodeKind::Float(float))),
        timestamp().prop_map(|timestamp| node(NodeKind::Timestamp(timestamp))),
        any::<bool>().prop_map(|boolean| node(NodeKind::Boolean(boolean))),
    ];
    let inner = leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(|nodes| node(NodeKind::Expression(nodes))),
            prop::collection::vec(inner.clone(), 0..5).prop_map(|nodes| node(NodeKind::List(nodes))),
            (
                word().prop_filter("a name", |name| &**name != "$"),
                inner.prop_filter("one name", |node| !matches!(node.kind, NodeKind::Named { .. }))
            )
                .prop_map(|(name, value)| {
                    node(NodeKind::Named { name, name_span: Span::default(), value: Box::new(value) })
                }),
        ]
    });
    prop::collection::vec(inner, 0..5).prop_map(|nodes| node(NodeKind::Expression(nodes)))
}

fn document(rules: &[String]) -> FlagDocument {
    document_of(&[("f", rules)])
}

fn document_of(flags: &[(&str, &[String])]) -> FlagDocument {
    let values = flags.iter().map(|(key, rules)| {
        let ruled = rules.iter().enumerate().map(
            |(index, rule)| serde_json::json!({ "name": format!("v{index}"), "enabled": true, "rule": rule }),
        );
        let default = serde_json::json!({ "name": "default", "enabled": true });
        let variants: Vec<serde_json::Value> = ruled.chain([default]).collect();
        ((*key).to_owned(), serde_json::json!({ "_variants": variants }))
    });
    let values: serde_json::Map<String, serde_json::Value> = values.collect();
    let text = serde_json::json!({ "version": "1", "values": values }).to_string();
    FlagDocument::read(text.as_bytes()).unwrap_or_else(|wrong| panic!("{flags:?}: {wrong:?}"))
}

proptest! {
    #[test]
    fn reading_what_was_printed_gives_the_tree(tree in tree()) {
        let text = tree.to_string();
        let reading = read(&text);
        prop_assert_eq!(&reading.diagnostics, &[], "{}", text);
        prop_assert_eq!(reading.node.unwrap(), tree, "{}", text);
    }

    #[test]
    fn a_printed_rule_means_the_same(text in rule(), given in context()) {
        let printed = read(&text).node.unwrap().to_string();
        let (one, other) = (Rule::read(&text).unwrap(), Rule::read(&printed).unwrap());
        with_context(&given, |context| {
            assert_eq!(
                CompiledRule::compile(&one, "f").is_true(context),
                CompiledRule::compile(&other, "f").is_true(context),
                "{text} {printed}"
            );
        });
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in any::<String>()) {
        checks_within_bounds(&text);
    }

    #[test]
    fn no_heap_of_tokens_makes_the_reader_panic(
        tokens in prop::collection::vec(
            prop_oneof![
                Just("("), Just(")"), Just("["), Just("]"), Just("{"), Just(","), Just("::"), Just(":"), Just("\""),
                Just("'"), Just("'''"), Just("\\"), Just("\\u12"), Just("\\uD83D\\uDC00"), Just("\\U00110000"), Just("//"),
                Just("/*"), Just("*/"), Just("\n"), Just(" "), Just("$"), Just("$a"), Just("$a-b"), Just("'$1'"), Just("eq"),
                Just("and"), Just("split"), Just("pct"), Just("by"), Just("-"), Just("-1"), Just("1e9"), Just("0x"),
                Just("0b1"), Just("1_"), Just("2024-01"), Just("2024-13-01T"), Just("1d"), Just("é"), Just("“"), Just("\0"),
            ],
            0..24,
        ),
    ) {
        checks_within_bounds(&tokens.concat());
        checks_within_bounds(&format!("({}", tokens.concat()));
    }

    #[test]
    fn a_damaged_rule_is_read_to_the_end(text in rule(), at in any::<prop::sample::Index>(), with in any::<char>()) {
        let mut chars: Vec<char> = text.chars().collect();
        let at = at.index(chars.len());
        chars[at] = with;
        checks_within_bounds(&chars.iter().collect::<String>());
        chars.remove(at);
        checks_within_bounds(&chars.iter().collect::<String>());
    }

    #[test]
    fn the_program_answers_what_a_walk_down_the_tree_does(
        // Two flags, so that one speaks of keys and texts that the other has numbered.
        (first, second) in (prop::collection::vec(rule(), 0..5), prop::collection::vec(rule(), 0..5)),
        given in context(),
    ) {
        let flags = CompiledFlags::compile(&document_of(&[("f", &first), ("g", &second)]));
        with_context(&given, |context| {
            let mut all = flags.evaluate_all(context);
            for (key, rules) in [("f", &first), ("g", &second)] {
                let evaluation = flags.evaluate(key, context).unwrap();
                let explained = flags.explain(key, context).unwrap();
                let chosen = explained.variants.iter().find_map(|variant| match &variant.outcome {
                    Outcome::Chosen(clause) => Some((&variant.name, Some(clause))),
                    Outcome::ChosenAsDefault => Some((&variant.name, None)),
                    Outcome::PassedOver(_) | Outcome::NotAsked => None,
                });
                let (name, clause) = chosen.unwrap();
                assert_eq!(evaluation.variant, Some(name.as_str()), "{explained}");
                let reason = match clause {
                    None if rules.is_empty() => Reason::Static,
                    None => Reason::Default,
                    Some(clause) if clause.asked_split() => Reason::Split,
                    Some(_) => Reason::TargetingMatch,
                };
                assert_eq!(evaluation.reason, reason, "{explained}");
                let (next, bound) = all.next().unwrap();
                assert_eq!((next.as_str(), bound), (key, evaluation), "{explained}");
            }
        });
    }

    #[test]
    fn what_the_linter_says_is_so(rules in prop::collection::vec(rule(), 1..4), given in context()) {
        let document = document(&rules);
        let flags = CompiledFlags::compile(&document);
        let warnings = yardarm_flags::lint(&document);
        with_context(&given, |context| {
            let chosen = flags.evaluate("f", context).unwrap().variant.unwrap();
            for warning in &warnings {
                let one = CompiledRule::compile(&Rule::read(&rules[warning.variant]).unwrap(), "f");
                match (warning.diagnostic.code.as_str(), warning.diagnostic.location.is_empty()) {
                    ("NeverTrue", true) => assert!(!one.is_true(context), "{warning:?}"),
                    ("AlwaysTrue", _) => assert!(one.is_true(context), "{warning:?}"),
                    ("NeverReached", _) => assert_ne!(chosen, warning.name, "{warning:?} {rules:?}"),
                    _ => {}
                }
            }
        });
    }
}

fn checks_within_bounds(text: &str) {
    let checked = check(text);
    for one in &checked.diagnostics {
        assert!(one.span.start <= one.span.end && one.span.end <= text.len(), "{one:?} in {text:?}");
        assert!(
            text.is_char_boundary(one.span.start) && text.is_char_boundary(one.span.end),
            "{one:?} in {text:?}"
        );
        assert!(one.message.len() + one.hint.as_ref().map_or(0, String::len) < 1_000, "{one:?}");
    }
    assert_eq!(checked.rule.is_none(), checked.diagnostics.iter().any(|one| one.is_error()), "{text:?}");
    let reading = read(text);
    if reading.diagnostics.is_empty() {
        let node = reading.node.unwrap();
        assert_eq!(read(&node.to_string()).node.unwrap(), node, "{text:?}");
    }
}
