//! Who wants to hear when what is served changes.
//!
//! **Invariants:** nobody waits for a subscriber: of several changes a slow one hears the last; what is announced can be
//! read already; what nobody listens to costs nothing.

use crate::address::Address;
use crate::node::Node;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use yardarm_domain::{ApplicationId, EnvironmentId};
use yardarm_log::Seq;

/// Places nobody listens to any more are forgotten when there are more than this, and twice as many as after the last time.
const FORGET_ABOVE: usize = 64;

/// Hears that a configuration, or any configuration of an environment, is served anew.
#[derive(Debug)]
pub struct Subscription(watch::Receiver<Seq>);

impl Subscription {
    /// Waits for a change after the one that was heard of last, or after the subscription. Answers the position of the log
    /// that led to it: whoever has read the log up to there serves this or something newer. `None`: the node has ended.
    pub async fn changed(&mut self) -> Option<Seq> {
        self.0.changed().await.ok()?;
        Some(*self.0.borrow_and_update())
    }
}

/// All subscriptions.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions(Mutex<Places>);

#[derive(Debug, Default)]
struct Places {
    senders: HashMap<Address, watch::Sender<Seq>>,
    /// How many there were after the last forgetting.
    kept: usize,
}

impl Subscriptions {
    fn places(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn subscribe(&self, address: Address) -> Subscription {
        let mut places = self.places();
        if places.senders.len() > FORGET_ABOVE.max(places.kept.saturating_mul(2)) {
            places.senders.retain(|_, sender| sender.receiver_count() > 0);
            places.kept = places.senders.len();
        }
        let sender = places.senders.entry(address).or_insert_with(|| watch::Sender::new(Seq::ZERO));
        Subscription(sender.subscribe())
    }

    /// Tells those who listen that the log up to `seq` has changed what is served at `addresses`.
    pub(crate) fn announce(&self, addresses: &[Address], seq: Seq) {
        let places = self.places();
        for address in addresses {
            for place in [*address, address.environment()] {
                if let Some(sender) = places.senders.get(&place) {
                    sender.send_replace(seq);
                }
            }
        }
    }
}

impl Node {
    /// Hears when a configuration is served anew: another version, another exposure, or nothing any more. Also of one of
    /// which nothing is deployed yet.
    #[must_use]
    pub fn subscribe(&self, address: &Address) -> Subscription {
        self.shared().subscriptions.subscribe(*address)
    }

    /// As [`Node::subscribe`], for all configurations of an environment.
    #[must_use]
    pub fn subscribe_environment(
        &self,
        application: &ApplicationId,
        environment: &EnvironmentId,
    ) -> Subscription {
        self.shared().subscriptions.subscribe(Address::of_environment(application, environment))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(profile: &str) -> Address {
        Address::new(&"abcd123".parse().unwrap(), &"efgh456".parse().unwrap(), &profile.parse().unwrap())
    }

    #[tokio::test]
    async fn a_slow_subscriber_hears_the_last_of_many_changes() {
        let all = Subscriptions::default();
        let mut one = all.subscribe(address("aaaaaaa"));
        let mut other = all.subscribe(address("bbbbbbb"));
        let mut any = all.subscribe(address("aaaaaaa").environment());
        for seq in 1..=1_000 {
            all.announce(&[address("aaaaaaa")], Seq(seq));
        }
        all.announce(&[address("bbbbbbb")], Seq(2_000));
        assert_eq!(one.changed().await, Some(Seq(1_000)));
        assert_eq!(other.changed().await, Some(Seq(2_000)));
        assert_eq!(any.changed().await, Some(Seq(2_000)));
        drop(all);
        assert_eq!(one.changed().await, None);
    }

    #[test]
    fn places_without_subscribers_are_forgotten() {
        let all = Subscriptions::default();
        let kept: Vec<Subscription> =
            (0..10).map(|number| all.subscribe(address(&format!("keep{number}")))).collect();
        for number in 0..10_000 {
            drop(all.subscribe(address(&format!("go{number:05}"))));
            assert!(all.places().senders.len() <= FORGET_ABOVE + 1);
        }
        assert!(kept.iter().all(|subscription| subscription.0.has_changed().is_ok()));
    }
}
