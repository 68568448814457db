//! Which addresses may be touched at all.

use std::fmt;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};
use serde::Serialize;

use super::Policy;
use super::rule::contains;

/// Whether an address may be touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ScopeAnswer {
    /// It lies in this monitored network and in no excluded one.
    Monitored(IpNet),
    /// It lies in no monitored network.
    NotMonitored,
    /// It lies in this excluded network.
    Excluded(IpNet),
    /// It is not the address of one device: unspecified, broadcast or multicast.
    NoSingleDevice(&'static str),
}

impl ScopeAnswer {
    /// Whether the address may be touched.
    #[must_use]
    pub const fn is_monitored(self) -> bool {
        matches!(self, Self::Monitored(_))
    }
}

impl Policy {
    /// Whether this address may be touched, and which network decided. Exclusions win over
    /// everything; the narrowest network is named.
    ///
    /// An IPv4 address written as IPv6 (`::ffff:10.0.0.1`) counts as the IPv4 address. The last
    /// address of a monitored IPv4 network counts as its broadcast address.
    #[must_use]
    pub fn scope(&self, address: IpAddr) -> ScopeAnswer {
        let address = address.to_canonical();
        if let Some(kind) = no_single_device(address) {
            return ScopeAnswer::NoSingleDevice(kind);
        }
        if let Some(network) = narrowest(self.exclude.iter(), address) {
            return ScopeAnswer::Excluded(network);
        }
        if self.monitored().any(|network| is_broadcast_of(network, address)) {
            return ScopeAnswer::NoSingleDevice("the broadcast address of a monitored network");
        }
        let network = narrowest(self.monitored(), address);
        network.map_or(ScopeAnswer::NotMonitored, ScopeAnswer::Monitored)
    }

    /// The monitored networks that may be called at once, if everybody in them is to be asked. Their last
    /// address is everybody's only because they are monitored by that name. More than a few thousand hosts
    /// are never called, and two addresses have none for everybody.
    pub(crate) fn callable(&self) -> impl Iterator<Item = Ipv4Net> {
        let small = |network: &IpNet| match network {
            IpNet::V4(network) if (20..=30).contains(&network.prefix_len()) => Some(*network),
            _ => None,
        };
        let excluded = |everybody| self.exclude.iter().any(|net| net.contains(&everybody));
        let networks = self.monitored().filter_map(small);
        networks.filter(move |network| !excluded(IpAddr::V4(network.broadcast())))
    }
}

impl fmt::Display for ScopeAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Monitored(network) => write!(f, "monitored with {network}"),
            Self::NotMonitored => f.write_str("in no monitored network"),
            Self::Excluded(network) => write!(f, "excluded with {network}"),
            Self::NoSingleDevice(kind) => write!(f, "never touched: {kind}"),
        }
    }
}

fn no_single_device(address: IpAddr) -> Option<&'static str> {
    if address.is_unspecified() {
        return Some("the unspecified address");
    }
    if address.is_multicast() {
        return Some("a multicast address");
    }
    let broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
    broadcast.then_some("the broadcast address")
}

/// The last address of an IPv4 network that has room for a broadcast address (RFC 3021: a /31 has
/// none).
fn is_broadcast_of(network: &IpNet, address: IpAddr) -> bool {
    let IpNet::V4(network) = network else { return false };
    network.prefix_len() <= 30 && IpAddr::V4(network.broadcast()) == address
}

fn narrowest<'a>(networks: impl Iterator<Item = &'a IpNet>, address: IpAddr) -> Option<IpNet> {
    let hits = networks.filter(|network| contains(network, address));
    hits.copied().max_by_key(IpNet::prefix_len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(policy: &Policy, address: &str) -> ScopeAnswer {
        policy.scope(address.parse().unwrap())
    }

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    #[test]
    fn private_networks_are_monitored_and_the_internet_is_not() {
        let policy = Policy::gentle();
        for inside in
            ["10.1.2.3", "172.31.0.1", "192.168.1.1", "169.254.1.1", "127.0.0.1", "::1", "fe80::1"]
        {
            assert!(scope(&policy, inside).is_monitored(), "{inside}");
        }
        for outside in ["8.8.8.8", "172.32.0.1", "192.169.0.1", "2001:db8::1", "100.64.0.1"] {
            assert_eq!(scope(&policy, outside), ScopeAnswer::NotMonitored, "{outside}");
        }
    }

    #[test]
    fn an_exclusion_wins_over_a_narrower_monitored_network() {
        let policy = Policy::gentle().monitor(net("10.20.9.7/32")).exclude(net("10.20.9.0/24"));
        let excluded = ScopeAnswer::Excluded(net("10.20.9.0/24"));
        assert_eq!(scope(&policy, "10.20.9.7"), excluded);
        assert_eq!(scope(&policy, "::ffff:10.20.9.7"), excluded, "IPv4 in IPv6 clothes");
        assert_eq!(scope(&policy, "10.20.8.7"), ScopeAnswer::Monitored(net("10.0.0.0/8")));
    }

    #[test]
    fn without_the_defaults_only_named_networks_are_monitored() {
        let policy = Policy::gentle().without_default_networks().monitor(net("203.0.113.0/28"));
        assert_eq!(scope(&policy, "203.0.113.1"), ScopeAnswer::Monitored(net("203.0.113.0/28")));
        assert_eq!(scope(&policy, "10.1.2.3"), ScopeAnswer::NotMonitored);
    }

    #[test]
    fn addresses_of_many_devices_are_never_touched_even_if_monitored() {
        let all = Policy::gentle().monitor(net("0.0.0.0/0")).monitor(net("::/0"));
        let policy = all.monitor(net("10.20.4.0/24"));
        for address in [
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "ff02::1",
            "::",
            "10.20.4.255",
            "10.255.255.255",
            "::ffff:224.0.0.1",
            "::ffff:255.255.255.255",
            "::ffff:10.20.4.255",
            "::ffff:0.0.0.0",
        ] {
            let answer = scope(&policy, address);
            assert!(matches!(answer, ScopeAnswer::NoSingleDevice(_)), "{address}: {answer}");
        }
        assert!(scope(&policy, "10.20.5.255").is_monitored(), "a host in a wider network");
    }

    #[test]
    fn both_ends_of_a_point_to_point_network_are_devices() {
        let policy =
            Policy::gentle().monitor(net("198.51.100.0/31")).monitor(net("198.51.100.9/32"));
        for address in ["198.51.100.0", "198.51.100.1", "198.51.100.9"] {
            assert!(scope(&policy, address).is_monitored(), "{address}");
        }
    }

    #[test]
    fn a_network_may_be_called_that_is_monitored_small_and_ends_in_nobody_excluded() {
        let named = ["10.1.0.0/19", "10.2.0.0/20", "10.3.0.0/30", "10.4.0.0/31", "10.5.0.0/24"];
        let policy = named.iter().fold(Policy::gentle(), |policy, name| policy.monitor(net(name)));
        let policy = policy.exclude(net("10.5.0.255/32")).monitor(net("2001:db8::/120"));
        let callable: Vec<String> = policy.callable().map(|net| net.to_string()).collect();
        assert_eq!(callable, ["10.2.0.0/20", "10.3.0.0/30"]);
    }
}
