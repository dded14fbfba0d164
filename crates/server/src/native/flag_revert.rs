//! One flag back to what it was.

use super::{json, place};
use crate::call::Call;
use crate::fault::Fault;
use crate::refusal::{OrFault, deployment_state};
use axum::response::Response;
use http::StatusCode;
use yardarm_domain::VersionNumber;
use yardarm_flags::document::FlagKey;
use yardarm_node::RevertFlag;
use yardarm_wire::errors::ErrorKind;
use yardarm_wire::native as wire;

/// How it is deployed unless somebody says otherwise: at once, and watched for a while.
const STRATEGY: &str = "AppConfig.AllAtOnce";

pub(super) async fn revert(call: Call) -> Result<Response, Fault> {
    let body: wire::RevertFlag = if call.body.is_empty() { Default::default() } else { call.json()? };
    let text = call.label("flag");
    let none = |_| Fault::told(ErrorKind::ResourceNotFound, format!("There is no flag {text}."));
    let flag: FlagKey = text.parse().map_err(none)?;
    let cause = call.cause();
    let wanted = {
        let view = call.node.view();
        let (application, environment, profile) = place::configuration(&call, &view.world)?;
        let strategy =
            view.world.find_strategy(body.strategy.as_deref().unwrap_or(STRATEGY)).or_fault(&call)?;
        RevertFlag {
            application: application.id.clone(),
            environment: environment.id.clone(),
            profile: profile.id.clone(),
            flag: flag.clone(),
            to: body.to_version.map(VersionNumber),
            strategy: strategy.id,
            reason: cause.reason.clone(),
        }
    };
    let (application, environment) = (wanted.application.clone(), wanted.environment.clone());
    let reverted = call.node.revert_flag(wanted, cause).await.or_fault(&call)?;
    let view = call.node.view();
    let environment = view.world.environment(&application, &environment).or_fault(&call)?;
    let deployment = environment.deployment(&application, reverted.deployment).or_fault(&call)?;
    let told = wire::RevertedFlag {
        flag: flag.to_string(),
        as_in_version: reverted.as_in.0,
        version: reverted.version.0,
        deployment: reverted.deployment.0,
        state: deployment_state(deployment.state()),
    };
    json(StatusCode::CREATED, &told)
}
