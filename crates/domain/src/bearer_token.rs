//! Bearer tokens: what applications show to evaluate flags and to read configuration, where a signature is too much.
//!
//! A token is good for one environment. **Invariant:** the token itself is never here, only its hash: whoever reads the log
//! cannot use what he finds.

use crate::content::InvalidHash;
use crate::context::{Command, Context, Decision};
use crate::event::Event;
use crate::ids::{ApplicationId, BearerTokenId, EnvironmentId};
use crate::refusal::{Missing, Quota, Refusal};
use crate::text::{Description, Name};
use crate::world::World;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a bearer token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenScope {
    /// Evaluating flags, and hearing when they change.
    Evaluate,
    /// That, and reading deployed configuration with all its rules.
    Read,
}

impl TokenScope {
    /// Whether a token of this scope may do what `needed` is for.
    #[must_use]
    pub fn covers(self, needed: Self) -> bool {
        matches!((self, needed), (Self::Read, _) | (Self::Evaluate, Self::Evaluate))
    }
}

/// SHA-256 of a token's text; 64 lower-case hexadecimal digits in events. The text has 256 random bits, so that no salt
/// and no slow function is needed.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TokenHash(pub [u8; 32]);

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

impl From<TokenHash> for String {
    fn from(hash: TokenHash) -> Self {
        crate::content::ContentHash(hash.0).to_string()
    }
}

impl TryFrom<String> for TokenHash {
    type Error = InvalidHash;

    fn try_from(text: String) -> Result<Self, InvalidHash> {
        crate::content::ContentHash::try_from(text).map(|hash| Self(hash.0))
    }
}

/// A bearer token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BearerToken {
    /// The part of it that may be known.
    pub id: BearerTokenId,
    /// What people call it; need not be unique.
    pub name: Name,
    /// What it is for.
    pub description: Option<Description>,
    /// Of which application.
    pub application: ApplicationId,
    /// For which environment.
    pub environment: EnvironmentId,
    /// What it is good for.
    pub scope: TokenScope,
    /// Its hash.
    pub hash: TokenHash,
    /// From when on it is not accepted. `None`: never.
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl BearerToken {
    /// Whether it is not accepted any more.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }
}

/// What a bearer token is wanted for.
#[derive(Clone, Debug)]
pub struct WantedBearerToken {
    /// What people call it; need not be unique.
    pub name: Name,
    /// What it is for.
    pub description: Option<Description>,
    /// Of which application.
    pub application: ApplicationId,
    /// For which environment.
    pub environment: EnvironmentId,
    /// What it is good for.
    pub scope: TokenScope,
    /// From when on it is not accepted. `None`: never.
    pub expires_at: Option<Timestamp>,
}

/// Makes a bearer token. Its text was drawn and hashed by the caller.
#[derive(Clone, Debug)]
pub struct CreateBearerToken {
    /// The part of it that may be known.
    pub id: BearerTokenId,
    /// What it is to be.
    pub wanted: WantedBearerToken,
    /// Its hash.
    pub hash: TokenHash,
}

impl Command for CreateBearerToken {
    type Outcome = ();

    fn decide(&self, world: &World, context: &Context<'_>) -> Result<Decision<()>, Refusal> {
        let wanted = self.wanted.clone();
        world.environment(&wanted.application, &wanted.environment)?;
        if world.bearer_tokens().contains_key(&self.id) {
            return Err(Refusal::BearerTokenTaken(self.id.clone()));
        }
        if let Some(expires_at) = wanted.expires_at.filter(|expires_at| *expires_at <= context.now) {
            return Err(Refusal::ExpiryPassed(expires_at));
        }
        let limit = context.quotas.bearer_tokens;
        if world.bearer_tokens().len() >= limit {
            return Err(Refusal::QuotaExceeded { quota: Quota::BearerTokens, limit: limit as u64 });
        }
        let event = Event::BearerTokenCreated {
            token: self.id.clone(),
            name: wanted.name,
            description: wanted.description.and_then(Description::none_if_empty),
            application: wanted.application,
            environment: wanted.environment,
            scope: wanted.scope,
            hash: self.hash,
            expires_at: wanted.expires_at,
        };
        Decision::new((), vec![event])
    }
}

/// Has a bearer token accepted no longer, for good.
#[derive(Clone, Debug)]
pub struct RevokeBearerToken {
    /// Which.
    pub id: BearerTokenId,
}

impl Command for RevokeBearerToken {
    type Outcome = ();

    fn decide(&self, world: &World, _: &Context<'_>) -> Result<Decision<()>, Refusal> {
        if !world.bearer_tokens().contains_key(&self.id) {
            return Err(Refusal::NotFound(Missing::BearerToken(self.id.clone())));
        }
        Decision::new((), vec![Event::BearerTokenRevoked { token: self.id.clone() }])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::{CascadeDeleteApplication, CreateApplication};
    use crate::context::{Policy, Quotas};
    use crate::deletion_protection::DeletionProtectionCheck;
    use crate::environment::{CreateEnvironment, DeleteEnvironment};
    use crate::tags::Tags;

    struct Desk {
        world: World,
        quotas: Quotas,
        now: Timestamp,
    }

    impl Desk {
        fn run<C: Command>(&mut self, command: C) -> Result<C::Outcome, Refusal> {
            let policy = Policy::default();
            let context = Context { now: self.now, entropy: 1, quotas: &self.quotas, policy: &policy };
            let decision = command.decide(&self.world, &context)?;
            for event in decision.events {
                self.world.apply(1, self.now, event).unwrap();
            }
            Ok(decision.outcome)
        }
    }

    fn desk() -> (Desk, CreateBearerToken) {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let mut desk = Desk { world: World::default(), quotas: Quotas::default(), now };
        let name: Name = "shop".parse().unwrap();
        let create = CreateApplication { name: name.clone(), description: None, tags: Tags::default() };
        let application = desk.run(create).unwrap();
        let create = CreateEnvironment {
            application: application.clone(),
            name: name.clone(),
            description: None,
            monitors: vec![],
            tags: Tags::default(),
        };
        let environment = desk.run(create).unwrap();
        let wanted = WantedBearerToken {
            name,
            description: None,
            application,
            environment,
            scope: TokenScope::Evaluate,
            expires_at: None,
        };
        let id = "abcdef123456".parse().unwrap();
        let token = CreateBearerToken { id, wanted, hash: TokenHash([7; 32]) };
        (desk, token)
    }

    #[test]
    fn a_token_is_there_until_it_is_revoked() {
        let (mut desk, token) = desk();
        desk.run(token.clone()).unwrap();
        assert_eq!(desk.run(token.clone()), Err(Refusal::BearerTokenTaken(token.id.clone())));
        assert_eq!(desk.world.bearer_tokens()[&token.id].hash, token.hash);
        let revoke = RevokeBearerToken { id: token.id.clone() };
        desk.run(revoke.clone()).unwrap();
        assert!(desk.world.bearer_tokens().is_empty());
        assert_eq!(desk.run(revoke), Err(Refusal::NotFound(Missing::BearerToken(token.id))));
    }

    #[test]
    fn a_token_goes_with_its_environment_or_application() {
        let check = DeletionProtectionCheck::Bypass;
        let (mut desk, token) = desk();
        desk.run(token.clone()).unwrap();
        let (application, environment) = (token.wanted.application.clone(), token.wanted.environment.clone());
        let delete = DeleteEnvironment { application, environment, check, last_read: None };
        desk.run(delete).unwrap();
        assert!(desk.world.bearer_tokens().is_empty());
        assert!(matches!(desk.run(token), Err(Refusal::NotFound(Missing::Environment(..)))));

        let (mut desk, token) = self::desk();
        desk.run(token.clone()).unwrap();
        let application = token.wanted.application.clone();
        desk.run(CascadeDeleteApplication { application, check, last_reads: vec![] }).unwrap();
        assert!(desk.world.bearer_tokens().is_empty());
    }

    #[test]
    fn an_expiry_lies_ahead_and_ends_the_token() {
        let (mut desk, token) = desk();
        let until = |expires_at| {
            let wanted = WantedBearerToken { expires_at: Some(expires_at), ..token.wanted.clone() };
            CreateBearerToken { wanted, ..token.clone() }
        };
        let past = until(desk.now);
        assert_eq!(desk.run(past), Err(Refusal::ExpiryPassed(desk.now)));
        let soon = desk.now + jiff::SignedDuration::from_secs(1);
        desk.run(until(soon)).unwrap();
        let made = &desk.world.bearer_tokens()[&token.id];
        assert!(!made.is_expired(desk.now) && made.is_expired(soon));
    }

    #[test]
    fn there_is_a_quota() {
        let (mut desk, token) = desk();
        desk.quotas.bearer_tokens = 0;
        let refused = Refusal::QuotaExceeded { quota: Quota::BearerTokens, limit: 0 };
        assert_eq!(desk.run(token), Err(refused));
    }

    #[test]
    fn reading_covers_evaluating_and_not_the_other_way_round() {
        use TokenScope::{Evaluate, Read};
        assert!(Read.covers(Evaluate) && Read.covers(Read) && Evaluate.covers(Evaluate));
        assert!(!Evaluate.covers(Read));
    }
}
