//! Bearer tokens: made, listed, revoked.

use super::{empty, json};
use crate::arguments::Arguments;
use crate::call::Call;
use crate::fault::Fault;
use crate::refusal::OrFault;
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;
use yardarm_domain::{
    BearerToken, BearerTokenId, Description, Missing, Name, Refusal, RevokeBearerToken, TokenScope,
    WantedBearerToken, World,
};
use yardarm_wire::native as wire;

pub(super) async fn create(call: Call) -> Result<Response, Fault> {
    let body: wire::CreateBearerToken = call.json()?;
    let mut arguments = Arguments::default();
    let name = arguments.required::<Name>("Name", Some(&body.name));
    let description = arguments.optional::<Description>("Description", body.description.as_deref());
    let (name, description) = arguments.finish((name, description))?;
    let view = call.node.view();
    let application = view.world.find_application(&body.application).or_fault(&call)?;
    let environment = application.find_environment(&body.environment).or_fault(&call)?;
    let wanted = WantedBearerToken {
        name,
        description,
        application: application.id.clone(),
        environment: environment.id.clone(),
        scope: match body.scope {
            wire::TokenScope::Evaluate => TokenScope::Evaluate,
            wire::TokenScope::Read => TokenScope::Read,
        },
        expires_at: body.expires_at.map(|at| at.timestamp()),
    };
    let made = call.node.create_bearer_token(wanted, call.cause()).await.or_fault(&call)?;
    let view = call.node.view();
    let bearer_token = shape(find(&view.world, &made.id).or_fault(&call)?, call.node.now());
    json(StatusCode::CREATED, &wire::CreatedBearerToken { bearer_token, token: made.text.to_string() })
}

pub(super) async fn list(call: Call) -> Result<Response, Fault> {
    let (view, now) = (call.node.view(), call.node.now());
    let items = view.world.bearer_tokens().values().map(|token| shape(token, now)).collect();
    json(StatusCode::OK, &wire::Items { items })
}

pub(super) async fn get(call: Call) -> Result<Response, Fault> {
    let id = id(&call)?;
    let view = call.node.view();
    json(StatusCode::OK, &shape(find(&view.world, &id).or_fault(&call)?, call.node.now()))
}

pub(super) async fn revoke(call: Call) -> Result<Response, Fault> {
    call.node.execute(RevokeBearerToken { id: id(&call)? }, call.cause()).await.or_fault(&call)?;
    Ok(empty(StatusCode::NO_CONTENT))
}

fn id(call: &Call) -> Result<BearerTokenId, Fault> {
    call.label("tokenId")
        .parse()
        .map_err(|error: yardarm_domain::InvalidId| Fault::bad_request(error.to_string()))
}

fn find<'a>(world: &'a World, id: &BearerTokenId) -> Result<&'a BearerToken, Refusal> {
    let missing = || Refusal::NotFound(Missing::BearerToken(id.clone()));
    world.bearer_tokens().get(id).map(|token| &**token).ok_or_else(missing)
}

fn shape(token: &BearerToken, now: Timestamp) -> wire::BearerToken {
    wire::BearerToken {
        token_id: token.id.to_string(),
        name: token.name.to_string(),
        description: token.description.as_ref().map(ToString::to_string),
        application_id: token.application.to_string(),
        environment_id: token.environment.to_string(),
        scope: match token.scope {
            TokenScope::Evaluate => wire::TokenScope::Evaluate,
            TokenScope::Read => wire::TokenScope::Read,
        },
        expires_at: token.expires_at.map(Into::into),
        expired: token.is_expired(now),
        created_at: token.created_at.into(),
    }
}
