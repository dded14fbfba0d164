//! What a decision may depend on besides the world and the command: time, entropy and the installation's settings.

use crate::event::Event;
use crate::refusal::Refusal;
use crate::rollout::Begin;
use crate::world::World;
use jiff::{SignedDuration, Timestamp};

/// A change somebody asks for.
pub trait Command {
    /// What the asker wants to know when it is done, for example the new resource's id.
    type Outcome;

    /// Which events make the change, given the world as it is.
    ///
    /// # Errors
    /// The reason why the change is not allowed. Then nothing happens.
    fn decide(&self, world: &World, context: &Context<'_>) -> Result<Decision<Self::Outcome>, Refusal>;
}

/// A decision taken: the events to record, and the answer to give once they are.
#[derive(Clone, Debug)]
pub struct Decision<T> {
    /// In order. Empty when the world already is as asked.
    pub events: Vec<Event>,
    /// The answer.
    pub outcome: T,
}

impl<T> Decision<T> {
    pub(crate) fn new(outcome: T, events: Vec<Event>) -> Result<Self, Refusal> {
        Ok(Self { events, outcome })
    }
}

/// Time, entropy and settings, as arguments.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The time of the decision.
    pub now: Timestamp,
    /// What fresh identifiers are drawn from; different for each decision.
    pub entropy: u64,
    /// The installation's limits.
    pub quotas: &'a Quotas,
    /// The installation's choices.
    pub policy: &'a Policy,
}

/// How many there may be. The defaults are the service's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quotas {
    /// Applications.
    pub applications: usize,
    /// Environments in one application.
    pub environments_per_application: usize,
    /// Configuration profiles in one application.
    pub profiles_per_application: usize,
    /// Own deployment strategies.
    pub deployment_strategies: usize,
    /// Bytes in one hosted configuration version.
    pub hosted_version_bytes: u64,
    /// Bytes in all hosted configuration versions together.
    pub hosted_store_bytes: u64,
    /// Deployments that may wait in one environment, where waiting is allowed.
    pub queued_deployments: usize,
    /// Access keys.
    pub access_keys: usize,
    /// Bearer tokens.
    pub bearer_tokens: usize,
    /// Versions of extensions.
    pub extensions: usize,
    /// Associations of extensions.
    pub extension_associations: usize,
    /// Alarms.
    pub alarms: usize,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            applications: 100,
            environments_per_application: 20,
            profiles_per_application: 100,
            deployment_strategies: 20,
            hosted_version_bytes: 2_048 * 1_024,
            hosted_store_bytes: 1_024 * 1_024 * 1_024,
            queued_deployments: 100,
            access_keys: 1_000,
            bearer_tokens: 10_000,
            extensions: 1_000,
            extension_associations: 10_000,
            alarms: 1_000,
        }
    }
}

/// Choices that have a compatible default and a better alternative.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// What happens to a deployment when another one is in the way.
    pub concurrency: Concurrency,
    /// When a rollout takes its first step.
    pub growth_begins: Begin,
    /// Whether a stale `LatestDeploymentNumber` is refused. The service accepts it.
    pub strict_latest_deployment_number: bool,
    /// How often extensions are asked while a deployment is on its way.
    pub ticks: TickInterval,
    /// What monitors mean whose alarm is not registered.
    pub unregistered_alarms: UnregisteredAlarms,
}

/// How often extensions are asked while a deployment is on its way: every 1 to 3,600 seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TickInterval(u32);

impl TickInterval {
    /// A minute.
    pub const MINUTE: Self = Self(60);

    /// From seconds; `None` outside of 1 to 3,600.
    #[must_use]
    pub fn from_seconds(seconds: u32) -> Option<Self> {
        (1..=3_600).contains(&seconds).then_some(Self(seconds))
    }

    /// As a duration.
    #[must_use]
    pub fn duration(self) -> SignedDuration {
        SignedDuration::from_secs(self.0.into())
    }
}

impl Default for TickInterval {
    /// A minute.
    fn default() -> Self {
        Self::MINUTE
    }
}

/// What a monitor means whose alarm is not registered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnregisteredAlarms {
    /// Nobody would watch it, so nothing is deployed there.
    #[default]
    Refuse,
    /// Nothing; the deployment's event log says that it is not watched.
    Ignore,
}

/// What happens to a deployment when another one is in the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Concurrency {
    /// One at a time in an environment; a second one is refused. As the service does it.
    #[default]
    OnePerEnvironment,
    /// One at a time for a configuration profile in an environment; a second one is refused.
    OnePerProfile,
    /// One at a time in an environment; others wait their turn.
    Queue,
}
