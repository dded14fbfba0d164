//! The query form: `X-Amz-Algorithm=…&X-Amz-Credential=…&X-Amz-Date=…&X-Amz-Expires=…&X-Amz-SignedHeaders=…&X-Amz-Signature=…`.

use crate::{
    ALGORITHM, SignatureError, amz_date::AmzDate, error::shown, limits::MAX_EXPIRES_SECONDS, query::Parameter,
};

/// What a presigned query says about its signature, decoded.
pub(crate) struct Presigned {
    pub(crate) credential: String,
    pub(crate) date: AmzDate,
    pub(crate) expires_seconds: u32,
    pub(crate) signed_headers: String,
    pub(crate) signature: String,
    /// `X-Amz-Content-Sha256`, which some signers move from the headers into the query.
    pub(crate) body: Option<String>,
}

/// Whether a raw query claims to be signed. Cheap: it is asked about every request that has no `Authorization`.
pub(crate) fn is_presigned(raw_query: &str) -> bool {
    raw_query.split('&').any(|part| {
        part.strip_prefix("X-Amz-").is_some_and(|rest| {
            ["Algorithm=", "Credential=", "Signature="].iter().any(|name| rest.starts_with(name))
        })
    })
}

impl Presigned {
    /// Reads the parameters and takes the signature out of them: it is the one that is not signed.
    pub(crate) fn parse(parameters: &mut Vec<Parameter<'_>>) -> Result<Self, SignatureError> {
        let algorithm = required(parameters, "X-Amz-Algorithm")?;
        if algorithm != ALGORITHM {
            return Err(SignatureError::UnsupportedAlgorithm { algorithm: shown(&algorithm) });
        }
        let credential = required(parameters, "X-Amz-Credential")?;
        let date = required(parameters, "X-Amz-Date")?;
        let date =
            AmzDate::parse(&date).ok_or_else(|| SignatureError::MalformedDate { date: shown(&date) })?;
        let expires = required(parameters, "X-Amz-Expires")?;
        let expires_seconds = Some(&expires)
            .filter(|text| text.bytes().all(|c| c.is_ascii_digit()))
            .and_then(|text| text.parse().ok())
            .filter(|seconds| (1..=MAX_EXPIRES_SECONDS).contains(seconds))
            .ok_or_else(|| SignatureError::MalformedExpires { expires: shown(&expires) })?;
        let signed_headers = required(parameters, "X-Amz-SignedHeaders")?;
        let signature = required(parameters, "X-Amz-Signature")?;
        let body = optional(parameters, "X-Amz-Content-Sha256")?;
        parameters.retain(|parameter| parameter.name != "X-Amz-Signature");
        Ok(Self { credential, date, expires_seconds, signed_headers, signature, body })
    }
}

fn required(parameters: &[Parameter<'_>], name: &'static str) -> Result<String, SignatureError> {
    optional(parameters, name)?.ok_or(SignatureError::MissingQueryParameter { name })
}

fn optional(parameters: &[Parameter<'_>], name: &'static str) -> Result<Option<String>, SignatureError> {
    let mut found = parameters.iter().filter(|parameter| parameter.name == name);
    match (found.next(), found.next()) {
        (None, _) => Ok(None),
        (Some(parameter), None) => match parameter.decoded_value() {
            Some(value) => Ok(Some(value.into_owned())),
            None => Err(SignatureError::NotSingle { name }),
        },
        (Some(_), Some(_)) => Err(SignatureError::NotSingle { name }),
    }
}
