//! OFREP, OpenFeature's remote evaluation protocol: both operations and their change events.
//!
//! What an answer says is made in `yardarm-ofrep`; here is who may ask, for which environment, and what is served there.
//! **Invariants:** an evaluation touches no log and waits for nothing but its body, unless the client asks for a fresher
//! state than this node has; a credential is refused only for what it is, never for a passing condition.

mod caller;
mod cors;
mod environment;
mod flags;
mod fresh;
mod stream;
#[cfg(test)]
mod tests;

use crate::answer::JSON;
use crate::metrics::{Metrics, RouteMetrics};
use crate::pace::TooFast;
use crate::rate::MOST_COST;
use crate::router::App;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::any;
use bytes::Bytes;
use caller::Caller;
use cors::Cors;
use environment::Place;
use http::header::{ALLOW, CACHE_CONTROL, ETAG, HeaderValue, IF_NONE_MATCH, RETRY_AFTER, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{Method, StatusCode};
use percent_encoding::percent_decode_str;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;
use stream::Streams;
use yardarm_listen::{Unread, read_body};
use yardarm_ofrep::stream::INACTIVITY_S;
use yardarm_ofrep::{Answer, EventStream, Freshness, StreamAddress, entity_tag, is_current};

/// What the routes of this module work with.
pub(crate) struct Ofrep {
    app: Arc<App>,
    cors: Cors,
    streams: Streams,
}

/// What comes after the place in the paths of both operations.
const FLAGS: &str = "/ofrep/v1/evaluate/flags";

/// What comes after the prefix in the path of a stream.
const STREAM: &str = "/ofrep/v1/stream";

const CACHES: HeaderValue = HeaderValue::from_static(yardarm_ofrep::answer::CACHE_CONTROL);

/// How long a client that is told to come back stays away at least, seconds; up to as much again is drawn.
const COME_BACK_S: u32 = 5;

/// What all flags cost of a rate limit; one flag costs 1.
const BULK_COST: u32 = MOST_COST;

/// Where a route is.
#[derive(Clone)]
struct Route {
    /// What comes before everything else in its path.
    prefix: Arc<str>,
    /// Whether application and environment stand in its path.
    placed: bool,
}

/// Adds the routes.
pub(crate) fn routes(mut router: Router, app: &Arc<App>, metrics: &mut Metrics) -> Router {
    let settings = &app.settings.ofrep;
    let streams = Streams::new(settings.streams, metrics.streams("ofrep", settings.streams.connections));
    let ofrep = Arc::new(Ofrep { app: app.clone(), cors: Cors::new(settings), streams });
    let (one, all) = (metrics.route("evaluate-flag"), metrics.route("evaluate-flags"));
    let counters = metrics.route("event-stream");
    let mut prefixes = vec![""];
    if !settings.prefix.is_empty() {
        prefixes.push(&settings.prefix);
    }
    for prefix in prefixes {
        for placed in [false, true] {
            let place = if placed { "/{application}/{environment}" } else { "" };
            let route = Route { prefix: prefix.into(), placed };
            for end in ["", "/", "/{key}"] {
                let (ofrep, route) = (ofrep.clone(), route.clone());
                let counters = if end == "/{key}" { one.clone() } else { all.clone() };
                let handler =
                    move |request| evaluate(ofrep.clone(), route.clone(), counters.clone(), request);
                router = router.route(&format!("{prefix}{place}{FLAGS}{end}"), any(handler));
            }
        }
        let (ofrep, counters) = (ofrep.clone(), counters.clone());
        let handler = move |request| listen(ofrep.clone(), counters.clone(), request);
        router = router.route(&format!("{prefix}{STREAM}"), any(handler));
    }
    router
}

/// The parts of a path.
#[derive(Debug, PartialEq, Eq)]
struct Path<'p> {
    place: Option<(Cow<'p, str>, Cow<'p, str>)>,
    /// The flag; `None` for all.
    key: Option<Cow<'p, str>>,
}

impl Route {
    /// `None`: not UTF-8 when decoded.
    fn parts<'p>(&self, path: &'p str) -> Option<Path<'p>> {
        let decoded = |text: &'p str| percent_decode_str(text).decode_utf8().ok();
        let mut rest = path.strip_prefix(&*self.prefix).unwrap_or(path);
        let mut place = None;
        if self.placed {
            let (application, after) = rest.strip_prefix('/')?.split_once('/')?;
            let (environment, after) = after.split_once('/')?;
            place = Some((decoded(application)?, decoded(environment)?));
            rest = after;
        }
        let rest = rest.trim_start_matches('/');
        let key = rest.strip_prefix(FLAGS.trim_start_matches('/'))?.trim_start_matches('/');
        let key = if key.is_empty() { None } else { Some(decoded(key)?) };
        Some(Path { place, key })
    }
}

async fn evaluate(
    ofrep: Arc<Ofrep>,
    route: Route,
    counters: Arc<RouteMetrics>,
    request: Request,
) -> Response {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let mut response = match parts.method {
        Method::POST => match ofrep.answer(&route, &parts, body).await {
            Ok(answer) | Err(answer) => respond(answer),
        },
        Method::OPTIONS => ofrep.cors.preflight(&parts.headers, "POST, OPTIONS"),
        _ => wrong_method("POST, OPTIONS"),
    };
    ofrep.cors.describe(&parts.headers, response.headers_mut());
    counters.count(response.status(), started.elapsed());
    response
}

async fn listen(ofrep: Arc<Ofrep>, counters: Arc<RouteMetrics>, request: Request) -> Response {
    let started = Instant::now();
    let (parts, _) = request.into_parts();
    let mut response = match parts.method {
        Method::GET => ofrep.streams.open(&ofrep.app, &parts).unwrap_or_else(respond),
        Method::OPTIONS => ofrep.cors.preflight(&parts.headers, "GET, OPTIONS"),
        _ => wrong_method("GET, OPTIONS"),
    };
    ofrep.cors.describe(&parts.headers, response.headers_mut());
    counters.count(response.status(), started.elapsed());
    response
}

fn wrong_method(allowed: &'static str) -> Response {
    let details = format!("this path is served with {allowed} only");
    let mut response = respond(Answer::general(StatusCode::METHOD_NOT_ALLOWED, &details));
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

impl Ofrep {
    /// Both results are answers; an `Err` is one that ends the matter early.
    async fn answer(&self, route: &Route, parts: &Parts, body: Body) -> Result<Answer, Answer> {
        let node = &self.app.node;
        let path = route.parts(parts.uri.path());
        let path = path
            .ok_or_else(|| Answer::general(StatusCode::BAD_REQUEST, "the path is not UTF-8 when decoded"))?;
        let stranger = |refused| self.refused_stranger(parts, refused);
        let caller = Caller::of(&self.app, parts).map_err(stranger)?;
        let body = self.read(body).await?;
        let caller = caller.prove(&self.app, &body).map_err(stranger)?;
        let place = Place::of(&self.app, &caller, path.place.as_ref())?;
        let request = yardarm_ofrep::Request::parse(&body).map_err(|malformed| match &path.key {
            Some(key) => yardarm_ofrep::malformed_single(key, &malformed),
            None => yardarm_ofrep::malformed_bulk(&malformed),
        })?;
        let query = parts.uri.query().unwrap_or("");
        if path.key.is_none() && !query.is_empty() {
            fresh::ensure(node, Freshness::of_query(query)).await;
        }
        let view = node.view();
        let wanted = flags::wanted(query);
        let held = flags::held(node, &view.world, &place, request.targeting_key(), &wanted)
            .map_err(|missing| Answer::later(StatusCode::SERVICE_UNAVAILABLE, missing, self.come_back_s()))?;
        let configurations = flags::configurations(&held);
        let set = yardarm_ofrep::FlagSet { id: &place.id(), scope: "", configurations: &configurations };
        let charge = |cost| self.app.charge(caller.payer(), parts, cost).map_err(too_fast);
        if let Some(key) = &path.key {
            charge(1)?;
            return Ok(yardarm_ofrep::evaluate_flag(&set, key, &request, |_, _| ()));
        }
        let tag = entity_tag(&set, &request, usize::from(self.streams.are_offered()));
        let mut known = parts.headers.get_all(IF_NONE_MATCH).iter().filter_map(|known| known.to_str().ok());
        if known.any(|known| is_current(known, &tag)) {
            return Ok(Answer::not_modified(tag));
        }
        // What has not changed is free: nobody should have a reason not to ask whether it has.
        charge(BULK_COST)?;
        let token = self.streams.are_offered().then(|| caller.stream_token(node, &place)).flatten();
        let uri = token.map(|token| self.stream_address(route, &token));
        let address = |uri| {
            let is_whole = !self.app.settings.ofrep.public_url.is_empty();
            if is_whole { StreamAddress::Url(uri) } else { StreamAddress::RequestUri(uri) }
        };
        let offered: Option<EventStream<'_>> =
            uri.as_deref().map(|uri| EventStream { address: address(uri), inactivity_s: INACTIVITY_S });
        Ok(yardarm_ofrep::evaluate_flags(&set, &request, offered.as_slice(), tag, |_, _| ()))
    }

    /// What a request is told that was refused for its credential: that, or that its address sends too many.
    fn refused_stranger(&self, parts: &Parts, refused: Answer) -> Answer {
        self.app.charge(None, parts, 1).map_or_else(too_fast, |()| refused)
    }

    /// The body, within limits.
    async fn read(&self, body: Body) -> Result<Bytes, Answer> {
        let limit = self.app.settings.ofrep.body_bytes;
        read_body(body, limit, self.app.settings.limits.request_time).await.map_err(|why| match why {
            Unread::TooLarge(_) => {
                let details = format!("the body is larger than {limit} bytes");
                Answer::general(StatusCode::PAYLOAD_TOO_LARGE, &details)
            }
            Unread::TooSlow => {
                Answer::general(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time")
            }
            Unread::Broken => Answer::general(StatusCode::BAD_REQUEST, "the body could not be read"),
        })
    }

    /// Where this server's clients listen, as far as it knows its own address.
    fn stream_address(&self, route: &Route, token: &str) -> String {
        let public = &self.app.settings.ofrep.public_url;
        let base = if public.is_empty() { &*route.prefix } else { public.as_str() };
        format!("{base}{STREAM}?t={token}")
    }

    fn come_back_s(&self) -> u32 {
        let [drawn, ..] = self.app.node.random();
        COME_BACK_S + u32::from(drawn) % COME_BACK_S
    }
}

/// What a caller is told that sends too many requests.
fn too_fast(TooFast { retry_after_s }: TooFast) -> Answer {
    Answer::later(
        StatusCode::TOO_MANY_REQUESTS,
        "too many requests: the rate limit is exceeded",
        retry_after_s,
    )
}

/// An answer on its way.
fn respond(answer: Answer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, JSON);
    headers.insert(CACHE_CONTROL, CACHES);
    if let Some(etag) = answer.etag.and_then(|etag| HeaderValue::from_maybe_shared(Bytes::from(etag)).ok()) {
        headers.insert(ETAG, etag);
    }
    if let Some(seconds) = answer.retry_after_s {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if answer.status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}
