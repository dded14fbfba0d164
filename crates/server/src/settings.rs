//! What the server is told at its start.

use http::HeaderName;
use std::time::Duration;
use yardarm_listen::Bounds;
use yardarm_ofrep::StreamSettings;

/// How requests prove who sent them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Authentication {
    /// AWS Signature Version 4, header or presigned.
    #[default]
    Signature,
    /// Not at all: anybody who reaches the listener may do anything. For loopback only.
    None,
}

/// Bounds on what a client can make the server do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// From the head to the answer.
    pub request_time: Duration,
    /// Of connections.
    pub listen: Bounds,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body_bytes: 5 * 1024 * 1024, request_time: Duration::from_secs(30), listen: Bounds::default() }
    }
}

/// How many requests a second each caller may make; zero for any number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimits {
    /// The bearer of a token.
    pub token_per_s: u32,
    /// The holder of an access key.
    pub access_key_per_s: u32,
    /// All at one address who prove nothing: without authentication, or with a credential that is refused.
    pub address_per_s: u32,
    /// As many as are due in so many seconds may come at once.
    pub burst_s: u32,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self { token_per_s: 0, access_key_per_s: 0, address_per_s: 0, burst_s: 5 }
    }
}

/// How OpenFeature clients are served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfrepSettings {
    /// A second place for all paths, as in `/team-a`; empty for none.
    pub prefix: String,
    /// Origins whose pages may ask, or `*` for all.
    pub allowed_origins: Vec<String>,
    /// Headers that pages may send besides the usual ones.
    pub allowed_headers: Vec<HeaderName>,
    /// Where clients reach this server, as in `https://flags.example.com/team-a`; empty if it does not know.
    pub public_url: String,
    /// Application and environment of requests that name none, by id or name.
    pub environment: Option<(String, String)>,
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// Change events.
    pub streams: StreamSettings,
}

impl Default for OfrepSettings {
    fn default() -> Self {
        Self {
            prefix: String::new(),
            allowed_origins: vec!["*".into()],
            allowed_headers: vec![],
            public_url: String::new(),
            environment: None,
            body_bytes: 1024 * 1024,
            streams: StreamSettings::default(),
        }
    }
}

impl OfrepSettings {
    /// Whether the origin is allowed by its name, not only because all are.
    pub(crate) fn names_origin(&self, origin: &str) -> bool {
        origin != "*" && self.allowed_origins.iter().any(|allowed| allowed == origin)
    }
}

/// How rollouts are told of over event streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RolloutStreamSettings {
    /// Streams open at a time; zero offers none.
    pub streams: usize,
    /// How many may be opened in a second, as many again at once.
    pub opened_per_s: u32,
    /// How long a stream is silent at most.
    pub heartbeat: Duration,
}

impl Default for RolloutStreamSettings {
    fn default() -> Self {
        Self { streams: 10_000, opened_per_s: 1_000, heartbeat: Duration::from_secs(20) }
    }
}

/// What the server is told at its start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerSettings {
    /// How requests prove who sent them.
    pub authentication: Authentication,
    /// Whether the well-known development key works.
    pub dev: bool,
    /// Bounds.
    pub limits: Limits,
    /// Limits on the requests of one caller.
    pub rates: RateLimits,
    /// OpenFeature clients.
    pub ofrep: OfrepSettings,
    /// Streams of rollouts.
    pub rollout_streams: RolloutStreamSettings,
    /// Whether a monitor without `AlarmRoleArn` is refused, as the service does although its model says otherwise.
    pub strict_alarm_role: bool,
}
