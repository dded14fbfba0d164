//! What can be wrong with a signature.
//!
//! Messages are those AWS's services give, where they have one: people paste them into search engines. Text that came
//! from the request is cut to [`SHOWN_CHARS`] characters. No variant holds a secret, a key, or the signature expected.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use crate::amz_date::AmzDate;

/// Most characters of a request's own text repeated in an error.
const SHOWN_CHARS: usize = 128;

/// Copies text of a request into an error, bounded.
pub(crate) fn shown(text: &str) -> Box<str> {
    text.chars().take(SHOWN_CHARS).collect()
}

/// Why a request's signature was refused. [`kind`](Self::kind) says how to answer, `to_string` what.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The request carries no authentication at all. Raised by the server when no scheme it knows was tried.
    #[error("Missing Authentication Token")]
    MissingAuthentication,

    /// No enabled access key has this id. Raised by whoever looks keys up.
    #[error("The security token included in the request is invalid.")]
    UnknownAccessKey {
        /// The id as sent; not part of the message.
        access_key_id: Box<str>,
    },

    /// Something is longer or more than [`limits`](crate::limits) allows.
    #[error("The signed request is too large: at most {limit} {what} are read.")]
    TooLarge {
        /// What there is too much of, in the plural.
        what: &'static str,
        /// The most that is read.
        limit: usize,
    },

    /// An `Authorization` header and query parameters both claim to authenticate the request.
    #[error(
        "Only one authentication is allowed: an Authorization header or X-Amz-* query parameters, not both."
    )]
    TwoAuthentications,

    /// An algorithm of AWS that is not spoken here, such as SigV4a or the long retired version 2.
    #[error("Unsupported AWS 'algorithm': '{algorithm}' (only AWS4-HMAC-SHA256 for now).")]
    UnsupportedAlgorithm {
        /// The algorithm as sent.
        algorithm: Box<str>,
    },

    /// The `Authorization` header is not `key=value` pairs of the three known keys in printable ASCII.
    #[error("'{part}' not a valid key=value pair in Authorization header.")]
    MalformedAuthorization {
        /// The part that could not be read; empty if that is the whole header.
        part: Box<str>,
    },

    /// A part of the `Authorization` header is missing.
    #[error("Authorization header requires '{name}' parameter.")]
    MissingAuthorizationParameter {
        /// `Credential`, `SignedHeaders` or `Signature`.
        name: &'static str,
    },

    /// Part of a presigned query is missing.
    #[error("AWS query-string parameters must include '{name}'. Re-examine the query-string parameters.")]
    MissingQueryParameter {
        /// The query parameter.
        name: &'static str,
    },

    /// A part of the signature, or a header that must have one value, is there more than once or is not text.
    #[error("'{name}' must be given exactly once, as text.")]
    NotSingle {
        /// The header or parameter.
        name: &'static str,
    },

    /// Neither `X-Amz-Date` nor `Date` was sent.
    #[error("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")]
    MissingDate,

    /// The date cannot be read.
    #[error("Date must be in ISO-8601 'basic format'. Got '{date}'.")]
    MalformedDate {
        /// The date as sent.
        date: Box<str>,
    },

    /// The lifetime of a presigned request is not a number of seconds between one and a week.
    #[error(
        "X-Amz-Expires must be a number of seconds from 1 to {}. Got '{expires}'.",
        crate::limits::MAX_EXPIRES_SECONDS
    )]
    MalformedExpires {
        /// The lifetime as sent.
        expires: Box<str>,
    },

    /// The credential does not have its five parts.
    #[error(
        "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{credential}'."
    )]
    MalformedCredential {
        /// The credential as sent.
        credential: Box<str>,
    },

    /// `SignedHeaders` is not a list of header names in lower case, in order, each once.
    #[error(
        "SignedHeaders must be lower-case header names in ascending order, separated by ';', got '{signed_headers}'."
    )]
    MalformedSignedHeaders {
        /// The list as sent.
        signed_headers: Box<str>,
    },

    /// The request could be replayed against another host.
    #[error("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")]
    HostNotSigned,

    /// An `x-amz-*` header is not covered by the signature.
    #[error("'{name}' must be a 'SignedHeader' in the AWS Authorization.")]
    HeaderNotSigned {
        /// The header's name.
        name: Box<str>,
    },

    /// A header was signed that did not arrive; a proxy may have removed it.
    #[error("'{name}' is a 'SignedHeader' but not part of the request.")]
    SignedHeaderAbsent {
        /// The header's name.
        name: Box<str>,
    },

    /// The credential's date is not that of the request.
    #[error(
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{scope}' != '{day}', from '{date}'."
    )]
    WrongScopeDate {
        /// The date in the credential, as sent.
        scope: Box<str>,
        /// The day of the request, `YYYYMMDD`.
        day: Box<str>,
        /// The date of the request, in ISO 8601 basic format.
        date: Box<str>,
    },

    /// The credential does not end with `aws4_request`.
    #[error("Credential should be scoped with a valid terminator: 'aws4_request', not '{terminator}'.")]
    WrongTerminator {
        /// The terminator as sent.
        terminator: Box<str>,
    },

    /// The credential is scoped to another region.
    #[error("Credential should be scoped to a valid region, not '{region}'.")]
    WrongRegion {
        /// The region as sent.
        region: Box<str>,
    },

    /// The credential is scoped to another service.
    #[error("Credential should be scoped to correct service: '{expected}'.")]
    WrongService {
        /// The service expected.
        expected: Box<str>,
    },

    /// The signature is too old, by its date or by its own lifetime.
    #[error(
        "Signature expired: {} is now earlier than {} ({} - {}.)",
        AmzDate::new(*signed_at), AmzDate::new(shifted(*now, -*allowed)), AmzDate::new(*now), Span(*allowed)
    )]
    Expired {
        /// When the request says it was signed.
        signed_at: Timestamp,
        /// The server's time.
        now: Timestamp,
        /// How old the signature may be: the clock skew, or the lifetime of a presigned request.
        allowed: SignedDuration,
    },

    /// The signature is from the future.
    #[error(
        "Signature not yet current: {} is still later than {} ({} + {}.)",
        AmzDate::new(*signed_at), AmzDate::new(shifted(*now, *allowed)), AmzDate::new(*now), Span(*allowed)
    )]
    NotYetCurrent {
        /// When the request says it was signed.
        signed_at: Timestamp,
        /// The server's time.
        now: Timestamp,
        /// How far ahead a clock may be.
        allowed: SignedDuration,
    },

    /// `x-amz-content-sha256` is no digest: the client chose not to sign the body, or to sign it in chunks. Bodies are
    /// what this service is about, so both are refused.
    #[error(
        "x-amz-content-sha256 '{claimed}' is not accepted: sign the SHA-256 of the whole body, in lower-case hexadecimal."
    )]
    BodyNotSigned {
        /// The value as sent.
        claimed: Box<str>,
    },

    /// `x-amz-content-sha256` is not the digest of the body that arrived.
    #[error("The provided 'x-amz-content-sha256' header does not match what was computed.")]
    WrongBody,

    /// Secret, method, path, query, headers or body differ from what was signed.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
         Key and signing method. Consult the service documentation for details."
    )]
    Mismatch,
}

/// The four answers an AWS client may get about a signature.
///
/// SDKs know them by their code; the status is 403 for all four (services with older protocols answer an incomplete
/// signature with 400).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignatureErrorKind {
    /// `MissingAuthenticationTokenException`, 403.
    MissingAuthenticationToken,
    /// `IncompleteSignatureException`, 403: a part is missing or cannot be read.
    IncompleteSignature,
    /// `InvalidSignatureException`, 403: complete, but not valid here, now, or for this request.
    InvalidSignature,
    /// `UnrecognizedClientException`, 403: the access key is unknown or disabled.
    UnrecognizedClient,
}

impl SignatureError {
    /// Which of AWS's codes this is.
    #[must_use]
    pub fn kind(&self) -> SignatureErrorKind {
        match self {
            Self::MissingAuthentication => SignatureErrorKind::MissingAuthenticationToken,
            Self::UnknownAccessKey { .. } => SignatureErrorKind::UnrecognizedClient,
            Self::TooLarge { .. }
            | Self::TwoAuthentications
            | Self::UnsupportedAlgorithm { .. }
            | Self::MalformedAuthorization { .. }
            | Self::MissingAuthorizationParameter { .. }
            | Self::MissingQueryParameter { .. }
            | Self::NotSingle { .. }
            | Self::MissingDate
            | Self::MalformedDate { .. }
            | Self::MalformedExpires { .. }
            | Self::MalformedCredential { .. }
            | Self::MalformedSignedHeaders { .. } => SignatureErrorKind::IncompleteSignature,
            Self::HostNotSigned
            | Self::HeaderNotSigned { .. }
            | Self::SignedHeaderAbsent { .. }
            | Self::WrongScopeDate { .. }
            | Self::WrongTerminator { .. }
            | Self::WrongRegion { .. }
            | Self::WrongService { .. }
            | Self::Expired { .. }
            | Self::NotYetCurrent { .. }
            | Self::BodyNotSigned { .. }
            | Self::WrongBody
            | Self::Mismatch => SignatureErrorKind::InvalidSignature,
        }
    }
}

/// `now` moved by some time; the ends of time stay where they are.
fn shifted(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_add(by).unwrap_or(if by.is_negative() { Timestamp::MIN } else { Timestamp::MAX })
}

/// `5 min` or `90 sec`.
struct Span(SignedDuration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_secs() {
            seconds if seconds % 60 == 0 => write!(f, "{} min", seconds / 60),
            seconds => write!(f, "{seconds} sec"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_messages_are_those_of_aws() {
        let now: Timestamp = "2015-08-30T12:46:00Z".parse().unwrap();
        let signed_at: Timestamp = "2015-08-30T12:36:00Z".parse().unwrap();
        let allowed = SignedDuration::from_mins(5);
        for (error, message) in [
            (
                SignatureError::Expired { signed_at, now, allowed },
                "Signature expired: 20150830T123600Z is now earlier than 20150830T124100Z (20150830T124600Z - 5 min.)",
            ),
            (
                SignatureError::Expired { signed_at, now, allowed: SignedDuration::from_secs(90) },
                "Signature expired: 20150830T123600Z is now earlier than 20150830T124430Z (20150830T124600Z - 90 sec.)",
            ),
            (
                SignatureError::NotYetCurrent { signed_at: now, now: signed_at, allowed },
                "Signature not yet current: 20150830T124600Z is still later than 20150830T124100Z (20150830T123600Z + 5 min.)",
            ),
            (
                SignatureError::WrongRegion { region: "mars".into() },
                "Credential should be scoped to a valid region, not 'mars'.",
            ),
            (
                SignatureError::WrongService { expected: "appconfig".into() },
                "Credential should be scoped to correct service: 'appconfig'.",
            ),
            (
                SignatureError::UnknownAccessKey { access_key_id: "AKID".into() },
                "The security token included in the request is invalid.",
            ),
            (SignatureError::MissingAuthentication, "Missing Authentication Token"),
        ] {
            assert_eq!(error.to_string(), message);
        }
    }

    #[test]
    fn every_answer_has_its_errors() {
        assert_eq!(
            SignatureError::MissingAuthentication.kind(),
            SignatureErrorKind::MissingAuthenticationToken
        );
        assert_eq!(SignatureError::MissingDate.kind(), SignatureErrorKind::IncompleteSignature);
        assert_eq!(SignatureError::Mismatch.kind(), SignatureErrorKind::InvalidSignature);
        let unknown = SignatureError::UnknownAccessKey { access_key_id: "AKID".into() };
        assert_eq!(unknown.kind(), SignatureErrorKind::UnrecognizedClient);
    }

    #[test]
    fn text_of_the_request_is_cut_between_characters() {
        assert_eq!(shown(&"é".repeat(1000)).chars().count(), SHOWN_CHARS);
    }
}
