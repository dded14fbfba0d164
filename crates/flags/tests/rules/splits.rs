//! Splits: the frozen vectors, the documented shares, and the laws of who is in.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};
use yardarm_flags::rule::{CompiledRule, Rule};
use yardarm_flags::{CompiledFlags, Context, FlagDocument, Value};

use crate::blocks::blocks;

const VECTORS: &str = include_str!("../../../../conformance/rules/split.tsv");

/// The vectors that were there first. Add vectors below them, and never change these two constants.
const FROZEN_VECTORS: usize = 50;
const FROZEN_SHA256: &str = "397fa22ec4888547c17531171b4a4761a85605b71b817334886bc9f2648c6d0d";

fn vectors() -> impl Iterator<Item = &'static str> {
    VECTORS.lines().filter(|line| !line.starts_with('#'))
}

fn compiled(rule: &str, flag: &str) -> CompiledRule {
    let rule = Rule::read(rule).unwrap_or_else(|wrong| panic!("{rule}: {wrong:?}"));
    CompiledRule::compile(&rule, flag)
}

#[test]
fn the_first_vectors_have_not_been_edited() {
    let mut hash = Sha256::new();
    for line in vectors().take(FROZEN_VECTORS) {
        hash.update(line.as_bytes());
        hash.update(b"\n");
    }
    let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, FROZEN_SHA256);
    assert!(vectors().count() >= FROZEN_VECTORS);
}

#[test]
fn every_vector_draws_its_bucket() {
    for line in vectors() {
        let columns: Vec<&str> = line.split('\t').collect();
        let [kind, salt, by, bucket, percent] = columns[..] else { panic!("five columns: {line}") };
        let salt: String = serde_json::from_str(salt).unwrap();
        let by: Vec<String> = match serde_json::from_str(by).unwrap() {
            Json::String(one) => vec![one],
            several => serde_json::from_value(several).unwrap(),
        };
        let names: Vec<String> = (0..by.len()).map(|index| format!("k{index}")).collect();
        let keys: Vec<String> = names.iter().map(|name| format!("${name}")).collect();
        let attributes: Vec<(&str, Value<'_>)> =
            names.iter().zip(&by).map(|(name, by)| (name.as_str(), Value::Text(by))).collect();
        let context = Context::new(&attributes);

        // Who is in just above the bucket is out just below it: 2^53 buckets are told apart.
        let exact: u64 = bucket.parse().unwrap();
        let at = |bucket: u64| bucket as f64 / (1_u64 << 53) as f64 * 100.0;
        let is_in = |percent: f64| {
            let by = format!("[{}]", keys.join(", "));
            match kind {
                "seed" => {
                    let seed = ion_text(&salt);
                    compiled(&format!("(split pct::{percent:?} by::{by} seed::{seed})"), "other")
                        .is_true(&context)
                }
                "flag" => compiled(&format!("(split pct::{percent:?} by::{by})"), &salt).is_true(&context),
                other => panic!("{other}"),
            }
        };
        assert!(!is_in(at(exact)), "{line}");
        assert!(is_in(at(exact + 1)) || at(exact + 1) == at(exact), "{line}");
        assert!((at(exact) - percent.parse::<f64>().unwrap()).abs() < 1e-9, "{line}");
    }
}

fn ion_text(text: &str) -> String {
    let escaped: String = text.chars().map(|c| format!("\\U{:08x}", u32::from(c))).collect();
    format!("\"{escaped}\"")
}

#[test]
fn many_values_are_shared_out_as_documented() {
    const IDS: usize = 100_000;
    for block in blocks(include_str!("../../../../conformance/rules/distribution.txt")) {
        let variants: Vec<Json> = block
            .text
            .lines()
            .map(|line| match line.split_once(' ') {
                Some((name, rule)) => json!({ "name": name, "enabled": true, "rule": rule }),
                None => json!({ "name": line, "enabled": true }),
            })
            .collect();
        let document = json!({ "version": "1", "values": { "f": { "_variants": variants } } });
        let document = FlagDocument::read(document.to_string().as_bytes()).unwrap();
        let flags = CompiledFlags::compile(&document);
        let flag = flags.flag("f").unwrap();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for index in 0..IDS {
            let id = format!("id-{index:x}");
            let attributes = [("uniqueId", Value::Text(&id))];
            *counts.entry(flag.evaluate(&Context::new(&attributes)).variant.unwrap()).or_default() += 1;
        }
        for share in block.lines.iter().flat_map(|line| line.split_whitespace()) {
            let (name, percent) = share.split_once('=').unwrap();
            let got = counts.get(name).copied().unwrap_or(0) as f64 / IDS as f64 * 100.0;
            let expected: f64 = percent.parse().unwrap();
            assert!((got - expected).abs() < 1.0, "{}: {name} got {got}", block.text);
            assert!(expected > 0.0 || got == 0.0, "{}: {name} got {got}", block.text);
        }
    }
}

#[test]
fn a_million_values_fall_evenly() {
    const IDS: u32 = 1_000_000;
    const SLICES: u32 = 20;
    // Splits are nested, so each variant gets what the one above left of its share.
    let variants: Vec<Json> = (1..=SLICES)
        .map(|slice| {
            let percent = slice * 100 / SLICES;
            let rule = format!("(split pct::{percent} by::$id)");
            json!({ "name": format!("slice {slice}"), "enabled": true, "rule": rule })
        })
        .chain([json!({ "name": "rest", "enabled": true })])
        .collect();
    let document = json!({ "version": "1", "values": { "f": { "_variants": variants } } });
    let flags = CompiledFlags::compile(&FlagDocument::read(document.to_string().as_bytes()).unwrap());
    let flag = flags.flag("f").unwrap();
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for id in 0..i64::from(IDS) {
        let attributes = [("id", Value::Integer(id))];
        *counts.entry(flag.evaluate(&Context::new(&attributes)).variant.unwrap()).or_default() += 1;
    }
    assert_eq!(counts.len(), SLICES as usize, "{counts:?}");
    let expected = f64::from(IDS / SLICES);
    let chi_squared: f64 =
        counts.values().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum();
    // Nineteen degrees of freedom: an even draw is above this once in ten thousand.
    assert!(chi_squared < 50.8, "{chi_squared} {counts:?}");
    let deviation = (f64::from(IDS) * 0.05 * 0.95).sqrt();
    for (slice, count) in &counts {
        assert!((f64::from(*count) - expected).abs() < 4.5 * deviation, "{slice} {count}");
    }
}

#[test]
fn different_seeds_draw_independently() {
    let (one, other) = (
        compiled(r#"(split pct::50 by::$id seed::"one")"#, "f"),
        compiled(r#"(split pct::50 by::$id seed::"other")"#, "f"),
    );
    let both = (0..20_000)
        .filter(|index| {
            let id = index.to_string();
            let attributes = [("id", Value::Text(&id))];
            let context = Context::new(&attributes);
            one.is_true(&context) && other.is_true(&context)
        })
        .count();
    assert!((4_700..5_300).contains(&both), "{both}");
}

proptest! {
    #[test]
    fn growing_a_percentage_never_removes_anybody(
        id in ".{0,20}",
        seed in prop::option::of("[a-z]{0,4}"),
        (low, high) in (0.0..=100.0_f64, 0.0..=100.0_f64).prop_map(|(a, b)| (a.min(b), a.max(b))),
    ) {
        let seed = seed.map(|seed| format!("seed::\"{seed}\"")).unwrap_or_default();
        let rule = |percent: f64| format!("(split by::$id pct::{percent:?} {seed})");
        let attributes = [("id", Value::Text(&id))];
        let context = Context::new(&attributes);
        prop_assert!(!compiled(&rule(low), "f").is_true(&context) || compiled(&rule(high), "f").is_true(&context));
        prop_assert!(!compiled(&rule(0.0), "f").is_true(&context));
        prop_assert!(compiled(&rule(100.0), "f").is_true(&context));
    }

    #[test]
    fn a_seed_draws_the_same_population_for_every_flag(
        id in ".{0,20}",
        seed in "[a-z]{0,4}",
        flags in ("[a-z]{1,8}", "[a-z]{1,8}"),
        percent in 0.0..=100.0_f64,
    ) {
        let rule = format!("(split by::$id pct::{percent:?} seed::\"{seed}\")");
        let attributes = [("id", Value::Text(&id))];
        let context = Context::new(&attributes);
        prop_assert_eq!(compiled(&rule, &flags.0).is_true(&context), compiled(&rule, &flags.1).is_true(&context));
    }
}
