//! Routes, and what happens to every request on its way to a handler and back.

use crate::answer::{self, JSON};
use crate::authenticate::{Access, Authenticator};
use crate::call::Call;
use crate::dispatch::dispatch;
use crate::fault::Fault;
use crate::metrics::{Metrics, RouteMetrics};
use crate::native::{self, RolloutStreams};
use crate::ofrep;
use crate::pace::Paces;
use crate::request_id::RequestId;
use crate::settings::ServerSettings;
use axum::Router;
use axum::extract::{FromRequestParts, RawPathParams, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use std::sync::Arc;
use std::time::Instant;
use yardarm_listen::{Unread, read_body};
use yardarm_node::Node;
use yardarm_wire::errors::{ErrorBody, ErrorKind};
use yardarm_wire::floats::WireFloat;
use yardarm_wire::headers as names;
use yardarm_wire::operations::{Method, OPERATIONS, Operation, OperationName, Plane};

/// What every route works with.
pub(crate) struct App {
    pub(crate) node: Node,
    pub(crate) settings: Arc<ServerSettings>,
    pub(crate) authenticator: Authenticator,
    /// Limits on the requests of one caller, if there are any.
    pub(crate) paces: Option<Paces>,
    /// Streams of rollouts.
    pub(crate) streams: Arc<RolloutStreams>,
}

/// Everything this server answers.
pub fn router(node: Node, settings: ServerSettings) -> Router {
    let authenticator = Authenticator::new(settings.authentication, settings.dev);
    let paces = Paces::new(&settings.rates);
    let mut metrics = Metrics::default();
    let streams = settings.rollout_streams;
    let streams = RolloutStreams::new(streams, metrics.streams("rollout", streams.streams));
    let app = Arc::new(App { node, settings: Arc::new(settings), authenticator, paces, streams });
    let mut router = Router::new();
    for operation in OPERATIONS {
        let counters = metrics.route(operation.name.as_str());
        for path in operation.paths() {
            router = router.route(path, aws_route(app.clone(), operation, counters.clone()));
        }
    }
    router = native::routes(router, &app, &mut metrics);
    router = ofrep::routes(router, &app, &mut metrics);
    let unknown = metrics.route("unknown");
    let (wrong_method, node, same_node) = (unknown.clone(), app.node.clone(), app.node.clone());
    router = router
        .method_not_allowed_fallback(move || {
            let text = "This path is served with other methods only.";
            stranger(same_node.clone(), wrong_method.clone(), ErrorKind::MethodNotAllowed, text)
        })
        .fallback(move || {
            stranger(
                node.clone(),
                unknown.clone(),
                ErrorKind::UnknownOperation,
                "No operation has this path.",
            )
        });
    native::observability(router, &app, Arc::new(metrics))
}

/// Answers a request that no route takes.
async fn stranger(node: Node, counters: Arc<RouteMetrics>, kind: ErrorKind, text: &'static str) -> Response {
    let started = Instant::now();
    let mut response = Fault::told(kind, text).into_response();
    finish(&mut response, RequestId::draw(&node));
    counters.count(response.status(), started.elapsed());
    response
}

fn aws_route(app: Arc<App>, operation: &'static Operation, counters: Arc<RouteMetrics>) -> MethodRouter {
    let filter = match operation.method {
        Method::Get => MethodFilter::GET,
        Method::Post => MethodFilter::POST,
        Method::Patch => MethodFilter::PATCH,
        Method::Delete => MethodFilter::DELETE,
    };
    on(filter, move |request: Request| {
        let (app, counters) = (app.clone(), counters.clone());
        async move {
            let started = Instant::now();
            let id = RequestId::draw(&app.node);
            let answered = answer_aws(&app, operation, request, id).await;
            let mut response = answered.unwrap_or_else(IntoResponse::into_response);
            finish(&mut response, id);
            counters.count(response.status(), started.elapsed());
            record(operation, &response, id, started);
            response
        }
    })
}

async fn answer_aws(
    app: &App,
    operation: &Operation,
    request: Request,
    id: RequestId,
) -> Result<Response, Fault> {
    let deadline = tokio::time::Instant::now() + app.settings.limits.request_time;
    let reads = operation.plane == Plane::Data || operation.name == OperationName::GetConfiguration;
    let access = if reads { Access::Reading } else { Access::Everything };
    let call = admit(app, request, id, access).await?;
    let too_slow = |_| Fault::told(ErrorKind::InternalServer, "The request took too long.");
    let answer =
        tokio::time::timeout_at(deadline, dispatch(operation.name, call)).await.map_err(too_slow)??;
    Ok(answer::response(operation.status, answer))
}

/// The labels of the path, decoded once.
async fn labels(parts: &mut Parts) -> Result<Vec<(Box<str>, String)>, Fault> {
    let params = RawPathParams::from_request_parts(parts, &())
        .await
        .map_err(|_| Fault::bad_request("The path is not UTF-8 when decoded."))?;
    Ok(params.iter().map(|(name, value)| (name.into(), value.into())).collect())
}

/// Finds out who sent the request, and reads its body within limits.
pub(crate) async fn admit(app: &App, request: Request, id: RequestId, access: Access) -> Result<Call, Fault> {
    let (mut parts, body) = request.into_parts();
    let labels = labels(&mut parts).await?;
    let claim = app.authenticator.claim(&app.node, &parts, access);
    let claim = claim.map_err(|fault| app.refused_stranger(&parts, fault))?;
    let limits = &app.settings.limits;
    let unread = |why| unread(why, limits.body_bytes);
    let body = read_body(body, limits.body_bytes, limits.request_time).await.map_err(unread)?;
    let sender = claim.prove(&app.node, &body).map_err(|fault| app.refused_stranger(&parts, fault))?;
    app.ensure_pace(&sender, &parts)?;
    Ok(Call {
        node: app.node.clone(),
        settings: app.settings.clone(),
        streams: app.streams.clone(),
        id,
        sender,
        labels,
        uri: parts.uri,
        headers: parts.headers,
        body,
    })
}

fn unread(why: Unread, limit: usize) -> Fault {
    match why {
        Unread::TooLarge(size) => too_large(limit, size),
        Unread::TooSlow => Fault::bad_request("The request body did not arrive in time."),
        Unread::Broken => Fault::bad_request("The request body could not be read."),
    }
}

fn too_large(limit: usize, size: u64) -> Fault {
    #[expect(clippy::cast_precision_loss, reason = "kilobytes of a request body")]
    let kilobytes = |bytes: u64| WireFloat::from(bytes.div_ceil(1_024) as f32);
    let body = ErrorBody::payload_too_large(
        "The request body is too large.",
        kilobytes(limit as u64),
        kilobytes(size),
    );
    Fault::new(ErrorKind::PayloadTooLarge, body)
}

/// What every answer carries.
pub(crate) fn finish(response: &mut Response, id: RequestId) {
    let headers = response.headers_mut();
    if let Some(id) = id.header() {
        headers.insert(names::X_AMZN_REQUESTID, id);
    }
    if !headers.contains_key(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, JSON);
    }
}

/// One line for every change and every failure of ours; reads only when somebody debugs.
fn record(operation: &Operation, response: &Response, id: RequestId, started: Instant) {
    let (name, status) = (operation.name.as_str(), response.status().as_u16());
    let id = id.as_str();
    let took_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    let polls = operation.name == OperationName::StartConfigurationSession;
    if status >= 500 {
        tracing::error!(operation = name, request_id = id, status, took_us, "answered");
    } else if operation.method == Method::Get || polls {
        tracing::debug!(operation = name, request_id = id, status, took_us, "answered");
    } else {
        tracing::info!(operation = name, request_id = id, status, took_us, "answered");
    }
}
