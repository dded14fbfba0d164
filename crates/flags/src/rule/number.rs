//! Numbers as rules compare them: whole ones exactly, in 64 bits; as soon as one has a fraction, as 64-bit floats.

use std::cmp::Ordering;

/// A finite number.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Integer(i64),
    Float(f64),
}

impl Number {
    /// A number in a context text: sign, digits, fraction and exponent, of which only digits must be there. Nothing is
    /// trimmed; infinities and NaN are not numbers, and neither is what overflows to one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let unsigned = match bytes.split_first()? {
            (b'+' | b'-', rest) => rest,
            _ => bytes,
        };
        let rest = digits(unsigned)?;
        if rest.is_empty()
            && let Ok(integer) = text.parse()
        {
            return Some(Self::Integer(integer));
        }
        let rest = match rest.split_first() {
            Some((b'.', fraction)) => digits(fraction)?,
            _ => rest,
        };
        let rest = match rest.split_first() {
            Some((b'e' | b'E', exponent)) => match exponent.split_first()? {
                (b'+' | b'-', exponent) => digits(exponent)?,
                _ => digits(exponent)?,
            },
            _ => rest,
        };
        if !rest.is_empty() {
            return None;
        }
        text.parse().ok().filter(|float: &f64| float.is_finite()).map(Self::Float)
    }

    /// What the text of `float` is read as, where that is plain to see: a fraction stays one, and a whole number is an
    /// integer. `None` for the large, whose texts end in zeros that the number has not, and for what is not finite.
    pub(crate) fn of_plain_float(float: f64) -> Option<Self> {
        /// 2^53: up to here every whole number is a float.
        const LARGE: f64 = 9_007_199_254_740_992.0;
        if !float.is_finite() || float.abs() > LARGE {
            return None;
        }
        if float.fract() == 0.0 {
            #[expect(clippy::cast_possible_truncation, reason = "whole, and within the range")]
            return Some(Self::Integer(float as i64));
        }
        Some(Self::Float(float))
    }

    #[expect(clippy::cast_precision_loss, reason = "mixed comparison is by 64-bit float")]
    pub(crate) fn as_float(self) -> f64 {
        match self {
            Self::Integer(integer) => integer as f64,
            Self::Float(float) => float,
        }
    }

    pub(crate) fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Integer(left), Self::Integer(right)) => left.cmp(&right),
            // Never NaN, so there always is an order.
            _ => self.as_float().partial_cmp(&other.as_float()).unwrap_or(Ordering::Equal),
        }
    }
}

/// What follows at least one digit.
fn digits(bytes: &[u8]) -> Option<&[u8]> {
    let count = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 { None } else { bytes.get(count..) }
}

#[cfg(test)]
mod tests {
    use super::Number;

    fn float(text: &str) -> Option<f64> {
        Number::parse(text).map(Number::as_float)
    }

    #[test]
    fn a_number_is_sign_digits_fraction_and_exponent() {
        for (text, expected) in [
            ("5", 5.0),
            ("-5", -5.0),
            ("+5", 5.0),
            ("007", 7.0),
            ("1.50", 1.5),
            ("1e3", 1e3),
            ("-1.5E-3", -1.5e-3),
        ] {
            assert_eq!(float(text), Some(expected), "{text}");
        }
        for text in [
            "", "+", "-", ".", ".5", "5.", "1e", "1e+", "e5", " 5", "5 ", "1_000", "0x10", "1,5", "NaN",
            "inf", "Infinity", "1e999", "٣", "1.2.3", "--1",
        ] {
            assert_eq!(float(text), None, "{text}");
        }
    }

    #[test]
    fn whole_numbers_compare_exactly_and_mixed_ones_as_floats() {
        use std::cmp::Ordering::{Equal, Less};
        let parse = |text| Number::parse(text).unwrap();
        assert_eq!(parse("9007199254740992").compare(parse("9007199254740993")), Less);
        assert_eq!(parse("9007199254740992.0").compare(parse("9007199254740993")), Equal);
        // Beyond 64 bits only a float is left.
        assert_eq!(parse("9223372036854775808").compare(parse("9223372036854775809")), Equal);
        assert_eq!(parse("-0").compare(parse("0.0")), Equal);
    }
}
