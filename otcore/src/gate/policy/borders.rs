//! Where what a policy decides may change from one address to the next.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Policy;
use crate::targets::{AddressRange, AddressSet};

/// The first address of every network that a policy names, the one after its last, and the last itself,
/// which may be a broadcast address.
#[derive(Debug)]
pub(crate) struct Borders(BTreeSet<IpAddr>);

/// Where addresses that are those of no single device begin and end: unspecified, multicast, broadcast.
const BUILT_IN: [IpAddr; 8] = [
    IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    IpAddr::V4(Ipv4Addr::new(0, 0, 0, 1)),
    IpAddr::V4(Ipv4Addr::new(224, 0, 0, 0)),
    IpAddr::V4(Ipv4Addr::new(240, 0, 0, 0)),
    IpAddr::V4(Ipv4Addr::BROADCAST),
    IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    IpAddr::V6(Ipv6Addr::LOCALHOST),
    IpAddr::V6(Ipv6Addr::new(0xFF00, 0, 0, 0, 0, 0, 0, 0)),
];

impl Policy {
    /// Between two of them all addresses are treated alike.
    pub(crate) fn borders(&self) -> Borders {
        let named = self.networks_named_by_rules();
        let all = self.monitored().chain(&self.exclude).chain(&named);
        let ends = all.flat_map(|net| {
            let range = AddressRange::try_from(*net).ok();
            let last = range.map(|range| range.last());
            [range.map(|range| range.first()), last, last.and_then(after)]
        });
        Borders(ends.flatten().chain(BUILT_IN).collect())
    }

    /// Those of `addresses` that may be touched.
    pub(crate) fn in_scope(&self, addresses: &AddressSet) -> AddressSet {
        let borders = self.borders();
        let pieces = addresses.ranges().flat_map(|range| borders.cut(range));
        pieces.filter(|piece| self.scope(piece.first()).is_monitored()).collect()
    }
}

impl Borders {
    /// Cut a range so that a piece begins at every border inside it.
    pub(crate) fn cut(&self, range: AddressRange) -> Vec<AddressRange> {
        let mut pieces = Vec::new();
        let mut first = range.first();
        let inside = self.0.range(range.first()..=range.last());
        for border in inside.filter(|border| **border != range.first()) {
            let piece = before(*border).and_then(|last| AddressRange::new(first, last).ok());
            pieces.extend(piece);
            first = *border;
        }
        pieces.extend(AddressRange::new(first, range.last()));
        pieces
    }
}

fn after(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(a) => a.to_bits().checked_add(1).map(|bits| IpAddr::V4(bits.into())),
        IpAddr::V6(a) => a.to_bits().checked_add(1).map(|bits| IpAddr::V6(bits.into())),
    }
}

fn before(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(a) => a.to_bits().checked_sub(1).map(|bits| IpAddr::V4(bits.into())),
        IpAddr::V6(a) => a.to_bits().checked_sub(1).map(|bits| IpAddr::V6(bits.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_scope_is_what_each_address_is_told_alone() {
        let policy = Policy::gentle()
            .without_default_networks()
            .monitor("10.1.0.0/24".parse().unwrap())
            .monitor("10.1.0.64/28".parse().unwrap())
            .exclude("10.1.0.32/27".parse().unwrap())
            .exclude("10.1.0.200/32".parse().unwrap());
        let asked: AddressSet =
            [AddressRange::new([10, 0, 255, 250].into(), [10, 1, 1, 9].into()).unwrap()]
                .into_iter()
                .collect();
        let scope = policy.in_scope(&asked);
        for address in asked.iter() {
            assert_eq!(scope.contains(address), policy.scope(address).is_monitored(), "{address}");
        }
        assert_eq!(scope.count(), 256 - 32 - 1 - 2, "neither excluded nor a broadcast address");
    }

    #[test]
    fn what_is_no_single_device_is_in_no_scope_whoever_monitors_everything() {
        let everything = ["0.0.0.0/0", "::/0"].map(|net| net.parse().unwrap());
        let policy = everything.into_iter().fold(Policy::gentle(), Policy::monitor);
        let around = [
            ("0.0.0.0", "0.0.0.9", 9),
            ("223.255.255.250", "224.0.0.9", 6),
            ("239.255.255.250", "240.0.0.9", 10),
            ("255.255.255.250", "255.255.255.255", 5),
            ("::", "::9", 9),
            ("feff:ffff:ffff:ffff:ffff:ffff:ffff:fffa", "ff00::9", 6),
        ];
        for (first, last, inside) in around {
            let range = AddressRange::new(first.parse().unwrap(), last.parse().unwrap()).unwrap();
            assert_eq!(policy.in_scope(&range.into()).count(), inside, "{first}");
        }
    }
}
