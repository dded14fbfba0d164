//! Points in time as the wire prints them.
//!
//! AppConfig prints timestamps in UTC with exactly three fraction digits and `Z`, also when they are zeros, and
//! clients compare recorded answers byte by byte. Finer digits are cut, never rounded up: a time on the wire is
//! never later than the time it stands for. One member, the `StartedAt` of an experiment run, has six digits.

use std::fmt;

use http::HeaderValue;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use jiff::fmt::temporal::DateTimePrinter;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const MILLISECONDS: DateTimePrinter = DateTimePrinter::new().precision(Some(3));
const MICROSECONDS: DateTimePrinter = DateTimePrinter::new().precision(Some(6));

/// A point in time as headers of HTTP have it: `Mon, 28 Sep 2026 11:59:58 GMT`. `None` for years that they cannot print.
pub fn http_date(at: Timestamp) -> Option<HeaderValue> {
    let text = rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&at).ok()?;
    HeaderValue::try_from(text).ok()
}

/// A timestamp printed as `2026-09-28T11:59:58.004Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WireTime(Timestamp);

impl WireTime {
    /// The point in time, with whatever precision it was made with.
    pub fn timestamp(self) -> Timestamp {
        self.0
    }
}

impl From<Timestamp> for WireTime {
    fn from(timestamp: Timestamp) -> Self {
        Self(timestamp)
    }
}

impl fmt::Display for WireTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&MILLISECONDS.timestamp_to_string(&self.0))
    }
}

impl Serialize for WireTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for WireTime {
    /// Reads any RFC 3339 timestamp.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Timestamp::deserialize(deserializer).map(Self)
    }
}

/// A timestamp printed as `2026-09-28T11:59:58.004120Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WireMicroTime(Timestamp);

impl From<Timestamp> for WireMicroTime {
    fn from(timestamp: Timestamp) -> Self {
        Self(timestamp)
    }
}

impl fmt::Display for WireMicroTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&MICROSECONDS.timestamp_to_string(&self.0))
    }
}

impl Serialize for WireMicroTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn printed(text: &str) -> String {
        WireTime::from(text.parse::<Timestamp>().unwrap()).to_string()
    }

    #[test]
    fn three_fraction_digits_are_always_printed() {
        assert_eq!(printed("2026-09-28T11:59:58Z"), "2026-09-28T11:59:58.000Z");
        assert_eq!(printed("2026-09-28T11:59:58.1Z"), "2026-09-28T11:59:58.100Z");
        assert_eq!(printed("2026-09-28T13:59:58.004+02:00"), "2026-09-28T11:59:58.004Z");
    }

    #[test]
    fn finer_digits_are_cut_not_rounded() {
        assert_eq!(printed("2026-12-31T23:59:59.999999999Z"), "2026-12-31T23:59:59.999Z");
    }

    #[test]
    fn headers_of_http_have_whole_seconds_and_names_of_days() {
        let date = |text: &str| http_date(text.parse().unwrap());
        assert_eq!(date("2026-09-28T11:59:58.999Z").unwrap(), "Mon, 28 Sep 2026 11:59:58 GMT");
        assert_eq!(date("-000001-01-01T00:00:00Z"), None);
    }

    #[test]
    fn a_microsecond_time_has_six_digits() {
        let time: Timestamp = "2026-09-28T11:59:58.00412Z".parse().unwrap();
        assert_eq!(WireMicroTime::from(time).to_string(), "2026-09-28T11:59:58.004120Z");
    }

    #[test]
    fn json_is_the_printed_text_in_quotes() {
        let time = WireTime::from(Timestamp::from_millisecond(1_790_596_798_004).unwrap());
        assert_eq!(serde_json::to_string(&time).unwrap(), format!("\"{time}\""));
    }

    proptest! {
        #[test]
        fn a_time_of_whole_milliseconds_survives_the_wire(milliseconds in 0i64..253_402_207_200_000) {
            let time = WireTime::from(Timestamp::from_millisecond(milliseconds).unwrap());
            let text = serde_json::to_string(&time).unwrap();
            prop_assert_eq!(text.len(), "\"2026-09-28T11:59:58.004Z\"".len());
            prop_assert_eq!(serde_json::from_str::<WireTime>(&text).unwrap(), time);
        }
    }
}
