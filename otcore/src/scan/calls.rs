//! Which networks are called at once, before anybody in them is asked, and who answered.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::Ipv4Net;
use serde::Serialize;

use super::plan::Stop;
use crate::gate::policy::{Limits, Policy};
use crate::model::Exchange;
use crate::protocols::{self, Bounds};
use crate::targets::{AddressRange, AddressSet};

/// The consent that opts in to calls, by protocol.
pub(super) const BROADCAST: &str = "broadcast";

/// A network that is called at once with the questions of one protocol, as the policy opted in to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Call {
    /// The protocol.
    pub protocol: &'static str,
    /// The monitored network.
    pub network: Ipv4Net,
    /// The port.
    pub port: u16,
}

/// What came of a call.
#[derive(Debug)]
pub(super) struct Called {
    pub(super) call: Call,
    /// Whether nobody was left uncalled: then whoever was silent is not asked by itself.
    pub(super) everybody: bool,
    /// Why it came to no end.
    pub(super) failed: Option<String>,
    pub(super) heard: BTreeSet<IpAddr>,
    pub(super) exchanges: Vec<Exchange>,
}

impl Called {
    /// Whether `address` heard the call at `port` and said nothing.
    pub(super) fn was_silent(&self, protocol: &str, address: IpAddr, port: u16) -> bool {
        let IpAddr::V4(v4) = address else { return false };
        let called = self.call.protocol == protocol && self.call.port == port;
        let heard = self.heard.contains(&address);
        self.everybody && called && self.call.network.contains(&v4) && !heard
    }
}

/// Every monitored network of which all hosts are visited with the consent to call them. A network
/// with somebody in it who is excluded, quarantined or asked otherwise is not called: he would hear.
pub(super) fn calls(policy: &Policy, stops: &[Stop]) -> Vec<Call> {
    if policy.limits.broadcasts_per_scan == 0 {
        return Vec::new();
    }
    let networks: BTreeSet<Ipv4Net> = policy.callable().collect();
    let mut calls = Vec::new();
    for probe in protocols::ALL.iter().filter(|probe| probe.calls()) {
        let agreed = stops.iter().flat_map(|stop| {
            let agrees = |port| (port, stop.range);
            stop.conversations
                .iter()
                .filter(|c| c.protocol == probe.name() && c.consents.contains(BROADCAST))
                .map(move |c| agrees(c.port))
        });
        let agreed: Vec<(u16, AddressRange)> = agreed.collect();
        let ports: BTreeSet<u16> = agreed.iter().map(|(port, _)| *port).collect();
        for port in ports {
            let here = agreed.iter().filter(|(at, _)| *at == port).map(|(_, range)| *range);
            let here: AddressSet = here.collect();
            let all =
                |network: &&Ipv4Net| AddressSet::hosts_of(**network).subtract(&here).is_empty();
            calls.extend(networks.iter().filter(all).map(|network| Call {
                protocol: probe.name(),
                network: *network,
                port,
            }));
        }
    }
    calls
}

/// The most that the calls can cost: the policy counts them all together.
pub(super) fn bounds(calls: &[Call], limits: &Limits) -> Bounds {
    let Some(_) = calls.first() else { return Bounds::default() };
    let (made, size) = (u64::from(limits.broadcasts_per_scan), u64::from(limits.request_bytes));
    let gaps = u64::from(limits.broadcast_gap_ms.saturating_add(limits.response_timeout_ms));
    let seconds = (made * gaps).div_ceil(1_000);
    Bounds { connections: 0, requests: made, packets: made, bytes_out: made * size, seconds }
}
