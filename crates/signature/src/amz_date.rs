//! The dates of signatures: ISO 8601 "basic format", `20150830T123600Z`, to the second, in UTC.

use std::fmt;

use jiff::{Timestamp, civil::DateTime, fmt::rfc2822, tz::Offset};

/// Longest `Date` header worth parsing, in bytes.
const MAX_DATE_BYTES: usize = 64;

/// A signature's date, as an instant and as the text that is signed.
#[derive(Clone, Copy)]
pub(crate) struct AmzDate {
    at: Timestamp,
    text: [u8; 16],
}

impl AmzDate {
    /// To the second: the fraction is dropped. Years before 0 become the year 0; the format has no sign.
    pub(crate) fn new(at: Timestamp) -> Self {
        let civil = Offset::UTC.to_datetime(at);
        let digit = |n: i16, unit: i16| b'0' + u8::try_from(n / unit % 10).unwrap_or(0);
        let two = |n: i8| [digit(n.into(), 10), digit(n.into(), 1)];
        let year = civil.year().max(0);
        let [y0, y1, y2, y3] = [1000, 100, 10, 1].map(|unit| digit(year, unit));
        let [[m0, m1], [d0, d1]] = [two(civil.month()), two(civil.day())];
        let [[h0, h1], [n0, n1], [s0, s1]] = [two(civil.hour()), two(civil.minute()), two(civil.second())];
        let text = [y0, y1, y2, y3, m0, m1, d0, d1, b'T', h0, h1, n0, n1, s0, s1, b'Z'];
        Self { at, text }
    }

    /// Reads the basic format.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text: [u8; 16] = text.as_bytes().try_into().ok()?;
        let [y0, y1, y2, y3, m0, m1, d0, d1, b'T', h0, h1, n0, n1, s0, s1, b'Z'] = text else { return None };
        let number = |digits: &[u8]| {
            digits.iter().try_fold(0_i16, |n, c| c.is_ascii_digit().then(|| n * 10 + i16::from(c - b'0')))
        };
        let small = |digits: [u8; 2]| number(&digits).and_then(|n| i8::try_from(n).ok());
        let civil = DateTime::new(
            number(&[y0, y1, y2, y3])?,
            small([m0, m1])?,
            small([d0, d1])?,
            small([h0, h1])?,
            small([n0, n1])?,
            small([s0, s1])?,
            0,
        );
        let at = Offset::UTC.to_timestamp(civil.ok()?).ok()?;
        Some(Self { at, text })
    }

    /// Reads a `Date` header, which stands in for a missing `X-Amz-Date`: the basic format or that of HTTP.
    pub(crate) fn parse_date_header(text: &str) -> Option<Self> {
        if text.len() > MAX_DATE_BYTES {
            return None;
        }
        Self::parse(text).or_else(|| rfc2822::DateTimeParser::new().parse_timestamp(text).ok().map(Self::new))
    }

    pub(crate) fn at(&self) -> Timestamp {
        self.at
    }

    pub(crate) fn seconds(&self) -> i64 {
        self.at.as_second()
    }

    /// `20150830T123600Z`.
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text).unwrap_or_default()
    }

    /// `20150830`, the date of the credential scope.
    pub(crate) fn day(&self) -> &str {
        self.as_str().get(..8).unwrap_or_default()
    }
}

impl fmt::Display for AmzDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_basic_format_is_read_and_written() {
        let date = AmzDate::parse("20150830T123605Z").unwrap();
        assert_eq!(date.at, at("2015-08-30T12:36:05Z"));
        assert_eq!(date.day(), "20150830");
        assert_eq!(AmzDate::new(date.at).as_str(), "20150830T123605Z");
        assert_eq!(AmzDate::new(at("2026-01-02T03:04:05.999Z")).as_str(), "20260102T030405Z");
    }

    #[test]
    fn other_formats_and_impossible_dates_are_not_read() {
        for wrong in [
            "",
            "20150830",
            "2015-08-30T12:36:00Z",
            "20150830T123600",
            "20150830T123600z",
            "20151330T123600Z",
            "20150229T123600Z",
            "20150830T246000Z",
            "+0150830T123600Z",
            "2015083 T123600Z",
        ] {
            assert!(AmzDate::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_date_header_may_be_in_the_format_of_http() {
        let date = AmzDate::parse_date_header("Sun, 30 Aug 2015 12:36:00 GMT").unwrap();
        assert_eq!(date.as_str(), "20150830T123600Z");
        assert!(AmzDate::parse_date_header("20150830T123600Z").is_some());
        assert!(AmzDate::parse_date_header("last Sunday").is_none());
    }

    #[test]
    fn any_instant_has_sixteen_characters() {
        for instant in [Timestamp::MIN, Timestamp::UNIX_EPOCH, Timestamp::MAX] {
            assert_eq!(AmzDate::new(instant).as_str().len(), 16);
        }
    }
}
