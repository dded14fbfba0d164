//! The owner changes the banner: attributes of a flag, checked before they are stored, everywhere at once.

use super::stage::Stage;
use crate::failure::DemoError;
use crate::shop::customer::Customer;

pub(super) async fn tell(stage: &mut Stage) -> Result<(), DemoError> {
    let audience = stage.audience;
    audience.chapter(2, "A promotion, changed while customers look at it");
    audience.narrate(
        "The owner wants the banner to say something else, and the latte to cost less. First a typing error:",
    );
    stage.operator.types_in_vain(&["flag", "set", "banner", "price=cheap", "--yes"]).await?;
    audience.narrate("What is wrong is never stored. Once more:");
    let took =
        stage.change_at_once("banner", &["price=3.9", "description=Snow in a cup, today for less."]).await?;
    let customer = Customer::numbered(7);
    for branch in &stage.shop.branches {
        let banner = branch.offer(&customer).banner;
        let right =
            banner.is_some_and(|banner| banner.price == 3.9 && banner.description.starts_with("Snow"));
        if !right {
            return Err(DemoError::Otherwise(format!("{} shows another banner", branch.town())));
        }
    }
    audience.narrate(&format!(
        "Every branch shows the new banner {} ms after the deployment began. Nothing was released, nothing restarted.",
        took.as_millis()
    ));
    stage.keep("a new banner, from deployment to the last of 20 branches", took);
    Ok(())
}
