//! How long steps and ways back take: decided, served, acknowledged by clients.
//!
//! Whoever serves measures, and records what came of it once it is known: one event for each step and each way back that
//! had clients to wait for. What had none says so by having no measure.

use crate::context::{Command, Context, Decision};
use crate::deployment::{Deployment, DeploymentLogEntry, DeploymentLogKind};
use crate::event::Event;
use crate::ids::{ApplicationId, DeploymentNumber, EnvironmentId};
use crate::refusal::Refusal;
use crate::rollout::TriggeredBy;
use crate::world::World;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use yardarm_flags::Exposure;

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measured {
    /// A step to so many clients.
    Step(Exposure),
    /// A deployment was taken back before it was done.
    Rollback,
    /// A deployment was taken back after it was done.
    Revert,
}

/// Why a measurement ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MeasureEnd {
    /// All clients have acknowledged it.
    Complete,
    /// Something newer was served before they had.
    Superseded,
    /// They had time enough.
    GivenUp,
}

/// How long a step or a way back took. Times are counted from the decision, milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Measure {
    /// What was measured.
    pub of: Measured,
    /// From when on there was the evidence that led to it, if evidence did.
    #[serde(default)]
    pub evidence_at: Option<Timestamp>,
    /// When it was decided: the time in the log.
    pub decided_at: Timestamp,
    /// When it was served.
    pub served_ms: u64,
    /// Clients that it was waited for: known then, and with something to take.
    pub clients: u32,
    /// When half of them had acknowledged it.
    #[serde(default)]
    pub half_ms: Option<u64>,
    /// When 99 percent had.
    #[serde(default)]
    pub nearly_all_ms: Option<u64>,
    /// When all had.
    #[serde(default)]
    pub all_ms: Option<u64>,
    /// Why the measurement ended.
    pub ended: MeasureEnd,
}

/// Measures that a deployment keeps: those of all steps of the slowest growth, and of the way back.
pub(crate) const MOST_MEASURES: usize = 128;

/// A measure, and of which deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeasuredDeployment {
    /// Of which application.
    pub application: ApplicationId,
    /// Where.
    pub environment: EnvironmentId,
    /// Which.
    pub deployment: DeploymentNumber,
    /// What came of it.
    pub measure: Measure,
}

/// Records measures. What is gone meanwhile, or recorded already, is left out.
#[derive(Clone, Debug)]
pub struct RecordMeasures {
    /// In the order in which they ended.
    pub measures: Vec<MeasuredDeployment>,
}

impl Command for RecordMeasures {
    type Outcome = ();

    fn decide(&self, world: &World, _: &Context<'_>) -> Result<Decision<()>, Refusal> {
        let there = self.measures.iter().filter(|measured| {
            let environment = world.environment(&measured.application, &measured.environment);
            let found = environment.ok().and_then(|found| found.deployments.get(&measured.deployment));
            found.is_some_and(|deployment| !deployment.measures.contains(&measured.measure))
        });
        let events = there.map(|measured| Event::DeploymentMeasured {
            application: measured.application.clone(),
            environment: measured.environment.clone(),
            deployment: measured.deployment,
            measure: measured.measure.clone(),
        });
        Decision::new((), events.collect())
    }
}

/// Something that is measured, and what is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Recovery<'w> {
    /// Of which application.
    pub application: &'w ApplicationId,
    /// Where.
    pub environment: &'w EnvironmentId,
    /// Which deployment.
    pub deployment: &'w Deployment,
    /// What.
    pub of: Measured,
    /// Who or what caused it, if it is a rollback.
    pub by: Option<&'w TriggeredBy>,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// How long it took. `None`: no client acknowledged it, or it is not known yet.
    pub measure: Option<&'w Measure>,
}

impl Measured {
    /// What `entry` of a deployment's log would be measured as.
    #[must_use]
    pub fn of(entry: &DeploymentLogEntry) -> Option<Self> {
        match &entry.kind {
            DeploymentLogKind::Exposed(exposure) => Some(Self::Step(*exposure)),
            DeploymentLogKind::RolledBack(_) => Some(Self::Rollback),
            DeploymentLogKind::Reverted => Some(Self::Revert),
            DeploymentLogKind::Started
            | DeploymentLogKind::BakeStarted
            | DeploymentLogKind::Completed { .. } => None,
        }
    }
}

/// The steps and the ways back of all deployments that `wanted` accepts, in no order.
pub fn recoveries<'w>(
    world: &'w World,
    wanted: impl Fn(&ApplicationId, &EnvironmentId) -> bool + 'w,
) -> impl Iterator<Item = Recovery<'w>> {
    let environments = world.applications().values().flat_map(|application| {
        application.environments.values().map(move |environment| (&application.id, environment))
    });
    let environments =
        environments.filter(move |(application, environment)| wanted(application, &environment.id));
    environments.flat_map(|(application, environment)| {
        environment.deployments.values().flat_map(move |deployment| {
            deployment.log.iter().filter_map(move |entry| {
                let of = Measured::of(entry)?;
                let is_it = |measure: &&Measure| measure.of == of && measure.decided_at == entry.at;
                Some(Recovery {
                    application,
                    environment: &environment.id,
                    deployment,
                    of,
                    by: match &entry.kind {
                        DeploymentLogKind::RolledBack(by) => Some(by),
                        _ => None,
                    },
                    decided_at: entry.at,
                    measure: deployment.measures.iter().find(is_it),
                })
            })
        })
    })
}
