//! The new checkout, and what is wrong with it.
//!
//! It opens a session with the payment provider for every customer, and never closes one. While it is tried by some
//! customers nobody notices; once everybody uses it the provider has no more sessions to give. A fault that no test and no
//! small share of traffic shows, which is what a bake is for.

use std::collections::BTreeSet;

/// The provider's sessions.
#[derive(Debug, Default)]
pub struct NewCheckout {
    sessions: BTreeSet<u32>,
}

/// The provider has no session for this customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Declined;

impl NewCheckout {
    /// Sessions that the provider gives. Of 400 customers three quarters stay well below it, and all of them do not.
    pub const SESSIONS: usize = 350;

    /// Takes the customer's money.
    ///
    /// # Errors
    /// [`Declined`] if the customer has no session, and none is left.
    pub fn pay(&mut self, customer: u32) -> Result<(), Declined> {
        if !self.sessions.contains(&customer) && self.sessions.len() >= Self::SESSIONS {
            return Err(Declined);
        }
        self.sessions.insert(customer);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Declined, NewCheckout};

    #[test]
    fn whoever_comes_late_cannot_pay_and_whoever_was_early_still_can() {
        let mut checkout = NewCheckout::default();
        let first: u32 = 350;
        assert!((0..first).all(|customer| checkout.pay(customer).is_ok()));
        assert_eq!(checkout.pay(first), Err(Declined));
        assert!(checkout.pay(7).is_ok());
    }
}
