//! Answers without a web framework: a status, the headers that differ, and a body.

use crate::write;
use http::StatusCode;

/// The type of every body.
pub const CONTENT_TYPE: &str = "application/json";

/// What every answer says to caches: answers are per context.
pub const CACHE_CONTROL: &str = "private, no-cache";

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its entity tag, with quotes; of the bulk operation only.
    pub etag: Option<String>,
    /// When to ask again, seconds.
    pub retry_after_s: Option<u32>,
    /// JSON, or nothing.
    pub body: Vec<u8>,
}

impl Answer {
    pub(crate) const fn of(status: StatusCode, body: Vec<u8>) -> Self {
        Self { status, etag: None, retry_after_s: None, body }
    }

    /// An answer that no flag is the subject of: 401, 403, 405, 413, 429, 500.
    #[must_use]
    pub fn general(status: StatusCode, details: &str) -> Self {
        let mut body = Vec::with_capacity(32 + details.len());
        body.extend_from_slice(b"{\"errorDetails\":");
        write::text(&mut body, details);
        body.push(b'}');
        Self::of(status, body)
    }

    /// There is no data yet, or no room: ask again later.
    #[must_use]
    pub fn later(status: StatusCode, details: &str, retry_after_s: u32) -> Self {
        Self { retry_after_s: Some(retry_after_s.max(1)), ..Self::general(status, details) }
    }

    /// What the client has is still right.
    #[must_use]
    pub fn not_modified(etag: String) -> Self {
        Self { etag: Some(etag), ..Self::of(StatusCode::NOT_MODIFIED, vec![]) }
    }
}
