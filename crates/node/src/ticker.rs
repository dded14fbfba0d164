//! Asks extensions whether deployments may go on: again and again while one is on its way, and before every step.
//!
//! What is to be asked when follows from the world, so the happy path, a restart and another node having been faster are
//! the same code. **Invariant:** a deployment is asked about once at a time.

use crate::error::Error;
use crate::node::{Cause, Node};
use crate::outside::{About, ActionAnswer, NoAnswer};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use tokio::task::JoinSet;
use yardarm_domain::{
    ActionPoint, Description, HeedTick, Invocation, InvocationId, Place, Tick, World, ticks_due,
};

/// Deployments asked about at a time.
const MOST_TOGETHER: usize = 16;

/// How long to wait when the log does not take what was said.
const AFTER_FAILURE: SignedDuration = SignedDuration::from_secs(1);

/// Runs until the node closes.
pub(crate) async fn run(node: Node) {
    let mut changes = node.changes();
    let mut closing = node.closing();
    let every = node.config().policy.ticks;
    let mut asking: Vec<Tick> = vec![];
    let mut not_before: Option<Timestamp> = None;
    let mut under_way = JoinSet::new();
    loop {
        changes.borrow_and_update();
        let (view, now) = (node.view(), node.now());
        let (due, mut wake) = ticks_due(&view.world, every, now);
        not_before = not_before.filter(|at| *at > now);
        if let Some(at) = not_before {
            wake = Some(wake.map_or(at, |wake| wake.min(at)));
        } else {
            for tick in due {
                if asking.len() < MOST_TOGETHER && !asking.contains(&tick) {
                    asking.push(tick.clone());
                    let (node, world) = (node.clone(), view.world.clone());
                    under_way.spawn(async move { (tick.clone(), ask(&node, &world, tick).await) });
                }
            }
        }
        let (tick, heard) = tokio::select! {
            biased;
            _ = closing.wait_for(|closing| *closing) => return,
            Some(done) = under_way.join_next(), if !under_way.is_empty() => match done {
                Ok(done) => done,
                Err(error) => {
                    tracing::error!(%error, "asking an extension broke off");
                    asking.clear();
                    continue;
                }
            },
            () = sleep(&node, wake) => continue,
            changed = changes.changed() => if changed.is_err() { return } else { continue },
        };
        let recorded = match heard {
            Ok(heed) => node.execute(heed, Cause::node("extension asked")).await.map(|_| ()),
            Err(error) => Err(error),
        };
        asking.retain(|other| *other != tick);
        if let Err(error) = recorded.or_else(gone) {
            tracing::error!(%error, "what an extension said cannot be written down");
            not_before = node.now().saturating_add(AFTER_FAILURE).ok();
        }
    }
}

/// A deployment that is not there any more needs no answer.
fn gone(error: Error) -> Result<(), Error> {
    if matches!(error, Error::Refused(_)) { Ok(()) } else { Err(error) }
}

async fn sleep(node: &Node, until: Option<Timestamp>) {
    match until {
        Some(until) => node.sleep_until(until).await,
        None => std::future::pending().await,
    }
}

/// Asks all extensions of a deployment, until one wants it taken back.
async fn ask(node: &Node, world: &Arc<World>, tick: Tick) -> Result<HeedTick, Error> {
    let environment = world.environment(&tick.application, &tick.environment)?;
    let deployment = environment.deployment(&tick.application, tick.deployment)?;
    let place = Place {
        application: &tick.application,
        environment: Some(&tick.environment),
        profile: &deployment.profile,
    };
    let cause = node.shared().entropy.number();
    let mut invocations: Vec<Invocation> = vec![];
    let mut roll_back = None;
    for (index, applied) in (0..).zip(&deployment.extensions) {
        let id = InvocationId::of(cause, index);
        let Some(invocation) = world.invocation(applied, ActionPoint::AtDeploymentTick, id) else {
            continue;
        };
        let about = About::Tick {
            deployment: deployment.number,
            version: deployment.version,
            state: deployment.state(),
            exposure: deployment.exposure(),
        };
        let id = format!("msg_{}", invocation.id);
        let call = node.action_call(world, place, invocation, applied, id, about).await?;
        let answer = node.outside().run(&call).await;
        let name = call.invocation.action.clone();
        let mut invocation = call.invocation;
        let why = match answer {
            Ok(ActionAnswer::GoOn | ActionAnswer::Content(_)) => None,
            Ok(ActionAnswer::RollBack(why)) => {
                Some(why.unwrap_or_else(|| format!("Rollback requested by extension action {name}")))
            }
            Ok(ActionAnswer::Refuse { message, .. }) => Some(message),
            Err(NoAnswer { failure, .. }) => {
                let why = format!("Extension action {name} failed: {}", failure.message);
                tracing::warn!(action = %name, deployment = %tick.deployment, "{why}");
                invocation.failure = Some(failure);
                Some(why)
            }
        };
        invocations.push(invocation);
        if let Some(why) = why {
            roll_back = Some(Description::cut(&why));
            break;
        }
    }
    Ok(HeedTick { tick, invocations, roll_back })
}
