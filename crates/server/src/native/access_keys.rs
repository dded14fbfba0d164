//! Access keys: made, listed, disabled, removed.

use super::{empty, json};
use crate::arguments::Arguments;
use crate::call::Call;
use crate::fault::Fault;
use crate::refusal::OrFault;
use axum::response::Response;
use http::StatusCode;
use yardarm_domain::{
    AccessKey, AccessKeyId, ChangeAccessKey, DeleteAccessKey, Description, Missing, Name, Refusal, World,
};
use yardarm_wire::native as wire;

pub(super) async fn create(call: Call) -> Result<Response, Fault> {
    let body: wire::CreateAccessKey = call.json()?;
    let mut arguments = Arguments::default();
    let name = arguments.required::<Name>("Name", Some(&body.name));
    let description = arguments.optional::<Description>("Description", body.description.as_deref());
    let (name, description) = arguments.finish((name, description))?;
    let made =
        call.node.create_access_key(None, None, name, description, call.cause()).await.or_fault(&call)?;
    let view = call.node.view();
    let access_key = shape(find(&view.world, &made.id).or_fault(&call)?);
    let created = wire::CreatedAccessKey { access_key, secret_access_key: made.secret.to_string() };
    json(StatusCode::CREATED, &created)
}

pub(super) async fn list(call: Call) -> Result<Response, Fault> {
    let view = call.node.view();
    let items = view.world.access_keys().values().map(shape).collect();
    json(StatusCode::OK, &wire::Items { items })
}

pub(super) async fn get(call: Call) -> Result<Response, Fault> {
    let id = id(&call)?;
    json(StatusCode::OK, &shape(find(&call.node.view().world, &id).or_fault(&call)?))
}

pub(super) async fn update(call: Call) -> Result<Response, Fault> {
    let id = id(&call)?;
    let body: wire::UpdateAccessKey = call.json()?;
    let mut arguments = Arguments::default();
    let name = arguments.optional::<Name>("Name", body.name.as_deref());
    let description = arguments.optional::<Description>("Description", body.description.as_deref());
    let (name, description) = arguments.finish((name, description))?;
    let change = ChangeAccessKey { id: id.clone(), enabled: body.enabled, name, description };
    let committed = call.node.execute(change, call.cause()).await.or_fault(&call)?;
    json(StatusCode::OK, &shape(find(&committed.view.world, &id).or_fault(&call)?))
}

pub(super) async fn delete(call: Call) -> Result<Response, Fault> {
    call.node.execute(DeleteAccessKey { id: id(&call)? }, call.cause()).await.or_fault(&call)?;
    Ok(empty(StatusCode::NO_CONTENT))
}

fn id(call: &Call) -> Result<AccessKeyId, Fault> {
    call.label("accessKeyId")
        .parse()
        .map_err(|error: yardarm_domain::InvalidId| Fault::bad_request(error.to_string()))
}

fn find<'a>(world: &'a World, id: &AccessKeyId) -> Result<&'a AccessKey, Refusal> {
    let missing = || Refusal::NotFound(Missing::AccessKey(id.clone()));
    world.access_keys().get(id).ok_or_else(missing)
}

fn shape(key: &AccessKey) -> wire::AccessKey {
    wire::AccessKey {
        access_key_id: key.id.to_string(),
        name: key.name.to_string(),
        description: key.description.as_ref().map(ToString::to_string),
        enabled: key.enabled,
        created_at: key.created_at.into(),
    }
}
