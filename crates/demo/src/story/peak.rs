//! A crowd, and a dial that is turned down.

use super::stage::Stage;
use crate::failure::DemoError;
use std::time::Duration;

pub(super) async fn tell(stage: &mut Stage) -> Result<(), DemoError> {
    let audience = stage.audience;
    audience.chapter(5, "A peak, and a dial to turn");
    audience.narrate(
        "It is Black Friday. Each order asks a back-end for twelve recommendations, and the back-end computes 600 a second.",
    );
    stage.customers.peak(true);
    let before = settled_wait(stage).await?;
    audience.tell(&format!("  customers wait {} ms", before.as_millis()));
    audience
        .narrate("Recommendations are nice to have. The dial goes no lower than 0 and no higher than 20:");
    stage.operator.types_in_vain(&["flag", "set", "recommendations", "count=-1", "--yes"]).await?;
    let took = stage.change_at_once("recommendations", &["count=2"]).await?;
    let after = settled_wait(stage).await?;
    stage.customers.peak(false);
    audience.tell(&format!("  customers wait {} ms", after.as_millis()));
    if after * 2 > before {
        return Err(DemoError::Otherwise(format!("customers waited {before:?} and now wait {after:?}")));
    }
    stage.keep("the dial turned down, to the last of 20 branches", took);
    stage.figures.push(("customers waited at the peak", format!("{} ms", before.as_millis())));
    stage.figures.push(("with fewer recommendations", format!("{} ms", after.as_millis())));
    Ok(())
}

/// How long customers wait once those have left who were there already.
async fn settled_wait(stage: &Stage) -> Result<Duration, DemoError> {
    stage.orders(60).await?;
    let since = stage.shop.now();
    stage.orders(60).await?;
    let wait = stage.shop.till(|till| till.middle_wait(since));
    wait.ok_or_else(|| DemoError::Otherwise("nobody ordered".into()))
}
