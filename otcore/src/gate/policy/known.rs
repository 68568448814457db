//! What this build can speak, which ports it never touches, which networks it looks at by default.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::Serialize;

use crate::safety::Level;

/// One protocol a policy can speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct KnownProtocol {
    /// The name in policies, plans and addresses.
    pub name: &'static str,
    /// The port it is registered for.
    pub default_port: u16,
    /// Whether it is asked unless a policy says otherwise.
    pub enabled: bool,
    /// How deep it is asked unless a policy says otherwise.
    pub level: Level,
    /// Whether one device can have further units behind it, as serial gateways do.
    pub has_units: bool,
    /// Whether stations have link addresses of their own, as outstations and masters of DNP3 do.
    pub has_outstations: bool,
    /// What it does only if a policy allows it by name.
    pub consents: &'static [Consent],
    /// Those of them that are given unless a policy says otherwise: they cost a device nothing.
    pub given: &'static [&'static str],
}

/// Something that is only done if a policy allows it by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Consent {
    /// The name in `allow` and `deny`.
    pub name: &'static str,
    /// What is done, and what it may cost.
    pub risk: &'static str,
}

/// Every protocol a policy can speak of.
pub const KNOWN: &[KnownProtocol] = &[
    KnownProtocol {
        name: "modbus",
        default_port: 502,
        enabled: true,
        level: Level::Identify,
        has_units: true,
        has_outstations: false,
        given: &[],
        consents: &[
            Consent {
                name: "umas",
                risk: "asks Schneider controllers READ_ID and PROJECT_INFO through UMAS, the \
                       function their programming software uses too",
            },
            Consent {
                name: "sunspec",
                risk: "reads holding registers at the SunSpec base addresses; some devices react \
                       to the reading of unusual registers",
            },
            Consent {
                name: "sweep",
                risk: "walks through all unit ids behind a gateway; each missing unit keeps the \
                       serial line busy until the gateway gives up",
            },
            Consent {
                name: "unit_0",
                risk: "asks unit id 0, which serial gateways pass on as a broadcast to every unit",
            },
        ],
    },
    KnownProtocol {
        name: "s7",
        default_port: 102,
        consents: &[Consent {
            name: "programmer",
            risk: "connects as a programming device where the gentler kinds are refused; small \
                   controllers keep a single connection for it, which an engineer may need",
        }],
        ..PLAIN
    },
    KnownProtocol {
        name: "enip",
        default_port: 44818,
        consents: &[Consent {
            name: "backplane",
            risk: "asks the modules in a rack through the device at its head; the backplane carries \
                   the plant's own traffic, and an old module takes a second to miss an empty slot",
        }],
        ..PLAIN
    },
    KnownProtocol {
        name: "bacnet",
        default_port: 47808,
        consents: &[
            Consent {
                name: "routed",
                risk: "calls the networks behind a router, where every device answers at once over a \
                       slow bus, and asks the devices there one after the other",
            },
            Consent {
                name: "bbmd",
                risk: "reads the tables by which broadcasts are handed on to other networks; some \
                       devices do not expect the question",
            },
            Consent {
                name: "reply_port",
                risk: "listens at port 47808 of this host while it asks, for devices that answer \
                       only there; building software of this host that starts meanwhile finds it \
                       taken",
            },
            Consent {
                name: "broadcast",
                risk: "calls every device of a monitored network at once, as often as \
                       `limits.broadcasts_per_scan` says; all of them are interrupted, and all \
                       answer at once",
            },
        ],
        given: &["reply_port"],
        ..PLAIN
    },
    KnownProtocol {
        name: "dnp3",
        default_port: 20000,
        enabled: false,
        has_outstations: true,
        consents: &[
            Consent {
                name: "connect",
                risk: "opens a connection, which may displace the station that operates the device",
            },
            Consent {
                name: "datagrams",
                risk: "asks by datagrams first, which displace nobody's connection; an outstation \
                       that keeps one peer for datagrams may send what it has to say to this host",
            },
        ],
        ..PLAIN
    },
];

const PLAIN: KnownProtocol = KnownProtocol {
    name: "",
    default_port: 0,
    enabled: true,
    level: Level::Identify,
    has_units: false,
    has_outstations: false,
    consents: &[],
    given: &[],
};

/// The protocol with this name.
#[must_use]
pub fn known(name: &str) -> Option<&'static KnownProtocol> {
    KNOWN.iter().find(|protocol| protocol.name == name)
}

/// Ports no policy can open (L20).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NeverPorts {
    /// From the first to the last port.
    pub ports: RangeInclusive<u16>,
    /// What listens there.
    pub why: &'static str,
}

/// Ports that are never touched, whatever a policy says (L20).
pub const NEVER_PORTS: &[NeverPorts] = &[
    NeverPorts { ports: 966..=981, why: "raw ports of serial device servers" },
    NeverPorts { ports: 1502..=1502, why: "safety controllers" },
    NeverPorts { ports: 2001..=2032, why: "raw ports of serial device servers" },
    NeverPorts { ports: 4001..=4032, why: "raw ports of serial device servers" },
    NeverPorts { ports: 9100..=9107, why: "printers, which print whatever they receive" },
];

/// The row that forbids this port.
pub(super) fn never_ports(port: u16) -> Option<&'static NeverPorts> {
    NEVER_PORTS.iter().find(|row| row.ports.contains(&port))
}

/// The networks every policy monitors unless it sets `monitor_defaults = false`: private,
/// link-local and loopback addresses (RFC 1918, 3927, 4193, 4291).
#[must_use]
pub const fn default_monitored() -> &'static [IpNet] {
    const NETWORKS: &[IpNet] = &[
        v4([10, 0, 0, 0], 8),
        v4([172, 16, 0, 0], 12),
        v4([192, 168, 0, 0], 16),
        v4([169, 254, 0, 0], 16),
        v4([127, 0, 0, 0], 8),
        v6(0xfe80 << 112, 10),
        v6(0xfc00 << 112, 7),
        v6(1, 128),
    ];
    NETWORKS
}

const fn v4([a, b, c, d]: [u8; 4], length: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length))
}

const fn v6(bits: u128, length: u8) -> IpNet {
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::from_bits(bits), length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_known_protocol_sits_on_a_port_that_is_never_touched() {
        for protocol in KNOWN {
            assert!(never_ports(protocol.default_port).is_none(), "{}", protocol.name);
        }
    }

    #[test]
    fn the_edges_of_the_never_touched_ports_are_exact() {
        for (port, never) in [
            (965, false),
            (966, true),
            (981, true),
            (982, false),
            (1501, false),
            (1502, true),
            (1503, false),
            (2000, false),
            (2001, true),
            (2032, true),
            (2033, false),
            (4000, false),
            (4001, true),
            (4032, true),
            (4033, false),
            (9099, false),
            (9100, true),
            (9107, true),
            (9108, false),
        ] {
            assert_eq!(never_ports(port).is_some(), never, "{port}");
        }
    }

    #[test]
    fn dnp3_is_off_by_default_and_everything_else_is_on() {
        let off: Vec<&str> = KNOWN.iter().filter(|p| !p.enabled).map(|p| p.name).collect();
        assert_eq!(off, ["dnp3"]);
    }
}
