//! A node on a log in memory, with a clock that the test owns.

use crate::clock::ManualClock;
use crate::entropy::SeededEntropy;
use crate::faulty_log::FaultyLog;
use jiff::SignedDuration;
use std::sync::Arc;
use yardarm_domain::Account;
use yardarm_log::{Log, MemoryLog};
use yardarm_node::{Cause, Error, MasterKeys, Node, NodeConfig};

/// Far more turns than any chain of tasks in a node takes.
const TURNS: u32 = 500;

/// A running node and what the test may turn.
pub struct TestNode {
    /// The node.
    pub node: Node,
    /// Its log.
    pub log: MemoryLog,
    /// The way by which it uses the log.
    pub faults: FaultyLog,
    /// Its clock.
    pub clock: ManualClock,
}

impl TestNode {
    /// Starts on an empty log with default settings.
    ///
    /// # Errors
    /// See [`Node::start`].
    pub async fn start() -> Result<Self, Error> {
        Self::start_with(NodeConfig::new(account()), MemoryLog::new(), ManualClock::default(), 1).await
    }

    /// Starts on `log`.
    ///
    /// # Errors
    /// See [`Node::start`].
    pub async fn start_with(
        config: NodeConfig,
        log: MemoryLog,
        clock: ManualClock,
        seed: u64,
    ) -> Result<Self, Error> {
        let faults = FaultyLog::new(Arc::new(log.clone()), seed);
        Self::start_on(config, log, faults, clock, master_keys(), seed).await
    }

    /// Starts on `log` by way of `faults`.
    ///
    /// # Errors
    /// See [`Node::start`].
    pub async fn start_on(
        config: NodeConfig,
        log: MemoryLog,
        faults: FaultyLog,
        clock: ManualClock,
        keys: MasterKeys,
        seed: u64,
    ) -> Result<Self, Error> {
        let shared: Arc<dyn Log> = Arc::new(faults.clone());
        let entropy = Arc::new(SeededEntropy::new(seed));
        let node = Node::start(config, shared, Arc::new(clock.clone()), entropy, keys).await?;
        Ok(Self { node, log, faults, clock })
    }

    /// Starts another node on the same log with the same clock, once this one has crashed.
    ///
    /// # Errors
    /// See [`Node::start`].
    pub async fn restart(self, keys: MasterKeys) -> Result<Self, Error> {
        let Self { node, log, clock, .. } = self;
        node.abort();
        let faults = FaultyLog::new(Arc::new(log.clone()), 2);
        Self::start_on(node.config().clone(), log, faults, clock, keys, 2).await
    }

    /// Moves the clock and lets the node do what is due.
    pub async fn advance(&self, by: SignedDuration) {
        self.clock.advance(by);
        self.rest().await;
    }

    /// Lets the node finish what it can do without time passing. For a runtime with one thread.
    pub async fn rest(&self) {
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
    }
}

/// Account 123456789012 in us-east-1.
///
/// # Panics
/// Never: the texts are right.
#[must_use]
#[expect(clippy::expect_used, reason = "constants")]
pub fn account() -> Account {
    let id = "123456789012".parse().expect("twelve digits");
    Account { id, region: "us-east-1".parse().expect("a region") }
}

/// A master key that is the same in every test.
///
/// # Panics
/// Never: the text is right.
#[must_use]
#[expect(clippy::expect_used, reason = "a constant")]
pub fn master_keys() -> MasterKeys {
    MasterKeys::parse(&format!("00000001:{}", "42".repeat(32))).expect("a key")
}

/// A test asks.
#[must_use]
pub fn cause() -> Cause {
    Cause { actor: "test".into(), request_id: "00000000-0000-4000-8000-000000000000".into(), reason: None }
}
