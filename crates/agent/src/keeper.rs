//! Keeping configurations: the one place where what is decided elsewhere is carried out.
//!
//! Each configuration is followed by one task, which asks its source, stores what has come behind an atomic pointer,
//! writes copies, and sleeps. **Invariants:** callers wait for the first answer only, and all of them for the same one;
//! what is held is served whatever happens upstream; names that lead nowhere are forgotten before they fill the memory.

use crate::backup::{BackupFolder, Restored};
use crate::changes::Changes;
use crate::content::Content;
use crate::counts::Counts;
use crate::held::{Held, OwnSubject};
use crate::manifest::Manifest;
use crate::name::{ConfigurationName, Place};
use crate::refusal::Refusal;
use crate::settings::{KeepingSettings, ManifestPlace, Role};
use crate::source::{Draw, News, Source, What};
use crate::status::Status;
use crate::trouble::Trouble;
use crate::{answer, write_to};
use arc_swap::{ArcSwap, ArcSwapOption};
use jiff::Timestamp;
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use yardarm_client::{Now, private_file};

/// The most configurations that are known at a time.
const MOST: usize = 10_000;
/// Bytes of a manifest.
const MANIFEST_BYTES: usize = 4 * 1024 * 1024;

/// One configuration.
pub(crate) struct Entry {
    pub(crate) name: ConfigurationName,
    held: ArcSwapOption<Held>,
    pub(crate) status: watch::Sender<Status>,
    pub(crate) counts: Counts,
    task: Mutex<Option<AbortHandle>>,
}

impl Entry {
    pub(crate) fn held(&self) -> Option<Arc<Held>> {
        self.held.load_full()
    }
}

type Entries = HashMap<ConfigurationName, Arc<Entry>>;

/// All configurations.
pub(crate) struct Keeper {
    source: Box<dyn Source>,
    settings: KeepingSettings,
    backups: Option<BackupFolder>,
    now: Now,
    draw: Draw,
    /// Stands for callers that name no entity.
    own: OwnSubject,
    entries: ArcSwap<Entries>,
    /// Held by who adds or removes entries.
    changing: Mutex<()>,
    manifest: ArcSwap<Manifest>,
    /// What carries out a manifest anew whenever it is deployed.
    heeding: Mutex<Option<AbortHandle>>,
    changes: Changes,
    closing: watch::Sender<bool>,
}

/// Why an agent does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The manifest's file cannot be used.
    #[error("the manifest {path}: {problem}")]
    Manifest {
        /// Its path.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The folder of copies cannot be made.
    #[error("BACKUP_DIRECTORY {path} cannot be used: {error}")]
    Backups {
        /// Its path.
        path: String,
        /// Why.
        error: io::Error,
    },
}

impl Keeper {
    pub(crate) fn new(source: Box<dyn Source>, settings: KeepingSettings, now: Now, draw: Draw) -> Arc<Self> {
        let mut own = OwnSubject::default();
        for (half, draw) in own.chunks_exact_mut(8).zip([draw.number(), draw.number()]) {
            half.copy_from_slice(&draw.to_be_bytes());
        }
        let backups = settings.backups.as_ref().map(|backups| BackupFolder::new(backups.directory.clone()));
        Arc::new(Self {
            source,
            settings,
            backups,
            now,
            draw,
            own,
            entries: ArcSwap::default(),
            changing: Mutex::default(),
            manifest: ArcSwap::default(),
            heeding: Mutex::default(),
            changes: Changes::default(),
            closing: watch::Sender::new(false),
        })
    }

    /// Loads copies, carries out the manifest and begins to fetch what is named ahead.
    pub(crate) async fn start(self: &Arc<Self>) -> Result<(), StartError> {
        self.load_backups().await?;
        match &self.settings.manifest {
            None => {}
            Some(ManifestPlace::File(path)) => {
                let wrong =
                    |problem: String| StartError::Manifest { path: path.display().to_string(), problem };
                let text =
                    private_file::read(path, MANIFEST_BYTES).map_err(|error| wrong(error.to_string()))?;
                let text = text.ok_or_else(|| wrong("it does not exist".into()))?;
                let read = Manifest::read(&text).map_err(|error| wrong(error.to_string()))?;
                self.apply(read);
            }
            Some(ManifestPlace::Configuration(name)) => {
                let (applied, mut is_applied) = watch::channel(false);
                if let Ok(entry) = self.entry(name) {
                    self.want(&entry);
                    let heeding = tokio::spawn(self.clone().heed_manifest(entry, applied));
                    *self.heeding.lock().unwrap_or_else(PoisonError::into_inner) =
                        Some(heeding.abort_handle());
                }
                if self.settings.wait_on_manifest {
                    // Never closed before it is true, but by the end of the process.
                    let _ = is_applied.wait_for(|applied| *applied).await;
                }
            }
        }
        for name in &self.settings.prefetch {
            if let Ok(entry) = self.entry(name) {
                self.want(&entry);
            }
        }
        if self.settings.manifest.is_some() && self.settings.wait_on_manifest {
            self.until_manifest_is_fetched().await;
        }
        Ok(())
    }

    /// Lets go of those who listen.
    pub(crate) fn begin_closing(&self) {
        self.closing.send_replace(true);
    }

    /// Ready when the agent is closing.
    pub(crate) async fn until_closing(&self) {
        // The sender is here, so there is no error.
        let _ = self.closing.subscribe().wait_for(|closing| *closing).await;
    }

    /// Hears whenever something else is held in `place`.
    pub(crate) fn subscribe(&self, place: &Place) -> watch::Receiver<()> {
        self.changes.subscribe(place)
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// A random number; its whole range counts.
    pub(crate) fn draw(&self) -> u16 {
        let [low, high, ..] = self.draw.number().to_le_bytes();
        u16::from_le_bytes([low, high])
    }

    /// Ends all tasks.
    pub(crate) fn close(&self) {
        self.begin_closing();
        let end = |task: &Mutex<Option<AbortHandle>>| {
            if let Some(task) = task.lock().unwrap_or_else(PoisonError::into_inner).take() {
                task.abort();
            }
        };
        end(&self.heeding);
        self.entries.load().values().for_each(|entry| end(&entry.task));
    }

    async fn load_backups(self: &Arc<Self>) -> Result<(), StartError> {
        let Some(folder) = &self.backups else { return Ok(()) };
        let unusable = |error| {
            let path = self.settings.backups.as_ref().map(|backups| backups.directory.display().to_string());
            StartError::Backups { path: path.unwrap_or_default(), error }
        };
        folder.make().map_err(unusable)?;
        if !self.settings.backups.as_ref().is_some_and(|backups| backups.preload) {
            return Ok(());
        }
        let reading = folder.clone();
        let restored = tokio::task::spawn_blocking(move || reading.read_all()).await;
        for restored in restored.map_err(|error| unusable(io::Error::other(error)))? {
            if let Ok(entry) = self.entry(&restored.name) {
                tracing::info!(
                    "loaded the backup of '{}', retrieved at {}",
                    entry.name,
                    restored.retrieved_at
                );
                if Self::restore(&entry, restored) {
                    self.follow(entry);
                }
            }
        }
        Ok(())
    }

    fn restore(entry: &Entry, restored: Restored) -> bool {
        entry.held.store(Some(Arc::new(restored.held)));
        let mut follow = false;
        entry.status.send_modify(|status| follow = status.restored(restored.retrieved_at));
        follow
    }

    async fn heed_manifest(self: Arc<Self>, entry: Arc<Entry>, applied: watch::Sender<bool>) {
        let mut status = entry.status.subscribe();
        let mut known: Option<Arc<Content>> = None;
        loop {
            let held = entry.held();
            let content = held.as_deref().and_then(|held| held.content_for(None, &self.own));
            let is_new =
                |content: &&Arc<Content>| known.as_ref().is_none_or(|known| !Arc::ptr_eq(known, content));
            if let Some(content) = content.filter(is_new) {
                match Manifest::read(&content.body) {
                    Ok(read) => {
                        tracing::info!("manifest '{}', version {}", entry.name, content.version);
                        self.apply(read);
                    }
                    Err(error) => tracing::error!("manifest '{}': {error}", entry.name),
                }
                known = Some(content.clone());
                applied.send_replace(true);
            }
            if status.changed().await.is_err() {
                return;
            }
        }
    }

    fn apply(self: &Arc<Self>, read: crate::manifest::Read) {
        for member in &read.unknown {
            tracing::warn!("the manifest has a member that means nothing: {member}");
        }
        let before = self.manifest.swap(Arc::new(read.manifest));
        let now = self.manifest.load_full();
        let others = before.entries().filter(|(name, _)| now.entry(name).is_none());
        let names: Vec<ConfigurationName> =
            now.entries().chain(others).map(|(name, _)| name.clone()).collect();
        for name in names {
            let is_known = self.entries.load().contains_key(&name);
            let prefetch = now.entry(&name).is_some_and(|entry| entry.prefetch);
            if !is_known && !prefetch {
                continue;
            }
            let Ok(entry) = self.entry(&name) else { continue };
            let interval = self.interval(&name);
            entry.status.send_modify(|status| status.pace(interval));
            if prefetch {
                self.want(&entry);
            }
        }
    }

    async fn until_manifest_is_fetched(&self) {
        let manifest = self.manifest.load_full();
        for (name, _) in manifest.entries().filter(|(_, entry)| entry.prefetch) {
            let entry = self.entries.load().get(name).cloned();
            if let Some(entry) = entry {
                let _ = entry.status.subscribe().wait_for(|status| !status.is_fetching()).await;
            }
        }
    }

    /// What there is of a configuration. Waits for the first answer.
    pub(crate) async fn held(
        self: &Arc<Self>,
        name: &ConfigurationName,
    ) -> Result<(Arc<Entry>, Arc<Held>), Refusal> {
        let entry = self.entry(name)?;
        if let Some(held) = entry.held() {
            return Ok((entry, held));
        }
        let mut status = entry.status.subscribe();
        self.want(&entry);
        let timeout = self.settings.request_timeout;
        let trouble = match tokio::time::timeout(timeout, status.wait_for(|status| !status.is_fetching()))
            .await
        {
            Err(_) => Trouble::TimedOut(timeout),
            Ok(Err(_)) => return Err(Refusal::Internal),
            Ok(Ok(status)) => match status.trouble() {
                Some(trouble) => trouble.clone(),
                None => {
                    Trouble::NotFound { message: format!("nothing is held of '{name}'"), resource_type: None }
                }
            },
        };
        match entry.held() {
            Some(held) => Ok((entry, held)),
            None => Err(trouble.into()),
        }
    }

    pub(crate) fn own(&self) -> &OwnSubject {
        &self.own
    }

    pub(crate) fn entries(&self) -> Vec<Arc<Entry>> {
        let mut entries: Vec<Arc<Entry>> = self.entries.load().values().cloned().collect();
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        entries
    }

    /// Begins to fetch a configuration of which nothing is held, unless that has just failed. Does not wait.
    pub(crate) fn look_for(self: &Arc<Self>, name: &ConfigurationName) {
        if let Ok(entry) = self.entry(name)
            && entry.held.load().is_none()
        {
            self.want(&entry);
        }
    }

    /// The entry of a configuration, if there is one.
    pub(crate) fn find(&self, name: &ConfigurationName) -> Option<Arc<Entry>> {
        self.entries.load().get(name).cloned()
    }

    /// Every configuration that is held or was named ahead.
    pub(crate) fn known(&self) -> Vec<ConfigurationName> {
        let entries = self.entries.load();
        let held = entries.values().filter(|entry| entry.held.load().is_some()).map(|entry| &entry.name);
        let manifest = self.manifest.load();
        let named = manifest.entries().map(|(name, _)| name).chain(&self.settings.prefetch);
        held.chain(named).filter(|name| !self.is_manifest(name)).cloned().collect()
    }

    /// The profiles of flags of an environment: those that the source lists, that were named ahead, or that are held.
    /// What is held and has no flags is none of them.
    pub(crate) fn flag_profiles(&self, place: &Place) -> Vec<String> {
        let Place { application, environment } = place;
        let is_there =
            |name: &ConfigurationName| name.application() == application && name.environment() == environment;
        let entries = self.entries.load();
        let has_none = |name: &ConfigurationName| {
            let held = entries.get(name).and_then(|entry| entry.held());
            held.is_some_and(|held| held.newest.flags().is_none())
        };
        let known = self.known().into_iter().filter(|name| is_there(name) && !has_none(name));
        let listed = self.source.flag_profiles(application, environment);
        listed.into_iter().chain(known.map(|name| name.profile().to_owned())).collect()
    }

    fn entry(&self, name: &ConfigurationName) -> Result<Arc<Entry>, Refusal> {
        if let Some(entry) = self.entries.load().get(name) {
            return Ok(entry.clone());
        }
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut entries = Entries::clone(&self.entries.load());
        if let Some(entry) = entries.get(name) {
            return Ok(entry.clone());
        }
        if entries.len() >= MOST {
            entries.retain(|_, entry| !entry.status.borrow().is_idle());
            if entries.len() >= MOST {
                return Err(Refusal::TooMany);
            }
        }
        let entry = Arc::new(Entry {
            name: name.clone(),
            held: ArcSwapOption::empty(),
            status: watch::Sender::new(Status::new(self.interval(name))),
            counts: Counts::default(),
            task: Mutex::default(),
        });
        entries.insert(name.clone(), entry.clone());
        self.entries.store(Arc::new(entries));
        Ok(entry)
    }

    fn interval(&self, name: &ConfigurationName) -> Duration {
        let manifest = self.manifest.load();
        let own = manifest.entry(name).and_then(|entry| entry.poll_interval);
        own.unwrap_or(self.settings.poll_interval)
    }

    /// Whether it is followed even while there is nothing.
    fn is_pinned(&self, name: &ConfigurationName) -> bool {
        self.is_manifest(name)
            || self.settings.prefetch.contains(name)
            || self.manifest.load().entry(name).is_some_and(|entry| entry.prefetch)
    }

    fn is_manifest(&self, name: &ConfigurationName) -> bool {
        matches!(&self.settings.manifest, Some(ManifestPlace::Configuration(manifest)) if manifest == name)
    }

    fn want(self: &Arc<Self>, entry: &Arc<Entry>) {
        let now = self.now();
        let follow = entry.status.send_if_modified(|status| status.want(now));
        if follow {
            self.follow(entry.clone());
        }
    }

    fn follow(self: &Arc<Self>, entry: Arc<Entry>) {
        let task = tokio::spawn(self.clone().follow_to_the_end(entry.clone()));
        *entry.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(task.abort_handle());
    }

    async fn follow_to_the_end(self: Arc<Self>, entry: Arc<Entry>) {
        let mut role = self.role(&entry.name);
        let mut feed = self.source.feed(&entry.name, role.as_ref());
        loop {
            let wanted = self.role(&entry.name);
            if wanted != role {
                feed = self.source.feed(&entry.name, wanted.as_ref());
                role = wanted;
            }
            let started = Instant::now();
            let outcome = feed.next(entry.held().as_deref()).await;
            let wait = self.take(&entry, outcome, started.elapsed()).await;
            if entry.held().is_none() && !self.is_pinned(&entry.name) {
                entry.status.send_modify(Status::let_go);
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = feed.changed() => {}
            }
        }
    }

    fn role(&self, name: &ConfigurationName) -> Option<Role> {
        self.manifest.load().entry(name)?.role.clone()
    }

    /// Takes in what a feed has found out. Answers how long to wait.
    async fn take(&self, entry: &Arc<Entry>, outcome: Result<News, Trouble>, took: Duration) -> Duration {
        let name = &entry.name;
        let was_empty = entry.held.load().is_none();
        let mut written = None;
        match &outcome {
            Ok(News { what: What::Held(held), .. }) => {
                let held = Arc::new(held.clone());
                self.replace(entry, Some(held.clone()));
                written = Some(held);
                let took_ms = took.as_secs_f64() * 1_000.0;
                let what = if was_empty { "initial" } else { "new" };
                tracing::info!("retrieved {what} data for '{name}' in {took_ms:.1}ms");
            }
            Ok(News { what: What::Same, .. }) => {}
            Ok(News { what: What::Nothing(trouble), .. }) => {
                self.replace(entry, None);
                tracing::warn!("there is nothing for '{name}': {trouble}");
            }
            Err(trouble) if was_empty => {
                tracing::warn!("no data for '{name}': {trouble}");
                if trouble.is_outage() {
                    self.fall_back(entry).await;
                }
            }
            Err(trouble) => tracing::warn!("serving what is held of '{name}', because upstream: {trouble}"),
        }
        let (now, draw, holds) = (self.now(), self.draw.number(), entry.held.load().is_some());
        let mut wait = Duration::ZERO;
        entry.status.send_modify(|status| wait = status.learn(&outcome, holds, now, draw));
        if let Some(held) = written {
            self.write(name, held).await;
        }
        wait
    }

    /// Holds something else from now on, and tells those who listen.
    fn replace(&self, entry: &Entry, held: Option<Arc<Held>>) {
        let before = entry.held();
        let differs = before.map(|before| before.identity()) != held.as_ref().map(|held| held.identity());
        if differs {
            let now = self.now();
            // First: who begins to listen now and finds the new one must also find that it is new.
            entry.status.send_if_modified(|status| {
                status.last_change = Some(now);
                false
            });
        }
        entry.held.store(held);
        if differs {
            self.changes.announce(&entry.name.place());
        }
    }

    /// Upstream is out of reach and nothing is held: a copy from the disk is better than nothing.
    async fn fall_back(&self, entry: &Entry) {
        let Some(folder) = self.backups.clone() else { return };
        let name = entry.name.clone();
        let restored = tokio::task::spawn_blocking(move || folder.read(&name)).await;
        if let Ok(Some(restored)) = restored {
            tracing::info!("loaded the backup of '{}', retrieved at {}", entry.name, restored.retrieved_at);
            Self::restore(entry, restored);
            self.changes.announce(&entry.name.place());
        }
    }

    /// Writes what has come to where it is wanted.
    async fn write(&self, name: &ConfigurationName, held: Arc<Held>) {
        let manifest = self.manifest.load_full();
        let said = manifest.entry(name);
        let backups = self.backups.clone().filter(|_| said.is_none_or(|said| said.backup));
        let path = said.and_then(|said| said.write_to.clone());
        let text = path.as_ref().and_then(|_| answer::plain_text(&held, &self.own));
        if backups.is_none() && text.is_none() {
            return;
        }
        let (name, now) = (name.clone(), self.now());
        let writing = tokio::task::spawn_blocking(move || {
            if let Some(Err(error)) = backups.map(|folder| folder.write(&name, &held, now)) {
                tracing::error!("the backup of '{name}' could not be written: {error}");
            }
            if let (Some(path), Some(text)) = (path, text) {
                match write_to::replace(&path, &text) {
                    Ok(()) => tracing::info!("wrote configuration '{name}' to {}", path.display()),
                    Err(error) => {
                        tracing::error!(
                            "configuration '{name}' could not be written to {}: {error}",
                            path.display()
                        );
                    }
                }
            }
        });
        if let Err(error) = writing.await {
            tracing::error!("writing ended badly: {error}");
        }
    }
}
