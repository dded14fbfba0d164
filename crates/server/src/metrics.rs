//! What the server counts, in the text format of Prometheus.
//!
//! **Invariant:** counting takes no lock: every route has its counters from the start.

use crate::pace::Paces;
use crate::stream_places::StreamPlaces;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use yardarm_domain::AlarmState;
use yardarm_node::{Node, RECOVERY_BOUNDS, RecoveryTimes, Times};

/// Upper bounds of the latency buckets, seconds.
const BOUNDS: [f64; 12] =
    [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.25, 1.0, 10.0];

/// What is counted of one route.
#[derive(Debug)]
pub(crate) struct RouteMetrics {
    route: &'static str,
    /// Answers by hundreds of the status: 1xx, 2xx, …, 5xx.
    answers: [AtomicU64; 5],
    buckets: [AtomicU64; BOUNDS.len()],
    nanoseconds: AtomicU64,
}

impl RouteMetrics {
    fn new(route: &'static str) -> Self {
        Self {
            route,
            answers: Default::default(),
            buckets: Default::default(),
            nanoseconds: AtomicU64::new(0),
        }
    }

    /// Counts an answer.
    pub(crate) fn count(&self, status: http::StatusCode, took: Duration) {
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        if let Some(counter) = self.answers.get(class) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        let seconds = took.as_secs_f64();
        if let Some(bucket) =
            BOUNDS.iter().position(|bound| seconds <= *bound).and_then(|at| self.buckets.get(at))
        {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }
}

/// All routes' metrics, made while the routes are registered.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    routes: Vec<Arc<RouteMetrics>>,
    streams: Vec<Arc<StreamPlaces>>,
}

impl Metrics {
    /// The counters of a new route.
    pub(crate) fn route(&mut self, name: &'static str) -> Arc<RouteMetrics> {
        let route = Arc::new(RouteMetrics::new(name));
        self.routes.push(route.clone());
        route
    }

    /// The places of a new kind of event streams.
    pub(crate) fn streams(&mut self, kind: &'static str, most: usize) -> Arc<StreamPlaces> {
        let places = Arc::new(StreamPlaces::new(kind, most));
        self.streams.push(places.clone());
        places
    }

    /// Everything, as text.
    pub(crate) fn render(&self, node: &Node, paces: Option<&Paces>) -> Result<String, fmt::Error> {
        let mut registry = Registry::default();
        let limited = paces.map(Paces::refused).into_iter().flatten().collect();
        let (routes, streams) = (self.routes.clone(), self.streams.clone());
        let snapshot = Snapshot { routes, streams, node: node.clone(), limited };
        registry.register_collector(Box::new(snapshot));
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry)?;
        Ok(text)
    }
}

struct Snapshot {
    routes: Vec<Arc<RouteMetrics>>,
    streams: Vec<Arc<StreamPlaces>>,
    node: Node,
    /// Requests beyond a limit, by whose.
    limited: Vec<(&'static str, u64)>,
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Snapshot")
    }
}

impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        self.requests(&mut encoder)?;
        self.durations(&mut encoder)?;
        self.limited(&mut encoder)?;
        self.streams(&mut encoder)?;
        self.node(&mut encoder)?;
        self.recovery(&mut encoder)?;
        self.alarms(&mut encoder)?;
        self.deliveries(&mut encoder)
    }
}

impl Snapshot {
    fn requests(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Requests answered, by operation and class of status.";
        let mut family = encoder.encode_descriptor("yardarm_requests", help, None, MetricType::Counter)?;
        for route in &self.routes {
            for (answers, class) in route.answers.iter().zip(["1xx", "2xx", "3xx", "4xx", "5xx"]) {
                let answers = answers.load(Ordering::Relaxed);
                if answers > 0 {
                    let labels = [("operation", route.route), ("status", class)];
                    ConstCounter::new(answers).encode(family.encode_family(&labels)?)?;
                }
            }
        }
        Ok(())
    }

    fn durations(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Time from a request's head to its answer, by operation.";
        let mut family = encoder.encode_descriptor(
            "yardarm_request_duration_seconds",
            help,
            None,
            MetricType::Histogram,
        )?;
        for route in &self.routes {
            let count: u64 = route.answers.iter().map(|answers| answers.load(Ordering::Relaxed)).sum();
            if count == 0 {
                continue;
            }
            let mut buckets: Vec<(f64, u64)> = BOUNDS
                .iter()
                .zip(&route.buckets)
                .map(|(bound, at)| (*bound, at.load(Ordering::Relaxed)))
                .collect();
            let within: u64 = buckets.iter().map(|(_, at)| at).sum();
            buckets.push((f64::INFINITY, count.saturating_sub(within)));
            let sum = Duration::from_nanos(route.nanoseconds.load(Ordering::Relaxed)).as_secs_f64();
            let labels = [("operation", route.route)];
            family
                .encode_family(&labels)?
                .encode_histogram::<[(&str, &str); 0]>(sum, count, &buckets, None)?;
        }
        Ok(())
    }

    fn limited(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        if self.limited.is_empty() {
            return Ok(());
        }
        let help =
            "Requests that were refused because their caller sends too many, by what it is told apart by.";
        let mut family =
            encoder.encode_descriptor("yardarm_rate_limited_requests", help, None, MetricType::Counter)?;
        for (by, refused) in &self.limited {
            ConstCounter::new(*refused).encode(family.encode_family(&[("by", *by)])?)?;
        }
        Ok(())
    }

    fn streams(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Event streams that are open, by kind.";
        let mut family = encoder.encode_descriptor("yardarm_event_streams", help, None, MetricType::Gauge)?;
        for places in &self.streams {
            let taken = i64::try_from(places.taken()).unwrap_or(i64::MAX);
            ConstGauge::new(taken).encode(family.encode_family(&[("kind", places.kind)])?)?;
        }
        let help = "Event streams that were refused: too many were open, or too many were opened at once.";
        let name = "yardarm_event_streams_refused";
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for places in &self.streams {
            for (why, refused) in places.refused() {
                let labels = [("kind", places.kind), ("reason", why)];
                ConstCounter::new(refused).encode(family.encode_family(&labels)?)?;
            }
        }
        let help = "Event streams that were ended because their client did not read.";
        let name = "yardarm_event_streams_dropped";
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for places in &self.streams {
            ConstCounter::new(places.slow.count()).encode(family.encode_family(&[("kind", places.kind)])?)?;
        }
        Ok(())
    }

    fn node(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let status = self.node.status();
        let counters = [
            ("yardarm_commands", "Commands carried out.", status.commands),
            ("yardarm_log_records", "Records appended to the log.", status.records),
            ("yardarm_log_appends", "Appends to the log; many commands may share one.", status.appends),
            ("yardarm_log_conflicts", "Appends that another node was faster than.", status.conflicts),
        ];
        for (name, help, value) in counters {
            let family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            ConstCounter::new(value).encode(family)?;
        }
        let gauges = [
            ("yardarm_log_position", "The last record this node knows.", as_gauge(status.seq.0)),
            ("yardarm_log_answers", "Whether the log answers: 1 or 0.", i64::from(status.log_answers)),
            (
                "yardarm_log_accepts",
                "Whether the last append to the log succeeded: 1 or 0.",
                i64::from(status.log_accepts),
            ),
            ("yardarm_stale_seconds", "How old this node's knowledge is.", status.stale_for.as_secs()),
            (
                "yardarm_configurations_behind",
                "Configurations whose newest content could not be loaded.",
                as_gauge(status.behind),
            ),
        ];
        for (name, help, value) in gauges {
            let family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            ConstGauge::new(value).encode(family)?;
        }
        Ok(())
    }
}

impl Snapshot {
    fn recovery(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let known = self.node.acknowledging_clients();
        let help = "Clients known that acknowledge what they are given.";
        let family = encoder.encode_descriptor("yardarm_clients", help, None, MetricType::Gauge)?;
        ConstGauge::new(i64::try_from(known).unwrap_or(i64::MAX)).encode(family)?;
        let RecoveryTimes { served, acknowledged } = self.node.recovery_times();
        let kinds = ["step", "rollback"];
        let (name, help) = ("yardarm_decided_to_served_seconds", "Time from a decision until it is served.");
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for (times, kind) in served.iter().zip(kinds).filter(|(times, _)| times.count > 0) {
            histogram(&mut family, &[("of", kind)], times)?;
        }
        let name = "yardarm_decided_to_acknowledged_seconds";
        let help = "Time from a decision until a share of the clients has acknowledged it.";
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for (shares, kind) in acknowledged.iter().zip(kinds) {
            for (times, share) in shares.iter().zip(["50", "99", "100"]).filter(|(times, _)| times.count > 0)
            {
                histogram(&mut family, &[("of", kind), ("percent", share)], times)?;
            }
        }
        Ok(())
    }
}

fn histogram(family: &mut MetricEncoder<'_>, labels: &[(&str, &str)], times: &Times) -> fmt::Result {
    let mut buckets: Vec<(f64, u64)> = RECOVERY_BOUNDS.into_iter().zip(times.buckets).collect();
    let within: u64 = times.buckets.iter().sum();
    buckets.push((f64::INFINITY, times.count.saturating_sub(within)));
    let labels = labels.to_vec();
    family.encode_family(&labels)?.encode_histogram::<[(&str, &str); 0]>(
        times.sum,
        times.count,
        &buckets,
        None,
    )
}

impl Snapshot {
    fn alarms(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let (view, now, watch) = (self.node.view(), self.node.now(), self.node.alarm_watch());
        let counters = [
            ("yardarm_alarm_polls", "Sources of alarms asked.", watch.polls),
            ("yardarm_alarm_polls_unanswered", "Sources of alarms that did not answer.", watch.unanswered),
            ("yardarm_alarm_polls_garbage", "Sources of alarms that answered nonsense.", watch.garbage),
        ];
        for (name, help, value) in counters {
            let family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            ConstCounter::new(value).encode(family)?;
        }
        let help = "What an alarm says: 1 for the state it is in, else 0.";
        let mut family = encoder.encode_descriptor("yardarm_alarm_state", help, None, MetricType::Gauge)?;
        for alarm in view.world.alarms().values() {
            let says = alarm.state(now);
            for state in [AlarmState::Ok, AlarmState::Alarm, AlarmState::InsufficientData] {
                let labels = [("alarm", alarm.arn.as_str()), ("state", state.as_str())];
                ConstGauge::new(i64::from(says == state)).encode(family.encode_family(&labels)?)?;
            }
        }
        let help = "How long ago an alarm was last heard of.";
        let mut family =
            encoder.encode_descriptor("yardarm_alarm_evidence_age_seconds", help, None, MetricType::Gauge)?;
        for alarm in view.world.alarms().values() {
            let recorded = alarm.evidence.as_ref().map(|evidence| evidence.at);
            let heard = self.node.watched_alarm(&alarm.arn).and_then(|watched| watched.heard_at);
            if let Some(at) = recorded.max(heard) {
                let labels = [("alarm", alarm.arn.as_str())];
                let age = now.duration_since(at).as_secs().max(0);
                ConstGauge::new(age).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}

impl Snapshot {
    fn deliveries(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let (view, status) = (self.node.view(), self.node.status());
        let counters = [
            ("yardarm_deliveries", "What extensions were told.", status.delivered),
            (
                "yardarm_delivery_failures",
                "Tries to tell an extension that failed.",
                status.delivery_failures,
            ),
            ("yardarm_deliveries_given_up", "What extensions could not be told.", status.given_up),
        ];
        for (name, help, value) in counters {
            let family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            ConstCounter::new(value).encode(family)?;
        }
        let help = "What extensions are still to be told.";
        let family =
            encoder.encode_descriptor("yardarm_deliveries_waiting", help, None, MetricType::Gauge)?;
        ConstGauge::new(as_gauge(view.world.deliveries().len() as u64)).encode(family)?;
        let help = "How long the oldest of what extensions are to be told has been waiting.";
        let name = "yardarm_delivery_oldest_seconds";
        let family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        // They are in the order of the log.
        let oldest = view.world.deliveries().get_min().map(|(_, delivery)| delivery.at);
        let age = oldest.map_or(0, |at| self.node.now().duration_since(at).as_secs().max(0));
        ConstGauge::new(age).encode(family)
    }
}

fn as_gauge(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
