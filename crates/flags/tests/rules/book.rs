//! What the book says of rules is so.

use yardarm_flags::rule::{CompiledRule, Rule};

use crate::blocks::{blocks, case};

const RULES: &str = include_str!("../../../../docs/reference/rules.md");

#[test]
fn every_block_of_the_book_is_answered_as_it_says() {
    let mut cases = 0;
    for fenced in RULES.split("```case\n").skip(1) {
        let (text, _) = fenced.split_once("\n```\n").unwrap();
        for block in blocks(text) {
            let rule = Rule::read(block.text).unwrap_or_else(|wrong| panic!("{}: {wrong:#?}", block.text));
            let compiled = CompiledRule::compile(&rule, block.flag);
            for line in &block.lines {
                let (context, expected) = case(line);
                context.with(|context| {
                    assert_eq!(compiled.is_true(context), expected, "{}: {line}", block.text)
                });
                cases += 1;
            }
        }
    }
    assert!(cases > 60, "{cases}");
}

#[test]
fn every_rule_within_the_text_of_the_book_is_one() {
    let prose: String = RULES.split("```").step_by(2).collect();
    let rules: Vec<&str> = prose.split('`').skip(1).step_by(2).filter(|code| code.starts_with('(')).collect();
    for rule in &rules {
        assert!(Rule::read(rule).is_ok(), "{rule}");
    }
    assert!(rules.len() >= 4, "{rules:?}");
}
