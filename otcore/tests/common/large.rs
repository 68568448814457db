//! Large ranges of Modbus devices, the best that a policy allows there, and what memory it takes.

use std::net::{IpAddr, Ipv4Addr};

use otcore::Report;
use otcore::gate::policy::Limits;
use otcore::protocols::modbus::sim::typical;
use otcore::sim::Station;

use super::Dice;
use super::network::Wiring;

/// `live` devices anywhere among so many addresses from 10.0.0.0 on. They are made when they are
/// visited, so that the plant takes hardly any memory.
pub(crate) fn sparse(wiring: Wiring, addresses: u32, live: u32) -> Wiring {
    let mut dice = Dice::new(4);
    let mut places: Vec<u32> = (0..addresses).collect();
    for i in 0..live {
        let other = i + u32::try_from(dice.below((addresses - i).into())).unwrap();
        places.swap(i as usize, other as usize);
    }
    places.truncate(live as usize);
    places.sort_unstable();
    places.shrink_to_fit();
    wiring.made_by(Box::new(move |at| {
        let IpAddr::V4(address) = at.ip() else { return None };
        let place = u32::from(address).checked_sub(u32::from(Ipv4Addr::new(10, 0, 0, 0)))?;
        let lives = at.port() == 502 && places.binary_search(&place).is_ok();
        lives.then(|| Station::new(typical()))
    }))
}

/// Seconds that no scan can beat which keeps these limits whatever happens: what the run has to do,
/// through the narrowest of the process, its subnets, and the devices it may have at once.
///
/// Room is counted in packet seconds: a second of the process has room for `process_packets_per_s`
/// packets, so a run of T seconds has T times as much. Every packet takes up its own second after
/// it left, and some keep room for longer because nobody can know when they, or others, will leave:
///
/// - A SYN for as long as its address may still answer: the kernel acknowledges that answer by
///   itself, and all addresses may answer at once. That is 0.9 packet seconds for each address at
///   which nobody lives.
/// - An acknowledgement for the quarter second for which the kernel may hold it back.
/// - An open connection for the two packets that end it, since an abort ends all of them at once. It
///   is open at least for the rests between its questions.
///
/// What is *not* in here, so that the engine pays for it: the twentieth of a second that a SYN may
/// wait for the resolution of its address, the hundredth that every packet counts longer, waiting
/// for each other, and the time of the last conversation.
pub(crate) fn optimum(limits: &Limits, addresses: u32, report: &Report, packets: u64) -> f64 {
    let counters = &report.counters;
    let (silent, questions) = (counters.silent as f64, counters.requests as f64);
    let seconds = |milliseconds: u32| f64::from(milliseconds) / 1000.0;
    let waited = silent * seconds(limits.connect_timeout_ms);
    let rested = (counters.requests - counters.connections) as f64 * seconds(limits.request_gap_ms);
    let subnets = f64::from(addresses) / 256.0;
    let room = packets as f64 + waited + 0.25 * questions + 2.0 * rested;
    let by_process = room / f64::from(limits.process_packets_per_s);
    let by_subnet = packets as f64 / subnets / f64::from(limits.subnet_packets_per_s);
    let by_new = 256.0 / f64::from(limits.subnet_new_addresses_per_s);
    let by_parallel = (rested + waited) / f64::from(limits.parallel_devices);
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
