//! The handle to a running node.

use crate::acknowledgements::Acknowledgements;
use crate::address::Address;
use crate::alarm_watcher::AlarmWatcher;
use crate::clock::Clock;
use crate::credentials::{self, Ring};
use crate::driver;
use crate::entropy::Entropy;
use crate::error::Error;
use crate::master_key::MasterKeys;
use crate::outside::Outside;
use crate::replay;
use crate::sequencer::{self, Pending, Work};
use crate::session::{SessionSettings, Sessions};
use crate::slots::{Refreshed, Slots, Touched};
use crate::snapshot;
use crate::status::{Counters, Status};
use crate::subscription::Subscriptions;
use crate::view::View;
use arc_swap::ArcSwap;
use jiff::Timestamp;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use yardarm_domain::{Account, AdvanceDeployments, Command, Event, Policy, Quotas};
use yardarm_log::{Content, Log, Seq};

/// Who asks for a change, in which request, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// An access key id, or [`Cause::NODE`].
    pub actor: String,
    /// The request's id.
    pub request_id: String,
    /// Why, when somebody said so.
    pub reason: Option<String>,
}

impl Cause {
    /// The actor of what a node does by itself. No access key has this id: it has a full stop.
    pub const NODE: &str = "yardarm.node";

    /// The node itself does it.
    #[must_use]
    pub fn node(reason: &str) -> Self {
        Self { actor: Self::NODE.into(), request_id: "-".into(), reason: Some(reason.into()) }
    }
}

/// What a command came to.
#[derive(Clone, Debug)]
pub struct Committed<T> {
    /// The command's answer.
    pub outcome: T,
    /// The world right after it has happened. Others may have changed it since; see [`Node::view`].
    pub view: Arc<View>,
}

/// What a node is told at its start.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// Whose resources these are.
    pub account: Account,
    /// Limits.
    pub quotas: Quotas,
    /// Choices.
    pub policy: Policy,
    /// How sessions are run.
    pub sessions: SessionSettings,
    /// Whether other nodes write to the same log.
    pub shared_log: bool,
    /// A snapshot is saved after so many records.
    pub snapshot_every: u64,
    /// Commands that may wait to be decided; more are turned away.
    pub waiting_commands: usize,
}

impl NodeConfig {
    /// Defaults for `account`.
    #[must_use]
    pub fn new(account: Account) -> Self {
        Self {
            account,
            quotas: Quotas::default(),
            policy: Policy::default(),
            sessions: SessionSettings::default(),
            shared_log: false,
            snapshot_every: 10_000,
            waiting_commands: 4_096,
        }
    }
}

/// What every part of a node works with.
pub(crate) struct Shared {
    pub(crate) config: NodeConfig,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) master_keys: MasterKeys,
    pub(crate) view: ArcSwap<View>,
    pub(crate) slots: Slots,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) sessions: Sessions,
    pub(crate) ring: ArcSwap<Ring>,
    pub(crate) counters: Counters,
    /// What clients have said of what they were given.
    pub(crate) acknowledgements: Acknowledgements,
    /// Who calls what is outside, once it is known.
    pub(crate) outside: OnceLock<Arc<dyn Outside>>,
    /// From when on the driver has been there to hear of alarms, milliseconds.
    attentive_since: AtomicI64,
    /// Asks alarms' sources, once it was told how.
    pub(crate) alarm_watcher: OnceLock<Arc<AlarmWatcher>>,
    /// Slots whose content could not be loaded yet.
    behind: Mutex<Vec<Touched>>,
    changed: watch::Sender<Seq>,
    closing: watch::Sender<bool>,
}

impl Shared {
    /// Makes `view` what everybody sees. `events` lead to it from the view before.
    pub(crate) async fn publish(&self, view: View, events: &[Event]) {
        let mut touched: Vec<Touched> = vec![];
        for place in events.iter().filter_map(|event| Touched::by(event, &view.world)) {
            if !touched.contains(&place) {
                touched.push(place);
            }
        }
        let Refreshed { behind, changed } =
            self.slots.refresh(&view.world, view.seq, touched, &*self.log).await;
        if behind.is_empty() {
            self.acknowledgements.measure(events, &view.world, &self.slots, self.clock.now());
        }
        self.note_behind(behind);
        if events.iter().any(concerns_credentials) {
            self.refresh_credentials(&view);
        }
        let seq = view.seq;
        self.view.store(Arc::new(view));
        self.subscriptions.announce(&changed, seq);
        self.changed.send_replace(seq);
    }

    fn refresh_credentials(&self, view: &View) {
        let ring = credentials::ring(&view.world, &self.master_keys, &self.ring.load());
        self.ring.store(Arc::new(ring));
        match credentials::token_sealer(&view.world, &self.master_keys) {
            Ok(sealer) => self.sessions.sealer.store(sealer),
            Err(error) => tracing::error!(%error, "sessions cannot be served"),
        }
    }

    fn note_behind(&self, places: Vec<Touched>) {
        let mut behind = self.behind.lock().unwrap_or_else(PoisonError::into_inner);
        for place in places {
            if !behind.contains(&place) {
                behind.push(place);
            }
        }
        self.counters.behind.store(behind.len() as u64, Ordering::Relaxed);
    }

    /// Tries again to load what could not be loaded. For the sequencer, as only it may touch slots: anybody else could
    /// put an older state over a newer one.
    pub(crate) async fn retry_behind(&self) {
        let places = std::mem::take(&mut *self.behind.lock().unwrap_or_else(PoisonError::into_inner));
        let view = self.view.load_full();
        let Refreshed { behind, changed } =
            self.slots.refresh(&view.world, view.seq, places, &*self.log).await;
        self.note_behind(behind);
        self.subscriptions.announce(&changed, view.seq);
    }

    /// Notes whether the log answers. When it ceases to, the driver is told, so that it is tried again.
    pub(crate) fn note_log_answers(&self, answers: bool) {
        let failed_before = self.counters.log_fails.swap(!answers, Ordering::Relaxed);
        if !answers && !failed_before {
            self.changed.send_modify(|_| ());
        }
    }
}

fn concerns_credentials(event: &Event) -> bool {
    matches!(
        event,
        Event::AccessKeyCreated { .. }
            | Event::AccessKeyUpdated { .. }
            | Event::AccessKeyDeleted { .. }
            | Event::TokenKeyCreated { .. }
            | Event::SecretsResealed { .. }
    )
}

/// A running node. Clones are handles to the same one; [`Node::close`] ends it.
#[derive(Clone)]
pub struct Node {
    shared: Arc<Shared>,
    work: mpsc::Sender<Work>,
    tasks: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl Node {
    /// Reads the log and starts to work.
    ///
    /// # Errors
    /// The log cannot be read, or its secrets cannot be opened with `master_keys`.
    pub async fn start(
        config: NodeConfig,
        log: Arc<dyn Log>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        master_keys: MasterKeys,
    ) -> Result<Self, Error> {
        let started_at = clock.now();
        let view = replay::open(&*log, started_at).await?;
        let sessions = Sessions::new(config.sessions.clone());
        sessions.sealer.store(credentials::token_sealer(&view.world, &master_keys)?);
        let ring = credentials::ring(&view.world, &master_keys, &Ring::new());
        let slots = Slots::default();
        let Refreshed { behind, .. } =
            slots.refresh(&view.world, view.seq, Slots::all(&view.world), &*log).await;
        let waiting = config.waiting_commands.max(1);
        let shared = Arc::new(Shared {
            config,
            log,
            clock,
            entropy,
            master_keys,
            changed: watch::Sender::new(view.seq),
            view: ArcSwap::from_pointee(view),
            slots,
            subscriptions: Subscriptions::default(),
            sessions,
            ring: ArcSwap::from_pointee(ring),
            counters: Counters::default(),
            acknowledgements: Acknowledgements::default(),
            outside: OnceLock::new(),
            attentive_since: AtomicI64::new(started_at.as_millisecond()),
            alarm_watcher: OnceLock::new(),
            behind: Mutex::new(vec![]),
            closing: watch::Sender::new(false),
        });
        shared.note_behind(behind);
        let (work, inbox) = mpsc::channel(waiting);
        let node = Self { shared: shared.clone(), work, tasks: Arc::default() };
        let mut tasks = vec![tokio::spawn(sequencer::run(shared, inbox))];
        node.ensure_token_key().await?;
        node.reseal().await?;
        tasks.push(tokio::spawn(driver::run(node.clone())));
        let every = node.shared.config.snapshot_every;
        tasks.push(tokio::spawn(driver::keep_snapshots(node.clone(), every)));
        if node.shared.config.shared_log {
            tasks.push(tokio::spawn(driver::follow(node.clone())));
        }
        node.tasks.lock().unwrap_or_else(PoisonError::into_inner).extend(tasks);
        Ok(node)
    }

    /// Carries out `command`. Once this answers, what it did is durable.
    ///
    /// Dropping the future does not take the command back.
    ///
    /// # Errors
    /// The command is refused, or the log does not answer.
    pub async fn execute<C>(&self, command: C, cause: Cause) -> Result<Committed<C::Outcome>, Error>
    where
        C: Command + Send + 'static,
        C::Outcome: Send + 'static,
    {
        self.execute_with(command, vec![], cause).await
    }

    /// As [`Node::execute`], storing `contents` in the same append.
    pub(crate) async fn execute_with<C>(
        &self,
        command: C,
        contents: Vec<Content>,
        cause: Cause,
    ) -> Result<Committed<C::Outcome>, Error>
    where
        C: Command + Send + 'static,
        C::Outcome: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let pending = Pending { command, contents, cause, outcome: None, reply };
        self.work.try_send(Work::Execute(Box::new(pending))).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Error::Busy("too many commands are waiting"),
            mpsc::error::TrySendError::Closed(_) => Error::Busy("shutting down"),
        })?;
        // Accepted and then left: it may have been appended.
        answer.await.map_err(|_| Error::Log("the node was shut down before it knew".into()))?
    }

    /// The world as this node knows it.
    #[must_use]
    pub fn view(&self) -> Arc<View> {
        self.shared.view.load_full()
    }

    /// The time, by the node's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// Ready once it is `until` by the node's clock, or earlier when that is set back.
    pub async fn sleep_until(&self, until: Timestamp) {
        self.shared.clock.sleep_until(until).await;
    }

    /// What the driver asks for when it is woken.
    #[must_use]
    pub fn advance_deployments(&self) -> AdvanceDeployments {
        let since = Timestamp::from_millisecond(self.shared.attentive_since.load(Ordering::Relaxed));
        AdvanceDeployments {
            only_clock: !self.config().shared_log,
            attentive_since: since.unwrap_or(Timestamp::MIN),
            unregistered: self.config().policy.unregistered_alarms,
            ticks: self.config().policy.ticks,
            clients: self.client_evidence(&self.view().world),
        }
    }

    /// Notes that silence before `now` was nobody's fault but the node's.
    pub(crate) fn attend_from(&self, now: Timestamp) {
        self.shared.attentive_since.store(now.as_millisecond(), Ordering::Relaxed);
    }

    /// What the node was told at its start.
    #[must_use]
    pub fn config(&self) -> &NodeConfig {
        &self.shared.config
    }

    /// Sixteen random bytes, for request ids.
    #[must_use]
    pub fn random(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        self.shared.entropy.fill(&mut bytes);
        bytes
    }

    /// How the node is doing.
    #[must_use]
    pub fn status(&self) -> Status {
        let view = self.shared.view.load();
        self.shared.counters.status(view.seq, view.as_of, self.shared.clock.now())
    }

    /// Announces every position of the log that the node arrives at, perhaps more than once.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<Seq> {
        self.shared.changed.subscribe()
    }

    /// When each configuration that `wanted` accepts was last read from this node since its start.
    #[must_use]
    pub fn last_reads(&self, wanted: impl Fn(&Address) -> bool) -> Vec<(Address, Timestamp)> {
        self.shared.slots.last_reads(wanted)
    }

    /// Reads what other nodes have appended.
    ///
    /// # Errors
    /// The log does not answer.
    pub async fn catch_up(&self) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        let sent = self.work.send(Work::CatchUp(reply)).await;
        sent.map_err(|_| Error::Busy("shutting down"))?;
        answer.await.map_err(|_| Error::Busy("shutting down"))?
    }

    /// The world at the end of the log, which may be further than this node has read: others have written too, or the
    /// fate of an append is unknown.
    pub(crate) async fn newest_view(&self) -> Result<Arc<View>, Error> {
        let uncertain = self.shared.counters.log_fails.load(Ordering::Relaxed);
        if uncertain || (self.config().shared_log && self.shared.log.end().await? != self.view().seq) {
            self.catch_up().await?;
        }
        Ok(self.view())
    }

    /// Saves the world, so that the next start need not read the whole log.
    ///
    /// # Errors
    /// The log does not answer.
    pub async fn save_snapshot(&self) -> Result<(), Error> {
        let view = self.view();
        if view.seq == Seq::ZERO {
            return Ok(());
        }
        let encoded = tokio::task::spawn_blocking(move || snapshot::encode(&view)).await;
        let snapshot = encoded
            .map_err(|error| Error::Internal(error.to_string()))?
            .map_err(|error| Error::Internal(error.to_string()))?;
        self.shared.log.save_snapshot(snapshot).await?;
        Ok(())
    }

    /// Announces that the node is going to close: whoever waits for a change is let go, and [`Node::is_closing`] says so.
    /// Commands are still carried out.
    pub fn begin_closing(&self) {
        self.shared.closing.send_replace(true);
    }

    /// Ready once the node is going to close.
    pub async fn until_closing(&self) {
        // The sender lives as long as `self`.
        let _ = self.closing().wait_for(|closing| *closing).await;
    }

    /// Stops working after what was accepted has been carried out, and saves a snapshot. Commands that come later are
    /// turned away.
    pub async fn close(&self) {
        self.begin_closing();
        let (reply, finished) = oneshot::channel();
        if self.work.send(Work::Finish(reply)).await.is_ok() {
            // An error means that the sequencer has ended already.
            let _ = finished.await;
        }
        if let Err(error) = self.save_snapshot().await {
            tracing::warn!(%error, "no snapshot was saved");
        }
        self.abort();
    }

    /// Stops at once, as a crash would. What was acknowledged is in the log.
    pub fn abort(&self) {
        self.begin_closing();
        for task in self.tasks.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            task.abort();
        }
    }

    /// Whether it is shutting down.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        *self.shared.closing.borrow()
    }

    /// Ends `task` with the node.
    pub(crate) fn keep(&self, task: JoinHandle<()>) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).push(task);
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn closing(&self) -> watch::Receiver<bool> {
        self.shared.closing.subscribe()
    }

    /// Nothing has to be tried again.
    pub(crate) fn is_sound(&self) -> bool {
        let counters = &self.shared.counters;
        !counters.log_fails.load(Ordering::Relaxed) && counters.behind.load(Ordering::Relaxed) == 0
    }

    /// Tries again what failed: reading the log, loading content.
    pub(crate) async fn recover(&self) {
        if let Err(error) = self.catch_up().await {
            tracing::warn!(%error, "the log still does not answer");
        }
    }
}
