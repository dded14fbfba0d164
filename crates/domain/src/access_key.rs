//! Access keys: what requests are signed with.

use crate::context::{Command, Context, Decision};
use crate::event::Event;
use crate::ids::AccessKeyId;
use crate::refusal::{Missing, Quota, Refusal};
use crate::secret::SealedSecret;
use crate::text::{Description, Name};
use crate::world::World;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An access key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccessKey {
    /// Its public half.
    pub id: AccessKeyId,
    /// What people call it; need not be unique.
    pub name: Name,
    /// What it is for.
    pub description: Option<Description>,
    /// Its secret half, sealed.
    pub secret: SealedSecret,
    /// Whether it is accepted.
    pub enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Makes an access key. The secret was drawn and sealed by the caller.
#[derive(Clone, Debug)]
pub struct CreateAccessKey {
    /// Its public half.
    pub id: AccessKeyId,
    /// What people call it; need not be unique.
    pub name: Name,
    /// What it is for.
    pub description: Option<Description>,
    /// Its secret half, sealed.
    pub secret: SealedSecret,
}

impl Command for CreateAccessKey {
    type Outcome = ();

    fn decide(&self, world: &World, context: &Context<'_>) -> Result<Decision<()>, Refusal> {
        if world.access_keys().contains_key(&self.id) {
            return Err(Refusal::AccessKeyTaken(self.id.clone()));
        }
        let limit = context.quotas.access_keys;
        if world.access_keys().len() >= limit {
            return Err(Refusal::QuotaExceeded { quota: Quota::AccessKeys, limit: limit as u64 });
        }
        let event = Event::AccessKeyCreated {
            access_key: self.id.clone(),
            name: self.name.clone(),
            description: self.description.clone().and_then(Description::none_if_empty),
            secret: self.secret.clone(),
        };
        Decision::new((), vec![event])
    }
}

/// Changes what is given.
#[derive(Clone, Debug)]
pub struct ChangeAccessKey {
    /// Which.
    pub id: AccessKeyId,
    /// Whether it is accepted, if that changes.
    pub enabled: Option<bool>,
    /// What people call it, if that changes.
    pub name: Option<Name>,
    /// What it is for, if that changes; the empty description removes it.
    pub description: Option<Description>,
}

impl Command for ChangeAccessKey {
    type Outcome = ();

    fn decide(&self, world: &World, _: &Context<'_>) -> Result<Decision<()>, Refusal> {
        known(world, &self.id)?;
        if self.enabled.is_none() && self.name.is_none() && self.description.is_none() {
            return Decision::new((), vec![]);
        }
        let event = Event::AccessKeyUpdated {
            access_key: self.id.clone(),
            enabled: self.enabled,
            name: self.name.clone(),
            description: self.description.clone(),
        };
        Decision::new((), vec![event])
    }
}

/// Removes an access key for good.
#[derive(Clone, Debug)]
pub struct DeleteAccessKey {
    /// Which.
    pub id: AccessKeyId,
}

impl Command for DeleteAccessKey {
    type Outcome = ();

    fn decide(&self, world: &World, _: &Context<'_>) -> Result<Decision<()>, Refusal> {
        known(world, &self.id)?;
        Decision::new((), vec![Event::AccessKeyDeleted { access_key: self.id.clone() }])
    }
}

fn known(world: &World, id: &AccessKeyId) -> Result<(), Refusal> {
    let missing = || Refusal::NotFound(Missing::AccessKey(id.clone()));
    world.access_keys().get(id).map(|_| ()).ok_or_else(missing)
}
