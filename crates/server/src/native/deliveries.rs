//! What extensions are to be told, and how they know that it is Yardarm who tells.

use super::{empty, json};
use crate::call::Call;
use crate::control_plane::action_point_word;
use crate::fault::Fault;
use crate::refusal::OrFault;
use axum::response::Response;
use http::StatusCode;
use yardarm_domain::{DeliverAgain, Delivery, DeliveryId, Undelivered};
use yardarm_outbound::secret_text;
use yardarm_wire::errors::ErrorKind;
use yardarm_wire::native as wire;

pub(super) async fn list(call: Call) -> Result<Response, Fault> {
    let view = call.node.view();
    let waiting = view.world.deliveries().values().map(|delivery| waiting(delivery));
    let given_up = view.world.undelivered().values().map(given_up);
    json(StatusCode::OK, &wire::Items { items: waiting.chain(given_up).collect() })
}

pub(super) async fn retry(call: Call) -> Result<Response, Fault> {
    let text = call.label("deliveryId");
    let none = |_| Fault::told(ErrorKind::ResourceNotFound, format!("There is no delivery {text}."));
    let delivery: DeliveryId = text.parse().map_err(none)?;
    call.node.execute(DeliverAgain { delivery }, call.cause()).await.or_fault(&call)?;
    Ok(empty(StatusCode::ACCEPTED))
}

pub(super) async fn signing_secret(call: Call) -> Result<Response, Fault> {
    let id = call.node.view().world.find_extension(call.label("extension")).or_fault(&call)?.id.clone();
    let secret = call.node.signing_secret(id.as_str()).await.or_fault(&call)?;
    let body = wire::SigningSecret { extension_id: id.to_string(), secret: secret_text(&*secret) };
    json(StatusCode::OK, &body)
}

fn waiting(delivery: &Delivery) -> wire::Delivery {
    let invocation = &delivery.invocation;
    wire::Delivery {
        delivery_id: delivery.id.to_string(),
        state: wire::DeliveryState::Waiting,
        extension_id: invocation.extension.to_string(),
        extension_association_id: invocation.association.to_string(),
        action_point: action_point_word(invocation.point).to_string(),
        action_name: invocation.action.to_string(),
        uri: invocation.uri.to_string(),
        application_id: delivery.application.to_string(),
        environment_id: delivery.environment.to_string(),
        deployment_number: delivery.deployment.0.into(),
        occurred_at: delivery.at.into(),
        attempts: None,
        error_code: None,
        error_message: None,
        given_up_at: None,
    }
}

fn given_up(undelivered: &Undelivered) -> wire::Delivery {
    wire::Delivery {
        state: wire::DeliveryState::GivenUp,
        attempts: Some(undelivered.attempts.into()),
        error_code: Some(undelivered.failure.code.clone()),
        error_message: Some(undelivered.failure.message.clone()),
        given_up_at: Some(undelivered.at.into()),
        ..waiting(&undelivered.delivery)
    }
}
