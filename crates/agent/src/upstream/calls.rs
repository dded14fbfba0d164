//! The two calls of the data plane: signed, tried again, and no more at a time than allowed.

use super::answer::{Polled, read_poll, read_start};
use crate::credentials::Credentials;
use crate::name::ConfigurationName;
use crate::source::Draw;
use crate::trouble::Trouble;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use yardarm_client::{Backoff, HttpClient, Now};
use yardarm_signature::RequestToSign;

/// What the agent would like best: a flag document whole, from Yardarm; flags with rules, from AWS; or whatever there is.
const ACCEPTED: HeaderValue = HeaderValue::from_static(
    "application/vnd.yardarm.flags+json;q=1.0, application/ion;type=AWS.AppConfig.FeatureFlags;q=0.9, */*;q=0.1",
);
const AGENT: HeaderValue = HeaderValue::from_static(concat!("yardarm-agent/", env!("CARGO_PKG_VERSION")));
const IS_STICKY: HeaderName = HeaderName::from_static("is-sticky");
const ENTITY_ROLLOUT: HeaderName = HeaderName::from_static("x-yardarm-entity-rollout");
const SDK_REQUEST: HeaderName = HeaderName::from_static("amz-sdk-request");

/// The signing name of both AWS planes.
const SERVICE: &str = "appconfig";
/// How often a call is tried.
const ATTEMPTS: u32 = 3;
/// The bounds of the waits between attempts.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// What a query keeps as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How a call proves who sends it.
#[derive(Clone, Debug)]
pub(super) enum Authority {
    /// By a token.
    Bearer(HeaderValue),
    /// By a signature.
    Aws(Arc<Credentials>),
    /// It cannot, and this is why.
    None(String),
}

/// What sends calls.
#[derive(Debug)]
pub(super) struct Calls {
    http: HttpClient,
    url: Uri,
    host: String,
    region: String,
    places: Semaphore,
    timeout: Duration,
    now: Now,
    draw: Draw,
}

/// A call about to be sent.
struct Call {
    method: Method,
    target: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

impl Calls {
    pub(super) fn new(
        http: HttpClient,
        url: Uri,
        region: String,
        most: usize,
        timeout: Duration,
        now: Now,
        draw: Draw,
    ) -> Self {
        let host = host_header(&url);
        Self { http, url, host, region, places: Semaphore::new(most), timeout, now, draw }
    }

    pub(super) fn url(&self) -> &Uri {
        &self.url
    }

    /// StartConfigurationSession: answers the first token.
    pub(super) async fn start(
        &self,
        authority: &Authority,
        name: &ConfigurationName,
    ) -> Result<String, Trouble> {
        let body = serde_json::json!({
            "ApplicationIdentifier": name.application(),
            "EnvironmentIdentifier": name.environment(),
            "ConfigurationProfileIdentifier": name.profile(),
        });
        let call = Call {
            method: Method::POST,
            target: "/configurationsessions".into(),
            headers: vec![(CONTENT_TYPE, HeaderValue::from_static("application/json"))],
            body: body.to_string().into(),
        };
        self.send(authority, &call, |answer| read_start(answer.status(), answer.body())).await
    }

    /// GetLatestConfiguration.
    pub(super) async fn poll(&self, authority: &Authority, token: &str) -> Result<Polled, Trouble> {
        let call = Call {
            method: Method::GET,
            target: format!("/configuration?configuration_token={}", utf8_percent_encode(token, PLAIN)),
            headers: vec![
                (ACCEPT, ACCEPTED),
                (IS_STICKY, HeaderValue::from_static("true")),
                (ENTITY_ROLLOUT, HeaderValue::from_static("1")),
            ],
            body: Bytes::new(),
        };
        self.send(authority, &call, |answer| {
            let (head, body) = answer.into_parts();
            read_poll(head.status, &head.headers, body)
        })
        .await
    }

    async fn send<T>(
        &self,
        authority: &Authority,
        call: &Call,
        read: impl Fn(Response<Bytes>) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
        loop {
            let attempt = backoff.failures() + 1;
            let outcome = self.attempt(authority, call, attempt).await.and_then(&read);
            match outcome {
                Err(trouble) if trouble.is_passing() && attempt < ATTEMPTS => {
                    let wait = backoff.failed(self.draw.number());
                    tracing::debug!(attempt, %trouble, wait_ms = wait.as_millis(), "trying again");
                    tokio::time::sleep(wait).await;
                }
                outcome => return outcome,
            }
        }
    }

    async fn attempt(
        &self,
        authority: &Authority,
        call: &Call,
        attempt: u32,
    ) -> Result<Response<Bytes>, Trouble> {
        let request = self.prepare(authority, call, attempt).await?;
        // The semaphore is never closed.
        let _place = self.places.acquire().await.map_err(|error| Trouble::Unreachable(error.to_string()))?;
        let started = tokio::time::Instant::now();
        let answer = self.http.send(request, self.timeout).await?;
        let took_ms = started.elapsed().as_millis();
        tracing::trace!(
            target = call.method.as_str(),
            status = answer.status().as_u16(),
            took_ms,
            "upstream answered"
        );
        Ok(answer)
    }

    async fn prepare(
        &self,
        authority: &Authority,
        call: &Call,
        attempt: u32,
    ) -> Result<Request<Bytes>, Trouble> {
        let unusable = |what: &str| Trouble::Unusable(format!("no request can be made: {what}"));
        let mut request = Request::new(call.body.clone());
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = target(&self.url, &call.target).ok_or_else(|| unusable("its target"))?;
        let headers: HeaderMap = call.headers.iter().cloned().collect();
        *request.headers_mut() = headers;
        let host = HeaderValue::from_str(&self.host).map_err(|_| unusable("its host"))?;
        let sdk = HeaderValue::from_str(&format!("attempt={attempt}; max={ATTEMPTS}"));
        request.headers_mut().insert(HOST, host);
        request.headers_mut().insert(USER_AGENT, AGENT);
        request.headers_mut().insert(SDK_REQUEST, sdk.map_err(|_| unusable("its number"))?);
        match authority {
            Authority::Bearer(value) => {
                request.headers_mut().insert(AUTHORIZATION, value.clone());
            }
            Authority::Aws(credentials) => {
                let keys = credentials.keys().await.map_err(Trouble::NoCredentials)?;
                let signed = keys.signer(&self.region, SERVICE).sign(
                    &RequestToSign {
                        method: &call.method,
                        host: &self.host,
                        path: request.uri().path(),
                        query: request.uri().query().unwrap_or_default(),
                        body: &call.body,
                    },
                    (self.now)(),
                );
                let signed = signed.map_err(|error| Trouble::NoCredentials(error.to_string()))?;
                request.headers_mut().extend(signed);
            }
            Authority::None(reason) => return Err(Trouble::NoCredentials(reason.clone())),
        }
        Ok(request)
    }
}

/// A path and query below the address of a server.
pub(crate) fn target(server: &Uri, path_and_query: &str) -> Option<Uri> {
    let below = server.path().trim_end_matches('/');
    let mut parts = server.clone().into_parts();
    parts.path_and_query = Some(format!("{below}{path_and_query}").parse::<PathAndQuery>().ok()?);
    Uri::from_parts(parts).ok()
}

/// What the `Host` header says, and the signature with it: the port only if it is not the scheme's own.
pub(crate) fn host_header(server: &Uri) -> String {
    let host = server.host().unwrap_or_default();
    let own = if server.scheme_str() == Some("https") { 443 } else { 80 };
    match server.port_u16() {
        Some(port) if port != own => format!("{host}:{port}"),
        Some(_) | None => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_lie_below_the_servers_address() {
        for (server, expected) in [
            ("http://127.0.0.1:4770", "http://127.0.0.1:4770/configuration?x=1"),
            ("https://example.com/", "https://example.com/configuration?x=1"),
            ("https://example.com/base/", "https://example.com/base/configuration?x=1"),
        ] {
            assert_eq!(target(&server.parse().unwrap(), "/configuration?x=1").unwrap(), expected);
        }
    }

    #[test]
    fn the_host_header_leaves_out_the_schemes_own_port() {
        for (server, expected) in [
            ("http://a:80", "a"),
            ("https://a:443/x", "a"),
            ("https://a:80", "a:80"),
            ("http://[::1]:4770", "[::1]:4770"),
        ] {
            assert_eq!(host_header(&server.parse().unwrap()), expected);
        }
    }
}
