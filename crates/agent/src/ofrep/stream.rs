//! Change events: a connection that stays open and says when fetching again is worth while.
//!
//! The agent hears of changes as often as it asks upstream, and those who listen hear of them at that moment.
//! **Invariants:** connections are bounded in number, and each in memory: it holds no event, only what its client knows of,
//! so a slow one hears of many changes once; a step of a gradual deployment is told to many clients over some seconds, and
//! what is taken back, or given to everybody in one step, without delay.

use super::{Counter, Subject, stream_token};
use crate::held::Held;
use crate::keeper::Keeper;
use crate::name::Place;
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep_until};
use yardarm_listen::{SlowReaders, event_stream};
use yardarm_ofrep::stream::{self, LONGEST_DELAY, RECENT};
use yardarm_ofrep::{Answer, HEARTBEAT, StreamSettings, event};

/// How long a client stays away at least that found no place, seconds; up to as much again is drawn.
const COME_BACK_S: u16 = 15;

/// All open connections.
pub(crate) struct Streams {
    places: Arc<Semaphore>,
    settings: StreamSettings,
    slow: SlowReaders,
}

impl Streams {
    pub(crate) fn new(settings: StreamSettings) -> Self {
        let settings =
            StreamSettings { connections: settings.connections.min(Semaphore::MAX_PERMITS), ..settings };
        let places = Arc::new(Semaphore::new(settings.connections));
        Self { places, settings, slow: SlowReaders::default() }
    }

    pub(super) fn are_offered(&self) -> bool {
        self.settings.connections > 0
    }

    /// How many are open.
    pub(crate) fn open(&self) -> usize {
        self.settings.connections.saturating_sub(self.places.available_permits())
    }
}

impl Counter {
    /// Where the change events of `subject` are.
    pub(super) fn stream_uri(&self, subject: &Subject) -> String {
        let token = self
            .access_token
            .as_ref()
            .map(|key| stream_token::seal(key, &subject.parts(), self.keeper.now()));
        subject.stream_uri(token.as_deref())
    }

    /// Until when the token in `query` is good for `subject`, seconds since the epoch. `None`: it is not.
    pub(super) fn expiry(&self, subject: &Subject, query: &str) -> Option<i64> {
        let token = stream::token_of_query(query)?;
        stream_token::open(self.access_token.as_ref()?, &subject.parts(), &token, self.keeper.now())
    }

    /// Answers a client that wants to listen.
    pub(super) fn listen(&self, place: Place, parts: &Parts) -> Result<Response, Answer> {
        let query = parts.uri.query().unwrap_or_default();
        let subject = Subject::read(place, query)?;
        for profile in &subject.profiles {
            subject.name(profile)?;
        }
        let Streams { places, settings, slow } = &self.streams;
        let open = places.clone().try_acquire_owned().map_err(|_| {
            let seconds = COME_BACK_S + self.keeper.draw() % COME_BACK_S;
            Answer::later(StatusCode::SERVICE_UNAVAILABLE, "too many streams are open", seconds.into())
        })?;
        let known = stream::known_revision(&parts.headers);
        // Before it is looked at what there is: a change in between is heard of.
        let changes = self.keeper.subscribe(&subject.place);
        let listener = Listener {
            expires_s: self.expiry(&subject, query),
            state: State::of(&self.keeper, &subject),
            keeper: self.keeper.clone(),
            subject,
            changes,
            all: places.clone(),
            settings: *settings,
            next_heartbeat: Instant::now() + settings.heartbeat,
            _open: open,
        };
        let greeting = Bytes::from(listener.greeting(known));
        Ok(event_stream(greeting, listener, Listener::next, slow))
    }
}

/// What is held of a subject.
struct State {
    held: BTreeMap<String, Arc<Held>>,
    /// Tells it from any other state, on every agent.
    revision: u64,
    changed_at: Option<Timestamp>,
}

impl State {
    fn of(keeper: &Keeper, subject: &Subject) -> Self {
        let (mut held, mut changed_at) = (BTreeMap::new(), None);
        let mut hash = Sha256::new();
        for profile in subject.profiles(keeper) {
            let Some(entry) = subject.name(&profile).ok().and_then(|name| keeper.find(&name)) else {
                continue;
            };
            changed_at = changed_at.max(entry.status.borrow().last_change);
            if let Some(one) = entry.held().filter(|held| held.newest.flags().is_some()) {
                hash.update(Sha256::digest(&profile));
                hash.update(one.identity());
                held.insert(profile, one);
            }
        }
        let [a, b, c, d, e, f, g, h, ..]: [u8; 32] = hash.finalize().into();
        Self { held, revision: u64::from_be_bytes([a, b, c, d, e, f, g, h]), changed_at }
    }

    /// Whether it must be heard of at once after `before`: something is taken back, or given to everybody in one step.
    fn is_urgent_after(&self, before: &Self) -> bool {
        let taken_away = before.held.keys().any(|profile| !self.held.contains_key(profile));
        let step = |(profile, now): (&String, &Arc<Held>)| {
            before.held.get(profile).is_some_and(|before| before.grows_into(now))
        };
        taken_away || !self.held.iter().all(step)
    }
}

/// A client that listens.
struct Listener {
    keeper: Arc<Keeper>,
    subject: Subject,
    /// What the client knows of.
    state: State,
    /// When its token ends, if it shows one.
    expires_s: Option<i64>,
    changes: watch::Receiver<()>,
    all: Arc<Semaphore>,
    settings: StreamSettings,
    next_heartbeat: Instant,
    _open: OwnedSemaphorePermit,
}

/// What made a listener look up.
enum Cause {
    Change,
    Heartbeat,
    /// The agent is closing.
    End,
}

impl Listener {
    /// What the client is told first.
    fn greeting(&self, known: Option<u64>) -> String {
        let missed = match known {
            Some(known) => known != self.state.revision,
            None => {
                let now = self.keeper.now();
                self.state.changed_at.is_some_and(|changed_at| now.duration_since(changed_at) < RECENT)
            }
        };
        stream::greeting(self.keeper.draw(), missed.then(|| self.event()))
    }

    fn event(&self) -> String {
        let at = self.state.changed_at.unwrap_or_else(|| self.keeper.now());
        event(self.state.revision, at.as_second())
    }

    fn is_over(&self) -> bool {
        self.expires_s.is_some_and(|expires_s| self.keeper.now().as_second() >= expires_s)
    }

    /// Waits until there is something to say. `None`: it is over.
    async fn next(mut self) -> Option<(Bytes, Self)> {
        loop {
            let cause = tokio::select! {
                biased;
                () = self.keeper.until_closing() => Cause::End,
                changed = self.changes.changed() => if changed.is_ok() { Cause::Change } else { Cause::End },
                () = sleep_until(self.next_heartbeat) => Cause::Heartbeat,
            };
            if self.is_over() {
                return None;
            }
            let text = match cause {
                Cause::Heartbeat => {
                    self.look_for_more();
                    HEARTBEAT.to_owned()
                }
                Cause::Change => {
                    if !self.catches_up().await {
                        continue;
                    }
                    self.event()
                }
                Cause::End => {
                    // Those who come back should not come all at once.
                    sleep_until(self.turn(LONGEST_DELAY)).await;
                    return None;
                }
            };
            self.next_heartbeat = Instant::now() + self.settings.heartbeat;
            return Some((text.into(), self));
        }
    }

    /// Has the agent ask for what it does not hold of the subject: nobody else may, and a first deployment is a change too.
    fn look_for_more(&self) {
        let names =
            self.subject.profiles(&self.keeper).into_iter().filter_map(|one| self.subject.name(&one).ok());
        names.for_each(|name| self.keeper.look_for(&name));
    }

    /// Takes in what there is now, when it is this client's turn. Answers whether it is anything new to the client.
    async fn catches_up(&mut self) -> bool {
        let turn = self.turn(LONGEST_DELAY);
        loop {
            let now = State::of(&self.keeper, &self.subject);
            if now.revision == self.state.revision {
                return false;
            }
            if now.is_urgent_after(&self.state) || turn <= Instant::now() {
                self.state = now;
                return true;
            }
            tokio::select! {
                biased;
                () = self.keeper.until_closing() => return false,
                // Another change may be urgent; else it is told together with this one.
                _ = self.changes.changed() => {}
                () = sleep_until(turn) => {}
            }
        }
    }

    /// When this client's turn is, if all that listen are spread over at most `longest`.
    fn turn(&self, longest: SignedDuration) -> Instant {
        let open = self.settings.connections.saturating_sub(self.all.available_permits());
        let delay = self.settings.delay(open, self.keeper.draw(), longest);
        Instant::now() + Duration::try_from(delay).unwrap_or(Duration::ZERO)
    }
}
