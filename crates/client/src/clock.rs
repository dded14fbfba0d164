//! The only place of this crate that reads the time.

use jiff::Timestamp;

/// Tells the time, for signatures. Given from outside, so that tests own it.
pub type Now = fn() -> Timestamp;

/// The machine's clock.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that reads the time")]
pub fn system_now() -> Timestamp {
    Timestamp::now()
}
