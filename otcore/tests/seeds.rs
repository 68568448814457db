//! Thousands of small plants with random faults: whatever a seed leads to, every promise holds.
//!
//! `OTCORE_SEEDS` says how many (3000), `OTCORE_FIRST_SEED` which is the first (0).
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

#[path = "seeds/case.rs"]
mod case;
#[path = "seeds/checks.rs"]
mod checks;
#[path = "seeds/faults.rs"]
mod faults;
#[path = "seeds/run.rs"]
mod run;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use common::network::Packet;

/// So many that the whole takes half a minute on one core of a laptop without optimisation.
const SEEDS: u64 = 3_000;
/// This many broken seeds are told, then it is enough.
const TOLD: usize = 5;

fn number(variable: &str, otherwise: u64) -> u64 {
    let text = std::env::var(variable).ok();
    text.map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{variable}={text}")))
}

/// Carry out a seed in virtual time, check it, and give back everything that left.
fn sent_by(seed: u64, check: bool) -> Vec<Packet> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    let seen = runtime.block_on(run::run(seed));
    if check {
        if number("OTCORE_SEEDS", SEEDS) == 1 {
            tell(&seen);
        }
        checks::check(&seen);
    }
    seen.setting.network.capture()
}

/// Everything about a seed that is looked at alone.
fn tell(seen: &run::Seen) {
    println!("{:#?}", seen.case);
    for packet in seen.setting.network.capture() {
        println!("{packet:?}");
    }
    for entry in seen.setting.journal.entries() {
        println!("{}", serde_json::to_string(&entry).unwrap());
    }
    for (_, report) in &seen.scans {
        println!("{:#?}", report.as_ref().map(|report| (&report.outcomes, &report.counters)));
    }
}

/// A seed keeps every promise, and sends the same when it is carried out again.
fn try_seed(seed: u64) -> u64 {
    let once = sent_by(seed, true);
    let again = sent_by(seed, false);
    let differs = once.iter().zip(&again).find(|(once, again)| once != again);
    assert_eq!(differs, None, "the second time something else was sent");
    assert_eq!(once.len(), again.len(), "the second time more or less was sent");
    once.len() as u64
}

#[test]
fn whatever_a_seed_leads_to_every_promise_holds() {
    let (first, count) = (number("OTCORE_FIRST_SEED", 0), number("OTCORE_SEEDS", SEEDS));
    let (next, packets) = (AtomicU64::new(0), AtomicU64::new(0));
    let broken = Mutex::new(Vec::new());
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let nth = next.fetch_add(1, Ordering::Relaxed);
                    if nth >= count || broken.lock().unwrap().len() >= TOLD {
                        return;
                    }
                    match catch_unwind(AssertUnwindSafe(|| try_seed(first + nth))) {
                        Ok(sent) => drop(packets.fetch_add(sent, Ordering::Relaxed)),
                        Err(_) => broken.lock().unwrap().push(first + nth),
                    }
                }
            });
        }
    });
    let took = began.elapsed().as_secs_f64();
    let broken = broken.into_inner().unwrap();
    for seed in &broken {
        println!("seed {seed} is broken; see it alone with");
        println!(
            "  OTCORE_FIRST_SEED={seed} OTCORE_SEEDS=1 cargo test -p otcore --features sim \\"
        );
        println!("    --test seeds -- --nocapture");
    }
    assert_eq!(broken, Vec::<u64>::new(), "these seeds are broken");
    let (rate, packets) = (count as f64 / took, packets.into_inner());
    println!("{count} seeds from {first}, {packets} packets, {took:.1} s: {rate:.0} seeds/s");
    assert!(count < 100 || packets > 20 * count, "the plants are worth a test");
}
