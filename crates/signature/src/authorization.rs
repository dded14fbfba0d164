//! The header form: `Authorization: AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`.

use http::{
    HeaderMap, HeaderValue,
    header::{AUTHORIZATION, DATE},
};

use crate::{ALGORITHM, SignatureError, amz_date::AmzDate, error::shown, limits};

/// The three parts of the header.
pub(crate) struct Authorization<'r> {
    pub(crate) credential: &'r str,
    pub(crate) signed_headers: &'r str,
    pub(crate) signature: &'r str,
}

impl<'r> Authorization<'r> {
    /// Reads the header; `None` if there is none, or one of another scheme.
    pub(crate) fn parse(headers: &'r HeaderMap) -> Result<Option<Self>, SignatureError> {
        if !headers.get_all(AUTHORIZATION).iter().any(is_signature) {
            return Ok(None);
        }
        let value = single(headers, AUTHORIZATION.as_str(), "Authorization")?.unwrap_or_default();
        if value.len() > limits::MAX_AUTHORIZATION_BYTES {
            return Err(SignatureError::TooLarge {
                what: "bytes of Authorization header",
                limit: limits::MAX_AUTHORIZATION_BYTES,
            });
        }
        let (algorithm, parameters) = value.split_once(' ').unwrap_or((value, ""));
        if algorithm != ALGORITHM {
            return Err(SignatureError::UnsupportedAlgorithm { algorithm: shown(algorithm) });
        }
        Self::parse_parameters(parameters).map(Some)
    }

    fn parse_parameters(parameters: &'r str) -> Result<Self, SignatureError> {
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for part in parameters.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let malformed = || SignatureError::MalformedAuthorization { part: shown(part) };
            let (name, value) = part.split_once('=').ok_or_else(malformed)?;
            let (name, slot) = match name {
                "Credential" => ("Credential", &mut credential),
                "SignedHeaders" => ("SignedHeaders", &mut signed_headers),
                "Signature" => ("Signature", &mut signature),
                _ => return Err(malformed()),
            };
            if slot.replace(value).is_some() {
                return Err(SignatureError::NotSingle { name });
            }
        }
        let missing = |name| SignatureError::MissingAuthorizationParameter { name };
        Ok(Self {
            credential: credential.ok_or_else(|| missing("Credential"))?,
            signed_headers: signed_headers.ok_or_else(|| missing("SignedHeaders"))?,
            signature: signature.ok_or_else(|| missing("Signature"))?,
        })
    }
}

/// `AWS …` was version 2; anything after `AWS4-` is version 4 or its asymmetric sibling.
fn is_signature(value: &HeaderValue) -> bool {
    let bytes = value.as_bytes();
    bytes.starts_with(b"AWS4-") || bytes.starts_with(b"AWS ")
}

/// The date of a request in header form: `X-Amz-Date`, else `Date`.
pub(crate) fn date(headers: &HeaderMap) -> Result<AmzDate, SignatureError> {
    let (text, date) = if let Some(text) = single(headers, "x-amz-date", "X-Amz-Date")? {
        (text, AmzDate::parse(text))
    } else if let Some(text) = single(headers, DATE.as_str(), "Date")? {
        (text, AmzDate::parse_date_header(text))
    } else {
        return Err(SignatureError::MissingDate);
    };
    date.ok_or_else(|| SignatureError::MalformedDate { date: shown(text) })
}

/// The only value of a header, printable ASCII; `None` if the header is absent. `shown_as` is its name in errors.
pub(crate) fn single<'r>(
    headers: &'r HeaderMap,
    name: &str,
    shown_as: &'static str,
) -> Result<Option<&'r str>, SignatureError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            value.to_str().map(Some).map_err(|_| SignatureError::NotSingle { name: shown_as })
        }
        (Some(_), Some(_)) => Err(SignatureError::NotSingle { name: shown_as }),
    }
}
