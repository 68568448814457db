//! Addresses in a row: a single one, a network, or from one to another.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::TargetError;

/// The IPv4-mapped IPv6 addresses, `::ffff:0:0/96` (RFC 4291 clause 2.5.5.2): IPv4 in disguise.
pub(super) const MAPPED: (u128, u128) = (0xFFFF_0000_0000, 0xFFFF_FFFF_FFFF);

/// All addresses from `first` to `last`, both included, of one IP version.
///
/// Shown as an address or a network where it is one, else as `first-last`. IPv4-mapped IPv6
/// addresses are taken as the IPv4 addresses they mean.
///
/// ```
/// # use otcore::targets::AddressRange;
/// let range = AddressRange::new("10.0.4.0".parse()?, "10.0.4.127".parse()?)?;
/// assert_eq!(range.to_string(), "10.0.4.0/25");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressRange {
    first: IpAddr,
    last: IpAddr,
}

impl AddressRange {
    /// The addresses from `first` to `last`, both included.
    ///
    /// # Errors
    /// [`TargetError::Backwards`] if `last` comes before `first`, [`TargetError::MixedVersions`] if
    /// there are both IPv4 and IPv6 addresses between them.
    pub fn new(first: IpAddr, last: IpAddr) -> Result<Self, TargetError> {
        let (first, last) = (first.to_canonical(), last.to_canonical());
        let across = first.is_ipv6() && number(first) < MAPPED.0 && number(last) > MAPPED.1;
        if first.is_ipv4() != last.is_ipv4() || across {
            return Err(TargetError::MixedVersions { first, last });
        }
        if last < first {
            return Err(TargetError::Backwards { first, last });
        }
        Ok(Self { first, last })
    }

    /// The lowest address.
    #[must_use]
    pub fn first(&self) -> IpAddr {
        self.first
    }

    /// The highest address.
    #[must_use]
    pub fn last(&self) -> IpAddr {
        self.last
    }

    /// How many addresses there are.
    #[must_use]
    pub fn count(&self) -> u128 {
        (number(self.last) - number(self.first)).saturating_add(1)
    }

    /// Whether `address` is one of them.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        (self.first..=self.last).contains(&address.to_canonical())
    }

    /// The addresses in order, made one by one.
    pub fn iter(self) -> impl Iterator<Item = IpAddr> + Clone {
        (number(self.first)..=number(self.last)).map(move |number| like(self.first, number))
    }

    /// The same addresses in pieces that each lie in one [subnet](subnet_of), made one by one.
    ///
    /// ```
    /// # use otcore::targets::AddressRange;
    /// let range = AddressRange::new("10.0.4.250".parse()?, "10.0.6.9".parse()?)?;
    /// let pieces: Vec<String> = range.subnets().map(|piece| piece.to_string()).collect();
    /// assert_eq!(pieces, ["10.0.4.250-10.0.4.255", "10.0.5.0/24", "10.0.6.0-10.0.6.9"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn subnets(self) -> impl Iterator<Item = Self> + Clone {
        let host_bits = if self.first.is_ipv4() { 0xFF } else { u128::from(u64::MAX) };
        let last = number(self.last);
        let piece_from = move |start: u128| Self {
            first: like(self.first, start),
            last: like(self.first, (start | host_bits).min(last)),
        };
        std::iter::successors(Some(piece_from(number(self.first))), move |piece| {
            (piece.last < self.last).then(|| piece_from(number(piece.last) + 1))
        })
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let differing = number(self.first) ^ number(self.last);
        let is_network =
            differing & differing.wrapping_add(1) == 0 && number(self.first) & differing == 0;
        let width = if self.first.is_ipv4() { 32 } else { 128 };
        match (differing, is_network) {
            (0, _) => write!(f, "{}", self.first),
            (_, true) => write!(f, "{}/{}", self.first, width - differing.count_ones()),
            (_, false) => write!(f, "{}-{}", self.first, self.last),
        }
    }
}

impl From<IpAddr> for AddressRange {
    fn from(address: IpAddr) -> Self {
        Self { first: address.to_canonical(), last: address.to_canonical() }
    }
}

impl TryFrom<IpNet> for AddressRange {
    type Error = TargetError;

    fn try_from(net: IpNet) -> Result<Self, TargetError> {
        Self::new(net.network(), net.broadcast())
    }
}

/// The /24 (IPv4) or /64 (IPv6) that contains `address`: what is paced as one subnet.
///
/// ```
/// # use otcore::targets::subnet_of;
/// assert_eq!(subnet_of("10.0.4.7".parse()?).to_string(), "10.0.4.0/24");
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[must_use]
pub fn subnet_of(address: IpAddr) -> IpNet {
    let address = address.to_canonical();
    let prefix = if address.is_ipv4() { 24 } else { 64 };
    IpNet::new(address, prefix).unwrap_or_else(|_| address.into()).trunc()
}

/// The address as a number.
pub(super) fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}

/// The address with this number, of the same IP version as `model`.
pub(super) fn like(model: IpAddr, number: u128) -> IpAddr {
    match model {
        IpAddr::V4(_) => Ipv4Addr::from(u32::try_from(number).unwrap_or(u32::MAX)).into(),
        IpAddr::V6(_) => Ipv6Addr::from(number).into(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(first: &str, last: &str) -> AddressRange {
        AddressRange::new(first.parse().unwrap(), last.parse().unwrap()).unwrap()
    }

    #[test]
    fn a_range_is_shown_in_its_shortest_form() {
        assert_eq!(range("10.0.4.7", "10.0.4.7").to_string(), "10.0.4.7");
        assert_eq!(range("10.0.4.6", "10.0.4.7").to_string(), "10.0.4.6/31");
        assert_eq!(range("10.0.4.7", "10.0.4.8").to_string(), "10.0.4.7-10.0.4.8");
        assert_eq!(range("10.0.4.0", "10.0.6.255").to_string(), "10.0.4.0-10.0.6.255");
        assert_eq!(range("0.0.0.0", "255.255.255.255").to_string(), "0.0.0.0/0");
        assert_eq!(range("fd00::", "fd00::ff").to_string(), "fd00::/120");
        assert_eq!(range("::ffff:10.0.0.1", "10.0.0.9").to_string(), "10.0.0.1-10.0.0.9");
    }

    #[test]
    fn ipv4_and_ipv6_never_share_a_range() {
        for (first, last) in
            [("10.0.0.1", "fd00::1"), ("::fffe:0:0", "::ffff:0:1"), ("::", "fd00::")]
        {
            let made = AddressRange::new(first.parse().unwrap(), last.parse().unwrap());
            assert!(matches!(made, Err(TargetError::MixedVersions { .. })), "{first}-{last}");
        }
        let back = AddressRange::new("10.0.0.2".parse().unwrap(), "10.0.0.1".parse().unwrap());
        assert_eq!(
            back.unwrap_err().to_string(),
            "the range 10.0.0.2-10.0.0.1 ends before it starts: write 10.0.0.1-10.0.0.2"
        );
    }

    #[test]
    fn a_huge_range_is_cut_into_subnets_lazily() {
        let all = range("fd00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
        let second = all.subnets().nth(1).unwrap();
        assert_eq!(second.to_string(), "fd00:0:0:1::/64");
        assert_eq!(all.iter().nth(2).unwrap().to_string(), "fd00::2");
        let top = range("255.255.255.255", "255.255.255.255");
        assert_eq!(top.subnets().count(), 1);
        assert_eq!(top.iter().count(), 1);
    }

    #[test]
    fn a_mapped_address_is_paced_with_its_ipv4_subnet() {
        let mapped = "::ffff:10.0.4.9".parse().unwrap();
        assert_eq!(subnet_of(mapped).to_string(), "10.0.4.0/24");
        assert_eq!(subnet_of("fd00::1:2:3:4".parse().unwrap()).to_string(), "fd00::/64");
    }

    proptest! {
        #[test]
        fn subnets_cover_the_range_in_order(first: u32, len in 0..3000_u32) {
            let last = first.saturating_add(len);
            let range = AddressRange::new(
                Ipv4Addr::from(first).into(),
                Ipv4Addr::from(last).into(),
            ).unwrap();
            let pieces: Vec<_> = range.subnets().collect();
            let joined: Vec<_> = pieces.iter().flat_map(|piece| piece.iter()).collect();
            prop_assert_eq!(joined, range.iter().collect::<Vec<_>>());
            for piece in pieces {
                prop_assert_eq!(subnet_of(piece.first()), subnet_of(piece.last()));
            }
        }
    }
}
