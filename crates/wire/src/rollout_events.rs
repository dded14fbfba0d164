//! Events of a rollout's stream (server-sent events): the resource of [`crate::native::paths::ROLLOUT`], told again
//! whenever it changes.
//!
//! A state is an event without a name; its id is the entity tag that the JSON answer would have, and its data that answer,
//! without the contents that the client has by the state before. What was missed comes first; the `retry` field that
//! follows says that the client has all there is.

use crate::native::RolloutState;

/// What a stream is called in `Accept` and `Content-Type`.
pub const EVENT_STREAM: &str = "text/event-stream";

/// Name of the event that says that nothing is deployed; its data is a problem detail. It takes the id back: the next
/// state is told whole.
pub const NOT_DEPLOYED: &str = "not-deployed";

/// A comment that breaks the silence.
pub const HEARTBEAT: &str = ":\n\n";

/// The event of a state.
///
/// # Errors
/// None that these types can cause.
pub fn state(tag: &str, state: &RolloutState) -> Result<Vec<u8>, serde_json::Error> {
    let mut event = format!("id: {tag}\ndata: ").into_bytes();
    // JSON without line breaks, so it is one line of data.
    serde_json::to_writer(&mut event, state)?;
    event.extend_from_slice(b"\n\n");
    Ok(event)
}

/// The event that says that nothing is deployed, in a sentence.
#[must_use]
pub fn not_deployed(detail: &str) -> Vec<u8> {
    let problem = serde_json::json!({ "status": 404, "detail": detail });
    format!("event: {NOT_DEPLOYED}\nid\ndata: {problem}\n\n").into_bytes()
}

/// Says that the client has all there is, and after how many milliseconds it should come back when the stream ends.
#[must_use]
pub fn retry(milliseconds: u32) -> Vec<u8> {
    format!("retry: {milliseconds}\n\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::{not_deployed, retry, state};
    use crate::native::{RolloutState, RolloutVersion};

    #[test]
    fn an_event_is_an_id_and_one_line_of_data() {
        let version = RolloutVersion {
            version: 3,
            label: None,
            content_type: "text/plain".into(),
            sha256: None,
            content: Some("a\r\nb\n\n".into()),
            content_base64: None,
            forced_flags: Default::default(),
        };
        let (profile_type, stable) = ("AWS.Freeform".into(), Some(version));
        let told =
            RolloutState { profile_type, seq: 7, stable, candidate: None, rollout: None, forced: None };
        let event = String::from_utf8(state("\"3-ab\"", &told).unwrap()).unwrap();
        let data = event.strip_prefix("id: \"3-ab\"\ndata: ").unwrap().strip_suffix("\n\n").unwrap();
        assert_eq!(serde_json::from_str::<RolloutState>(data).unwrap(), told);
        assert!(!data.contains(['\n', '\r']));
        assert_eq!(retry(5), b"retry: 5\n\n");
        assert!(not_deployed("a").starts_with(b"event: not-deployed\nid\ndata: {"));
    }
}
