//! `yardarm flag`: the flags of a profile, one at a time.
//!
//! A command that changes a flag makes its change on the latest version, whatever else that version holds, shows the
//! difference, and stores it; see [`change`].

mod attributes;
mod change;
mod deploy;
mod difference;
mod force;
mod list;
mod revert;
mod show;

use super::Failure;
use super::output::Output;
use crate::options::{EnvironmentOption, Target};
use attributes::{Assignment, AttributeSpec};
use change::{Changing, Wanted};
use clap::{Args, Subcommand};
use jiff::civil::Date;
use std::process::ExitCode;
use yardarm_flags::document::{AttributeKey, Deprecation, FlagKey};
use yardarm_flags::edit::{Change, NewVariant, Of, Position};

#[derive(Args)]
pub(crate) struct FlagArguments {
    #[command(subcommand)]
    command: FlagCommand,
}

#[derive(Subcommand)]
enum FlagCommand {
    /// List the flags: what they are in the latest version, and what each environment serves.
    List {
        #[command(flatten)]
        target: Target,
        /// How results look.
        #[arg(long, default_value = "table")]
        output: Output,
    },
    /// Show one flag.
    #[command(disable_version_flag = true)]
    Show {
        /// The flag's key.
        flag: FlagKey,
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        of: show::OfVersion,
        #[command(flatten)]
        environment: EnvironmentOption,
        /// How results look.
        #[arg(long, default_value = "table")]
        output: Output,
    },
    /// Force a flag off, or to a variant, in one environment, whatever is deployed there: the kill switch. It reaches a
    /// hundredth of the clients, and everybody a few seconds later.
    Force(force::ForceArguments),
    /// Give a flag back that is forced: everybody gets at once what is deployed.
    Release(force::ReleaseArguments),
    /// Make a flag. It is off unless --enabled says otherwise.
    Create {
        /// The flag's key: letters, digits, `_` and `-`, the first a lower-case letter.
        flag: FlagKey,
        /// What people call it.
        #[arg(long)]
        name: Option<String>,
        /// What it is for.
        #[arg(long)]
        description: Option<String>,
        /// Define an attribute: `KEY:TYPE[,required][,min=N][,max=N][,enum=A|B][,elements=TYPE][,pattern=RE]`, where
        /// TYPE is string, number, boolean, array or any. May be given several times.
        #[arg(long = "attribute", value_name = "SPEC")]
        attributes: Vec<AttributeSpec>,
        /// Set an attribute: KEY=VALUE. One that is not defined is defined as whatever the value looks like.
        #[arg(long = "set", value_name = "KEY=VALUE")]
        values: Vec<Assignment>,
        /// Turn it on.
        #[arg(long)]
        enabled: bool,
        #[command(flatten)]
        changing: Changing,
    },
    /// Set attributes, define them, or remove them.
    Set {
        /// The flag's key.
        flag: FlagKey,
        /// What to set. The value is read as the attribute's type.
        #[arg(value_name = "KEY=VALUE")]
        values: Vec<Assignment>,
        /// Remove the value of an attribute.
        #[arg(long, value_name = "KEY")]
        unset: Vec<AttributeKey>,
        /// Define an attribute, or define it anew; see `flag create --help`.
        #[arg(long = "attribute", value_name = "SPEC")]
        attributes: Vec<AttributeSpec>,
        /// Remove an attribute, with its values.
        #[arg(long, value_name = "KEY")]
        remove_attribute: Vec<AttributeKey>,
        #[command(flatten)]
        of: OfArguments,
        #[command(flatten)]
        changing: Changing,
    },
    /// Turn a flag on.
    Enable {
        /// The flag's key.
        flag: FlagKey,
        #[command(flatten)]
        of: OfArguments,
        #[command(flatten)]
        changing: Changing,
    },
    /// Turn a flag off: with all its variants, unless one is named.
    Disable {
        /// The flag's key.
        flag: FlagKey,
        #[command(flatten)]
        of: OfArguments,
        #[command(flatten)]
        changing: Changing,
    },
    /// Bring a flag back to what it was, the others as they are: deployed at once, without a question.
    Revert {
        /// The flag's key.
        flag: FlagKey,
        /// As in this version; otherwise as in the newest that was deployed before and in which it was another.
        #[arg(long, value_name = "VERSION")]
        to: Option<u32>,
        /// Why.
        #[arg(long)]
        reason: Option<String>,
        /// How to deploy it: the name or id of a strategy; otherwise AppConfig.AllAtOnce.
        #[arg(long, env = "YARDARM_STRATEGY")]
        strategy: Option<String>,
        #[command(flatten)]
        environment: EnvironmentOption,
        #[command(flatten)]
        target: Target,
        /// How results look.
        #[arg(long, default_value = "table")]
        output: Output,
    },
    /// Name or describe a flag; an empty text removes what there is.
    Describe {
        /// The flag's key.
        flag: FlagKey,
        /// What people call it.
        #[arg(long, required_unless_present = "description")]
        name: Option<String>,
        /// What it is for.
        #[arg(long)]
        description: Option<String>,
        #[command(flatten)]
        changing: Changing,
    },
    /// Add a variant. What a flag without variants was becomes its default.
    AddVariant {
        /// The flag's key.
        flag: FlagKey,
        /// The variant's name.
        variant: String,
        /// Whose it is, such as '(ends_with $email "@example.org")'.
        #[arg(long)]
        rule: String,
        /// Set an attribute: KEY=VALUE. Those that are not set are the default variant's.
        #[arg(long = "set", value_name = "KEY=VALUE")]
        values: Vec<Assignment>,
        /// Let the flag be off for them.
        #[arg(long)]
        disabled: bool,
        #[command(flatten)]
        place: PlaceArguments,
        /// What the default of a flag without variants is called from now on.
        #[arg(long, default_value = "default")]
        default_name: String,
        #[command(flatten)]
        changing: Changing,
    },
    /// Change a variant.
    SetVariant {
        /// The flag's key.
        flag: FlagKey,
        /// The variant's name.
        variant: String,
        /// Another rule.
        #[arg(long)]
        rule: Option<String>,
        /// Another name.
        #[arg(long)]
        rename: Option<String>,
        /// Turn it on.
        #[arg(long)]
        enable: bool,
        /// Turn it off.
        #[arg(long, conflicts_with = "enable")]
        disable: bool,
        /// Set an attribute: KEY=VALUE.
        #[arg(long = "set", value_name = "KEY=VALUE")]
        values: Vec<Assignment>,
        /// Remove the value of an attribute.
        #[arg(long, value_name = "KEY")]
        unset: Vec<AttributeKey>,
        #[command(flatten)]
        changing: Changing,
    },
    /// Try a variant earlier or later. The default is always the last.
    MoveVariant {
        /// The flag's key.
        flag: FlagKey,
        /// The variant's name.
        variant: String,
        #[command(flatten)]
        place: PlaceArguments,
        #[command(flatten)]
        changing: Changing,
    },
    /// Remove a variant. Without its only one a flag has no variants, and is what that one was.
    RemoveVariant {
        /// The flag's key.
        flag: FlagKey,
        /// The variant's name.
        variant: String,
        #[command(flatten)]
        changing: Changing,
    },
    /// Say that a flag is meant to be removed. It serves as before.
    Deprecate {
        /// The flag's key.
        flag: FlagKey,
        /// The day by which it should be gone: YYYY-MM-DD.
        #[arg(long, value_name = "DATE")]
        by: Option<Date>,
        /// Take it back.
        #[arg(long, conflicts_with = "by")]
        undo: bool,
        #[command(flatten)]
        changing: Changing,
    },
    /// Remove a flag. Clients that ask for it get their own default.
    Delete {
        /// The flag's key.
        flag: FlagKey,
        #[command(flatten)]
        changing: Changing,
    },
}

/// Which state of a flag with variants.
#[derive(Args)]
struct OfArguments {
    /// Of one variant.
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// Of all variants.
    #[arg(long, conflicts_with = "variant")]
    all_variants: bool,
}

impl OfArguments {
    fn of(self) -> Of {
        match self {
            Self { variant: Some(variant), .. } => Of::Variant(variant),
            Self { all_variants: true, .. } => Of::All,
            Self { .. } => Of::Flag,
        }
    }
}

/// Where a variant goes.
#[derive(Args)]
struct PlaceArguments {
    /// Tried before all others.
    #[arg(long, group = "place")]
    first: bool,
    /// Tried after all others, before the default. This is where a new one goes.
    #[arg(long, group = "place")]
    last: bool,
    /// Just before another one.
    #[arg(long, group = "place", value_name = "NAME")]
    before: Option<String>,
    /// Just after another one.
    #[arg(long, group = "place", value_name = "NAME")]
    after: Option<String>,
}

impl PlaceArguments {
    fn position(self) -> Option<Position> {
        match self {
            Self { first: true, .. } => Some(Position::First),
            Self { last: true, .. } => Some(Position::Last),
            Self { before: Some(name), .. } => Some(Position::Before(name)),
            Self { after: Some(name), .. } => Some(Position::After(name)),
            Self { .. } => None,
        }
    }
}

pub(super) fn run(arguments: FlagArguments) -> Result<ExitCode, Failure> {
    let (wanted, changing) = match arguments.command {
        FlagCommand::List { target, output } => return list::run(&target, output),
        FlagCommand::Show { flag, target, of, environment, output } => {
            return show::run(&flag, &target, &of, &environment, output);
        }
        FlagCommand::Force(arguments) => return force::force(arguments),
        FlagCommand::Release(arguments) => return force::release(arguments),
        FlagCommand::Revert { flag, to, reason, strategy, environment, target, output } => {
            let (reason, strategy) = (reason.as_deref(), strategy.as_deref());
            let (flag, environment, target) = (&flag, &environment, &target);
            revert::Revert { flag, to, reason, strategy, environment, target, output }.run()?;
            return Ok(ExitCode::SUCCESS);
        }
        FlagCommand::Create { flag, name, description, attributes, values, enabled, changing } => {
            (create(flag, (name, description), attributes, values, enabled), changing)
        }
        FlagCommand::Set { flag, values, unset, attributes, remove_attribute, of, changing } => {
            let of = of.of();
            let mut changes: Vec<Change> = attributes.into_iter().map(AttributeSpec::into_change).collect();
            changes.extend(remove_attribute.into_iter().map(Change::RemoveAttribute));
            changes.extend(state(&of, values, unset));
            if changes.is_empty() {
                return Err(Failure::usage("say what to set: KEY=VALUE, --unset KEY, --attribute SPEC"));
            }
            (Wanted::new("set", flag, changes), changing)
        }
        FlagCommand::Enable { flag, of, changing } => {
            let change = Change::Enabled { of: of.of(), enabled: true };
            (Wanted::new("enable", flag, vec![change]), changing)
        }
        FlagCommand::Disable { flag, of, changing } => {
            let of = match of.of() {
                Of::Flag | Of::All => Of::All,
                one @ Of::Variant(_) => one,
            };
            (Wanted::new("disable", flag, vec![Change::Enabled { of, enabled: false }]), changing)
        }
        FlagCommand::Describe { flag, name, description, changing } => {
            let text = |text: String| Some(text).filter(|text| !text.is_empty());
            let name = name.map(|name| Change::Name(text(name)));
            let description = description.map(|description| Change::Description(text(description)));
            (Wanted::new("describe", flag, name.into_iter().chain(description).collect()), changing)
        }
        FlagCommand::AddVariant { flag, variant, rule, values, disabled, place, default_name, changing } => {
            let new = NewVariant {
                name: variant,
                rule,
                enabled: !disabled,
                attributes: values.into_iter().map(Assignment::into_parts).collect(),
                position: place.position().unwrap_or(Position::Last),
                default_name,
            };
            (Wanted::new("add-variant", flag, vec![Change::AddVariant(new)]), changing)
        }
        FlagCommand::SetVariant { flag, variant, rule, rename, enable, disable, values, unset, changing } => {
            let of = Of::Variant(variant.clone());
            let mut changes = Vec::new();
            changes.extend(rule.map(|rule| Change::Rule { variant: variant.clone(), rule }));
            if enable || disable {
                changes.push(Change::Enabled { of: of.clone(), enabled: enable });
            }
            changes.extend(state(&of, values, unset));
            changes.extend(rename.map(|name| Change::RenameVariant { variant, name }));
            if changes.is_empty() {
                let text = "say what to change: --rule, --rename, --enable, --disable, --set or --unset";
                return Err(Failure::usage(text));
            }
            (Wanted::new("set-variant", flag, changes), changing)
        }
        FlagCommand::MoveVariant { flag, variant, place, changing } => {
            let Some(to) = place.position() else {
                return Err(Failure::usage("say where to: --first, --last, --before NAME or --after NAME"));
            };
            (Wanted::new("move-variant", flag, vec![Change::MoveVariant { variant, to }]), changing)
        }
        FlagCommand::RemoveVariant { flag, variant, changing } => {
            (Wanted::new("remove-variant", flag, vec![Change::RemoveVariant(variant)]), changing)
        }
        FlagCommand::Deprecate { flag, by, undo, changing } => {
            let deprecation = (!undo).then_some(Deprecation { date: by });
            (Wanted::new("deprecate", flag, vec![Change::Deprecation(deprecation)]), changing)
        }
        FlagCommand::Delete { flag, changing } => {
            (Wanted::new("delete", flag, vec![Change::Delete]), changing)
        }
    };
    change::run(&wanted, &changing)
}

fn create(
    flag: FlagKey,
    (name, description): (Option<String>, Option<String>),
    attributes: Vec<AttributeSpec>,
    values: Vec<Assignment>,
    enabled: bool,
) -> Wanted {
    let mut changes = vec![Change::Create];
    changes.extend(name.map(|name| Change::Name(Some(name))));
    changes.extend(description.map(|description| Change::Description(Some(description))));
    let undefined = |value: &&Assignment| !attributes.iter().any(|spec| spec.defines(value));
    changes.extend(values.iter().filter(undefined).map(Assignment::definition));
    changes.extend(attributes.iter().cloned().map(AttributeSpec::into_change));
    changes.extend(state(&Of::Flag, values, vec![]));
    changes.push(Change::Enabled { of: Of::Flag, enabled });
    Wanted::new("create", flag, changes)
}

/// The changes of a state's attributes.
fn state(of: &Of, values: Vec<Assignment>, unset: Vec<AttributeKey>) -> impl Iterator<Item = Change> {
    let set = values.into_iter().map(|assignment| {
        let (attribute, value) = assignment.into_parts();
        Change::Set { of: of.clone(), attribute, value }
    });
    let unset = unset.into_iter().map(|attribute| Change::Unset { of: of.clone(), attribute });
    unset.chain(set)
}
