//! Calling.

use crate::connector::Connector;
use crate::error::{Cause, OutboundError};
use crate::policy::Policy;
use crate::resolver::{Resolve, SystemResolver};
use crate::target::Target;
use crate::trust::system_trust;
use bytes::Bytes;
use http::header::{HeaderValue, LOCATION, USER_AGENT};
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Bytes of an answer's head.
const HEAD_BYTES: usize = 32 * 1024;

/// Connections to one host that are kept while nobody uses them.
const IDLE_CONNECTIONS: usize = 2;

/// How calls are made.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which addresses are called.
    pub policy: Policy,
    /// The longest that connecting to one address may take.
    pub connect_time: Duration,
    /// How long a connection that nobody uses is kept.
    pub idle_time: Duration,
    /// Calls at the same time; more wait, within their own time.
    pub together: usize,
}

impl Settings {
    /// The usual bounds, for addresses that `policy` allows.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            connect_time: Duration::from_secs(3),
            idle_time: Duration::from_secs(30),
            together: 64,
        }
    }
}

/// What is sent, and what may come back.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The method.
    pub method: &'a Method,
    /// To where.
    pub target: &'a Target,
    /// Headers beyond those that every call has.
    pub headers: &'a HeaderMap,
    /// The body; empty if there is none.
    pub body: &'a Bytes,
    /// How long all of it may take, from waiting for others to the answer's last byte.
    pub time: Duration,
    /// Bytes of the answer's body at most.
    pub answer_bytes: usize,
}

/// Calls to the outside. Clones share their connections and bounds.
#[derive(Clone, Debug)]
pub struct Outbound {
    client: Client<HttpsConnector<Connector>, Full<Bytes>>,
    together: Arc<Semaphore>,
}

impl Outbound {
    /// Calls whom `settings` allow, and trusts whom the system trusts. Reads the certificates of the system.
    ///
    /// # Errors
    /// [`OutboundError::Tls`].
    pub fn new(settings: &Settings) -> Result<Self, OutboundError> {
        Self::with_resolver(settings, Arc::new(SystemResolver))
    }

    /// The same with another resolver.
    ///
    /// # Errors
    /// [`OutboundError::Tls`].
    pub fn with_resolver(settings: &Settings, resolver: Arc<dyn Resolve>) -> Result<Self, OutboundError> {
        let connector = Connector {
            policy: Arc::new(settings.policy.clone()),
            resolver,
            connect_time: settings.connect_time,
        };
        let secure = HttpsConnectorBuilder::new()
            .with_tls_config(system_trust().map_err(OutboundError::Tls)?)
            .https_or_http()
            .enable_http1();
        let mut pool = Client::builder(TokioExecutor::new());
        pool.pool_timer(TokioTimer::new())
            .pool_idle_timeout(settings.idle_time)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .http1_max_buf_size(HEAD_BYTES);
        Ok(Self {
            client: pool.build(secure.wrap_connector(connector)),
            together: Arc::new(Semaphore::new(settings.together.clamp(1, Semaphore::MAX_PERMITS))),
        })
    }

    /// Makes a call and reads the whole answer, whatever its status.
    ///
    /// # Errors
    /// [`OutboundError`].
    pub async fn send(&self, call: Call<'_>) -> Result<Response<Bytes>, OutboundError> {
        let calling = async {
            // The semaphore is never closed; without a permit the call is only less bounded.
            let _permit = self.together.acquire().await;
            let (head, body) = self.client.request(request(&call)).await?.into_parts();
            if head.status.is_redirection() && head.headers.contains_key(LOCATION) {
                return Err(OutboundError::Redirect { status: head.status, to: origin(&head.headers) });
            }
            let whole = Limited::new(body, call.answer_bytes).collect().await.map_err(|error| {
                if error.downcast_ref::<LengthLimitError>().is_some() {
                    OutboundError::TooLarge(call.answer_bytes)
                } else {
                    OutboundError::Broken(Cause(error))
                }
            })?;
            Ok(Response::from_parts(head, whole.to_bytes()))
        };
        timeout(call.time, calling).await.map_err(|_| OutboundError::NoAnswer(call.time))?
    }
}

fn request(call: &Call<'_>) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(call.body.clone()));
    *request.method_mut() = call.method.clone();
    *request.uri_mut() = call.target.uri().clone();
    *request.headers_mut() = call.headers.clone();
    let name = HeaderValue::from_static(concat!("yardarm/", env!("CARGO_PKG_VERSION")));
    request.headers_mut().entry(USER_AGENT).or_insert(name);
    request
}

/// To whom a redirect points: no more of it is told, as it may be long, secret, or meant for a terminal.
fn origin(headers: &HeaderMap) -> Option<String> {
    let to: Uri = headers.get(LOCATION)?.to_str().ok()?.parse().ok()?;
    let host: String = to.host()?.chars().take(255).collect();
    Some(format!("{}://{host}", to.scheme_str().unwrap_or("")))
}
