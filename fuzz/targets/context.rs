//! `Context` headers: the first byte says how they are encoded and whether there is an entity, the lines after it are the
//! headers.
//!
//! Whatever the bytes, reading ends. What was read has each key once, the last value given for it, and as many keys as
//! may be.
#![no_main]

// The file alone: the crate around it needs all that an HTTP server needs.
#[allow(dead_code, reason = "the agent uses the rest of it")]
#[path = "../../crates/agent/src/context_header.rs"]
mod context_header;

use context_header::{CallerContext, ContextError, ENTITY_KEY, Encoding, MAX_KEYS};
use libfuzzer_sys::fuzz_target;
use yardarm_flags::rule::{CompiledRule, Rule};
use yardarm_flags::{Context, Value};

fuzz_target!(|bytes: &[u8]| {
    let Some((flags, rest)) = bytes.split_first() else { return };
    let headers = || rest.split(|byte| *byte == b'\n');
    let _ = Encoding::parse(headers().next());
    let encoding = if flags & 1 == 0 { Encoding::Plain } else { Encoding::Percent };
    let entity = (flags & 2 != 0).then_some("somebody");
    let read = CallerContext::read(headers(), encoding).and_then(|context| context.with_entity(entity));
    let context = match read {
        Ok(context) => context,
        Err(wrong) => {
            assert!(wrong.to_string().len() < 1_000);
            let pairs = rest.split(|byte| matches!(byte, b'\n' | b',')).count();
            assert!(wrong != ContextError::TooMany || pairs >= MAX_KEYS);
            return;
        }
    };
    let attributes = context.attributes();
    assert!(attributes.len() <= MAX_KEYS);
    for (index, (key, _)) in attributes.iter().enumerate() {
        assert!(!key.is_empty());
        assert!(attributes.iter().skip(index + 1).all(|(other, _)| other != key), "{key} is there twice");
    }
    if let Some(entity) = entity {
        assert!(attributes.contains(&(ENTITY_KEY, Value::Text(entity))));
    }
    if encoding == Encoding::Plain {
        let text = std::str::from_utf8(rest).expect("what was read is UTF-8");
        for (key, value) in attributes.iter().filter(|(key, _)| *key != ENTITY_KEY || entity.is_none()) {
            let pairs = text.split(['\n', ',']).map(|pair| pair.trim_matches([' ', '\t']));
            let last = pairs.filter_map(|pair| pair.split_once('=')).filter(|(known, _)| known == key).last();
            assert_eq!(last.map(|(_, value)| Value::Text(value)), Some(*value), "{key}");
        }
    }
    let rule = Rule::read(r#"(or (split pct::50 by::$a) (gt $b 5) (matches in::$c pattern::"^x"))"#).expect("a rule");
    let _ = CompiledRule::compile(&rule, "f").is_true(&Context::new(&attributes));
});
