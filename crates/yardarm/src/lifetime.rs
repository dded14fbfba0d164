//! Lengths of time as they are given to commands: `30s`, `5m`, `12h`, `90d`.

/// The seconds of a number with `s`, `m`, `h` or `d`. `None`: it is something else.
pub(crate) fn seconds(text: &str) -> Option<i64> {
    let unit_s: i64 = match text.bytes().last()? {
        b's' => 1,
        b'm' => 60,
        b'h' => 3_600,
        b'd' => 86_400,
        _ => return None,
    };
    let number: u32 = text.get(..text.len().checked_sub(1)?)?.parse().ok()?;
    Some(i64::from(number).saturating_mul(unit_s))
}
