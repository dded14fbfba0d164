//! The one place that reads environment variables.

use zeroize::Zeroizing;

/// Variables of Yardarm that are no option of `serve`.
const OTHERS: [&str; 10] = [
    "YARDARM_URL",
    "YARDARM_TOKEN",
    "YARDARM_APPLICATION",
    "YARDARM_PROFILE",
    "YARDARM_ENVIRONMENT",
    "YARDARM_STRATEGY",
    "YARDARM_MASTER_KEY",
    "YARDARM_ADMIN_ACCESS_KEY_ID",
    "YARDARM_ADMIN_SECRET_ACCESS_KEY",
    "YARDARM_AGENT_ACCESS_TOKEN",
];

/// A variable's value; an empty one counts as absent.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// As [`variable`], for secrets.
pub(crate) fn secret(name: &str) -> Option<Zeroizing<String>> {
    variable(name).map(Zeroizing::new)
}

/// Variables that begin with `YARDARM_` and mean nothing: misspelt, most likely. `known`: names of options.
pub(crate) fn unknown(known: &[String]) -> Vec<String> {
    let ours = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    ours.filter(|name| name.starts_with("YARDARM_") && !is_service_link(name))
        .filter(|name| !OTHERS.contains(&name.as_str()) && !known.contains(name))
        .collect()
}

/// Kubernetes puts the addresses of a service named `yardarm` into every container beside it.
fn is_service_link(name: &str) -> bool {
    ["YARDARM_SERVICE_HOST", "YARDARM_SERVICE_PORT", "YARDARM_PORT"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}
