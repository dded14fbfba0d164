//! The deployment driver: wakes when a deployment wants a step, and asks for what is due.
//!
//! It is woken by time or by a change of the world, but believes neither: what is due is read from the world by the
//! decision itself. So the happy path, a restart and another node having been faster are the same code.
//!
//! Silence of an alarm counts only while the driver was there to hear it: after a start, a failing log, a clock set back or
//! a wake-up that came late, the waiting for evidence begins anew.
//!
//! **Invariants:** a log that fails is asked again once a second, not more often; where no other node's clock counts, a
//! clock set back holds up no rollout until it has caught up.

use crate::node::{Cause, Node};
use jiff::{SignedDuration, Timestamp};

/// A wake-up later than this means that the process stood still.
const LATE: SignedDuration = SignedDuration::from_secs(5);

/// How long to wait after a failure of the log before trying again.
const AFTER_FAILURE: SignedDuration = SignedDuration::from_secs(1);

/// Runs until the node closes.
pub(crate) async fn run(node: Node) {
    let mut changes = node.changes();
    let mut closing = node.closing();
    let (mut asleep_until, mut latest, mut failed) = (None, node.now(), false);
    loop {
        // What changes from here on wakes the driver again.
        changes.borrow_and_update();
        if !node.is_sound() {
            node.recover().await;
        }
        let now = node.now();
        let overslept = asleep_until.is_some_and(|until| now.duration_since(until) > LATE);
        if failed || overslept || now < latest {
            node.attend_from(now);
        }
        latest = now;
        let gives_up_at = node.record_measures().await;
        failed = !node.is_sound();
        let advance = node.advance_deployments();
        let before = node.view();
        let wants = advance.wake_at(&before.world, now);
        if wants.is_some_and(|at| at <= now) {
            match node.execute(advance, Cause::node("due")).await {
                Ok(committed) if committed.view.seq > before.seq => {
                    asleep_until = None;
                    continue;
                }
                Ok(_) => tracing::error!("a deployment is due, and nothing was to be done"),
                Err(error) => tracing::error!(%error, "deployments cannot be advanced"),
            }
            failed = true;
        }
        let wants = [wants, gives_up_at].into_iter().flatten().min();
        let until = if failed { now.saturating_add(AFTER_FAILURE).ok() } else { wants };
        asleep_until = until;
        tokio::select! {
            biased;
            _ = closing.wait_for(|closing| *closing) => return,
            () = sleep(&node, until) => {}
            // Clients have said something.
            () = node.shared().acknowledgements.news.notified(), if !failed => {}
            // A failing log changes nothing, but trying it again looks like a change.
            changed = changes.changed(), if !failed => if changed.is_err() { return },
        }
    }
}

async fn sleep(node: &Node, until: Option<Timestamp>) {
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
            biased;
            _ = closing.wait_for(|closing| *closing) => return,
            changed = shared.log.wait_for_change(seq) => changed,
        };
        let followed = match changed {
            Ok(()) => node.catch_up().await,
            Err(error) => Err(error.into()),
        };
        if let Err(error) = followed {
            tracing::error!(%error, "the log cannot be followed");
            let until = node.now().saturating_add(AFTER_FAILURE).ok();
            tokio::select! {
                biased;
                _ = closing.wait_for(|closing| *closing) => return,
                () = sleep(&node, until) => {}
            }
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
