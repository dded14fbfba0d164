//! Whether the process is alive, whether it should get requests, and what it is.

use super::{empty, json};
use crate::call::Call;
use crate::fault::Fault;
use crate::router::App;
use axum::response::Response;
use http::StatusCode;
use yardarm_node::Node;
use yardarm_wire::native::{Health, HealthStatus, ServerInfo};

/// The process is alive as long as it answers.
pub(super) fn alive(app: &App) -> Response {
    render(&health(&app.node))
}

/// Ready even when its log does not answer: reads are right, if not the newest. Not ready while it shuts down.
pub(super) fn ready(app: &App) -> Response {
    let mut health = health(&app.node);
    if app.node.is_closing() {
        health.status = HealthStatus::Unavailable;
        health.why = Some("shutting down".into());
    }
    render(&health)
}

fn health(node: &Node) -> Health {
    let status = node.status();
    let (verdict, why) = if !status.log_answers {
        let why = "the log does not answer: what is served may be stale, and nothing can be changed";
        (HealthStatus::Stale, Some(why.into()))
    } else if status.behind > 0 {
        let why = format!("the newest content of {} configurations could not be loaded", status.behind);
        (HealthStatus::Stale, Some(why))
    } else if !status.log_accepts {
        let why = "the log took no change when it was last asked to: is the disk full?";
        (HealthStatus::ReadOnly, Some(why.into()))
    } else {
        (HealthStatus::Ok, None)
    };
    Health {
        status: verdict,
        seq: status.seq.0,
        stale_for_seconds: u64::try_from(status.stale_for.as_secs()).unwrap_or(0),
        why,
    }
}

fn render(health: &Health) -> Response {
    let status = if health.status == HealthStatus::Unavailable {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::OK
    };
    json(status, health).unwrap_or_else(|_| empty(StatusCode::INTERNAL_SERVER_ERROR))
}

/// What this server is.
pub(super) async fn server(call: Call) -> Result<Response, Fault> {
    let account = &call.node.config().account;
    let info = ServerInfo {
        version: env!("CARGO_PKG_VERSION").into(),
        region: account.region.to_string(),
        account_id: account.id.to_string(),
        dev: call.settings.dev,
        seq: call.node.view().seq.0,
    };
    json(StatusCode::OK, &info)
}
