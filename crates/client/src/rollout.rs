//! What the clients of one configuration get: one version, or two while a deployment is on its way, and each of them twice
//! for the few seconds in which a forced flag reaches everybody.
//!
//! A server sends both with the exposure, so who is inside a gradual deployment is decided here, by the arithmetic that
//! every server and agent uses: an entity gets the same everywhere. **Invariant:** a [`Rollout`] exists only if all of it
//! could be read.

use sha2::{Digest, Sha256};
use std::sync::Arc;
use yardarm_flags::document::FlagDocument;
use yardarm_flags::{CompiledFlags, Exposure, bucketing};
use yardarm_wire::native::{RolloutState, RolloutVersion};

/// The type of a profile that holds flags.
const FLAGS: &str = "AWS.AppConfig.FeatureFlags";

/// A version of a flag configuration, ready to be evaluated.
#[derive(Debug)]
pub struct Version {
    number: u32,
    label: Option<Box<str>>,
    /// Of the stored document.
    hash: [u8; 32],
    flags: CompiledFlags,
}

impl Version {
    /// Its number.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// Its label.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// Its flags.
    #[must_use]
    pub const fn flags(&self) -> &CompiledFlags {
        &self.flags
    }
}

/// A version on its way.
#[derive(Clone, Debug)]
struct Candidate {
    version: Arc<Version>,
    draw: Draw,
}

/// Both versions as those get them whom forced flags on their way to everybody have reached.
#[derive(Clone, Debug)]
struct Forced {
    stable: Option<Arc<Version>>,
    candidate: Option<Arc<Version>>,
    draw: Draw,
}

/// Who is reached.
#[derive(Clone, Debug)]
struct Draw {
    exposure: Exposure,
    /// What entities are drawn with.
    key: Box<str>,
}

/// What the clients of one configuration get.
#[derive(Clone, Debug, Default)]
pub struct Rollout {
    stable: Option<Arc<Version>>,
    candidate: Option<Candidate>,
    forced: Option<Forced>,
}

impl Rollout {
    /// Reads what a server has answered. Versions that `before` has are taken from it.
    ///
    /// # Errors
    /// [`UnreadableRollout`].
    pub fn read(answer: &[u8], before: Option<&Self>) -> Result<Self, UnreadableRollout> {
        Self::of(&serde_json::from_slice(answer)?, before)
    }

    /// Reads a state. Versions that `before` has are taken from it.
    pub(crate) fn of(state: &RolloutState, before: Option<&Self>) -> Result<Self, UnreadableRollout> {
        if state.profile_type != FLAGS {
            return Err(UnreadableRollout::NoFlags(state.profile_type.clone()));
        }
        let stable = state.stable.as_ref().map(|version| compile(version, before)).transpose()?;
        let candidate = match (&state.candidate, &state.rollout) {
            (None, None) => None,
            (Some(version), Some(progress)) => Some(Candidate {
                version: compile(version, before)?,
                draw: Draw::read(progress.exposure, &progress.key)?,
            }),
            _ => return Err(UnreadableRollout::HalfACandidate),
        };
        let forced = match &state.forced {
            Some(forced) => Some(Forced {
                stable: forced.stable.as_ref().map(|version| compile(version, before)).transpose()?,
                candidate: forced.candidate.as_ref().map(|version| compile(version, before)).transpose()?,
                draw: Draw::read(forced.exposure, &forced.key)?,
            }),
            None => None,
        };
        Ok(Self { stable, candidate, forced })
    }

    /// What the entity gets; without one, what everybody gets who cannot be told apart: the new version only once all
    /// have it. `None`: it is outside a first deployment, and there is nothing before.
    #[must_use]
    pub fn version_for(&self, entity: Option<&str>) -> Option<&Arc<Version>> {
        let forced = self.forced.as_ref().filter(|forced| forced.draw.reaches(entity));
        match &self.candidate {
            Some(candidate) if candidate.draw.reaches(entity) => {
                Some(forced.and_then(|forced| forced.candidate.as_ref()).unwrap_or(&candidate.version))
            }
            _ => forced.map_or(self.stable.as_ref(), |forced| forced.stable.as_ref()),
        }
    }

    fn versions(&self) -> impl Iterator<Item = &Arc<Version>> {
        let forced = self.forced.iter().flat_map(|forced| forced.stable.iter().chain(&forced.candidate));
        let both = self.stable.iter().chain(self.candidate.iter().map(|candidate| &candidate.version));
        both.chain(forced)
    }
}

impl Draw {
    fn read(exposure: u32, key: &str) -> Result<Self, UnreadableRollout> {
        let known = Exposure::from_parts_per_million(exposure);
        Ok(Self { exposure: known.ok_or(UnreadableRollout::Exposure(exposure))?, key: key.into() })
    }

    fn reaches(&self, entity: Option<&str>) -> bool {
        if self.exposure == Exposure::ALL || self.exposure == Exposure::NONE {
            return self.exposure == Exposure::ALL;
        }
        entity.is_some_and(|entity| {
            let bucket = bucketing::bucket(&self.key, &bucketing::named_subject(entity));
            bucketing::exposed(bucket, self.exposure)
        })
    }
}

fn compile(version: &RolloutVersion, before: Option<&Rollout>) -> Result<Arc<Version>, UnreadableRollout> {
    let number = version.version;
    let content = version.content.as_deref().ok_or(UnreadableRollout::NoText(number))?;
    let hash = Sha256::digest(content).into();
    let label = version.label.as_deref().map(Box::from);
    let known = before.into_iter().flat_map(Rollout::versions);
    let mut same = known.filter(|known| known.hash == hash && known.number == number && known.label == label);
    if let Some(same) = same.next() {
        return Ok(same.clone());
    }
    let document = FlagDocument::read(content.as_bytes())
        .map_err(|error| UnreadableRollout::Document { version: number, why: error.to_string() })?;
    Ok(Arc::new(Version { number, label, hash, flags: CompiledFlags::compile(&document) }))
}

/// Why an answer cannot be evaluated.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableRollout {
    /// It is no answer of this kind at all.
    #[error("the answer has another form: {0}")]
    Form(#[from] serde_json::Error),
    /// The configuration holds something else.
    #[error("the configuration profile's type is `{0}`; there are flags in `{FLAGS}` only")]
    NoFlags(String),
    /// A document is no text.
    #[error("version {0} is no text")]
    NoText(u32),
    /// A document that the server has taken, and this client cannot read: it is older than the server.
    #[error("version {version} cannot be read: {why}")]
    Document {
        /// Which.
        version: u32,
        /// Why.
        why: String,
    },
    /// More than everybody.
    #[error("{0} parts per million are more than all")]
    Exposure(u32),
    /// A version on its way without its exposure, or the reverse.
    #[error("a version on its way and its exposure belong together")]
    HalfACandidate,
}

#[cfg(test)]
mod tests {
    use super::{Rollout, UnreadableRollout};
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use std::sync::Arc;
    use yardarm_flags::bucketing;

    const KEY: &str = "application/aaaa/environment/bbbb/deployment/3";

    fn version(number: u32) -> Value {
        let document = json!({"version": "1", "values": {format!("v{number}"): {"enabled": true}}});
        json!({"version": number, "contentType": "application/json", "content": document.to_string()})
    }

    fn state(stable: Option<u32>, candidate: Option<(u32, u32)>) -> Value {
        let mut state = json!({"type": "AWS.AppConfig.FeatureFlags", "seq": 7});
        if let Some(stable) = stable {
            state["stable"] = version(stable);
        }
        if let Some((number, exposure)) = candidate {
            state["candidate"] = version(number);
            state["rollout"] = json!({"deployment": 3, "exposure": exposure, "key": KEY});
        }
        state
    }

    fn read(state: &Value) -> Rollout {
        Rollout::read(state.to_string().as_bytes(), None).unwrap()
    }

    fn number(rollout: &Rollout, entity: Option<&str>) -> Option<u32> {
        rollout.version_for(entity).map(|version| version.number())
    }

    #[test]
    fn who_cannot_be_told_apart_gets_a_version_once_everybody_has_it() {
        let on_its_way = read(&state(Some(1), Some((2, 999_999))));
        assert_eq!(number(&on_its_way, None), Some(1));
        assert_eq!(number(&read(&state(Some(1), Some((2, 1_000_000)))), None), Some(2));
        assert_eq!(number(&read(&state(None, Some((2, 0)))), Some("anyone")), None);
        assert_eq!(number(&read(&state(None, None)), Some("anyone")), None);
    }

    proptest! {
        #[test]
        fn an_entity_is_in_as_on_every_server(entity in ".{0,20}", exposure in 0_u32..=1_000_000) {
            let bucket = bucketing::bucket(KEY, &bucketing::named_subject(&entity));
            let rollout = read(&state(Some(1), Some((2, exposure))));
            prop_assert_eq!(number(&rollout, Some(&entity)), Some(if bucket < exposure { 2 } else { 1 }));
        }

        #[test]
        fn no_answer_panics(answer in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Rollout::read(&answer, None);
        }
    }

    #[test]
    fn a_step_of_a_deployment_compiles_nothing_again() {
        let before = read(&state(Some(1), Some((2, 10))));
        let after = state(Some(1), Some((2, 1_000_000))).to_string();
        let after = Rollout::read(after.as_bytes(), Some(&before)).unwrap();
        let old: Vec<_> = before.versions().collect();
        assert!(after.versions().zip(old).all(|(one, other)| Arc::ptr_eq(one, other)));
    }

    #[test]
    fn a_forced_flag_on_its_way_reaches_those_who_are_drawn_for_it_on_both_sides_of_a_deployment() {
        let mut on_its_way = state(Some(1), Some((2, 500_000)));
        let key = "application/aaaa/environment/bbbb/forced/7";
        on_its_way["forced"] =
            json!({"exposure": 500_000, "key": key, "stable": version(3), "candidate": version(4)});
        let rollout = read(&on_its_way);
        let mut seen = std::collections::BTreeSet::new();
        for entity in (0..64).map(|number| number.to_string()) {
            let draws = |key| bucketing::bucket(key, &bucketing::named_subject(&entity)) < 500_000;
            let expected = 1 + u32::from(draws(KEY)) + 2 * u32::from(draws(key));
            assert_eq!(number(&rollout, Some(&entity)), Some(expected));
            seen.insert(expected);
        }
        assert_eq!((seen.len(), number(&rollout, None)), (4, Some(1)));
    }

    #[test]
    fn what_cannot_be_evaluated_is_said() {
        let good = state(Some(1), Some((2, 5)));
        let with = |pointer: &str, value: Value| {
            let mut state = good.clone();
            *state.pointer_mut(pointer).unwrap() = value;
            Rollout::read(state.to_string().as_bytes(), None).unwrap_err()
        };
        assert!(matches!(with("/type", json!("AWS.Freeform")), UnreadableRollout::NoFlags(_)));
        assert!(matches!(with("/stable/content", Value::Null), UnreadableRollout::NoText(1)));
        let bad = with("/candidate/content", json!("{\"version\":\"2\"}"));
        assert!(matches!(bad, UnreadableRollout::Document { version: 2, .. }), "{bad}");
        assert!(matches!(with("/rollout/exposure", json!(1_000_001)), UnreadableRollout::Exposure(_)));
        assert!(matches!(with("/rollout", Value::Null), UnreadableRollout::HalfACandidate));
        assert!(matches!(Rollout::read(b"{}", None).unwrap_err(), UnreadableRollout::Form(_)));
    }
}
