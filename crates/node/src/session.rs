//! Configuration sessions: what a client that polls gets, and with which token it goes on.

use crate::entropy::Entropy;
use crate::form::Form;
use crate::node::Node;
use crate::reading::{MissingPlace, find};
use crate::served::{Candidate, ServedVersion};
use crate::tokens::{Claims, TokenSealer, UsedTokens};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use yardarm_domain::{ApplicationId, DeploymentNumber, EnvironmentId, Exposure};
use yardarm_flags::bucketing::named_subject;

/// How sessions are run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionSettings {
    /// What clients that ask for no interval are told to poll at, seconds.
    pub poll_interval_s: u32,
    /// Whether the announced interval binds everyone, not only those who asked for one.
    pub strict_interval: bool,
    /// How long the token before the newest one is tolerated, seconds: an answer may have been lost. Zero turns
    /// single use strict.
    pub reuse_tolerance_s: u32,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self { poll_interval_s: 60, strict_interval: false, reuse_tolerance_s: 10 }
    }
}

/// What a client asks for when it starts a session. Ids or names.
#[derive(Clone, Debug)]
pub struct StartSession<'a> {
    /// Of which application.
    pub application: &'a str,
    /// Of which environment.
    pub environment: &'a str,
    /// Which configuration profile.
    pub profile: &'a str,
    /// The shortest interval at which it is going to poll, seconds: 15 to 86,400, checked at the edge.
    pub interval_s: Option<u32>,
    /// Stands for the client in rollouts across sessions. Without it every session is drawn anew.
    pub client: Option<&'a str>,
}

/// Why there is no session, or no answer in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionRefusal {
    /// No such application.
    NoApplication,
    /// No such configuration profile.
    NoProfile,
    /// No such environment.
    NoEnvironment,
    /// Nothing is deployed.
    NoDeployment,
    /// The session's configuration is gone.
    NoConfiguration,
    /// The token cannot be used.
    Token(TokenProblem),
    /// The node cannot seal tokens: it has no key yet.
    NotReady,
}

impl From<MissingPlace> for SessionRefusal {
    fn from(missing: MissingPlace) -> Self {
        match missing {
            MissingPlace::Application => Self::NoApplication,
            MissingPlace::Profile => Self::NoProfile,
            MissingPlace::Environment => Self::NoEnvironment,
        }
    }
}

/// What is wrong with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenProblem {
    /// Not one of ours, altered, or used long ago.
    Corrupted,
    /// Older than 24 hours.
    Expired,
    /// Earlier than the session's interval allows. It stays usable.
    TooEarly,
}

/// What a polling client can do with an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PollingClient {
    /// Which form of flags it understands.
    pub form: Form,
    /// Whether it decides itself which entity gets which version while a deployment is on its way.
    pub decides: bool,
}

/// What a client needs to decide which entity gets which version of a deployment on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityRollout {
    /// In which application.
    pub application: ApplicationId,
    /// In which environment.
    pub environment: EnvironmentId,
    /// Which deployment.
    pub deployment: DeploymentNumber,
    /// How many entities it has reached.
    pub exposure: Exposure,
    /// A token with which the version of all other entities is polled. `None`: there is nothing for them.
    pub previous: Option<String>,
}

/// An answer to a poll.
#[derive(Clone, Debug)]
pub struct Latest {
    /// What to ask with next.
    pub next_token: String,
    /// When to ask next, seconds.
    pub poll_interval_s: u32,
    /// What the client should have now. `None`: it is outside a first rollout and gets nothing yet.
    pub version: Option<Arc<ServedVersion>>,
    /// In which form it is sent.
    pub form: Form,
    /// Whether the client does not have it yet.
    pub changed: bool,
    /// For a client that decides itself, while a deployment is on its way: then `version` is the new one.
    pub rollout: Option<EntityRollout>,
}

/// Tokens older than this have expired.
const LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// Clocks and networks are not exact: a poll this much too early is in time.
const SLACK: SignedDuration = SignedDuration::from_millis(500);

/// What sessions need to run.
pub(crate) struct Sessions {
    pub(crate) sealer: arc_swap::ArcSwapOption<TokenSealer>,
    pub(crate) used: UsedTokens,
    pub(crate) settings: SessionSettings,
}

impl Sessions {
    pub(crate) fn new(settings: SessionSettings) -> Self {
        Self { sealer: arc_swap::ArcSwapOption::empty(), used: UsedTokens::new(), settings }
    }

    fn claims(&self, token: &str, now: Timestamp) -> Result<Claims, SessionRefusal> {
        let sealer = self.sealer.load();
        let sealer = sealer.as_deref().ok_or(SessionRefusal::NotReady)?;
        let claims = sealer.open(token).ok_or(SessionRefusal::Token(TokenProblem::Corrupted))?;
        let now_ms = now.as_millisecond();
        if now_ms > claims.expires_ms {
            return Err(SessionRefusal::Token(TokenProblem::Expired));
        }
        let tolerance_s = i64::from(self.settings.reuse_tolerance_s);
        if !self.used.admits(claims.session, claims.counter, now, tolerance_s) {
            return Err(SessionRefusal::Token(TokenProblem::Corrupted));
        }
        let slack = i64::try_from(SLACK.as_millis()).unwrap_or(0);
        let remaining_ms = claims.not_before_ms.saturating_sub(now_ms);
        let interval_ms = i64::from(self.interval_s(claims.interval_s)).saturating_mul(1_000);
        // More than a whole interval remains only when the clock was set back: nobody is made to wait for that.
        let is_early = remaining_ms > slack && remaining_ms <= interval_ms.saturating_add(slack);
        if claims.not_before_ms != 0 && is_early {
            return Err(SessionRefusal::Token(TokenProblem::TooEarly));
        }
        Ok(claims)
    }

    fn seal(&self, entropy: &dyn Entropy, claims: &Claims) -> Result<String, SessionRefusal> {
        let sealer = self.sealer.load();
        sealer.as_deref().and_then(|sealer| sealer.seal(entropy, claims)).ok_or(SessionRefusal::NotReady)
    }

    /// The interval announced to a client that asked for `asked` (zero: for none).
    fn interval_s(&self, asked: u32) -> u32 {
        if asked == 0 { self.settings.poll_interval_s } else { asked }
    }
}

fn expires_ms(now: Timestamp) -> i64 {
    let lifetime = i64::try_from(LIFETIME.as_millis()).unwrap_or(0);
    now.as_millisecond().saturating_add(lifetime)
}

impl Node {
    /// Starts a session and answers its first token.
    ///
    /// # Errors
    /// The first of application, profile and environment that does not exist, or that nothing is deployed.
    pub fn start_session(&self, start: &StartSession<'_>) -> Result<String, SessionRefusal> {
        let shared = self.shared();
        let world = &self.view().world;
        let address = find(world, start.application, start.environment, start.profile)?;
        let deployed = shared.slots.get(&address).is_some_and(|slot| slot.state.load().is_some());
        if !deployed {
            return Err(SessionRefusal::NoDeployment);
        }
        let now = shared.clock.now();
        let claims = Claims {
            address,
            subject: subject(start.client, shared.entropy.as_ref()),
            session: shared.entropy.number(),
            counter: 0,
            version: 0,
            form: Form::Plain,
            outside: false,
            interval_s: start.interval_s.unwrap_or(0),
            not_before_ms: 0,
            expires_ms: expires_ms(now),
        };
        shared.sessions.seal(shared.entropy.as_ref(), &claims)
    }

    /// Answers a poll. Touches no lock and no log.
    ///
    /// # Errors
    /// The token cannot be used, or what it stands for is gone.
    pub fn latest(&self, token: &str) -> Result<Latest, SessionRefusal> {
        self.latest_for(PollingClient::default(), token)
    }

    /// As [`Node::latest`], for a client that can do more.
    ///
    /// # Errors
    /// As [`Node::latest`].
    pub fn latest_for(&self, client: PollingClient, token: &str) -> Result<Latest, SessionRefusal> {
        let shared = self.shared();
        let now = shared.clock.now();
        let claims = shared.sessions.claims(token, now)?;
        let slot = shared.slots.get(&claims.address).ok_or(SessionRefusal::NoConfiguration)?;
        let state = slot.state.load();
        let state = state.as_deref().ok_or(SessionRefusal::NoConfiguration)?;
        slot.touch(now);
        let decides = client.decides && !claims.outside;
        let candidate = if decides { state.candidate_for(&claims.subject) } else { None };
        let version = match candidate {
            Some((_, version)) => Some(version),
            None if claims.outside => state.stable_for(&claims.subject),
            None => state.for_subject(&claims.subject),
        };
        let version = version.cloned();
        let form = version.as_ref().map_or(Form::Plain, |version| version.form(client.form));
        let has = version.as_ref().map_or(0, |version| version.mark());
        let poll_interval_s = shared.sessions.interval_s(claims.interval_s);
        let binds = claims.interval_s != 0 || shared.sessions.settings.strict_interval;
        let interval_ms = i64::from(poll_interval_s).saturating_mul(1_000);
        let next = Claims {
            counter: claims.counter.wrapping_add(1),
            version: has,
            form,
            not_before_ms: if binds { now.as_millisecond().saturating_add(interval_ms) } else { 0 },
            expires_ms: expires_ms(now),
            ..claims
        };
        let next_token = shared.sessions.seal(shared.entropy.as_ref(), &next)?;
        shared.sessions.used.note(claims.session, next.counter, now);
        let changed = (has, form) != (claims.version, claims.form) && version.is_some();
        let rollout = match candidate {
            Some((candidate, _)) => self.entity_rollout(&claims, candidate, state.stable().is_some())?,
            None => None,
        };
        Ok(Latest { next_token, poll_interval_s, version, form, changed, rollout })
    }

    /// What a client needs to decide about `candidate`. `None` never happens: the ids are in the token.
    fn entity_rollout(
        &self,
        claims: &Claims,
        candidate: &Candidate,
        has_stable: bool,
    ) -> Result<Option<EntityRollout>, SessionRefusal> {
        let shared = self.shared();
        let Some((application, environment, _)) = claims.address.ids() else { return Ok(None) };
        let outside = Claims {
            session: shared.entropy.number(),
            counter: 0,
            version: 0,
            form: Form::Plain,
            outside: true,
            not_before_ms: 0,
            expires_ms: expires_ms(shared.clock.now()),
            ..*claims
        };
        let seal = || shared.sessions.seal(shared.entropy.as_ref(), &outside);
        let previous = has_stable.then(seal).transpose()?;
        let (deployment, exposure) = (candidate.deployment, candidate.exposure);
        Ok(Some(EntityRollout { application, environment, deployment, exposure, previous }))
    }
}

/// What the client is bucketed with: drawn, or made from its own name so that it is always the same.
fn subject(client: Option<&str>, entropy: &dyn Entropy) -> [u8; 16] {
    client.map_or_else(
        || {
            let mut drawn = [0; 16];
            entropy.fill(&mut drawn);
            drawn
        },
        named_subject,
    )
}
