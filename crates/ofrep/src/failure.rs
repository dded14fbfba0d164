//! What is answered instead of a value.

use crate::answer::Answer;
use crate::request::Malformed;
use crate::write;
use http::StatusCode;

/// Why a flag, or a whole request, could not be evaluated: the protocol's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// The request is no JSON object.
    ParseError,
    /// The flag splits by the targeting key, and the context has none.
    TargetingKeyMissing,
    /// The context is none.
    InvalidContext,
    /// There is no such flag.
    FlagNotFound,
    /// Something else; the details say what.
    General,
}

impl ErrorCode {
    /// The word on the wire, such as `PARSE_ERROR`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ParseError => "PARSE_ERROR",
            Self::TargetingKeyMissing => "TARGETING_KEY_MISSING",
            Self::InvalidContext => "INVALID_CONTEXT",
            Self::FlagNotFound => "FLAG_NOT_FOUND",
            Self::General => "GENERAL",
        }
    }

    /// The status of the single operation.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::FlagNotFound => StatusCode::NOT_FOUND,
            Self::ParseError | Self::TargetingKeyMissing | Self::InvalidContext | Self::General => {
                StatusCode::BAD_REQUEST
            }
        }
    }
}

/// What is said of a flag that needs a targeting key and gets none.
pub(crate) const NEEDS_TARGETING_KEY: &str =
    "the flag is split by the targeting key, and the context has none";

/// Answers the single operation on `key` when its request makes no sense.
#[must_use]
pub fn malformed_single(key: &str, malformed: &Malformed) -> Answer {
    single(key, malformed.code, &malformed.details)
}

/// Answers the bulk operation when its request makes no sense.
#[must_use]
pub fn malformed_bulk(malformed: &Malformed) -> Answer {
    let mut body = Vec::with_capacity(128);
    body.extend_from_slice(b"{\"errorCode\":\"");
    body.extend_from_slice(malformed.code.as_str().as_bytes());
    body.extend_from_slice(b"\",\"errorDetails\":");
    write::text(&mut body, &malformed.details);
    body.push(b'}');
    Answer::of(StatusCode::BAD_REQUEST, body)
}

pub(crate) fn single(key: &str, code: ErrorCode, details: &str) -> Answer {
    let mut body = Vec::with_capacity(128 + key.len());
    element(&mut body, key, code, details);
    Answer::of(code.status(), body)
}

/// The failure of one flag: a body of the single operation, an element of the bulk one.
pub(crate) fn element(body: &mut Vec<u8>, key: &str, code: ErrorCode, details: &str) {
    body.extend_from_slice(b"{\"key\":");
    write::text(body, key);
    body.extend_from_slice(b",\"errorCode\":\"");
    body.extend_from_slice(code.as_str().as_bytes());
    body.extend_from_slice(b"\",\"errorDetails\":");
    write::text(body, details);
    body.push(b'}');
}
