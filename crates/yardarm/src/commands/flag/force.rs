//! `yardarm flag force` and `yardarm flag release`: the kill switch.

use super::super::output::{Output, print_json};
use super::super::{Failure, say};
use crate::control_plane::ControlPlane;
use crate::lifetime;
use crate::options::{EnvironmentOption, Target};
use crate::terminal::printable;
use clap::Args;
use std::process::ExitCode;
use yardarm_flags::document::FlagKey;
use yardarm_wire::forced_flags::{ForceFlag, ForceTo, ForcedFlag, ForcedFlags};

#[derive(Args)]
pub(super) struct ForceArguments {
    /// The flag's key.
    flag: FlagKey,
    /// Force it off, with all its variants.
    #[arg(long, required_unless_present = "variant", conflicts_with = "variant")]
    off: bool,
    /// Force this variant for everybody, whatever rules say.
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// Why: everybody can read it.
    #[arg(long)]
    reason: String,
    /// How long it reaches a hundredth of the clients only, as in 10s: 1s to 60s, by default 5s.
    #[arg(long, value_name = "DURATION")]
    grow: Option<String>,
    /// For how long after that alarms of the environment take it back, as in 5m: by default 60s; 0s for never.
    #[arg(long, value_name = "DURATION")]
    watch: Option<String>,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    environment: EnvironmentOption,
    /// How results look.
    #[arg(long, default_value = "table")]
    output: Output,
}

#[derive(Args)]
pub(super) struct ReleaseArguments {
    /// The flag's key.
    flag: FlagKey,
    /// Why: everybody can read it.
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    environment: EnvironmentOption,
}

pub(super) fn force(arguments: ForceArguments) -> Result<ExitCode, Failure> {
    let ForceArguments { flag, off: _, variant, reason, grow, watch, target, environment, output } =
        arguments;
    let seconds = |text: Option<String>| text.as_deref().map(whole_seconds).transpose();
    let wanted = ForceFlag {
        to: variant.map_or(ForceTo::Off, ForceTo::Variant),
        reason: Some(reason),
        grow_seconds: seconds(grow)?,
        watch_seconds: seconds(watch)?,
    };
    let plane = ControlPlane::from_environment()?;
    let profile = plane.profile(&target)?;
    let environment = plane.environment(&profile, environment.get())?;
    let forced = plane.force(&profile, &environment, &flag, &wanted)?;
    if output == Output::Json {
        print_json(&forced)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (to, place) = (to(&forced.to), &environment.name);
    say(format!("{flag} of {profile} is forced {to} in {place}, whatever is deployed there."));
    if let Some(until) = &forced.grows_until {
        say(format!("It has reached 1 % of the clients, and reaches everybody at {until}."));
    }
    if !forced.alarms_disregarded.is_empty() {
        let alarms = forced.alarms_disregarded.join(", ");
        say(format!("It is not taken back by {}, which fired before or was not known.", printable(&alarms)));
    }
    say(format!("`yardarm flag release {flag}` gives it back."));
    Ok(ExitCode::SUCCESS)
}

pub(super) fn release(arguments: ReleaseArguments) -> Result<ExitCode, Failure> {
    let ReleaseArguments { flag, reason, target, environment } = arguments;
    let plane = ControlPlane::from_environment()?;
    let profile = plane.profile(&target)?;
    let environment = plane.environment(&profile, environment.get())?;
    plane.release(&profile, &environment, &flag, reason.as_deref())?;
    say(format!("{flag} of {profile} is what is deployed again in {}, for everybody.", environment.name));
    Ok(ExitCode::SUCCESS)
}

/// What is forced of a flag, in lines for people.
pub(super) fn told(all: &ForcedFlags, flag: &FlagKey, environment: &str) -> Vec<String> {
    let forced = all.items.iter().filter(|forced| forced.flag == flag.as_str());
    forced.map(|forced| format!("in {environment} {}", one(forced))).collect()
}

fn one(forced: &ForcedFlag) -> String {
    let growing = forced.grows_until.as_ref();
    let growing = growing.map(|until| format!(", for everybody at {until}")).unwrap_or_default();
    let ForcedFlag { by, reason, forced_at, .. } = forced;
    let (to, by, reason) = (to(&forced.to), printable(by), printable(reason));
    format!("forced {to} by {by} at {forced_at}{growing}: {reason}")
}

/// `off`, or `to old`.
pub(super) fn to(to: &ForceTo) -> String {
    match to {
        ForceTo::Off => "off".to_owned(),
        ForceTo::Variant(name) => format!("to {}", printable(name)),
    }
}

fn whole_seconds(text: &str) -> Result<u32, Failure> {
    let bad = || Failure::usage(format!("`{text}` is no length of time such as 10s or 5m"));
    lifetime::seconds(text).and_then(|seconds| u32::try_from(seconds).ok()).ok_or_else(bad)
}
