//! Which clients there are, and what each has said last of what it was given.
//!
//! **Invariants:** pure, time is an argument; no more than [`MOST_CLIENTS`] are known, and one that was not heard of for
//! [`FORGOTTEN_AFTER`] is not; counts are kept as acknowledgements come, so that asking for them costs nothing.

use crate::address::Address;
use crate::served::Served;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, HashMap};
use yardarm_domain::{ClientCounts, DeploymentNumber, Exposure};
use yardarm_flags::bucketing;

/// Clients that are known at the same time.
pub(crate) const MOST_CLIENTS: usize = 20_000;

/// How long a client is known that says nothing.
pub(crate) const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// What a client says of what it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// What the client is called: the same every time, and no other one's name.
    pub client: String,
    /// What it runs, as in `yardarm-rust/0.3.0`.
    pub software: String,
    /// Whether it decides for each entity by itself, and so holds both versions of a rollout. One that does not is itself
    /// drawn, by its name.
    pub per_entity: bool,
    /// Names what it was given: the `ETag` of the state, or of the version, without quotes.
    pub tag: String,
    /// The deployment that was on its way in what it was given.
    pub deployment: Option<DeploymentNumber>,
    /// Why it could not do with it. `None`: it has applied it.
    pub refused: Option<String>,
}

/// A client that was heard of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KnownClient {
    pub(crate) software: String,
    pub(crate) per_entity: bool,
    /// Under which subject it is drawn if it is itself drawn.
    subject: [u8; 16],
    tag: String,
    deployment: Option<DeploymentNumber>,
    pub(crate) refused: Option<String>,
    pub(crate) heard_at: Timestamp,
    /// From when on it has said the same.
    pub(crate) since: Timestamp,
}

/// Where a client stands towards what is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It could not do with it.
    Refused,
    /// It has not said that it has it.
    Lags,
    /// It has it.
    Applied,
    /// It need not have it: the rollout has not reached it.
    NotExposed,
}

/// What is served at one place, as far as acknowledgements are about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    /// Names all of it.
    pub(crate) tag: String,
    on_its_way: Option<OnItsWay>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct OnItsWay {
    deployment: DeploymentNumber,
    exposure: Exposure,
    key: String,
    version: String,
}

impl State {
    pub(crate) fn of(served: &Served) -> Self {
        let on_its_way = served.candidate().map(|candidate| OnItsWay {
            deployment: candidate.deployment,
            exposure: candidate.exposure,
            key: candidate.key.to_string(),
            version: candidate.version.name(),
        });
        Self { tag: served.tag(), on_its_way }
    }

    /// Where a client stands that has said this.
    pub(crate) fn standing(&self, client: &KnownClient) -> Standing {
        let has = |tag: &str| match (client.tag == tag, &client.refused) {
            (true, None) => Standing::Applied,
            (true, Some(_)) => Standing::Refused,
            (false, _) => Standing::Lags,
        };
        match &self.on_its_way {
            None => has(&self.tag),
            // What it could not do with at one step it cannot at the next.
            Some(rollout) if client.refused.is_some() && client.deployment == Some(rollout.deployment) => {
                Standing::Refused
            }
            Some(_) if client.per_entity => has(&self.tag),
            Some(rollout) => {
                let bucket = bucketing::bucket(&rollout.key, &client.subject);
                if bucketing::exposed(bucket, rollout.exposure) {
                    has(&rollout.version)
                } else {
                    Standing::NotExposed
                }
            }
        }
    }
}

/// No more clients can be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// All clients.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    places: HashMap<Address, Clients>,
    known: usize,
    swept_at: Option<Timestamp>,
    /// Nobody is forgotten before.
    forgets_at: Option<Timestamp>,
}

/// Those of one configuration.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    clients: BTreeMap<String, KnownClient>,
    /// What is served, when that was last looked at, and how the clients stand to it.
    counted: Option<(State, Counts)>,
}

/// How many stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) applied: u32,
    pub(crate) refused: u32,
    pub(crate) lagging: u32,
}

impl Counts {
    fn slot(&mut self, standing: Standing) -> Option<&mut u32> {
        match standing {
            Standing::Refused => Some(&mut self.refused),
            Standing::Lags => Some(&mut self.lagging),
            Standing::Applied => Some(&mut self.applied),
            Standing::NotExposed => None,
        }
    }

    fn add(&mut self, standing: Standing) {
        if let Some(slot) = self.slot(standing) {
            *slot = slot.saturating_add(1);
        }
    }

    fn remove(&mut self, standing: Standing) {
        if let Some(slot) = self.slot(standing) {
            *slot = slot.saturating_sub(1);
        }
    }

    /// Clients that have what is served, or would have it.
    pub(crate) fn exposed(self) -> u32 {
        self.applied.saturating_add(self.refused).saturating_add(self.lagging)
    }
}

impl Clients {
    fn count(&mut self, state: &State) -> Counts {
        if let Some((counted, counts)) = &self.counted
            && counted == state
        {
            return *counts;
        }
        let mut counts = Counts::default();
        self.clients.values().for_each(|client| counts.add(state.standing(client)));
        self.counted = Some((state.clone(), counts));
        counts
    }
}

fn forgotten_at(client: &KnownClient) -> Timestamp {
    client.heard_at.saturating_add(FORGOTTEN_AFTER).unwrap_or(Timestamp::MAX)
}

impl Ledger {
    /// Takes down what a client says. Answers whether anything is different now.
    ///
    /// # Errors
    /// It is a new client, and there are too many.
    pub(crate) fn take(
        &mut self,
        address: Address,
        said: Acknowledgement,
        now: Timestamp,
    ) -> Result<bool, Full> {
        self.sweep(now);
        let is_known =
            self.places.get(&address).is_some_and(|place| place.clients.contains_key(&said.client));
        if !is_known && self.known >= MOST_CLIENTS {
            return Err(Full);
        }
        let place = self.places.entry(address).or_default();
        let subject = bucketing::named_subject(&said.client);
        let Acknowledgement { client: name, software, per_entity, tag, deployment, refused } = said;
        let before = place.clients.get(&name);
        let same = before.is_some_and(|before| {
            (&before.tag, before.deployment, &before.refused, before.per_entity)
                == (&tag, deployment, &refused, per_entity)
        });
        let since = before.filter(|_| same).map_or(now, |before| before.since);
        let client =
            KnownClient { software, per_entity, subject, tag, deployment, refused, heard_at: now, since };
        if let Some((state, counts)) = &mut place.counted {
            if let Some(before) = before {
                counts.remove(state.standing(before));
            }
            counts.add(state.standing(&client));
        }
        let forgotten_at = forgotten_at(&client);
        self.forgets_at = Some(self.forgets_at.map_or(forgotten_at, |at| at.min(forgotten_at)));
        if place.clients.insert(name, client).is_none() {
            self.known = self.known.saturating_add(1);
        }
        Ok(!same)
    }

    /// How the clients of a configuration stand to what is served there.
    pub(crate) fn counts(&mut self, address: &Address, state: &State, now: Timestamp) -> Counts {
        self.sweep(now);
        self.places.get_mut(address).map(|place| place.count(state)).unwrap_or_default()
    }

    /// The same, for a deployment that asks for it.
    pub(crate) fn evidence(
        &mut self,
        address: &Address,
        state: &State,
        now: Timestamp,
    ) -> Option<ClientCounts> {
        let at = state.on_its_way.as_ref()?.exposure;
        let counts = self.counts(address, state, now);
        let Counts { applied, refused, .. } = counts;
        Some(ClientCounts { at, exposed: counts.exposed(), applied, refused, until: self.forgets_at })
    }

    /// The clients of a configuration, by name.
    pub(crate) fn clients(
        &mut self,
        address: &Address,
        now: Timestamp,
    ) -> impl Iterator<Item = (&String, &KnownClient)> {
        self.sweep(now);
        self.places.get(address).into_iter().flat_map(|place| &place.clients)
    }

    /// Where a client of a configuration stands to `state`.
    pub(crate) fn standing(&self, address: &Address, client: &str, state: &State) -> Standing {
        let client = self.places.get(address).and_then(|place| place.clients.get(client));
        client.map_or(Standing::Lags, |client| state.standing(client))
    }

    /// How many clients are known.
    pub(crate) fn len(&self) -> usize {
        self.known
    }

    /// Forgets whom nobody has heard of for long. A clock that was set back makes everybody seem heard of just now.
    fn sweep(&mut self, now: Timestamp) {
        let set_back = self.swept_at.is_some_and(|swept_at| now < swept_at);
        self.swept_at = Some(now);
        if !set_back && self.forgets_at.is_none_or(|at| now < at) {
            return;
        }
        let (mut gone, mut next) = (0_usize, None::<Timestamp>);
        self.places.retain(|_, place| {
            let before = place.clients.len();
            place.clients.retain(|_, client| {
                client.heard_at = client.heard_at.min(now);
                let at = forgotten_at(client);
                let lasts = now < at;
                if lasts {
                    next = Some(next.map_or(at, |next| next.min(at)));
                }
                lasts
            });
            let left = place.clients.len();
            if left < before {
                gone = gone.saturating_add(before.saturating_sub(left));
                place.counted = None;
            }
            left > 0
        });
        self.known = self.known.saturating_sub(gone);
        self.forgets_at = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(profile: &str) -> Address {
        Address::new(&"abcd123".parse().unwrap(), &"efgh456".parse().unwrap(), &profile.parse().unwrap())
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn growing(percent: u32) -> State {
        let exposure = Exposure::from_parts_per_million(percent * 10_000).unwrap();
        let rollout =
            OnItsWay { deployment: DeploymentNumber(7), exposure, key: "key".into(), version: "2-b".into() };
        State { tag: format!("1-a.2-b.7.{exposure}"), on_its_way: Some(rollout) }
    }

    fn stable() -> State {
        State { tag: "1-a".into(), on_its_way: None }
    }

    fn says(client: &str, state: &State) -> Acknowledgement {
        Acknowledgement {
            client: client.into(),
            software: "test/1".into(),
            per_entity: true,
            tag: state.tag.clone(),
            deployment: state.on_its_way.as_ref().map(|rollout| rollout.deployment),
            refused: None,
        }
    }

    fn refuses(client: &str, state: &State) -> Acknowledgement {
        Acknowledgement { refused: Some("it does not parse".into()), ..says(client, state) }
    }

    #[test]
    fn who_holds_both_versions_is_exposed_from_the_first_step_and_says_so_at_each() {
        let (mut ledger, place) = (Ledger::default(), address("aaaaaaa"));
        for client in ["a", "b"] {
            ledger.take(place, says(client, &stable()), at(0)).unwrap();
        }
        let twenty = growing(20);
        let none = ledger.counts(&place, &twenty, at(1));
        assert_eq!(none, Counts { applied: 0, refused: 0, lagging: 2 });
        assert!(ledger.take(place, says("a", &twenty), at(2)).unwrap());
        assert!(!ledger.take(place, says("a", &twenty), at(3)).unwrap(), "nothing new");
        let one = ledger.evidence(&place, &twenty, at(3)).unwrap();
        assert_eq!((one.exposed, one.applied, one.refused), (2, 1, 0));
        assert_eq!(
            ledger.counts(&place, &growing(40), at(4)).applied,
            0,
            "of the next step it knows nothing"
        );
    }

    #[test]
    fn a_refusal_holds_for_the_steps_that_follow() {
        let (mut ledger, place) = (Ledger::default(), address("aaaaaaa"));
        ledger.take(place, refuses("a", &growing(20)), at(0)).unwrap();
        assert_eq!(ledger.counts(&place, &growing(40), at(1)).refused, 1);
        ledger.take(place, says("a", &growing(40)), at(2)).unwrap();
        assert_eq!(ledger.counts(&place, &growing(40), at(2)), Counts { applied: 1, refused: 0, lagging: 0 });
    }

    #[test]
    fn who_is_drawn_itself_counts_once_the_rollout_has_reached_it() {
        let (mut ledger, place) = (Ledger::default(), address("aaaaaaa"));
        for number in 0..1_000 {
            let said = Acknowledgement { per_entity: false, ..says(&format!("client {number}"), &stable()) };
            ledger.take(place, said, at(0)).unwrap();
        }
        let exposed = ledger.counts(&place, &growing(20), at(1)).exposed();
        assert!((150..250).contains(&exposed), "{exposed}");
        assert_eq!(ledger.counts(&place, &growing(100), at(1)).exposed(), 1_000);
        let said = Acknowledgement { per_entity: false, tag: "2-b".into(), ..says("client 1", &stable()) };
        ledger.take(place, said, at(2)).unwrap();
        assert_eq!(ledger.counts(&place, &growing(100), at(2)).applied, 1);
    }

    #[test]
    fn who_says_nothing_for_long_is_forgotten_and_no_more_are_known_than_there_is_room_for() {
        let (mut ledger, place) = (Ledger::default(), address("aaaaaaa"));
        for number in 0..MOST_CLIENTS {
            ledger.take(place, says(&number.to_string(), &stable()), at(0)).unwrap();
        }
        assert_eq!(ledger.take(place, says("one more", &stable()), at(1)), Err(Full));
        ledger.take(place, says("7", &stable()), at(200)).unwrap();
        let until = ledger.evidence(&place, &growing(20), at(200)).unwrap().until.unwrap();
        assert_eq!(until, at(300));
        ledger.take(place, says("one more", &stable()), until).unwrap();
        assert_eq!((ledger.len(), ledger.clients(&place, until).count()), (2, 2));
        let next = ledger.evidence(&place, &growing(20), until).unwrap().until;
        assert_eq!(next, Some(at(500)));
    }

    #[test]
    fn a_clock_that_is_set_back_makes_nobody_known_for_ever() {
        let (mut ledger, place) = (Ledger::default(), address("aaaaaaa"));
        ledger.take(place, says("a", &stable()), at(1_000_000)).unwrap();
        assert_eq!(ledger.clients(&place, at(0)).count(), 1);
        assert_eq!(ledger.clients(&place, at(299)).count(), 1);
        assert_eq!(ledger.clients(&place, at(300)).count(), 0);
    }
}
