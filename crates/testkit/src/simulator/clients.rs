//! Applications that poll for their configuration, as a rollout sees them.

use super::commands::pick;
use super::{Broken, ensure};
use fastrand::Rng;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use yardarm_domain::{ApplicationId, Deployment, DeploymentNumber, EnvironmentId, Live, ProfileId, VersionNumber, World, live};
use yardarm_flags::{Exposure, bucketing};
use yardarm_log::Seq;
use yardarm_node::{Node, SessionRefusal, StartSession, TokenProblem};

/// One configuration in one environment.
pub(super) type Place = (ApplicationId, EnvironmentId, ProfileId);

/// A polling application.
struct Client {
    place: Place,
    /// Its own stable name, if it has one.
    name: Option<String>,
    interval_s: Option<u32>,
    token: String,
    /// What it has.
    held: Option<VersionNumber>,
    /// The deployment whose new version it has been given while that was growing.
    inside: Option<DeploymentNumber>,
    /// How far the node that answered last had read the log.
    seen: Seq,
    polled_at: Option<Timestamp>,
    token_from: Timestamp,
}

/// All of them.
#[derive(Default)]
pub(super) struct Clients {
    clients: Vec<Client>,
}

/// More are not added.
const MOST: usize = 12;

impl Clients {
    /// Starts a session, if there is anything to ask for.
    pub(super) fn start(&mut self, node: &Node, world: &World, rng: &mut Rng) -> Result<(), Broken> {
        if self.clients.len() >= MOST {
            return Ok(());
        }
        let Some(place) = pick(rng, places(world)) else { return Ok(()) };
        let name = rng.bool().then(|| format!("client {}", rng.u8(0..40)));
        let interval_s = (rng.u8(0..3) == 0).then_some(15);
        let start = StartSession {
            application: place.0.as_str(),
            environment: place.1.as_str(),
            profile: place.2.as_str(),
            interval_s,
            client: name.as_deref(),
        };
        match node.start_session(&start) {
            Ok(token) => self.clients.push(Client {
                place,
                name,
                interval_s,
                token,
                held: None,
                inside: None,
                seen: Seq::ZERO,
                polled_at: None,
                token_from: node.now(),
            }),
            Err(SessionRefusal::NotReady) => return Err(Broken("a running node has no token key".into())),
            Err(_) => {}
        }
        Ok(())
    }

    /// Every client polls. `at_rest`: nothing is on its way in the node, so what it serves is what its world says.
    pub(super) fn poll(&mut self, node: &Node, at_rest: bool) -> Result<(), Broken> {
        let mut ended = vec![];
        for (index, client) in self.clients.iter_mut().enumerate() {
            if !client.poll(node, at_rest)? {
                ended.push(index);
            }
        }
        for index in ended.into_iter().rev() {
            self.clients.swap_remove(index);
        }
        Ok(())
    }
}

impl Client {
    /// Answers whether the session goes on.
    fn poll(&mut self, node: &Node, at_rest: bool) -> Result<bool, Broken> {
        let (view, now) = (node.view(), node.now());
        let latest = match node.latest(&self.token) {
            Ok(latest) => latest,
            Err(SessionRefusal::Token(TokenProblem::TooEarly)) => {
                let bound = self.interval_s.and_then(|interval_s| Some((self.polled_at?, i128::from(interval_s))));
                // A clock set back makes nobody wait for the time it was set back from.
                let early = bound.is_some_and(|(at, interval_s)| {
                    (-1_000..interval_s * 1_000).contains(&now.duration_since(at).as_millis())
                });
                ensure(early, || format!("too early at {now} after {:?}", self.polled_at))?;
                return Ok(true);
            }
            Err(SessionRefusal::Token(TokenProblem::Expired)) => {
                let age = now.duration_since(self.token_from);
                ensure(age.as_hours() >= 24, || format!("a token expired after {age:#}"))?;
                return Ok(false);
            }
            Err(SessionRefusal::NoConfiguration) => return Ok(false),
            Err(other) => return Err(Broken(format!("a good token was refused: {other:?}"))),
        };
        self.token = latest.next_token;
        (self.polled_at, self.token_from) = (Some(now), now);
        let got = latest.version.as_ref().map(|version| version.version);
        ensure(latest.changed == (got.is_some() && got != self.held), || {
            format!("held {:?}, got {got:?}, changed: {}", self.held, latest.changed)
        })?;
        self.held = got;
        // A node that knows less than the one asked before may be behind it; it is stale, not wrong.
        if at_rest && node.status().behind == 0 && view.seq >= self.seen {
            self.seen = view.seq;
            let (application, environment, profile) = &self.place;
            self.judge(live(&view.world, application, environment, profile), got)?;
        }
        Ok(true)
    }

    fn judge(&mut self, live: Option<Live>, got: Option<VersionNumber>) -> Result<(), Broken> {
        let live = live.ok_or_else(|| Broken("an answer of what is not deployed".into()))?;
        let stable = live.stable.as_ref().map(|deployment| deployment.version);
        let Some((candidate, exposure)) = &live.candidate else {
            self.inside = None;
            return ensure(got == stable, || format!("{got:?} is served, {stable:?} is deployed"));
        };
        let new = got == Some(candidate.version);
        ensure(new || got == stable, || format!("{got:?} is neither {stable:?} nor {:?}", candidate.version))?;
        ensure(new || self.inside != Some(candidate.number), || {
            format!("a client of {:?} was given deployment {} and lost it", self.place, candidate.number)
        })?;
        if let Some(name) = &self.name {
            let digest: [u8; 32] = Sha256::digest(name.as_bytes()).into();
            let expected = expected(&live, &self.place, digest.get(..16).unwrap_or_default());
            let expected = expected.map(|deployment| deployment.version);
            ensure(got == expected, || format!("`{name}` got {got:?} at {exposure} instead of {expected:?}"))?;
        }
        self.inside = (new && stable != got).then_some(candidate.number);
        Ok(())
    }
}

/// What `subject` must get, by the arithmetic alone.
pub(super) fn expected<'a>(live: &'a Live, place: &Place, subject: &[u8]) -> Option<&'a Deployment> {
    if let Some((candidate, exposure)) = &live.candidate {
        let key = Deployment::bucketing_key(&place.0, &place.1, candidate.number);
        if *exposure == Exposure::ALL || bucketing::exposed(bucketing::bucket(&key, subject), *exposure) {
            return Some(candidate);
        }
    }
    live.stable.as_deref()
}

/// Every configuration in every environment.
pub(super) fn places(world: &World) -> Vec<Place> {
    let mut places = vec![];
    for application in world.applications().values() {
        for environment in application.environments.keys() {
            for profile in application.profiles.keys() {
                places.push((application.id.clone(), environment.clone(), profile.clone()));
            }
        }
    }
    places
}
