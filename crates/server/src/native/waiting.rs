//! Reads that wait for something new: `If-None-Match` says what the reader has, `wait` how long it has time.

use super::{LONGEST_WAIT, empty};
use crate::call::Call;
use crate::fault::Fault;
use axum::response::Response;
use http::header::{CACHE_CONTROL, ETAG, HeaderValue, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};
use std::time::Duration;
use yardarm_node::{Address, MissingPlace};
use yardarm_wire::errors::ErrorKind;

/// What there is for a reader.
pub(super) enum Found<T> {
    /// Something, and its tag.
    Here(T, String),
    /// Nothing yet: a first rollout has not reached the reader.
    NotReached,
    /// Nothing is deployed.
    NotDeployed,
}

/// What a reader is told.
pub(super) enum News<T> {
    /// Something it does not have, and its tag.
    New(T, String),
    /// What it has is what there is.
    Unchanged(String),
    /// There is nothing for it yet.
    Nothing,
}

/// Asks `read` for what there is and its tag, now and after every change of what is served at `address`, until it is
/// something that the reader does not have, or the reader's time is over. Who is waiting for a first deployment has
/// nothing, and hears of it.
pub(super) async fn news<T>(
    call: &Call,
    address: &Address,
    read: impl Fn() -> Found<T>,
) -> Result<News<T>, Fault> {
    let wait = wait(call)?;
    let known = call.header(&IF_NONE_MATCH);
    let mut subscription = call.node.subscribe(address);
    let waiting = tokio::time::sleep(wait);
    let mut waiting = std::pin::pin!(waiting);
    loop {
        let unchanged = match (read(), &known) {
            (Found::Here(found, tag), Some(known)) => {
                if !known.split(',').any(|one| matches(one.trim(), &tag)) {
                    return Ok(News::New(found, tag));
                }
                Ok(News::Unchanged(tag))
            }
            (Found::Here(found, tag), None) => return Ok(News::New(found, tag)),
            // Whoever knows something and does not wait hears at once that it is gone.
            (Found::NotReached, Some(_)) if wait == Duration::ZERO => return Ok(News::Nothing),
            (Found::NotReached, _) => Ok(News::Nothing),
            (Found::NotDeployed, Some(_)) => return Err(nothing_deployed()),
            (Found::NotDeployed, None) => Err(nothing_deployed()),
        };
        tokio::select! {
            changed = subscription.changed() => if changed.is_none() { return unchanged },
            () = &mut waiting => return unchanged,
            () = call.node.until_closing() => return unchanged,
        }
        // A credential that has ended meanwhile is good for no news.
        call.ensure_credential()?;
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

fn matches(one: &str, tag: &str) -> bool {
    one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag
}

/// Where the configuration that the path names is served.
pub(super) fn address(call: &Call) -> Result<Address, Fault> {
    let [application, environment, profile] =
        ["application", "environment", "profile"].map(|label| call.label(label));
    call.ensure_place(application, environment)?;
    call.node.address(application, environment, profile).map_err(|missing| {
        none(&match missing {
            MissingPlace::Application => format!("no application `{application}`"),
            MissingPlace::Environment => format!("no environment `{environment}`"),
            MissingPlace::Profile => format!("no configuration profile `{profile}`"),
        })
    })
}

/// That nothing is deployed there, in a sentence.
pub(super) const NOTHING_DEPLOYED: &str = "There is nothing deployed of this configuration.";

/// Nothing is deployed there.
pub(super) fn nothing_deployed() -> Fault {
    Fault::told(ErrorKind::ResourceNotFound, NOTHING_DEPLOYED)
}

fn none(what: &str) -> Fault {
    Fault::told(ErrorKind::ResourceNotFound, format!("There is {what}."))
}

/// An answer without content: 304 to a reader that has it, 204 where a first rollout has not reached the reader.
pub(super) fn nothing_new(tag: Option<&str>) -> Result<Response, Fault> {
    let status = if tag.is_some() { StatusCode::NOT_MODIFIED } else { StatusCode::NO_CONTENT };
    let mut response = empty(status);
    describe(response.headers_mut(), tag)?;
    Ok(response)
}

/// The headers by which a reader asks again.
pub(super) fn describe(map: &mut HeaderMap, tag: Option<&str>) -> Result<(), Fault> {
    if let Some(tag) = tag {
        map.insert(ETAG, HeaderValue::from_str(tag).map_err(Fault::internal)?);
    }
    map.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(())
}
