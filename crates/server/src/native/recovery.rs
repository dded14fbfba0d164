//! How long steps and ways back took, and which versions have proved good.

use super::{json, place};
use crate::call::Call;
use crate::fault::Fault;
use crate::refusal::OrFault;
use axum::response::Response;
use http::StatusCode;
use std::cmp::Reverse;
use std::collections::HashMap;
use yardarm_domain::rollout::TriggeredBy;
use yardarm_domain::{
    Deployment, DeploymentNumber, EnvironmentId, Measure, MeasureEnd, Measured, MeasuredDeployment, Recovery,
    recoveries,
};
use yardarm_wire::native::Items;
use yardarm_wire::recovery as wire;

/// Entries of a report.
const MOST: usize = 1_000;

/// Versions that are listed as good unless another number is asked for.
const GOOD: usize = 5;

/// The most that can be asked for.
const MOST_GOOD: usize = 100;

pub(super) async fn report(call: Call) -> Result<Response, Fault> {
    let view = call.node.view();
    let application = match call.query("application") {
        Some(named) => Some(view.world.find_application(&named).or_fault(&call)?),
        None => None,
    };
    let environment: Option<EnvironmentId> = match (application, call.query("environment")) {
        (Some(application), Some(named)) => {
            Some(application.find_environment(&named).or_fault(&call)?.id.clone())
        }
        (None, Some(_)) => return Err(Fault::bad_request("environment goes with application")),
        (_, None) => None,
    };
    let steps = match call.query("steps").as_deref() {
        Some("true") => true,
        None | Some("false") => false,
        Some(other) => return Err(Fault::bad_request(format!("steps is true or false, not `{other}`"))),
    };
    let application = application.map(|application| application.id.clone());
    let wanted = |app: &yardarm_domain::ApplicationId, env: &EnvironmentId| {
        application.as_ref().is_none_or(|id| id == app) && environment.as_ref().is_none_or(|id| id == env)
    };
    let under_way = call.node.measures_under_way();
    let under_way: HashMap<_, _> = under_way.iter().map(|open| (key(open), &open.measure)).collect();
    let mut all: Vec<Recovery<'_>> = recoveries(&view.world, wanted)
        .filter(|found| steps || !matches!(found.of, Measured::Step(_)))
        .collect();
    all.sort_by_key(|found| Reverse((found.decided_at, found.deployment.number)));
    let back = || all.iter().filter(|found| !matches!(found.of, Measured::Step(_)));
    let measures: Vec<&Measure> = back().filter_map(|found| found.measure).collect();
    let median = |of: fn(&Measure) -> Option<u64>| {
        let mut times: Vec<u64> = measures.iter().filter_map(|measure| of(measure)).collect();
        times.sort_unstable();
        times.get(times.len().saturating_sub(1) / 2).copied()
    };
    let report = wire::RecoveryReport {
        medians: wire::RecoveryTimes {
            evidence_to_decided_ms: median(evidence_ms),
            served_ms: median(|measure| Some(measure.served_ms)),
            half_ms: median(|measure| measure.half_ms),
            nearly_all_ms: median(|measure| measure.nearly_all_ms),
            all_ms: median(|measure| measure.all_ms),
        },
        rollbacks: back().count() as u64,
        measured: measures.len() as u64,
        items: all.iter().take(MOST).map(|found| shape(found, &under_way)).collect(),
    };
    json(StatusCode::OK, &report)
}

type Key<'m> = (&'m yardarm_domain::ApplicationId, &'m EnvironmentId, DeploymentNumber, jiff::Timestamp);

fn key(measured: &MeasuredDeployment) -> Key<'_> {
    let MeasuredDeployment { application, environment, deployment, measure } = measured;
    (application, environment, *deployment, measure.decided_at)
}

fn evidence_ms(measure: &Measure) -> Option<u64> {
    u64::try_from(measure.decided_at.duration_since(measure.evidence_at?).as_millis()).ok()
}

fn shape(found: &Recovery<'_>, under_way: &HashMap<Key<'_>, &Measure>) -> wire::Recovery {
    let deployment: &Deployment = found.deployment;
    let open =
        under_way.get(&(found.application, found.environment, deployment.number, found.decided_at)).copied();
    let measure = found.measure.or(open);
    wire::Recovery {
        application_id: found.application.to_string(),
        environment_id: found.environment.to_string(),
        configuration_name: deployment.configuration_name.to_string(),
        deployment_number: deployment.number.0.into(),
        of: match found.of {
            Measured::Step(_) => wire::Measured::Step,
            Measured::Rollback => wire::Measured::Rollback,
            Measured::Revert => wire::Measured::Revert,
        },
        exposure: match found.of {
            Measured::Step(exposure) => Some(exposure.parts_per_million()),
            Measured::Rollback | Measured::Revert => None,
        },
        because: found.by.map(because),
        evidence_at: measure.and_then(|measure| measure.evidence_at).map(Into::into),
        decided_at: found.decided_at.into(),
        clients: measure.map_or(0, |measure| measure.clients.into()),
        times: measure.map(times).unwrap_or_default(),
        ended: match (found.measure, open) {
            (Some(measure), _) => match measure.ended {
                MeasureEnd::Complete => wire::MeasureEnd::Complete,
                MeasureEnd::Superseded => wire::MeasureEnd::Superseded,
                MeasureEnd::GivenUp => wire::MeasureEnd::GivenUp,
            },
            (None, Some(_)) => wire::MeasureEnd::Open,
            (None, None) => wire::MeasureEnd::NoClients,
        },
    }
}

fn times(measure: &Measure) -> wire::RecoveryTimes {
    wire::RecoveryTimes {
        evidence_to_decided_ms: evidence_ms(measure),
        served_ms: Some(measure.served_ms),
        half_ms: measure.half_ms,
        nearly_all_ms: measure.nearly_all_ms,
        all_ms: measure.all_ms,
    }
}

fn because(by: &TriggeredBy) -> String {
    match by {
        TriggeredBy::User => "a request".into(),
        TriggeredBy::Yardarm => "the engine".into(),
        TriggeredBy::Alarm { alarm, state } => format!("alarm {alarm} in {}", state.as_str()),
        TriggeredBy::Unconfirmed => "nobody confirmed it".into(),
        TriggeredBy::Refused { refused, exposed } => format!("{refused} of {exposed} clients refused it"),
    }
}

pub(super) async fn known_good(call: Call) -> Result<Response, Fault> {
    call.ensure_place(call.label("application"), call.label("environment"))?;
    let view = call.node.view();
    let (_, environment, profile) = place::configuration(&call, &view.world)?;
    let most = match call.query("most") {
        None => GOOD,
        Some(text) => text
            .parse()
            .ok()
            .filter(|most| (1..=MOST_GOOD).contains(most))
            .ok_or_else(|| Fault::bad_request(format!("most is 1 to {MOST_GOOD}, not `{text}`")))?,
    };
    let items = environment.known_good(&profile.id).take(most).map(|deployment| wire::KnownGood {
        version: deployment.version.0.into(),
        label: deployment.label.as_ref().map(ToString::to_string),
        deployment_number: deployment.number.0.into(),
        sha256: deployment.content.hash.to_string(),
        completed_at: deployment.completed_at.unwrap_or(deployment.started_at).into(),
    });
    json(StatusCode::OK, &Items { items: items.collect() })
}
