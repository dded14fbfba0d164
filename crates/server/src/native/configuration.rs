//! Deployed configuration for programs without an AWS SDK: a plain read with an `ETag`, and a long poll.

use super::waiting::{self, Found, News};
use crate::call::Call;
use crate::fault::Fault;
use axum::body::Body;
use axum::response::Response;
use http::header::{CONTENT_TYPE, HeaderValue};
use std::sync::Arc;
use yardarm_node::ServedVersion;
use yardarm_wire::headers;

pub(super) async fn read(call: Call) -> Result<Response, Fault> {
    let client = call.query("client");
    if client.as_deref().is_some_and(|client| client.is_empty() || client.chars().count() > 64) {
        return Err(Fault::bad_request("client has 1 to 64 characters"));
    }
    let address = waiting::address(&call)?;
    let current = || {
        let Some(served) = call.node.served(&address) else { return Found::NotDeployed };
        let version = match &client {
            Some(client) => served.for_entity(client),
            None => served.for_anyone(),
        };
        match version {
            Some(version) => Found::Here(version.clone(), format!("\"{}\"", name(version))),
            None => Found::NotReached,
        }
    };
    match waiting::news(&call, &address, current).await? {
        News::New(version, tag) => answer(&version, &tag),
        News::Unchanged(tag) => waiting::nothing_new(Some(&tag)),
        News::Nothing => waiting::nothing_new(None),
    }
}

/// Names the bytes: the same content under another version is another answer, because its version is.
pub(super) fn name(version: &ServedVersion) -> String {
    version.name()
}

fn answer(version: &Arc<ServedVersion>, tag: &str) -> Result<Response, Fault> {
    let mut response = Response::new(Body::from(version.body.clone()));
    waiting::describe(response.headers_mut(), Some(tag))?;
    let kind = HeaderValue::from_maybe_shared(version.content_type.clone()).map_err(Fault::internal)?;
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response.headers_mut().insert(headers::CONFIGURATION_VERSION, HeaderValue::from(version.version.0));
    if let Some(label) = &version.label {
        let label = HeaderValue::from_maybe_shared(label.clone()).map_err(Fault::internal)?;
        response.headers_mut().insert(headers::VERSION_LABEL, label);
    }
    Ok(response)
}
