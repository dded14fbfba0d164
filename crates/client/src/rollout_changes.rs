//! When what a server has of a configuration has changed: for those who then ask for it in their own way.

use crate::backoff::Backoff;
use crate::event_reader::Heard;
use crate::event_stream::{EventStream, StreamEnd};
use crate::http_client::HttpError;
use crate::place::Place;
use crate::server::{ApiError, ApiRequest, Reply, Server};
use bytes::Bytes;
use http::header::{ACCEPT, HeaderValue};
use http::{Method, StatusCode};
use std::fmt;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use yardarm_wire::headers::LAST_EVENT_ID;
use yardarm_wire::rollout_events::EVENT_STREAM;

/// How long it may take until a stream says something.
const PATIENCE: Duration = Duration::from_secs(10);

/// When it is tried again where no stream comes through.
const LATER: Duration = Duration::from_secs(600);

/// The longest that a server can ask a client to stay away when its stream ends.
const LONGEST_RETRY: Duration = Duration::from_secs(60);

/// The least time between two tries.
const PACE: Duration = Duration::from_millis(100);

/// Tells when what a server has of a configuration has changed, by its stream. Keeps nothing of it.
///
/// **Invariants:** says so at least once for every change, and once when it begins to listen; where there is no stream it says
/// nothing; a server that is away or full is tried again as it wants, or later and later.
pub struct RolloutChanges {
    server: Server,
    path: String,
    draw: Box<dyn Fn() -> u64 + Send + Sync>,
    backoff: Backoff,
    /// How long the server wants its client to stay away when the stream ends.
    retry: Duration,
    /// Names what was heard of last.
    known: Option<String>,
    way: Way,
}

#[derive(Debug)]
enum Way {
    /// It is tried at this time.
    Closed(Instant),
    Open(Box<EventStream>),
}

impl fmt::Debug for RolloutChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RolloutChanges").field("path", &self.path).finish_non_exhaustive()
    }
}

impl RolloutChanges {
    /// Of `place` on `server`. `draw` draws random numbers, for waits.
    #[must_use]
    pub fn new(
        server: Server,
        place: &Place,
        backoff: Backoff,
        draw: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Self {
        let (path, draw, way) = (place.rollout_path(), Box::new(draw), Way::Closed(Instant::now()));
        Self { server, path, draw, backoff, retry: Duration::ZERO, known: None, way }
    }

    /// Ready when there is something that was not there before. Who stops waiting for it misses nothing by that.
    pub async fn next(&mut self) {
        loop {
            let pause = match &mut self.way {
                Way::Closed(due) => {
                    sleep_until(*due).await;
                    match self.open().await {
                        Ok(stream) => {
                            self.way = Way::Open(Box::new(stream));
                            continue;
                        }
                        Err(pause) => pause,
                    }
                }
                Way::Open(stream) => match stream.next().await {
                    Ok(Heard::Event(event)) => {
                        self.backoff.succeeded();
                        self.known = (!event.id.is_empty()).then_some(event.id);
                        return;
                    }
                    Ok(Heard::Retry(retry)) => {
                        self.retry = retry.min(LONGEST_RETRY);
                        continue;
                    }
                    Err(end) => {
                        tracing::debug!(path = self.path, %end, "changes are not heard of for the moment");
                        if matches!(end, StreamEnd::NeverSpoke) { LATER } else { self.pause(self.retry) }
                    }
                },
            };
            self.way = Way::Closed(Instant::now() + pause);
        }
    }

    /// After a failure: at least `wanted`, and as long as is drawn.
    fn pause(&mut self, wanted: Duration) -> Duration {
        self.backoff.failed((self.draw)()).max(wanted).max(PACE)
    }

    /// Opens a stream. An error: after what time to try again.
    async fn open(&mut self) -> Result<EventStream, Duration> {
        let mut headers = vec![(ACCEPT, HeaderValue::from_static(EVENT_STREAM))];
        let known = self.known.as_deref().and_then(|known| HeaderValue::from_str(known).ok());
        headers.extend(known.map(|known| (LAST_EVENT_ID, known)));
        let (target, headers, body, time) = (&*self.path, &*headers, &Bytes::new(), PATIENCE);
        let request = ApiRequest { method: &Method::GET, target, headers, body, time };
        match self.server.listen(&request).await {
            Ok(Reply::Stream(opened)) => Ok(EventStream::new(opened, PATIENCE)),
            // There are none.
            Ok(Reply::Whole(_)) => Err(LATER),
            Err(error) => {
                tracing::debug!(path = self.path, %error, "changes are not heard of for the moment");
                let wanted = match &error {
                    ApiError::Refused { retry_after: Some(wanted), .. } => *wanted,
                    ApiError::Unreachable { source: HttpError::NoAnswer(_), .. } => LATER,
                    // Nobody but an operator changes that.
                    ApiError::Refused {
                        status: StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED, ..
                    } => LATER,
                    _ => Duration::ZERO,
                };
                Err(self.pause(wanted))
            }
        }
    }
}
