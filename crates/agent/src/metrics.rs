//! What the agent counts, in the text format of Prometheus.

use crate::keeper::{Entry, Keeper};
use http::StatusCode;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Requests answered, by hundreds of the status.
#[derive(Debug, Default)]
pub(crate) struct Requests([AtomicU64; 5]);

impl Requests {
    pub(crate) fn count(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        if let Some(counter) = self.0.get(class) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn load(&self) -> [u64; 5] {
        self.0.each_ref().map(|counter| counter.load(Ordering::Relaxed))
    }
}

/// Everything, as text.
pub(crate) fn render(keeper: &Keeper, requests: &Requests, streams: usize) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    let snapshot = Snapshot { entries: keeper.entries(), requests: requests.load(), streams };
    registry.register_collector(Box::new(snapshot));
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry)?;
    Ok(text)
}

struct Snapshot {
    entries: Vec<Arc<Entry>>,
    requests: [u64; 5],
    streams: usize,
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Snapshot")
    }
}

impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let help = "Requests answered, by class of status.";
        let mut family =
            encoder.encode_descriptor("yardarm_agent_requests", help, None, MetricType::Counter)?;
        for (answers, class) in self.requests.iter().zip(["1xx", "2xx", "3xx", "4xx", "5xx"]) {
            ConstCounter::new(*answers).encode(family.encode_family(&[("status", class)])?)?;
        }
        self.returned(&mut encoder)?;
        self.gauges(&mut encoder)
    }
}

impl Snapshot {
    fn returned(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "How often a variant of a flag was returned: ReturnedCount of AWS AppConfig.";
        let name = "yardarm_agent_returned_count";
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for entry in &self.entries {
            for (flag, variant, count) in entry.counts.all() {
                let labels = [
                    ("application", entry.name.application()),
                    ("environment", entry.name.environment()),
                    ("configuration", entry.name.profile()),
                    ("flag", &flag),
                    ("variant", &variant),
                ];
                ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }

    fn gauges(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let held = self.entries.iter().filter(|entry| entry.held().is_some()).count();
        let stale = self.entries.iter().filter(|entry| entry.status.borrow().stale).count();
        for (name, help, count) in [
            ("yardarm_agent_configurations", "Configurations that are held.", held),
            (
                "yardarm_agent_stale_configurations",
                "Configurations that are held and could not be refreshed when they were last tried.",
                stale,
            ),
            ("yardarm_agent_event_streams", "Event streams of OpenFeature that are open.", self.streams),
        ] {
            let family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            ConstGauge::new(i64::try_from(count).unwrap_or(i64::MAX)).encode(family)?;
        }
        Ok(())
    }
}
