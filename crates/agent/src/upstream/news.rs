//! Hearing of changes from a Yardarm server, so that polls need not wait for their time.

use super::UpstreamError;
use super::calls::Authority;
use crate::name::ConfigurationName;
use crate::source::Draw;
use http::Uri;
use std::future::pending;
use std::time::Duration;
use yardarm_client::{Backoff, Credentials, HttpClient, Now, Place, RolloutChanges, Server, ServerUrl};

/// Waits before it is tried again to hear of changes.
const WAITS: Backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(60));

/// What it takes to hear of changes.
pub(super) struct Hear {
    http: HttpClient,
    url: ServerUrl,
    region: String,
    now: Now,
    draw: Draw,
}

impl Hear {
    /// `None` unless `wanted`.
    pub(super) fn new(
        wanted: bool,
        http: &HttpClient,
        url: &Uri,
        region: &str,
        now: Now,
        draw: &Draw,
    ) -> Result<Option<Self>, UpstreamError> {
        if !wanted {
            return Ok(None);
        }
        let url = url
            .to_string()
            .parse()
            .map_err(|_| UpstreamError::Invalid("YARDARM_URL is no URL of a server"))?;
        Ok(Some(Self { http: http.clone(), url, region: region.into(), now, draw: draw.clone() }))
    }

    /// News of one configuration.
    pub(super) fn of(&self, name: &ConfigurationName, authority: Authority) -> OnNews {
        let place = Place::new(name.application(), name.environment(), name.profile());
        let Self { http, url, region, now, draw } = self;
        let (http, url, now, draw) = (http.clone(), url.clone(), *now, draw.clone());
        OnNews {
            begin: Begin { http, url, region: region.clone(), now, draw, place, authority },
            changes: None,
        }
    }
}

/// Says when there is news of a configuration.
pub(super) struct OnNews {
    begin: Begin,
    /// `None`: not begun yet, or there are no credentials to begin with.
    changes: Option<RolloutChanges>,
}

/// What is needed to begin.
struct Begin {
    http: HttpClient,
    url: ServerUrl,
    region: String,
    now: Now,
    draw: Draw,
    place: Place,
    authority: Authority,
}

impl Begin {
    /// `None`: without credentials nothing is told.
    async fn changes(&self) -> Option<RolloutChanges> {
        let Self { http, url, region, now, draw, place, authority } = self;
        let credentials = match authority {
            Authority::Bearer(token) => Credentials::Token(token.clone()),
            Authority::Aws(credentials) => {
                // Keys of a Yardarm server do not change while they are good.
                let keys = credentials.keys().await.ok()?;
                Credentials::signature(&keys.access_key_id, keys.secret.expose(), region)
            }
            Authority::None(_) => return None,
        };
        let (server, draw) = (Server::new(http.clone(), url.clone(), credentials), draw.clone());
        Some(RolloutChanges::new(server.with_clock(*now), place, WAITS, move || draw.number()))
    }
}

impl OnNews {
    /// Ready when it is worth while to ask. Who stops waiting for it misses nothing by that.
    pub(super) async fn next(&mut self) {
        if self.changes.is_none() {
            self.changes = self.begin.changes().await;
        }
        match &mut self.changes {
            Some(changes) => changes.next().await,
            None => pending().await,
        }
    }
}
