//! What clients say of what they were given, and where they stand.

use super::{empty, json, place, waiting};
use crate::call::Call;
use crate::fault::Fault;
use crate::refusal::OrFault;
use axum::response::Response;
use http::StatusCode;
use yardarm_domain::{ClientCounts, Deployment, DeploymentNumber, Exposure, Gate, Passage};
use yardarm_node::{Acknowledgement, ClientStanding, Standing};
use yardarm_wire::clients as wire;
use yardarm_wire::errors::ErrorKind;

/// The longest name of a client, and of what it runs.
const MOST_NAME: usize = 64;

/// The longest name of what a client was given.
const MOST_TAG: usize = 256;

/// The longest reason.
const MOST_REASON: usize = 1_024;

pub(super) async fn take(call: Call) -> Result<Response, Fault> {
    let address = waiting::address(&call)?;
    let body: wire::Acknowledgement = call.json()?;
    named("client", &body.client, MOST_NAME)?;
    named("software", &body.software, MOST_NAME)?;
    let tag = body.tag.trim_start_matches("W/").trim_matches('"');
    named("tag", tag, MOST_TAG)?;
    let reason = body.reason.unwrap_or_default();
    if reason.chars().count() > MOST_REASON {
        return Err(Fault::bad_request(format!("reason has more than {MOST_REASON} characters")));
    }
    let refused = match body.state {
        wire::AcknowledgedState::Applied => None,
        wire::AcknowledgedState::Refused => Some(printable(&reason)),
    };
    let said = Acknowledgement {
        tag: tag.to_owned(),
        client: body.client,
        software: body.software,
        per_entity: body.per_entity,
        deployment: body.deployment.map(DeploymentNumber),
        refused,
    };
    call.node.acknowledge(&address, said).or_fault(&call)?;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn list(call: Call) -> Result<Response, Fault> {
    let view = call.node.view();
    let (application, environment) = place::environment(&call, &view.world)?;
    let number = call.label("deployment").parse().map(DeploymentNumber);
    let number = number.map_err(|_| Fault::bad_request("deployment is a number"))?;
    let deployment = environment.deployment(&application.id, number).or_fault(&call)?;
    let Some(found) = call.node.clients_of(&application.id, &environment.id, number) else {
        let message = format!(
            "Deployment {number} is not what clients are given: it is over, it waits, or another one is on its way."
        );
        return Err(Fault::told(ErrorKind::Conflict, message));
    };
    let ClientCounts { exposed, applied, refused, .. } = found.counts;
    let answer = wire::DeploymentClients {
        deployment_number: number.0.into(),
        exposure: deployment.exposure().parts_per_million(),
        gate: deployment.gate.map(|Gate { applied, refused }| wire::Gate {
            applied_percent: applied.get(),
            refused_percent: refused.get(),
        }),
        holds: holds(deployment, &found.counts),
        exposed,
        applied,
        refused,
        lagging: exposed.saturating_sub(applied.saturating_add(refused)),
        items: found.clients.into_iter().map(shape).collect(),
    };
    json(StatusCode::OK, &answer)
}

/// Why the deployment does not go on, if it waits for clients.
fn holds(deployment: &Deployment, counts: &ClientCounts) -> Option<String> {
    let gate = deployment.gate.filter(|_| deployment.phase.is_active())?;
    if gate.passage(counts) != Passage::Hold || counts.at == Exposure::NONE {
        return None;
    }
    let ClientCounts { exposed, applied, .. } = *counts;
    Some(match exposed {
        0 => "No client is known that has the version: none has acknowledged anything lately.".into(),
        _ => format!(
            "{applied} of {exposed} clients have applied this step; {} % must have.",
            gate.applied.get()
        ),
    })
}

fn shape(client: ClientStanding) -> wire::Client {
    wire::Client {
        client: client.client,
        software: client.software,
        per_entity: client.per_entity,
        standing: match client.standing {
            Standing::Applied => wire::ClientStanding::Applied,
            Standing::Refused => wire::ClientStanding::Refused,
            Standing::Lags => wire::ClientStanding::Lags,
            Standing::NotExposed => wire::ClientStanding::NotExposed,
        },
        reason: client.refused,
        heard_at: client.heard_at.into(),
        since: client.since.into(),
    }
}

/// A name that can be shown as it is.
fn named(member: &str, text: &str, most: usize) -> Result<(), Fault> {
    let fits = (1..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    let bad = || {
        Fault::bad_request(format!("{member} has 1 to {most} characters, none of them a control character"))
    };
    if fits { Ok(()) } else { Err(bad()) }
}

/// A reason in one line, whatever the client's reader said.
fn printable(reason: &str) -> String {
    let reason: String =
        reason.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    if reason.trim().is_empty() { "no reason given".into() } else { reason }
}
