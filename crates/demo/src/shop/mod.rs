//! The coffee shop: twenty branches that sell, and what they depend on.
//!
//! Each branch follows the flags by itself, as twenty services would. Two things that it depends on are models of trouble
//! ([`checkout`], [`recommendations`]).

pub(crate) mod branch;
pub mod checkout;
pub(crate) mod customer;
pub(crate) mod order;
pub(crate) mod page;
pub mod recommendations;
pub mod till;

use crate::failure::DemoError;
use branch::Branch;
use checkout::NewCheckout;
use customer::Customer;
use order::Receipt;
use recommendations::Recommendations;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use till::{Sale, Till};
use tokio::time::Instant;
use yardarm_client::Server;

/// Where the branches are.
const TOWNS: [&str; 20] = [
    "Milano", "Torino", "Genova", "Verona", "Venezia", "Trieste", "Bologna", "Firenze", "Siena", "Perugia",
    "Ancona", "Roma", "Napoli", "Salerno", "Bari", "Lecce", "Palermo", "Catania", "Cagliari", "Sassari",
];

/// The shop.
pub(crate) struct Shop {
    pub(crate) branches: Vec<Branch>,
    checkout: Mutex<NewCheckout>,
    recommendations: Mutex<Recommendations>,
    till: Mutex<Till>,
    opened: Instant,
}

impl Shop {
    /// Opens all branches. Their copies of the flags are kept below `folder`.
    pub(crate) async fn open(server: &Server, folder: &Path) -> Result<Self, DemoError> {
        let mut branches = Vec::with_capacity(TOWNS.len());
        for town in TOWNS {
            branches.push(Branch::open(town, server.clone(), folder.join(town)).await?);
        }
        Ok(Self {
            branches,
            checkout: Mutex::default(),
            recommendations: Mutex::default(),
            till: Mutex::default(),
            opened: Instant::now(),
        })
    }

    /// Sells something to a customer at a branch.
    pub(crate) async fn sell(&self, branch: &Branch, customer: &Customer) -> Receipt {
        let started = Instant::now();
        let offer = branch.offer(customer);
        let wait = hold(&self.recommendations).ask(offer.recommendations, self.opened.elapsed());
        tokio::time::sleep(wait).await;
        let paid = !offer.new_checkout || hold(&self.checkout).pay(customer.number()).is_ok();
        let took = started.elapsed();
        let sale = Sale { at: self.opened.elapsed(), new_checkout: offer.new_checkout, paid, took };
        hold(&self.till).note(sale);
        Receipt { offer, paid, took }
    }

    /// What the till says.
    pub(crate) fn till<T>(&self, read: impl FnOnce(&Till) -> T) -> T {
        read(&hold(&self.till))
    }

    /// How long the shop has been open: the time of its sales.
    pub(crate) fn now(&self) -> Duration {
        self.opened.elapsed()
    }

    /// The branch of that name.
    pub(crate) fn branch(&self, town: &str) -> Option<&Branch> {
        self.branches.iter().find(|branch| branch.town() == town)
    }
}

fn hold<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
