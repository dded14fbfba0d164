//! Deployed configuration for programs without an AWS SDK: a plain read with an `ETag`, and a long poll.

use super::{LONGEST_WAIT, empty};
use crate::call::Call;
use crate::fault::Fault;
use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};
use std::sync::Arc;
use std::time::Duration;
use yardarm_node::{ServedVersion, SessionRefusal};
use yardarm_wire::errors::ErrorKind;
use yardarm_wire::headers;

pub(super) async fn read(call: Call) -> Result<Response, Fault> {
    let wait = wait(&call)?;
    let client = call.query("client");
    if client.as_deref().is_some_and(|client| client.is_empty() || client.chars().count() > 64) {
        return Err(Fault::bad_request("client has 1 to 64 characters"));
    }
    let known = call.header(&IF_NONE_MATCH);
    let mut changes = call.node.changes();
    let waiting = tokio::time::sleep(wait);
    let mut waiting = std::pin::pin!(waiting);
    loop {
        changes.mark_unchanged();
        let version = current(&call, client.as_deref())?;
        let tag = version.as_deref().map(etag);
        let unchanged = match (&tag, &known) {
            (Some(tag), Some(known)) => known.split(',').any(|one| matches(one.trim(), tag)),
            (None, known) => known.is_none() || wait > Duration::ZERO,
            (Some(_), None) => false,
        };
        if !unchanged {
            return answer(version.as_deref(), tag.as_deref());
        }
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return not_modified(tag.as_deref()) },
            () = &mut waiting => return not_modified(tag.as_deref()),
            () = call.node.until_closing() => return not_modified(tag.as_deref()),
        }
    }
}

fn wait(call: &Call) -> Result<Duration, Fault> {
    let Some(text) = call.query("wait") else { return Ok(Duration::ZERO) };
    match text.parse::<u64>() {
        Ok(seconds) if seconds <= LONGEST_WAIT.as_secs() => Ok(Duration::from_secs(seconds)),
        _ => {
            Err(Fault::bad_request(format!("wait is 0 to {} seconds, not `{text}`", LONGEST_WAIT.as_secs())))
        }
    }
}

fn current(call: &Call, client: Option<&str>) -> Result<Option<Arc<ServedVersion>>, Fault> {
    let [application, environment, profile] =
        ["application", "environment", "profile"].map(|label| call.label(label));
    let reading = call.node.read_configuration(application, environment, profile, client);
    reading.map(|reading| reading.version).map_err(|refusal| {
        let what = match refusal {
            SessionRefusal::NoApplication => format!("no application `{application}`"),
            SessionRefusal::NoEnvironment => format!("no environment `{environment}`"),
            SessionRefusal::NoProfile => format!("no configuration profile `{profile}`"),
            SessionRefusal::NoDeployment
            | SessionRefusal::NoConfiguration
            | SessionRefusal::Token(_)
            | SessionRefusal::NotReady => "nothing deployed of this configuration".into(),
        };
        Fault::told(ErrorKind::ResourceNotFound, format!("There is {what}."))
    })
}

/// Names the bytes: the same content under another version is another answer, because its version is.
fn etag(version: &ServedVersion) -> String {
    let content: String = version.content.to_string().chars().take(16).collect();
    format!("\"{}-{content}\"", version.version)
}

fn matches(one: &str, tag: &str) -> bool {
    one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag
}

fn answer(version: Option<&ServedVersion>, tag: Option<&str>) -> Result<Response, Fault> {
    let Some(version) = version else { return Ok(empty(StatusCode::NO_CONTENT)) };
    let mut response = Response::new(Body::from(version.body.clone()));
    describe(response.headers_mut(), tag)?;
    let kind = HeaderValue::from_maybe_shared(version.content_type.clone()).map_err(Fault::internal)?;
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response.headers_mut().insert(headers::CONFIGURATION_VERSION, HeaderValue::from(version.version.0));
    if let Some(label) = &version.label {
        let label = HeaderValue::from_maybe_shared(label.clone()).map_err(Fault::internal)?;
        response.headers_mut().insert(headers::VERSION_LABEL, label);
    }
    Ok(response)
}

fn not_modified(tag: Option<&str>) -> Result<Response, Fault> {
    // Without a tag there was nothing, and there is nothing: a first rollout has not reached this reader.
    let status = if tag.is_some() { StatusCode::NOT_MODIFIED } else { StatusCode::NO_CONTENT };
    let mut response = empty(status);
    describe(response.headers_mut(), tag)?;
    Ok(response)
}

fn describe(map: &mut HeaderMap, tag: Option<&str>) -> Result<(), Fault> {
    if let Some(tag) = tag {
        map.insert(ETAG, HeaderValue::from_str(tag).map_err(Fault::internal)?);
    }
    map.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(())
}
