//! Timestamps between the text of rules and the fields of binary Ion, which counts in UTC.

use jiff::civil::DateTime;
use jiff::{SignedDuration, ToSpan as _};

/// The fields of a timestamp as binary Ion has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fields {
    /// Minutes east of UTC; `None`: unknown.
    pub(crate) offset: Option<i32>,
    pub(crate) year: i16,
    pub(crate) month: Option<i8>,
    pub(crate) day: Option<i8>,
    pub(crate) time: Option<Time>,
}

/// A time of the day in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Time {
    pub(crate) hour: i8,
    pub(crate) minute: i8,
    pub(crate) second: Option<i8>,
    /// Digits of the fraction of the second, at most nine: how many, and what number they are.
    pub(crate) fraction: Option<(u8, u32)>,
}

impl Fields {
    /// The fields of a timestamp as rules write it.
    pub(crate) fn of_text(text: &str) -> Option<Self> {
        let mut date =
            Self { offset: None, year: text.get(..4)?.parse().ok()?, month: None, day: None, time: None };
        let rest = text.get(4..)?;
        if rest == "T" {
            return Some(date);
        }
        date.month = Some(rest.get(1..3)?.parse().ok()?);
        let rest = rest.get(3..)?;
        if rest == "T" {
            return Some(date);
        }
        date.day = Some(rest.get(1..3)?.parse().ok()?);
        match rest.get(3..)?.strip_prefix('T') {
            None | Some("") => Some(date),
            Some(time) => date.with_time(time),
        }
    }

    fn with_time(self, text: &str) -> Option<Self> {
        let (hour, minute) = (text.get(..2)?.parse().ok()?, text.get(3..5)?.parse().ok()?);
        let rest = text.get(5..)?;
        let (second, rest) = match rest.strip_prefix(':') {
            Some(rest) => (Some(rest.get(..2)?.parse().ok()?), rest.get(2..)?),
            None => (None, rest),
        };
        let (fraction, rest) = match rest.strip_prefix('.') {
            Some(rest) => {
                let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
                (Some((u8::try_from(digits).ok()?, rest.get(..digits)?.parse().ok()?)), rest.get(digits..)?)
            }
            None => (None, rest),
        };
        let offset = match rest {
            "Z" => Some(0),
            "-00:00" => None,
            signed => {
                let (hours, minutes): (i32, i32) =
                    (signed.get(1..3)?.parse().ok()?, signed.get(4..6)?.parse().ok()?);
                let minutes = hours * 60 + minutes;
                Some(if signed.starts_with('-') { -minutes } else { minutes })
            }
        };
        let local = DateTime::new(self.year, self.month?, self.day?, hour, minute, 0, 0).ok()?;
        let utc = local.checked_sub(offset.unwrap_or(0).minutes()).ok()?;
        let time = Time { hour: utc.hour(), minute: utc.minute(), second, fraction };
        let (month, day) = (Some(utc.month()), Some(utc.day()));
        Some(Self { offset, year: utc.year(), month, day, time: Some(time) })
    }

    /// The timestamp as rules write it; `None` if there is no such time.
    pub(crate) fn to_text(self) -> Option<String> {
        let Self { offset, year, month, day, time } = self;
        let Some(month) = month else { return Some(format!("{year:04}T")) };
        let Some(day) = day else { return Some(format!("{year:04}-{month:02}T")) };
        let Some(Time { hour, minute, second, fraction }) = time else {
            return Some(format!("{year:04}-{month:02}-{day:02}"));
        };
        let utc = DateTime::new(year, month, day, hour, minute, 0, 0).ok()?;
        let east = i64::from(offset.unwrap_or(0));
        let local = utc.checked_add(SignedDuration::from_mins(east)).ok()?;
        let mut text = format!("{}T{:02}:{:02}", local.date(), local.hour(), local.minute());
        if let Some(second) = second {
            text.push_str(&format!(":{second:02}"));
        }
        if let Some((digits, fraction)) = fraction {
            text.push_str(&format!(".{fraction:0width$}", width = usize::from(digits)));
        }
        text.push_str(&match offset {
            None => "-00:00".to_owned(),
            Some(0) => "Z".to_owned(),
            Some(east) => {
                let sign = if east < 0 { '-' } else { '+' };
                format!("{sign}{:02}:{:02}", east.abs() / 60, east.abs() % 60)
            }
        });
        Some(text)
    }
}
