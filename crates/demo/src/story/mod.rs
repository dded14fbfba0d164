//! The story, chapter by chapter.

mod gradual;
mod kill_switch;
mod opening;
mod outage;
mod peak;
mod promotion;
mod segments;
mod stage;

use crate::audience::Audience;
use crate::failure::DemoError;
use crate::operator::Operator;
use stage::Stage;
use std::path::PathBuf;

/// How the story is told.
#[derive(Clone, Debug)]
pub struct DemoSettings {
    /// The program itself: it runs the server, and the commands.
    pub binary: PathBuf,
    /// To whom.
    pub audience: Audience,
}

/// Tells the story from start to end. Dropped, it ends at once, and the server with it.
///
/// # Errors
/// Something did not happen that the story tells.
pub async fn run(settings: &DemoSettings) -> Result<(), DemoError> {
    let audience = settings.audience;
    audience.narrate(
        "Lambda Latte sells coffee in twenty towns. Its owner changes her mind every day. Here is one of them: no release, no \
         restart, and one bad idea that takes itself back.",
    );
    let mut stage = opening::tell(settings).await?;
    audience.turn_page().await;
    promotion::tell(&mut stage).await?;
    audience.turn_page().await;
    segments::tell(&stage).await?;
    audience.turn_page().await;
    gradual::tell(&mut stage).await?;
    audience.turn_page().await;
    peak::tell(&mut stage).await?;
    audience.turn_page().await;
    kill_switch::tell(&mut stage).await?;
    audience.turn_page().await;
    outage::tell(&mut stage).await?;
    end(&stage).await?;
    stage.close().await
}

/// What the day was like.
async fn end(stage: &Stage) -> Result<(), DemoError> {
    let audience = stage.audience;
    audience.chapter(8, "The day in figures");
    audience
        .narrate("The server has measured the way back by itself, by what the branches have acknowledged:");
    stage.operator.types(&["recovery", "report"]).await?;
    let (sales, unpaid) = stage.shop.till(|till| (till.sales(), till.unpaid()));
    for (what, figure) in &stage.figures {
        audience.tell(&format!("  {what:<64} {figure:>10}"));
    }
    audience.tell(&format!("  {:<64} {sales:>10}", "orders"));
    audience
        .tell(&format!("  {:<64} {unpaid:>10}", "orders that the new checkout could not take the money for"));
    audience.tell(&format!(
        "  {:<64} {:>10}",
        "customers who found the shop closed",
        stage.customers.turned_away()
    ));
    if audience == Audience::Person {
        audience.tell("");
        audience.narrate(&format!(
            "The shop stays open at {} until you press Enter. In another terminal its flags are yours:",
            stage.page
        ));
        for (name, value) in Operator::variables(&stage.server.url()) {
            audience.tell(&format!("  export {name}={value}"));
        }
        audience.tell("  yardarm flag list");
        audience.turn_page().await;
    }
    Ok(())
}
