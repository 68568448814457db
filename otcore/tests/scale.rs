//! Plants larger than any that exists, in virtual time: measurements, run by hand, and what makes
//! them possible: a scan that keeps nothing.
//!
//! `scripts/test scale`, or
//! `cargo test --release -p otcore --features sim --test scale -- --ignored --nocapture`
//!
//! Limits are watched packet by packet in `large_range.rs`, which is the same at a size for every day.
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

use std::fs::OpenOptions;
use std::io::Write;
use std::time::Duration;

use common::large::{optimum, resident_kib, sparse};
use common::network::Network;
use common::{Setting, Shared};
use otcore::gate::policy::Limits;
use otcore::scan::Event;
use otcore::{Outcome, Report, Scanner};

struct Measured {
    /// Virtual time by the best that the policy allows.
    ratio: f64,
    /// KiB at most beyond what the plant takes before it is scanned.
    memory: u64,
}

/// Whether the scan keeps what it finds for a report, or only tells it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Finds {
    Kept,
    Told,
}

fn scanner(setting: &Setting, finds: Finds) -> Scanner {
    let builder = Scanner::builder()
        .policy(setting.policy.clone())
        .dialer(setting.network.clone())
        .wire(setting.wire.clone())
        .clock(setting.clock)
        .memory(Shared(setting.memory.clone()))
        .seed(1);
    let builder = if finds == Finds::Told { builder.only_tell() } else { builder };
    builder.build().unwrap()
}

async fn measured(range: &str, addresses: u32, live: u32, finds: Finds) -> Measured {
    let setting = Setting::new(sparse(Network::wiring().without_capture(), addresses, live).done());
    let scanner = scanner(&setting, finds);
    let plan = scanner.plan(&common::parse(range)).unwrap();
    let (early, worked, began) = (resident_kib(), processor(), tokio::time::Instant::now());
    let mut scan = scanner.start(plan);
    let (mut most, mut found) = (early, 0);
    while let Some(event) = scan.next().await {
        match event {
            Event::Progress(progress) if progress.done % 4096 == 0 => {
                most = most.max(resident_kib());
            }
            Event::Asset(_) => found += 1,
            Event::Outcome(record) if record.outcome != Outcome::Identified => {
                println!("{}: {:?}", record.address, record.outcome);
            }
            _ => {}
        }
    }
    let report = scan.finish().await;
    let (took, worked) = (began.elapsed().as_secs_f64(), processor() - worked);
    let memory = most.max(resident_kib()).saturating_sub(early);

    assert!(report.completed);
    assert_eq!(found, live);
    assert_eq!(report.counters.identified, u64::from(live));
    // The broadcast address of a whole monitored network is never touched.
    assert!(report.counters.planned >= u64::from(addresses - 1));
    assert_eq!(report.counters.silent, report.counters.planned - u64::from(live));
    let kept = if finds == Finds::Kept { live as usize } else { 0 };
    assert_eq!(report.assets.len(), kept);
    let limits = &setting.policy.limits;
    let packets = setting.network.packets();
    let best = optimum(limits, addresses, &report, packets);
    let bare = packets as f64 / f64::from(limits.process_packets_per_s);
    let micros = worked.as_secs_f64() * 1e6;
    let row = format!(
        "{{\"range\": \"{range}\", \"addresses\": {addresses}, \"devices\": {live}, \"kept\": {}, \
         \"hours\": {:.1}, \"ratio\": {:.3}, \"bare_ratio\": {:.3}, \"memory_mib\": {:.1}, \"processor_s\": {:.0}, \
         \"micros_per_address\": {:.1}, \"micros_per_device\": {:.0}}}",
        finds == Finds::Kept,
        took / 3_600.0,
        took / best,
        took / bare,
        memory as f64 / 1024.0,
        worked.as_secs_f64(),
        micros / f64::from(addresses),
        micros / f64::from(live),
    );
    println!("{row}");
    write_down(&row);
    Measured { ratio: took / best, memory }
}

/// A line for `scripts/scale`, which makes a page of it.
fn write_down(row: &str) {
    let Ok(path) = std::env::var("OTCORE_SCALE_RESULTS") else { return };
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    writeln!(file, "{row}").unwrap();
}

/// What this process has worked so far, devices included.
#[cfg(target_os = "linux")]
fn processor() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, after_name) = stat.rsplit_once(')').unwrap();
    let ticks: Vec<u64> =
        after_name.split_whitespace().skip(11).take(2).map(|n| n.parse().unwrap()).collect();
    Duration::from_millis(10 * (ticks[0] + ticks[1])) // a hundred ticks a second, on every Linux
}

#[cfg(not(target_os = "linux"))]
fn processor() -> Duration {
    Duration::ZERO
}

/// Every event as JSON, and the report.
async fn heard(finds: Finds) -> (Vec<String>, Report) {
    let setting = Setting::new(sparse(Network::wiring(), 256, 40).done());
    let scanner = scanner(&setting, finds);
    let mut scan = scanner.start(scanner.plan(&common::parse("10.0.0.0/24")).unwrap());
    let mut events = Vec::new();
    while let Some(event) = scan.next().await {
        events.push(serde_json::to_string(&event).unwrap());
    }
    (events, scan.finish().await)
}

#[tokio::test(start_paused = true)]
async fn what_is_only_told_is_told_alike_and_not_kept() {
    let (kept, whole) = heard(Finds::Kept).await;
    let (told, head) = heard(Finds::Told).await;
    assert_eq!(told, kept);
    assert_eq!((whole.assets.len(), whole.outcomes.len()), (40, 40));
    assert_eq!((head.assets.len(), head.outcomes.len(), head.exchanges.len()), (0, 0, 0));
    assert_eq!(head.counters.identified, 40);
    assert_eq!((head.counters.silent, head.asked), (whole.counters.silent, whole.asked));
}

/// Where everybody answers, conversations wait for each other, and those under way must come first:
/// the ends of many half-done ones would fill half of the process's pace.
#[tokio::test(start_paused = true)]
async fn a_dense_range_is_near_the_best_too() {
    const ADDRESSES: u32 = 4_096;
    const LIVE: u32 = 3_000;
    let wiring = Network::wiring().without_capture().watched(&Limits::default());
    let setting = Setting::new(sparse(wiring, ADDRESSES, LIVE).done());
    let began = tokio::time::Instant::now();
    let ended = setting.scan("10.0.0.0/20").await;
    let took = began.elapsed().as_secs_f64();

    assert_eq!(ended.report.counters.identified, u64::from(LIVE));
    let broken = setting.network.watched(|watch, _| watch.broken().to_vec());
    assert_eq!(broken, Some(Vec::new()));
    let limits = &setting.policy.limits;
    let best = optimum(limits, ADDRESSES, &ended.report, setting.network.packets());
    let ratio = took / best;
    println!("{took:.0} s, at best {best:.0} s: ratio {ratio:.3}");
    assert!(ratio <= 1.15, "{took:.0} s is {ratio:.3} times the best that the policy allows");
}

#[tokio::test(start_paused = true)]
#[ignore = "a measurement of a minute"]
async fn an_inventory_of_100_000_devices() {
    let seen = measured("10.0.0.0/15", 131_072, 100_000, Finds::Kept).await;
    assert!(seen.ratio <= 1.05, "{}", seen.ratio);
    assert!(seen.memory <= 1200 * 1024, "{} KiB", seen.memory);
}

#[tokio::test(start_paused = true)]
#[ignore = "a measurement of a minute"]
async fn a_hundred_thousand_devices_that_are_told_and_not_kept() {
    let seen = measured("10.0.0.0/15", 131_072, 100_000, Finds::Told).await;
    assert!(seen.ratio <= 1.05, "{}", seen.ratio);
    assert!(seen.memory <= 64 * 1024, "{} KiB", seen.memory);
}

#[tokio::test(start_paused = true)]
#[ignore = "a measurement of some minutes"]
async fn a_network_of_sixteen_million_addresses_of_which_one_in_a_hundred_is_taken() {
    const ADDRESSES: u32 = 1 << 24;
    let seen = measured("10.0.0.0/8", ADDRESSES, ADDRESSES / 100, Finds::Told).await;
    assert!(seen.ratio <= 1.05, "{}", seen.ratio);
    // 167,772 devices are remembered, so that nobody visits them again too soon.
    assert!(seen.memory <= 64 * 1024, "{} KiB", seen.memory);
}
