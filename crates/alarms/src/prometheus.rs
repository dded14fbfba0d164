//! Prometheus: the answer to an instant query.

use crate::Nonsense;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::fmt::Write;
use yardarm_domain::{AlarmReason, AlarmState, MissingData, PrometheusAlarm};
use yardarm_node::Heard;

/// An answer, as far as it is looked at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status: String,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    data: Option<Data>,
}

#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum Data {
    Vector(Vec<Series>),
    Scalar(Sample),
    Matrix(IgnoredAny),
    String(IgnoredAny),
}

#[derive(Deserialize)]
struct Series {
    #[serde(default)]
    metric: serde_json::Map<String, serde_json::Value>,
    /// Absent for native histograms.
    #[serde(default)]
    value: Option<Sample>,
}

/// A time, and a value as text.
#[derive(Deserialize)]
struct Sample(IgnoredAny, String);

impl Sample {
    fn number(&self) -> Result<f64, Nonsense> {
        self.1.parse().map_err(|_| Nonsense::because(format!("`{}` is no number", self.1)))
    }
}

/// Why Prometheus did not carry out the query, if `body` says so.
#[must_use]
pub fn refusal(body: &[u8]) -> Option<String> {
    let answer: Answer = serde_json::from_slice(body).ok()?;
    (answer.status == "error").then(|| answer.error.unwrap_or_default().chars().take(200).collect())
}

/// What the answer `body` says of `alarm`.
///
/// # Errors
/// It is no answer to an instant query.
pub fn read(alarm: &PrometheusAlarm, body: &[u8]) -> Result<Heard, Nonsense> {
    let answer: Answer = serde_json::from_slice(body).map_err(Nonsense::because)?;
    if answer.status != "success" {
        return Err(Nonsense::because(format!("its status is `{}`", answer.status)));
    }
    let mut values = vec![];
    match answer.data {
        Some(Data::Vector(series)) => {
            for one in series {
                let sample = one.value.ok_or_else(|| Nonsense::because("histograms are no numbers"))?;
                values.push((sample.number()?, one.metric));
            }
        }
        Some(Data::Scalar(sample)) => values.push((sample.number()?, serde_json::Map::new())),
        Some(Data::Matrix(_)) => {
            return Err(Nonsense::because("the query yields a range: an instant query yields numbers"));
        }
        Some(Data::String(_)) => return Err(Nonsense::because("the query yields a text")),
        None => return Err(Nonsense::because("there is no data in it")),
    }
    // A share of nothing is no number, and says nothing.
    values.retain(|(value, _)| !value.is_nan());
    let breach = values.iter().find(|(value, _)| alarm.comparison.breaches(*value, alarm.threshold));
    let state = match (breach, values.is_empty(), alarm.missing_data) {
        (Some(_), ..) | (None, true, MissingData::Breaching) => AlarmState::Alarm,
        (None, true, MissingData::Missing) => AlarmState::InsufficientData,
        (None, false, _) | (None, true, MissingData::NotBreaching) => AlarmState::Ok,
    };
    let reason = match (breach, values.first()) {
        (Some((value, metric)), _) => {
            let (comparison, threshold) = (alarm.comparison.as_str(), alarm.threshold.number());
            format!("{}{value} {comparison} {threshold}", labels(metric))
        }
        (None, Some((value, metric))) => {
            let more = values.len().saturating_sub(1);
            let more = if more > 0 { format!(" and {more} more series") } else { String::new() };
            format!("{}{value}{more}", labels(metric))
        }
        (None, None) => "the query yields no value".into(),
    };
    Ok(Heard { state, actions_enabled: true, reason: AlarmReason::beginning(&reason) })
}

/// The labels of a series, as far as they help somebody to find it.
fn labels(metric: &serde_json::Map<String, serde_json::Value>) -> String {
    let mut text = String::new();
    for (name, value) in metric.iter().filter(|(name, _)| *name != "__name__").take(8) {
        let sign = if text.is_empty() { "{" } else { ", " };
        // Writing to a text does not fail.
        let _ = write!(text, "{sign}{name}={}", value.as_str().unwrap_or_default());
    }
    if text.is_empty() { text } else { text + "} " }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use yardarm_domain::{Comparison, Threshold};

    fn alarm(missing_data: MissingData) -> PrometheusAlarm {
        PrometheusAlarm {
            url: "http://127.0.0.1:9090".parse().unwrap(),
            query: "errors".parse().unwrap(),
            comparison: Comparison::Above,
            threshold: Threshold::new(5.0).unwrap(),
            for_s: 0,
            missing_data,
        }
    }

    fn vector(series: &str) -> String {
        format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{series}]}}}}"#)
    }

    fn says(body: &str) -> (AlarmState, String) {
        let heard = read(&alarm(MissingData::Missing), body.as_bytes()).unwrap();
        (heard.state, heard.reason.unwrap().to_string())
    }

    #[test]
    fn any_series_above_the_threshold_is_a_breach() {
        let quiet = r#"{"metric":{"__name__":"errors","job":"shop"},"value":[1790596800.1,"5"]}"#;
        let firing = r#"{"metric":{"job":"cart","zone":"a"},"value":[1790596800.1,"7.5"]}"#;
        assert_eq!(says(&vector(quiet)), (AlarmState::Ok, "{job=shop} 5".into()));
        let both = vector(&format!("{quiet},{firing}"));
        assert_eq!(says(&both), (AlarmState::Alarm, "{job=cart, zone=a} 7.5 > 5".into()));
        let scalar = r#"{"status":"success","data":{"resultType":"scalar","result":[1.5,"+Inf"]}}"#;
        assert_eq!(says(scalar), (AlarmState::Alarm, "inf > 5".into()));
    }

    #[test]
    fn no_value_means_what_the_alarm_says_it_means() {
        let nan = vector(r#"{"metric":{},"value":[1,"NaN"]}"#);
        for body in [vector(""), nan] {
            for (missing, state) in [
                (MissingData::Missing, AlarmState::InsufficientData),
                (MissingData::NotBreaching, AlarmState::Ok),
                (MissingData::Breaching, AlarmState::Alarm),
            ] {
                assert_eq!(read(&alarm(missing), body.as_bytes()).unwrap().state, state, "{body}");
            }
        }
    }

    #[test]
    fn anything_else_is_nonsense_and_never_quiet() {
        for body in [
            "",
            "null",
            "[]",
            "<html>",
            r#"{"status":"success"}"#,
            r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#,
            r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#,
            r#"{"status":"success","data":{"resultType":"string","result":[1,"x"]}}"#,
            r#"{"status":"success","data":{"resultType":"vector","result":{}}}"#,
            &vector(r#"{"metric":{},"value":[1,"five"]}"#),
            &vector(r#"{"metric":{},"value":[1]}"#),
            &vector(r#"{"metric":{},"histogram":[1,{}]}"#),
            &"[".repeat(100_000),
        ] {
            assert!(read(&alarm(MissingData::NotBreaching), body.as_bytes()).is_err(), "{body:.80}");
        }
        assert_eq!(
            refusal(br#"{"status":"error","errorType":"bad_data","error":"parse error"}"#).as_deref(),
            Some("parse error")
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&alarm(MissingData::Missing), &bytes);
        }

        #[test]
        fn no_mangled_answer_makes_the_reader_panic(at in 0..200_usize, byte in any::<u8>()) {
            let mut body = vector(r#"{"metric":{"a":"b"},"value":[1790596800.1,"7.5"]}"#).into_bytes();
            if let Some(slot) = body.get_mut(at) {
                *slot = byte;
            }
            let _ = read(&alarm(MissingData::Missing), &body);
        }
    }
}
