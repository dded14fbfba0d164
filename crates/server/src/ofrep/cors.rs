//! What browsers are told, so that pages of other origins can evaluate flags.

use crate::settings::OfrepSettings;
use axum::body::Body;
use axum::response::Response;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, HeaderValue, ORIGIN, VARY,
};
use http::{HeaderMap, StatusCode};

/// How long a browser need not ask again, seconds: as long as the browser that remembers longest does.
const MAX_AGE_S: u32 = 86_400;

/// Headers that every client may send.
const ALLOWED: &str = "Content-Type, Authorization, X-API-Key, If-None-Match, Last-Event-ID, Cache-Control";

/// Headers that a page may read. Without them it never sees the entity tag.
const EXPOSED: HeaderValue = HeaderValue::from_static("ETag, Retry-After");

/// Who may ask from a browser, and how.
pub(super) struct Cors {
    origins: Box<[Box<str>]>,
    allowed: HeaderValue,
}

impl Cors {
    pub(super) fn new(settings: &OfrepSettings) -> Self {
        let mut allowed = ALLOWED.to_owned();
        for name in &settings.allowed_headers {
            allowed.push_str(", ");
            allowed.push_str(name.as_str());
        }
        let allowed = HeaderValue::from_str(&allowed).unwrap_or(HeaderValue::from_static(ALLOWED));
        Self {
            origins: settings.allowed_origins.iter().map(|origin| origin.as_str().into()).collect(),
            allowed,
        }
    }

    /// What `Access-Control-Allow-Origin` says to the sender. `None`: nothing.
    fn allowed_origin(&self, request: &HeaderMap) -> Option<HeaderValue> {
        let origin = request.get(ORIGIN)?;
        if self.origins.iter().any(|allowed| &**allowed == "*") {
            return Some(HeaderValue::from_static("*"));
        }
        self.origins.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes()).then(|| origin.clone())
    }

    /// Says on an answer who may read it.
    pub(super) fn describe(&self, request: &HeaderMap, answer: &mut HeaderMap) {
        let Some(origin) = self.allowed_origin(request) else { return };
        if origin != "*" {
            answer.append(VARY, HeaderValue::from_static("Origin"));
        }
        answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }

    /// Answers the question that a browser asks first.
    pub(super) fn preflight(&self, request: &HeaderMap, methods: &'static str) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        headers.insert(ALLOW, HeaderValue::from_static(methods));
        if self.allowed_origin(request).is_some() {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, self.allowed.clone());
            headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from(MAX_AGE_S));
        }
        response
    }
}
