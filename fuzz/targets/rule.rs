//! The text of a rule, and a context to ask it for: keys and values after it, all of them separated by a zero byte.
//!
//! Whatever the text, checking it says where it is wrong, within bounds. A rule that is one prints and reads back, means
//! the same printed, and the program answers what a walk down the tree does.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yardarm_flags::document::{Setting, State, Variant, Variants};
use yardarm_flags::rule::{CompiledRule, Rule, check, read, read_values};
use yardarm_flags::{CompiledFlags, Context, Value};

fuzz_target!(|input: &str| {
    let mut parts = input.split('\0');
    let text = parts.next().unwrap_or_default();
    let mut attributes = Vec::new();
    while let (Some(key), Some(value)) = (parts.next(), parts.next()) {
        attributes.push((key, Value::Text(value)));
    }
    let context = Context::new(&attributes);

    let checked = check(text);
    for one in &checked.diagnostics {
        assert!(text.get(one.span.start..one.span.end).is_some(), "{one:?}");
        assert!(one.message.len() + one.hint.as_ref().map_or(0, String::len) < 1_000, "{one:?}");
    }
    assert_eq!(checked.rule.is_none(), checked.diagnostics.iter().any(|one| one.is_error()));
    let reading = read(text);
    if let Some(node) = &reading.node
        && reading.diagnostics.is_empty()
    {
        let printed = node.to_string();
        let values = read_values(&printed, 64);
        assert!(values.diagnostics.is_empty(), "{printed}: {:?}", values.diagnostics);
        assert_eq!(values.nodes.first(), Some(node), "{printed}");
    }
    let Some(rule) = checked.rule else { return };
    let printed = Rule::of_tree(&rule.tree()).expect("a printed rule is a rule");
    let holds = CompiledRule::compile(&rule, "f").is_true(&context);
    assert_eq!(holds, CompiledRule::compile(&printed, "f").is_true(&context), "{}", printed.as_str());

    let variant = |name: &str| Variant {
        name: name.to_owned(),
        state: State { enabled: true, attributes: Default::default() },
    };
    let variants = Variants::new(vec![(variant("yes"), rule)], variant("no"));
    let settings = [("f".parse().expect("a key"), Setting::Variants(variants))];
    let flags = CompiledFlags::from_settings(settings.into());
    let explained = flags.explain("f", &context).expect("there is the flag");
    assert_eq!(explained.variant.as_deref(), Some(if holds { "yes" } else { "no" }), "{explained}");
    let all: Vec<_> = flags.evaluate_all(&context).collect();
    assert_eq!(all.first().map(|(_, one)| one.variant), Some(explained.variant.as_deref()));
});
