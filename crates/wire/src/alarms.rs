//! Alarms, in the native API.

use crate::enums::wire_enum;
use crate::times::WireTime;
use serde::{Deserialize, Serialize};
use std::fmt;

wire_enum! {
    /// What an alarm says.
    AlarmState {
        /// Nothing is wrong.
        Ok = "OK",
        /// Something is.
        Alarm = "ALARM",
        /// Nobody knows.
        InsufficientData = "INSUFFICIENT_DATA",
    }
}

/// Where an alarm's evidence comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AlarmSource {
    /// A Prometheus server is asked.
    Prometheus(PrometheusSource),
    /// CloudWatch is asked.
    Cloudwatch(CloudWatchSource),
    /// Alertmanager, Grafana or a program tells.
    Pushed,
}

/// A question to a Prometheus server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PrometheusSource {
    /// The server, as in `http://prometheus:9090`.
    pub url: String,
    /// An instant query.
    pub query: String,
    /// `>`, `>=`, `<` or `<=`: how a value stands to the threshold when it breaches it.
    pub comparison: String,
    /// Where a breach begins.
    pub threshold: f64,
    /// How long a breach lasts before it is an alarm; by default 0.
    #[serde(default)]
    pub for_seconds: u32,
    /// `missing` (the default), `notBreaching` or `breaching`: what no result means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_data: Option<String>,
}

/// An alarm of CloudWatch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CloudWatchSource {
    /// Its name.
    pub name: String,
    /// In which region.
    pub region: String,
    /// Where to ask instead of the region's usual address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
}

/// Body of `PUT` [`crate::native::paths::ALARM`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PutAlarm {
    /// What it watches; up to 1024 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where its evidence comes from.
    pub source: AlarmSource,
    /// How old evidence may be, 5–604800; by default 60 for what is asked and 300 for what is pushed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fresh_for_seconds: Option<u32>,
    /// Whether deployments are rolled back because of it; by default they are.
    #[serde(default = "yes")]
    pub actions_enabled: bool,
    /// Whether what is pushed shall need another secret than before.
    #[serde(default)]
    pub new_secret: bool,
}

fn yes() -> bool {
    true
}

/// Body of `PATCH` [`crate::native::paths::ALARM`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateAlarm {
    /// Whether deployments are rolled back because of it.
    pub actions_enabled: bool,
}

/// Body of `PUT` [`crate::native::paths::ALARM_STATE`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PutAlarmState {
    /// What it says.
    pub state: AlarmState,
    /// Why; up to 1024 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What was last recorded of an alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AlarmEvidence {
    /// What it said.
    pub state: AlarmState,
    /// When it was last recorded to say so.
    pub at: WireTime,
    /// From when on it has said so.
    pub since: WireTime,
    /// From when on the threshold has been breached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaching_since: Option<WireTime>,
    /// Whether the source has its actions enabled.
    pub actions_enabled: bool,
    /// Why, in the source's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// An alarm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alarm {
    /// What monitors call it: their `AlarmArn`.
    pub alarm: String,
    /// What it watches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it says now. Evidence that is too old says nothing.
    pub state: AlarmState,
    /// Where its evidence comes from.
    pub source: AlarmSource,
    /// How old evidence may be.
    pub fresh_for_seconds: u32,
    /// Whether deployments are rolled back because of it.
    pub actions_enabled: bool,
    /// What was last recorded of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<AlarmEvidence>,
    /// When its source last answered this server, also with nothing new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_at: Option<WireTime>,
    /// Why its source does not answer this server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// When it was made.
    pub created_at: WireTime,
}

/// Answer to `PUT` [`crate::native::paths::ALARM`].
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PutAlarmAnswer {
    /// The alarm.
    #[serde(flatten)]
    pub alarm: Alarm,
    /// What whoever pushes its state sends as `Authorization: Bearer …`. Shown when it is made, and never again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

impl fmt::Debug for PutAlarmAnswer {
    /// Hides the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PutAlarmAnswer").field("alarm", &self.alarm).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::read_body;

    #[test]
    fn a_source_is_one_of_three() {
        let read = |source: &str| read_body::<PutAlarm>(format!(r#"{{"source":{source}}}"#).as_bytes());
        let pushed = read(r#""pushed""#).unwrap();
        assert!(pushed.source == AlarmSource::Pushed && pushed.actions_enabled && !pushed.new_secret);
        let asked = r#"{"prometheus":{"url":"http://p:9090","query":"up","comparison":"<","threshold":1}}"#;
        assert!(matches!(read(asked).unwrap().source, AlarmSource::Prometheus(_)));
        for bad in ["{}", "null", "\"prometheus\"", r#"{"prometheus":{"uri":"x"}}"#, r#"{"grafana":{}}"#] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
