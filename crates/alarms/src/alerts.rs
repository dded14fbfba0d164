//! Alertmanager and Grafana: the notifications that they push.
//!
//! Both tell of one group of alerts at a time, so a report names its group: the end of one is not the end of all. An alert
//! called `Watchdog` fires always, to show that notifications arrive; it says that nothing is wrong.

use crate::Nonsense;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;
use yardarm_domain::{AlarmReason, AlarmState, FiringGroup};

/// The alert that always fires.
const WATCHDOG: &str = "Watchdog";

/// A notification, as far as it is looked at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Notification {
    status: Status,
    #[serde(default)]
    group_key: Option<String>,
    #[serde(default)]
    truncated_alerts: u64,
    alerts: Vec<Alert>,
    #[serde(default)]
    common_annotations: BTreeMap<String, String>,
    /// Grafana's summary.
    #[serde(default)]
    title: Option<String>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Status {
    Firing,
    Resolved,
}

#[derive(Deserialize)]
struct Alert {
    status: Status,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

impl Alert {
    fn name(&self) -> &str {
        self.labels.get("alertname").map_or("an alert", |name| name)
    }
}

/// What a notification says of its alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notified {
    /// Whether its group is firing.
    pub state: AlarmState,
    /// Which group that is.
    pub group: FiringGroup,
    /// Why.
    pub reason: Option<AlarmReason>,
}

/// Reads the notification `body`, of Alertmanager or Grafana.
///
/// # Errors
/// It is none.
pub fn read(body: &[u8]) -> Result<Notified, Nonsense> {
    let told: Notification = serde_json::from_slice(body).map_err(Nonsense::because)?;
    let firing: Vec<&Alert> = told
        .alerts
        .iter()
        .filter(|alert| alert.status == Status::Firing && alert.name() != WATCHDOG)
        .collect();
    // Alerts that were cut off may be firing: then the group's own status is believed.
    let cut_off = (told.truncated_alerts > 0 || told.alerts.is_empty()) && told.status == Status::Firing;
    let state = if firing.is_empty() && !cut_off { AlarmState::Ok } else { AlarmState::Alarm };
    let reason = match (state, firing.first()) {
        (AlarmState::Alarm, Some(first)) => {
            let about = |annotations: &BTreeMap<String, String>| {
                ["summary", "description"].iter().find_map(|name| annotations.get(*name).cloned())
            };
            let about = about(&first.annotations).or_else(|| about(&told.common_annotations));
            let more = firing.len().saturating_sub(1);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("{}{more}{}", first.name(), about.map(|text| format!(": {text}")).unwrap_or_default())
        }
        (AlarmState::Alarm, None) => told.title.unwrap_or_else(|| "firing".into()),
        (AlarmState::Ok | AlarmState::InsufficientData, _) => "resolved".into(),
    };
    let group = group(told.group_key.as_deref().unwrap_or_default())?;
    Ok(Notified { state, group, reason: AlarmReason::beginning(&reason) })
}

/// A short name for a group, whose key may be long.
fn group(key: &str) -> Result<FiringGroup, Nonsense> {
    let digest: [u8; 32] = Sha256::digest(key.as_bytes()).into();
    let mut text = String::with_capacity(16);
    for byte in digest.iter().take(8) {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text.parse().map_err(|_| Nonsense::because("its group has no name"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As Alertmanager 0.27 sends it.
    const FIRING: &str = r#"{"receiver":"yardarm","status":"firing","alerts":[{"status":"firing",
        "labels":{"alertname":"HighErrorRate","service":"cart"},
        "annotations":{"summary":"7 % of requests fail"},"startsAt":"2026-09-28T12:00:00.000Z",
        "endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://prometheus/graph","fingerprint":"a1b2c3"}],
        "groupLabels":{"alertname":"HighErrorRate"},"commonLabels":{"alertname":"HighErrorRate"},
        "commonAnnotations":{"summary":"7 % of requests fail"},"externalURL":"http://alertmanager",
        "version":"4","groupKey":"{}:{alertname=\"HighErrorRate\"}","truncatedAlerts":0}"#;

    /// As Grafana 11 sends it.
    const GRAFANA: &str = r#"{"receiver":"yardarm","status":"firing","orgId":1,"alerts":[{"status":"firing",
        "labels":{"alertname":"Slow","grafana_folder":"shop"},"annotations":{},
        "startsAt":"2026-09-28T12:00:00Z","values":{"A":1.5},"valueString":"[ var='A' value=1.5 ]"}],
        "groupLabels":{},"commonLabels":{},"commonAnnotations":{},"externalURL":"http://grafana/","version":"1",
        "groupKey":"{}:{alertname=\"Slow\"}","truncatedAlerts":0,"title":"[FIRING:1] Slow","state":"alerting",
        "message":"**Firing**"}"#;

    fn says(body: &str) -> (AlarmState, String) {
        let told = read(body.as_bytes()).unwrap();
        (told.state, told.reason.unwrap().to_string())
    }

    #[test]
    fn both_products_are_understood() {
        assert_eq!(says(FIRING), (AlarmState::Alarm, "HighErrorRate: 7 % of requests fail".into()));
        assert_eq!(says(GRAFANA), (AlarmState::Alarm, "Slow".into()));
        let resolved = FIRING.replace("\"status\":\"firing\"", "\"status\":\"resolved\"");
        assert_eq!(says(&resolved), (AlarmState::Ok, "resolved".into()));
    }

    #[test]
    fn one_alert_that_still_fires_keeps_its_group_firing() {
        let two = FIRING.replace(
            "\"alerts\":[",
            "\"alerts\":[{\"status\":\"resolved\",\"labels\":{\"alertname\":\"HighErrorRate\"}},",
        );
        assert_eq!(says(&two).0, AlarmState::Alarm);
        let cut_off = r#"{"status":"firing","alerts":[{"status":"resolved"}],"truncatedAlerts":3}"#;
        assert_eq!(says(cut_off).0, AlarmState::Alarm);
        assert_eq!(says(r#"{"status":"firing","alerts":[],"title":"[FIRING]"}"#).1, "[FIRING]");
    }

    #[test]
    fn the_watchdog_says_that_nothing_is_wrong() {
        assert_eq!(says(&FIRING.replace("HighErrorRate", "Watchdog")).0, AlarmState::Ok);
    }

    #[test]
    fn groups_are_told_apart() {
        let one = read(FIRING.as_bytes()).unwrap().group;
        assert_eq!(read(FIRING.replace("fail", "break").as_bytes()).unwrap().group, one);
        assert_ne!(read(GRAFANA.as_bytes()).unwrap().group, one);
        assert_eq!(one.as_str().len(), 16);
    }

    #[test]
    fn anything_else_is_nonsense() {
        for body in [
            "",
            "{}",
            "[]",
            r#"{"status":"firing"}"#,
            r#"{"status":"on fire","alerts":[]}"#,
            r#"{"status":"firing","alerts":[{"status":"maybe"}]}"#,
            r#"{"status":"firing","alerts":{}}"#,
            r#"{"status":"firing","alerts":[],"truncatedAlerts":-1}"#,
            &"{\"a\":".repeat(10_000),
        ] {
            assert!(read(body.as_bytes()).is_err(), "{body:.80}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }

        #[test]
        fn no_mangled_notification_makes_the_reader_panic(at in 0..900_usize, byte in any::<u8>()) {
            let mut body = FIRING.as_bytes().to_vec();
            if let Some(slot) = body.get_mut(at) {
                *slot = byte;
            }
            let _ = read(&body);
        }
    }
}
