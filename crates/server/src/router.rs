//! Routes, and what happens to every request on its way to a handler and back.

use crate::answer::{self, JSON};
use crate::authenticate::{Access, Authenticator, Sender};
use crate::call::Call;
use crate::dispatch::dispatch;
use crate::fault::Fault;
use crate::metrics::{Metrics, RouteMetrics};
use crate::native;
use crate::ofrep;
use crate::settings::{Limits, ServerSettings};
use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::sync::Arc;
use std::time::Instant;
use yardarm_node::{Cause, Node};
use yardarm_wire::errors::{ErrorBody, ErrorKind};
use yardarm_wire::floats::WireFloat;
use yardarm_wire::headers as names;
use yardarm_wire::operations::{Method, OPERATIONS, Operation, OperationName, Plane};

/// What every route works with.
pub(crate) struct App {
    pub(crate) node: Node,
    pub(crate) settings: Arc<ServerSettings>,
    pub(crate) authenticator: Authenticator,
}

/// Everything this server answers.
pub fn router(node: Node, settings: ServerSettings) -> Router {
    let authenticator = Authenticator::new(settings.authentication, settings.dev);
    let app = Arc::new(App { node, settings: Arc::new(settings), authenticator });
    let mut metrics = Metrics::default();
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
    finish(&mut response, &request_id(&node));
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
            let id = request_id(&app.node);
            let answered = answer_aws(&app, operation, request, &id).await;
            let mut response = answered.unwrap_or_else(IntoResponse::into_response);
            finish(&mut response, &id);
            counters.count(response.status(), started.elapsed());
            record(operation, &response, &id, started);
            response
        }
    })
}

async fn answer_aws(app: &App, operation: &Operation, request: Request, id: &str) -> Result<Response, Fault> {
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

/// Finds out who sent the request, and reads its body within limits. A sender that is slower than they allow is told
/// so: it is no fault of ours, and no reason for an SDK to try again.
pub(crate) async fn admit(app: &App, request: Request, id: &str, access: Access) -> Result<Call, Fault> {
    let (mut parts, body) = request.into_parts();
    let labels = labels(&mut parts).await?;
    let claim = app.authenticator.claim(&app.node, &parts, access)?;
    let body = receive(body, &app.settings.limits).await?;
    let Sender { actor, bearer, reporter } = claim.prove(&app.node, &body)?;
    let reason = parts.headers.get("yardarm-reason").and_then(|reason| reason.to_str().ok());
    let reason = reason.map(|reason| reason.chars().take(1_024).collect());
    Ok(Call {
        node: app.node.clone(),
        settings: app.settings.clone(),
        cause: Cause { actor, request_id: id.into(), reason },
        bearer,
        reporter,
        labels,
        uri: parts.uri,
        headers: parts.headers,
        body,
    })
}

/// The whole body. Most requests have none, and wait for nothing.
async fn receive(body: Body, limits: &Limits) -> Result<Bytes, Fault> {
    if http_body::Body::is_end_stream(&body) {
        return Ok(Bytes::new());
    }
    let too_slow = |_| Fault::bad_request("The request body did not arrive in time.");
    tokio::time::timeout(limits.request_time, read(body, limits.body_bytes)).await.map_err(too_slow)?
}

async fn read(body: Body, limit: usize) -> Result<Bytes, Fault> {
    let announced = http_body::Body::size_hint(&body).lower();
    if announced > limit as u64 {
        return Err(too_large(limit, announced));
    }
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large(limit, limit as u64 + 1)),
        Err(_) => Err(Fault::bad_request("The request body could not be read.")),
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

/// A fresh request id.
pub(crate) fn request_id(node: &Node) -> String {
    uuid::Builder::from_random_bytes(node.random()).into_uuid().hyphenated().to_string()
}

/// What every answer carries.
pub(crate) fn finish(response: &mut Response, id: &str) {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(names::X_AMZN_REQUESTID, id);
    }
    if !headers.contains_key(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, JSON);
    }
}

/// One line for every change and every failure of ours; reads only when somebody debugs.
fn record(operation: &Operation, response: &Response, id: &str, started: Instant) {
    let (name, status) = (operation.name.as_str(), response.status().as_u16());
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
