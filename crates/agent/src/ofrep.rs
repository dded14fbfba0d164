//! OpenFeature's remote evaluation protocol, for applications that speak it instead of AWS AppConfig's.
//!
//! What an answer says is made in `yardarm-ofrep`, as on the server; here is which configurations it is made of. A data
//! plane does not list the profiles of an environment, so these are the ones that the request names, or else those that
//! the agent was told of or holds.

use crate::content::Content;
use crate::keeper::Keeper;
use crate::name::{ConfigurationName, decode};
use crate::refusal::Refusal;
use crate::trouble::Trouble;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, RETRY_AFTER, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use yardarm_ofrep::{
    Answer, Configuration, FlagSet, Request, entity_tag, evaluate_flag, evaluate_flags, is_current,
};

/// Bytes of a request's body.
const BODY_BYTES: usize = 1024 * 1024;
/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(15);
/// When to come back, seconds.
const COME_BACK_S: u32 = 1;

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Evaluation {
    /// Application and environment; `None` for the only one there is.
    place: Option<(String, String)>,
    /// One flag; `None` for all.
    key: Option<String>,
}

impl Evaluation {
    /// Reads a path. `None`: it is no path of this protocol.
    pub(crate) fn of_path(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        let (place, rest) = match parts.as_slice() {
            ["ofrep", rest @ ..] => (None, rest),
            [application, environment, "ofrep", rest @ ..] => {
                (Some((decode(application).ok()?, decode(environment).ok()?)), rest)
            }
            _ => return None,
        };
        let key = match rest {
            ["v1", "evaluate", "flags"] | ["v1", "evaluate", "flags", ""] => None,
            ["v1", "evaluate", "flags", key] => Some(decode(key).ok()?),
            _ => return None,
        };
        Some(Self { place, key })
    }
}

/// The profiles that a query names.
fn profiles(query: &str) -> Result<Vec<String>, Answer> {
    let values = query.split('&').filter_map(|pair| pair.strip_prefix("profile="));
    let bad = |_| Answer::general(StatusCode::BAD_REQUEST, "a profile's name must be UTF-8");
    values.map(|value| decode(value).map_err(bad)).collect()
}

/// Answers a request.
pub(crate) async fn answer(keeper: &Arc<Keeper>, wanted: &Evaluation, parts: &Parts, body: Body) -> Response {
    if parts.method != Method::POST {
        let mut response = respond(Answer::general(StatusCode::METHOD_NOT_ALLOWED, "only POST is answered"));
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        return response;
    }
    let answered = evaluate(keeper, wanted, parts, body).await;
    respond(answered.unwrap_or_else(|refused| refused))
}

/// Says that a caller may not ask.
pub(crate) fn refused(refusal: &Refusal) -> Response {
    respond(Answer::general(refusal.status_and_code().0, &refusal.to_string()))
}

async fn evaluate(
    keeper: &Arc<Keeper>,
    wanted: &Evaluation,
    parts: &Parts,
    body: Body,
) -> Result<Answer, Answer> {
    let body = read(body).await?;
    let key = wanted.key.as_deref();
    let request = match (Request::parse(&body), key) {
        (Ok(request), _) => request,
        (Err(malformed), Some(key)) => return Ok(yardarm_ofrep::malformed_single(key, &malformed)),
        (Err(malformed), None) => return Ok(yardarm_ofrep::malformed_bulk(&malformed)),
    };
    let named = profiles(parts.uri.query().unwrap_or_default())?;
    let (application, environment) = place(keeper, wanted)?;
    let profiles = if named.is_empty() { keeper.flag_profiles(&application, &environment) } else { named };
    let held = hold(keeper, &application, &environment, profiles, request.targeting_key()).await?;
    let configurations: Vec<Configuration<'_>> = held
        .iter()
        .filter_map(|(profile, content)| {
            Some(Configuration {
                profile,
                version: &content.version,
                label: content.label.as_deref(),
                content: &content.digest,
                flags: content.flags()?,
            })
        })
        .collect();
    let id = format!("{application}/{environment}");
    let set = FlagSet { id: &id, scope: "", configurations: &configurations };
    if let Some(key) = key {
        return Ok(evaluate_flag(&set, key, &request));
    }
    let tag = entity_tag(&set, &request, &[]);
    let sent = parts.headers.get(IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    if sent.is_some_and(|tags| is_current(tags, &tag)) {
        return Ok(Answer::not_modified(tag));
    }
    Ok(evaluate_flags(&set, &request, &[], tag))
}

/// Application and environment: those of the path, or the only ones that the agent knows.
fn place(keeper: &Keeper, wanted: &Evaluation) -> Result<(String, String), Answer> {
    if let Some(place) = &wanted.place {
        return Ok(place.clone());
    }
    let places: BTreeSet<(String, String)> = keeper
        .known()
        .iter()
        .map(|name| (name.application().to_owned(), name.environment().to_owned()))
        .collect();
    let mut places = places.into_iter();
    match (places.next(), places.next()) {
        (Some(only), None) => Ok(only),
        _ => Err(Answer::general(
            StatusCode::BAD_REQUEST,
            "say which environment, in the path, as in /my-application/my-environment/ofrep/v1/evaluate/flags",
        )),
    }
}

/// What `entity` has of each profile, in the order of their names.
async fn hold(
    keeper: &Arc<Keeper>,
    application: &str,
    environment: &str,
    mut profiles: Vec<String>,
    entity: Option<&str>,
) -> Result<Vec<(String, Arc<Content>)>, Answer> {
    profiles.sort_unstable();
    profiles.dedup();
    let mut held = vec![];
    let mut trouble = None;
    let mut known = false;
    for profile in profiles {
        let name = ConfigurationName::new(application, environment, &profile)
            .map_err(|error| Answer::general(StatusCode::BAD_REQUEST, &error.to_string()))?;
        match keeper.held(&name).await {
            Ok((_, found)) => {
                known = true;
                let content = found.content_for(entity, keeper.own());
                held.extend(content.map(|content| (profile, content.clone())));
            }
            Err(refusal) => trouble = Some(refusal),
        }
    }
    match trouble {
        _ if known => Ok(held),
        Some(Refusal::Upstream(Trouble::NotFound { message, .. })) => {
            Err(Answer::general(StatusCode::NOT_FOUND, &message))
        }
        Some(refusal) => {
            Err(Answer::later(StatusCode::SERVICE_UNAVAILABLE, &refusal.to_string(), COME_BACK_S))
        }
        None => {
            let details = "the agent holds no flags of this environment: name profiles with ?profile=NAME, \
                           or in PREFETCH_LIST or the manifest";
            Err(Answer::general(StatusCode::NOT_FOUND, details))
        }
    }
}

async fn read(body: Body) -> Result<Bytes, Answer> {
    let whole = tokio::time::timeout(BODY_TIME, Limited::new(body, BODY_BYTES).collect()).await;
    match whole {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(Answer::general(StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 1 MiB"))
        }
        Ok(Err(_)) => Err(Answer::general(StatusCode::BAD_REQUEST, "the body could not be read")),
        Err(_) => Err(Answer::general(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time")),
    }
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

    #[test]
    fn paths_name_a_place_or_not_and_a_flag_or_not() {
        let place = Some(("a/b".to_owned(), "prod".to_owned()));
        for (path, place, key) in [
            ("/ofrep/v1/evaluate/flags", None, None),
            ("/ofrep/v1/evaluate/flags/", None, None),
            ("/ofrep/v1/evaluate/flags/checkout.colour", None, Some("checkout.colour")),
            ("/a%2Fb/prod/ofrep/v1/evaluate/flags/x", place.clone(), Some("x")),
            ("/a%2Fb/prod/ofrep/v1/evaluate/flags", place, None),
        ] {
            let expected = Evaluation { place, key: key.map(Into::into) };
            assert_eq!(Evaluation::of_path(path), Some(expected), "{path}");
        }
        for path in [
            "/",
            "/ofrep",
            "/ofrep/v1/configuration",
            "/a/ofrep/v1/evaluate/flags",
            "/ofrep/v1/evaluate/flags/a/b",
        ] {
            assert_eq!(Evaluation::of_path(path), None, "{path}");
        }
    }

    proptest! {
        #[test]
        fn no_path_makes_it_panic(path: String) {
            let _ = Evaluation::of_path(&path);
        }
    }
}
