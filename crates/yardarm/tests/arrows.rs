//! The arrows between crates never turn round: who may depend on whom, checked over `cargo metadata`.

#![expect(clippy::expect_used, reason = "a test may panic")]

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// `None` for what the crate itself needs, else `dev` or `build`.
    kind: Option<String>,
}

/// What each crate needs, by name, without what its tests need.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let metadata: Metadata = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let needs = |package: Package| {
        let needed = package.dependencies.into_iter().filter(|dependency| dependency.kind.is_none());
        (package.name, needed.map(|dependency| dependency.name).collect())
    };
    metadata.packages.into_iter().map(needs).collect()
}

/// Which of our crates each of our crates may depend on.
const ARROWS: &[(&str, &[&str])] = &[
    ("yardarm-flags", &[]),
    ("yardarm-ion", &["yardarm-flags"]),
    ("yardarm-validators", &["yardarm-flags"]),
    ("yardarm-domain", &["yardarm-flags"]),
    ("yardarm-listen", &[]),
    ("yardarm-log", &[]),
    ("yardarm-outbound", &[]),
    ("yardarm-signature", &[]),
    ("yardarm-wire", &[]),
    (
        "yardarm-agent",
        &[
            "yardarm-client",
            "yardarm-flags",
            "yardarm-ion",
            "yardarm-listen",
            "yardarm-ofrep",
            "yardarm-signature",
        ],
    ),
    ("yardarm-ofrep", &["yardarm-flags"]),
    ("yardarm-client", &["yardarm-flags", "yardarm-outbound", "yardarm-signature", "yardarm-wire"]),
    ("yardarm-demo", &["yardarm-client", "yardarm-flags", "yardarm-listen", "yardarm-wire"]),
    (
        "yardarm-node",
        &[
            "yardarm-domain",
            "yardarm-flags",
            "yardarm-ion",
            "yardarm-log",
            "yardarm-signature",
            "yardarm-validators",
        ],
    ),
    ("yardarm-alarms", &["yardarm-domain", "yardarm-node", "yardarm-outbound", "yardarm-signature"]),
    (
        "yardarm-server",
        &[
            "yardarm-alarms",
            "yardarm-domain",
            "yardarm-flags",
            "yardarm-listen",
            "yardarm-node",
            "yardarm-ofrep",
            "yardarm-outbound",
            "yardarm-signature",
            "yardarm-validators",
            "yardarm-wire",
        ],
    ),
    ("yardarm-testkit", &["yardarm-domain", "yardarm-flags", "yardarm-log", "yardarm-node"]),
    (
        "yardarm",
        &[
            "yardarm-agent",
            "yardarm-alarms",
            "yardarm-client",
            "yardarm-demo",
            "yardarm-domain",
            "yardarm-flags",
            "yardarm-listen",
            "yardarm-log",
            "yardarm-node",
            "yardarm-outbound",
            "yardarm-server",
            "yardarm-signature",
            "yardarm-wire",
        ],
    ),
];

#[test]
fn crates_depend_on_each_other_in_one_direction_only() {
    let found = dependencies();
    let ours: BTreeSet<&str> = found.keys().map(String::as_str).collect();
    let known: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    assert_eq!(ours, known, "a crate is missing from the table of arrows, or gone");
    for (name, allowed) in ARROWS {
        for needed in found[*name].iter().filter(|needed| ours.contains(needed.as_str())) {
            assert!(allowed.contains(&needed.as_str()), "{name} must not depend on {needed}");
        }
    }
}

#[test]
fn pure_crates_have_no_runtime_no_clock_no_randomness_and_no_io() {
    const PURE: &[&str] = &[
        "yardarm-flags",
        "yardarm-ion",
        "yardarm-domain",
        "yardarm-ofrep",
        "yardarm-validators",
        "yardarm-signature",
        "yardarm-wire",
    ];
    const HARMLESS: &[&str] = &[
        "arc-swap",
        "hmac",
        "http",
        "imbl",
        "jiff",
        "jsonschema",
        "percent-encoding",
        "regex",
        "serde",
        "serde_json",
        "serde_path_to_error",
        "sha2",
        "subtle",
        "thiserror",
        "yardarm-flags",
        "zeroize",
    ];
    let found = dependencies();
    for name in PURE {
        for needed in &found[*name] {
            assert!(HARMLESS.contains(&needed.as_str()), "{name} is pure and must not depend on {needed}");
        }
    }
}

#[test]
fn only_the_log_knows_sql_and_only_those_who_answer_know_http_serving() {
    let found = dependencies();
    let rooms: [(&str, &[&str]); 3] = [
        ("rusqlite", &["yardarm-log"]),
        ("axum", &["yardarm-agent", "yardarm-demo", "yardarm-listen", "yardarm-server"]),
        ("hyper", &["yardarm-listen"]),
    ];
    for (outside, rooms) in rooms {
        for (name, needs) in &found {
            let allowed = rooms.contains(&name.as_str());
            assert!(allowed || !needs.contains(outside), "{name} must not depend on {outside}");
        }
    }
}
