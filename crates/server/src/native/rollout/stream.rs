//! Rollouts told of as they change: a connection that stays open.
//!
//! **Invariants:** streams are bounded in number, in how many are opened in a second, and each in memory: it holds only the
//! name of the state that its client knows, so a slow client hears of many changes once, and what it is sent is made once
//! for all; a stream ends when the credential behind it does.

use super::super::problem;
use super::super::waiting::NOTHING_DEPLOYED;
use super::channels::{Channel, Channels};
use super::opening::Opening;
use crate::authenticate::Sender;
use crate::call::Call;
use crate::settings::RolloutStreamSettings;
use crate::stream_places::StreamPlaces;
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep_until};
use yardarm_listen::event_stream;
use yardarm_node::{Address, Node, Subscription};
use yardarm_wire::{headers, rollout_events};

/// When a client whose stream has ended comes back at the earliest, milliseconds; at least as much again is drawn for each.
const RETRY_MS: u32 = 500;

/// The longest that a client is asked to stay away, milliseconds.
const LONGEST_RETRY_MS: u32 = 60_000;

/// How long a client that found no place stays away at least, seconds; up to five times as much again is drawn.
const COME_BACK_S: u32 = 5;

/// The longest id of an event that a client can have.
const MOST_ID: usize = 256;

/// All streams.
#[derive(Debug)]
pub(crate) struct RolloutStreams {
    places: Arc<StreamPlaces>,
    settings: RolloutStreamSettings,
    /// `None`: at any rate.
    opening: Option<Mutex<Opening>>,
    channels: Channels,
    /// How many there were when the node began to close.
    at_the_end: OnceLock<usize>,
}

impl RolloutStreams {
    pub(crate) fn new(settings: RolloutStreamSettings, places: Arc<StreamPlaces>) -> Arc<Self> {
        let per_s = settings.opened_per_s;
        let opening = (per_s > 0).then(|| Mutex::new(Opening::new(per_s)));
        let (channels, at_the_end) = Default::default();
        Arc::new(Self { places, settings, opening, channels, at_the_end })
    }

    pub(super) fn are_offered(&self) -> bool {
        self.places.exist()
    }

    /// Takes a place for one more.
    fn admit(&self, node: &Node) -> Result<OwnedSemaphorePermit, Full> {
        let place = self.places.take().ok_or_else(|| {
            let [drawn, ..] = node.random();
            Full::Places { retry_after_s: COME_BACK_S + u32::from(drawn) % (5 * COME_BACK_S) }
        })?;
        if let Some(opening) = &self.opening {
            let now_ns = i64::try_from(node.now().as_nanosecond()).unwrap_or(i64::MAX);
            let admitted = opening.lock().unwrap_or_else(PoisonError::into_inner).admit(now_ns);
            admitted.map_err(|retry_after_s| {
                self.places.note_early();
                Full::Rate { retry_after_s }
            })?;
        }
        Ok(place)
    }

    /// After how many milliseconds a client comes back whose stream ends, so that all who listen come back at the rate at
    /// which they are let in.
    fn retry_ms(&self, node: &Node, listening: usize) -> u32 {
        let [low, high, ..] = node.random();
        let per_s = if self.settings.opened_per_s == 0 { 1_000 } else { self.settings.opened_per_s };
        let listening = u64::try_from(listening).unwrap_or(u64::MAX);
        let spread = (listening.saturating_mul(1_000) / u64::from(per_s)).max(RETRY_MS.into());
        let drawn = spread.saturating_mul(u16::from_le_bytes([low, high]).into()) / u64::from(u16::MAX);
        u32::try_from(drawn).unwrap_or(u32::MAX).saturating_add(RETRY_MS).min(LONGEST_RETRY_MS)
    }
}

/// Why a stream is not opened now.
enum Full {
    Places { retry_after_s: u32 },
    Rate { retry_after_s: u32 },
}

/// Answers a client that wants to be told of changes at `address`.
pub(super) fn open(call: Call, address: Address) -> Response {
    let place = match call.streams.admit(&call.node) {
        Ok(place) => place,
        Err(Full::Places { retry_after_s }) => {
            let detail = "Too many streams are open.";
            return problem::later(StatusCode::SERVICE_UNAVAILABLE, detail, retry_after_s, call.id);
        }
        Err(Full::Rate { retry_after_s }) => {
            let detail = "Too many streams are opened at the same time.";
            return problem::later(StatusCode::TOO_MANY_REQUESTS, detail, retry_after_s, call.id);
        }
    };
    let known = call.headers.get(headers::LAST_EVENT_ID).and_then(|id| id.to_str().ok());
    let known = known.map(str::trim).filter(|id| !id.is_empty() && id.len() <= MOST_ID);
    let mut listener = Listener {
        // Before it is looked at what there is: a change in between is heard of.
        subscription: call.node.subscribe(&address),
        channel: call.streams.channels.of(address),
        known: known.map(Known::from),
        greeted: false,
        next_heartbeat: Instant::now() + call.streams.settings.heartbeat,
        is_over: false,
        _place: place,
        sender: call.sender,
        node: call.node,
        streams: call.streams,
    };
    let first = listener.news().unwrap_or_else(|| listener.greeting());
    let slow = listener.streams.places.slow.clone();
    event_stream(first, listener, Listener::next, &slow)
}

/// What a client knows: the tag of a state, or that nothing is deployed.
type Known = Arc<str>;

/// What a client knows that knows that nothing is deployed.
const NOTHING: &str = "";

/// A client that listens.
struct Listener {
    node: Node,
    streams: Arc<RolloutStreams>,
    channel: Arc<Channel>,
    subscription: Subscription,
    /// `None`: nothing yet.
    known: Option<Known>,
    /// Whether the client has been told that it has all there is.
    greeted: bool,
    sender: Sender,
    next_heartbeat: Instant,
    /// Whether the last piece was the last one.
    is_over: bool,
    _place: OwnedSemaphorePermit,
}

impl Listener {
    /// What there is to tell the client that it does not know. It knows it then.
    fn news(&mut self) -> Option<Bytes> {
        let known = self.known.as_deref();
        let (event, now) = match self.channel.told(&self.node) {
            Some(told) if known == Some(&*told.tag) => return None,
            Some(told) => (told.event(known.unwrap_or(NOTHING))?, told.tag.clone()),
            None if known == Some(NOTHING) => return None,
            None => (rollout_events::not_deployed(NOTHING_DEPLOYED).into(), NOTHING.into()),
        };
        self.known = Some(now);
        Some(event)
    }

    /// Tells the client that it has all there is, and when to come back.
    fn greeting(&mut self) -> Bytes {
        self.greeted = true;
        self.retry(self.streams.places.taken())
    }

    /// Tells the client to come back, and when.
    fn farewell(&mut self) -> Bytes {
        self.is_over = true;
        self.retry(*self.streams.at_the_end.get_or_init(|| self.streams.places.taken()))
    }

    fn retry(&self, listening: usize) -> Bytes {
        rollout_events::retry(self.streams.retry_ms(&self.node, listening)).into()
    }

    /// Whether there is a place to listen to. Looked up only when nothing is deployed: what is, is there.
    fn has_a_place(&self) -> bool {
        let exists = || {
            let view = self.node.view();
            self.channel.address.ids().is_some_and(|(application, environment, profile)| {
                view.world.environment(&application, &environment).is_ok()
                    && view.world.profile(&application, &profile).is_ok()
            })
        };
        self.known.as_deref() != Some(NOTHING) || exists()
    }

    /// Waits until there is something to say. `None`: it is over.
    async fn next(mut self) -> Option<(Bytes, Self)> {
        if self.is_over || !self.has_a_place() {
            return None;
        }
        if !self.greeted {
            return Some((self.greeting(), self));
        }
        loop {
            // Nothing is looked at before: the subscription is older than all that the client was told, so it tells of the rest.
            let is_silent = tokio::select! {
                biased;
                () = self.node.until_closing() => return Some((self.farewell(), self)),
                changed = self.subscription.changed() => {
                    changed?;
                    false
                }
                () = sleep_until(self.next_heartbeat) => true,
            };
            if !self.sender.is_still_good(&self.node) || !self.has_a_place() {
                return None;
            }
            let heartbeat = || Bytes::from_static(rollout_events::HEARTBEAT.as_bytes());
            if let Some(piece) = self.news().or_else(|| is_silent.then(heartbeat)) {
                self.next_heartbeat = Instant::now() + self.streams.settings.heartbeat;
                return Some((piece, self));
            }
        }
    }
}
