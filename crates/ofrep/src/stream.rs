//! How event streams behave, whoever serves them: how many there are, what a client hears first, and when it is its turn.
//! Pure: draws are arguments.

use crate::event;
use http::{HeaderMap, HeaderName};
use jiff::SignedDuration;
use percent_encoding::percent_decode_str;
use std::borrow::Cow;
use std::time::Duration;

/// After how long of inactivity clients are asked to leave, seconds.
pub const INACTIVITY_S: u32 = 120;

/// The longest that an event is held back.
pub const LONGEST_DELAY: SignedDuration = SignedDuration::from_secs(5);

/// A change this recent may have come between a client's first answer and its connection.
pub const RECENT: SignedDuration = SignedDuration::from_secs(60);

/// When a client whose connection broke comes back, milliseconds; up to as much again is drawn for each.
const RETRY_MS: u16 = 2_000;

/// How change events are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamSettings {
    /// Connections open at a time; zero offers none.
    pub connections: usize,
    /// How many clients should come back for new values in a second, after a change that can wait.
    pub refetches_per_s: u32,
    /// How long a connection is silent at most.
    pub heartbeat: Duration,
}

impl Default for StreamSettings {
    fn default() -> Self {
        Self { connections: 5_000, refetches_per_s: 500, heartbeat: Duration::from_secs(20) }
    }
}

impl StreamSettings {
    /// How long one of `open` clients waits so that they come back at the rate that is agreeable, at most `longest`;
    /// `share` is its place among them, of 65,535.
    #[must_use]
    pub fn delay(&self, open: usize, share: u16, longest: SignedDuration) -> SignedDuration {
        let open_ms = i64::try_from(open).unwrap_or(i64::MAX).saturating_mul(1_000);
        let spread_ms = open_ms / i64::from(self.refetches_per_s.max(1));
        let spread_ms = spread_ms.min(i64::try_from(longest.as_millis()).unwrap_or(i64::MAX));
        SignedDuration::from_millis(spread_ms.saturating_mul(share.into()) / i64::from(u16::MAX))
    }
}

/// What a client is told first: when to come back should its connection break, and what it has missed.
#[must_use]
pub fn greeting(draw: u16, missed: Option<String>) -> String {
    let mut text = event::retry(u32::from(RETRY_MS) + u32::from(draw % RETRY_MS));
    text.extend(missed);
    text
}

/// The token in a stream's address.
#[must_use]
pub fn token_of_query(query: &str) -> Option<Cow<'_, str>> {
    let value = query.split('&').find_map(|pair| pair.strip_prefix("t="))?;
    percent_decode_str(value).decode_utf8().ok()
}

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// What a client that comes back knew, of its `Last-Event-ID`.
#[must_use]
pub fn known_revision(headers: &HeaderMap) -> Option<u64> {
    headers.get(LAST_EVENT_ID)?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_come_back_at_an_agreeable_rate_and_none_waits_too_long() {
        let longest = SignedDuration::from_secs(5);
        for (open, refetches_per_s, share, expected_ms) in [
            (1, 500, u16::MAX, 2),
            (1_000, 500, 0, 0),
            (1_000, 500, u16::MAX, 2_000),
            (1_000, 500, u16::MAX / 2, 999),
            (1_000_000, 500, u16::MAX, 5_000),
            (usize::MAX, 0, u16::MAX, 5_000),
        ] {
            let settings = StreamSettings { refetches_per_s, ..StreamSettings::default() };
            let delay = settings.delay(open, share, longest);
            assert_eq!(delay.as_millis(), expected_ms, "{open} {refetches_per_s} {share}");
        }
    }

    #[test]
    fn a_token_is_found_in_a_query() {
        for (query, expected) in [
            ("t=abc", Some("abc")),
            ("x=1&t=a%2Db", Some("a-b")),
            ("tt=abc", None),
            ("t=%ff", None),
            ("", None),
        ] {
            assert_eq!(token_of_query(query).as_deref(), expected, "{query}");
        }
    }

    #[test]
    fn a_greeting_says_when_to_come_back_and_what_was_missed() {
        assert_eq!(greeting(0, None), "retry: 2000\n\n");
        assert_eq!(
            greeting(u16::MAX, Some(event::event(7, 9))),
            format!("retry: 3535\n\n{}", event::event(7, 9))
        );
    }

    #[test]
    fn what_a_client_knew_is_a_number_or_nothing() {
        let known = |id: &str| {
            let id = http::HeaderValue::from_str(id).unwrap();
            known_revision(&HeaderMap::from_iter([(LAST_EVENT_ID, id)]))
        };
        assert_eq!([" 7 ", "r7", "", "-1"].map(known), [Some(7), None, None, None]);
    }
}
