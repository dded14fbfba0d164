//! CloudWatch: `DescribeAlarms` in the JSON protocol that its model declares (`application/x-amz-json-1.0`).

use crate::Nonsense;
use serde::{Deserialize, Serialize};
use yardarm_domain::{AlarmReason, AlarmState, CloudWatchAlarm};
use yardarm_node::Heard;

/// The `X-Amz-Target` of the operation.
pub const TARGET: &str = "GraniteServiceVersion20100801.DescribeAlarms";

/// The content type of the protocol.
pub const CONTENT_TYPE: &str = "application/x-amz-json-1.0";

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Question<'a> {
    alarm_names: [&'a str; 1],
    alarm_types: [&'static str; 2],
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    metric_alarms: Vec<Described>,
    #[serde(default)]
    composite_alarms: Vec<Described>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    alarm_name: String,
    state_value: String,
    #[serde(default)]
    state_reason: Option<String>,
    #[serde(default)]
    actions_enabled: Option<bool>,
    /// Of composite alarms: why their actions are not carried out at present.
    #[serde(default)]
    actions_suppressed_by: Option<String>,
}

/// An error of the service.
#[derive(Deserialize)]
struct Refused {
    #[serde(rename = "__type", default)]
    kind: String,
    #[serde(rename = "message", alias = "Message", default)]
    message: String,
}

/// The body that asks for `alarm`.
#[must_use]
pub fn question(alarm: &CloudWatchAlarm) -> Vec<u8> {
    let question =
        Question { alarm_names: [alarm.name.as_str()], alarm_types: ["MetricAlarm", "CompositeAlarm"] };
    serde_json::to_vec(&question).unwrap_or_default()
}

/// Why the service did not answer, if `body` says so.
#[must_use]
pub fn refusal(body: &[u8]) -> Option<String> {
    let refused: Refused = serde_json::from_slice(body).ok()?;
    let kind = refused.kind.rsplit('#').next().unwrap_or_default();
    Some(format!("{kind}: {}", refused.message).chars().take(200).collect())
}

/// What the answer `body` says of `alarm`.
///
/// # Errors
/// It is no answer, or not about that alarm.
pub fn read(alarm: &CloudWatchAlarm, body: &[u8]) -> Result<Heard, Nonsense> {
    let answer: Answer = serde_json::from_slice(body).map_err(Nonsense::because)?;
    let mut described = answer.metric_alarms.into_iter().chain(answer.composite_alarms);
    let Some(found) = described.find(|described| described.alarm_name == alarm.name.as_str()) else {
        // CloudWatch knows it not: whoever is told so knows nothing either.
        let reason = format!("CloudWatch has no alarm {} in {}", alarm.name, alarm.region);
        let (state, reason) = (AlarmState::InsufficientData, AlarmReason::beginning(&reason));
        return Ok(Heard { state, actions_enabled: true, reason });
    };
    let state: AlarmState = found
        .state_value
        .parse()
        .map_err(|_| Nonsense::because(format!("`{}` is no state of an alarm", found.state_value)))?;
    let actions_enabled = found.actions_enabled.unwrap_or(true) && found.actions_suppressed_by.is_none();
    let reason = found.state_reason.as_deref().and_then(AlarmReason::beginning);
    Ok(Heard { state, actions_enabled, reason })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn alarm() -> CloudWatchAlarm {
        let (name, region) = ("errors".parse().unwrap(), "eu-west-1".parse().unwrap());
        CloudWatchAlarm { name, region, endpoint: None }
    }

    #[test]
    fn it_is_asked_for_by_name_and_of_both_types() {
        let asked = String::from_utf8(question(&alarm())).unwrap();
        assert_eq!(asked, r#"{"AlarmNames":["errors"],"AlarmTypes":["MetricAlarm","CompositeAlarm"]}"#);
    }

    #[test]
    fn the_state_is_that_of_the_alarm_asked_for() {
        let body = |state: &str, rest: &str| {
            format!(
                r#"{{"CompositeAlarms":[],"MetricAlarms":[{{"AlarmName":"other","StateValue":"OK"}},
                {{"AlarmName":"errors","StateValue":"{state}","StateReason":"Threshold crossed"{rest}}}]}}"#
            )
        };
        let says = |body: &str| read(&alarm(), body.as_bytes()).unwrap();
        let firing = says(&body("ALARM", r#","StateUpdatedTimestamp":1.7E9,"ActionsEnabled":true"#));
        assert_eq!((firing.state, firing.actions_enabled), (AlarmState::Alarm, true));
        assert_eq!(firing.reason.unwrap().as_str(), "Threshold crossed");
        assert!(!says(&body("ALARM", r#","ActionsEnabled":false"#)).actions_enabled);
        assert!(
            !says(&body("ALARM", r#","ActionsEnabled":true,"ActionsSuppressedBy":"Alarm""#)).actions_enabled
        );
        let unknown = says(r#"{"MetricAlarms":[],"CompositeAlarms":[]}"#);
        assert_eq!(unknown.state, AlarmState::InsufficientData);
        assert_eq!(unknown.reason.unwrap().as_str(), "CloudWatch has no alarm errors in eu-west-1");
    }

    #[test]
    fn anything_else_is_nonsense() {
        for body in ["", "7", "<xml/>", r#"{"MetricAlarms":[{"AlarmName":"errors","StateValue":"FINE"}]}"#] {
            assert!(read(&alarm(), body.as_bytes()).is_err(), "{body}");
        }
        let told = refusal(br#"{"__type":"com.amazon.coral#AccessDenied","Message":"no"}"#);
        assert_eq!(told.as_deref(), Some("AccessDenied: no"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (read(&alarm(), &bytes), refusal(&bytes));
        }
    }
}
