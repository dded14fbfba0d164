//! The deployment driver: wakes when a deployment wants a step, and asks for what is due.
//!
//! It is woken by time or by a change of the world, but believes neither: what is due is read from the world by the
//! decision itself. So the happy path, a restart and another node having been faster are the same code.

use crate::node::{Cause, Node};
use jiff::SignedDuration;
use std::time::Duration;
use yardarm_domain::{AdvanceDeployments, wake_at};

/// How long to wait after a failure of the log before trying again.
const AFTER_FAILURE: SignedDuration = SignedDuration::from_secs(1);

/// Runs until the node closes.
pub(crate) async fn run(node: Node) {
    let mut changes = node.changes();
    let mut closing = node.closing();
    loop {
        let now = node.shared().clock.now();
        let before = node.view();
        let wants = wake_at(&before.world, now);
        let due = wants.is_some_and(|at| at <= now);
        if due {
            match node.execute(AdvanceDeployments, Cause::yardarm("due")).await {
                Ok(committed) if committed.view.seq > before.seq => continue,
                Ok(_) => tracing::error!("a deployment is due, and nothing was to be done"),
                Err(error) => tracing::error!(%error, "deployments cannot be advanced"),
            }
        }
        if !node.is_sound() {
            node.recover().await;
        }
        let again = due || !node.is_sound();
        let until = if again { now.saturating_add(AFTER_FAILURE).ok() } else { wants };
        tokio::select! {
            () = sleep(&node, until) => {}
            changed = changes.changed() => if changed.is_err() { return },
            _ = closing.wait_for(|closing| *closing) => return,
        }
    }
}

async fn sleep(node: &Node, until: Option<jiff::Timestamp>) {
    match until {
        Some(until) => node.shared().clock.sleep_until(until).await,
        None => std::future::pending().await,
    }
}

/// Follows a log that other nodes write too: reads what they appended.
pub(crate) async fn follow(node: Node) {
    let mut closing = node.closing();
    loop {
        let seq = node.view().seq;
        let shared = node.shared().clone();
        let changed = tokio::select! {
            changed = shared.log.wait_for_change(seq) => changed,
            _ = closing.wait_for(|closing| *closing) => return,
        };
        let followed = match changed {
            Ok(()) => node.catch_up().await,
            Err(error) => Err(error.into()),
        };
        if let Err(error) = followed {
            tracing::error!(%error, "the log cannot be followed");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

/// Saves a snapshot whenever enough has been recorded since the last one.
pub(crate) async fn keep_snapshots(node: Node, every: u64) {
    let mut changes = node.changes();
    let mut saved = node.view().seq.0;
    while changes.changed().await.is_ok() {
        let seq = node.view().seq.0;
        if seq.saturating_sub(saved) >= every {
            match node.save_snapshot().await {
                Ok(()) => saved = seq,
                Err(error) => tracing::warn!(%error, "no snapshot was saved"),
            }
        }
        if *node.closing().borrow() {
            return;
        }
    }
}
