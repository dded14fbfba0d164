//! `yardarm deployment`: deployments of an environment, judged by people: confirmed, stopped, reverted.

use super::output::{Output, Table, print_json};
use super::{Failure, clients, say};
use crate::api::{Api, why};
use bytes::Bytes;
use clap::{Args, Subcommand};
use http::Method;
use http::header::{HeaderName, HeaderValue};
use serde::de::DeserializeOwned;
use std::process::ExitCode;
use yardarm_client::segment;
use yardarm_wire::deployments::{Deployment, DeploymentSummary};
use yardarm_wire::headers;
use yardarm_wire::native::{DeploymentConfirmation, paths};
use yardarm_wire::pages::Page;

#[derive(Args)]
pub(crate) struct DeploymentArguments {
    #[command(subcommand)]
    command: DeploymentCommand,
    /// The application, by name or id.
    #[arg(long, short, global = true, env = "YARDARM_APPLICATION")]
    application: Option<String>,
    /// The environment, by name or id.
    #[arg(long, short, global = true, env = "YARDARM_ENVIRONMENT")]
    environment: Option<String>,
    /// How results look.
    #[arg(long, global = true, default_value = "table")]
    output: Output,
}

#[derive(Subcommand)]
enum DeploymentCommand {
    /// List the newest deployments.
    List {
        /// How many, 1 to 50.
        #[arg(long, default_value = "10", value_parser = clap::value_parser!(u8).range(1..=50))]
        most: u8,
    },
    /// List the clients that acknowledge what they are given, and where they stand: who has applied a deployment, who has
    /// refused it and why, who lags.
    Clients {
        /// Its number; the newest if left out.
        number: Option<u32>,
    },
    /// List the last versions of a configuration whose bake passed and that were not reverted, the newest first.
    KnownGood {
        /// The configuration profile, by name or id.
        #[arg(long, short, env = "YARDARM_PROFILE")]
        profile: String,
    },
    /// Say that a deployment is good, which was started with --confirm-within.
    Confirm {
        /// Its number; the newest if left out.
        number: Option<u32>,
        /// Why.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Take back a deployment that is on its way.
    Stop {
        /// Its number; the newest if left out.
        number: Option<u32>,
        /// Also if it is complete already.
        #[arg(long)]
        revert: bool,
        /// Why.
        #[arg(long)]
        reason: Option<String>,
    },
}

pub(super) fn run(arguments: &DeploymentArguments) -> Result<ExitCode, Failure> {
    let place = Place {
        api: Api::from_environment()?,
        application: given(arguments.application.as_ref(), "--application", "YARDARM_APPLICATION")?,
        environment: given(arguments.environment.as_ref(), "--environment", "YARDARM_ENVIRONMENT")?,
    };
    match &arguments.command {
        DeploymentCommand::List { most } => place.list(*most, arguments.output)?,
        DeploymentCommand::Clients { number } => {
            let number = place.number(*number)?.to_string();
            let target = place.within(paths::DEPLOYMENT_CLIENTS).replace("{deployment}", &number);
            clients::of_deployment(&place.api, &target, arguments.output)?;
        }
        DeploymentCommand::KnownGood { profile } => {
            let target = place.within(paths::KNOWN_GOOD).replace("{profile}", &segment(profile));
            clients::known_good(&place.api, &target, arguments.output)?;
        }
        DeploymentCommand::Confirm { number, reason } => {
            place.confirm(*number, reason.as_deref(), arguments.output)?;
        }
        DeploymentCommand::Stop { number, revert, reason } => {
            place.stop(*number, *revert, reason.as_deref(), arguments.output)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn given(value: Option<&String>, option: &str, variable: &str) -> Result<String, Failure> {
    let given = value.filter(|text| !text.is_empty()).cloned();
    given.ok_or_else(|| Failure::usage(format!("say which: {option} NAME, or {variable}")))
}

/// Where the deployments are.
struct Place {
    api: Api,
    application: String,
    environment: String,
}

impl Place {
    /// `path` with the environment in it.
    fn within(&self, path: &str) -> String {
        path.replace("{application}", &segment(&self.application))
            .replace("{environment}", &segment(&self.environment))
    }

    fn deployments(&self) -> String {
        self.within("/applications/{application}/environments/{environment}/deployments")
    }

    fn newest(&self, most: u8) -> Result<Vec<DeploymentSummary>, Failure> {
        let target = format!("{}?max_results={most}", self.deployments());
        Ok(self.api.call::<Page<DeploymentSummary>>(Method::GET, &target, None::<&()>)?.items)
    }

    /// The number that was given, or the newest.
    fn number(&self, given: Option<u32>) -> Result<u64, Failure> {
        if let Some(number) = given {
            return Ok(number.into());
        }
        let newest = self.newest(1)?;
        let none = || Failure::failed(format!("nothing was ever deployed to {}", self.environment));
        newest.first().map(|deployment| deployment.deployment_number).ok_or_else(none)
    }

    fn list(&self, most: u8, output: Output) -> Result<(), Failure> {
        let deployments = self.newest(most)?;
        if output == Output::Json {
            return print_json(&deployments);
        }
        let mut table = Table::new(["NUMBER", "STATE", "PERCENT", "PROFILE", "VERSION", "STARTED"]);
        for deployment in deployments {
            table.row([
                deployment.deployment_number.to_string(),
                deployment.state.to_string(),
                deployment.percentage_complete.to_f64().to_string(),
                deployment.configuration_name,
                deployment.configuration_version,
                deployment.started_at.to_string(),
            ]);
        }
        table.print();
        Ok(())
    }

    fn confirm(&self, number: Option<u32>, reason: Option<&str>, output: Output) -> Result<(), Failure> {
        let number = self.number(number)?;
        let path = self.within(paths::CONFIRMATION).replace("{deployment}", &number.to_string());
        let confirmed: DeploymentConfirmation = self.send(Method::PUT, &path, reason, &[])?;
        if output == Output::Json {
            return print_json(&confirmed);
        }
        say(format!("Deployment {number} to {} is confirmed ({}).", self.environment, confirmed.state));
        Ok(())
    }

    fn stop(
        &self,
        number: Option<u32>,
        revert: bool,
        reason: Option<&str>,
        output: Output,
    ) -> Result<(), Failure> {
        let number = self.number(number)?;
        let revert = HeaderValue::from_static(if revert { "true" } else { "false" });
        let path = format!("{}/{number}", self.deployments());
        let stopped: Deployment =
            self.send(Method::DELETE, &path, reason, &[(headers::ALLOW_REVERT, revert)])?;
        if output == Output::Json {
            return print_json(&stopped);
        }
        say(format!("Deployment {number} to {}: {}.", self.environment, stopped.state));
        Ok(())
    }

    /// Sends a request that may say why, and reads its JSON answer.
    fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        target: &str,
        reason: Option<&str>,
        more: &[(HeaderName, HeaderValue)],
    ) -> Result<T, Failure> {
        let about: Vec<_> = why(reason)?.into_iter().chain(more.iter().cloned()).collect();
        Ok(self.api.ask_about(method, target, &about, Bytes::new())?)
    }
}
