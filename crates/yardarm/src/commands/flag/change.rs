//! Changing one flag: from the latest version to the next one, and into an environment.
//!
//! The change is made on the latest version and stored only if that is still the latest. If not, it is made again on the
//! newer one; whoever was asked is asked again if the difference is no longer the one that was shown.

use super::super::output::{Output, print_json};
use super::super::{Failure, say};
use super::deploy::{self, Deploying, Plan};
use super::difference::{self, FlagReport};
use crate::control_plane::{ControlPlane, FlagProfile, Stored, StoredFlags, flag_keys, listed};
use crate::excerpt::excerpt;
use crate::options::Target;
use crate::terminal::{self, Palette, note, printable};
use clap::Args;
use serde::Serialize;
use std::process::ExitCode;
use yardarm_flags::document::FlagKey;
use yardarm_flags::edit::{Change, Edit, EditError};
use yardarm_flags::{FlagDifference, FlagDocument, ReadError, Violation, diff};

/// How often a change is made anew because somebody was faster.
const ATTEMPTS: usize = 10;

/// What goes with every change.
#[derive(Args)]
pub(super) struct Changing {
    #[command(flatten)]
    target: Target,
    /// Store it without asking.
    #[arg(long, short)]
    yes: bool,
    /// Only show what would be different.
    #[arg(long)]
    dry_run: bool,
    /// Why. It is kept as the description of the version and of the deployment.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    deploying: Deploying,
    /// How results look.
    #[arg(long, default_value = "table")]
    output: Output,
}

/// What somebody wants of a flag.
pub(super) struct Wanted {
    verb: &'static str,
    edit: Edit,
}

impl Wanted {
    pub(super) fn new(verb: &'static str, flag: FlagKey, changes: Vec<Change>) -> Self {
        Self { verb, edit: Edit { flag, changes } }
    }
}

/// What would become of the latest version.
struct Proposal {
    latest: StoredFlags,
    edited: FlagDocument,
    differences: Vec<FlagDifference>,
}

/// What was done, for programs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'r> {
    application: &'r str,
    profile: &'r str,
    flag: &'r str,
    previous_version: u64,
    /// The version that holds the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    stored: bool,
    changes: Vec<FlagReport<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deployment: Option<deploy::Report>,
}

pub(super) fn run(wanted: &Wanted, changing: &Changing) -> Result<ExitCode, Failure> {
    if !changing.yes && !changing.dry_run && !terminal::can_ask() {
        let text = "there is no terminal to ask at: add --yes to store the change, or --dry-run to see it";
        return Err(Failure::usage(text));
    }
    let plane = ControlPlane::from_environment()?;
    let profile = plane.profile(&changing.target)?;
    // Before anything is stored: a misspelt environment is found in time.
    let plan = changing.deploying.plan(&plane, &profile)?;
    let command = Command { plane, profile, plan, wanted, changing };
    command.run()
}

struct Command<'c> {
    plane: ControlPlane,
    profile: FlagProfile,
    plan: Option<Plan>,
    wanted: &'c Wanted,
    changing: &'c Changing,
}

impl Command<'_> {
    fn run(&self) -> Result<ExitCode, Failure> {
        let mut proposal = self.propose()?;
        self.show(&proposal)?;
        if self.changing.dry_run {
            return self.finish(&proposal, None, None);
        }
        if !self.is_agreed(&proposal)? {
            note("Nothing was changed.");
            return Ok(ExitCode::FAILURE);
        }
        let mut lock = proposal.latest.number;
        for _ in 0..ATTEMPTS {
            if proposal.differences.is_empty() {
                return self.deploy(&proposal, proposal.latest.number);
            }
            let stored = self.plane.store(&self.profile, &proposal.edited, lock, &self.description())?;
            let actual = match stored {
                Stored::Version(number) => return self.deploy(&proposal, number),
                Stored::Overtaken(actual) => actual,
            };
            let newer = self.propose()?;
            note(&format!(
                "Somebody has stored a version of {} meanwhile. The change is made on version {}.",
                self.profile, newer.latest.number
            ));
            // The newest version may have been deleted; its number counts all the same.
            let moved = newer.latest.number > proposal.latest.number;
            lock = if moved { newer.latest.number } else { actual.unwrap_or(newer.latest.number) };
            if newer.differences != proposal.differences {
                self.show(&newer)?;
                if !self.is_agreed(&newer)? {
                    note("Nothing was changed.");
                    return Ok(ExitCode::FAILURE);
                }
            }
            proposal = newer;
        }
        let profile = &self.profile;
        Err(Failure::failed(format!(
            "others keep storing versions of {profile}: nothing was changed; try again"
        )))
    }

    fn propose(&self) -> Result<Proposal, Failure> {
        let latest = self.plane.latest(&self.profile)?;
        let edited = self.wanted.edit.apply(&latest.document);
        let edited = edited.map_err(|error| self.refusal(&latest, &error))?;
        let differences = diff(&latest.document, &edited);
        Ok(Proposal { latest, edited, differences })
    }

    fn description(&self) -> String {
        let Self { wanted, changing, .. } = self;
        changing.reason.clone().unwrap_or_else(|| format!("flag {} {}", wanted.verb, wanted.edit.flag))
    }

    /// What will be different, for people; with `--output json` only for those who are asked.
    fn show(&self, proposal: &Proposal) -> Result<(), Failure> {
        let json = self.changing.output == Output::Json;
        if json && (self.changing.yes || self.changing.dry_run) {
            return Ok(());
        }
        let mut lines = Vec::new();
        if proposal.differences.is_empty() {
            let (flag, number) = (&self.wanted.edit.flag, proposal.latest.number);
            lines.push(format!("`{flag}` is so already in version {number} of {}.", self.profile));
        }
        let palette = Palette::of_output();
        lines.extend(difference::lines(&proposal.differences, palette));
        if let Some(plan) = &self.plan {
            let before = plan.undeployed(&proposal.latest)?;
            if !before.is_empty() {
                let (number, environment) = (proposal.latest.number, &plan.environment.name);
                lines.push(format!(
                    "Deployed with it, as {environment} does not have all of version {number} yet:"
                ));
                lines.extend(difference::lines(&before, palette));
            }
        }
        // Whoever is asked must have seen it.
        let unseen = !self.changing.yes && !self.changing.dry_run && !terminal::is_output_seen();
        for line in lines {
            if json || unseen {
                note(&line);
            }
            if !json {
                say(line);
            }
        }
        Ok(())
    }

    fn is_agreed(&self, proposal: &Proposal) -> Result<bool, Failure> {
        if self.changing.yes {
            return Ok(true);
        }
        let deploy = self
            .plan
            .as_ref()
            .map(|plan| format!("deploy it to {} with {}", plan.environment.name, plan.strategy.name));
        let question = match (proposal.differences.is_empty(), deploy) {
            (true, None) => return Ok(true),
            (true, Some(deploy)) => format!("Store nothing and {deploy}?"),
            (false, None) => format!("Store this in {}?", self.profile),
            (false, Some(deploy)) => format!("Store this in {} and {deploy}?", self.profile),
        };
        terminal::ask(&printable(&question))
    }

    /// After storing, or when there was nothing to store.
    fn deploy(&self, proposal: &Proposal, version: u64) -> Result<ExitCode, Failure> {
        let table = self.changing.output == Output::Table;
        if table && !proposal.differences.is_empty() {
            say(format!("Version {version} of {} is stored.", self.profile));
        }
        let Some(plan) = &self.plan else { return self.finish(proposal, Some(version), None) };
        let started = plan.start(&self.plane, &self.profile, version, &self.description())?;
        if let (true, Some(started)) = (table, &started) {
            say(started);
        }
        let followed = match started {
            Some(started) => Some(plan.follow(&self.plane, started)?),
            None => {
                note(&format!("Version {version} is deployed to {} already.", plan.environment.name));
                None
            }
        };
        self.finish(proposal, Some(version), followed)
    }

    fn finish(
        &self,
        proposal: &Proposal,
        version: Option<u64>,
        deployment: Option<deploy::Report>,
    ) -> Result<ExitCode, Failure> {
        if self.changing.output == Output::Json {
            print_json(&Report {
                application: &self.profile.application.name,
                profile: &self.profile.name,
                flag: self.wanted.edit.flag.as_str(),
                previous_version: proposal.latest.number,
                version,
                stored: version.is_some() && !proposal.differences.is_empty(),
                changes: difference::report(&proposal.differences),
                deployment,
            })?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Why the change cannot be made, and what to do.
    fn refusal(&self, latest: &StoredFlags, error: &EditError) -> Failure {
        let profile = &self.profile;
        Failure::failed(match error {
            EditError::NoSuchFlag { flag } => {
                let keys = listed(&flag_keys(&latest.document));
                format!("{profile} has no flag `{flag}`; it has {keys}")
            }
            EditError::FlagExists { flag } => {
                format!("{profile} has a flag `{flag}` already: change it with `yardarm flag set {flag}`")
            }
            EditError::WhichVariant { .. } => format!("{error}: --variant NAME, or --all-variants"),
            EditError::Rule { variant, text, diagnostics, .. } => {
                let found = diagnostics.iter().map(|diagnostic| {
                    let at = diagnostic.at(text);
                    let kind = if diagnostic.is_error() { "error" } else { "warning" };
                    format!("{kind} at {at}: {diagnostic}\n{}", excerpt(text, at))
                });
                let found: Vec<String> = found.collect();
                format!("the rule of variant `{variant}` is not legal\n{}", found.join("\n"))
            }
            EditError::Invalid(ReadError::Invalid(violations)) => {
                let mut lines: Vec<String> = violations.listed.iter().map(violation).collect();
                if violations.omitted > 0 {
                    lines.push(format!("and {} more", violations.omitted));
                }
                format!("the change is not legal\n  {}", lines.join("\n  "))
            }
            EditError::NoSuchAttribute { attribute, flag, .. } => {
                format!("{error}: define it with `yardarm flag set {flag} --attribute {attribute}:string`")
            }
            EditError::NotOfType { .. }
            | EditError::NoSuchVariant { .. }
            | EditError::VariantExists { .. }
            | EditError::Default { .. }
            | EditError::Invalid(_) => error.to_string(),
        })
    }
}

/// A broken constraint in a line.
fn violation(violation: &Violation) -> String {
    let Violation { constraint, location, value, .. } = violation;
    let value = printable(value);
    if value.is_empty() {
        format!("{location}: {constraint}")
    } else {
        format!("{location}: {constraint}, not `{value}`")
    }
}
