//! Bounds on what a caller may make us read before we know who it is. Generous: real requests stay far below.

use jiff::SignedDuration;

/// How far a signature's date may be from the server's clock, either way.
pub const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);
/// Longest life of a presigned request: a week, in seconds. The shortest is one second.
pub const MAX_EXPIRES_SECONDS: u32 = 604_800;
/// Longest `Authorization` header, in bytes.
pub const MAX_AUTHORIZATION_BYTES: usize = 4096;
/// Longest credential (`keyid/date/region/service/term`), in bytes.
pub const MAX_CREDENTIAL_BYTES: usize = 256;
/// Most names in `SignedHeaders`.
pub const MAX_SIGNED_HEADERS: usize = 64;
/// Longest raw path of a signed request, in bytes: an ARN of 2048 characters, each percent-encoded, fits.
pub const MAX_PATH_BYTES: usize = 8 * 1024;
/// Longest raw query of a signed request, in bytes.
pub const MAX_QUERY_BYTES: usize = 16 * 1024;
/// Most parameters in the query of a signed request.
pub const MAX_QUERY_PARAMETERS: usize = 256;
