//! Deploying the version that a change made, and following it.

use super::super::Failure;
use crate::control_plane::{ControlPlane, FlagProfile, Starting, StoredFlags, flags_of};
use crate::lifetime;
use crate::options::EnvironmentOption;
use crate::terminal::Progress;
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::fmt;
use std::time::Duration;
use yardarm_flags::{FlagDifference, FlagDocument, diff};
use yardarm_wire::clients::Gate;
use yardarm_wire::deployments::Deployment;
use yardarm_wire::enums::DeploymentState;
use yardarm_wire::environments::Environment;
use yardarm_wire::native::{DeploymentStrategy, RolloutState};

/// How long to wait before a server that has failed to answer is asked again.
const PAUSE: Duration = Duration::from_millis(500);

/// How often in a row the server may fail to answer while a deployment is followed.
const FAILURES: usize = 20;

/// Whether and how to deploy.
#[derive(Args)]
pub(super) struct Deploying {
    /// Deploy the version too.
    #[arg(long)]
    deploy: bool,
    #[command(flatten)]
    environment: EnvironmentOption,
    /// How to deploy: the name or id of a strategy, such as AppConfig.AllAtOnce.
    #[arg(long, env = "YARDARM_STRATEGY")]
    strategy: Option<String>,
    /// Take it back unless somebody confirms it in this time: a number with s, m, h or d, from 10s to 1d.
    #[arg(long, value_name = "TIME", requires = "deploy", value_parser = confirm_within)]
    confirm_within: Option<u32>,
    /// Let the deployment go on only when so many of the clients that have it have said so, in percent.
    #[arg(
        long,
        value_name = "PERCENT",
        requires = "deploy",
        value_parser = clap::value_parser!(u8).range(1..=100)
    )]
    require_acknowledged: Option<u8>,
    /// Roll it back when more than so many of them refuse it, in percent; by default when any does.
    #[arg(
        long,
        value_name = "PERCENT",
        requires = "require_acknowledged",
        value_parser = clap::value_parser!(u8).range(0..=100)
    )]
    most_refused: Option<u8>,
    /// Follow the deployment until it is complete, or until everyone has the version.
    #[arg(
        long,
        value_name = "UNTIL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "complete",
        requires = "deploy"
    )]
    wait: Option<Until>,
}

fn confirm_within(text: &str) -> Result<u32, String> {
    let seconds = lifetime::seconds(text).and_then(|seconds| u32::try_from(seconds).ok());
    let allowed = seconds.filter(|seconds| (10..=86_400).contains(seconds));
    allowed.ok_or_else(|| "a number with s, m, h or d, from 10s to 1d".into())
}

/// How long a deployment is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Until {
    /// Until it is complete, after the bake time.
    Complete,
    /// Until everyone has the version.
    Everyone,
}

/// Where and how a version is deployed.
pub(super) struct Plan {
    profile: FlagProfile,
    pub(super) environment: Environment,
    pub(super) strategy: DeploymentStrategy,
    confirm_within: Option<u32>,
    /// What it asks of clients before each step, if anything.
    gate: Option<Gate>,
    until: Option<Until>,
    /// What the environment serves now; `None` if nothing was ever deployed there.
    served: Option<RolloutState>,
}

impl Deploying {
    pub(super) fn plan(&self, plane: &ControlPlane, profile: &FlagProfile) -> Result<Option<Plan>, Failure> {
        if !self.deploy {
            return Ok(None);
        }
        let environment = plane.environment(profile, self.environment.get())?;
        let strategy = plane.strategy(self.strategy.as_deref().filter(|strategy| !strategy.is_empty()))?;
        let served = plane.rollout(profile, &environment)?;
        let gate = self
            .require_acknowledged
            .map(|applied_percent| Gate { applied_percent, refused_percent: self.most_refused.unwrap_or(0) });
        Ok(Some(Plan {
            profile: profile.clone(),
            environment,
            strategy,
            confirm_within: self.confirm_within,
            gate,
            until: self.wait,
            served,
        }))
    }
}

/// A deployment that was started.
pub(super) struct Started {
    deployment: Deployment,
    environment: String,
    strategy: String,
}

impl fmt::Display for Started {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { deployment, environment, strategy } = self;
        let (number, version) = (deployment.deployment_number, &deployment.configuration_version);
        write!(f, "Deployment {number} of version {version} to {environment} has started ({strategy}).")
    }
}

/// A deployment, for programs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    environment: String,
    number: u64,
    strategy: String,
    state: DeploymentState,
    percentage: f64,
}

impl Plan {
    /// What the environment does not have yet of the latest version.
    pub(super) fn undeployed(&self, latest: &StoredFlags) -> Result<Vec<FlagDifference>, Failure> {
        let stable = self.served.as_ref().and_then(|served| served.stable.as_ref());
        match stable {
            Some(stable) if u64::from(stable.version) == latest.number => Ok(vec![]),
            Some(stable) => Ok(diff(&flags_of(stable)?, &latest.document)),
            None => Ok(diff(&FlagDocument::default(), &latest.document)),
        }
    }

    /// Starts it; `None` if the environment has the version already.
    pub(super) fn start(
        &self,
        plane: &ControlPlane,
        profile: &FlagProfile,
        version: u64,
        description: &str,
    ) -> Result<Option<Started>, Failure> {
        let has = |found: &RolloutState| {
            let newest = found.candidate.as_ref().or(found.stable.as_ref());
            newest.is_some_and(|newest| u64::from(newest.version) == version)
        };
        if self.served.as_ref().is_some_and(has) {
            return Ok(None);
        }
        let environment = &self.environment.name;
        let started = plane.start_deployment(&Starting {
            profile,
            environment: &self.environment,
            strategy: &self.strategy,
            version,
            description,
            confirm_within: self.confirm_within,
            gate: self.gate,
        });
        let deployment = started.map_err(|error| {
            Failure::failed(format!(
                "version {version} is stored, but not deployed to {environment}: {error}\n\
                 Give the same command again when that is over: it stores nothing twice, and deploys."
            ))
        })?;
        let strategy = self.strategy.name.clone();
        Ok(Some(Started { deployment, environment: environment.clone(), strategy }))
    }

    /// Follows it as far as it is wanted.
    pub(super) fn follow(&self, plane: &ControlPlane, started: Started) -> Result<Report, Failure> {
        let Started { mut deployment, environment, strategy } = started;
        if let Some(until) = self.until {
            deployment = self.followed(plane, deployment, until)?;
        }
        Ok(Report {
            environment,
            number: deployment.deployment_number,
            strategy,
            state: deployment.state,
            percentage: deployment.percentage_complete.to_f64(),
        })
    }

    fn followed(
        &self,
        plane: &ControlPlane,
        mut deployment: Deployment,
        until: Until,
    ) -> Result<Deployment, Failure> {
        let (number, environment) = (deployment.deployment_number, &self.environment);
        let mut progress = Progress::start();
        let mut watch = plane.watch(&self.profile, environment);
        let mut failures = 0;
        let end = loop {
            progress.say(&format!(
                "{}, deployment {number}: {} % {}",
                environment.name,
                deployment.percentage_complete.to_f64(),
                deployment.state
            ));
            if let Some(end) = is_over(&deployment, until) {
                break end;
            }
            let heard = match watch.changed() {
                // Nothing is served any more: it was the first deployment, and is being taken back.
                Err(error) if error.is_not_found() => {
                    std::thread::sleep(PAUSE);
                    Ok(())
                }
                heard => heard.map_err(Failure::from),
            };
            match heard.and_then(|()| plane.deployment(environment, number)) {
                Ok(newer) => {
                    failures = 0;
                    deployment = newer;
                }
                Err(failure) if failures == FAILURES => {
                    let text = format!("{failure}\nDeployment {number} goes on; nobody follows it any more.");
                    return Err(Failure::failed(text));
                }
                Err(_) => {
                    failures += 1;
                    std::thread::sleep(PAUSE);
                }
            }
        };
        progress.end();
        if end {
            return Ok(deployment);
        }
        let why = deployment.event_log.iter().map(|event| event.description.as_str());
        let why: Vec<&str> = why.take(2).collect();
        let (name, state) = (&environment.name, deployment.state);
        Err(Failure::failed(format!("deployment {number} to {name} ended as {state}: {}", why.join(" "))))
    }
}

/// Whether it ended well, or `None` while it goes on.
fn is_over(deployment: &Deployment, until: Until) -> Option<bool> {
    match (deployment.state, until) {
        (DeploymentState::Complete, _) | (DeploymentState::Baking, Until::Everyone) => Some(true),
        (DeploymentState::RolledBack | DeploymentState::Reverted, _) => Some(false),
        (
            DeploymentState::Baking
            | DeploymentState::Validating
            | DeploymentState::Deploying
            | DeploymentState::RollingBack,
            _,
        ) => None,
    }
}
