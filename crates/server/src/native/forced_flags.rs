//! The kill switch: flags forced off, or to a variant, in one environment, until they are released.

use super::{empty, json, place};
use crate::call::Call;
use crate::fault::Fault;
use crate::refusal::OrFault;
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;
use std::collections::BTreeMap;
use yardarm_domain::rollout::TriggeredBy;
use yardarm_domain::{
    Constraint, Description, FlagKey, ForceTo, ForcedFlag, GrowFor, ReleaseFlag, ReleasedFlag, WatchFor,
};
use yardarm_node::{ServedVersion, WantedForce};
use yardarm_wire::forced_flags as wire;
use yardarm_wire::headers;

pub(super) async fn list(call: Call) -> Result<Response, Fault> {
    let view = call.node.view();
    let (_, environment, profile) = place::configuration(&call, &view.world)?;
    let forced = environment.forced_flags(&profile.id).cloned().unwrap_or_default();
    let until = forced.growing.map(|growing| growing.until);
    let items = forced.flags.iter().map(|(flag, forced)| shape(flag, forced, until)).collect();
    let released = forced.released.iter().map(released).collect();
    json(StatusCode::OK, &wire::ForcedFlags { items, released })
}

pub(super) async fn put(call: Call) -> Result<Response, Fault> {
    let (flag, body) = (flag(&call)?, call.json::<wire::ForceFlag>()?);
    let view = call.node.view();
    let (application, environment, profile) = place::configuration(&call, &view.world)?;
    let seconds = |member: &'static str| move |limit| broken(member, &limit);
    let grow_for = body.grow_seconds.map(GrowFor::try_from).transpose().map_err(seconds("growSeconds"))?;
    let watch_for =
        body.watch_seconds.map(WatchFor::try_from).transpose().map_err(seconds("watchSeconds"))?;
    let to = match body.to {
        wire::ForceTo::Off => ForceTo::Off,
        wire::ForceTo::Variant(name) => ForceTo::Variant(name),
    };
    let missing = || Fault::bad_request("reason: say why, here or in the header Yardarm-Reason");
    let wanted = WantedForce {
        application: application.id.clone(),
        environment: environment.id.clone(),
        profile: profile.id.clone(),
        flag: flag.clone(),
        to,
        reason: reason(&call, body.reason)?.ok_or_else(missing)?,
        grow_for: grow_for.unwrap_or(GrowFor::DEFAULT),
        watch_for: watch_for.unwrap_or(WatchFor::DEFAULT),
    };
    let committed = call.node.force_flag(wanted, call.cause()).await.or_fault(&call)?;
    let (_, environment, profile) = place::configuration(&call, &committed.view.world)?;
    let forced = environment.forced_flags(&profile.id);
    let it = forced.and_then(|forced| Some((forced.flags.get(&flag)?, forced.growing)));
    let (it, growing) = it.ok_or_else(|| Fault::internal("a flag just forced is not"))?;
    json(StatusCode::OK, &shape(&flag, it, growing.map(|growing| growing.until)))
}

pub(super) async fn release(call: Call) -> Result<Response, Fault> {
    let flag = flag(&call)?;
    let view = call.node.view();
    let (application, environment, profile) = place::configuration(&call, &view.world)?;
    let cause = call.cause();
    let command = ReleaseFlag {
        application: application.id.clone(),
        environment: environment.id.clone(),
        profile: profile.id.clone(),
        flag,
        by: cause.actor.clone(),
        reason: reason(&call, None)?,
    };
    call.node.execute(command, cause).await.or_fault(&call)?;
    Ok(empty(StatusCode::NO_CONTENT))
}

fn flag(call: &Call) -> Result<FlagKey, Fault> {
    call.label("flag").parse().map_err(|error| Fault::bad_request(format!("flag: {error}")))
}

/// Why, as the body says it or else the header.
fn reason(call: &Call, said: Option<String>) -> Result<Option<Description>, Fault> {
    let Some(reason) = said.or_else(|| call.header(&headers::YARDARM_REASON)) else { return Ok(None) };
    match reason.trim() {
        "" => Err(broken("reason", &Constraint::MinLength(1))),
        reason => reason.parse().map(Some).map_err(|limit| broken("reason", &limit)),
    }
}

fn broken(member: &str, limit: &Constraint) -> Fault {
    Fault::bad_request(format!("{member}: {limit}"))
}

/// What is forced in a version that is served.
pub(super) fn forced_in(version: &ServedVersion) -> BTreeMap<String, wire::ForceTo> {
    let forced = version.forced.iter().flat_map(|forced| forced.flags.iter());
    forced.map(|(flag, to)| (flag.to_string(), forced_to(to))).collect()
}

fn forced_to(to: &ForceTo) -> wire::ForceTo {
    match to {
        ForceTo::Off => wire::ForceTo::Off,
        ForceTo::Variant(name) => wire::ForceTo::Variant(name.clone()),
    }
}

/// `until`: when everybody has those that are growing.
fn shape(flag: &FlagKey, forced: &ForcedFlag, until: Option<Timestamp>) -> wire::ForcedFlag {
    let watched_until = forced.watched_until().filter(|_| forced.watch_s > 0);
    wire::ForcedFlag {
        flag: flag.to_string(),
        to: forced_to(&forced.to),
        by: forced.by.clone(),
        reason: forced.reason.to_string(),
        forced_at: forced.at.into(),
        grows_until: until.filter(|_| forced.grown_at.is_none()).map(Into::into),
        grown_at: forced.grown_at.map(Into::into),
        watched_until: watched_until.map(Into::into),
        alarms_disregarded: forced.alarms_disregarded.iter().map(ToString::to_string).collect(),
        before: forced.before.as_ref().map(|before| forced_to(&before.to)),
    }
}

fn released(it: &ReleasedFlag) -> wire::ReleasedFlag {
    let alarm = match &it.triggered_by {
        TriggeredBy::Alarm { alarm, .. } => Some(alarm.to_string()),
        TriggeredBy::User | TriggeredBy::Yardarm | TriggeredBy::Unconfirmed | TriggeredBy::Refused { .. } => {
            None
        }
    };
    wire::ReleasedFlag {
        forced: shape(&it.flag, &it.forced, None),
        released_at: it.at.into(),
        released_by: it.by.clone(),
        release_reason: it.reason.as_ref().map(ToString::to_string),
        alarm,
    }
}
