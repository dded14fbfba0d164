//! How fresh an answer has to be: the hints that a client copies out of a change event into its next request.

use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// How fresh an answer has to be at least. What cannot be read asks for nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Freshness {
    /// This position of the log has been read.
    pub revision: Option<u64>,
    /// Nothing that was known at this time is missing.
    pub at: Option<Timestamp>,
}

/// How a revision is written in events.
#[must_use]
pub fn revision_tag(revision: u64) -> String {
    format!("r{revision}")
}

impl Freshness {
    /// Reads `flagConfigEtag` and `flagConfigLastModified` of a query.
    #[must_use]
    pub fn of_query(query: &str) -> Self {
        let mut freshness = Self::default();
        for pair in query.split('&') {
            match pair.split_once('=') {
                Some(("flagConfigEtag", value)) => freshness.revision = revision(&decoded(value)),
                Some(("flagConfigLastModified", value)) => freshness.at = time(&decoded(value)),
                _ => {}
            }
        }
        freshness
    }
}

fn decoded(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

fn revision(tag: &str) -> Option<u64> {
    let tag = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
    tag.strip_prefix('r')?.parse().ok()
}

/// Whole seconds since the epoch, or a date and time.
fn time(text: &str) -> Option<Timestamp> {
    match text.parse::<u32>() {
        Ok(seconds) => Timestamp::from_second(seconds.into()).ok(),
        Err(_) => text.parse().ok().filter(|at| *at >= Timestamp::UNIX_EPOCH),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_are_read_in_every_spelling_and_nonsense_is_ignored() {
        let second = |second| Timestamp::from_second(second).ok();
        for (query, revision, at) in [
            ("flagConfigEtag=%22r8841%22", Some(8_841), None),
            ("flagConfigEtag=W/%22r7%22&x=1", Some(7), None),
            ("flagConfigEtag=r9", Some(9), None),
            ("flagConfigLastModified=1771622898", None, second(1_771_622_898)),
            ("flagConfigLastModified=1970-01-01T00%3A00%3A09Z", None, second(9)),
            ("a=b&flagConfigEtag=r1&flagConfigLastModified=2", Some(1), second(2)),
            ("", None, None),
            ("flagConfigEtag", None, None),
            ("flagConfigEtag=8841", None, None),
            ("flagConfigEtag=r-1&flagConfigLastModified=-1", None, None),
            ("flagConfigLastModified=1969-01-01T00:00:00Z", None, None),
            ("flagConfigLastModified=yesterday", None, None),
        ] {
            assert_eq!(Freshness::of_query(query), Freshness { revision, at }, "{query}");
        }
    }
}
