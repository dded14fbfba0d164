//! What the clients of one configuration are told, kept once for all of them.

use super::told::Told;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use yardarm_node::{Address, Node};

/// Channels nobody listens to any more are forgotten when there are more than this, and twice as many as after the last time.
const FORGET_ABOVE: usize = 64;

/// All channels that somebody listens to.
#[derive(Debug, Default)]
pub(super) struct Channels(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    channels: HashMap<Address, Weak<Channel>>,
    /// How many there were after the last forgetting.
    kept: usize,
}

/// One configuration, as long as somebody listens.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) address: Address,
    last: Mutex<Option<Arc<Told>>>,
}

impl Channels {
    /// The channel of a configuration: the same for all who listen.
    pub(super) fn of(&self, address: Address) -> Arc<Channel> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = open.channels.get(&address).and_then(Weak::upgrade) {
            return channel;
        }
        if open.channels.len() > FORGET_ABOVE.max(open.kept.saturating_mul(2)) {
            open.channels.retain(|_, channel| channel.strong_count() > 0);
            open.kept = open.channels.len();
        }
        let channel = Arc::new(Channel { address, last: Mutex::default() });
        open.channels.insert(address, Arc::downgrade(&channel));
        channel
    }
}

impl Channel {
    /// What there is now. `None`: nothing is deployed.
    pub(super) fn told(&self, node: &Node) -> Option<Arc<Told>> {
        // Read before the state, so that it promises no more than is there.
        let seq = node.view().seq.0;
        let served = node.served(&self.address)?;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(told) = last.as_ref().filter(|told| told.is_of(&served)) {
            return Some(told.clone());
        }
        // Whoever has read an older state meanwhile puts that here, and hears of the newer one again.
        let told = Arc::new(Told::new(served, seq));
        *last = Some(told.clone());
        Some(told)
    }
}

#[cfg(test)]
mod tests {
    use super::{Channels, FORGET_ABOVE};
    use std::sync::Arc;
    use yardarm_node::Address;

    fn address(profile: &str) -> Address {
        Address::new(&"abcd123".parse().unwrap(), &"efgh456".parse().unwrap(), &profile.parse().unwrap())
    }

    #[test]
    fn who_listens_to_the_same_shares_a_channel_and_what_nobody_listens_to_is_forgotten() {
        let all = Channels::default();
        let one = all.of(address("aaaaaaa"));
        for number in 0..10_000 {
            all.of(address(&format!("go{number:05}")));
            assert!(all.0.lock().unwrap().channels.len() <= FORGET_ABOVE + 1);
        }
        assert!(Arc::ptr_eq(&one, &all.of(address("aaaaaaa"))));
        assert!(!Arc::ptr_eq(&one, &all.of(address("bbbbbbb"))));
    }
}
