//! The nodes of a simulation: real ones, each with its own way to the shared log.

use super::{Broken, ensure};
use crate::clock::ManualClock;
use crate::entropy::SeededEntropy;
use crate::faulty_log::{FaultyLog, Trouble};
use crate::node::{account, master_keys};
use std::sync::Arc;
use yardarm_domain::{AdvanceDeployments, Policy};
use yardarm_log::{Log, MemoryLog};
use yardarm_node::{Error, Node, NodeConfig};

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
    config: NodeConfig,
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
        Self { log, clock: ManualClock::default(), hosts, config }
    }

    /// What the drivers ask for.
    pub(super) fn advance(&self) -> AdvanceDeployments {
        AdvanceDeployments { only_clock: !self.config.shared_log, ticks: self.config.policy.ticks }
    }

    /// Starts the node at `index` unless it runs. With a log in trouble it may not come up.
    pub(super) async fn start(&mut self, index: usize, seed: u64) -> Result<(), Broken> {
        let Some(host) = self.hosts.get_mut(index).filter(|host| host.node.is_none()) else { return Ok(()) };
        let log = Arc::new(host.log.clone());
        let clock = Arc::new(self.clock.clone());
        let entropy = Arc::new(SeededEntropy::new(seed));
        match Node::start(self.config.clone(), log, clock, entropy, master_keys()).await {
            Ok(node) => host.node = Some(node),
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
