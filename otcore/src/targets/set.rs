//! Sets of addresses, of any size in little memory.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};

use super::range::{MAPPED, like, number};
use super::{AddressRange, TargetError};

/// A set of IPv4 and IPv6 addresses, kept as ranges: a /8 costs as much as one address.
///
/// An IPv4-mapped IPv6 address (`::ffff:10.0.4.7`) is the IPv4 address it means, wherever it comes
/// in.
///
/// ```
/// # use otcore::targets::AddressSet;
/// let plant = AddressSet::from_nets(["10.0.4.0/24".parse()?]);
/// let office = AddressSet::from_nets(["10.0.4.128/25".parse()?]);
/// let left = plant.subtract(&office);
/// assert_eq!(left.to_string(), "10.0.4.0/25");
/// assert!(left.contains("::ffff:10.0.4.7".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct AddressSet {
    v4: Spans,
    v6: Spans,
}

impl AddressSet {
    /// The empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Every address in `nets`.
    #[must_use]
    pub fn from_nets(nets: impl IntoIterator<Item = IpNet>) -> Self {
        let mut set = Self::new();
        nets.into_iter().for_each(|net| set.insert_net(net));
        set
    }

    /// The addresses of a network that are its hosts': not its own, nor its broadcast address.
    #[must_use]
    pub fn hosts_of(network: Ipv4Net) -> Self {
        let (first, last) = (u32::from(network.network()), u32::from(network.broadcast()));
        let (first, last) = match network.prefix_len() {
            31..=32 => (first, last),
            _ => (first.saturating_add(1), last.saturating_sub(1)),
        };
        let (first, last) = (Ipv4Addr::from(first), Ipv4Addr::from(last));
        AddressRange::new(first.into(), last.into()).into_iter().collect()
    }

    /// Add a range.
    pub fn insert(&mut self, range: AddressRange) {
        let spans = if range.first().is_ipv4() { &mut self.v4 } else { &mut self.v6 };
        spans.insert((number(range.first()), number(range.last())));
    }

    /// Add the addresses from `first` to `last`, both included.
    ///
    /// # Errors
    /// As [`AddressRange::new`]; the set is then as before.
    pub fn insert_range(&mut self, first: IpAddr, last: IpAddr) -> Result<(), TargetError> {
        self.insert(AddressRange::new(first, last)?);
        Ok(())
    }

    /// Add a network; host bits are ignored.
    ///
    /// An IPv6 network around all of the IPv4-mapped addresses, such as `::/0`, adds no IPv4
    /// address.
    pub fn insert_net(&mut self, net: IpNet) {
        if let Ok(range) = AddressRange::try_from(net) {
            return self.insert(range);
        }
        let (first, last) = (number(net.network()), number(net.broadcast()));
        if first < MAPPED.0 {
            self.v6.insert((first, last.min(MAPPED.0 - 1)));
        }
        if last > MAPPED.1 {
            self.v6.insert((first.max(MAPPED.1 + 1), last));
        }
    }

    /// What is in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self { v4: self.v4.union(&other.v4), v6: self.v6.union(&other.v6) }
    }

    /// What is in both.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        Self { v4: self.v4.intersect(&other.v4), v6: self.v6.intersect(&other.v6) }
    }

    /// What is in this and not in `other`.
    #[must_use]
    pub fn subtract(&self, other: &Self) -> Self {
        Self {
            v4: self.v4.intersect(&other.v4.complement()),
            v6: self.v6.intersect(&other.v6.complement()),
        }
    }

    /// Whether `address` is in the set.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let spans = if address.is_ipv4() { &self.v4 } else { &self.v6 };
        spans.contains(number(address))
    }

    /// Whether there is no address in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.v4.0.is_empty() && self.v6.0.is_empty()
    }

    /// How many addresses there are; [`u128::MAX`] also stands for one more.
    #[must_use]
    pub fn count(&self) -> u128 {
        self.ranges().fold(0, |sum, range| range.count().saturating_add(sum))
    }

    /// The ranges, lowest first, IPv4 before IPv6; they neither overlap nor touch.
    pub fn ranges(&self) -> impl Iterator<Item = AddressRange> + Clone {
        const V4: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        const V6: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        let v4 = self.v4.0.iter().map(|span| (V4, span));
        let v6 = self.v6.0.iter().map(|span| (V6, span));
        v4.chain(v6).filter_map(|(version, &(first, last))| {
            AddressRange::new(like(version, first), like(version, last)).ok()
        })
    }

    /// The addresses in the order of [`ranges`](Self::ranges), made one by one.
    pub fn iter(&self) -> impl Iterator<Item = IpAddr> + Clone {
        self.ranges().flat_map(AddressRange::iter)
    }
}

impl FromIterator<AddressRange> for AddressSet {
    fn from_iter<I: IntoIterator<Item = AddressRange>>(ranges: I) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for range in ranges {
            let spans = if range.first().is_ipv4() { &mut v4 } else { &mut v6 };
            spans.push((number(range.first()), number(range.last())));
        }
        Self { v4: Spans::of(v4), v6: Spans::of(v6) }
    }
}

impl From<AddressRange> for AddressSet {
    fn from(range: AddressRange) -> Self {
        Self::from_iter([range])
    }
}

impl fmt::Display for AddressSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("no addresses");
        }
        for (index, range) in self.ranges().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{range}")?;
        }
        Ok(())
    }
}

/// First and last number of a run of numbers.
type Span = (u128, u128);

/// Numbers as spans that are sorted and neither overlap nor touch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Spans(Vec<Span>);

impl Spans {
    /// Put spans in any order into their one right form.
    fn of(mut unsorted: Vec<Span>) -> Self {
        unsorted.sort_unstable();
        let mut spans: Vec<Span> = Vec::new();
        for (first, last) in unsorted {
            match spans.last_mut() {
                Some(open) if first <= open.1.saturating_add(1) => open.1 = open.1.max(last),
                _ => spans.push((first, last)),
            }
        }
        Self(spans)
    }

    fn insert(&mut self, (first, last): Span) {
        let from = self.0.partition_point(|span| span.1.saturating_add(1) < first);
        let to = self.0.partition_point(|span| span.0 <= last.saturating_add(1));
        let touched = self.0.get(from..to).unwrap_or_default();
        let lowest = touched.first().map_or(first, |span| span.0.min(first));
        let highest = touched.last().map_or(last, |span| span.1.max(last));
        self.0.splice(from..to, [(lowest, highest)]);
    }

    fn contains(&self, number: u128) -> bool {
        let at = self.0.partition_point(|span| span.1 < number);
        self.0.get(at).is_some_and(|span| span.0 <= number)
    }

    fn union(&self, other: &Self) -> Self {
        Self::of([self.0.as_slice(), other.0.as_slice()].concat())
    }

    fn intersect(&self, other: &Self) -> Self {
        let (mut left, mut right) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut spans = Vec::new();
        while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
            let (first, last) = (a.0.max(b.0), a.1.min(b.1));
            if first <= last {
                spans.push((first, last));
            }
            if a.1 <= b.1 {
                left.next()
            } else {
                right.next()
            };
        }
        Self(spans)
    }

    /// Every number that is in no span.
    fn complement(&self) -> Self {
        let mut spans = Vec::new();
        let mut free = Some(0);
        for &(first, last) in &self.0 {
            if let Some(free) = free.filter(|&free| free < first) {
                spans.push((free, first - 1));
            }
            free = last.checked_add(1);
        }
        spans.extend(free.map(|free| (free, u128::MAX)));
        Self(spans)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// A small universe at both ends of both versions: 4 x 24 addresses.
    fn address(n: u8) -> IpAddr {
        let step = n % 24;
        match n / 24 {
            0 => Ipv4Addr::from(u32::from(step)).into(),
            1 => Ipv4Addr::from(u32::MAX - u32::from(step)).into(),
            2 => Ipv6Addr::from(u128::from(step)).into(),
            _ => Ipv6Addr::from(u128::MAX - u128::from(step)).into(),
        }
    }

    /// A set and the same set kept naively.
    fn sets() -> impl Strategy<Value = (AddressSet, BTreeSet<IpAddr>)> {
        prop::collection::vec((0..96_u8, 0..8_u8), 0..12).prop_map(|pairs| {
            let mut set = AddressSet::new();
            let mut naive = BTreeSet::new();
            for (start, len) in pairs {
                let end = start.saturating_add(len).min(start / 24 * 24 + 23);
                let members: BTreeSet<_> = (start..=end).map(address).collect();
                let (first, last) = (members.first().unwrap(), members.last().unwrap());
                set.insert_range(*first, *last).unwrap();
                naive.extend(members);
            }
            (set, naive)
        })
    }

    fn listed(set: &AddressSet) -> BTreeSet<IpAddr> {
        set.iter().collect()
    }

    proptest! {
        #[test]
        fn a_set_behaves_like_a_naive_one(
            (a, naive_a) in sets(),
            (b, naive_b) in sets(),
            probe in 0..96_u8,
        ) {
            prop_assert_eq!(listed(&a), naive_a.clone());
            prop_assert_eq!(a.contains(address(probe)), naive_a.contains(&address(probe)));
            prop_assert_eq!(listed(&a.union(&b)), &naive_a | &naive_b);
            prop_assert_eq!(listed(&a.intersect(&b)), &naive_a & &naive_b);
            prop_assert_eq!(listed(&a.subtract(&b)), &naive_a - &naive_b);
            prop_assert_eq!(a.is_empty(), naive_a.is_empty());
        }

        #[test]
        fn the_laws_of_sets_hold((a, _) in sets(), (b, _) in sets()) {
            prop_assert_eq!(a.union(&b), b.union(&a));
            prop_assert_eq!(a.intersect(&b), b.intersect(&a));
            prop_assert!(a.intersect(&b).subtract(&a).is_empty());
            prop_assert!(a.subtract(&b).intersect(&b).is_empty());
            prop_assert_eq!(a.subtract(&b).union(&a.intersect(&b)), a.clone());
            prop_assert_eq!(a.union(&a), a);
        }

        #[test]
        fn a_set_has_one_form_however_it_was_made((a, _) in sets()) {
            prop_assert_eq!(a.count(), a.iter().count() as u128);
            prop_assert!(a.iter().is_sorted());
            prop_assert_eq!(a.ranges().collect::<AddressSet>(), a.clone());
            let mut one_by_one = AddressSet::new();
            let backwards: Vec<_> = a.iter().collect();
            for address in backwards.into_iter().rev() {
                one_by_one.insert(address.into());
            }
            prop_assert_eq!(one_by_one, a);
        }
    }

    fn net(text: &str) -> AddressSet {
        AddressSet::from_nets([text.parse().unwrap()])
    }

    #[test]
    fn huge_sets_cost_nothing_until_they_are_walked() {
        let all = net("0.0.0.0/0").union(&net("::/0"));
        assert_eq!(all.iter().nth(10).unwrap().to_string(), "0.0.0.10");
        assert_eq!(net("10.0.0.0/8").count(), 1 << 24);
        assert_eq!(net("fd00::/64").count(), 1 << 64);
        let everything = AddressSet::new().subtract(&AddressSet::new());
        assert_eq!(everything.count(), 0);
        assert_eq!(
            all.count(),
            u128::MAX,
            "all of IPv6 without the mapped, and all of IPv4: 2^128"
        );
    }

    #[test]
    fn mapped_addresses_are_ipv4_whichever_way_they_come_in() {
        let plain = net("10.0.4.0/24");
        assert_eq!(net("::ffff:10.0.4.0/120"), plain);
        let mut ranged = AddressSet::new();
        let ends = ("::ffff:10.0.4.0".parse().unwrap(), "::ffff:a00:4ff".parse().unwrap());
        ranged.insert_range(ends.0, ends.1).unwrap();
        assert_eq!(ranged, plain);
        assert!(plain.contains("::ffff:10.0.4.255".parse().unwrap()));
        assert!(!plain.contains("::10.0.4.255".parse().unwrap()));
    }

    #[test]
    fn an_ipv6_network_never_lets_ipv4_in() {
        for text in ["::/0", "::/80", "::fffe:0:0/95", "::/79"] {
            let set = net(text);
            assert!(!set.contains("10.0.0.1".parse().unwrap()), "{text}");
            assert!(!set.contains("::ffff:10.0.0.1".parse().unwrap()), "{text}");
            assert!(set.contains("::fffe:0:1".parse().unwrap()), "{text}");
            assert!(set.ranges().all(|range| range.first().is_ipv6()), "{text}");
        }
        assert_eq!(net("::/0").count(), u128::MAX - (u128::from(u32::MAX)));
    }

    #[test]
    fn a_set_reads_like_a_list_of_targets() {
        let set = net("fd00::/64").union(&net("10.0.5.0/24")).union(&net("10.0.4.0/24"));
        assert_eq!(set.to_string(), "10.0.4.0/23, fd00::/64");
        assert_eq!(AddressSet::new().to_string(), "no addresses");
    }
}
