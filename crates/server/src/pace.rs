//! Who may send no more for the moment: limits on requests by bearer token, by access key, and by address for those who
//! prove nothing.
//!
//! **Invariants:** without limits nothing is looked at; a limit is charged to who has proved to be somebody, so nobody uses
//! up another's; what is refused for its credential is charged to its address.

use crate::authenticate::Sender;
use crate::fault::Fault;
use crate::rate::{Buckets, Rate};
use crate::router::App;
use crate::settings::RateLimits;
use http::request::Parts;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use yardarm_listen::Peer;
use yardarm_wire::errors::ErrorKind;

/// The most callers of a kind that are told apart: more than there are tokens and keys.
const MOST_CALLERS: usize = 100_000;

/// Whose requests are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Payer<'p> {
    /// The bearer of a token, by its id.
    Token(&'p str),
    /// The holder of an access key, by its id.
    AccessKey(&'p str),
    /// Whoever is at an address.
    Address(IpAddr),
}

/// A caller that must wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooFast {
    /// For how long, seconds, at least 1.
    pub(crate) retry_after_s: u32,
}

/// One kind of callers.
struct Kind {
    /// `None`: it has no limit.
    buckets: Option<Mutex<Buckets>>,
    refused: AtomicU64,
}

impl Kind {
    fn new(per_s: u32, burst_s: u32) -> Self {
        let buckets = || Mutex::new(Buckets::new(Rate::new(per_s, burst_s), MOST_CALLERS));
        Self { buckets: (per_s > 0).then(buckets), refused: AtomicU64::new(0) }
    }
}

/// The limits in force.
pub(crate) struct Paces {
    tokens: Kind,
    access_keys: Kind,
    addresses: Kind,
    /// Keyed at random, so that nobody can choose whom to share a bucket with.
    hasher: RandomState,
}

impl Paces {
    /// `None`: there are none.
    pub(crate) fn new(limits: &RateLimits) -> Option<Self> {
        let RateLimits { token_per_s, access_key_per_s, address_per_s, burst_s } = *limits;
        let kind = |per_s| Kind::new(per_s, burst_s);
        [token_per_s, access_key_per_s, address_per_s].iter().any(|per_s| *per_s > 0).then(|| Self {
            tokens: kind(token_per_s),
            access_keys: kind(access_key_per_s),
            addresses: kind(address_per_s),
            hasher: RandomState::new(),
        })
    }

    /// Takes `cost` from what the payer has. `Err`: after how many nanoseconds it has enough.
    fn take(&self, payer: Payer<'_>, cost: u32, now_ns: i64) -> Result<(), i64> {
        let kind = match payer {
            Payer::Token(_) => &self.tokens,
            Payer::AccessKey(_) => &self.access_keys,
            Payer::Address(_) => &self.addresses,
        };
        let Some(buckets) = &kind.buckets else { return Ok(()) };
        let caller = self.hasher.hash_one(payer);
        let taken = buckets.lock().unwrap_or_else(PoisonError::into_inner).take(caller, cost, now_ns);
        taken.inspect_err(|_| {
            kind.refused.fetch_add(1, Ordering::Relaxed);
        })
    }

    /// How many requests were refused, by whose limit.
    pub(crate) fn refused(&self) -> [(&'static str, u64); 3] {
        [("token", &self.tokens), ("access-key", &self.access_keys), ("address", &self.addresses)]
            .map(|(name, kind)| (name, kind.refused.load(Ordering::Relaxed)))
    }
}

/// The address that a request comes from. A whole network of IPv6 counts as one: that is what a single customer gets.
fn address(parts: &Parts) -> Option<IpAddr> {
    let Peer(peer) = parts.extensions.get::<Peer>()?;
    Some(match peer {
        IpAddr::V6(peer) => match peer.to_ipv4_mapped() {
            Some(peer) => IpAddr::V4(peer),
            None => IpAddr::V6(Ipv6Addr::from_bits(peer.to_bits() & !u128::from(u64::MAX))),
        },
        peer @ IpAddr::V4(_) => *peer,
    })
}

impl App {
    /// Charges a request to its payer, or to its address where it has none.
    pub(crate) fn charge(&self, payer: Option<Payer<'_>>, parts: &Parts, cost: u32) -> Result<(), TooFast> {
        let Some(paces) = &self.paces else { return Ok(()) };
        let Some(payer) = payer.or_else(|| address(parts).map(Payer::Address)) else { return Ok(()) };
        let now_ns = i64::try_from(self.node.now().as_nanosecond()).unwrap_or(i64::MAX);
        paces.take(payer, cost, now_ns).map_err(|wait_ns| {
            let seconds =
                u32::try_from(wait_ns.saturating_add(999_999_999) / 1_000_000_000).unwrap_or(u32::MAX).max(1);
            // Those who were refused together should not come back together.
            let [drawn, ..] = self.node.random();
            TooFast {
                retry_after_s: seconds.saturating_add(u32::from(drawn) % seconds.min(60).saturating_add(1)),
            }
        })
    }

    /// Charges a request to whoever has sent it.
    pub(crate) fn ensure_pace(&self, sender: &Sender, parts: &Parts) -> Result<(), Fault> {
        if self.paces.is_none() {
            return Ok(());
        }
        Ok(self.charge(sender.payer(), parts, 1)?)
    }

    /// What a request is told that was refused for its credential: that, or that its address sends too many.
    pub(crate) fn refused_stranger(&self, parts: &Parts, fault: Fault) -> Fault {
        self.charge(None, parts, 1).map_or_else(Fault::from, |()| fault)
    }
}

impl From<TooFast> for Fault {
    fn from(TooFast { retry_after_s }: TooFast) -> Self {
        let message =
            format!("Too many requests: the rate limit is exceeded. Try again in {retry_after_s} s.");
        Self { retry_after_s: Some(retry_after_s), ..Self::told(ErrorKind::Throttling, message) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(peer: &str) -> Parts {
        let mut request = http::Request::new(());
        request.extensions_mut().insert(Peer(peer.parse().unwrap()));
        request.into_parts().0
    }

    #[test]
    fn networks_of_ipv6_count_as_one_and_mapped_addresses_as_what_they_are() {
        assert_eq!(address(&parts("2001:db8:1:2:3::1")), address(&parts("2001:db8:1:2:ffff::2")));
        assert_ne!(address(&parts("2001:db8:1:2::")), address(&parts("2001:db8:1:3::")));
        assert_eq!(address(&parts("::ffff:10.0.0.1")), address(&parts("10.0.0.1")));
        assert_ne!(address(&parts("10.0.0.1")), address(&parts("10.0.0.2")));
        assert_eq!(address(&http::Request::new(()).into_parts().0), None);
    }

    #[test]
    fn each_kind_has_its_own_limit_and_none_is_none() {
        assert!(Paces::new(&RateLimits::default()).is_none());
        let limits = RateLimits { token_per_s: 1, burst_s: 1, ..RateLimits::default() };
        let paces = Paces::new(&limits).unwrap();
        for _ in 0..100 {
            assert_eq!(paces.take(Payer::AccessKey("k"), 1, 0), Ok(()));
        }
        assert_eq!(paces.take(Payer::Token("a"), 1, 0), Ok(()));
        assert!(paces.take(Payer::Token("a"), 1, 0).is_err());
        assert_eq!(paces.take(Payer::Token("b"), 1, 0), Ok(()));
        assert_eq!(paces.refused(), [("token", 1), ("access-key", 0), ("address", 0)]);
    }
}
