//! What an address is to somebody who calls it on another's word.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AddressClass {
    /// Somewhere in the internet.
    Public,
    /// Inside an organisation's network (RFC 1918, unique local, carrier-grade NAT).
    Private,
    /// This machine.
    Loopback,
    /// This link, where clouds put what machines are told about themselves.
    LinkLocal,
    /// A cloud's metadata service, which hands out credentials to whoever asks from the machine.
    Metadata,
    /// No address at all; systems take it for this machine.
    Unspecified,
    /// Many machines at once, broadcast included.
    Multicast,
    /// For documentation, measurements, transitions of old, or the future.
    Reserved,
}

impl AddressClass {
    /// What `address` is. An IPv6 address that stands for an IPv4 address is what that one is.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => Self::of_v6(address),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        match address.octets() {
            // Alibaba's, Oracle's, and the channel by which Azure's machines are managed.
            [169, 254, 169, 254] | [100, 100, 100, 200] | [192, 0, 0, 192] | [168, 63, 129, 16] => {
                Self::Metadata
            }
            [0, ..] => Self::Unspecified,
            [127, ..] => Self::Loopback,
            [169, 254, ..] => Self::LinkLocal,
            [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Self::Private,
            [224..=239, ..] | [255, 255, 255, 255] => Self::Multicast,
            [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [198, 18..=19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
            | [240..=255, ..] => Self::Reserved,
            _ => Self::Public,
        }
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        if let Some(inside) = v4_inside(address) {
            return Self::of_v4(inside);
        }
        match address.segments() {
            [0, 0, 0, 0, 0, 0, 0, 0] => Self::Unspecified,
            [0, 0, 0, 0, 0, 0, 0, 1] => Self::Loopback,
            // Amazon's services of a machine, and Google's.
            [0xfd00, 0xec2, ..] | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254] => Self::Metadata,
            [0xfe80..=0xfebf, ..] => Self::LinkLocal,
            [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => Self::Private,
            [0xff00..=0xffff, ..] => Self::Multicast,
            // Assignments to protocols (Teredo among them) and documentation, in the midst of what is public.
            [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Self::Reserved,
            [0x2000..=0x3fff, ..] => Self::Public,
            _ => Self::Reserved,
        }
    }
}

/// The IPv4 address that an IPv6 address leads to: mapped, translated (SIIT, NAT64) or tunnelled (6to4).
fn v4_inside(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let (high, low) = match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => (high, low),
        _ => return None,
    };
    Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
}

/// The same address, in IPv4 if it is one written as IPv6.
pub(crate) fn unmapped(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

impl fmt::Display for AddressClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "a public address",
            Self::Private => "a private address",
            Self::Loopback => "this machine",
            Self::LinkLocal => "a link-local address",
            Self::Metadata => "a cloud's metadata service",
            Self::Unspecified => "no machine's address",
            Self::Multicast => "a multicast address",
            Self::Reserved => "a reserved address",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_are_what_their_registries_say() {
        use AddressClass::*;
        for (class, addresses) in [
            (
                Public,
                "8.8.8.8 1.1.1.1 172.15.0.1 172.32.0.1 100.63.0.1 100.128.0.1 2606:4700::1111 2001:200::1",
            ),
            (Private, "10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 fc00::1 fd12::1 fec0::1"),
            (Loopback, "127.0.0.1 127.255.255.254 ::1 ::ffff:127.0.0.1 64:ff9b::7f00:1 2002:7f00:1::"),
            (LinkLocal, "169.254.0.1 169.254.170.2 fe80::1 febf::1 ::ffff:169.254.1.1"),
            (
                Metadata,
                "169.254.169.254 100.100.100.200 192.0.0.192 168.63.129.16 fd00:ec2::254 fd00:ec2::23",
            ),
            (Metadata, "::ffff:169.254.169.254 64:ff9b::a9fe:a9fe 2002:a9fe:a9fe::1 fd20:ce::254"),
            (Unspecified, "0.0.0.0 0.1.2.3 :: ::ffff:0.0.0.0"),
            (Multicast, "224.0.0.1 239.255.255.255 255.255.255.255 ff02::1"),
            (
                Reserved,
                "192.0.2.1 198.51.100.1 203.0.113.1 198.18.0.1 240.0.0.1 2001:db8::1 2001::1 3fff::1 100::1",
            ),
            (Reserved, "::127.0.0.1 64:ff9b:1::1 4000::1"),
        ] {
            for address in addresses.split(' ') {
                assert_eq!(AddressClass::of(address.parse().unwrap()), class, "{address}");
            }
        }
    }

    proptest! {
        #[test]
        fn an_ipv4_address_in_ipv6_dress_is_still_the_same(bits: u32, rest: u16) {
            let v4 = Ipv4Addr::from_bits(bits);
            let [high, low] = [(bits >> 16) as u16, bits as u16];
            let class = AddressClass::of(v4.into());
            for v6 in [
                v4.to_ipv6_mapped(),
                Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0x2002, high, low, rest, 0, 0, 0, rest),
            ] {
                prop_assert_eq!(AddressClass::of(v6.into()), class, "{}", v6);
            }
        }
    }
}
