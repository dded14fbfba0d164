//! Applications that say what they have made of what they were given: soon, late, never, or that they could not do with it.

use super::clients::Place;
use super::commands::pick;
use super::{Broken, ensure};
use fastrand::Rng;
use std::collections::BTreeSet;
use yardarm_domain::{DeploymentNumber, Exposure, Passage, World};
use yardarm_node::{Acknowledgement, Address, Node};

/// So many applications hold each configuration.
const APPLICATIONS: u8 = 4;

/// What they have said.
#[derive(Default)]
pub(super) struct Acknowledgers {
    /// The steps that somebody has applied.
    applied: BTreeSet<(Place, DeploymentNumber, Exposure)>,
}

impl Acknowledgers {
    /// Some of the applications of one configuration say what they have made of what `node` serves. Answers what is told.
    pub(super) fn say(&mut self, node: &Node, place: Place, rng: &mut Rng) -> Option<String> {
        let address = Address::new(&place.0, &place.1, &place.2);
        let served = node.served(&address)?;
        let (tag, candidate) = (served.tag(), served.candidate());
        let rollout = candidate.map(|candidate| (candidate.deployment, candidate.exposure));
        // Most are of one mind, so that gates open too.
        let mind = rng.u8(0..10);
        let mut told = 0_u32;
        for number in 0..APPLICATIONS {
            if rng.u8(0..5) == 0 {
                continue;
            }
            let refused = (mind == 0 && rng.bool()).then(|| "it does not parse".to_owned());
            let stale = rng.u8(0..12) == 0;
            if let (None, false, Some((deployment, exposure))) = (&refused, stale, rollout) {
                self.applied.insert((place.clone(), deployment, exposure));
            }
            let said = Acknowledgement {
                client: format!("application {number}"),
                software: "simulator/1".into(),
                per_entity: true,
                tag: if stale { "0".into() } else { tag.clone() },
                deployment: rollout.map(|(deployment, _)| deployment),
                refused,
            };
            if node.acknowledge(&address, said).is_ok() {
                told += 1;
            }
        }
        Some(format!("{told} applications of {} say what they made of {tag}", place.2))
    }

    /// A deployment that asks has gone on from `exposure`: somebody had applied that.
    pub(super) fn may_go_on(
        &self,
        place: &Place,
        deployment: DeploymentNumber,
        exposure: Exposure,
    ) -> Result<(), Broken> {
        let silent = !self.applied.contains(&(place.clone(), deployment, exposure));
        ensure(exposure == Exposure::NONE || !silent, || {
            format!("deployment {deployment} goes on from {exposure}, which nobody has applied")
        })
    }
}

/// Nothing goes on that too many of a node's clients have refused.
pub(super) fn nothing_goes_on_that_is_refused(node: &Node, world: &World) -> Result<(), Broken> {
    for (application, environment) in world.deploying() {
        for deployment in environment.open().filter(|open| open.phase.is_active()) {
            let Some(gate) = deployment.gate else { continue };
            let clients = node.clients_of(application, &environment.id, deployment.number);
            let Some(clients) = clients else { continue };
            ensure(gate.passage(&clients.counts) != Passage::RollBack, || {
                format!("{} goes on over {:?}", deployment.number, clients.counts)
            })?;
        }
    }
    Ok(())
}

/// A configuration to speak of.
pub(super) fn any_place(world: &World, rng: &mut Rng) -> Option<Place> {
    // Mostly one that is on its way.
    let on_its_way = world.deploying().flat_map(|(application, environment)| {
        environment
            .open()
            .map(move |open| (application.clone(), environment.id.clone(), open.profile.clone()))
    });
    match rng.u8(0..4) {
        0 => pick(rng, super::clients::places(world)),
        _ => pick(rng, on_its_way),
    }
}
