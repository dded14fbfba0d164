//! A branch: one client of the flags.

use super::customer::Customer;
use super::order::Offer;
use crate::estate;
use crate::failure::DemoError;
use arc_swap::ArcSwap;
use jiff::Timestamp;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use yardarm_client::{Freshness, LiveFlags, LiveSettings, Place, Server, system_now};

/// A branch. It can be closed and opened again, as a service is restarted.
pub(crate) struct Branch {
    town: &'static str,
    server: Server,
    copies: PathBuf,
    open: ArcSwap<Open>,
}

/// A branch while it is open.
struct Open {
    flags: Arc<LiveFlags>,
    seen: Arc<Mutex<Vec<Seen>>>,
    watching: AbortHandle,
}

/// A version that everybody at a branch gets, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    version: u32,
    at: Timestamp,
}

/// Changes that a branch remembers.
const REMEMBERED: usize = 64;

impl Branch {
    pub(crate) async fn open(town: &'static str, server: Server, copies: PathBuf) -> Result<Self, DemoError> {
        std::fs::create_dir_all(&copies).map_err(DemoError::machine("a branch has no folder"))?;
        let open = ArcSwap::from_pointee(Open::new(&server, &copies).await);
        Ok(Self { town, server, copies, open })
    }

    /// Closes and opens it: it forgets everything but what it has kept on the disk.
    pub(crate) async fn restart(&self) {
        self.open.load().flags.close().await;
        self.open.store(Arc::new(Open::new(&self.server, &self.copies).await));
    }

    pub(crate) const fn town(&self) -> &'static str {
        self.town
    }

    /// What a customer is offered here.
    pub(crate) fn offer(&self, customer: &Customer) -> Offer {
        let version = self.open.load().flags.version_for(Some(customer.id()));
        version.map(|version| Offer::read(&version, customer)).unwrap_or_default()
    }

    /// Whether the branch has what the server has, as far as it knows.
    pub(crate) fn is_current(&self) -> bool {
        self.open.load().flags.freshness() == Freshness::Current
    }

    /// Since when everybody here gets `version`, if that is so now.
    pub(crate) fn has_since(&self, version: u32) -> Option<Timestamp> {
        let open = self.open.load();
        let seen = open.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.last().filter(|seen| seen.version == version).map(|seen| seen.at)
    }
}

impl Open {
    async fn new(server: &Server, copies: &std::path::Path) -> Self {
        let place = Place::new(estate::APPLICATION, estate::ENVIRONMENT, estate::PROFILE);
        let settings = LiveSettings { copies: Some(copies.into()), ..LiveSettings::default() };
        let flags = Arc::new(LiveFlags::start(server.clone(), place, settings).await);
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let watching = tokio::spawn(watch(flags.watch_changes(), Arc::downgrade(&flags), seen.clone()));
        Self { flags, seen, watching: watching.abort_handle() }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

/// Notes every version that everybody gets.
async fn watch(
    mut changes: watch::Receiver<u64>,
    flags: std::sync::Weak<LiveFlags>,
    seen: Arc<Mutex<Vec<Seen>>>,
) {
    changes.mark_changed();
    while changes.changed().await.is_ok() {
        let Some(flags) = flags.upgrade() else { return };
        let Some(version) = flags.version_for(None) else { continue };
        let (version, at) = (version.number(), system_now());
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.last().is_none_or(|last| last.version != version) {
            if seen.len() == REMEMBERED {
                seen.remove(0);
            }
            seen.push(Seen { version, at });
        }
    }
}
