//! Tags: the owner's own notes on a resource.

use crate::account::Resource;
use crate::context::{Command, Context, Decision};
use crate::event::Event;
use crate::refusal::{Missing, Refusal};
use crate::text::{Constraint, length};
use crate::world::World;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// At most 50 pairs; keys of 1 to 128 characters that do not start with `aws:`, values of up to 256.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tags(BTreeMap<String, String>);

impl Tags {
    /// The most pairs a resource may have.
    pub const MOST: usize = 50;

    /// Checks `pairs`.
    ///
    /// # Errors
    /// The first limit that they break.
    pub fn new(pairs: BTreeMap<String, String>) -> Result<Self, Constraint> {
        if pairs.len() > Self::MOST {
            return Err(Constraint::MaxLength(Self::MOST));
        }
        for (key, value) in &pairs {
            length(key, 1, 128)?;
            length(value, 0, 256)?;
            if key.starts_with("aws:") {
                return Err(Constraint::Pattern("^(?!aws:).+"));
            }
        }
        Ok(Self(pairs))
    }

    /// The pairs, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.0.extend(other.0.clone());
    }

    pub(crate) fn remove(&mut self, keys: &[String]) {
        self.0.retain(|key, _| !keys.contains(key));
    }
}

/// Adds tags, replacing those with the same keys.
#[derive(Clone, Debug)]
pub struct TagResource {
    /// What to tag.
    pub resource: Resource,
    /// The tags to add.
    pub tags: Tags,
}

impl Command for TagResource {
    type Outcome = ();

    fn decide(&self, world: &World, _: &Context<'_>) -> Result<Decision<()>, Refusal> {
        let mut merged = world.tags(&self.resource).ok_or_else(|| missing(&self.resource))?.clone();
        merged.merge(&self.tags);
        if merged.0.len() > Tags::MOST {
            let constraint = Constraint::MaxLength(Tags::MOST);
            return Err(Refusal::Constraint { member: "tags", constraint });
        }
        let event = Event::ResourceTagged { resource: self.resource.clone(), tags: self.tags.clone() };
        Decision::new((), vec![event])
    }
}

/// Removes tags; keys that are not there are ignored.
#[derive(Clone, Debug)]
pub struct UntagResource {
    /// What to untag.
    pub resource: Resource,
    /// The keys to remove.
    pub keys: Vec<String>,
}

impl Command for UntagResource {
    type Outcome = ();

    fn decide(&self, world: &World, _: &Context<'_>) -> Result<Decision<()>, Refusal> {
        let tags = world.tags(&self.resource).ok_or_else(|| missing(&self.resource))?;
        let keys: Vec<String> = self.keys.iter().filter(|key| tags.0.contains_key(*key)).cloned().collect();
        if keys.is_empty() {
            return Decision::new((), vec![]);
        }
        Decision::new((), vec![Event::ResourceUntagged { resource: self.resource.clone(), keys }])
    }
}

fn missing(resource: &Resource) -> Refusal {
    Refusal::NotFound(Missing::Resource(resource.to_string()))
}
