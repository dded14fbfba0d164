//! The local HTTP server's one handler.

use crate::answer::answer;
use crate::keeper::Keeper;
use crate::metrics::{Requests, render};
use crate::ofrep::{self, Counter, Streams};
use crate::refusal::Refusal;
use crate::request::{Asked, Route};
use crate::secret::Secret;
use crate::{Agent, health};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::header::{ALLOW, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use std::sync::Arc;
use yardarm_ofrep::StreamSettings;

const CONFIGURATION_VERSION: HeaderName = HeaderName::from_static("configuration-version");
const VERSION_LABEL: HeaderName = HeaderName::from_static("version-label");
/// How OpenFeature's providers may send the token.
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const X_AMZN_ERRORTYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain");
const METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// Who is let in.
#[derive(Clone, Debug)]
pub struct Door {
    /// What callers must send as a bearer token.
    pub access_token: Option<Secret>,
    /// Whether only programs on this machine can reach the listener.
    pub loopback: bool,
}

struct Desk {
    keeper: Arc<Keeper>,
    door: Door,
    ofrep: Counter,
    requests: Requests,
}

/// Everything the agent answers.
pub fn router(agent: &Agent, door: Door, streams: StreamSettings) -> Router {
    let ofrep = Counter {
        keeper: agent.keeper.clone(),
        streams: Streams::new(streams),
        access_token: door.access_token.clone(),
    };
    let desk = Arc::new(Desk { keeper: agent.keeper.clone(), door, ofrep, requests: Requests::default() });
    Router::new().fallback(move |request: Request| {
        let desk = desk.clone();
        async move {
            let (parts, body) = request.into_parts();
            let response = match ofrep::Route::of_path(parts.uri.path()) {
                Some(route) if desk.ofrep.admits(&route, &parts) => {
                    desk.ofrep.answer(route, &parts, body).await
                }
                Some(route) => match desk.let_in(&parts, None) {
                    Ok(()) => desk.ofrep.answer(route, &parts, body).await,
                    Err(refusal) => ofrep::refused(&refusal),
                },
                None => desk.answer(&parts).await.unwrap_or_else(|refusal| refused(&refusal)),
            };
            desk.requests.count(response.status());
            let status = response.status().as_u16();
            tracing::debug!("{} {} {status}", parts.method, parts.uri.path());
            response
        }
    })
}

impl Desk {
    async fn answer(&self, parts: &Parts) -> Result<Response, Refusal> {
        if parts.method != Method::GET && parts.method != Method::HEAD {
            return Err(Refusal::Method);
        }
        let route = Route::read(parts.uri.path());
        self.let_in(parts, route.as_ref().ok())?;
        match route? {
            Route::Ping => Ok(said(TEXT, "pong")),
            Route::Health => Ok(said(JSON, health::render(&self.keeper))),
            Route::Metrics => {
                let text = render(&self.keeper, &self.requests, self.ofrep.streams.open())
                    .map_err(|_| Refusal::Internal)?;
                Ok(said(METRICS, text))
            }
            Route::Configuration(name) => {
                let asked = Asked::read(parts.uri.query().unwrap_or_default(), &parts.headers)?;
                let (entry, held) = self.keeper.held(&name).await?;
                let answer = answer(&held, &asked, self.keeper.own(), &entry.counts)?;
                let value =
                    |text: &str| HeaderValue::from_bytes(text.as_bytes()).map_err(|_| Refusal::Internal);
                let mut response = said(value(&answer.content_type)?, answer.body);
                let headers = response.headers_mut();
                headers.insert(CONFIGURATION_VERSION, value(&answer.content.version)?);
                if let Some(label) = &answer.content.label {
                    headers.insert(VERSION_LABEL, value(label)?);
                }
                Ok(response)
            }
        }
    }

    /// Refuses who may not ask. What is known of the agent itself needs no token on this machine.
    fn let_in(&self, parts: &Parts, route: Option<&Route>) -> Result<(), Refusal> {
        let Door { access_token, loopback } = &self.door;
        let about_itself = matches!(route, Some(Route::Ping | Route::Health | Route::Metrics));
        match access_token {
            Some(token) if !(about_itself && *loopback) => {
                let key = || parts.headers.get(API_KEY).map(HeaderValue::as_bytes);
                let sent = parts.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes).and_then(bearer);
                if sent.or_else(key).is_some_and(|sent| token.is(sent)) {
                    Ok(())
                } else {
                    Err(Refusal::Unauthorized)
                }
            }
            _ if *loopback && yardarm_listen::from_a_browser(&parts.headers) => Err(Refusal::FromABrowser),
            _ => Ok(()),
        }
    }
}

/// The token of an `Authorization` header.
fn bearer(header: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = header.split_at_checked(b"Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}

/// An answer with a body. Its length is said here, so that HEAD says it too.
fn said(content_type: HeaderValue, body: impl Into<bytes::Bytes>) -> Response {
    let body: bytes::Bytes = body.into();
    let length = HeaderValue::from(body.len());
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response.headers_mut().insert(CONTENT_LENGTH, length);
    response
}

fn refused(refusal: &Refusal) -> Response {
    let (status, code) = refusal.status_and_code();
    let mut response = said(JSON, refusal.body());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(X_AMZN_ERRORTYPE, HeaderValue::from_static(code));
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_token_is_what_follows_the_scheme() {
        assert_eq!(bearer(b"Bearer x y"), Some(&b"x y"[..]));
        assert_eq!(bearer(b"bearer  x "), Some(&b"x"[..]));
        for none in [&b"Basic x"[..], b"Bearer", b"", b"x"] {
            assert_eq!(bearer(none), None);
        }
    }
}
