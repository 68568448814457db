//! A large range with few devices: every limit in every second, bounded memory, and near the best that the policy allows.
#![cfg(feature = "sim")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_possible_truncation
)] // a test says what went wrong by stopping

mod common;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use common::network::Network;
use common::{Dice, Setting, Shared};
use otcore::Scanner;
use otcore::gate::policy::Limits;
use otcore::protocols::modbus::sim::typical;
use otcore::scan::Event;

const ADDRESSES: u32 = 65_536;
const LIVE: u32 = ADDRESSES / 100;

/// One device per hundred addresses, anywhere.
fn plant(limits: &Limits) -> Network {
    let mut dice = Dice::new(4);
    let mut wiring = Network::wiring().without_capture().watched(limits);
    let mut places: Vec<u32> = (0..ADDRESSES).collect();
    for i in 0..LIVE {
        let other = i + u32::try_from(dice.below((ADDRESSES - i).into())).unwrap();
        places.swap(i as usize, other as usize);
        let [.., c, d] = places[i as usize].to_be_bytes();
        let at = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 9, c, d)), 502);
        wiring = wiring.device(at, typical());
    }
    wiring.done()
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
fn optimum(limits: &Limits, packets: f64, silent: f64, device_seconds: f64) -> f64 {
    let subnets = f64::from(ADDRESSES) / 256.0;
    let waiting = silent * f64::from(limits.connect_timeout_ms) / 1000.0;
    let by_process = (packets + waiting) / f64::from(limits.process_packets_per_s);
    let by_subnet = packets / subnets / f64::from(limits.subnet_packets_per_s);
    let by_new = 256.0 / f64::from(limits.subnet_new_addresses_per_s);
    let by_parallel = device_seconds / f64::from(limits.parallel_devices);
    by_process.max(by_subnet).max(by_new).max(by_parallel)
}

#[cfg(target_os = "linux")]
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[cfg(not(target_os = "linux"))]
fn resident_kib() -> u64 {
    0
}

#[tokio::test(start_paused = true)]
async fn a_sparse_range_of_65536_addresses_is_fast_and_small() {
    let setting = Setting::new(plant(&Limits::default()));
    let scanner = Scanner::builder()
        .policy(setting.policy.clone())
        .dialer(setting.network.clone())
        .wire(setting.wire.clone())
        .clock(setting.clock)
        .memory(Shared(setting.memory.clone()))
        .seed(1)
        .build()
        .unwrap();
    let plan = scanner.plan(&common::parse("10.9.0.0/16")).unwrap();
    let began = tokio::time::Instant::now();
    let mut scan = scanner.start(plan);
    let (mut early, mut most, mut remembered) = (0, 0, 0);
    while let Some(event) = scan.next().await {
        if let Event::Progress(progress) = event
            && progress.done % 4096 == 0
        {
            early = if progress.percent() <= 12 { resident_kib() } else { early };
            most = most.max(resident_kib());
            let kept = setting.network.watched(|watch, _| watch.remembered());
            remembered = remembered.max(kept.unwrap());
        }
    }
    let report = scan.finish().await;
    let took = began.elapsed().as_secs_f64();

    assert!(report.completed);
    assert_eq!(report.counters.identified, u64::from(LIVE));
    assert_eq!(report.outcomes.len() as u32, LIVE, "silence is counted, not listed");
    assert_eq!(report.counters.silent, u64::from(ADDRESSES - LIVE));
    assert!(most.saturating_sub(early) < 24 * 1024, "memory grew from {early} to {most} KiB");

    let limits = &setting.policy.limits;
    setting.network.watched(|watch, _| {
        assert_eq!(watch.broken(), Vec::<String>::new());
        let busiest = watch.busiest();
        println!("{busiest:?}; the watch remembered {remembered} addresses and subnets at most");
        assert!(busiest.process > 100, "the watch saw a busy scan: {busiest:?}");
        assert_eq!(busiest.connections, 1);
    });
    let spent: u64 = report.outcomes.iter().map(|record| record.millis).sum();
    let waited = u64::from(ADDRESSES - LIVE) * u64::from(limits.connect_timeout_ms);
    let packets = setting.network.packets();
    let best = optimum(
        limits,
        packets as f64,
        f64::from(ADDRESSES - LIVE),
        (spent + waited) as f64 / 1000.0,
    );
    let ratio = took / best;
    println!("{packets} packets in {took:.0} s, at best {best:.0} s: ratio {ratio:.3}");
    println!("memory grew from {early} to {most} KiB");
    assert!(ratio <= 1.1, "{took:.0} s is {ratio:.3} times the best that the policy allows");
}
