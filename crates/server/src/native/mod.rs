//! Yardarm's own API below `/yardarm/v1`, the health endpoints and the metrics.

mod access_keys;
mod acknowledgements;
mod alarms;
mod applications;
mod configuration;
mod confirmation;
mod deliveries;
mod evaluation;
mod flag_revert;
mod forced_flags;
mod health;
mod place;
mod problem;
mod recovery;
mod rollout;
mod strategies;
mod tokens;
mod waiting;

pub(crate) use rollout::RolloutStreams;

use crate::authenticate::Access;
use crate::call::Call;
use crate::fault::Fault;
use crate::metrics::{Metrics, RouteMetrics};
use crate::request_id::RequestId;
use crate::router::{App, admit, finish};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::{MethodFilter, get, on};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use yardarm_wire::native::paths;

/// A native handler's answer under way.
type Answering = Pin<Box<dyn Future<Output = Result<Response, Fault>> + Send>>;

/// A native route: where it is, what it is called in the metrics, and who answers.
struct Route {
    method: MethodFilter,
    path: &'static str,
    name: &'static str,
    access: Access,
    handler: fn(Call) -> Answering,
}

macro_rules! route {
    ($method:ident $path:ident $name:literal $handler:path) => {
        route!($method $path $name $handler, Everything)
    };
    ($method:ident $path:ident $name:literal $handler:path, $access:ident) => {
        Route {
            method: MethodFilter::$method,
            path: paths::$path,
            name: $name,
            access: Access::$access,
            handler: |call| Box::pin($handler(call)),
        }
    };
}

const ROUTES: &[Route] = &[
    route!(POST ACCESS_KEYS "create-access-key" access_keys::create),
    route!(GET ACCESS_KEYS "list-access-keys" access_keys::list),
    route!(GET ACCESS_KEY "get-access-key" access_keys::get),
    route!(PATCH ACCESS_KEY "update-access-key" access_keys::update),
    route!(DELETE ACCESS_KEY "delete-access-key" access_keys::delete),
    route!(GET ALARMS "list-alarms" alarms::list),
    route!(GET ALARM "get-alarm" alarms::get),
    route!(PUT ALARM "put-alarm" alarms::put),
    route!(PATCH ALARM "update-alarm" alarms::update),
    route!(DELETE ALARM "delete-alarm" alarms::delete),
    route!(PUT ALARM_STATE "put-alarm-state" alarms::put_state, Reporting),
    route!(POST ALARM_ALERTMANAGER "alertmanager" alarms::notify, Reporting),
    route!(POST ALARM_GRAFANA "grafana" alarms::notify, Reporting),
    route!(DELETE APPLICATION "delete-application" applications::delete),
    route!(GET CONFIGURATION "read-configuration" configuration::read, Reading),
    route!(GET ROLLOUT "read-rollout" rollout::read, Reading),
    route!(POST ACKNOWLEDGEMENTS "acknowledge" acknowledgements::take, Reading),
    route!(GET DEPLOYMENT_CLIENTS "list-deployment-clients" acknowledgements::list),
    route!(GET KNOWN_GOOD "list-known-good" recovery::known_good, Reading),
    route!(GET RECOVERY "report-recovery" recovery::report),
    route!(GET FORCED_FLAGS "list-forced-flags" forced_flags::list),
    route!(PUT FORCED_FLAG "force-flag" forced_flags::put),
    route!(DELETE FORCED_FLAG "release-flag" forced_flags::release),
    route!(POST EVALUATE "evaluate" evaluation::evaluate),
    route!(POST EXPLAIN "explain" evaluation::explain),
    route!(POST EVALUATE_VERSION "evaluate-version" evaluation::evaluate_version),
    route!(POST EXPLAIN_VERSION "explain-version" evaluation::explain_version),
    route!(POST REVERT_FLAG "revert-flag" flag_revert::revert),
    route!(GET CONFIRMATION "get-deployment-confirmation" confirmation::get),
    route!(PUT CONFIRMATION "confirm-deployment" confirmation::confirm),
    route!(POST DEPLOYMENT_STRATEGIES "create-deployment-strategy" strategies::create),
    route!(GET DEPLOYMENT_STRATEGIES "list-deployment-strategies" strategies::list),
    route!(GET DELIVERIES "list-deliveries" deliveries::list),
    route!(POST RETRY_DELIVERY "retry-delivery" deliveries::retry),
    route!(GET SIGNING_SECRET "get-signing-secret" deliveries::signing_secret),
    route!(POST TOKENS "create-token" tokens::create),
    route!(GET TOKENS "list-tokens" tokens::list),
    route!(GET TOKEN "get-token" tokens::get),
    route!(DELETE TOKEN "revoke-token" tokens::revoke),
    route!(GET SERVER "server" health::server),
];

/// A read may wait this much longer than other requests take.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Adds the routes that need a signature.
pub(crate) fn routes(mut router: Router, app: &Arc<App>, metrics: &mut Metrics) -> Router {
    for route in ROUTES {
        let (app, counters) = (app.clone(), metrics.route(route.name));
        let handler = move |request: Request| serve(app.clone(), route, counters.clone(), request);
        router = router.route(route.path, on(route.method, handler));
    }
    router
}

async fn serve(
    app: Arc<App>,
    route: &'static Route,
    counters: Arc<RouteMetrics>,
    request: Request,
) -> Response {
    let started = Instant::now();
    let id = RequestId::draw(&app.node);
    let limit = app.settings.limits.request_time.saturating_add(LONGEST_WAIT);
    let answer = async { (route.handler)(admit(&app, request, id, route.access).await?).await };
    let answered = tokio::time::timeout(limit, answer).await;
    let mut response = match answered {
        Ok(Ok(response)) => response,
        Ok(Err(fault)) => problem::response(&fault, id),
        Err(_) => problem::plain(StatusCode::SERVICE_UNAVAILABLE, "The request took too long.", id),
    };
    finish(&mut response, id);
    counters.count(response.status(), started.elapsed());
    let status = response.status().as_u16();
    // Clients acknowledge all the time.
    if route.method == MethodFilter::GET || (route.path == paths::ACKNOWLEDGEMENTS && status < 400) {
        tracing::debug!(operation = route.name, request_id = id.as_str(), status, "answered");
    } else {
        tracing::info!(operation = route.name, request_id = id.as_str(), status, "answered");
    }
    response
}

/// A JSON answer.
fn json<T: serde::Serialize>(status: StatusCode, value: &T) -> Result<Response, Fault> {
    let body = serde_json::to_vec(value).map_err(Fault::internal)?;
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, crate::answer::JSON);
    Ok(response)
}

/// An answer without a body.
fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Adds what is answered to anybody who reaches the listener: health and metrics.
pub(crate) fn observability(router: Router, app: &Arc<App>, metrics: Arc<Metrics>) -> Router {
    let (alive, ready, measured) = (app.clone(), app.clone(), app.clone());
    router
        .route(paths::HEALTHZ, get(move || std::future::ready(health::alive(&alive))))
        .route(paths::READYZ, get(move || std::future::ready(health::ready(&ready))))
        .route("/metrics", get(move || std::future::ready(exposition(&metrics, &measured))))
}

fn exposition(metrics: &Metrics, app: &App) -> Response {
    let Ok(text) = metrics.render(&app.node, app.paces.as_ref()) else {
        return empty(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let mut response = Response::new(Body::from(text));
    let kind = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
