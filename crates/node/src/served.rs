//! What is being served: one slot per configuration and environment, each behind an atomic pointer.
//!
//! **Invariants:** a reader finds a whole state, old or new, never a mixture; replacing a state never waits for readers;
//! when new content cannot be loaded the state before stays, and is tried again.

use crate::error::Error;
use arc_swap::{ArcSwap, ArcSwapOption};
use bytes::Bytes;
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use yardarm_domain::{
    ApplicationId, ContentHash, Deployment, EnvironmentId, Event, Exposure, ProfileId, ProfileType,
    VersionNumber, World, live,
};
use yardarm_flags::{FlagDocument, bucketing};
use yardarm_log::Log;

/// A configuration in an environment: three ids of at most seven characters in 24 bytes, so that a token can carry it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Address([u8; 24]);

impl Address {
    /// Packs three ids.
    #[must_use]
    pub fn new(application: &ApplicationId, environment: &EnvironmentId, profile: &ProfileId) -> Self {
        let mut bytes = [0; 24];
        let ids = [application.as_str(), environment.as_str(), profile.as_str()];
        for (slot, id) in bytes.chunks_exact_mut(8).zip(ids) {
            for (byte, letter) in slot.iter_mut().zip(id.bytes()) {
                *byte = letter;
            }
        }
        Self(bytes)
    }

    /// From a token.
    #[must_use]
    pub(crate) fn from_bytes(bytes: [u8; 24]) -> Self {
        Self(bytes)
    }

    /// For a token.
    #[must_use]
    pub(crate) fn bytes(&self) -> &[u8; 24] {
        &self.0
    }

    /// The three ids; `None` if these bytes never were any.
    #[must_use]
    pub fn ids(&self) -> Option<(ApplicationId, EnvironmentId, ProfileId)> {
        let mut parts =
            self.0.chunks_exact(8).map(|part| std::str::from_utf8(part).unwrap_or("").trim_end_matches('\0'));
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    }
}

/// A deployed version, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedVersion {
    /// Its number.
    pub version: VersionNumber,
    /// Its label.
    pub label: Option<Bytes>,
    /// The stored MIME type.
    pub content_type: Bytes,
    /// What plain clients get: the stored bytes, or a flag document's retrieval form.
    pub body: Bytes,
    /// Whether it is a flag document.
    pub kind: ProfileType,
    /// Hash of the stored bytes.
    pub content: ContentHash,
}

/// What one configuration's clients get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    stable: Option<Arc<ServedVersion>>,
    candidate: Option<Candidate>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Candidate {
    version: Arc<ServedVersion>,
    exposure: Exposure,
    /// What clients are bucketed with.
    key: Box<str>,
}

impl Served {
    /// What the client known as `subject` gets. `None`: it is outside a rollout and nothing was completed before.
    #[must_use]
    pub fn for_subject(&self, subject: &[u8]) -> Option<&Arc<ServedVersion>> {
        match &self.candidate {
            Some(candidate) if candidate.exposure == Exposure::ALL => Some(&candidate.version),
            Some(candidate)
                if candidate.exposure > Exposure::NONE
                    && bucketing::exposed(bucketing::bucket(&candidate.key, subject), candidate.exposure) =>
            {
                Some(&candidate.version)
            }
            _ => self.stable.as_ref(),
        }
    }

    /// What somebody who cannot be told apart gets: the new version only once everyone has it.
    #[must_use]
    pub fn for_anyone(&self) -> Option<&Arc<ServedVersion>> {
        match &self.candidate {
            Some(candidate) if candidate.exposure == Exposure::ALL => Some(&candidate.version),
            _ => self.stable.as_ref(),
        }
    }

    /// The version with this content, so that it need not be loaded again.
    fn with_content(&self, hash: ContentHash) -> Option<&Arc<ServedVersion>> {
        self.stable
            .iter()
            .chain(self.candidate.iter().map(|candidate| &candidate.version))
            .find(|v| v.content == hash)
    }
}

/// One configuration in one environment.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    pub(crate) state: ArcSwapOption<Served>,
    /// When it was last read, milliseconds since the epoch; zero for never.
    last_read_ms: AtomicI64,
}

impl Slot {
    pub(crate) fn touch(&self, now: Timestamp) {
        self.last_read_ms.store(now.as_millisecond(), Ordering::Relaxed);
    }

    pub(crate) fn last_read(&self) -> Option<Timestamp> {
        match self.last_read_ms.load(Ordering::Relaxed) {
            0 => None,
            ms => Timestamp::from_millisecond(ms).ok(),
        }
    }
}

/// All slots.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    map: ArcSwap<HashMap<Address, Arc<Slot>>>,
}

/// Which slots a change may concern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Touched {
    One(ApplicationId, EnvironmentId, ProfileId),
    Application(ApplicationId),
}

impl Touched {
    /// Which slots `event` concerns, if any. `world`: in which it has happened.
    pub(crate) fn by(event: &Event, world: &World) -> Option<Self> {
        match event {
            Event::DeploymentStarted { application, environment, profile, .. } => {
                Some(Self::One(application.clone(), environment.clone(), profile.clone()))
            }
            Event::DeploymentStepped { application, environment, deployment, .. } => {
                let found = world.environment(application, environment).ok()?.deployments.get(deployment)?;
                Some(Self::One(application.clone(), environment.clone(), found.profile.clone()))
            }
            Event::ApplicationDeleted { application }
            | Event::EnvironmentDeleted { application, .. }
            | Event::ConfigurationProfileDeleted { application, .. } => {
                Some(Self::Application(application.clone()))
            }
            _ => None,
        }
    }
}

impl Slots {
    pub(crate) fn get(&self, address: &Address) -> Option<Arc<Slot>> {
        self.map.load().get(address).cloned()
    }

    /// When the slots that `wanted` accepts were last read.
    pub(crate) fn last_reads(&self, wanted: impl Fn(&Address) -> bool) -> Vec<(Address, Timestamp)> {
        let map = self.map.load();
        let found = map.iter().filter(|(address, _)| wanted(address));
        found.filter_map(|(address, slot)| Some((*address, slot.last_read()?))).collect()
    }

    /// Everything that `world` serves. For the start.
    pub(crate) fn all(world: &World) -> Vec<Touched> {
        let mut touched = vec![];
        for application in world.applications().values() {
            for environment in application.environments.values() {
                for profile in application.profiles.keys() {
                    touched.push(Touched::One(
                        application.id.clone(),
                        environment.id.clone(),
                        profile.clone(),
                    ));
                }
            }
        }
        touched
    }

    /// Brings the touched slots up to `world`. Answers those that could not be, because content could not be loaded.
    pub(crate) async fn refresh(&self, world: &World, touched: Vec<Touched>, log: &dyn Log) -> Vec<Touched> {
        self.make(world, &touched);
        let mut behind = vec![];
        for place in touched {
            match &place {
                Touched::Application(application) => self.sweep(world, application),
                Touched::One(application, environment, profile) => {
                    let refreshed = self.refresh_one(world, application, environment, profile, log).await;
                    if let Err(error) = refreshed {
                        tracing::error!(%application, %environment, %profile, %error, "content cannot be loaded");
                        behind.push(place);
                    }
                }
            }
        }
        behind
    }

    async fn refresh_one(
        &self,
        world: &World,
        application: &ApplicationId,
        environment: &EnvironmentId,
        profile: &ProfileId,
        log: &dyn Log,
    ) -> Result<(), Error> {
        let address = Address::new(application, environment, profile);
        let Some(slot) = self.get(&address) else { return Ok(()) };
        let Some(live) = live(world, application, environment, profile) else {
            slot.state.store(None);
            return Ok(());
        };
        let old = slot.state.load_full();
        let stable = match &live.stable {
            Some(deployment) => Some(ready(deployment, old.as_deref(), log).await?),
            None => None,
        };
        let candidate = match &live.candidate {
            Some((deployment, exposure)) => Some(Candidate {
                version: ready(deployment, old.as_deref(), log).await?,
                exposure: *exposure,
                key: Deployment::bucketing_key(application, environment, deployment.number).into(),
            }),
            None => None,
        };
        slot.state.store(Some(Arc::new(Served { stable, candidate })));
        Ok(())
    }

    /// Makes the slots that `touched` needs and that are not there, all at once: at the start there are thousands.
    fn make(&self, world: &World, touched: &[Touched]) {
        let before = self.map.load();
        let address = |place: &Touched| match place {
            Touched::One(application, environment, profile) => {
                let address = Address::new(application, environment, profile);
                let missing = !before.contains_key(&address);
                (missing && live(world, application, environment, profile).is_some()).then_some(address)
            }
            Touched::Application(_) => None,
        };
        let missing: Vec<Address> = touched.iter().filter_map(address).collect();
        if missing.is_empty() {
            return;
        }
        // Only the sequencer makes slots, so nobody else can have made these meanwhile.
        let mut map = HashMap::clone(&before);
        map.extend(missing.into_iter().map(|address| (address, Arc::default())));
        self.map.store(Arc::new(map));
    }

    /// Drops the slots of what no longer exists in `application`.
    fn sweep(&self, world: &World, application: &ApplicationId) {
        let mut map = HashMap::clone(&self.map.load());
        map.retain(|address, slot| {
            let Some((app, environment, profile)) = address.ids() else { return false };
            let exists =
                world.environment(&app, &environment).is_ok() && world.profile(&app, &profile).is_ok();
            let keep = app != *application || exists;
            if !keep {
                slot.state.store(None);
            }
            keep
        });
        self.map.store(Arc::new(map));
    }
}

/// A deployment's version in the form in which it is sent.
async fn ready(
    deployment: &Deployment,
    old: Option<&Served>,
    log: &dyn Log,
) -> Result<Arc<ServedVersion>, Error> {
    let hash = deployment.content.hash;
    let known = old.and_then(|old| old.with_content(hash));
    if let Some(known) = known.filter(|known| known.version == deployment.version) {
        return Ok(known.clone());
    }
    let body = match known {
        Some(same) if same.kind == deployment.kind => same.body.clone(),
        _ => load(deployment, log).await?,
    };
    Ok(Arc::new(ServedVersion {
        version: deployment.version,
        label: deployment.label.as_ref().map(|label| Bytes::copy_from_slice(label.as_str().as_bytes())),
        content_type: Bytes::copy_from_slice(deployment.content_type.as_str().as_bytes()),
        body,
        kind: deployment.kind,
        content: hash,
    }))
}

async fn load(deployment: &Deployment, log: &dyn Log) -> Result<Bytes, Error> {
    let hash = yardarm_log::ContentHash(deployment.content.hash.0);
    let missing = || Error::Unreadable(format!("content {hash} is missing"));
    let stored = log.content(hash).await?.ok_or_else(missing)?;
    match deployment.kind {
        ProfileType::Freeform => Ok(stored),
        ProfileType::FeatureFlags => FlagDocument::read(&stored)
            .map(|document| Bytes::from(yardarm_flags::served(&document)))
            .map_err(|error| Error::Unreadable(format!("flag document {hash}: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_leads_back_to_its_ids() {
        let (app, env, profile) =
            ("abcd".parse().unwrap(), "1234567".parse().unwrap(), "zzzzz".parse().unwrap());
        let address = Address::new(&app, &env, &profile);
        assert_eq!(Address::from_bytes(*address.bytes()).ids(), Some((app, env, profile)));
        assert_eq!(Address::from_bytes([255; 24]).ids(), None);
        assert_eq!(Address::from_bytes([0; 24]).ids(), None);
    }
}
