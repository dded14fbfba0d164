//! What is being served: one slot per configuration and environment, each behind an atomic pointer.
//!
//! **Invariants:** a reader finds a whole state, old or new, never a mixture; replacing a state never waits for readers;
//! when new content cannot be loaded the state before stays, or at a start what everybody had, and it is tried again;
//! content that several places serve is loaded once and kept once.

use crate::address::Address;
use crate::configuration::apart;
use crate::error::Error;
use crate::overrule::overruled;
use crate::served::{Candidate, Served, ServedVersion};
use arc_swap::{ArcSwap, ArcSwapOption};
use bytes::Bytes;
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use yardarm_domain::{
    ApplicationId, ContentHash, Deployment, EnvironmentId, Event, ProfileId, ProfileType, World, live,
};
use yardarm_flags::{CompiledFlags, FlagDocument};
use yardarm_log::{Log, Seq};

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
    loaded: Mutex<Loaded>,
}

/// Versions that are being served somewhere, by their content. For the sequencer alone.
#[derive(Debug, Default)]
struct Loaded {
    versions: HashMap<ContentHash, Weak<ServedVersion>>,
    /// How many there were when those that are served no more were last forgotten.
    kept: usize,
}

impl Loaded {
    fn of(&self, deployment: &Deployment) -> Option<Arc<ServedVersion>> {
        let found = self.versions.get(&deployment.content.hash)?.upgrade()?;
        (found.kind == deployment.kind).then_some(found)
    }

    fn note(&mut self, version: &Arc<ServedVersion>) {
        if self.versions.len() > FORGET_ABOVE.max(self.kept.saturating_mul(2)) {
            self.versions.retain(|_, version| version.strong_count() > 0);
            self.kept = self.versions.len();
        }
        self.versions.insert(version.content, Arc::downgrade(version));
    }
}

/// Contents are not forgotten while there are no more than this.
const FORGET_ABOVE: usize = 64;

/// What became of bringing one slot up to date.
#[derive(Debug, Default)]
struct One {
    /// Whether something else is served than before.
    changed: bool,
    /// Why it is not what it should be.
    lacks: Option<Error>,
}

/// What became of bringing slots up to date.
#[derive(Debug, Default)]
pub(crate) struct Refreshed {
    /// Those that could not be, because content could not be loaded.
    pub(crate) behind: Vec<Touched>,
    /// Where something else is served than before.
    pub(crate) changed: Vec<Address>,
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
            Event::FlagForced { application, environment, profile, .. }
            | Event::FlagForceGrown { application, environment, profile }
            | Event::FlagReleased { application, environment, profile, .. } => {
                Some(Self::One(application.clone(), environment.clone(), profile.clone()))
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

    /// Brings the touched slots up to `world`, the state at `seq`.
    pub(crate) async fn refresh(
        &self,
        world: &World,
        seq: Seq,
        touched: Vec<Touched>,
        log: &dyn Log,
    ) -> Refreshed {
        self.make(world, &touched);
        let mut refreshed = Refreshed::default();
        for place in touched {
            match &place {
                Touched::Application(application) => refreshed.changed.extend(self.sweep(world, application)),
                Touched::One(application, environment, profile) => {
                    let ids = (application, environment, profile);
                    let One { changed, lacks } = self.refresh_one(world, seq, ids, log).await;
                    if changed {
                        refreshed.changed.push(Address::new(application, environment, profile));
                    }
                    if let Some(error) = lacks {
                        tracing::error!(%application, %environment, %profile, %error, "content cannot be loaded");
                        refreshed.behind.push(place);
                    }
                }
            }
        }
        refreshed
    }

    async fn refresh_one(
        &self,
        world: &World,
        seq: Seq,
        (application, environment, profile): (&ApplicationId, &EnvironmentId, &ProfileId),
        log: &dyn Log,
    ) -> One {
        let address = Address::new(application, environment, profile);
        let Some(slot) = self.get(&address) else { return One::default() };
        let Some(live) = live(world, application, environment, profile) else {
            return One { changed: slot.state.swap(None).is_some(), lacks: None };
        };
        let old = slot.state.load_full();
        let stable = match &live.stable {
            Some(deployment) => match self.ready(deployment, old.as_deref(), log).await {
                Ok(stable) => Some(stable),
                Err(error) => return One { changed: false, lacks: Some(error) },
            },
            None => None,
        };
        let (candidate, lacks) = match &live.candidate {
            Some((deployment, exposure)) => match self.ready(deployment, old.as_deref(), log).await {
                Ok(version) => {
                    let key = Deployment::bucketing_key(application, environment, deployment.number).into();
                    (
                        Some(Candidate { version, deployment: deployment.number, exposure: *exposure, key }),
                        None,
                    )
                }
                // What is served stays. Where nothing is, as at a start, what everybody had is better than nothing.
                Err(error) if old.is_some() || stable.is_none() => {
                    return One { changed: false, lacks: Some(error) };
                }
                Err(error) => (None, Some(error)),
            },
            None => (None, None),
        };
        let plain = Served { stable, candidate, forced: None, revision: seq };
        let new =
            match world.environment(application, environment).ok().and_then(|it| it.forced_flags(profile)) {
                Some(flags) => {
                    match overruled(&plain, flags, (application, environment), old.as_deref()).await {
                        Ok(served) => served,
                        Err(error) => return One { changed: false, lacks: Some(error) },
                    }
                }
                None => plain,
            };
        if old.is_some_and(|old| old.is_same(&new)) {
            return One { changed: false, lacks };
        }
        slot.state.store(Some(Arc::new(new)));
        One { changed: true, lacks }
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

    /// Drops the slots of what no longer exists in `application`. Answers where something was served.
    fn sweep(&self, world: &World, application: &ApplicationId) -> Vec<Address> {
        let mut map = HashMap::clone(&self.map.load());
        let mut dropped = vec![];
        map.retain(|address, slot| {
            let Some((app, environment, profile)) = address.ids() else { return false };
            let exists =
                world.environment(&app, &environment).is_ok() && world.profile(&app, &profile).is_ok();
            let keep = app != *application || exists;
            if !keep && slot.state.swap(None).is_some() {
                dropped.push(*address);
            }
            keep
        });
        self.map.store(Arc::new(map));
        dropped
    }

    /// A deployment's version in the forms in which it is sent.
    async fn ready(
        &self,
        deployment: &Deployment,
        old: Option<&Served>,
        log: &dyn Log,
    ) -> Result<Arc<ServedVersion>, Error> {
        let is_it = |known: &&Arc<ServedVersion>| {
            known.content == deployment.content.hash
                && known.version == deployment.version
                && known.deployed_at == deployment.started_at
        };
        if let Some(known) = old.and_then(|old| old.known().find(is_it)) {
            return Ok(known.clone());
        }
        let known = self.loaded().of(deployment);
        let forms = match &known {
            Some(same) => Forms::of(same),
            None => load(deployment, log).await?,
        };
        let version = Arc::new(ServedVersion {
            version: deployment.version,
            label: deployment.label.as_ref().map(|label| Bytes::copy_from_slice(label.as_str().as_bytes())),
            content_type: Bytes::copy_from_slice(deployment.content_type.as_str().as_bytes()),
            body: forms.body,
            stored: forms.stored,
            ion: forms.ion,
            flags: forms.flags,
            kind: deployment.kind,
            content: deployment.content.hash,
            deployed_at: deployment.started_at,
            forced: None,
        });
        self.loaded().note(&version);
        Ok(version)
    }

    fn loaded(&self) -> std::sync::MutexGuard<'_, Loaded> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Content in the forms in which it is sent and evaluated: made once, however many places serve it.
struct Forms {
    body: Bytes,
    stored: Bytes,
    ion: Option<Bytes>,
    flags: Option<Arc<CompiledFlags>>,
}

impl Forms {
    fn of(version: &ServedVersion) -> Self {
        let ServedVersion { body, stored, ion, flags, .. } = version;
        Self { body: body.clone(), stored: stored.clone(), ion: ion.clone(), flags: flags.clone() }
    }
}

async fn load(deployment: &Deployment, log: &dyn Log) -> Result<Forms, Error> {
    let hash = yardarm_log::ContentHash(deployment.content.hash.0);
    let missing = || Error::Unreadable(format!("content {hash} is missing"));
    let stored = log.content(hash).await?.ok_or_else(missing)?;
    match deployment.kind {
        ProfileType::Freeform => Ok(Forms { body: stored.clone(), stored, ion: None, flags: None }),
        ProfileType::FeatureFlags => {
            apart(stored.len(), move || {
                let document = FlagDocument::read(&stored)
                    .map_err(|error| Error::Unreadable(format!("flag document {hash}: {error}")))?;
                let body = Bytes::from(yardarm_flags::served(&document));
                let ion =
                    yardarm_ion::has_variants(&document).then(|| Bytes::from(yardarm_ion::write(&document)));
                Ok(Forms { body, stored, ion, flags: Some(Arc::new(CompiledFlags::compile(&document))) })
            })
            .await
        }
    }
}
