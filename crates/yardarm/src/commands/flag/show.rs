//! `yardarm flag show`: one flag, with everything it has.

use super::super::output::{Output, print_json};
use super::super::{Failure, say};
use super::force::told;
use crate::control_plane::{ControlPlane, StoredFlags, flag_keys, flags_of, listed};
use crate::options::{EnvironmentOption, Target};
use crate::terminal::printable;
use clap::Args;
use serde::Serialize;
use serde_json::Value;
use std::process::ExitCode;
use yardarm_flags::document::{FlagKey, Stamps};
use yardarm_flags::{FlagDocument, facts, write};

/// Of which version.
#[derive(Args)]
pub(super) struct OfVersion {
    /// Of this version: a number. By default of the latest.
    #[arg(long, conflicts_with = "deployed")]
    version: Option<u64>,
    /// Of the version that everybody has in the environment.
    #[arg(long)]
    deployed: bool,
}

/// A flag as it is stored, for programs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    flag: String,
    version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    definition: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Value>,
}

pub(super) fn run(
    flag: &FlagKey,
    target: &Target,
    of: &OfVersion,
    environment: &EnvironmentOption,
    output: Output,
) -> Result<ExitCode, Failure> {
    let plane = ControlPlane::from_environment()?;
    let profile = plane.profile(target)?;
    let stored = match of {
        OfVersion { version: Some(number), .. } => plane.version(&profile, *number)?,
        OfVersion { deployed: false, .. } => plane.latest(&profile)?,
        OfVersion { deployed: true, .. } => {
            let environment = plane.environment(&profile, environment.get())?;
            let served = plane.rollout(&profile, &environment)?.and_then(|served| served.stable);
            let name = environment.name;
            let nothing = || Failure::failed(format!("nothing of {profile} is deployed in {name}"));
            let served = served.ok_or_else(nothing)?;
            StoredFlags { number: served.version.into(), document: flags_of(&served)? }
        }
    };
    let document = &stored.document;
    let forced = match environment.get() {
        Some(name) if output == Output::Table => {
            let environment = plane.environment(&profile, Some(name))?;
            told(&plane.forced_flags(&profile, &environment)?, flag, &environment.name)
        }
        _ => vec![],
    };
    if !document.flags().contains_key(flag) && !document.values().contains_key(flag) {
        let (number, keys) = (stored.number, listed(&flag_keys(document)));
        let text = format!("version {number} of {profile} has no flag `{flag}`; it has {keys}");
        return Err(Failure::failed(text));
    }
    if output == Output::Json {
        let mut all: Value = serde_json::from_slice(&write(document)).unwrap_or_default();
        let mut take = |part: &str| all.get_mut(part)?.get_mut(flag.as_str()).map(Value::take);
        let (definition, value) = (take("flags"), take("values"));
        print_json(&Report { flag: flag.to_string(), version: stored.number, definition, value })?;
        return Ok(ExitCode::SUCCESS);
    }
    say(format!("{flag}, version {} of {profile}", stored.number));
    for fact in facts(document, flag.as_str()) {
        say(format!("  {}: {}", printable(&fact.subject), printable(&fact.text)));
    }
    for line in stamps(document, flag) {
        say(format!("  {line}"));
    }
    for line in forced {
        say(format!("  {line}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// When the flag was made and last changed.
fn stamps(document: &FlagDocument, flag: &FlagKey) -> Vec<String> {
    let definition = document.flags().get(flag).map(|definition| definition.stamps());
    let value = document.values().get(flag).map(|value| value.stamps());
    let both: Vec<Stamps> = definition.into_iter().chain(value).collect();
    let created = both.iter().filter_map(|stamps| stamps.created_at).min();
    let updated = both.iter().filter_map(|stamps| stamps.updated_at).max();
    let line = |what: &str, at: Option<jiff::Timestamp>| at.map(|at| format!("{what}: {at}"));
    line("created", created).into_iter().chain(line("last changed", updated)).collect()
}
