//! `yardarm deployment`: deployments of a running server.

use super::output::{Output, Table, print_json};
use super::{Failure, say};
use crate::api::Api;
use clap::{Args, Subcommand};
use http::Method;
use std::process::ExitCode;
use yardarm_client::segment;
use yardarm_wire::clients::{ClientStanding, DeploymentClients};
use yardarm_wire::native::{Items, paths};
use yardarm_wire::recovery::KnownGood;

#[derive(Args)]
pub(crate) struct DeploymentArguments {
    #[command(subcommand)]
    command: DeploymentCommand,
    /// How results look.
    #[arg(long, global = true, default_value = "table")]
    output: Output,
}

#[derive(Subcommand)]
enum DeploymentCommand {
    /// List the clients that acknowledge what they are given, and where they stand: who has applied a deployment, who has
    /// refused it and why, who lags.
    Clients {
        /// Its number in the environment.
        number: u32,
        #[command(flatten)]
        place: Place,
    },
    /// List the last versions of a configuration whose bake passed and that were not reverted, the newest first.
    KnownGood {
        #[command(flatten)]
        place: Place,
        /// The configuration profile, by name or id.
        #[arg(long, short, env = "YARDARM_PROFILE")]
        profile: String,
    },
}

/// An environment, by names or ids.
#[derive(Args)]
pub(super) struct Place {
    /// The application, by name or id.
    #[arg(long, short, env = "YARDARM_APPLICATION")]
    pub(super) application: String,
    /// The environment, by name or id.
    #[arg(long, short, env = "YARDARM_ENVIRONMENT")]
    pub(super) environment: String,
}

impl Place {
    /// `path` with the environment in it.
    pub(super) fn within(&self, path: &str) -> String {
        path.replace("{application}", &segment(&self.application))
            .replace("{environment}", &segment(&self.environment))
    }
}

pub(crate) fn run(arguments: &DeploymentArguments) -> Result<ExitCode, Failure> {
    match &arguments.command {
        DeploymentCommand::Clients { number, place } => {
            let target = place.within(paths::DEPLOYMENT_CLIENTS).replace("{deployment}", &number.to_string());
            let found: DeploymentClients =
                Api::from_environment()?.call(Method::GET, &target, None::<&()>)?;
            match arguments.output {
                Output::Json => print_json(&found)?,
                Output::Table => show(&found),
            }
        }
        DeploymentCommand::KnownGood { place, profile } => {
            let target = place.within(paths::KNOWN_GOOD).replace("{profile}", &segment(profile));
            let found: Items<KnownGood> = Api::from_environment()?.call(Method::GET, &target, None::<&()>)?;
            match arguments.output {
                Output::Json => print_json(&found)?,
                Output::Table => show_good(&found.items),
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show_good(versions: &[KnownGood]) {
    let mut table = Table::new(["VERSION", "LABEL", "DEPLOYMENT", "COMPLETED", "SHA-256"]);
    for good in versions {
        table.row([
            &*good.version.to_string(),
            good.label.as_deref().unwrap_or(""),
            &*good.deployment_number.to_string(),
            &*good.completed_at.timestamp().to_string(),
            &*good.sha256,
        ]);
    }
    table.print();
}

fn show(found: &DeploymentClients) {
    let mut table = Table::new(["CLIENT", "SOFTWARE", "STANDS", "SINCE", "HEARD OF", "REASON"]);
    // Who is in the way comes first.
    for standing in
        [ClientStanding::Refused, ClientStanding::Lags, ClientStanding::Applied, ClientStanding::NotExposed]
    {
        for client in found.items.iter().filter(|client| client.standing == standing) {
            table.row([
                &*client.client,
                &*client.software,
                client.standing.as_str(),
                &client.since.timestamp().to_string(),
                &client.heard_at.timestamp().to_string(),
                client.reason.as_deref().unwrap_or(""),
            ]);
        }
    }
    table.print();
    let DeploymentClients { exposed, applied, refused, lagging, .. } = found;
    say(format!("{exposed} exposed: {applied} have applied it, {refused} refused it, {lagging} lag."));
    if let Some(holds) = &found.holds {
        say(format!("The deployment holds. {holds}"));
    }
}
