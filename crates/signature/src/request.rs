//! A request that says it is signed, taken apart.
//!
//! Everything that can be judged without a key, a clock or the body is judged here, once: a [`SignedRequest`] is
//! complete, within [`limits`], and leaves nothing unsigned that must be signed.

use std::{borrow::Cow, fmt};

use http::{HeaderMap, Method};

use crate::{
    BodyDigest, Scope, SignatureError, TERMINATOR,
    amz_date::AmzDate,
    authorization::{self, Authorization},
    digest,
    error::shown,
    limits,
    presigned::{self, Presigned},
    query::{self, Parameter},
};

/// `x-amz-*` headers that need not be signed, because nothing here reads them: the first is added by CloudFront on the
/// way, the second is left out by signers of presigned requests.
const MAY_BE_UNSIGNED: [&str; 2] = ["x-amz-cf-id", "x-amz-user-agent"];

/// Where the signature is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// In the `Authorization` header.
    Header,
    /// In the query, made ahead of time.
    Presigned {
        /// How long the request may be used after its date, in seconds: 1 to 604800.
        expires_seconds: u32,
    },
}

/// A complete, well-formed, not yet verified signed request.
///
/// Verification always needs the digest of the whole body: signatures that leave the body out (`UNSIGNED-PAYLOAD`,
/// `STREAMING-…`) are refused by [`parse`](Self::parse).
pub struct SignedRequest<'r> {
    pub(crate) method: &'r Method,
    pub(crate) path: &'r str,
    /// Without `X-Amz-Signature` if presigned.
    pub(crate) query: Vec<Parameter<'r>>,
    pub(crate) headers: &'r HeaderMap,
    pub(crate) form: Form,
    credential: ScopedCredential<'r>,
    pub(crate) date: AmzDate,
    pub(crate) signed_headers: Cow<'r, str>,
    pub(crate) signature: [u8; 32],
    /// What the client says the body's digest is.
    pub(crate) claimed_body: Option<BodyDigest>,
}

impl<'r> SignedRequest<'r> {
    /// Reads the signature of a request: `None` if it has none, or an `Authorization` of another scheme.
    ///
    /// Path and query are those of the request line, undecoded; the query without its `?`, empty if there is none.
    /// Headers must include `host` (over HTTP/2, put `:authority` there first).
    ///
    /// # Errors
    ///
    /// What is missing, malformed, oversized, or unsigned but must not be: see [`SignatureError`].
    pub fn parse(
        method: &'r Method,
        raw_path: &'r str,
        raw_query: &'r str,
        headers: &'r HeaderMap,
    ) -> Result<Option<Self>, SignatureError> {
        let authorization = Authorization::parse(headers)?;
        let is_presigned = presigned::is_presigned(raw_query);
        if is_presigned && headers.contains_key(http::header::AUTHORIZATION) {
            return Err(SignatureError::TwoAuthentications);
        }
        if authorization.is_none() && !is_presigned {
            return Ok(None);
        }
        if raw_path.len() > limits::MAX_PATH_BYTES {
            return Err(SignatureError::TooLarge { what: "path bytes", limit: limits::MAX_PATH_BYTES });
        }
        let mut query = query::parse(raw_query)?;
        let (form, credential, date, signed_headers, signature, query_body) = match authorization {
            Some(Authorization { credential, signed_headers, signature }) => (
                Form::Header,
                ScopedCredential::parse(credential, Cow::Borrowed)?,
                authorization::date(headers)?,
                Cow::Borrowed(signed_headers),
                digest::from_hex(signature.as_bytes()),
                None,
            ),
            None => {
                let presigned = Presigned::parse(&mut query)?;
                (
                    Form::Presigned { expires_seconds: presigned.expires_seconds },
                    ScopedCredential::parse(&presigned.credential, |part| Cow::Owned(part.to_owned()))?,
                    presigned.date,
                    Cow::Owned(presigned.signed_headers),
                    digest::from_hex(presigned.signature.as_bytes()),
                    presigned.body,
                )
            }
        };
        check_day(&credential, &date)?;
        check_signed_headers(&signed_headers, headers)?;
        let header_body = authorization::single(headers, "x-amz-content-sha256", "x-amz-content-sha256")?;
        let claimed_body = claimed_body(header_body.or(query_body.as_deref()))?;
        // A signature that is not a hash matches no request.
        let signature = signature.ok_or(SignatureError::Mismatch)?;
        Ok(Some(Self {
            method,
            path: raw_path,
            query,
            headers,
            form,
            credential,
            date,
            signed_headers,
            signature,
            claimed_body,
        }))
    }

    /// The access key whose holder says they signed this.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        &self.credential.access_key_id
    }

    /// The day, region and service it was signed for. The day is that of the request's date.
    #[must_use]
    pub fn scope(&self) -> Scope<'_> {
        Scope {
            day: &self.credential.day,
            region: &self.credential.region,
            service: &self.credential.service,
        }
    }

    /// Where the signature is.
    #[must_use]
    pub fn form(&self) -> Form {
        self.form
    }
}

/// Without the signature: before it expires, it is as good as a password for this one request.
impl fmt::Debug for SignedRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedRequest")
            .field("access_key_id", &self.access_key_id())
            .field("scope", &self.scope())
            .field("form", &self.form)
            .field("date", &self.date.as_str())
            .field("signed_headers", &self.signed_headers)
            .finish_non_exhaustive()
    }
}

/// `keyid/date/region/service/aws4_request`.
struct ScopedCredential<'r> {
    access_key_id: Cow<'r, str>,
    day: Cow<'r, str>,
    region: Cow<'r, str>,
    service: Cow<'r, str>,
}

impl<'r> ScopedCredential<'r> {
    fn parse<'a>(text: &'a str, keep: impl Fn(&'a str) -> Cow<'r, str>) -> Result<Self, SignatureError> {
        if text.len() > limits::MAX_CREDENTIAL_BYTES {
            return Err(SignatureError::TooLarge {
                what: "bytes of Credential",
                limit: limits::MAX_CREDENTIAL_BYTES,
            });
        }
        let mut parts = text.split('/');
        let mut next = || parts.next().filter(|part| !part.is_empty());
        let (Some(access_key_id), Some(day), Some(region), Some(service), Some(terminator), None) =
            (next(), next(), next(), next(), next(), parts.next())
        else {
            return Err(SignatureError::MalformedCredential { credential: shown(text) });
        };
        if terminator != TERMINATOR {
            return Err(SignatureError::WrongTerminator { terminator: shown(terminator) });
        }
        Ok(Self {
            access_key_id: keep(access_key_id),
            day: keep(day),
            region: keep(region),
            service: keep(service),
        })
    }
}

fn check_day(credential: &ScopedCredential<'_>, date: &AmzDate) -> Result<(), SignatureError> {
    if credential.day == date.day() {
        return Ok(());
    }
    Err(SignatureError::WrongScopeDate {
        scope: shown(&credential.day),
        day: date.day().into(),
        date: date.as_str().into(),
    })
}

/// The list is canonical, names only headers that are there, and leaves out none that must be in it.
fn check_signed_headers(list: &str, headers: &HeaderMap) -> Result<(), SignatureError> {
    let mut previous = "";
    for (index, name) in list.split(';').enumerate() {
        if index == limits::MAX_SIGNED_HEADERS {
            return Err(SignatureError::TooLarge {
                what: "signed headers",
                limit: limits::MAX_SIGNED_HEADERS,
            });
        }
        if name <= previous || name.bytes().any(|c| c.is_ascii_uppercase()) {
            return Err(SignatureError::MalformedSignedHeaders { signed_headers: shown(list) });
        }
        if !headers.contains_key(name) {
            return Err(SignatureError::SignedHeaderAbsent { name: shown(name) });
        }
        previous = name;
    }
    let is_signed = |name| list.split(';').any(|signed| signed == name);
    if !is_signed("host") {
        return Err(SignatureError::HostNotSigned);
    }
    for name in headers.keys().map(http::HeaderName::as_str).filter(|name| name.starts_with("x-amz-")) {
        if !is_signed(name) && !MAY_BE_UNSIGNED.contains(&name) {
            return Err(SignatureError::HeaderNotSigned { name: shown(name) });
        }
    }
    Ok(())
}

fn claimed_body(claimed: Option<&str>) -> Result<Option<BodyDigest>, SignatureError> {
    let Some(claimed) = claimed else { return Ok(None) };
    match BodyDigest::from_hex(claimed.as_bytes()) {
        Some(digest) => Ok(Some(digest)),
        None => Err(SignatureError::BodyNotSigned { claimed: shown(claimed) }),
    }
}
