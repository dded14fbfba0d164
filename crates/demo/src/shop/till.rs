//! What was sold: the numbers that the shop is run by. The newest sales are kept one by one, all are counted.

use std::collections::VecDeque;
use std::time::Duration;

/// Something that somebody wanted to buy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sale {
    /// When it was done, from when the shop opened.
    pub at: Duration,
    /// Whether it went by the new checkout.
    pub new_checkout: bool,
    /// Whether the money came.
    pub paid: bool,
    /// How long the customer stood there.
    pub took: Duration,
}

/// Sales that are kept one by one.
const KEPT: usize = 60;

/// The till.
#[derive(Debug, Default)]
pub struct Till {
    newest: VecDeque<Sale>,
    sales: u64,
    unpaid: u64,
    by_new_checkout: u64,
    last_by_new_checkout: Option<Duration>,
}

impl Till {
    /// Notes a sale.
    pub fn note(&mut self, sale: Sale) {
        if self.newest.len() == KEPT {
            self.newest.pop_front();
        }
        self.newest.push_back(sale);
        self.sales += 1;
        self.unpaid += u64::from(!sale.paid);
        if sale.new_checkout {
            self.by_new_checkout += 1;
            self.last_by_new_checkout = Some(sale.at);
        }
    }

    /// All sales, paid or not.
    #[must_use]
    pub const fn sales(&self) -> u64 {
        self.sales
    }

    /// Those for which the money did not come.
    #[must_use]
    pub const fn unpaid(&self) -> u64 {
        self.unpaid
    }

    /// Those by the new checkout.
    #[must_use]
    pub const fn by_new_checkout(&self) -> u64 {
        self.by_new_checkout
    }

    /// When the last one by the new checkout was.
    #[must_use]
    pub const fn last_by_new_checkout(&self) -> Option<Duration> {
        self.last_by_new_checkout
    }

    /// Of the newest sales so many of a hundred were not paid.
    #[must_use]
    pub fn unpaid_percent(&self) -> u64 {
        let unpaid = self.newest.iter().filter(|sale| !sale.paid).count() as u64;
        (unpaid * 100).checked_div(self.newest.len() as u64).unwrap_or(0)
    }

    /// How long customers stood there: of the newest sales since `since` the one in the middle. `None`: there are fewer
    /// than ten.
    #[must_use]
    pub fn middle_wait(&self, since: Duration) -> Option<Duration> {
        let mut waits: Vec<_> =
            self.newest.iter().filter(|sale| sale.at >= since).map(|sale| sale.took).collect();
        waits.sort_unstable();
        if waits.len() < 10 { None } else { waits.get(waits.len() / 2).copied() }
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT, Sale, Till};
    use std::time::Duration;

    fn sale(at: u64, paid: bool) -> Sale {
        Sale { at: Duration::from_secs(at), new_checkout: !paid, paid, took: Duration::from_millis(at) }
    }

    #[test]
    fn shares_are_of_the_newest_sales_and_counts_of_all() {
        let mut till = Till::default();
        assert_eq!(till.unpaid_percent(), 0);
        for at in 0..KEPT as u64 {
            till.note(sale(at, at % 2 == 0));
        }
        assert_eq!(till.unpaid_percent(), 50);
        for at in 0..KEPT as u64 {
            till.note(sale(100 + at, true));
        }
        assert_eq!(till.unpaid_percent(), 0);
        assert_eq!((till.sales(), till.unpaid(), till.by_new_checkout()), (120, 30, 30));
        assert_eq!(till.last_by_new_checkout(), Some(Duration::from_secs(59)));
    }

    #[test]
    fn a_middle_needs_something_on_both_sides() {
        let mut till = Till::default();
        (0..9).for_each(|at| till.note(sale(at, true)));
        assert_eq!(till.middle_wait(Duration::ZERO), None);
        till.note(sale(9, true));
        assert_eq!(till.middle_wait(Duration::ZERO), Some(Duration::from_millis(5)));
        assert_eq!(till.middle_wait(Duration::from_secs(1)), None);
    }
}
