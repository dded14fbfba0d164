//! Requests to one server, with a proof of who asks.

use crate::clock::{Now, system_now};
use crate::http_client::{HttpClient, HttpError, Opened};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, HeaderValue, RETRY_AFTER};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use yardarm_signature::{RequestToSign, SecretKey, SignError, Signer};
use yardarm_wire::rollout_events::EVENT_STREAM;

/// What a path's segment keeps as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A name as one segment of a path.
#[must_use]
pub fn segment(name: &str) -> String {
    utf8_percent_encode(name, PLAIN).to_string()
}

/// Where a server is: `http` or `https`, host and port, and below which path if not at the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerUrl {
    scheme: Scheme,
    /// As the `Host` header says it: without the scheme's own port.
    authority: Authority,
    /// Without a slash at its end.
    below: Box<str>,
}

impl ServerUrl {
    /// The host, without port.
    #[must_use]
    pub fn host(&self) -> &str {
        self.authority.host()
    }

    /// Whether it is this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        matches!(self.host(), "127.0.0.1" | "localhost" | "[::1]")
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.below)
    }
}

/// A text that is no URL of a server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no URL of a server: write http://HOST:PORT or https://HOST")]
pub struct InvalidServerUrl(pub Box<str>);

impl FromStr for ServerUrl {
    type Err = InvalidServerUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidServerUrl(text.into());
        let uri: Uri = text.parse().map_err(|_| invalid())?;
        let scheme = uri.scheme().filter(|scheme| [Scheme::HTTP, Scheme::HTTPS].contains(*scheme));
        let scheme = scheme.ok_or_else(invalid)?.clone();
        let given = uri.authority().ok_or_else(invalid)?;
        if given.host().is_empty() || given.as_str().contains('@') || uri.query().is_some() {
            return Err(invalid());
        }
        let own = if scheme == Scheme::HTTPS { 443 } else { 80 };
        let authority = match given.port_u16() {
            Some(port) if port == own => given.host().parse().map_err(|_| invalid())?,
            _ => given.clone(),
        };
        Ok(Self { scheme, authority, below: uri.path().trim_end_matches('/').into() })
    }
}

/// How a request proves who sends it.
pub enum Credentials {
    /// Not at all.
    None,
    /// A bearer token.
    Token(HeaderValue),
    /// AWS Signature Version 4.
    Signature(Signer),
}

impl Credentials {
    /// A bearer token; `None` if no header may carry it.
    #[must_use]
    pub fn token(token: &str) -> Option<Self> {
        let mut value = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
        value.set_sensitive(true);
        Some(Self::Token(value))
    }

    /// An access key of the server in `region`.
    #[must_use]
    pub fn signature(access_key_id: &str, secret: &str, region: &str) -> Self {
        Self::Signature(Signer::new(access_key_id, SecretKey::new(secret), region, SIGNING_NAME))
    }
}

impl fmt::Debug for Credentials {
    /// Hides the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Token(_) => "Token",
            Self::Signature(_) => "Signature",
        })
    }
}

/// A request of an API: to where, with what.
#[derive(Clone, Copy, Debug)]
pub struct ApiRequest<'a> {
    /// The method.
    pub method: &'a Method,
    /// Path and query, below the server's URL, percent-encoded.
    pub target: &'a str,
    /// Headers beyond those that every request has.
    pub headers: &'a [(HeaderName, HeaderValue)],
    /// The body; empty if there is none.
    pub body: &'a Bytes,
    /// How long it may take.
    pub time: Duration,
}

/// What a request for a stream is answered with.
#[derive(Debug)]
pub(crate) enum Reply {
    /// A stream.
    Stream(Opened),
    /// Something else: of a server that has no streams, or none of this.
    Whole(Response<Bytes>),
}

/// What both AWS planes and the native API are called in signatures.
const SIGNING_NAME: &str = "appconfig";

/// How long a request may take that does not ask the server to wait.
const REQUEST_TIME: Duration = Duration::from_secs(30);

/// A server, and as whom to ask it. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Server {
    http: HttpClient,
    url: ServerUrl,
    credentials: Arc<Credentials>,
    now: Now,
}

impl Server {
    /// Asks the server at `url` by way of `http`.
    #[must_use]
    pub fn new(http: HttpClient, url: ServerUrl, credentials: Credentials) -> Self {
        Self { http, url, credentials: Arc::new(credentials), now: system_now }
    }

    /// The same with another clock. Signatures carry its time.
    #[must_use]
    pub fn with_clock(mut self, now: Now) -> Self {
        self.now = now;
        self
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &ServerUrl {
        &self.url
    }

    /// Sends a request. Answers what is no refusal, `304` with it.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn send(&self, request: &ApiRequest<'_>) -> Result<Response<Bytes>, ApiError> {
        let sent = self.prepare(request)?;
        let answer = self.http.send(sent, request.time).await;
        self.accept(answer.map_err(|source| self.unreachable(source))?)
    }

    /// The same, for an answer that may be a stream of events. One that is none comes whole, within the time of the request
    /// for its head and as much again for the rest.
    pub(crate) async fn listen(&self, request: &ApiRequest<'_>) -> Result<Reply, ApiError> {
        let unreachable = |source| self.unreachable(source);
        let opened = self.http.open(self.prepare(request)?, request.time).await.map_err(unreachable)?;
        let kind = opened.head.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if opened.head.status == StatusCode::OK && kind.is_some_and(|kind| kind.starts_with(EVENT_STREAM)) {
            return Ok(Reply::Stream(opened));
        }
        let whole = timeout(request.time, opened.whole()).await;
        let whole = whole.unwrap_or(Err(HttpError::NoAnswer(request.time)));
        self.accept(whole.map_err(unreachable)?).map(Reply::Whole)
    }

    fn unreachable(&self, source: HttpError) -> ApiError {
        ApiError::Unreachable { url: self.url.to_string(), source }
    }

    /// Tells answers from refusals.
    fn accept(&self, answer: Response<Bytes>) -> Result<Response<Bytes>, ApiError> {
        let status = answer.status();
        if status.is_success() || status == StatusCode::NOT_MODIFIED {
            return Ok(answer);
        }
        let told = serde_json::from_slice::<Refusal>(answer.body()).ok().and_then(|refusal| refusal.detail);
        Err(ApiError::Refused {
            status,
            detail: told.unwrap_or_else(|| format!("{} answered {status}", self.url)),
            retry_after: retry_after(answer.headers()),
        })
    }

    /// Sends JSON, if any, and reads JSON.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        target: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T, ApiError> {
        let answer = self.send_json(method, target, body).await?;
        serde_json::from_slice(answer.body()).map_err(ApiError::Answer)
    }

    /// Sends a request whose answer has no body.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn tell(&self, method: Method, target: &str) -> Result<(), ApiError> {
        self.send_json(method, target, None::<&()>).await.map(|_| ())
    }

    /// Sends JSON to what answers without a body.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn tell_json(
        &self,
        method: Method,
        target: &str,
        body: &impl Serialize,
    ) -> Result<(), ApiError> {
        self.send_json(method, target, Some(body)).await.map(|_| ())
    }

    async fn send_json(
        &self,
        method: Method,
        target: &str,
        body: Option<&impl Serialize>,
    ) -> Result<Response<Bytes>, ApiError> {
        let json = (CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let (headers, body) = match body {
            Some(body) => (vec![json], serde_json::to_vec(body).map_err(ApiError::Request)?.into()),
            None => (vec![], Bytes::new()),
        };
        let (headers, body) = (&*headers, &body);
        self.send(&ApiRequest { method: &method, target, headers, body, time: REQUEST_TIME }).await
    }

    fn prepare(&self, request: &ApiRequest<'_>) -> Result<Request<Bytes>, ApiError> {
        let invalid = |_| ApiError::Target(request.target.into());
        let target = format!("{}{}", self.url.below, request.target);
        let target: PathAndQuery = target.parse().map_err(invalid)?;
        let host = self.url.authority.as_str();
        let mut headers: HeaderMap = request.headers.iter().cloned().collect();
        headers.insert(HOST, HeaderValue::from_str(host).map_err(|_| ApiError::Target(host.into()))?);
        match &*self.credentials {
            Credentials::None => {}
            Credentials::Token(token) => {
                headers.insert(AUTHORIZATION, token.clone());
            }
            Credentials::Signature(signer) => {
                let (path, query) = (target.path(), target.query().unwrap_or(""));
                let wanted = RequestToSign { method: request.method, host, path, query, body: request.body };
                headers.extend(signer.sign(&wanted, (self.now)())?);
            }
        }
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.url.scheme.clone());
        parts.authority = Some(self.url.authority.clone());
        parts.path_and_query = Some(target);
        let uri = Uri::from_parts(parts).map_err(|_| ApiError::Target(request.target.into()))?;
        let mut prepared = Request::new(request.body.clone());
        *prepared.method_mut() = request.method.clone();
        *prepared.uri_mut() = uri;
        *prepared.headers_mut() = headers;
        Ok(prepared)
    }
}

/// What a server says when it refuses: a problem detail, or the AWS planes' form.
#[derive(Deserialize)]
struct Refusal {
    #[serde(alias = "Message")]
    detail: Option<String>,
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// Why a request did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The server did not answer.
    #[error("{url} does not answer: {source}")]
    Unreachable {
        /// Which.
        url: String,
        /// Why.
        source: HttpError,
    },
    /// The server said no.
    #[error("{detail}")]
    Refused {
        /// Its status.
        status: StatusCode,
        /// What it said.
        detail: String,
        /// After what time to try again.
        retry_after: Option<Duration>,
    },
    /// The answer is not what was asked for.
    #[error("the server's answer: {0}")]
    Answer(#[source] serde_json::Error),
    /// The request cannot be written.
    #[error("the request: {0}")]
    Request(#[source] serde_json::Error),
    /// No request can be sent to there.
    #[error("`{0}` cannot be requested")]
    Target(String),
    /// The request cannot be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
}

impl ApiError {
    /// Whether what was asked for is not there.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { status: StatusCode::NOT_FOUND, .. })
    }
}

#[cfg(test)]
mod tests {
    use super::{ServerUrl, segment};

    #[test]
    fn a_url_is_scheme_host_and_the_path_below_which_the_server_is() {
        for (text, shown, local) in [
            ("http://127.0.0.1:4770", "http://127.0.0.1:4770", true),
            ("http://localhost:80/", "http://localhost", true),
            ("http://[::1]:4770", "http://[::1]:4770", true),
            ("https://flags.example.com:443/yardarm/", "https://flags.example.com/yardarm", false),
            ("https://flags.example.com:8443", "https://flags.example.com:8443", false),
        ] {
            let url: ServerUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), shown);
            assert_eq!(url.is_local(), local, "{text}");
        }
        for text in [
            "",
            "localhost",
            "/path",
            "ftp://a",
            "http://",
            "http://a?b=c",
            "http://me:secret@a",
            "http://a b",
        ] {
            assert!(text.parse::<ServerUrl>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_name_is_one_segment() {
        assert_eq!(segment("shop/a b.ü-_~%"), "shop%2Fa%20b.%C3%BC-_~%25");
    }
}
