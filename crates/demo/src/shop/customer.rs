//! Who buys: four hundred people, always the same.

use yardarm_flags::Value;

/// How many there are.
pub(crate) const CUSTOMERS: u32 = 400;

/// A customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Customer {
    number: u32,
    id: String,
    email: String,
    tier: &'static str,
}

impl Customer {
    /// The one of that number; numbers go round. Every twentieth works in the shop, every fifth has a gold card.
    pub(crate) fn numbered(number: u32) -> Self {
        let number = number % CUSTOMERS;
        let host = if number.is_multiple_of(20) { "lambda-latte.example" } else { "mail.example" };
        let tier = if number % 5 == 1 { "gold" } else { "none" };
        Self { number, id: format!("customer-{number}"), email: format!("c{number}@{host}"), tier }
    }

    /// From 0 to [`CUSTOMERS`].
    pub(crate) const fn number(&self) -> u32 {
        self.number
    }

    /// Stands for the customer in rollouts.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// What rules may ask for.
    pub(crate) fn context(&self) -> [(&str, Value<'_>); 3] {
        [("email", (&*self.email).into()), ("tier", self.tier.into()), ("targetingKey", (&*self.id).into())]
    }
}
