//! What rules answer: every case, by the compiled rule, within a document, and as explained.

use serde_json::json;
use yardarm_flags::rule::{CompiledRule, Rule};
use yardarm_flags::{CompiledFlags, FlagDocument};

use crate::blocks::{blocks, case};

const FILES: [(&str, &str); 5] = [
    ("documented", include_str!("../../../../conformance/rules/documented.case")),
    ("comparing", include_str!("../../../../conformance/rules/comparing.case")),
    ("timestamps", include_str!("../../../../conformance/rules/timestamps.case")),
    ("text", include_str!("../../../../conformance/rules/text.case")),
    ("split", include_str!("../../../../conformance/rules/split.case")),
];

#[test]
fn every_case_is_answered_as_written() {
    let mut cases = 0;
    for (file, text) in FILES {
        for block in blocks(text) {
            let rule =
                Rule::read(block.text).unwrap_or_else(|wrong| panic!("{file}: {}\n{wrong:#?}", block.text));
            let compiled = CompiledRule::compile(&rule, block.flag);
            let document = json!({
                "version": "1",
                "values": { block.flag: { "_variants": [
                    { "name": "yes", "enabled": true, "rule": block.text },
                    { "name": "no", "enabled": true },
                ] } },
            });
            let document = FlagDocument::read(document.to_string().as_bytes()).unwrap();
            let flags = CompiledFlags::compile(&document);
            for line in &block.lines {
                let (context, expected) = case(line);
                context.with(|context| {
                    let what = format!("{file}: {} with {line}", block.text);
                    assert_eq!(compiled.is_true(context), expected, "{what}");
                    let variant = if expected { Some("yes") } else { Some("no") };
                    let evaluation = flags.evaluate(block.flag, context).unwrap();
                    assert_eq!(evaluation.variant, variant, "{what}");
                    let explained = flags.explain(block.flag, context).unwrap();
                    assert_eq!(explained.variant.as_deref(), variant, "{what}");
                    let all: Vec<_> = flags.evaluate_all(context).collect();
                    assert_eq!(all[0].1, evaluation, "{what}");
                });
                cases += 1;
            }
        }
    }
    assert!(cases > 250, "{cases}");
}

#[test]
fn a_rule_says_which_keys_it_reads() {
    let rule = Rule::read(r#"(and (exists key::"a") (or (eq $b $a) (split pct::1 by::[$c, $a])))"#).unwrap();
    let compiled = CompiledRule::compile(&rule, "f");
    let mut keys: Vec<&str> = compiled.keys().collect();
    keys.sort_unstable();
    assert_eq!(keys, ["a", "b", "c"]);
}
