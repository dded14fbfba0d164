//! The second operation: all flags.

use crate::answer::Answer;
use crate::event::{self, EventStream};
use crate::failure::{self, ErrorCode, NEEDS_TARGETING_KEY};
use crate::flag_set::FlagSet;
use crate::request::Request;
use crate::single::needs_more;
use crate::write::{self, Metadata};
use http::StatusCode;
use yardarm_flags::{Context, Resolution};

/// What an element takes at a guess, bytes.
const ELEMENT: usize = 192;

/// Answers what all flags are, or those that the request names. `etag` is this answer's [`crate::entity_tag`]. `returned`
/// is told of each flag once, with the place of its configuration, however many of its attributes are keys of their own.
#[must_use]
pub fn evaluate_flags(
    set: &FlagSet<'_>,
    request: &Request<'_>,
    streams: &[EventStream<'_>],
    etag: String,
    mut returned: impl FnMut(usize, &Resolution<'_>),
) -> Answer {
    let attributes = request.attributes();
    let metadata: Vec<Metadata> = set.configurations.iter().map(|one| one.metadata()).collect();
    let flags: usize = set.configurations.iter().map(|one| one.flags.flags().len()).sum();
    let anonymous = request.targeting_key().is_none();
    let mut body = Vec::with_capacity(ELEMENT.saturating_mul(flags.saturating_add(2)));
    body.extend_from_slice(b"{\"flags\":[");
    let mut first = true;
    set.resolve_all(&Context::new(&attributes), |index, key, resolution| {
        let flag = resolution.flag.as_str();
        if !request.wants(flag, key) {
            return;
        }
        if !first {
            body.push(b',');
        }
        first = false;
        let lacks = || {
            let flags = set.configurations.get(index).map(|configuration| configuration.flags);
            flags.and_then(|flags| flags.flag(flag)).is_some_and(|flag| needs_more(flag, request))
        };
        if anonymous && lacks() {
            failure::element(&mut body, key, ErrorCode::TargetingKeyMissing, NEEDS_TARGETING_KEY);
        } else if let Some(metadata) = metadata.get(index) {
            if flag == key {
                returned(index, &resolution);
            }
            write::success(&mut body, key, &resolution, metadata);
        }
    });
    body.push(b']');
    event::advertise(&mut body, streams);
    body.extend_from_slice(b",\"metadata\":{\"flagSetId\":");
    write::text(&mut body, set.id);
    body.extend_from_slice(b"}}");
    Answer { etag: Some(etag), ..Answer::of(StatusCode::OK, body) }
}
