//! A comparison is fair only if both sides are built of the same parts.

use std::collections::BTreeMap;

/// Versions by name, of the packages in a lock file.
fn versions(lock: &str) -> BTreeMap<String, Vec<String>> {
    let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let field = |lines: &str, name: &str| {
        let line = lines.lines().find_map(|line| line.strip_prefix(&format!("{name} = \"")));
        line.unwrap_or_default().trim_end_matches('"').to_owned()
    };
    for package in lock.split("[[package]]").skip(1) {
        versions.entry(field(package, "name")).or_default().push(field(package, "version"));
    }
    versions
}

#[test]
fn the_bare_server_is_built_of_the_versions_that_yardarm_is_built_of() {
    let (own, yardarm) =
        (versions(include_str!("../Cargo.lock")), versions(include_str!("../../Cargo.lock")));
    for name in [
        "axum",
        "axum-core",
        "hyper",
        "hyper-util",
        "tokio",
        "mio",
        "bytes",
        "matchit",
        "rusqlite",
        "libsqlite3-sys",
    ] {
        let own = own.get(name).unwrap_or_else(|| panic!("{name} is not locked here"));
        for version in own {
            assert!(yardarm.get(name).is_some_and(|found| found.contains(version)), "{name} {version}");
        }
    }
}
