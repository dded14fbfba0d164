//! Hearing of changes from a Yardarm server, so that polls need not wait for their time.

use super::UpstreamError;
use super::calls::Authority;
use crate::name::ConfigurationName;
use crate::source::Draw;
use http::Uri;
use std::future::pending;
use std::time::Duration;
use yardarm_client::{
    AcknowledgeSettings, Acknowledger, Backoff, Credentials, HttpClient, Now, Place, RolloutChanges, Said,
    Server, ServerUrl,
};

/// Waits before it is tried again to hear of changes.
const WAITS: Backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(60));

/// What it takes to hear of changes.
pub(super) struct Hear {
    http: HttpClient,
    url: ServerUrl,
    region: String,
    now: Now,
    draw: Draw,
    /// What this agent is called towards the server.
    client: String,
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
        let client = format!("agent-{:016x}", draw.number());
        Ok(Some(Self { http: http.clone(), url, region: region.into(), now, draw: draw.clone(), client }))
    }

    /// News of one configuration.
    pub(super) fn of(&self, name: &ConfigurationName, authority: Authority) -> OnNews {
        let place = Place::new(name.application(), name.environment(), name.profile());
        let Self { http, url, region, now, draw, client } = self;
        let (http, url, now, draw) = (http.clone(), url.clone(), *now, draw.clone());
        let client = client.clone();
        OnNews {
            begin: Begin { http, url, region: region.clone(), now, draw, place, authority, client },
            talk: None,
            said: None,
        }
    }
}

/// Says when there is news of a configuration, and tells upstream what was made of it.
pub(super) struct OnNews {
    begin: Begin,
    /// `None`: not begun yet, or there are no credentials to begin with.
    talk: Option<Talk>,
    /// What is to be told once what came is held.
    said: Option<Said>,
}

/// Both directions of talking with a server.
struct Talk {
    changes: RolloutChanges,
    acknowledger: Acknowledger,
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
    client: String,
}

impl Begin {
    /// `None`: without credentials nothing is told.
    async fn talk(&self) -> Option<Talk> {
        let Self { http, url, region, now, draw, place, authority, client } = self;
        let credentials = match authority {
            Authority::Bearer(token) => Credentials::Token(token.clone()),
            Authority::Aws(credentials) => {
                // Keys of a Yardarm server do not change while they are good.
                let keys = credentials.keys().await.ok()?;
                Credentials::signature(&keys.access_key_id, keys.secret.expose(), region)
            }
            Authority::None(_) => return None,
        };
        let server = Server::new(http.clone(), url.clone(), credentials).with_clock(*now);
        let settings = AcknowledgeSettings {
            client: Some(client.clone()),
            software: concat!("yardarm-agent/", env!("CARGO_PKG_VERSION")).to_owned(),
            ..AcknowledgeSettings::default()
        };
        let drawn = draw.clone();
        let acknowledger = Acknowledger::start(server.clone(), place, settings, move || drawn.number());
        let draw = draw.clone();
        let changes = RolloutChanges::new(server, place, WAITS, move || draw.number());
        Some(Talk { changes, acknowledger })
    }
}

impl OnNews {
    /// What is to be told by the next [`OnNews::next`]: then what came is held.
    pub(super) fn say(&mut self, said: Said) {
        self.said = Some(said);
    }

    /// Ready when it is worth while to ask. Who stops waiting for it misses nothing by that.
    pub(super) async fn next(&mut self) {
        if self.talk.is_none() {
            self.talk = self.begin.talk().await;
        }
        match &mut self.talk {
            Some(talk) => {
                if let Some(said) = self.said.take() {
                    talk.acknowledger.say(said);
                }
                talk.changes.next().await;
            }
            None => pending().await,
        }
    }
}
