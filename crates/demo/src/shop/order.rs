//! An order: what the flags offer a customer, and what became of it.

use serde::Serialize;
use std::time::Duration;
use yardarm_client::Version;
use yardarm_flags::document::AttributeValue;
use yardarm_flags::{Context, ResolvedValue};

use super::customer::Customer;

/// The banner over the counter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Banner {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) price: f64,
}

/// What a customer is offered. Without flags: a plain coffee, and nothing that is new.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Offer {
    pub(crate) banner: Option<Banner>,
    /// Percent off.
    pub(crate) discount: u32,
    /// The segment that the discount is for.
    pub(crate) segment: String,
    pub(crate) recommendations: u32,
    pub(crate) new_checkout: bool,
}

/// What became of an order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Receipt {
    pub(crate) offer: Offer,
    pub(crate) paid: bool,
    pub(crate) took: Duration,
}

impl Offer {
    /// What `version` of the flags offers the customer.
    pub(crate) fn read(version: &Version, customer: &Customer) -> Self {
        let attributes = customer.context();
        let reader = Reader { version, context: Context::new(&attributes) };
        let banner = reader.is_on("banner").then(|| Banner {
            name: reader.text("banner.name"),
            description: reader.text("banner.description"),
            price: reader.number("banner.price"),
        });
        let discount = version.flags().resolve("discount", &reader.context);
        Self {
            banner,
            discount: whole(reader.number("discount.percent")),
            segment: discount.map(|resolution| resolution.variant_name().into()).unwrap_or_default(),
            recommendations: whole(reader.number("recommendations.count")),
            new_checkout: reader.is_on("new-checkout"),
        }
    }
}

struct Reader<'a> {
    version: &'a Version,
    context: Context<'a>,
}

impl<'a> Reader<'a> {
    fn attribute(&self, key: &str) -> Option<&'a AttributeValue> {
        match self.version.flags().resolve(key, &self.context)?.value? {
            ResolvedValue::Attribute(value) => Some(value),
            ResolvedValue::Boolean(_) | ResolvedValue::Object(_) => None,
        }
    }

    fn is_on(&self, flag: &str) -> bool {
        let found = self.version.flags().resolve(flag, &self.context).and_then(|found| found.value);
        match found {
            Some(ResolvedValue::Boolean(on)) => on,
            Some(ResolvedValue::Object(evaluation)) => evaluation.enabled,
            Some(ResolvedValue::Attribute(_)) | None => false,
        }
    }

    fn text(&self, key: &str) -> String {
        match self.attribute(key) {
            Some(AttributeValue::String(text)) => text.clone(),
            _ => String::new(),
        }
    }

    fn number(&self, key: &str) -> f64 {
        match self.attribute(key) {
            Some(AttributeValue::Number(number)) => number.as_f64().unwrap_or_default(),
            _ => 0.0,
        }
    }
}

/// A number that constraints keep between 0 and 50.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast of a float saturates")]
fn whole(number: f64) -> u32 {
    number as u32
}
