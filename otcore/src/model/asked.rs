//! What was really asked: silence means something only where somebody asked.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::names::Zone;

/// Which addresses were asked in which protocol on which port, whether or not anybody answered.
///
/// Neighbouring addresses are kept as one range, so that a large network takes no memory to speak
/// of. In JSON it is an array of [`AskedRange`]. Merging is set union.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked(BTreeMap<Endpoints, BTreeMap<IpAddr, IpAddr>>);

/// Addresses, both ends included, that were asked in one protocol on one port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskedRange {
    /// The network that the addresses live in.
    pub zone: Zone,
    /// In which protocol.
    pub protocol: String,
    /// On which port.
    pub port: u16,
    /// The first address.
    pub first: IpAddr,
    /// The last address, of the same family and not below the first.
    pub last: IpAddr,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Endpoints {
    zone: Zone,
    protocol: String,
    port: u16,
}

impl Endpoints {
    fn are(&self, zone: &Zone, protocol: &str, port: u16) -> bool {
        self.port == port && self.protocol == protocol && self.zone == *zone
    }
}

/// A range that ends before it begins, or in another family of addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{first} to {last} is no range of addresses")]
pub struct NoRange {
    first: IpAddr,
    last: IpAddr,
}

impl Asked {
    /// This address was asked.
    pub fn add(&mut self, zone: &Zone, address: IpAddr, protocol: &str, port: u16) {
        let address = address.to_canonical();
        // There are few of them, and many addresses at each.
        let known = self.0.iter_mut().find(|(at, _)| at.are(zone, protocol, port));
        if let Some((_, ranges)) = known {
            return insert(ranges, address, address);
        }
        let endpoints = Endpoints { zone: zone.clone(), protocol: protocol.to_owned(), port };
        insert(self.0.entry(endpoints).or_default(), address, address);
    }

    /// All addresses of this range were asked.
    ///
    /// # Errors
    /// [`NoRange`] if it is none; nothing is changed then.
    pub fn add_range(&mut self, range: AskedRange) -> Result<(), NoRange> {
        let (first, last) = (range.first.to_canonical(), range.last.to_canonical());
        if first > last || first.is_ipv4() != last.is_ipv4() {
            return Err(NoRange { first, last });
        }
        let AskedRange { zone, protocol, port, .. } = range;
        insert(self.0.entry(Endpoints { zone, protocol, port }).or_default(), first, last);
        Ok(())
    }

    /// Whether this address was asked in this protocol on this port.
    #[must_use]
    pub fn covers(&self, zone: &Zone, address: IpAddr, protocol: &str, port: u16) -> bool {
        let address = address.to_canonical();
        let endpoints = Endpoints { zone: zone.clone(), protocol: protocol.to_owned(), port };
        let ranges = self.0.get(&endpoints);
        let below = ranges.and_then(|ranges| ranges.range(..=address).next_back());
        below.is_some_and(|(_, last)| *last >= address)
    }

    /// Everything that either asked. The order of merging never matters.
    pub fn merge(&mut self, other: Self) {
        for (endpoints, ranges) in other.0 {
            let known = self.0.entry(endpoints).or_default();
            ranges.into_iter().for_each(|(first, last)| insert(known, first, last));
        }
    }

    /// All ranges, by zone, protocol, port and address; no two of them touch.
    pub fn ranges(&self) -> impl Iterator<Item = AskedRange> + '_ {
        self.0.iter().flat_map(|(Endpoints { zone, protocol, port }, ranges)| {
            ranges.iter().map(|(first, last)| AskedRange {
                zone: zone.clone(),
                protocol: protocol.clone(),
                port: *port,
                first: *first,
                last: *last,
            })
        })
    }

    /// Whether nobody was asked anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Add a range, melted together with those that it touches.
fn insert(ranges: &mut BTreeMap<IpAddr, IpAddr>, first: IpAddr, last: IpAddr) {
    if first == last && grow(ranges, first) {
        return;
    }
    let touches = |end: IpAddr| end >= first || after(end) == Some(first);
    let below = ranges.range(..=first).next_back().filter(|(_, end)| touches(**end));
    let start = below.map_or(first, |(start, _)| *start);
    let reach = after(last).unwrap_or(last);
    let swallowed: Vec<IpAddr> = ranges.range(start..=reach).map(|(start, _)| *start).collect();
    let ends = swallowed.iter().filter_map(|start| ranges.remove(start));
    let end = ends.fold(last, Ord::max);
    ranges.insert(start, end);
}

/// Put an address at the end of the range below it, as most are in a sweep; not if it would touch the
/// range above as well.
fn grow(ranges: &mut BTreeMap<IpAddr, IpAddr>, address: IpAddr) -> bool {
    let next = after(address);
    if next.is_none_or(|next| ranges.contains_key(&next)) || ranges.contains_key(&address) {
        return false;
    }
    match ranges.range_mut(..address).next_back() {
        Some((_, end)) if after(*end) == Some(address) => {
            *end = address;
            true
        }
        _ => false,
    }
}

/// The address above, within the family.
fn after(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(address) => Some(IpAddr::V4(u32::from(address).checked_add(1)?.into())),
        IpAddr::V6(address) => Some(IpAddr::V6(u128::from(address).checked_add(1)?.into())),
    }
}

impl Serialize for Asked {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.ranges())
    }
}

impl<'de> Deserialize<'de> for Asked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut asked = Self::default();
        for range in Vec::<AskedRange>::deserialize(deserializer)? {
            asked.add_range(range).map_err(serde::de::Error::custom)?;
        }
        Ok(asked)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn zone() -> Zone {
        "line-3".parse().unwrap()
    }

    fn of(addresses: &[u8]) -> Asked {
        let mut asked = Asked::default();
        for last in addresses {
            asked.add(&zone(), IpAddr::from([10, 0, 0, *last]), "modbus", 502);
        }
        asked
    }

    #[test]
    fn neighbours_are_one_range_whatever_the_order() {
        assert_eq!(of(&[3, 1, 2, 9]), of(&[9, 1, 2, 3]));
        assert_eq!(of(&[3, 1, 2, 9]).ranges().count(), 2);
        let all: Vec<u8> = (0..=255).rev().collect();
        assert_eq!(of(&all).ranges().count(), 1);
    }

    #[test]
    fn another_zone_protocol_or_port_was_not_asked() {
        let (asked, at) = (of(&[1]), IpAddr::from([10, 0, 0, 1]));
        assert!(asked.covers(&zone(), at, "modbus", 502));
        assert!(!asked.covers(&Zone::default(), at, "modbus", 502));
        assert!(!asked.covers(&zone(), at, "s7", 502));
        assert!(!asked.covers(&zone(), at, "modbus", 503));
    }

    #[test]
    fn the_ends_of_a_family_are_ends() {
        let mut asked = Asked::default();
        for address in ["255.255.255.255", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"] {
            asked.add(&zone(), address.parse().unwrap(), "modbus", 502);
        }
        assert_eq!(asked.ranges().count(), 3);
        let backwards =
            r#"[{"zone":"a","protocol":"s7","port":1,"first":"10.0.0.2","last":"10.0.0.1"}]"#;
        assert!(serde_json::from_str::<Asked>(backwards).is_err());
        let mixed = r#"[{"zone":"a","protocol":"s7","port":1,"first":"10.0.0.2","last":"::1"}]"#;
        assert!(serde_json::from_str::<Asked>(mixed).is_err());
    }

    proptest! {
        #[test]
        fn it_covers_what_was_added_and_nothing_else(ranges in prop::collection::vec((0_u8..60, 0_u8..9), 0..12)) {
            let (mut asked, mut truth) = (Asked::default(), BTreeSet::new());
            for (first, more) in ranges {
                let (from, to) = (IpAddr::from([10, 0, 0, first]), IpAddr::from([10, 0, 0, first + more]));
                let range = AskedRange { zone: zone(), protocol: "modbus".into(), port: 502, first: from, last: to };
                asked.add_range(range).unwrap();
                truth.extend(first..=first + more);
            }
            for last in 0..80 {
                let address = IpAddr::from([10, 0, 0, last]);
                prop_assert_eq!(asked.covers(&zone(), address, "modbus", 502), truth.contains(&last));
            }
            let ends: Vec<_> = asked.ranges().map(|range| (range.first, range.last)).collect();
            prop_assert!(ends.windows(2).all(|pair| after(pair[0].1).unwrap() < pair[1].0));
            let json = serde_json::to_string(&asked).unwrap();
            prop_assert_eq!(serde_json::from_str::<Asked>(&json).unwrap(), asked);
        }

        #[test]
        fn the_order_of_merging_does_not_matter(a: Vec<u8>, b: Vec<u8>, c: Vec<u8>) {
            let joined = |mut a: Asked, b: &Asked| { a.merge(b.clone()); a };
            let (a, b, c) = (of(&a), of(&b), of(&c));
            prop_assert_eq!(joined(a.clone(), &b), joined(b.clone(), &a));
            prop_assert_eq!(joined(joined(a.clone(), &b), &c), joined(a.clone(), &joined(b, &c)));
            prop_assert_eq!(joined(a.clone(), &a), a);
        }
    }
}
