//! Telling a server what was made of what it gave.
//!
//! **Invariants:** nothing waits for it, and nothing depends on it: what cannot be told is told later, or not at all; one
//! request at a time; of several states that follow each other fast, the last is told.

use crate::backoff::Backoff;
use crate::place::Place;
use crate::server::{ApiError, Server};
use http::{Method, StatusCode};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;
use yardarm_wire::clients::{AcknowledgedState, Acknowledgement};

/// The longest reason that is told.
const MOST_REASON: usize = 1_024;

/// The longest name of a client, and of what it runs.
const MOST_NAME: usize = 64;

/// How the server is told what was made of what it gave.
#[derive(Clone, Debug)]
pub struct AcknowledgeSettings {
    /// What this client is called, 1 to 64 characters: no other one's name. `None`: one is drawn.
    pub client: Option<String>,
    /// What it is a part of, as in `shop/1.4`; 1 to 64 characters.
    pub software: String,
    /// Within what time something new is told: drawn each time, so that not all clients speak at once.
    pub within: Duration,
    /// After what time the same is told again, so that the server knows who is there. It forgets after five minutes.
    pub again: Duration,
}

impl Default for AcknowledgeSettings {
    fn default() -> Self {
        Self {
            client: None,
            software: concat!("yardarm-rust/", env!("CARGO_PKG_VERSION")).to_owned(),
            within: Duration::from_millis(250),
            again: Duration::from_secs(90),
        }
    }
}

/// What was made of what the server gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Names what it gave: the `ETag` of the rollout.
    pub tag: Box<str>,
    /// The deployment that is on its way in that.
    pub deployment: Option<u32>,
    /// Why it cannot be used. `None`: it is.
    pub refused: Option<Box<str>>,
}

/// Tells one server of one configuration, in the background until this is dropped.
#[derive(Debug)]
pub struct Acknowledger {
    said: watch::Sender<Option<Said>>,
}

impl Acknowledger {
    /// Of `place` on `server`. `draw` draws random numbers, for waits. Needs a tokio runtime.
    #[must_use]
    pub fn start(
        server: Server,
        place: &Place,
        settings: AcknowledgeSettings,
        draw: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Self {
        let name = settings.client.clone().filter(|name| !name.is_empty());
        let client = name.unwrap_or_else(|| format!("client-{:016x}", draw()));
        let telling = Telling {
            server,
            path: place.acknowledgements_path(),
            client: client.chars().take(MOST_NAME).collect(),
            settings,
            draw: Box::new(draw),
        };
        let (said, heard) = watch::channel(None);
        tokio::spawn(telling.run(heard));
        Self { said }
    }

    /// What is to be told from now on. Does not wait.
    pub fn say(&self, said: Said) {
        self.said.send_if_modified(|now| {
            let is_news = now.as_ref() != Some(&said);
            *now = Some(said);
            is_news
        });
    }
}

struct Telling {
    server: Server,
    path: String,
    client: String,
    settings: AcknowledgeSettings,
    draw: Box<dyn Fn() -> u64 + Send + Sync>,
}

impl Telling {
    /// Tells what `said` holds, again and again, until nothing more can come.
    async fn run(self, mut said: watch::Receiver<Option<Said>>) {
        let mut backoff = Backoff::new(Duration::from_secs(1), self.settings.again);
        loop {
            let now = said.borrow_and_update().clone();
            let pause = match now {
                // Until there is something.
                None => None,
                Some(now) => {
                    sleep(self.drawn(self.settings.within)).await;
                    // Something newer is told instead.
                    if said.has_changed().unwrap_or(false) {
                        continue;
                    }
                    Some(self.pause_after(self.tell(&now).await, &mut backoff))
                }
            };
            tokio::select! {
                changed = said.changed() => if changed.is_err() { return },
                () = pause_for(pause) => {}
            }
        }
    }

    /// How long to wait before the same is told again.
    fn pause_after(&self, told: Result<(), ApiError>, backoff: &mut Backoff) -> Duration {
        let again = self.settings.again;
        match told {
            Ok(()) => {
                backoff.succeeded();
                again.saturating_sub(self.drawn(again / 4))
            }
            // A server that has no ear for it, or not for this client.
            Err(ApiError::Refused { status, .. })
                if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS =>
            {
                again
            }
            Err(_) => backoff.failed((self.draw)()),
        }
    }

    async fn tell(&self, said: &Said) -> Result<(), ApiError> {
        let reason = said.refused.as_deref().map(|why| why.chars().take(MOST_REASON).collect());
        let body = Acknowledgement {
            client: self.client.clone(),
            software: self.settings.software.chars().take(MOST_NAME).collect(),
            per_entity: true,
            tag: said.tag.to_string(),
            deployment: said.deployment,
            state: if said.refused.is_some() {
                AcknowledgedState::Refused
            } else {
                AcknowledgedState::Applied
            },
            reason,
        };
        self.server.tell_json(Method::POST, &self.path, &body).await
    }

    fn drawn(&self, longest: Duration) -> Duration {
        let most = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
        Duration::from_millis((self.draw)() % most)
    }
}

async fn pause_for(pause: Option<Duration>) {
    match pause {
        Some(pause) => sleep(pause).await,
        None => std::future::pending().await,
    }
}
