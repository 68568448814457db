//! Large ranges of Modbus devices, the best that a policy allows there, and what memory it takes.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use otcore::Report;
use otcore::gate::policy::Limits;
use otcore::protocols::modbus::sim::typical;

use super::Dice;
use super::network::Wiring;

/// `live` devices anywhere among so many addresses from 10.0.0.0 on.
pub(crate) fn sparse(mut wiring: Wiring, addresses: u32, live: u32) -> Wiring {
    let mut dice = Dice::new(4);
    let mut places: Vec<u32> = (0..addresses).collect();
    for i in 0..live {
        let other = i + u32::try_from(dice.below((addresses - i).into())).unwrap();
        places.swap(i as usize, other as usize);
        let [_, b, c, d] = places[i as usize].to_be_bytes();
        let at = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, b, c, d)), 502);
        wiring = wiring.device(at, typical());
    }
    wiring
}

/// Seconds that no scan under these limits can beat: what the run has to do, through the narrowest
/// of the process, its subnets, and the devices it may have at once.
///
/// Room is counted in packet seconds: a second of the process has room for `process_packets_per_s`
/// packets, so a run of T seconds has T times as much. Every packet takes up its own second after
/// it left. A SYN takes up more: for as long as its address may still answer, the kernel may
/// acknowledge that answer by itself at any moment, and all addresses may answer at once. So a scan
/// that keeps the limit whatever happens leaves room for one more packet until the connection
/// times out: 0.9 packet seconds for each address at which nobody lives.
///
/// What is *not* in here, so that the engine pays for it out of the tenth it is allowed: the room
/// that it keeps for the closing of open connections (an abort closes them all at once), the
/// quarter second for which the kernel may delay an acknowledgement, the twentieth of a second that
/// a SYN may wait for the resolution of its address, and the time of the last conversation.
pub(crate) fn optimum(limits: &Limits, addresses: u32, report: &Report, packets: u64) -> f64 {
    let (silent, packets) = (report.counters.silent as f64, packets as f64);
    let spent: u64 = report.outcomes.iter().map(|record| record.millis).sum();
    let waited = silent * f64::from(limits.connect_timeout_ms);
    let device_seconds = (spent as f64 + waited) / 1000.0;
    let subnets = f64::from(addresses) / 256.0;
    let by_process = (packets + waited / 1000.0) / f64::from(limits.process_packets_per_s);
    let by_subnet = packets / subnets / f64::from(limits.subnet_packets_per_s);
    let by_new = 256.0 / f64::from(limits.subnet_new_addresses_per_s);
    let by_parallel = device_seconds / f64::from(limits.parallel_devices);
    by_process.max(by_subnet).max(by_new).max(by_parallel)
}

#[cfg(target_os = "linux")]
pub(crate) fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn resident_kib() -> u64 {
    0
}
