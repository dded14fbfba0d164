//! Verification of AWS Signature Version 4, header and presigned form.
//!
//! Every AWS SDK signs its requests; this crate says whether a request was signed by the holder of a secret, unaltered,
//! and recently. It is pure: the time is an argument, bodies arrive as digests, keys as values.
//!
//! - [`SignedRequest::parse`] recognises a signed request and refuses one whose signature is malformed or leaves out
//!   something that must be signed. Requests of other schemes (bearer tokens, none) are `None`, cheaply.
//! - [`SignedRequest::verify`] checks scope, time, body and signature against a [`Credential`], which caches the key
//!   derived for the day.
//! - [`Signer`] signs, for our own command line.
//!
//! **Invariants:** signatures and body digests are compared in constant time; secrets are wiped when dropped and never
//! printed; work and memory are linear in a request whose parts are bounded ([`limits`]); nothing here panics.
//!
//! ```
//! use yardarm_signature::{BodyDigest, Credential, Expected, RequestToSign, SecretKey, SignedRequest, Signer};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let now: jiff::Timestamp = "2026-11-23T10:00:00Z".parse()?;
//! let method = http::Method::GET;
//! let signer = Signer::new("yardarm", SecretKey::new("yardarm-dev-secret"), "us-east-1", "appconfig");
//! let request = RequestToSign { method: &method, host: "127.0.0.1:4770", path: "/applications", query: "", body: b"" };
//!
//! let mut headers = http::HeaderMap::from_iter(signer.sign(&request, now)?);
//! headers.insert("host", "127.0.0.1:4770".parse()?);
//!
//! let signed = SignedRequest::parse(&method, "/applications", "", &headers)?.ok_or("not signed")?;
//! assert_eq!(signed.access_key_id(), "yardarm");
//! let credential = Credential::new(SecretKey::new("yardarm-dev-secret")); // found by access key id
//! signed.verify(&credential, &BodyDigest::EMPTY, now, &Expected::new("us-east-1", "appconfig"))?;
//! # Ok(())
//! # }
//! ```

mod amz_date;
mod authorization;
mod canonical;
mod credential;
mod digest;
mod error;
pub mod limits;
mod path;
mod presigned;
mod query;
mod request;
mod sign;
mod verify;

pub use credential::{Credential, Scope, SecretKey, SigningKey};
pub use digest::BodyDigest;
pub use error::{SignatureError, SignatureErrorKind};
pub use path::{CanonicalPath, normalize_path};
pub use request::{Form, SignedRequest};
pub use sign::{RequestToSign, SignError, Signer};
pub use verify::Expected;

/// The only algorithm spoken here.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// What every credential scope ends with.
const TERMINATOR: &str = "aws4_request";
