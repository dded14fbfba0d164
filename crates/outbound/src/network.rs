//! Blocks of addresses.

use crate::address::unmapped;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A block of addresses: `10.1.0.0/16`, `fd12::/48`, or a single address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    first: IpAddr,
    /// How many bits are the block's; at most the address's.
    prefix: u8,
}

impl Network {
    /// Whether `address` lies in it. An IPv4 address is the same written as IPv6.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.first, unmapped(address)) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                let others = u32::MAX.checked_shr(self.prefix.into()).unwrap_or(0);
                (first.to_bits() ^ address.to_bits()) & !others == 0
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                let others = u128::MAX.checked_shr(self.prefix.into()).unwrap_or(0);
                (first.to_bits() ^ address.to_bits()) & !others == 0
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        let first = unmapped(address);
        Self { first, prefix: if first.is_ipv4() { 32 } else { 128 } }
    }
}

/// A text that is no block of addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no network: write an address, or a block such as 10.1.0.0/16 or fd12::/48")]
pub struct InvalidNetwork(pub Box<str>);

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let invalid = || InvalidNetwork(text.into());
        let Some((address, prefix)) = text.split_once('/') else {
            return text.parse::<IpAddr>().map(Self::from).map_err(|_| invalid());
        };
        let first: IpAddr = address.parse().map_err(|_| invalid())?;
        let bits = if first.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.parse().ok().filter(|prefix| *prefix <= bits).ok_or_else(invalid)?;
        Ok(Self { first, prefix })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_block_contains_what_begins_like_it() {
        for (network, inside, outside) in [
            ("10.1.0.0/16", "10.1.255.255", "10.2.0.0"),
            ("10.1.2.3/16", "10.1.0.0", "10.0.255.255"),
            ("127.0.0.1", "127.0.0.1", "127.0.0.2"),
            ("127.0.0.1", "::ffff:127.0.0.1", "::1"),
            ("0.0.0.0/0", "255.255.255.255", "::"),
            ("fd12::/48", "fd12::1:0:0:0:1", "fd12:0:1::"),
            ("::/0", "fd12::1", "10.0.0.1"),
        ] {
            let network: Network = network.parse().unwrap();
            assert!(network.contains(inside.parse().unwrap()), "{inside} in {network}");
            assert!(!network.contains(outside.parse().unwrap()), "{outside} not in {network}");
        }
        for text in ["", "10", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "a/8", "10.0.0.0/8/8"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_block_is_read_as_it_is_written(bits: u128, v4: bool, prefix in 0_u8..=32) {
            let first = if v4 { IpAddr::V4((bits as u32).into()) } else { IpAddr::V6(bits.into()) };
            let network = Network { first, prefix };
            prop_assert_eq!(network.to_string().parse(), Ok(network));
            prop_assert!(network.contains(first) || unmapped(first) != first);
        }
    }
}
