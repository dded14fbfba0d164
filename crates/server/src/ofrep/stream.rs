//! Change events: a connection that stays open and says when fetching again is worth while.
//!
//! **Invariants:** connections are bounded in number, and each in memory: it holds no event, only which state its client
//! knows, so a slow one hears of many changes once; a step of a gradual deployment is told to many clients over some
//! seconds, so that they do not come back all at once, and going back is told to everyone without delay; a connection ends
//! when the credential behind it does.

use super::COME_BACK_S;
use super::flags;
use crate::router::App;
use crate::stream_places::StreamPlaces;
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep_until};
use yardarm_listen::event_stream;
use yardarm_node::{Node, StreamClaims, Subscription};
use yardarm_ofrep::{Answer, HEARTBEAT, StreamSettings, event, stream};

/// All open connections.
pub(super) struct Streams {
    places: Arc<StreamPlaces>,
    settings: StreamSettings,
}

impl Streams {
    pub(super) fn new(settings: StreamSettings, places: Arc<StreamPlaces>) -> Self {
        Self { places, settings }
    }

    pub(super) fn are_offered(&self) -> bool {
        self.places.exist()
    }

    /// Answers a client that wants to listen.
    pub(super) fn open(&self, app: &App, parts: &Parts) -> Result<Response, Answer> {
        let unknown = || {
            let details = "the stream's token is unknown, revoked or expired: fetch the flags again";
            Answer::general(StatusCode::UNAUTHORIZED, details)
        };
        let token = parts.uri.query().and_then(stream::token_of_query).ok_or_else(unknown)?;
        let claims = app.node.open_stream(&token).ok_or_else(unknown)?;
        let place = self.places.take().ok_or_else(|| {
            let [drawn, ..] = app.node.random();
            let seconds = COME_BACK_S + u32::from(drawn) % (5 * COME_BACK_S);
            Answer::later(StatusCode::SERVICE_UNAVAILABLE, "too many streams are open", seconds)
        })?;
        let known = stream::known_revision(&parts.headers);
        let subscription = app.node.subscribe_environment(&claims.application, &claims.environment);
        let listener = Listener {
            node: app.node.clone(),
            subscription,
            state: State::of(&app.node, &claims),
            claims,
            all: self.places.clone(),
            settings: self.settings,
            drain_time: SignedDuration::try_from(app.settings.limits.listen.drain_time)
                .unwrap_or(SignedDuration::ZERO),
            next_heartbeat: Instant::now() + self.settings.heartbeat,
            _place: place,
        };
        let greeting = Bytes::from(listener.greeting(known));
        Ok(event_stream(greeting, listener, Listener::next, &self.places.slow))
    }
}

/// A client that listens.
struct Listener {
    node: Node,
    subscription: Subscription,
    /// What the client knows of.
    state: State,
    claims: StreamClaims,
    all: Arc<StreamPlaces>,
    settings: StreamSettings,
    drain_time: SignedDuration,
    next_heartbeat: Instant,
    _place: OwnedSemaphorePermit,
}

/// What is served in an environment, as far as any client can tell.
struct State {
    revision: u64,
    flags: flags::Fingerprint,
}

impl State {
    fn of(node: &Node, claims: &StreamClaims) -> Self {
        let view = node.view();
        let (flags, revision) =
            flags::fingerprint(node, &view.world, &claims.application, &claims.environment);
        Self { revision, flags }
    }
}

/// What made a listener look up.
enum Cause {
    Change,
    Heartbeat,
    /// The node is closing or gone.
    End,
}

impl Listener {
    /// What the client is told first.
    fn greeting(&self, known: Option<u64>) -> String {
        let [low, high, ..] = self.node.random();
        let missed = match known {
            Some(known) => known < self.state.revision,
            None => self
                .newest_change()
                .is_some_and(|change| self.node.now().duration_since(change.at) < stream::RECENT),
        };
        stream::greeting(u16::from_le_bytes([low, high]), missed.then(|| self.event()))
    }

    fn event(&self) -> String {
        event(self.state.revision, self.node.view().as_of.as_second())
    }

    fn newest_change(&self) -> Option<flags::Change> {
        flags::newest_change(&self.node.view().world, &self.claims.application, &self.claims.environment)
    }

    /// Waits until there is something to say. `None`: it is over.
    async fn next(mut self) -> Option<(Bytes, Self)> {
        loop {
            let cause = tokio::select! {
                biased;
                () = self.node.until_closing() => Cause::End,
                changed = self.subscription.changed() => if changed.is_some() { Cause::Change } else { Cause::End },
                () = sleep_until(self.next_heartbeat) => Cause::Heartbeat,
            };
            if matches!(cause, Cause::End) {
                // Those who come back should not come all at once.
                self.node.sleep_until(self.turn(self.drain_time / 2)).await;
                return None;
            }
            if !self.node.admits_stream(&self.claims) {
                return None;
            }
            let text = match cause {
                Cause::Heartbeat => HEARTBEAT.to_owned(),
                Cause::Change => {
                    if State::of(&self.node, &self.claims).flags == self.state.flags {
                        continue;
                    }
                    self.hold_back().await;
                    self.state = State::of(&self.node, &self.claims);
                    self.event()
                }
                Cause::End => return None,
            };
            self.next_heartbeat = Instant::now() + self.settings.heartbeat;
            return Some((text.into(), self));
        }
    }

    /// Waits for this client's turn, unless the change is one that cannot wait.
    async fn hold_back(&mut self) {
        let turn = self.turn(stream::LONGEST_DELAY);
        while !self.newest_change().is_some_and(|change| change.is_urgent) {
            tokio::select! {
                biased;
                () = self.node.until_closing() => return,
                // Another change may be urgent; else it is told together with this one.
                changed = self.subscription.changed() => if changed.is_none() { return },
                () = self.node.sleep_until(turn) => return,
            }
        }
    }

    /// When this client's turn is, if all that listen are spread over at most `longest`.
    fn turn(&self, longest: SignedDuration) -> Timestamp {
        let [low, high, ..] = self.node.random();
        let delay = self.settings.delay(self.all.taken(), u16::from_le_bytes([low, high]), longest);
        self.node.now().saturating_add(delay).unwrap_or(Timestamp::MAX)
    }
}
