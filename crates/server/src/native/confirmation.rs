//! Deployments that are taken back unless somebody confirms them.

use super::{json, place};
use crate::call::Call;
use crate::fault::Fault;
use crate::refusal::{OrFault, deployment_state};
use axum::response::Response;
use http::StatusCode;
use yardarm_domain::{
    ApplicationId, ConfirmDeployment, Deployment, DeploymentNumber, Description, EnvironmentId, Refusal,
};
use yardarm_wire::errors::ErrorKind;
use yardarm_wire::native as wire;

pub(super) async fn get(call: Call) -> Result<Response, Fault> {
    let (application, environment, number) = deployment(&call)?;
    answer(&call, &application, &environment, number)
}

pub(super) async fn confirm(call: Call) -> Result<Response, Fault> {
    let (application, environment, deployment) = deployment(&call)?;
    let cause = call.cause();
    // As long as a description may be: the header is cut off there.
    let reason = cause.reason.as_deref().and_then(|reason| reason.parse::<Description>().ok());
    let command = ConfirmDeployment {
        application: application.clone(),
        environment: environment.clone(),
        deployment,
        by: cause.actor.clone(),
        reason: reason.and_then(Description::none_if_empty),
    };
    call.node.execute(command, cause).await.or_fault(&call)?;
    answer(&call, &application, &environment, deployment)
}

fn deployment(call: &Call) -> Result<(ApplicationId, EnvironmentId, DeploymentNumber), Fault> {
    let view = call.node.view();
    let (application, environment) = place::environment(call, &view.world)?;
    let text = call.label("deployment");
    let none = |_| Fault::told(ErrorKind::ResourceNotFound, format!("There is no deployment {text}."));
    let number = text.parse().map(DeploymentNumber).map_err(none)?;
    Ok((application.id.clone(), environment.id.clone(), number))
}

fn answer(
    call: &Call,
    application: &ApplicationId,
    environment: &EnvironmentId,
    number: DeploymentNumber,
) -> Result<Response, Fault> {
    let view = call.node.view();
    let environment = view.world.environment(application, environment).or_fault(call)?;
    let deployment = environment.deployment(application, number).or_fault(call)?;
    let shown = shape(deployment).ok_or(Refusal::NothingToConfirm { number }).or_fault(call)?;
    json(StatusCode::OK, &shown)
}

/// `None`: nobody has to confirm it.
fn shape(deployment: &Deployment) -> Option<wire::DeploymentConfirmation> {
    let asked = deployment.confirmation.as_ref()?;
    let confirmed = asked.confirmed.as_ref();
    Some(wire::DeploymentConfirmation {
        deployment: deployment.number.0,
        state: deployment_state(deployment.state()),
        confirm_within_seconds: asked.within.seconds(),
        confirm_by: deployment.confirm_by().map(Into::into),
        confirmed_at: confirmed.map(|confirmed| confirmed.at.into()),
        confirmed_by: confirmed.map(|confirmed| confirmed.by.clone()),
        reason: confirmed.and_then(|confirmed| confirmed.reason.as_ref()).map(ToString::to_string),
    })
}
