//! The server dies. The shop sells on, even where it is restarted meanwhile, and catches up when the server is back.

use super::stage::Stage;
use crate::failure::DemoError;
use crate::shop::customer::Customer;
use crate::waiting::until;

/// Where the shop is restarted without a server.
const RESTARTED: &str = "Roma";

pub(super) async fn tell(stage: &mut Stage) -> Result<(), DemoError> {
    let audience = stage.audience;
    audience.chapter(7, "The server is killed");
    let unpaid = stage.shop.till(|till| till.unpaid());
    stage.server.kill().await?;
    until("every branch knows", || {
        stage.shop.branches.iter().all(|branch| !branch.is_current()).then_some(())
    })
    .await?;
    audience.narrate("Killed, without a word. Every branch has noticed, and sells on by what it knows.");
    stage.orders(100).await?;
    let Some(restarted) = stage.shop.branch(RESTARTED) else { return Ok(()) };
    restarted.restart().await;
    let offer = restarted.offer(&Customer::numbered(7));
    if offer.banner.is_none_or(|banner| banner.price != 3.9) || offer.recommendations != 2 {
        return Err(DemoError::Otherwise(format!("{RESTARTED} has forgotten its flags")));
    }
    audience.narrate(&format!(
        "{RESTARTED} is restarted in the middle of it, and has its flags from its own disk."
    ));
    stage.orders(100).await?;
    let (now, turned_away) = (stage.shop.till(|till| till.unpaid()), stage.customers.turned_away());
    if now != unpaid || turned_away != 0 {
        let text = format!("{} orders were unpaid and {turned_away} customers turned away", now - unpaid);
        return Err(DemoError::Otherwise(text));
    }
    audience.narrate(
        "200 orders without a server, none lost. The server is started again, on what it had written:",
    );
    stage.server.start().await?;
    until("every branch is current", || {
        stage.shop.branches.iter().all(crate::shop::branch::Branch::is_current).then_some(())
    })
    .await?;
    let took = stage.change_at_once("recommendations", &["count=12"]).await?;
    audience.narrate(&format!(
        "The peak is over, the dial is back where it was: {} ms to the last branch.",
        took.as_millis()
    ));
    Ok(())
}
