//! Golden files: every shape that leaves the server, printed once with everything in it and once with the least.
//!
//! A file that changes is a wire that changes: read the difference before accepting it. They live in `golden/` beside
//! `src/`, and are written by running the tests with `INSTA_UPDATE=always`.

use serde::Serialize;

mod answers;
mod data_plane;
mod errors;
mod evaluation;
mod experiments;
mod extensions;
mod invocations;
mod model;
mod native;

/// Compares a value's JSON with the golden file of that name.
fn golden(name: &str, value: &impl Serialize) {
    let json = serde_json::to_string_pretty(value).unwrap();
    insta::with_settings!(
        { snapshot_path => "../golden", prepend_module_to_snapshot => false, omit_expression => true },
        { insta::assert_snapshot!(name, json) }
    );
}

/// Compares headers, one a line, with the golden file of that name.
fn golden_headers(name: &str, headers: &http::HeaderMap) {
    let mut lines: Vec<_> =
        headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    lines.sort();
    insta::with_settings!(
        { snapshot_path => "../golden", prepend_module_to_snapshot => false, omit_expression => true },
        { insta::assert_snapshot!(name, lines.join("\n")) }
    );
}

fn time(text: &str) -> crate::times::WireTime {
    text.parse::<jiff::Timestamp>().unwrap().into()
}

fn some(text: &str) -> Option<String> {
    Some(text.into())
}

fn map(entries: &[(&str, &str)]) -> std::collections::BTreeMap<String, String> {
    entries.iter().map(|&(key, value)| (key.into(), value.into())).collect()
}
