//! Secrets as the log keeps them: sealed. What opens them lives outside the database.

use crate::context::{Command, Context, Decision};
use crate::event::Event;
use crate::ids::AccessKeyId;
use crate::refusal::{Missing, Refusal};
use crate::world::World;
use serde::{Deserialize, Serialize};

/// A secret encrypted under a master key: printable text that names the key it was sealed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SealedSecret(pub String);

/// Records the key that configuration tokens are sealed with, unless there is one already.
#[derive(Clone, Debug)]
pub struct CreateTokenKey {
    /// The key, sealed.
    pub sealed: SealedSecret,
}

impl Command for CreateTokenKey {
    type Outcome = ();

    fn decide(&self, world: &World, _: &Context<'_>) -> Result<Decision<()>, Refusal> {
        let events = match world.token_key() {
            Some(_) => vec![],
            None => vec![Event::TokenKeyCreated { sealed: self.sealed.clone() }],
        };
        Decision::new((), events)
    }
}

/// Records the key that the secrets of calls to the outside are derived from, unless there is one already.
#[derive(Clone, Debug)]
pub struct CreateSigningKey {
    /// The key, sealed.
    pub sealed: SealedSecret,
}

impl Command for CreateSigningKey {
    type Outcome = ();

    fn decide(&self, world: &World, _: &Context<'_>) -> Result<Decision<()>, Refusal> {
        let events = match world.signing_key() {
            Some(_) => vec![],
            None => vec![Event::SigningKeyCreated { sealed: self.sealed.clone() }],
        };
        Decision::new((), events)
    }
}

/// Replaces sealed secrets by the same secrets sealed under another master key.
#[derive(Clone, Debug)]
pub struct ResealSecrets {
    /// The token key, if it was sealed anew.
    pub token_key: Option<SealedSecret>,
    /// The signing key, if it was sealed anew.
    pub signing_key: Option<SealedSecret>,
    /// Access key secrets that were sealed anew.
    pub access_keys: Vec<(AccessKeyId, SealedSecret)>,
}

impl Command for ResealSecrets {
    type Outcome = ();

    fn decide(&self, world: &World, _: &Context<'_>) -> Result<Decision<()>, Refusal> {
        if let Some((id, _)) = self.access_keys.iter().find(|(id, _)| !world.access_keys().contains_key(id)) {
            return Err(Refusal::NotFound(Missing::AccessKey(id.clone())));
        }
        let event = Event::SecretsResealed {
            token_key: self.token_key.clone(),
            signing_key: self.signing_key.clone(),
            access_keys: self.access_keys.clone(),
        };
        Decision::new((), vec![event])
    }
}
