//! A flag is forced off, over whatever is deployed, and given back.

use super::stage::{Stage, between};
use crate::failure::DemoError;
use crate::shop::customer::Customer;
use crate::waiting::until;
use yardarm_client::system_now;

pub(super) async fn tell(stage: &mut Stage) -> Result<(), DemoError> {
    let audience = stage.audience;
    audience.chapter(6, "Sold out: the kill switch");
    audience.narrate(
        "The candy canes are gone, and the banner still promises them. This cannot wait for a deployment: the flag is forced off, \
         over whatever is deployed. It reaches one client in a hundred first, and everybody a second later.",
    );
    let forced_at = system_now();
    let force = ["flag", "force", "banner", "--off", "--reason", "the candy canes are gone", "--grow", "1s"];
    stage.operator.types(&force).await?;
    let off = until("no branch promises anything", || everywhere(stage, false)).await?;
    let took = between(forced_at, off);
    audience.narrate(&format!(
        "No branch promises anything, {} ms after the command was typed.",
        took.as_millis()
    ));
    stage.keep("a flag forced off, from the command to the last of 20 branches", took);
    stage.orders(20).await?;
    audience.narrate("A van arrives. The flag is released, and everybody has what is deployed:");
    stage.operator.types(&["flag", "release", "banner", "--reason", "a van arrived"]).await?;
    until("every branch has its banner again", || everywhere(stage, true)).await.map(|_| ())
}

/// When the banner is up everywhere, or down everywhere: now, if it is.
fn everywhere(stage: &Stage, up: bool) -> Option<jiff::Timestamp> {
    let customer = Customer::numbered(7);
    let all = stage.shop.branches.iter().all(|branch| branch.offer(&customer).banner.is_some() == up);
    all.then(system_now)
}
