//! A bad idea: grown step by step, found out when everybody has it, and taken back by itself.

use super::stage::{Stage, between};
use crate::estate;
use crate::failure::DemoError;
use crate::waiting::{PATIENCE, until};
use jiff::Timestamp;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use yardarm_wire::deployments::Deployment;
use yardarm_wire::enums::{DeploymentEventType, DeploymentState};

/// How often the deployment is looked at.
const EVERY: Duration = Duration::from_millis(50);

pub(super) async fn tell(stage: &mut Stage) -> Result<(), DemoError> {
    let audience = stage.audience;
    audience.chapter(4, "A new checkout, and why it is gone again");
    audience.narrate(
        "The new checkout opens a session with the payment provider for every customer, and never closes one. No test has \
         found that. It goes to a quarter of the customers, then to half of them, watched by the alarm.",
    );
    let stable = stage.estate.latest_deployment().await?.configuration_version.parse().unwrap_or_default();
    let enable = ["flag", "enable", "new-checkout", "--deploy", "--strategy", estate::GRADUAL, "--yes"];
    stage.operator.types(&enable).await?;
    let ended = follow(stage).await?;
    let rolled_back = occurred(&ended, DeploymentEventType::RollbackStarted);
    let baked = occurred(&ended, DeploymentEventType::BakeTimeStarted);
    let (DeploymentState::RolledBack, Some(decided), Some(_)) = (ended.state, rolled_back, baked) else {
        let state = ended.state;
        return Err(DemoError::Otherwise(format!(
            "the deployment should end in its bake, by itself, and is {state}"
        )));
    };
    let last = stage.everywhere(stable).await?;
    let fired = until("the alarm has fired", || stage.alarm.fired_at()).await?;
    audience.narrate("While everybody had it the provider ran out of sessions. Then:");
    audience.tell(&format!("  {:<44} {}", "the server was told of the alarm", clock(fired)));
    for (what, at) in [("it decided to go back", decided), ("the last of 20 branches was back", last)] {
        audience.tell(&format!("  {what:<44} {}  {:>5} ms later", clock(at), between(fired, at).as_millis()));
    }
    stage.keep("from the alarm to the decision to go back", between(fired, decided));
    stage.keep("from the alarm to the last of 20 branches: recovered", between(fired, last));
    let (unpaid, by_new) = stage.shop.till(|till| (till.unpaid(), till.by_new_checkout()));
    stage.orders(60).await?;
    let still = stage.shop.till(|till| till.by_new_checkout());
    // An order under way when the branch went back may still be noted.
    if still > by_new + stage.shop.branches.len() as u64 {
        return Err(DemoError::Otherwise("somebody still sells by the new checkout".into()));
    }
    audience.narrate(&format!(
        "{unpaid} orders went unpaid of {by_new} by the new checkout. Nobody was called, nobody typed anything. The flag is \
         turned off for good, so that the next change does not bring it back:",
    ));
    stage.operator.types(&["flag", "disable", "new-checkout", "--yes"]).await?;
    until("the alarm is quiet again", || stage.alarm.is_quiet().then_some(())).await
}

/// Tells how the newest deployment gets on, until it ends.
async fn follow(stage: &Stage) -> Result<Deployment, DemoError> {
    let number = stage.estate.latest_deployment().await?.deployment_number;
    let deadline = Instant::now() + PATIENCE * 2;
    let mut told = None;
    while Instant::now() < deadline {
        let now = stage.estate.deployment(number).await?;
        let (state, percent) = (now.state, now.percentage_complete.to_f64());
        if told != Some((state, percent.to_bits())) {
            let (orders, unpaid) = stage.shop.till(|till| (till.by_new_checkout(), till.unpaid()));
            stage.audience.tell(&format!(
                "  {percent:>5} %  {:<12} {orders:>5} orders by the new checkout, {unpaid} of them unpaid",
                state.as_str()
            ));
            told = Some((state, percent.to_bits()));
        }
        if !matches!(
            state,
            DeploymentState::Deploying | DeploymentState::Baking | DeploymentState::RollingBack
        ) {
            return Ok(now);
        }
        sleep(EVERY).await;
    }
    let seconds = (PATIENCE * 2).as_secs();
    Err(DemoError::TooLate { what: format!("deployment {number} ends"), seconds })
}

fn occurred(deployment: &Deployment, kind: DeploymentEventType) -> Option<Timestamp> {
    let found = deployment.event_log.iter().find(|event| event.event_type == kind);
    found.map(|event| event.occurred_at.timestamp())
}

/// The time of day.
fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M:%S.%3f").to_string()
}
