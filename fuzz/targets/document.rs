//! The bytes of a flag document.
//!
//! Whatever the bytes, what is wrong is listed within bounds. A document that is one is stored in a form that reads back
//! and does not change again, is served in forms that read back, and evaluates the same in each of them that has rules.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yardarm_flags::{
    CompiledFlags, Context, FlagDocument, MAX_VIOLATIONS, ReadError, Value, lint, normalise, retrieval, served,
};

fuzz_target!(|bytes: &[u8]| {
    let document = match FlagDocument::read(bytes) {
        Ok(document) => document,
        Err(ReadError::Invalid(violations)) => {
            assert!((1..=MAX_VIOLATIONS).contains(&violations.listed.len()));
            return;
        }
        Err(_) => return,
    };
    let now = "2026-11-24T12:00:00Z".parse().expect("a time");
    let Ok(stored) = normalise(&document, None, now) else { return };
    let again = FlagDocument::read(&stored.bytes).expect("what is stored can be read");
    let unchanged = normalise(&again, Some(&again), now).expect("what was stored can be stored");
    assert_eq!(unchanged.bytes, stored.bytes);
    assert!(unchanged.same_as_previous);
    let _ = lint(&document);

    let settings = retrieval::read(&served(&document)).expect("what is served can be read");
    assert_eq!(settings.len(), document.values().len());
    let from_ion = yardarm_ion::read(&yardarm_ion::write(&document)).expect("what agents are served can be read");
    let (compiled, from_ion) = (CompiledFlags::compile(&document), CompiledFlags::from_settings(from_ion));
    let attributes: Vec<(&str, Value<'_>)> = compiled.keys().map(|key| (key, Value::Text("1"))).collect();
    for context in [Context::EMPTY, Context::new(&attributes)] {
        let (one, other): (Vec<_>, Vec<_>) =
            (compiled.evaluate_all(&context).collect(), from_ion.evaluate_all(&context).collect());
        assert_eq!(one, other);
        for (key, resolution) in compiled.resolve_all(&context) {
            assert_eq!(compiled.resolve(key.as_str(), &context), Some(resolution));
        }
    }
});
