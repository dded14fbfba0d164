//! The first operation: one flag.

use crate::answer::Answer;
use crate::failure::{self, ErrorCode, NEEDS_TARGETING_KEY};
use crate::flag_set::FlagSet;
use crate::request::{ENTITY_ID, Request, TARGETING_KEY};
use crate::write;
use http::StatusCode;
use yardarm_flags::{CompiledFlag, Context, Resolution};

/// Answers what `key` is: a flag, `flag.attribute` or `flag.enabled`. `returned` is told which flag the answer is about,
/// if it is about one, and the place of its configuration.
#[must_use]
pub fn evaluate_flag(
    set: &FlagSet<'_>,
    key: &str,
    request: &Request<'_>,
    returned: impl FnOnce(usize, &Resolution<'_>),
) -> Answer {
    let attributes = request.attributes();
    let Some((index, configuration, resolution)) = set.resolve(key, &Context::new(&attributes)) else {
        return failure::single(key, ErrorCode::FlagNotFound, "there is no such flag");
    };
    if request.targeting_key().is_none()
        && configuration.flags.flag(resolution.flag.as_str()).is_some_and(|flag| needs_more(flag, request))
    {
        return failure::single(key, ErrorCode::TargetingKeyMissing, NEEDS_TARGETING_KEY);
    }
    returned(index, &resolution);
    let mut body = Vec::with_capacity(256);
    write::success(&mut body, key, &resolution, &configuration.metadata());
    Answer::of(StatusCode::OK, body)
}

/// Whether the flag splits by a targeting key that a request without one lacks.
pub(crate) fn needs_more(flag: &CompiledFlag, request: &Request<'_>) -> bool {
    flag.split_keys().any(|key| key == TARGETING_KEY || (key == ENTITY_ID && !request.has(ENTITY_ID)))
}
