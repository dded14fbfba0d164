//! What the agent holds of a configuration: one version, or two while a deployment is on its way.
//!
//! **Invariant:** who gets which of the two is arithmetic over the deployment and the entity, so every agent gives the
//! same entity the same version, and raising the exposure takes the new one from nobody.

use crate::content::Content;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use yardarm_flags::Exposure;
use yardarm_flags::bucketing::{RolloutKey, exposed, named_subject};

/// What there is to answer with.
#[derive(Clone, Debug)]
pub struct Held {
    /// What upstream last said.
    pub newest: Arc<Content>,
    /// Who is to have it, while a deployment is on its way.
    pub rollout: Option<Rollout>,
}

/// A deployment on its way.
#[derive(Clone, Debug)]
pub struct Rollout {
    /// Which.
    pub deployment: DeploymentName,
    /// How many have the new version.
    pub exposure: Exposure,
    /// What the others have; `None` if nothing was deployed before.
    pub previous: Option<Arc<Content>>,
}

/// What a deployment is called: ids of application and environment, and its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploymentName {
    application: Box<str>,
    environment: Box<str>,
    number: u32,
}

impl DeploymentName {
    /// From `application/environment/number`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let (application, environment) = (parts.next()?, parts.next()?);
        let number = parts.next()?.parse().ok()?;
        let whole = parts.next().is_none() && !application.is_empty() && !environment.is_empty();
        whole.then(|| Self { application: application.into(), environment: environment.into(), number })
    }

    /// From its parts.
    #[must_use]
    pub fn new(application: &str, environment: &str, number: u32) -> Self {
        Self { application: application.into(), environment: environment.into(), number }
    }

    /// Its number in the environment.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.number
    }

    fn key(&self) -> RolloutKey {
        RolloutKey::new(&self.application, &self.environment, self.number)
    }
}

/// As [`DeploymentName::parse`] reads it.
impl std::fmt::Display for DeploymentName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}", self.application, self.environment, self.number)
    }
}

/// Stands for those in a rollout who do not say which entity they ask for: all who ask one agent.
pub type OwnSubject = [u8; 16];

impl Held {
    /// The same version for everybody.
    #[must_use]
    pub fn settled(content: Content) -> Self {
        Self { newest: Arc::new(content), rollout: None }
    }

    /// What `entity` gets, or who names none. `None`: it is outside a first rollout.
    #[must_use]
    pub fn content_for(&self, entity: Option<&str>, own: &OwnSubject) -> Option<&Arc<Content>> {
        let Some(rollout) = &self.rollout else { return Some(&self.newest) };
        let subject = entity.map_or(*own, named_subject);
        if exposed(rollout.deployment.key().bucket(&subject), rollout.exposure) {
            Some(&self.newest)
        } else {
            rollout.previous.as_ref()
        }
    }

    /// What a Yardarm server calls this.
    pub(crate) fn tag(&self) -> String {
        let newest = self.newest.name();
        let Some(Rollout { deployment, exposure, previous }) = &self.rollout else { return newest };
        let previous = previous.as_ref().map_or_else(|| "0".into(), |previous| previous.name());
        format!("{previous}.{newest}.{}.{}", deployment.number, exposure.parts_per_million())
    }

    /// What tells it from anything else, as far as callers can see: the versions, and who has which.
    pub(crate) fn identity(&self) -> [u8; 32] {
        let (settled, rollout) = match &self.rollout {
            Some(rollout) if rollout.exposure == Exposure::NONE => (rollout.previous.as_ref(), None),
            Some(rollout) if rollout.exposure < Exposure::ALL => (rollout.previous.as_ref(), Some(rollout)),
            // Whether everybody's version is still being watched makes no difference to anybody.
            Some(_) | None => (Some(&self.newest), None),
        };
        let mut hash = Sha256::new();
        hash.update(settled.map(|settled| settled.identity()).unwrap_or_default());
        if let Some(rollout) = rollout {
            hash.update(self.newest.identity());
            hash.update(rollout.deployment.to_string());
            hash.update(rollout.exposure.parts_per_million().to_be_bytes());
        }
        hash.finalize().into()
    }

    /// Whether `after` is this, or one more step of a gradual deployment: nobody loses a version by it, and not everybody
    /// gets another one at once.
    pub(crate) fn grows_into(&self, after: &Self) -> bool {
        let is_same = |one: &Content, other: &Content| one.identity() == other.identity();
        match (&self.rollout, &after.rollout) {
            (_, None) => is_same(&self.newest, &after.newest),
            (None, Some(begun)) => {
                begun.previous.as_ref().is_some_and(|previous| is_same(&self.newest, previous))
            }
            (Some(before), Some(after_it)) => {
                before.deployment == after_it.deployment
                    && before.exposure <= after_it.exposure
                    && is_same(&self.newest, &after.newest)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use proptest::prelude::*;

    fn content(text: &'static str) -> Arc<Content> {
        Arc::new(Content::read(Bytes::from_static(text.as_bytes()), "text/plain", "1", None).unwrap())
    }

    fn at(exposure: u32, number: u32) -> Held {
        Held {
            newest: content("new"),
            rollout: Some(Rollout {
                deployment: DeploymentName::new("abcd123", "efgh456", number),
                exposure: Exposure::from_parts_per_million(exposure).unwrap(),
                previous: Some(content("old")),
            }),
        }
    }

    fn has_new(held: &Held, entity: &str) -> bool {
        *held.content_for(Some(entity), &[0; 16]).unwrap().body == *b"new"
    }

    #[test]
    fn names_of_deployments_are_read_and_written() {
        let name = DeploymentName::parse("abcd123/efgh456/7").unwrap();
        assert_eq!(
            (name.clone(), name.to_string()),
            (DeploymentName::new("abcd123", "efgh456", 7), "abcd123/efgh456/7".into())
        );
        for bad in ["", "a/b", "a/b/c", "a/b/1/2", "/b/1", "a//1", "a/b/-1"] {
            assert_eq!(DeploymentName::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn who_names_no_entity_is_drawn_with_the_agent() {
        let held = at(500_000, 1);
        let drawn: Vec<&[u8]> =
            (0..64_u8).map(|own| &*held.content_for(None, &[own; 16]).unwrap().body).collect();
        assert!(drawn.contains(&&b"new"[..]) && drawn.contains(&&b"old"[..]));
    }

    #[test]
    fn outside_a_first_rollout_there_is_nothing() {
        let mut held = at(0, 1);
        held.rollout.as_mut().unwrap().previous = None;
        assert!(held.content_for(Some("anyone"), &[0; 16]).is_none());
    }

    #[test]
    fn an_entity_falls_where_the_data_plane_puts_a_client_of_its_name() {
        let held = at(250_000, 3);
        for entity in ["a", "user-1", "ü", ""] {
            let key = RolloutKey::new("abcd123", "efgh456", 3);
            assert_eq!(has_new(&held, entity), key.bucket(&named_subject(entity)) < 250_000);
        }
    }

    #[test]
    fn an_identity_is_what_callers_can_tell_apart() {
        let settled = |text| Held { newest: content(text), rollout: None };
        let identities = [settled("old"), at(0, 1)].map(|held| held.identity());
        assert_eq!(identities[0], identities[1], "nobody has the new one yet");
        let identities = [settled("new"), at(1_000_000, 1)].map(|held| held.identity());
        assert_eq!(identities[0], identities[1], "everybody has it");
        let all = [settled("old"), settled("new"), at(1, 1), at(2, 1), at(1, 2)].map(|held| held.identity());
        assert_eq!(std::collections::BTreeSet::from(all).len(), all.len());
    }

    #[test]
    fn only_a_step_of_a_gradual_deployment_can_wait() {
        let settled = |text| Held { newest: content(text), rollout: None };
        for (before, after, can_wait) in [
            (settled("old"), settled("old"), true),
            (settled("old"), at(1, 1), true),
            (at(1, 1), at(2, 1), true),
            (at(2, 1), settled("new"), true),
            (at(2, 1), at(1, 1), false),
            (at(1, 1), settled("old"), false),
            (at(1, 1), at(2, 2), false),
            (settled("old"), settled("new"), false),
            (settled("other"), at(1, 1), false),
        ] {
            assert_eq!(before.grows_into(&after), can_wait, "{before:?} {after:?}");
        }
    }

    proptest! {
        #[test]
        fn raising_the_exposure_takes_the_new_version_from_nobody(
            entity: String, a in 0_u32..=1_000_000, b in 0_u32..=1_000_000, number: u32,
        ) {
            let (low, high) = (at(a.min(b), number), at(a.max(b), number));
            prop_assert!(!has_new(&low, &entity) || has_new(&high, &entity));
            prop_assert!(has_new(&at(1_000_000, number), &entity) && !has_new(&at(0, number), &entity));
        }
    }
}
