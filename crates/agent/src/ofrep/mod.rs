//! OpenFeature's remote evaluation protocol, for applications that speak it instead of AWS AppConfig's.
//!
//! What an answer says is made in `yardarm-ofrep`, as on the server; here is which configurations it is made of. A data
//! plane does not list the profiles of an environment, so these are the ones that the request names, or else those that
//! the agent was told of or holds.

mod evaluation;
mod stream;
mod stream_token;

use crate::keeper::Keeper;
use crate::name::{ConfigurationName, Place, decode};
use crate::refusal::Refusal;
use crate::secret::Secret;
use axum::body::Body;
use axum::response::Response;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, RETRY_AFTER, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::collections::BTreeSet;
use std::sync::Arc;
pub(crate) use stream::Streams;
use yardarm_ofrep::Answer;

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// To one flag, or to all where none is named. Without a place the only one there is is meant.
    Evaluation { place: Option<Place>, key: Option<String> },
    /// To the change events of a place.
    Stream { place: Place },
}

impl Route {
    /// Reads a path. `None`: it is no path of this protocol.
    pub(crate) fn of_path(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        let (place, rest) = match parts.as_slice() {
            ["ofrep", rest @ ..] => (None, rest),
            [application, environment, "ofrep", rest @ ..] => {
                let (application, environment) = (decode(application).ok()?, decode(environment).ok()?);
                (Some(Place { application, environment }), rest)
            }
            _ => return None,
        };
        let key = match rest {
            ["v1", "evaluate", "flags"] | ["v1", "evaluate", "flags", ""] => None,
            ["v1", "evaluate", "flags", key] => Some(decode(key).ok()?),
            ["v1", "stream"] => return Some(Self::Stream { place: place? }),
            _ => return None,
        };
        Some(Self::Evaluation { place, key })
    }
}

/// What is evaluated, or listened to: a place, and the profiles there that were named.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Subject {
    place: Place,
    /// Sorted; none for all that the agent knows of.
    profiles: Vec<String>,
}

/// What a path or a query does not hold as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

impl Subject {
    /// The profiles that a query names, in `place`.
    fn read(place: Place, query: &str) -> Result<Self, Answer> {
        let values = query.split('&').filter_map(|pair| pair.strip_prefix("profile="));
        let bad = |_| Answer::general(StatusCode::BAD_REQUEST, "a profile's name must be UTF-8");
        let profiles: BTreeSet<String> =
            values.map(|value| decode(value).map_err(bad)).collect::<Result<_, _>>()?;
        Ok(Self { place, profiles: profiles.into_iter().collect() })
    }

    /// The profiles it is about, in the order of their names.
    fn profiles(&self, keeper: &Keeper) -> Vec<String> {
        if !self.profiles.is_empty() {
            return self.profiles.clone();
        }
        let known: BTreeSet<String> = keeper.flag_profiles(&self.place).into_iter().collect();
        known.into_iter().collect()
    }

    fn name(&self, profile: &str) -> Result<ConfigurationName, Answer> {
        let Place { application, environment } = &self.place;
        ConfigurationName::new(application, environment, profile)
            .map_err(|error| Answer::general(StatusCode::BAD_REQUEST, &error.to_string()))
    }

    /// Everything that tells it from others.
    fn parts(&self) -> Vec<&str> {
        let Place { application, environment } = &self.place;
        [application, environment].into_iter().chain(&self.profiles).map(String::as_str).collect()
    }

    /// Where its change events are.
    fn stream_uri(&self, token: Option<&str>) -> String {
        let encoded = |text| utf8_percent_encode(text, ENCODED).to_string();
        let Place { application, environment } = &self.place;
        let path = format!("/{}/{}/ofrep/v1/stream", encoded(application), encoded(environment));
        let profiles = self.profiles.iter().map(|profile| format!("profile={}", encoded(profile)));
        let query: Vec<String> = profiles.chain(token.map(|token| format!("t={token}"))).collect();
        if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
    }
}

/// Where flags are evaluated and change events are sent.
pub(crate) struct Counter {
    pub(crate) keeper: Arc<Keeper>,
    pub(crate) streams: Streams,
    /// What callers must send; streams carry a token that is made of it.
    pub(crate) access_token: Option<Secret>,
}

impl Counter {
    /// Answers a request of somebody who may ask.
    pub(crate) async fn answer(&self, route: Route, parts: &Parts, body: Body) -> Response {
        let allowed = match route {
            Route::Evaluation { .. } => Method::POST,
            Route::Stream { .. } => Method::GET,
        };
        if parts.method != allowed {
            let details = format!("only {allowed} is answered");
            let mut response = respond(Answer::general(StatusCode::METHOD_NOT_ALLOWED, &details));
            response
                .headers_mut()
                .extend(HeaderValue::from_str(allowed.as_str()).map(|value| (ALLOW, value)));
            return response;
        }
        let answered = match route {
            Route::Evaluation { place, key } => {
                self.evaluate(place, key.as_deref(), parts, body).await.map(respond)
            }
            Route::Stream { place } => self.listen(place, parts),
        };
        answered.unwrap_or_else(respond)
    }

    /// Whether a request for a stream shows the token that was made for it.
    pub(crate) fn admits(&self, route: &Route, parts: &Parts) -> bool {
        match route {
            Route::Evaluation { .. } => false,
            Route::Stream { place } => {
                let query = parts.uri.query().unwrap_or_default();
                let subject = Subject::read(place.clone(), query).ok();
                subject.is_some_and(|subject| self.expiry(&subject, query).is_some())
            }
        }
    }
}

/// Says that a caller may not ask.
pub(crate) fn refused(refusal: &Refusal) -> Response {
    respond(Answer::general(refusal.status_and_code().0, &refusal.to_string()))
}

fn respond(answer: Answer) -> Response {
    let Answer { status, etag, retry_after_s, body } = answer;
    let is_empty = body.is_empty();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if !is_empty {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(yardarm_ofrep::answer::CONTENT_TYPE));
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(yardarm_ofrep::answer::CACHE_CONTROL));
    if let Some(tag) = etag.and_then(|tag| HeaderValue::from_str(&tag).ok()) {
        headers.insert(ETAG, tag);
    }
    if let Some(seconds) = retry_after_s {
        headers.insert(RETRY_AFTER, seconds.into());
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn place() -> Place {
        Place { application: "a/b".into(), environment: "prod".into() }
    }

    #[test]
    fn paths_name_a_place_or_not_and_a_flag_or_not() {
        for (path, place, key) in [
            ("/ofrep/v1/evaluate/flags", None, None),
            ("/ofrep/v1/evaluate/flags/", None, None),
            ("/ofrep/v1/evaluate/flags/checkout.colour", None, Some("checkout.colour")),
            ("/a%2Fb/prod/ofrep/v1/evaluate/flags/x", Some(place()), Some("x")),
            ("/a%2Fb/prod/ofrep/v1/evaluate/flags", Some(place()), None),
        ] {
            let expected = Route::Evaluation { place, key: key.map(Into::into) };
            assert_eq!(Route::of_path(path), Some(expected), "{path}");
        }
        let stream = Route::Stream { place: place() };
        assert_eq!(Route::of_path("/a%2Fb/prod/ofrep/v1/stream"), Some(stream));
        for path in [
            "/",
            "/ofrep",
            "/ofrep/v1/configuration",
            "/ofrep/v1/stream",
            "/a/ofrep/v1/evaluate/flags",
            "/ofrep/v1/evaluate/flags/a/b",
        ] {
            assert_eq!(Route::of_path(path), None, "{path}");
        }
    }

    #[test]
    fn the_address_of_a_stream_leads_back_to_its_subject() {
        for (query, token) in
            [("", None), ("profile=b&x=1&profile=a%26b&profile=b", None), ("profile=c", Some("1.x"))]
        {
            let subject = Subject::read(place(), query).unwrap();
            let uri: http::Uri = subject.stream_uri(token).parse().unwrap();
            assert_eq!(Route::of_path(uri.path()), Some(Route::Stream { place: place() }));
            let again = Subject::read(place(), uri.query().unwrap_or_default()).unwrap();
            assert_eq!(again, subject, "{uri}");
            let found = uri.query().and_then(yardarm_ofrep::stream::token_of_query);
            assert_eq!(found.as_deref(), token);
        }
    }

    proptest! {
        #[test]
        fn no_path_makes_it_panic(path: String) {
            let _ = Route::of_path(&path);
        }
    }
}
