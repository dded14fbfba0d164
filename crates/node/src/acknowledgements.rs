//! What clients say of what they were given: kept in memory, heard by the driver, and told to who asks.
//!
//! Nothing of it is in the log: it is about the clients of this node, and after a start they say it again.

use crate::address::Address;
use crate::error::Error;
use crate::ledger::{Acknowledgement, Full, Ledger, Standing, State};
use crate::measures::{Begun, Measures, RecoveryTimes};
use crate::node::{Cause, Node};
use crate::slots::Slots;
use jiff::Timestamp;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use yardarm_domain::{
    ApplicationId, ClientCounts, ClientEvidence, DeploymentNumber, EnvironmentId, Event, MeasuredDeployment,
    RecordMeasures, World,
};

/// The clients of this node.
#[derive(Debug, Default)]
pub(crate) struct Acknowledgements {
    ledger: Mutex<Ledger>,
    /// Locked after the ledger, if both are.
    measures: Mutex<Measures>,
    /// Wakes the driver.
    pub(crate) news: Notify,
}

/// A client, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientStanding {
    /// What it is called.
    pub client: String,
    /// What it runs.
    pub software: String,
    /// Whether it decides for each entity by itself.
    pub per_entity: bool,
    /// Where it stands.
    pub standing: Standing,
    /// Why it could not do with what it was given, if that is what it said last.
    pub refused: Option<String>,
    /// When it was heard of last.
    pub heard_at: Timestamp,
    /// From when on it has said the same.
    pub since: Timestamp,
}

/// The clients of a configuration, and what of them is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploymentClients {
    /// How many there are of those that have the version, or would have it.
    pub counts: ClientCounts,
    /// All that are known, by name.
    pub clients: Vec<ClientStanding>,
}

impl Acknowledgements {
    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn measures(&self) -> MutexGuard<'_, Measures> {
        self.measures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to measure what `events`, which have led to `world`, have made be served at `now`.
    pub(crate) fn measure(&self, events: &[Event], world: &World, slots: &Slots, now: Timestamp) {
        for begun in events.iter().filter_map(|event| Begun::by(event, world)) {
            // Nothing is served any more where the first deployment was taken back.
            let served = slots.get(&begun.address).and_then(|slot| slot.state.load_full());
            if let Some(served) = served {
                let mut ledger = self.ledger();
                self.measures().begin(begun, State::of(&served), &mut ledger, now);
                // The driver says how long it is waited for.
                self.news.notify_one();
            }
        }
    }
}

impl Node {
    /// Takes down what a client says of what it was given.
    ///
    /// # Errors
    /// Too many clients are known.
    pub fn acknowledge(&self, address: &Address, said: Acknowledgement) -> Result<(), Error> {
        let acknowledgements = &self.shared().acknowledgements;
        let (now, client) = (self.now(), said.client.clone());
        let mut ledger = acknowledgements.ledger();
        let is_news = ledger
            .take(*address, said, now)
            .map_err(|Full| Error::Busy("too many clients acknowledge what they are given"))?;
        if is_news {
            let standing = |state: &State| ledger.standing(address, &client, state);
            acknowledgements.measures().hear(address, &client, standing, now);
            acknowledgements.news.notify_one();
        }
        Ok(())
    }

    /// Records the measurements that have ended. Answers when the next one is given up.
    pub(crate) async fn record_measures(&self) -> Option<Timestamp> {
        let acknowledgements = &self.shared().acknowledgements;
        let measures = acknowledgements.measures().take_ended(self.now());
        if !measures.is_empty() {
            let command = RecordMeasures { measures: measures.clone() };
            if let Err(error) = self.execute(command, Cause::node("measured")).await {
                tracing::warn!(%error, "measurements cannot be recorded");
                acknowledgements.measures().put_back(measures);
            }
        }
        acknowledgements.measures().gives_up_at()
    }

    /// Measurements that have not ended, or are not recorded yet.
    #[must_use]
    pub fn measures_under_way(&self) -> Vec<MeasuredDeployment> {
        self.shared().acknowledgements.measures().under_way()
    }

    /// How long steps and ways back took since the start.
    #[must_use]
    pub fn recovery_times(&self) -> RecoveryTimes {
        self.shared().acknowledgements.measures().times()
    }

    /// How many clients are known that acknowledge what they are given.
    #[must_use]
    pub fn acknowledging_clients(&self) -> usize {
        self.shared().acknowledgements.ledger().len()
    }

    /// The clients of a deployment that is on its way or is served, and where they stand. `None`: it is neither.
    #[must_use]
    pub fn clients_of(
        &self,
        application: &ApplicationId,
        environment: &EnvironmentId,
        deployment: DeploymentNumber,
    ) -> Option<DeploymentClients> {
        let view = self.view();
        let found = view.world.environment(application, environment).ok()?.deployments.get(&deployment)?;
        let address = Address::new(application, environment, &found.profile);
        let live = yardarm_domain::live(&view.world, application, environment, &found.profile)?;
        let served = match &live.candidate {
            Some((candidate, _)) => candidate.number,
            None => live.stable.as_ref()?.number,
        };
        if served != deployment {
            return None;
        }
        let state = self.state_at(&address)?;
        let now = self.now();
        let mut ledger = self.shared().acknowledgements.ledger();
        let counts = ledger.evidence(&address, &state, now).unwrap_or_else(|| {
            let counts = ledger.counts(&address, &state, now);
            ClientCounts {
                exposed: counts.exposed(),
                applied: counts.applied,
                refused: counts.refused,
                ..ClientCounts::none(found.exposure())
            }
        });
        let clients = ledger.clients(&address, now).map(|(name, client)| ClientStanding {
            client: name.clone(),
            software: client.software.clone(),
            per_entity: client.per_entity,
            standing: state.standing(client),
            refused: client.refused.clone(),
            heard_at: client.heard_at,
            since: client.since,
        });
        Some(DeploymentClients { counts, clients: clients.collect() })
    }

    /// What is known of the clients of the deployments that ask for it.
    pub(crate) fn client_evidence(&self, world: &World) -> ClientEvidence {
        let mut evidence = ClientEvidence::default();
        for (application, environment) in world.deploying() {
            for deployment in environment.open() {
                if deployment.gate.is_none() || !deployment.phase.is_active() {
                    continue;
                }
                let address = Address::new(application, &environment.id, &deployment.profile);
                let Some(state) = self.state_at(&address) else { continue };
                let counts = self.shared().acknowledgements.ledger().evidence(&address, &state, self.now());
                if let Some(counts) = counts {
                    evidence.insert(application, &environment.id, deployment.number, counts);
                }
            }
        }
        evidence
    }

    /// What is served at `address`, as far as acknowledgements are about it.
    fn state_at(&self, address: &Address) -> Option<State> {
        let slot = self.shared().slots.get(address)?;
        slot.state.load().as_ref().map(|served| State::of(served))
    }
}
