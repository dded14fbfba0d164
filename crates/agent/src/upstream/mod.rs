//! A data plane as the source of configurations: AWS AppConfig's, or a Yardarm server's.
//!
//! Towards AWS this is an ordinary client: `StartConfigurationSession`, then `GetLatestConfiguration` with the token of
//! the answer before, signed. What it says beyond that (`Is-Sticky`, `X-Yardarm-Entity-Rollout`, a type in `Accept`) asks
//! a Yardarm server for what the agent needs to decide by itself, and means nothing to others. A Yardarm server also says,
//! over a stream of its native API, when it is worth while to ask.
//!
//! **Invariants:** at most so many calls are under way as are allowed; each attempt ends in time; a call is tried at
//! most three times, and only after a failure that may pass.

mod answer;
mod calls;
mod endpoint;
mod news;
mod session;

pub(crate) use calls::{host_header, target};
pub(crate) use endpoint::aws_endpoint;

use crate::credentials::{self, Credentials, Paths};
use crate::name::ConfigurationName;
use crate::settings::{Endpoint, Role, UpstreamSettings};
use crate::source::{Draw, Feed, Source};
use crate::trouble::Trouble;
use calls::{Authority, Calls};
use http::{HeaderValue, Uri};
use news::Hear;
use session::Session;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use yardarm_client::{HttpClient, HttpError, HttpProxy, HttpSettings, Now};

/// Where a Yardarm server's clients believe it to be unless told.
const YARDARM_REGION: &str = "us-east-1";
/// The key pair of a Yardarm server in development mode.
const DEVELOPMENT_KEY: (&str, &str) = ("yardarm", "yardarm-dev-secret");
/// Bytes of an answer: the largest configuration and some room.
const ANSWER_BYTES: usize = 16 * 1024 * 1024;
/// The longest that connecting may take.
const CONNECT: Duration = Duration::from_secs(2);
/// The most roles for which credentials are kept: more than a manifest is likely to name.
const MOST_ROLES: usize = 1_000;

/// Why there is no upstream.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// No client can be made.
    #[error("no HTTP client: {0}")]
    Http(#[from] HttpError),
    /// Nobody says which region.
    #[error(
        "the region is unknown: set SERVICE_REGION or AWS_REGION, or YARDARM_URL to use a Yardarm server"
    )]
    NoRegion,
    /// The token or the address cannot be sent.
    #[error("{0}")]
    Invalid(&'static str),
}

/// A data plane.
pub struct Upstream {
    calls: Arc<Calls>,
    /// How news are heard of.
    hear: Option<Hear>,
    authority: Proof,
    roles: Mutex<HashMap<Role, Arc<Credentials>>>,
}

/// How the agent proves who it is, unless a manifest says otherwise.
enum Proof {
    Bearer(HeaderValue),
    Aws {
        all: Arc<Credentials>,
        of_roles: Arc<Credentials>,
    },
    /// There is nothing to prove it with, and this is why.
    None(String),
}

impl Upstream {
    /// Finds out where the data plane is and what to sign with. Asks the machine for its region if nobody has said.
    ///
    /// # Errors
    /// [`UpstreamError`].
    pub async fn connect(settings: UpstreamSettings, now: Now, draw: Draw) -> Result<Self, UpstreamError> {
        let UpstreamSettings {
            endpoint,
            region,
            token,
            role,
            aws,
            max_connections,
            request_timeout,
            proxy,
            stream,
        } = settings;
        let near_settings =
            HttpSettings { connect_time: CONNECT, body_bytes: ANSWER_BYTES, ..HttpSettings::default() };
        let near = HttpClient::new(&near_settings)?;
        let proxy = proxy.map(|proxy| HttpProxy { url: proxy.url, headers: proxy.headers });
        let far = match proxy {
            None => near.clone(),
            proxy => HttpClient::new(&HttpSettings { proxy, ..near_settings })?,
        };
        let mut found = credentials::find(&aws);
        let is_yardarm = endpoint.as_ref().is_some_and(|endpoint| endpoint.is_yardarm);
        if is_yardarm && aws.keys.is_none() && aws.profile.is_none() && is_local(endpoint.as_ref()) {
            found.plan = Ok(development_key());
        }
        let region = region.or(found.region).or_else(|| is_yardarm.then(|| YARDARM_REGION.into()));
        let mut paths = Paths {
            near,
            far: far.clone(),
            region: String::new(),
            sts: aws.sts.clone(),
            now,
            timeout: request_timeout.max(Duration::from_secs(5)),
        };
        paths.region = match region {
            Some(region) => region,
            None => discover_region(&paths, &aws).await.ok_or(UpstreamError::NoRegion)?,
        };
        let url = match endpoint {
            Some(endpoint) => endpoint.url,
            None => aws_endpoint("appconfigdata", &paths.region).ok_or(UpstreamError::NoRegion)?,
        };
        let region = paths.region.clone();
        let proof = match token {
            Some(token) => {
                let value = HeaderValue::from_str(&format!("Bearer {}", token.expose()));
                let mut value = value.map_err(|_| UpstreamError::Invalid("YARDARM_TOKEN is no token"))?;
                value.set_sensitive(true);
                Proof::Bearer(value)
            }
            None => aws_proof(found.plan, role.as_ref(), paths),
        };
        let hear = Hear::new(stream, &far, &url, &region, now, &draw)?;
        let calls = Calls::new(far, url, region, max_connections, request_timeout, now, draw);
        Ok(Self { calls: Arc::new(calls), hear, authority: proof, roles: Mutex::default() })
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &Uri {
        self.calls.url()
    }

    fn authority(&self, role: Option<&Role>) -> Authority {
        match (&self.authority, role) {
            (Proof::Bearer(value), _) => Authority::Bearer(value.clone()),
            (Proof::None(reason), _) => Authority::None(reason.clone()),
            (Proof::Aws { all, .. }, None) => Authority::Aws(all.clone()),
            (Proof::Aws { of_roles, .. }, Some(role)) => {
                let mut roles = self.roles.lock().unwrap_or_else(PoisonError::into_inner);
                if roles.len() >= MOST_ROLES {
                    roles.clear();
                }
                let assumed = roles.entry(role.clone()).or_insert_with(|| Arc::new(of_roles.assuming(role)));
                Authority::Aws(assumed.clone())
            }
        }
    }
}

impl Source for Upstream {
    fn feed(&self, name: &ConfigurationName, role: Option<&Role>) -> Box<dyn Feed> {
        let authority = self.authority(role);
        let news = self.hear.as_ref().map(|hear| hear.of(name, authority.clone()));
        Box::new(Session::new(self.calls.clone(), authority, name.clone(), news))
    }
}

fn is_local(endpoint: Option<&Endpoint>) -> bool {
    let host = endpoint.and_then(|endpoint| endpoint.url.host()).unwrap_or_default();
    matches!(host, "127.0.0.1" | "localhost" | "[::1]")
}

fn development_key() -> credentials::Plan {
    let (id, secret) = DEVELOPMENT_KEY;
    credentials::Plan::Keys(crate::settings::StaticKeys {
        access_key_id: id.into(),
        secret: secret.to_owned().into(),
        session_token: None,
    })
}

fn aws_proof(plan: Result<credentials::Plan, String>, role: Option<&Role>, paths: Paths) -> Proof {
    match plan {
        Err(reason) => {
            tracing::warn!("no credentials: {reason}");
            Proof::None(reason)
        }
        Ok(plan) => {
            let of_roles = Arc::new(Credentials::new(plan, Arc::new(paths)));
            let all = role.map_or_else(|| of_roles.clone(), |role| Arc::new(of_roles.assuming(role)));
            Proof::Aws { all, of_roles }
        }
    }
}

async fn discover_region(paths: &Paths, aws: &crate::settings::AwsSettings) -> Option<String> {
    if let Some(url) = &aws.container_metadata
        && let Some(region) = paths.container_region(url).await
    {
        return Some(region);
    }
    paths.instance_region(aws.instance_metadata.as_ref()?).await.ok().filter(|region| !region.is_empty())
}

impl From<HttpError> for Trouble {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::NoAnswer(time) => Self::TimedOut(time),
            HttpError::TooLarge(_) => Self::Unusable(error.to_string()),
            HttpError::Tls(_) | HttpError::NoConnection(_) | HttpError::Broken(_) => {
                Self::Unreachable(error.to_string())
            }
        }
    }
}
