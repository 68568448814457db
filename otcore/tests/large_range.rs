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

use common::large::{optimum, resident_kib, sparse};
use common::network::Network;
use common::{Setting, Shared};
use otcore::Scanner;
use otcore::gate::policy::Limits;
use otcore::scan::Event;

const ADDRESSES: u32 = 65_536;
/// One device per hundred addresses, anywhere.
const LIVE: u32 = ADDRESSES / 100;

#[tokio::test(start_paused = true)]
async fn a_sparse_range_of_65536_addresses_is_fast_and_small() {
    let wiring = Network::wiring().without_capture().watched(&Limits::default());
    let setting = Setting::new(sparse(wiring, ADDRESSES, LIVE).done());
    let scanner = Scanner::builder()
        .policy(setting.policy.clone())
        .dialer(setting.network.clone())
        .wire(setting.wire.clone())
        .clock(setting.clock)
        .memory(Shared(setting.memory.clone()))
        .seed(1)
        .build()
        .unwrap();
    let plan = scanner.plan(&common::parse("10.0.0.0/16")).unwrap();
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
    let packets = setting.network.packets();
    let best = optimum(limits, ADDRESSES, &report, packets);
    let ratio = took / best;
    println!("{packets} packets in {took:.0} s, at best {best:.0} s: ratio {ratio:.3}");
    println!("memory grew from {early} to {most} KiB");
    assert!(ratio <= 1.1, "{took:.0} s is {ratio:.3} times the best that the policy allows");
}
