//! The nodes of a simulation: real ones, each with its own way to the shared log.

use super::{Broken, ensure};
use crate::clock::ManualClock;
use crate::entropy::SeededEntropy;
use crate::fake_alarms::FakeAlarms;
use crate::faulty_log::{FaultyLog, Trouble};
use crate::node::{account, master_keys};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use yardarm_domain::{Policy, World};
use yardarm_log::{Log, MemoryLog};
use yardarm_node::{AlarmSettings, Clock, Error, Node, NodeConfig};

/// Rounds without any call of a log after which the nodes count as at rest. Between two calls a node needs a handful.
const QUIET_ROUNDS: u32 = 24;

/// Rounds after which they count as never coming to rest.
const MOST_ROUNDS: u32 = 50_000;

/// A place where a node runs, or has crashed.
pub(super) struct Host {
    pub(super) log: FaultyLog,
    pub(super) node: Option<Node>,
}

/// All of them, on one log and one clock.
pub(super) struct Cluster {
    pub(super) log: MemoryLog,
    pub(super) clock: ManualClock,
    pub(super) hosts: Vec<Host>,
    pub(super) alarms: FakeAlarms,
    config: NodeConfig,
}

/// Seldom enough that days pass in a few hundred questions.
fn watching() -> AlarmSettings {
    AlarmSettings {
        poll_every: SignedDuration::from_hours(6),
        idle_every: SignedDuration::from_hours(12),
        ..AlarmSettings::default()
    }
}

impl Cluster {
    pub(super) fn new(count: usize, policy: Policy, snapshot_every: u64, seed: u64) -> Self {
        let log = MemoryLog::new();
        let shared: Arc<dyn Log> = Arc::new(log.clone());
        let logs = FaultyLog::several(&shared, count, seed);
        let hosts = logs.into_iter().map(|log| Host { log, node: None }).collect();
        let mut config = NodeConfig::new(account());
        config.policy = policy;
        config.shared_log = count > 1;
        config.snapshot_every = snapshot_every;
        let clock = ManualClock::default();
        Self { log, alarms: FakeAlarms::new(clock.clone()), clock, hosts, config }
    }

    /// Whether no two nodes share the log.
    pub(super) fn only_clock(&self) -> bool {
        !self.config.shared_log
    }

    /// When a driver next has something to do in `world`.
    pub(super) fn drivers_wake_at(&self, world: &World) -> Option<Timestamp> {
        let now = self.clock.now();
        self.nodes().filter_map(|(_, node)| node.advance_deployments().wake_at(world, now)).min()
    }

    /// When a node next asks the source of an alarm.
    pub(super) fn watchers_wake_at(&self) -> Option<Timestamp> {
        self.nodes().filter_map(|(_, node)| node.alarms_wake_at()).min()
    }

    /// Starts the node at `index` unless it runs. With a log in trouble it may not come up.
    pub(super) async fn start(&mut self, index: usize, seed: u64) -> Result<(), Broken> {
        let Some(host) = self.hosts.get_mut(index).filter(|host| host.node.is_none()) else { return Ok(()) };
        let log = Arc::new(host.log.clone());
        let clock = Arc::new(self.clock.clone());
        let entropy = Arc::new(SeededEntropy::new(seed));
        match Node::start(self.config.clone(), log, clock, entropy, master_keys()).await {
            Ok(node) => {
                node.watch_alarms(Arc::new(self.alarms.clone()), watching());
                host.node = Some(node);
            }
            Err(Error::Log(_)) => {}
            Err(error) => return Err(Broken(format!("node {index} does not start: {error}"))),
        }
        Ok(())
    }

    /// Ends the node at `index` as a crash would.
    pub(super) fn crash(&mut self, index: usize) {
        if let Some(node) = self.hosts.get_mut(index).and_then(|host| host.node.take()) {
            node.abort();
        }
    }

    pub(super) fn trouble(&self, index: usize, trouble: Trouble) {
        if let Some(host) = self.hosts.get(index) {
            host.log.set(trouble);
        }
    }

    /// The nodes that run.
    pub(super) fn nodes(&self) -> impl Iterator<Item = (usize, &Node)> {
        self.hosts.iter().enumerate().filter_map(|(index, host)| Some((index, host.node.as_ref()?)))
    }

    /// Lets every task run until none has anything to do. Time stands still meanwhile.
    pub(super) async fn settle(&self) -> Result<(), Broken> {
        let (mut calls, mut quiet) = (0, 0);
        for _ in 0..MOST_ROUNDS {
            tokio::task::yield_now().await;
            let now: u64 = self.hosts.iter().map(|host| host.log.calls()).sum();
            let in_flight: u64 = self.hosts.iter().map(|host| host.log.in_flight()).sum();
            quiet = if in_flight == 0 && now == calls { quiet + 1 } else { 0 };
            calls = now;
            if quiet == QUIET_ROUNDS {
                return Ok(());
            }
        }
        ensure(false, || "the nodes do not come to rest".into())
    }
}
