//! Who is in a rollout: arithmetic, so that every server, agent and client gives the same answer without asking.
//!
//! A subject (a session or an entity) falls into one of a million buckets, drawn afresh for every deployment; it is on
//! the new version when its bucket lies below the exposure. **Invariants:** the draw depends on nothing but the
//! deployment and the subject, so a resumed rollout never re-draws; raising the exposure never removes anybody; two
//! deployments draw independently, so it is not always the same subjects who go first.
//!
//! The function is frozen by `conformance/bucketing/rollout.tsv`. Changing it moves real users.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Number of buckets, and the exposure at which everybody is in.
pub const PARTS_PER_MILLION: u32 = 1_000_000;

/// Share of subjects on the new version, in parts per million: 0 to 1 000 000.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Exposure(u32);

impl Exposure {
    /// Nobody is on the new version.
    pub const NONE: Self = Self(0);
    /// Everybody is on the new version.
    pub const ALL: Self = Self(PARTS_PER_MILLION);

    /// `None` above 1 000 000.
    #[must_use]
    pub const fn from_parts_per_million(ppm: u32) -> Option<Self> {
        if ppm <= PARTS_PER_MILLION { Some(Self(ppm)) } else { None }
    }

    /// The nearest exposure to a percentage from 0 to 100; `None` outside that range and for NaN.
    ///
    /// A percentage that was rounded to `f32` on its way (growth factors are) gives the same exposure as the exact one:
    /// `33.3` and `33.3_f32 as f64` are both 333 000 parts per million.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range is checked before"
    )]
    pub fn from_percent(percent: f64) -> Option<Self> {
        (0.0..=100.0).contains(&percent).then(|| Self((percent * 10_000.0).round() as u32))
    }

    /// Parts per million, 0 to 1 000 000.
    #[must_use]
    pub const fn parts_per_million(self) -> u32 {
        self.0
    }

    /// Percent, 0 to 100, for printing and for the wire. Decisions compare integers.
    #[must_use]
    pub fn percent(self) -> f64 {
        f64::from(self.0) / 10_000.0
    }
}

impl fmt::Display for Exposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.percent())
    }
}

/// A number above 1 000 000 was given as an exposure in parts per million.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an exposure is at most {PARTS_PER_MILLION} parts per million, got {0}")]
pub struct ExposureOutOfRange(pub u32);

impl TryFrom<u32> for Exposure {
    type Error = ExposureOutOfRange;

    fn try_from(ppm: u32) -> Result<Self, Self::Error> {
        Self::from_parts_per_million(ppm).ok_or(ExposureOutOfRange(ppm))
    }
}

impl From<Exposure> for u32 {
    fn from(exposure: Exposure) -> Self {
        exposure.0
    }
}

/// What a rollout draws with: the name of one deployment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RolloutKey(Box<str>);

impl RolloutKey {
    /// The key of a deployment: `application/{id}/environment/{id}/deployment/{number}`.
    #[must_use]
    pub fn new(application: &str, environment: &str, deployment: u32) -> Self {
        Self(format!("application/{application}/environment/{environment}/deployment/{deployment}").into())
    }

    /// The text that is hashed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The subject's bucket in this rollout, 0 to 999 999.
    #[must_use]
    pub fn bucket(&self, subject: &[u8]) -> u32 {
        bucket(&self.0, subject)
    }
}

/// The bucket of `subject` in the rollout of `deployment`, 0 to 999 999.
///
/// The first eight bytes, big-endian, of SHA-256(`deployment` ‖ 0x00 ‖ `subject`), scaled to a million: a
/// multiplication and a shift, so no bucket is favoured as it would be by a remainder.
#[must_use]
pub fn bucket(deployment: &str, subject: &[u8]) -> u32 {
    let digest: [u8; 32] = Sha256::new()
        .chain_update(deployment.as_bytes())
        .chain_update([0])
        .chain_update(subject)
        .finalize()
        .into();
    let [a, b, c, d, e, f, g, h, ..] = digest;
    let draw = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
    let scaled = (u128::from(draw) * u128::from(PARTS_PER_MILLION)) >> 64;
    #[expect(clippy::cast_possible_truncation, reason = "draw / 2^64 < 1, so the product is below a million")]
    let bucket = scaled as u32;
    bucket
}

/// The subject that stands for a client with a name of its own: the first sixteen bytes of SHA-256(`name`). However the
/// name reaches us, the client is drawn alike; and a token can carry it, whatever its length.
#[must_use]
pub fn named_subject(name: &str) -> [u8; 16] {
    let digest: [u8; 32] = Sha256::digest(name.as_bytes()).into();
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..] = digest;
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
}

/// Whether a subject in `bucket` is on the new version.
#[must_use]
pub const fn exposed(bucket: u32, exposure: Exposure) -> bool {
    bucket < exposure.0
}
