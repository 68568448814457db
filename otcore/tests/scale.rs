//! Plants larger than any that exists, in virtual time: measurements, run by hand.
//!
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

use std::time::Instant;

use common::large::{optimum, resident_kib, sparse};
use common::network::Network;
use common::{Setting, Shared};
use otcore::Scanner;

struct Measured {
    /// Virtual time by the best that the policy allows.
    ratio: f64,
    /// KiB beyond what the plant takes before it is scanned, what is found included.
    memory: u64,
}

async fn measured(range: &str, addresses: u32, live: u32) -> Measured {
    let setting = Setting::new(sparse(Network::wiring().without_capture(), addresses, live).done());
    let scanner = Scanner::builder()
        .policy(setting.policy.clone())
        .dialer(setting.network.clone())
        .wire(setting.wire.clone())
        .clock(setting.clock)
        .memory(Shared(setting.memory.clone()))
        .seed(1)
        .build()
        .unwrap();
    let plan = scanner.plan(&common::parse(range)).unwrap();
    let (early, real, began) = (resident_kib(), Instant::now(), tokio::time::Instant::now());
    let report = scanner.start(plan).finish().await;
    let (took, real) = (began.elapsed().as_secs_f64(), real.elapsed().as_secs_f64());
    let memory = resident_kib().saturating_sub(early);

    assert!(report.completed);
    assert_eq!(report.counters.identified, u64::from(live));
    assert_eq!(report.counters.silent, u64::from(addresses - live));
    let limits = &setting.policy.limits;
    let ratio = took / optimum(limits, addresses, &report, setting.network.packets());
    let micros = real * 1e6 / f64::from(addresses);
    println!(
        "{range}, {live} devices: {:.1} hours of virtual time, {ratio:.3} times the best; {} MiB; {real:.0} s \
         in reality, {micros:.1} us an address",
        took / 3_600.0,
        memory / 1024,
    );
    Measured { ratio, memory }
}

#[tokio::test(start_paused = true)]
#[ignore = "a measurement of a minute"]
async fn an_inventory_of_100_000_devices() {
    let seen = measured("10.0.0.0/15", 131_072, 100_000).await;
    // Every packet takes up a second and a quarter, since its acknowledgement may be held back.
    assert!(seen.ratio <= 1.3, "{}", seen.ratio);
    assert!(seen.memory <= 1200 * 1024, "{} KiB", seen.memory);
}

#[tokio::test(start_paused = true)]
#[ignore = "a measurement of half an hour"]
async fn a_network_of_sixteen_million_addresses_of_which_one_in_a_hundred_is_taken() {
    const ADDRESSES: u32 = 1 << 24;
    let seen = measured("10.0.0.0/8", ADDRESSES, ADDRESSES / 100).await;
    assert!(seen.ratio <= 1.05, "{}", seen.ratio);
    assert!(seen.memory <= 2 * 1024 * 1024, "{} KiB", seen.memory);
}
