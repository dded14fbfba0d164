//! `_createdAt` and `_updatedAt`: RFC 3339 in, UTC to the millisecond out.

use jiff::Timestamp;

/// An RFC 3339 instant, to the millisecond; `None` for anything else.
///
/// `jiff` reads more than RFC 3339 (dates without a time, basic format, time zone annotations), and a stamp that only
/// we can read would not be one, so the shape is checked first.
pub(super) fn parse_stamp(text: &str) -> Option<Timestamp> {
    if !has_rfc3339_shape(text.as_bytes()) {
        return None;
    }
    text.parse().ok().map(to_millisecond)
}

fn has_rfc3339_shape(text: &[u8]) -> bool {
    let matches = |text: &[u8], shape: &[u8]| {
        text.len() == shape.len()
            && text.iter().zip(shape).all(|(byte, shape)| match shape {
                b'0' => byte.is_ascii_digit(),
                b'T' => byte.eq_ignore_ascii_case(&b'T'),
                b'+' => matches!(byte, b'+' | b'-'),
                exact => byte == exact,
            })
    };
    let Some((seconds, rest)) = text.split_at_checked("0000-00-00T00:00:00".len()) else { return false };
    let fraction = match rest.split_first() {
        Some((b'.', digits)) => 1 + digits.iter().take_while(|byte| byte.is_ascii_digit()).count(),
        _ => 0,
    };
    let (fraction, offset) = rest.split_at_checked(fraction).unwrap_or((rest, &[]));
    matches(seconds, b"0000-00-00T00:00:00")
        && fraction.len() != 1
        && (offset.eq_ignore_ascii_case(b"Z") || matches(offset, b"+00:00"))
}

/// `at` without what is smaller than a millisecond.
pub(crate) fn to_millisecond(at: Timestamp) -> Timestamp {
    // Flooring keeps the order of stamps before 1970 too. The floor of a legal instant is legal: the least instant is
    // a whole second.
    let milliseconds = at.as_nanosecond().div_euclid(1_000_000);
    i64::try_from(milliseconds).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(at)
}

/// A stamp as stored: UTC, at most three decimals, trailing zeros trimmed (`2026-09-28T11:56:57.65Z`).
pub(crate) fn stamp_text(at: Timestamp) -> String {
    to_millisecond(at).to_string()
}
