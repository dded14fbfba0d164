//! Alarms: put, listed, switched, deleted, and told their state by Alertmanager, Grafana or a program.

use super::{empty, json};
use crate::arguments::Arguments;
use crate::authenticate::Sender;
use crate::call::Call;
use crate::fault::Fault;
use crate::refusal::OrFault;
use axum::response::Response;
use http::StatusCode;
use yardarm_alarms::alerts;
use yardarm_domain::{
    Alarm, AlarmArn, AlarmReason, AlarmReport, AlarmSource, AlarmState, ChangeAlarm, CloudWatchAlarm,
    DeleteAlarm, Description, FreshFor, PrometheusAlarm, PutAlarm, Refusal, ReportAlarms, Threshold,
};
use yardarm_node::Node;
use yardarm_wire::alarms as wire;
use yardarm_wire::errors::ErrorKind;
use yardarm_wire::native::Items;

pub(super) async fn list(call: Call) -> Result<Response, Fault> {
    let view = call.node.view();
    let items = view.world.alarms().values().map(|alarm| shape(&call.node, alarm)).collect();
    json(StatusCode::OK, &Items { items })
}

pub(super) async fn get(call: Call) -> Result<Response, Fault> {
    json(StatusCode::OK, &current(&call, &arn(&call)?)?)
}

pub(super) async fn put(call: Call) -> Result<Response, Fault> {
    let (arn, body) = (arn(&call)?, call.json::<wire::PutAlarm>()?);
    let mut arguments = Arguments::default();
    let description = arguments.optional::<Description>("Description", body.description.as_deref());
    let description = arguments.finish(description)?;
    let fresh_for = match body.fresh_for_seconds {
        Some(seconds) => {
            Some(FreshFor::try_from(seconds).map_err(|limit| broken("freshForSeconds", &limit))?)
        }
        None => None,
    };
    let command = PutAlarm {
        arn: arn.clone(),
        description,
        source: source(body.source)?,
        fresh_for,
        actions_enabled: body.actions_enabled,
        secret: None,
    };
    let secret = call.node.put_alarm(command, body.new_secret, call.cause()).await.or_fault(&call)?;
    let alarm = current(&call, &arn)?;
    json(StatusCode::OK, &wire::PutAlarmAnswer { alarm, secret: secret.map(|secret| secret.to_string()) })
}

pub(super) async fn update(call: Call) -> Result<Response, Fault> {
    let (arn, body) = (arn(&call)?, call.json::<wire::UpdateAlarm>()?);
    let command = ChangeAlarm { arn: arn.clone(), actions_enabled: body.actions_enabled };
    call.node.execute(command, call.cause()).await.or_fault(&call)?;
    json(StatusCode::OK, &current(&call, &arn)?)
}

pub(super) async fn delete(call: Call) -> Result<Response, Fault> {
    call.node.execute(DeleteAlarm { arn: arn(&call)? }, call.cause()).await.or_fault(&call)?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// The state as it is, told by a program or a person. Of an alarm that is asked it holds until the next answer.
pub(super) async fn put_state(call: Call) -> Result<Response, Fault> {
    let (arn, body) = (own_arn(&call)?, call.json::<wire::PutAlarmState>()?);
    let reason = body.reason.as_deref().and_then(AlarmReason::beginning);
    let state = match body.state {
        wire::AlarmState::Ok => AlarmState::Ok,
        wire::AlarmState::Alarm => AlarmState::Alarm,
        wire::AlarmState::InsufficientData => AlarmState::InsufficientData,
    };
    let report = AlarmReport {
        alarm: arn.clone(),
        revision: None,
        state,
        at: call.node.now(),
        actions_enabled: true,
        reason,
        group: None,
    };
    call.node.execute(ReportAlarms { reports: vec![report] }, call.cause()).await.or_fault(&call)?;
    json(StatusCode::OK, &current(&call, &arn)?)
}

/// A notification of Alertmanager or Grafana.
pub(super) async fn notify(call: Call) -> Result<Response, Fault> {
    let arn = own_arn(&call)?;
    let view = call.node.view();
    let alarm = view.world.alarm(&arn).or_fault(&call)?;
    if alarm.source.is_polled() {
        let message =
            format!("Alarm {arn} is asked for its state; only one whose source is `pushed` is told.");
        return Err(Fault::told(ErrorKind::Conflict, message));
    }
    let told = alerts::read(&call.body).map_err(|nonsense| {
        Fault::bad_request(format!("The body is no notification of Alertmanager or Grafana: {nonsense}"))
    })?;
    let report = AlarmReport {
        alarm: arn,
        revision: None,
        state: told.state,
        at: call.node.now(),
        actions_enabled: true,
        reason: told.reason,
        group: Some(told.group),
    };
    call.node.execute(ReportAlarms { reports: vec![report] }, call.cause()).await.or_fault(&call)?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// The alarm that the path names.
fn arn(call: &Call) -> Result<AlarmArn, Fault> {
    call.label("alarm").parse().map_err(|limit| broken("alarm", &limit))
}

/// The alarm that the path names, unless the sender has shown the secret of another one.
fn own_arn(call: &Call) -> Result<AlarmArn, Fault> {
    let arn = arn(call)?;
    match &call.sender {
        Sender::Alarm(own) if *own != arn => {
            Err(Fault::told(ErrorKind::AccessDenied, "The secret is that of another alarm."))
        }
        _ => Ok(arn),
    }
}

fn broken(member: &str, limit: &yardarm_domain::Constraint) -> Fault {
    Fault::bad_request(format!("{member}: {limit}"))
}

fn source(sent: wire::AlarmSource) -> Result<AlarmSource, Fault> {
    match sent {
        wire::AlarmSource::Pushed => Ok(AlarmSource::Pushed),
        wire::AlarmSource::Cloudwatch(sent) => Ok(AlarmSource::CloudWatch(CloudWatchAlarm {
            name: sent.name.parse().map_err(|limit| broken("name", &limit))?,
            region: sent.region.parse().map_err(|limit| broken("region", &limit))?,
            endpoint: sent
                .endpoint
                .map(|url| url.parse())
                .transpose()
                .map_err(|limit| broken("endpoint", &limit))?,
        })),
        wire::AlarmSource::Prometheus(sent) => {
            let missing_data = sent.missing_data.map(|word| word.parse()).transpose();
            if sent.for_seconds > 86_400 {
                let limit = yardarm_domain::Constraint::Max(86_400);
                return Err(broken("forSeconds", &limit));
            }
            Ok(AlarmSource::Prometheus(PrometheusAlarm {
                url: sent.url.parse().map_err(|limit| broken("url", &limit))?,
                query: sent.query.parse().map_err(|limit| broken("query", &limit))?,
                comparison: sent.comparison.parse().map_err(|limit| broken("comparison", &limit))?,
                threshold: Threshold::new(sent.threshold).map_err(|limit| broken("threshold", &limit))?,
                for_s: sent.for_seconds,
                missing_data: missing_data
                    .map_err(|limit| broken("missingData", &limit))?
                    .unwrap_or_default(),
            }))
        }
    }
}

fn current(call: &Call, arn: &AlarmArn) -> Result<wire::Alarm, Fault> {
    let view = call.node.view();
    let found: Result<_, Refusal> = view.world.alarm(arn);
    Ok(shape(&call.node, found.or_fault(call)?))
}

fn state(state: AlarmState) -> wire::AlarmState {
    match state {
        AlarmState::Ok => wire::AlarmState::Ok,
        AlarmState::Alarm => wire::AlarmState::Alarm,
        AlarmState::InsufficientData => wire::AlarmState::InsufficientData,
    }
}

fn shape(node: &Node, alarm: &Alarm) -> wire::Alarm {
    let watched = node.watched_alarm(&alarm.arn).unwrap_or_default();
    wire::Alarm {
        alarm: alarm.arn.to_string(),
        description: alarm.description.as_ref().map(ToString::to_string),
        state: state(alarm.state(node.now())),
        source: match &alarm.source {
            AlarmSource::Pushed => wire::AlarmSource::Pushed,
            AlarmSource::CloudWatch(asked) => wire::AlarmSource::Cloudwatch(wire::CloudWatchSource {
                name: asked.name.to_string(),
                region: asked.region.to_string(),
                endpoint: asked.endpoint.as_ref().map(ToString::to_string),
            }),
            AlarmSource::Prometheus(asked) => wire::AlarmSource::Prometheus(wire::PrometheusSource {
                url: asked.url.to_string(),
                query: asked.query.to_string(),
                comparison: asked.comparison.as_str().into(),
                threshold: asked.threshold.number(),
                for_seconds: asked.for_s,
                missing_data: Some(asked.missing_data.as_str().into()),
            }),
        },
        fresh_for_seconds: alarm.fresh_for.seconds(),
        actions_enabled: alarm.actions_enabled,
        evidence: alarm.evidence.as_ref().map(|evidence| wire::AlarmEvidence {
            state: state(evidence.state),
            at: evidence.at.into(),
            since: evidence.since.into(),
            breaching_since: evidence.breaching_since.map(Into::into),
            actions_enabled: evidence.actions_enabled,
            reason: evidence.reason.as_ref().map(ToString::to_string),
        }),
        heard_at: watched.heard_at.map(Into::into),
        failure: watched.failure,
        created_at: alarm.created_at.into(),
    }
}
