//! The flags of one configuration, kept current in the background.
//!
//! The server tells of every change, step of a deployment and rollback over a stream, so that it is here as soon as it is
//! decided. Where there is no stream the server is asked for what is other than the last answer, and holds the request
//! until there is something (a long poll). While the server cannot be reached, what was good is served, also after a start
//! if there is a copy on disk.
//!
//! **Invariants:** reading never waits; one request or stream is under way at a time; dropping [`LiveFlags`] ends it.

use crate::acknowledging::{AcknowledgeSettings, Acknowledger};
use crate::backoff::Backoff;
use crate::disk_copy::DiskCopy;
use crate::event_stream::{EventStream, StreamEnd};
use crate::follower::{Answer, Follower, Freshness, Served, Step};
use crate::http_client::Opened;
use crate::place::Place;
use crate::rollout::{Rollout, Version};
use crate::server::{ApiError, ApiRequest, Reply, Server};
use arc_swap::ArcSwapOption;
use bytes::Bytes;
use http::header::{ACCEPT, ETAG, HeaderValue, IF_NONE_MATCH};
use http::{Method, Response, StatusCode};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};
use yardarm_wire::headers::LAST_EVENT_ID;

/// A stream, or else an answer.
const STREAM_OR_ANSWER: HeaderValue = HeaderValue::from_static("text/event-stream, application/json;q=0.9");

/// How flags are kept current.
#[derive(Clone, Debug)]
pub struct LiveSettings {
    /// Whether to listen to a stream where the server offers one.
    pub streams: bool,
    /// How long the server is asked to wait for a change where it offers none, whole seconds, at most 60. A connection that
    /// was lost in silence is noticed after this and `patience`; that of a stream after a minute.
    pub wait: Duration,
    /// How much longer than that an answer may take, and how long a stream until its first bytes: then something on the way
    /// is taken to hold streams back, and answers are waited for instead.
    pub patience: Duration,
    /// How long to wait after failures.
    pub backoff: Backoff,
    /// The folder for copies, one file for each configuration. `None`: nothing is kept, and a start needs a server.
    pub copies: Option<PathBuf>,
    /// Bytes of a copy, and so of an answer that is worth keeping.
    pub copy_bytes: usize,
    /// How the server is told what was made of what it gave. `None`: it is not.
    pub acknowledge: Option<AcknowledgeSettings>,
    /// Draws random numbers, for waits.
    pub draw: fn() -> u64,
}

impl Default for LiveSettings {
    fn default() -> Self {
        Self {
            streams: true,
            wait: Duration::from_secs(30),
            patience: Duration::from_secs(10),
            backoff: Backoff::new(Duration::from_millis(250), Duration::from_secs(15)),
            copies: None,
            copy_bytes: 32 * 1024 * 1024,
            acknowledge: Some(AcknowledgeSettings::default()),
            draw: rand::random,
        }
    }
}

/// The flags of one configuration, kept current in the background until this is dropped.
#[derive(Debug)]
pub struct LiveFlags {
    place: Place,
    shared: Arc<Shared>,
    stop: Arc<Notify>,
    /// Closed once the task has ended.
    ended: watch::Receiver<()>,
    task: AbortHandle,
}

#[derive(Debug)]
struct Shared {
    serving: ArcSwapOption<Rollout>,
    freshness: watch::Sender<Freshness>,
    /// Counts what has been served.
    changes: watch::Sender<u64>,
}

impl LiveFlags {
    /// Serves the copy on disk, if there is one, and begins to follow `place` on `server`. Does not wait for the server:
    /// see [`LiveFlags::settled`]. Needs a tokio runtime.
    pub async fn start(server: Server, place: Place, settings: LiveSettings) -> Self {
        let shared = Arc::new(Shared {
            serving: ArcSwapOption::empty(),
            freshness: watch::Sender::new(Freshness::Starting),
            changes: watch::Sender::new(0),
        });
        let mut follower = Follower::new(settings.backoff.clone(), settings.wait, settings.streams);
        let copy = open_copy(&server, &place, &settings).await;
        if let Some(copy) = &copy {
            resume(copy.clone(), &mut follower, &shared).await;
        }
        let stop = Arc::new(Notify::new());
        let acknowledger = settings
            .acknowledge
            .clone()
            .map(|acknowledge| Acknowledger::start(server.clone(), &place, acknowledge, settings.draw));
        let following = Following {
            server,
            path: place.rollout_path(),
            follower,
            copy,
            settings,
            shared: shared.clone(),
            place: place.clone(),
            acknowledger,
        };
        let (ending, ended) = watch::channel(());
        let stopping = stop.clone();
        let task = tokio::spawn(async move {
            following.run(&stopping).await;
            drop(ending);
        });
        Self { place, shared, stop, ended, task: task.abort_handle() }
    }

    /// Which configuration this is.
    #[must_use]
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// What the entity gets, as of now; without one, what everybody gets who cannot be told apart. `None`: nothing is known
    /// yet, or nothing has reached this entity. Takes no lock.
    #[must_use]
    pub fn version_for(&self, entity: Option<&str>) -> Option<Arc<Version>> {
        self.shared.serving.load().as_ref()?.version_for(entity).cloned()
    }

    /// What all clients get, as of now. `None`: nothing is known yet.
    #[must_use]
    pub fn rollout(&self) -> Option<Arc<Rollout>> {
        self.shared.serving.load_full()
    }

    /// How fresh that is.
    #[must_use]
    pub fn freshness(&self) -> Freshness {
        self.shared.freshness.borrow().clone()
    }

    /// Tells of every change of the freshness.
    #[must_use]
    pub fn watch_freshness(&self) -> watch::Receiver<Freshness> {
        self.shared.freshness.subscribe()
    }

    /// Tells of everything new that is served, by counting.
    #[must_use]
    pub fn watch_changes(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    /// Waits until the server has answered or failed to, at most `within`. Answers whether there is something to serve.
    pub async fn settled(&self, within: Duration) -> bool {
        let mut freshness = self.watch_freshness();
        // Late, or the task is gone: what matters is what there is.
        let _ = timeout(within, freshness.wait_for(|now| *now != Freshness::Starting)).await;
        self.shared.serving.load().is_some()
    }

    /// Ends it in good order: what is being written to the disk is written. Dropping ends it at once.
    pub async fn close(&self) {
        self.stop.notify_one();
        // Nothing is ever sent, so this is the end.
        let _ = self.ended.clone().changed().await;
    }
}

impl Drop for LiveFlags {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn serve(&self, rollout: Arc<Rollout>) {
        self.serving.store(Some(rollout));
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Answers whether that is new.
    fn refresh(&self, freshness: Freshness) -> bool {
        self.freshness.send_if_modified(|now| {
            let changed = *now != freshness;
            *now = freshness;
            changed
        })
    }
}

struct Following {
    server: Server,
    path: String,
    follower: Follower,
    copy: Option<DiskCopy>,
    settings: LiveSettings,
    shared: Arc<Shared>,
    place: Place,
    /// Tells the server what was made of what it gave.
    acknowledger: Option<Acknowledger>,
}

impl Following {
    async fn run(mut self, stop: &Notify) {
        loop {
            let asked = Instant::now();
            let reply = tokio::select! {
                reply = self.ask() => reply,
                () = stop.notified() => return,
            };
            let step = match reply {
                Ok(Reply::Stream(stream)) => match self.listen(stream, stop).await {
                    Some(end) => self.follower.ended(&end, asked.elapsed(), (self.settings.draw)()),
                    None => return,
                },
                Ok(Reply::Whole(answer)) => {
                    self.follower.heard(Ok(read(answer)), asked.elapsed(), (self.settings.draw)())
                }
                Err(error) => self.follower.heard(Err(&error), asked.elapsed(), (self.settings.draw)()),
            };
            let pause = step.pause;
            self.take(step).await;
            tokio::select! {
                () = sleep(pause) => {}
                () = stop.notified() => return,
            }
        }
    }

    /// Does what is to be done about an answer or an event.
    async fn take(&self, step: Step) {
        if let Some(error) = &step.unreadable {
            let Place { application, environment, profile } = &self.place;
            tracing::error!(application, environment, profile, %error, "new flags cannot be read; the old ones stay");
        }
        // First what is served, then what is said about it: whoever waits for the second finds the first.
        if let Some(served) = &step.serve {
            self.shared.serve(served.rollout.clone());
        }
        // What cannot be reached cannot be told either: what was said last stands until there is something else.
        if let (Some(acknowledger), Some(said)) = (&self.acknowledger, self.follower.said()) {
            acknowledger.say(said);
        }
        self.refresh(step.freshness);
        if let Some(Served { etag, answer, .. }) = step.serve {
            self.keep(etag, answer).await;
        }
    }

    /// Hears a stream to its end. `None`: told to stop.
    async fn listen(&mut self, stream: Opened, stop: &Notify) -> Option<StreamEnd> {
        let mut stream = EventStream::new(stream, self.settings.patience);
        loop {
            let heard = tokio::select! {
                heard = stream.next() => heard,
                () = stop.notified() => return None,
            };
            match heard.and_then(|heard| self.follower.told(heard)) {
                Ok(Some(step)) => self.take(step).await,
                Ok(None) => {}
                Err(end) => return Some(end),
            }
        }
    }

    async fn ask(&self) -> Result<Reply, ApiError> {
        let wait = self.follower.wait();
        let target = format!("{}?wait={}", self.path, wait.as_secs());
        let value = |name: Option<&str>| name.and_then(|name| HeaderValue::from_str(name).ok());
        let mut headers = vec![];
        headers.extend(value(self.follower.etag()).map(|known| (IF_NONE_MATCH, known)));
        if self.follower.wants_stream() {
            headers.push((ACCEPT, STREAM_OR_ANSWER));
            headers.extend(value(self.follower.known_state()).map(|known| (LAST_EVENT_ID, known)));
        }
        let (target, headers, body) = (&*target, &*headers, &Bytes::new());
        let time = wait.saturating_add(self.settings.patience);
        self.server.listen(&ApiRequest { method: &Method::GET, target, headers, body, time }).await
    }

    fn refresh(&self, freshness: Freshness) {
        let Place { application, environment, profile } = &self.place;
        if !self.shared.refresh(freshness.clone()) {
            return;
        }
        match freshness {
            Freshness::Stale(why) => {
                tracing::warn!(application, environment, profile, %why, "flags may be out of date");
            }
            Freshness::Starting | Freshness::Current => {
                tracing::info!(application, environment, profile, "flags are current");
            }
        }
    }

    /// Keeps an answer on disk. Flags are served whether or not that works.
    async fn keep(&self, etag: Option<Box<str>>, body: Bytes) {
        let Some(copy) = self.copy.clone() else { return };
        let shown = copy.path().display().to_string();
        let saving = tokio::task::spawn_blocking(move || copy.save(etag.as_deref(), &body));
        if let Ok(Err(error)) = saving.await {
            tracing::warn!(path = shown, %error, "flags cannot be kept on disk");
        }
    }
}

/// What an answer says.
fn read(answer: Response<Bytes>) -> Answer {
    match answer.status() {
        StatusCode::NOT_MODIFIED | StatusCode::NO_CONTENT => Answer::Unchanged,
        _ => {
            let etag = answer.headers().get(ETAG).and_then(|etag| etag.to_str().ok()).map(Into::into);
            Answer::New { etag, body: answer.into_body() }
        }
    }
}

async fn open_copy(server: &Server, place: &Place, settings: &LiveSettings) -> Option<DiskCopy> {
    let folder = settings.copies.clone()?;
    let shown = folder.display().to_string();
    let (server, place, limit) = (server.url().to_string(), place.clone(), settings.copy_bytes);
    let opening = tokio::task::spawn_blocking(move || DiskCopy::new(&folder, &server, &place, limit));
    match opening.await.ok()? {
        Ok(copy) => Some(copy),
        Err(error) => {
            tracing::warn!(path = shown, %error, "flags cannot be kept on disk");
            None
        }
    }
}

/// Serves what the copy says, until the server is heard of.
async fn resume(copy: DiskCopy, follower: &mut Follower, shared: &Shared) {
    let shown = copy.path().display().to_string();
    let Ok(loaded) = tokio::task::spawn_blocking(move || copy.load()).await else { return };
    let kept = match loaded {
        Ok(None) => return,
        Ok(Some(kept)) => kept,
        Err(error) => {
            tracing::warn!(path = shown, %error, "a copy of flags is not used");
            return;
        }
    };
    match follower.resume(kept.etag.as_deref(), &kept.answer) {
        Ok(rollout) => {
            tracing::info!(path = shown, "serving flags from a copy until the server is heard of");
            shared.serve(rollout);
        }
        Err(error) => tracing::warn!(path = shown, %error, "a copy of flags is not used"),
    }
}
