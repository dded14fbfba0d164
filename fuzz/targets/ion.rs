//! The bytes of flags in Ion, text or binary.
//!
//! Whatever the bytes, reading ends. What could be read compiles, and evaluates for anybody.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yardarm_flags::{CompiledFlags, Context, Value, retrieval};

fuzz_target!(|bytes: &[u8]| {
    let settings = match yardarm_ion::read(bytes) {
        Ok(settings) => settings,
        Err(wrong) => {
            assert!(wrong.to_string().len() < 2_000);
            return;
        }
    };
    let flags = CompiledFlags::from_settings(settings);
    let attributes: Vec<(&str, Value<'_>)> = flags.keys().map(|key| (key, Value::Text("u1"))).collect();
    let context = Context::new(&attributes);
    let content = retrieval::write_all(flags.evaluate_all(&context));
    retrieval::read(&content).expect("what is answered can be read");
});
