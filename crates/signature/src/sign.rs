//! Signing, header form, for our own clients: `host` and `x-amz-date` are signed, and the body.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, Method, header, header::InvalidHeaderValue};
use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::{
    ALGORITHM, BodyDigest, CanonicalPath, Credential, Scope, SecretKey, TERMINATOR,
    amz_date::AmzDate,
    canonical::{CanonicalRequest, WhiteSpace},
    digest::to_hex,
    query,
};

const SIGNED_HEADERS: &str = "host;x-amz-date";
const SIGNED_HEADERS_WITH_TOKEN: &str = "host;x-amz-date;x-amz-security-token";
const X_AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
const X_AMZ_SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// A request about to be sent.
#[derive(Clone, Copy, Debug)]
pub struct RequestToSign<'a> {
    /// The method.
    pub method: &'a Method,
    /// The `Host` header exactly as it will be sent: with the port, unless it is the scheme's own.
    pub host: &'a str,
    /// The path as it will be sent, percent-encoded.
    pub path: &'a str,
    /// The query as it will be sent, without `?`; empty if there is none.
    pub query: &'a str,
    /// The body; empty if there is none.
    pub body: &'a [u8],
}

/// Signs requests with one access key for one region and service.
pub struct Signer {
    access_key_id: Box<str>,
    credential: Credential,
    session_token: Option<Zeroizing<String>>,
    region: Box<str>,
    service: Box<str>,
}

impl Signer {
    /// A signer for `service` in `region`.
    #[must_use]
    pub fn new(access_key_id: &str, secret: SecretKey, region: &str, service: &str) -> Self {
        Self {
            access_key_id: access_key_id.into(),
            credential: Credential::new(secret),
            session_token: None,
            region: region.into(),
            service: service.into(),
        }
    }

    /// The same, for a temporary access key: its token is sent with every request, and signed.
    #[must_use]
    pub fn with_session_token(mut self, token: &str) -> Self {
        self.session_token = Some(Zeroizing::new(token.to_owned()));
        self
    }

    /// The headers to add: `x-amz-date`, `authorization` and, for a temporary key, `x-amz-security-token` (the latter two
    /// marked sensitive).
    ///
    /// # Errors
    ///
    /// The host, access key id, session token, region or service holds characters that no header may carry, or the query
    /// is longer than a server would read.
    pub fn sign(
        &self,
        request: &RequestToSign<'_>,
        now: Timestamp,
    ) -> Result<Vec<(HeaderName, HeaderValue)>, SignError> {
        let date = AmzDate::new(now);
        let scope = Scope { day: date.day(), region: &self.region, service: &self.service };
        let x_amz_date = HeaderValue::from_str(date.as_str())?;
        let mut headers = HeaderMap::from_iter([
            (header::HOST, HeaderValue::from_str(request.host)?),
            (X_AMZ_DATE, x_amz_date.clone()),
        ]);
        let mut added = vec![(X_AMZ_DATE, x_amz_date)];
        let mut signed_headers = SIGNED_HEADERS;
        if let Some(token) = &self.session_token {
            let mut token = HeaderValue::from_str(token)?;
            token.set_sensitive(true);
            headers.insert(X_AMZ_SECURITY_TOKEN, token.clone());
            added.push((X_AMZ_SECURITY_TOKEN, token));
            signed_headers = SIGNED_HEADERS_WITH_TOKEN;
        }
        let canonical = CanonicalRequest {
            method: request.method.as_str(),
            path: request.path,
            path_rule: CanonicalPath::Normalized,
            query: &query::parse(request.query)?,
            headers: &headers,
            signed_headers,
            body: &BodyDigest::of(request.body),
            white_space: WhiteSpace::Spaces,
        };
        let signature =
            to_hex(&self.credential.with_key(scope, |key| canonical.signature(key, &date, scope)));
        let mut authorization = HeaderValue::from_str(&format!(
            "{ALGORITHM} Credential={}/{}/{}/{}/{TERMINATOR}, SignedHeaders={signed_headers}, Signature={}",
            self.access_key_id,
            scope.day,
            scope.region,
            scope.service,
            str::from_utf8(&signature).unwrap_or_default(),
        ))?;
        authorization.set_sensitive(true);
        added.push((header::AUTHORIZATION, authorization));
        Ok(added)
    }
}

/// Hides secret and token.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("access_key_id", &self.access_key_id)
            .field("region", &self.region)
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

/// Why a request cannot be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// Host, access key id, session token, region or service holds characters that no header may carry.
    #[error("host, access key id, session token, region and service must be printable ASCII")]
    NotAHeader(#[from] InvalidHeaderValue),
    /// The query is longer than a server would read.
    #[error(transparent)]
    Query(#[from] crate::SignatureError),
}
