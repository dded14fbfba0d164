//! Both versions of a configuration and how far the newer one has come: for clients that decide by themselves. Asked once,
//! or told of every change.

mod channels;
mod opening;
mod stream;
#[cfg(test)]
mod tests;
mod told;

pub(crate) use stream::RolloutStreams;

use super::json;
use super::waiting::{self, Found, News};
use crate::accept;
use crate::call::Call;
use crate::control_plane::type_name;
use crate::fault::Fault;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use yardarm_node::{Served, ServedVersion};
use yardarm_wire::native as wire;

pub(super) async fn read(call: Call) -> Result<Response, Fault> {
    let address = waiting::address(&call)?;
    if call.streams.are_offered() && accept::wants_events(&call.headers) {
        return Ok(stream::open(call, address));
    }
    let current = || {
        // Read before the state, so that it promises no more than is there.
        let seq = call.node.view().seq.0;
        let Some(served) = call.node.served(&address) else { return Found::NotDeployed };
        let tag = tag(&served);
        Found::Here((served, seq), tag)
    };
    match waiting::news(&call, &address, current).await? {
        News::New((served, seq), tag) => {
            let mut response = json(StatusCode::OK, &state(&served, seq))?;
            waiting::describe(response.headers_mut(), Some(&tag))?;
            Ok(response)
        }
        News::Unchanged(tag) => waiting::nothing_new(Some(&tag)),
        News::Nothing => waiting::nothing_new(None),
    }
}

/// Names both versions and the exposure, the same on every node.
fn tag(served: &Served) -> String {
    format!("\"{}\"", served.tag())
}

fn state(served: &Served, seq: u64) -> wire::RolloutState {
    let candidate = served.candidate();
    let any = served.stable().or(candidate.map(|candidate| &candidate.version));
    wire::RolloutState {
        profile_type: any.map_or("", |version| type_name(version.kind)).into(),
        seq,
        stable: served.stable().map(|version| stored(version)),
        candidate: candidate.map(|candidate| stored(&candidate.version)),
        rollout: candidate.map(|candidate| wire::RolloutProgress {
            deployment: candidate.deployment.0,
            exposure: candidate.exposure.parts_per_million(),
            key: candidate.key.to_string(),
        }),
        forced: served.forced().map(|forced| wire::RolloutForced {
            exposure: forced.exposure.parts_per_million(),
            key: forced.key.to_string(),
            stable: forced.stable.as_ref().map(|version| stored(version)),
            candidate: forced.candidate.as_ref().map(|version| stored(version)),
        }),
    }
}

fn stored(version: &ServedVersion) -> wire::RolloutVersion {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (content, content_base64) = match std::str::from_utf8(&version.stored) {
        Ok(content) => (Some(content.to_owned()), None),
        Err(_) => (None, Some(STANDARD.encode(&version.stored))),
    };
    wire::RolloutVersion {
        version: version.version.0,
        label: version.label.as_deref().map(text),
        content_type: text(&version.content_type),
        sha256: Some(version.content.to_string()),
        content,
        content_base64,
        forced_flags: super::forced_flags::forced_in(version),
    }
}
