//! Which addresses a granted host may resolve to. A name is whoever answers for it: without this
//! check, a granted name could be pointed at the server's own network or at a cloud's metadata.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a grant lets its host resolve to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Addresses of the public Internet: a grant with `*`.
    Public,
    /// Those of private networks too: a grant that names its host.
    Private,
    /// This machine: a grant for `localhost`.
    Loopback,
    /// This very address, of whatever kind.
    Only(IpAddr),
}

impl Trust {
    /// Whether a connection to the address may be made.
    pub(crate) fn admits(self, address: IpAddr) -> bool {
        match self {
            Self::Only(granted) => address == granted,
            Self::Loopback => reach(address) == Reach::Loopback,
            Self::Private => matches!(reach(address), Reach::Public | Reach::Private),
            Self::Public => reach(address) == Reach::Public,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Public,
    Private,
    Loopback,
    /// Link-local, metadata, multicast, reserved: nothing to send a request to.
    Guarded,
}

fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(address) => reach_v4(address),
        IpAddr::V6(address) => reach_v6(address),
    }
}

/// Where clouds answer with credentials, outside the link-local addresses.
const METADATA_V4: [Ipv4Addr; 2] = [
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
];
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254);

/// By the special-purpose registry for IPv4 (RFC 6890 and its updates).
fn reach_v4(address: Ipv4Addr) -> Reach {
    if METADATA_V4.contains(&address) {
        return Reach::Guarded;
    }
    match address.octets() {
        [127, ..] => Reach::Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Reach::Private,
        [0 | 224..=255, ..]
        | [169, 254, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18..=19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _] => Reach::Guarded,
        _ => Reach::Public,
    }
}

/// By the special-purpose registry for IPv6. Addresses that carry one of IPv4 are as that one is.
fn reach_v6(address: Ipv6Addr) -> Reach {
    if address == Ipv6Addr::LOCALHOST {
        return Reach::Loopback;
    }
    if address == METADATA_V6 {
        return Reach::Guarded;
    }
    match address.segments() {
        // Mapped, compatible, NAT64 (RFC 6052) and 6to4.
        [0, 0, 0, 0, 0, 0xffff | 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => {
            reach_v4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        // Metadata of a cloud; protocol assignments such as Teredo and ORCHID; documentation.
        [0xfd00, 0xec2, ..] | [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, ..] => Reach::Guarded,
        [0xfc00..=0xfdff, ..] => Reach::Private,
        [0x2000..=0x3fff, ..] => Reach::Public,
        _ => Reach::Guarded,
    }
}

#[cfg(test)]
mod tests {
    use super::Trust;

    #[test]
    fn a_grant_admits_the_addresses_of_its_kind() {
        let all = [Trust::Public, Trust::Private, Trust::Loopback];
        for (address, admitted) in [
            ("93.184.216.34", [true, true, false]),
            ("2a00:1450:4001::1", [true, true, false]),
            ("10.1.2.3", [false, true, false]),
            ("100.64.0.1", [false, true, false]),
            ("fd12:3456::1", [false, true, false]),
            ("127.0.0.1", [false, false, true]),
            ("::1", [false, false, true]),
            ("::ffff:127.0.0.1", [false, false, true]),
            ("64:ff9b::a9fe:a9fe", [false, false, false]),
            ("169.254.169.254", [false, false, false]),
            ("168.63.129.16", [false, false, false]),
            ("fd00:ec2::23", [false, false, false]),
            ("fd20:ce::254", [false, false, false]),
            ("::ffff:169.254.169.254", [false, false, false]),
            ("2002:a9fe:a9fe::1", [false, false, false]),
            ("fd00:ec2::254", [false, false, false]),
            ("fe80::1", [false, false, false]),
            ("0.0.0.0", [false, false, false]),
            ("::", [false, false, false]),
            ("255.255.255.255", [false, false, false]),
        ] {
            let address = address.parse().unwrap();
            assert_eq!(
                all.map(|trust| trust.admits(address)),
                admitted,
                "{address}"
            );
            assert!(Trust::Only(address).admits(address));
        }
        let other = Trust::Only("10.0.0.1".parse().unwrap());
        assert!(!other.admits("10.0.0.2".parse().unwrap()));
    }
}
