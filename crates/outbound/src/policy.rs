//! Which addresses are called.

use crate::address::AddressClass;
use crate::network::Network;
use std::net::IpAddr;

/// Which addresses are called. What is link-local, a metadata service, multicast or unspecified never is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    internal: bool,
    also: Vec<Network>,
}

impl Policy {
    /// Public addresses only: for URLs that users give.
    #[must_use]
    pub fn public() -> Self {
        Self { internal: false, also: vec![] }
    }

    /// Private addresses and this machine too: for URLs that the operator gives.
    #[must_use]
    pub fn internal() -> Self {
        Self { internal: true, also: vec![] }
    }

    /// The same and what lies in `network`, if it can be called at all.
    #[must_use]
    pub fn and(mut self, network: Network) -> Self {
        self.also.push(network);
        self
    }

    /// Whether `address` may be called.
    ///
    /// # Errors
    /// What it is, if not.
    pub fn check(&self, address: IpAddr) -> Result<(), AddressClass> {
        let class = AddressClass::of(address);
        let allowed = match class {
            AddressClass::Public => true,
            AddressClass::Private | AddressClass::Loopback => self.internal || self.names(address),
            AddressClass::Reserved => self.names(address),
            AddressClass::LinkLocal
            | AddressClass::Metadata
            | AddressClass::Unspecified
            | AddressClass::Multicast => false,
        };
        if allowed { Ok(()) } else { Err(class) }
    }

    fn names(&self, address: IpAddr) -> bool {
        self.also.iter().any(|network| network.contains(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_internal_needs_the_operators_word() {
        let here = Policy::public().and("127.0.0.1".parse().unwrap()).and("10.1.0.0/16".parse().unwrap());
        let allowed = |policy: &Policy, address: &str| policy.check(address.parse().unwrap()).is_ok();
        for (address, public, named, internal) in [
            ("8.8.8.8", true, true, true),
            ("127.0.0.1", false, true, true),
            ("::ffff:127.0.0.1", false, true, true),
            ("127.0.0.2", false, false, true),
            ("10.1.2.3", false, true, true),
            ("10.2.0.1", false, false, true),
            ("fd12::1", false, false, true),
            ("203.0.113.1", false, false, false),
            ("169.254.169.254", false, false, false),
            ("0.0.0.0", false, false, false),
        ] {
            assert_eq!(allowed(&Policy::public(), address), public, "{address}");
            assert_eq!(allowed(&here, address), named, "{address}");
            assert_eq!(allowed(&Policy::internal(), address), internal, "{address}");
        }
    }

    proptest! {
        #[test]
        fn no_policy_opens_what_is_never_called(bits: u128, low: u16) {
            let everything = Policy::internal().and("0.0.0.0/0".parse().unwrap()).and("::/0".parse().unwrap());
            let link_local = std::net::Ipv4Addr::from_bits(0xa9fe_0000 | u32::from(low));
            for address in [IpAddr::V6(bits.into()), link_local.into(), link_local.to_ipv6_mapped().into()] {
                let never = matches!(
                    AddressClass::of(address),
                    AddressClass::LinkLocal
                        | AddressClass::Metadata
                        | AddressClass::Unspecified
                        | AddressClass::Multicast
                );
                prop_assert_eq!(everything.check(address).is_err(), never, "{}", address);
            }
            prop_assert!(everything.check(link_local.into()).is_err());
        }
    }
}
