//! Sending HTTP requests: pooled connections, TLS by the trust store of the system, and a bound on everything.
//!
//! Redirects are not followed: a signed request is for the server it was signed for. **Invariant:** every request ends,
//! in an answer or an error, within the time given for it, and no answer is larger than allowed.

use bytes::Bytes;
use http::response::Parts;
use http::{HeaderMap, Request, Response, Uri};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::{Builder, Client, ResponseFuture};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::time::Duration;
use tokio::time::timeout;
use yardarm_outbound::{Cause, system_trust};

/// Bytes of an answer's head.
const HEAD_BYTES: usize = 64 * 1024;

/// How requests are sent.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// The longest that connecting to one address of a server may take.
    pub connect_time: Duration,
    /// Bytes of an answer's body. A rollout can hold two flag documents of the largest size, as JSON in JSON.
    pub body_bytes: usize,
    /// How long a connection that nobody uses is kept.
    pub idle_time: Duration,
    /// Through whom to connect.
    pub proxy: Option<HttpProxy>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            connect_time: Duration::from_secs(5),
            body_bytes: 32 * 1024 * 1024,
            idle_time: Duration::from_secs(60),
            proxy: None,
        }
    }
}

/// An HTTP proxy, asked to `CONNECT`.
#[derive(Clone, Debug)]
pub struct HttpProxy {
    /// Where it is.
    pub url: Uri,
    /// What it wants to be told, such as `proxy-authorization`.
    pub headers: HeaderMap,
}

/// Sends requests. Clones share their connections.
#[derive(Clone, Debug)]
pub struct HttpClient {
    wire: Wire,
    body_bytes: usize,
}

#[derive(Clone, Debug)]
enum Wire {
    Direct(Client<HttpsConnector<HttpConnector>, Full<Bytes>>),
    Proxied(Client<HttpsConnector<Tunnel<HttpConnector>>, Full<Bytes>>),
}

impl HttpClient {
    /// A client that trusts whom the system trusts. Reads the certificates of the system.
    ///
    /// # Errors
    /// [`HttpError::Tls`].
    pub fn new(settings: &HttpSettings) -> Result<Self, HttpError> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(settings.connect_time));
        tcp.set_keepalive(Some(Duration::from_secs(30)));
        let secure = HttpsConnectorBuilder::new()
            .with_tls_config(system_trust().map_err(HttpError::Tls)?)
            .https_or_http()
            .enable_http1();
        let pool = pool(settings.idle_time);
        let wire = match &settings.proxy {
            None => Wire::Direct(pool.build(secure.wrap_connector(tcp))),
            Some(proxy) => {
                let tunnel = Tunnel::new(proxy.url.clone(), tcp).with_headers(proxy.headers.clone());
                Wire::Proxied(pool.build(secure.wrap_connector(tunnel)))
            }
        };
        Ok(Self { wire, body_bytes: settings.body_bytes })
    }

    /// Sends a request and reads the whole answer, whatever its status, within `time`.
    ///
    /// # Errors
    /// [`HttpError`]: no connection, no answer in time, an answer that breaks off or is too large.
    pub async fn send(&self, request: Request<Bytes>, time: Duration) -> Result<Response<Bytes>, HttpError> {
        let sending = async { self.open(request, time).await?.whole().await };
        timeout(time, sending).await.map_err(|_| HttpError::NoAnswer(time))?
    }

    /// Sends a request whose answer may go on for as long as its connection does. Its head comes within `time`.
    ///
    /// # Errors
    /// As [`HttpClient::send`].
    pub(crate) async fn open(&self, request: Request<Bytes>, time: Duration) -> Result<Opened, HttpError> {
        let answer = timeout(time, self.start(request)).await.map_err(|_| HttpError::NoAnswer(time))??;
        let (head, body) = answer.into_parts();
        let body = body.map_err(|error| HttpError::Broken(Cause::of(error))).boxed_unsync();
        Ok(Opened { head, body, limit: self.body_bytes })
    }

    fn start(&self, request: Request<Bytes>) -> ResponseFuture {
        let request = request.map(Full::new);
        match &self.wire {
            Wire::Direct(client) => client.request(request),
            Wire::Proxied(client) => client.request(request),
        }
    }
}

/// An answer whose head has come.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) head: Parts,
    body: UnsyncBoxBody<Bytes, HttpError>,
    /// Bytes of a whole body, or of a piece of one that makes sense by itself.
    pub(crate) limit: usize,
}

impl Opened {
    /// The next bytes. `None`: there are no more.
    pub(crate) async fn next(&mut self) -> Option<Result<Bytes, HttpError>> {
        loop {
            match self.body.frame().await?.map(http_body::Frame::into_data) {
                Ok(Ok(data)) => return Some(Ok(data)),
                // Trailers say nothing.
                Ok(Err(_)) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// The whole of it.
    pub(crate) async fn whole(self) -> Result<Response<Bytes>, HttpError> {
        let Self { head, body, limit } = self;
        let whole = Limited::new(body, limit).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                return HttpError::TooLarge(limit);
            }
            match error.downcast::<HttpError>() {
                Ok(error) => *error,
                Err(error) => HttpError::Broken(Cause::of(error)),
            }
        })?;
        Ok(Response::from_parts(head, whole.to_bytes()))
    }
}

fn pool(idle_time: Duration) -> Builder {
    let mut pool = Client::builder(TokioExecutor::new());
    pool.pool_timer(TokioTimer::new()).pool_idle_timeout(idle_time).http1_max_buf_size(HEAD_BYTES);
    pool
}

/// Why a request has no answer. What the server was asked does not matter to it: see
/// [`ApiError`](crate::ApiError) for refusals.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// TLS cannot be set up at all.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[source] rustls::Error),
    /// No connection: nobody listens, no such name, no trust.
    #[error("no connection: {0}")]
    NoConnection(Cause),
    /// The answer was not there in time.
    #[error("no answer within {} s", .0.as_secs_f64())]
    NoAnswer(Duration),
    /// The connection broke before the answer was whole.
    #[error("the connection broke: {0}")]
    Broken(Cause),
    /// The answer is larger than allowed.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
}

impl From<hyper_util::client::legacy::Error> for HttpError {
    fn from(error: hyper_util::client::legacy::Error) -> Self {
        let connecting = error.is_connect();
        let cause = Cause::of(error);
        if connecting { Self::NoConnection(cause) } else { Self::Broken(cause) }
    }
}
