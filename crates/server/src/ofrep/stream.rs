//! Change events: a connection that stays open and says when fetching again is worth while.
//!
//! **Invariants:** connections are bounded in number, and each in memory: it holds no event, only which state its client
//! knows, so a slow one hears of many changes once; a step of a gradual deployment is told to many clients over some
//! seconds, so that they do not come back all at once, and going back is told to everyone without delay; a connection ends
//! when the credential behind it does.

use super::COME_BACK_S;
use super::flags;
use crate::answer::NO_STORE;
use crate::router::App;
use crate::settings::StreamSettings;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use http::request::Parts;
use http::{StatusCode, Uri};
use http_body::Frame;
use jiff::{SignedDuration, Timestamp};
use percent_encoding::percent_decode_str;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};
use yardarm_node::{Node, StreamClaims, Subscription};
use yardarm_ofrep::{Answer, HEARTBEAT, event, retry};

/// After how long of inactivity clients are asked to leave, seconds.
pub(super) const INACTIVITY_S: u32 = 120;

/// When a client whose connection broke comes back, milliseconds; up to as much again is drawn for each.
const RETRY_MS: u16 = 2_000;

/// The longest that an event is held back.
const LONGEST_DELAY: SignedDuration = SignedDuration::from_secs(5);

/// A change this recent may have come between a client's first answer and its connection, seconds.
const RECENT_S: i64 = 60;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// All open connections.
pub(super) struct Streams {
    places: Arc<Semaphore>,
    settings: StreamSettings,
}

impl Streams {
    pub(super) fn new(settings: StreamSettings) -> Self {
        Self { places: Arc::new(Semaphore::new(settings.connections.min(Semaphore::MAX_PERMITS))), settings }
    }

    pub(super) fn are_offered(&self) -> bool {
        self.settings.connections > 0
    }

    /// Answers a client that wants to listen.
    pub(super) fn open(&self, app: &App, parts: &Parts) -> Result<Response, Answer> {
        let unknown = || {
            let details = "the stream's token is unknown, revoked or expired: fetch the flags again";
            Answer::general(StatusCode::UNAUTHORIZED, details)
        };
        let claims = app.node.open_stream(&token(&parts.uri).ok_or_else(unknown)?).ok_or_else(unknown)?;
        let place = self.places.clone().try_acquire_owned().map_err(|_| {
            let [drawn, ..] = app.node.random();
            let seconds = COME_BACK_S + u32::from(drawn) % (5 * COME_BACK_S);
            Answer::later(StatusCode::SERVICE_UNAVAILABLE, "too many streams are open", seconds)
        })?;
        let known = parts.headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok()?.trim().parse().ok());
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
        let mut response = Response::new(Body::new(Events::new(listener, known)));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(CACHE_CONTROL, NO_STORE);
        headers.insert(BUFFERING, HeaderValue::from_static("no"));
        Ok(response)
    }
}

/// The token of a stream's address.
fn token(uri: &Uri) -> Option<String> {
    let value = uri.query()?.split('&').find_map(|pair| pair.strip_prefix("t="))?;
    Some(percent_decode_str(value).decode_utf8().ok()?.into_owned())
}

/// A client that listens.
struct Listener {
    node: Node,
    subscription: Subscription,
    /// What the client knows of.
    state: State,
    claims: StreamClaims,
    all: Arc<Semaphore>,
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
        let mut text = retry(u32::from(RETRY_MS) + u32::from(u16::from_le_bytes([low, high]) % RETRY_MS));
        let missed = match known {
            Some(known) => known < self.state.revision,
            None => self
                .newest_change()
                .is_some_and(|change| self.node.now().duration_since(change.at).as_secs() < RECENT_S),
        };
        if missed {
            text.push_str(&self.event());
        }
        text
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
        let turn = self.turn(LONGEST_DELAY);
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
        let open = self.settings.connections.saturating_sub(self.all.available_permits());
        let [low, high, ..] = self.node.random();
        let share = u16::from_le_bytes([low, high]);
        let delay = delay(open, self.settings.refetches_per_s, share, longest);
        self.node.now().saturating_add(delay).unwrap_or(Timestamp::MAX)
    }
}

/// How long one of `open` clients waits so that they come back at `per_second`, at most `longest`; `share` is its place
/// among them, of 65,535.
fn delay(open: usize, per_second: u32, share: u16, longest: SignedDuration) -> SignedDuration {
    let open_ms = i64::try_from(open).unwrap_or(i64::MAX).saturating_mul(1_000);
    let spread_ms = open_ms / i64::from(per_second.max(1));
    let spread_ms = spread_ms.min(i64::try_from(longest.as_millis()).unwrap_or(i64::MAX));
    SignedDuration::from_millis(spread_ms.saturating_mul(share.into()) / i64::from(u16::MAX))
}

/// The next thing to say, under way.
type Next = Pin<Box<dyn Future<Output = Option<(Bytes, Listener)>> + Send>>;

/// The body of a stream.
struct Events {
    next: Option<Next>,
}

impl Events {
    fn new(listener: Listener, known: Option<u64>) -> Self {
        let greeting = Bytes::from(listener.greeting(known));
        Self { next: Some(Box::pin(std::future::ready(Some((greeting, listener))))) }
    }
}

impl http_body::Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(next) = &mut self.next else { return Poll::Ready(None) };
        let told = std::task::ready!(next.as_mut().poll(context));
        let (text, listener) = match told {
            Some((text, listener)) => (Some(text), Some(listener)),
            None => (None, None),
        };
        self.next = listener.map(|listener| Box::pin(listener.next()) as Next);
        Poll::Ready(text.map(|text| Ok(Frame::data(text))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_come_back_at_an_agreeable_rate_and_none_waits_too_long() {
        let longest = SignedDuration::from_secs(5);
        for (open, per_second, share, expected_ms) in [
            (1, 500, u16::MAX, 2),
            (1_000, 500, 0, 0),
            (1_000, 500, u16::MAX, 2_000),
            (1_000, 500, u16::MAX / 2, 999),
            (1_000_000, 500, u16::MAX, 5_000),
            (usize::MAX, 0, u16::MAX, 5_000),
        ] {
            let delay = delay(open, per_second, share, longest);
            assert_eq!(delay.as_millis(), expected_ms, "{open} {per_second} {share}");
        }
    }

    #[test]
    fn a_token_is_found_in_a_query() {
        for (uri, expected) in [
            ("/ofrep/v1/stream?t=abc", Some("abc")),
            ("/ofrep/v1/stream?x=1&t=a%2Db", Some("a-b")),
            ("/ofrep/v1/stream?tt=abc", None),
            ("/ofrep/v1/stream", None),
        ] {
            assert_eq!(token(&uri.parse().unwrap()).as_deref(), expected, "{uri}");
        }
    }
}
