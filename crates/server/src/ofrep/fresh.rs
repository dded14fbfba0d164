//! Answers that are at least as fresh as the event that made the client ask.

use std::time::Duration;
use yardarm_node::Node;
use yardarm_ofrep::Freshness;

/// How long a client waits for that. Then it gets what there is; its next event mends it.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Reads what other nodes have written if this one does not know it yet. On a log of its own a node knows everything.
pub(super) async fn ensure(node: &Node, freshness: Freshness) {
    if !node.config().shared_log || is_met(node, freshness) {
        return;
    }
    // An error is the log's trouble, which is told elsewhere; here it means: no fresher than this.
    let _ = tokio::time::timeout(LONGEST_WAIT, read(node, freshness)).await;
}

fn is_met(node: &Node, freshness: Freshness) -> bool {
    let view = node.view();
    freshness.revision.is_none_or(|revision| revision <= view.seq.0)
        && freshness.at.is_none_or(|at| at <= view.as_of)
}

async fn read(node: &Node, freshness: Freshness) {
    let mut changes = node.changes();
    loop {
        changes.mark_unchanged();
        if node.catch_up().await.is_err() || is_met(node, freshness) {
            return;
        }
        // What is asked for lies ahead of the log: a time that has not come, or a record that a replica lacks.
        if freshness.revision.is_none_or(|revision| revision <= node.view().seq.0) {
            return;
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}
