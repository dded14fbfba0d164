//! One flag, different for different people.

use super::stage::Stage;
use crate::failure::DemoError;
use crate::shop::customer::{CUSTOMERS, Customer};
use std::collections::BTreeMap;

/// Who is shown: one of the staff, one with a gold card, two others.
const SHOWN: [(u32, &str); 4] =
    [(20, "works here"), (21, "has a gold card"), (22, "somebody"), (23, "somebody else")];

pub(super) async fn tell(stage: &Stage) -> Result<(), DemoError> {
    let audience = stage.audience;
    audience.chapter(3, "Different customers, different discounts");
    audience.narrate(
        "The discount is one flag with variants: for the staff, for holders of a gold card, for one customer in ten who \
         tastes it, and for everyone else. Which one it is each branch finds out by itself, without asking anybody.",
    );
    let Some(branch) = stage.shop.branches.first() else { return Ok(()) };
    let mut counts = BTreeMap::<String, u32>::new();
    for number in 0..CUSTOMERS {
        let offer = branch.offer(&Customer::numbered(number));
        *counts.entry(offer.segment).or_default() += 1;
    }
    for (number, who) in SHOWN {
        let offer = branch.offer(&Customer::numbered(number));
        audience.tell(&format!(
            "  customer {number:<4} {who:<16} {:>3} % off  ({})",
            offer.discount, offer.segment
        ));
    }
    let of = |segment: &str| counts.get(segment).copied().unwrap_or(0);
    let (staff, loyal, tasting, everyone) = (of("staff"), of("loyal"), of("tasting"), of("everyone"));
    audience.tell(&format!(
        "  of {CUSTOMERS}: {staff} staff, {loyal} loyal, {tasting} tasting, {everyone} others"
    ));
    if (staff, loyal) != (20, 80) || tasting == 0 || staff + loyal + tasting + everyone != CUSTOMERS {
        return Err(DemoError::Otherwise("the segments are not who they should be".into()));
    }
    audience.narrate("Why, for one of them:");
    let arguments =
        ["explain", "discount", "--entity", "customer-21", "-c", "tier=gold", "-c", "email=c21@mail.example"];
    stage.operator.types(&arguments).await
}
