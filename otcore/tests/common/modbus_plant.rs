//! A plant of ordinary Modbus devices, some of them with faults.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use otcore::protocols::modbus::sim::typical;
use otcore::sim::{Device, Fault, Faulty};
use otcore::{Level, Outcome, Policy};

use super::network::{Network, Wiring};
use super::{Ended, only};

pub(crate) fn at(subnet: u8, host: u8) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 1, subnet, host)), 502)
}

/// `hosts` ordinary devices in each of `subnets` subnets.
pub(crate) fn plant(subnets: u8, hosts: u8) -> Wiring {
    (0..subnets).fold(Network::wiring(), |wiring, subnet| {
        (1..=hosts).fold(wiring, |wiring, host| wiring.device(at(subnet, host), typical()))
    })
}

pub(crate) fn ranges(subnets: u8, hosts: u8) -> String {
    (0..subnets).map(|subnet| format!("10.1.{subnet}.1-{hosts} ")).collect()
}

pub(crate) fn faulty(fault: Fault) -> impl Device + 'static {
    Faulty::new(typical(), fault)
}

pub(crate) fn deep(policy: Policy) -> Policy {
    only("modbus", policy).protocol("modbus", |modbus| modbus.level(Level::State))
}

pub(crate) fn outcomes(ended: &Ended) -> BTreeMap<IpAddr, Outcome> {
    ended.report.outcomes.iter().map(|record| (record.address, record.outcome)).collect()
}
