//! Tells extensions what has happened to deployments.
//!
//! What is to be told stands in the world, and how it ended is written to the log; how often it was tried in vain, and
//! when next, is known to this process only. So a restart forgets no delivery and begins its waiting anew; a receiver may
//! be told twice and knows it by the id. **Invariants:** an association is told one thing at a time; few are told at once.

use crate::error::Error;
use crate::node::{Cause, Node};
use crate::outside::{About, NoAnswer};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::task::JoinSet;
use yardarm_domain::{
    Delivery, DeliveryId, EndDelivery, ExtensionAssociationId, Failure, Place, Refusal, RetryPolicy,
};

/// Deliveries under way at a time.
const MOST_TOGETHER: usize = 16;

/// How long to wait when the log does not take how a delivery ended.
const AFTER_FAILURE: SignedDuration = SignedDuration::from_secs(1);

/// What was tried in vain.
#[derive(Clone, Copy)]
struct Tried {
    failures: u32,
    again_at: Timestamp,
}

/// Runs until the node closes.
pub(crate) async fn run(node: Node, retries: RetryPolicy) {
    let mut changes = node.changes();
    let mut closing = node.closing();
    let mut tried: HashMap<DeliveryId, Tried> = HashMap::new();
    let mut busy: HashMap<ExtensionAssociationId, DeliveryId> = HashMap::new();
    let mut under_way = JoinSet::new();
    loop {
        changes.borrow_and_update();
        let (view, now) = (node.view(), node.now());
        let waiting = view.world.deliveries();
        tried.retain(|id, _| waiting.contains_key(id));
        let mut wake: Option<Timestamp> = None;
        for (id, delivery) in waiting {
            let association = &delivery.applied.association;
            if busy.contains_key(association) {
                continue;
            }
            let again_at = tried.get(id).map(|tried| tried.again_at).filter(|again_at| *again_at > now);
            if let Some(again_at) = again_at {
                wake = Some(wake.map_or(again_at, |wake| wake.min(again_at)));
                continue;
            }
            if under_way.len() >= MOST_TOGETHER {
                break;
            }
            busy.insert(association.clone(), *id);
            let (node, delivery) = (node.clone(), delivery.clone());
            under_way.spawn(async move { (delivery.clone(), deliver(&node, &delivery).await) });
        }
        let (delivery, outcome) = tokio::select! {
            biased;
            _ = closing.wait_for(|closing| *closing) => return,
            Some(done) = under_way.join_next(), if !under_way.is_empty() => match done {
                Ok(done) => done,
                Err(error) => {
                    tracing::error!(%error, "a delivery broke off");
                    // Whose it was is not known: all that are under way are taken for free, and told at most twice.
                    busy.clear();
                    continue;
                }
            },
            () = sleep(&node, wake) => continue,
            changed = changes.changed() => if changed.is_err() { return } else { continue },
        };
        busy.remove(&delivery.applied.association);
        let failures = tried.get(&delivery.id).map_or(0, |tried| tried.failures);
        let again_at = settle(&node, &delivery, outcome, failures, &retries).await;
        match again_at {
            Some(again_at) => {
                tried.insert(delivery.id, Tried { failures: failures.saturating_add(1), again_at });
            }
            None => {
                tried.remove(&delivery.id);
            }
        }
    }
}

async fn sleep(node: &Node, until: Option<Timestamp>) {
    match until {
        Some(until) => node.sleep_until(until).await,
        None => std::future::pending().await,
    }
}

/// Writes down that it ended, if it did. Answers when to try again otherwise.
async fn settle(
    node: &Node,
    delivery: &Delivery,
    outcome: Result<(), NoAnswer>,
    failures: u32,
    retries: &RetryPolicy,
) -> Option<Timestamp> {
    let now = node.now();
    let attempts = failures.saturating_add(1);
    let counters = &node.shared().counters;
    let failure = match outcome {
        Ok(()) => None,
        Err(NoAnswer { failure, may_pass }) => {
            counters.delivery_failures.fetch_add(1, Ordering::Relaxed);
            #[expect(clippy::cast_possible_truncation, reason = "any 32 bits will do")]
            let jitter = node.shared().entropy.number() as u32;
            let again_at = retries.again_at(attempts, delivery.at, now, jitter).filter(|_| may_pass);
            if let Some(again_at) = again_at {
                tracing::debug!(delivery = %delivery.id, attempts, %again_at, "not delivered: {}", failure.message);
                return Some(again_at);
            }
            let extension = delivery.applied.extension.as_str();
            tracing::warn!(delivery = %delivery.id, extension, attempts, "given up: {}", failure.message);
            Some(failure)
        }
    };
    let ended = EndDelivery { delivery: delivery.id, failure, attempts };
    let count = if ended.failure.is_some() { &counters.given_up } else { &counters.delivered };
    match node.execute(ended, Cause::node("delivery")).await {
        Ok(_) => {
            count.fetch_add(1, Ordering::Relaxed);
            None
        }
        Err(error) => {
            tracing::warn!(%error, delivery = %delivery.id, "how a delivery ended cannot be written down");
            now.saturating_add(AFTER_FAILURE).ok()
        }
    }
}

/// Tells an extension one thing.
async fn deliver(node: &Node, delivery: &Arc<Delivery>) -> Result<(), NoAnswer> {
    let view = node.view();
    let gone = |refusal: Refusal| lost(&Error::Refused(refusal));
    let environment = view.world.environment(&delivery.application, &delivery.environment).map_err(gone)?;
    let deployment = environment.deployment(&delivery.application, delivery.deployment).map_err(gone)?;
    let place = Place {
        application: &delivery.application,
        environment: Some(&delivery.environment),
        profile: &deployment.profile,
    };
    let about = About::Notice {
        deployment: deployment.number,
        version: deployment.version,
        description: deployment.description.clone(),
        at: delivery.at,
    };
    let (id, invocation) = (format!("msg_{}", delivery.id), delivery.invocation.clone());
    let call = node.action_call(&view.world, place, invocation, &delivery.applied, id, about).await;
    let call = call.map_err(|error| lost(&error))?;
    node.outside().run(&call).await.map(|_| ())
}

/// What it is about is gone, or the node cannot make the call; the latter may pass.
fn lost(error: &Error) -> NoAnswer {
    let may_pass = !matches!(error, Error::Refused(_));
    let message = if may_pass { "internal error".into() } else { error.to_string() };
    NoAnswer { failure: Failure { code: "NotSent".into(), message }, may_pass }
}
