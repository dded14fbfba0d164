//! A node on a log in memory, with a clock that the test owns.

use crate::clock::ManualClock;
use crate::entropy::SeededEntropy;
use std::sync::Arc;
use yardarm_domain::Account;
use yardarm_log::{Log, MemoryLog};
use yardarm_node::{Cause, Error, MasterKeys, Node, NodeConfig};

/// A running node and what the test may turn.
pub struct TestNode {
    /// The node.
    pub node: Node,
    /// Its log.
    pub log: MemoryLog,
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
        let shared: Arc<dyn Log> = Arc::new(log.clone());
        let entropy = Arc::new(SeededEntropy::new(seed));
        let node = Node::start(config, shared, Arc::new(clock.clone()), entropy, master_keys()).await?;
        Ok(Self { node, log, clock })
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
