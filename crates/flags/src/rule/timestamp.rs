//! Dates and instants at the precisions of the W3C date-time note: year, month, day, minute, second, fraction.
//!
//! Literals follow Ion: a year or a month ends with `T` (a bare `2024-01` is taken too, being what the vendor's manual
//! shows), a time has an offset. Context texts may leave the offset out, which means UTC, and have no trailing `T`.
//! A truncated value stands for its first instant. Fractions count to the nanosecond; further digits are dropped. A
//! literal has one spelling, whatever it was written like, and lies in the years 1 to 9999 of UTC as well, so that every
//! form in which a rule travels has it.

use std::fmt;

/// A point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Instant {
    /// Seconds since 1970-01-01T00:00Z.
    seconds: i64,
    nanoseconds: u32,
}

impl Instant {
    /// A date-time in a context text.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let shape = Shape::parse(text)?;
        (!shape.trailing_t).then_some(shape.instant)
    }

    /// Whether it lies in the years 1 to 9999 of UTC.
    fn is_within_calendar(self) -> bool {
        /// 0001-01-01 and 10000-01-01.
        const SECONDS: std::ops::Range<i64> = -62_135_596_800..253_402_300_800;
        SECONDS.contains(&self.seconds)
    }
}

/// A time with at most nine digits of a fraction.
fn with_short_fraction(text: &str) -> String {
    let Some((before, fraction)) = text.split_once('.') else { return text.to_owned() };
    let end = fraction.find(|c: char| !c.is_ascii_digit()).unwrap_or(fraction.len());
    let (digits, offset) = fraction.split_at_checked(end).unwrap_or((fraction, ""));
    format!("{before}.{}{offset}", digits.get(..9).unwrap_or(digits))
}

/// A date or an instant in a rule, in its one spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timestamp {
    /// Legal Ion.
    text: Box<str>,
    instant: Instant,
}

impl Timestamp {
    /// Reads an Ion timestamp, or a bare year and month.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let shape = Shape::parse(text).filter(|shape| shape.instant.is_within_calendar());
        let Some(shape) = shape else { return Err("not a date of the calendar") };
        let trimmed = text.strip_suffix('T').unwrap_or(text);
        let text = match shape.precision {
            Precision::Year if !shape.trailing_t => return Err("a year as a timestamp ends with T"),
            Precision::Time if !shape.offset => return Err("a time needs an offset, Z for UTC"),
            Precision::Year | Precision::Month => format!("{trimmed}T"),
            Precision::Day => trimmed.to_owned(),
            Precision::Time => with_short_fraction(&text.replace("+00:00", "Z")),
        };
        Ok(Self { text: text.into(), instant: shape.instant })
    }

    /// The timestamp as Ion writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn instant(&self) -> Instant {
        self.instant
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Precision {
    Year,
    Month,
    Day,
    Time,
}

/// A date-time with what its two spellings disagree about.
struct Shape {
    instant: Instant,
    precision: Precision,
    trailing_t: bool,
    offset: bool,
}

impl Shape {
    fn parse(text: &str) -> Option<Self> {
        let mut cursor = Cursor(text.as_bytes());
        let year = cursor.number(4)?;
        let mut precision = Precision::Year;
        let (mut month, mut day) = (1, 1);
        if cursor.take(b'-') {
            month = cursor.number(2)?;
            precision = Precision::Month;
            if cursor.take(b'-') {
                day = cursor.number(2)?;
                precision = Precision::Day;
            }
        }
        let mut seconds = days_since_1970(year, month, day)? * 86_400;
        let mut nanoseconds = 0;
        let mut offset = false;
        let trailing_t = cursor.take(b'T');
        let has_time = trailing_t && precision == Precision::Day && !cursor.0.is_empty();
        if has_time {
            precision = Precision::Time;
            let (time, fraction) = cursor.time()?;
            seconds += time;
            nanoseconds = fraction;
            if let Some(east) = cursor.offset()? {
                seconds -= east;
                offset = true;
            }
        }
        if !cursor.0.is_empty() {
            return None;
        }
        let instant = Instant { seconds, nanoseconds };
        Some(Self { instant, precision, trailing_t: trailing_t && !has_time, offset })
    }
}

struct Cursor<'t>(&'t [u8]);

impl Cursor<'_> {
    fn take(&mut self, wanted: u8) -> bool {
        match self.0.split_first() {
            Some((byte, rest)) if *byte == wanted => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    /// Exactly `count` digits.
    fn number(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        digits
            .iter()
            .try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0')))
    }

    /// `hh:mm`, `hh:mm:ss` or `hh:mm:ss.f…` as seconds and nanoseconds.
    fn time(&mut self) -> Option<(i64, u32)> {
        let seconds = self.hours_and_minutes()?;
        if !self.take(b':') {
            return Some((seconds, 0));
        }
        let second = self.number(2).filter(|second| *second < 60)?;
        let nanoseconds = if self.take(b'.') { self.fraction()? } else { 0 };
        Some((seconds + second, nanoseconds))
    }

    /// `hh:mm` in seconds.
    fn hours_and_minutes(&mut self) -> Option<i64> {
        let hour = self.number(2).filter(|hour| *hour < 24)?;
        let colon = self.take(b':');
        let minute = self.number(2).filter(|minute| *minute < 60)?;
        colon.then_some(hour * 3600 + minute * 60)
    }

    /// At least one digit, as nanoseconds.
    fn fraction(&mut self) -> Option<u32> {
        let (mut nanoseconds, mut worth, mut any) = (0, 100_000_000, false);
        while let Some((byte, rest)) = self.0.split_first()
            && byte.is_ascii_digit()
        {
            nanoseconds += u32::from(byte - b'0') * worth;
            worth /= 10;
            any = true;
            self.0 = rest;
        }
        any.then_some(nanoseconds)
    }

    /// `Z`, `+hh:mm` or `-hh:mm` in seconds east of UTC; `Some(None)` when there is no offset at all.
    fn offset(&mut self) -> Option<Option<i64>> {
        if self.0.is_empty() {
            return Some(None);
        }
        if self.take(b'Z') {
            return Some(Some(0));
        }
        let sign = if self.take(b'+') {
            1
        } else if self.take(b'-') {
            -1
        } else {
            return None;
        };
        Some(Some(sign * self.hours_and_minutes()?))
    }
}

/// Days from 1970-01-01 in the Gregorian calendar; `None` for a day that does not exist. Years are 1 to 9999.
fn days_since_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => return None,
    };
    if year == 0 || !(1..=length).contains(&day) {
        return None;
    }
    // Years that begin in March end with the leap day.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    Some(365 * year + leap_days + day_of_year - 719_468)
}

#[cfg(test)]
mod tests {
    use super::{Instant, Timestamp};

    fn instant(text: &str) -> Instant {
        Instant::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn instants_are_those_of_the_calendar() {
        for text in [
            "1970-01-01T00:00:00Z",
            "0001-01-01T00:00:00Z",
            "2000-02-29T23:59:59Z",
            "1900-03-01T00:00:00Z",
            "2024-12-31T12:30:00+05:30",
            "9999-12-30T00:00:00+08:00",
            "2012-03-04T05:06:07.123456789-08:00",
        ] {
            let expected: jiff::Timestamp = text.parse().unwrap();
            let Instant { seconds, nanoseconds } = instant(text);
            assert_eq!(
                (seconds, nanoseconds),
                (expected.as_second(), expected.subsec_nanosecond().max(0) as u32),
                "{text}"
            );
        }
    }

    #[test]
    fn a_truncated_value_stands_for_its_first_instant_and_no_offset_means_utc() {
        for same in [
            "2024",
            "2024-01",
            "2024-01-01",
            "2024-01-01T00:00",
            "2024-01-01T00:00:00.000Z",
            "2024-01-01T05:30+05:30",
        ] {
            assert_eq!(instant(same), instant("2024-01-01T00:00:00Z"), "{same}");
        }
        assert!(instant("2024-01-01T00:00:00.5") > instant("2024-01-01T00:00:00.4999"));
    }

    #[test]
    fn what_is_no_date_time_does_not_parse() {
        for text in [
            "",
            "24",
            "202",
            "20245",
            "2024-",
            "2024-1",
            "2024-13",
            "2024-00",
            "2023-02-29",
            "1900-02-29",
            "2024-04-31",
            "0000-01-01",
            "2024T",
            "2024-01T",
            "2024-01-01T",
            "2024-01-01T5",
            "2024-01-01T05",
            "2024-01-01T24:00",
            "2024-01-01T05:60",
            "2024-01-01T05:06:60",
            "2024-01-01T05:06:07.",
            "2024-01-01T05:06+8",
            "2024-01-01 05:06",
            "2024-01-01t05:06z",
            "2024-01-01T05:06Z ",
            "２０２４",
            "2024-01-01T05:06+24:00",
        ] {
            assert!(Instant::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_literal_is_in_the_calendar_of_utc_too() {
        for (inside, outside) in [
            ("0001-01-01T00:00-00:01", "0001-01-01T00:00+00:01"),
            ("9999-12-31T23:59Z", "9999-12-31T23:59-00:01"),
        ] {
            assert!(Timestamp::parse(inside).is_ok(), "{inside}");
            assert!(Timestamp::parse(outside).is_err(), "{outside}");
        }
    }

    #[test]
    fn literals_are_ion_and_a_bare_month_becomes_so() {
        for text in [
            "2024T",
            "2024-01T",
            "2024-01-02",
            "2024-01-02T03:04Z",
            "2024-01-02T03:04-00:00",
            "2024-01-02T03:04:05.6-08:00",
        ] {
            assert_eq!(Timestamp::parse(text).unwrap().as_str(), text);
        }
        for (text, spelling) in [
            ("2024-01", "2024-01T"),
            ("2024-01-02T", "2024-01-02"),
            ("2024-01-02T03:04+00:00", "2024-01-02T03:04Z"),
            ("2024-01-02T03:04:05.1234567899+01:00", "2024-01-02T03:04:05.123456789+01:00"),
        ] {
            assert_eq!(Timestamp::parse(text).unwrap().as_str(), spelling);
        }
        for text in ["2024", "2024-01-02T03:04", "2024-02-30"] {
            assert!(Timestamp::parse(text).is_err(), "{text}");
        }
    }
}
