//! How it stands with each configuration, as JSON.

use crate::keeper::Keeper;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Health {
    /// `ok`, or `stale` if anything is.
    status: &'static str,
    configurations: BTreeMap<String, Configuration>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Configuration {
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_success: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<LastError>,
    stale: bool,
}

#[derive(Serialize)]
struct LastError {
    time: String,
    message: String,
}

/// How it stands.
pub(crate) fn render(keeper: &Keeper) -> Vec<u8> {
    let mut configurations = BTreeMap::new();
    for entry in keeper.entries() {
        let version = entry.held().map(|held| held.newest.version.to_string());
        let status = entry.status.borrow();
        let last_error = status
            .last_error
            .as_ref()
            .map(|(time, trouble)| LastError { time: time.to_string(), message: trouble.to_string() });
        let last_success = status.last_success.map(|time| time.to_string());
        let stale = status.stale;
        configurations
            .insert(entry.name.to_string(), Configuration { version, last_success, last_error, stale });
    }
    let stale = configurations.values().any(|configuration| configuration.stale);
    let health = Health { status: if stale { "stale" } else { "ok" }, configurations };
    // Texts always serialise.
    serde_json::to_vec(&health).unwrap_or_default()
}
