//! Thousands of small plants with random faults: whatever a seed leads to, every promise holds.
//!
//! `OTCORE_SEEDS` says how many (2000), `OTCORE_FIRST_SEED` which is the first (0), and
//! `OTCORE_SEEDS_FILE` where a line with the counts is added.
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
#[path = "seeds/kept.rs"]
mod kept;
#[path = "seeds/kinds.rs"]
mod kinds;
#[path = "seeds/run.rs"]
mod run;
#[path = "seeds/sums.rs"]
mod sums;
#[path = "seeds/tally.rs"]
mod tally;
#[path = "seeds/truth.rs"]
mod truth;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use tally::Tally;

/// So many that the whole takes about ten seconds on two cores without optimisation.
const SEEDS: u64 = 2_000;
/// One seed in so many is carried out once more.
const TWICE: u64 = 8;
/// This many broken seeds are told, then it is enough.
const TOLD: usize = 5;

fn number(variable: &str, otherwise: u64) -> u64 {
    let text = std::env::var(variable).ok();
    text.map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{variable}={text}")))
}

/// Carry out a seed in virtual time.
fn carry_out(seed: u64) -> run::Seen {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    runtime.block_on(run::run(seed))
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

/// A seed keeps every promise, and some send the same when they are carried out again.
fn try_seed(seed: u64, alone: bool) -> Tally {
    let seen = carry_out(seed);
    if alone {
        tell(&seen);
    }
    checks::check(&seen);
    let mut tally = Tally::of(&seen);
    if seed.is_multiple_of(TWICE) {
        sends_the_same(&seen, &carry_out(seed));
        tally.twice = 1;
    }
    tally
}

fn sends_the_same(once: &run::Seen, again: &run::Seen) {
    let [once, again] = [once, again].map(|seen| seen.setting.network.capture());
    let differs = once.iter().zip(&again).find(|(once, again)| once != again);
    assert_eq!(differs, None, "the second time something else was sent");
    assert_eq!(once.len(), again.len(), "the second time more or less was sent");
}

#[test]
fn whatever_a_seed_leads_to_every_promise_holds() {
    let (first, count) = (number("OTCORE_FIRST_SEED", 0), number("OTCORE_SEEDS", SEEDS));
    let (next, tally) = (AtomicU64::new(0), Mutex::new(Tally::default()));
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
                    match catch_unwind(AssertUnwindSafe(|| try_seed(first + nth, count == 1))) {
                        Ok(one) => *tally.lock().unwrap() += one,
                        Err(_) => broken.lock().unwrap().push(first + nth),
                    }
                }
            });
        }
    });
    let took = began.elapsed();
    let broken = broken.into_inner().unwrap();
    for seed in &broken {
        println!("seed {seed} is broken; see it alone with");
        println!(
            "  OTCORE_FIRST_SEED={seed} OTCORE_SEEDS=1 cargo test -p otcore --features sim \\"
        );
        println!("    --test seeds -- --nocapture");
    }
    assert_eq!(broken, Vec::<u64>::new(), "these seeds are broken");
    let tally = tally.into_inner().unwrap();
    println!("{tally} from {first}, {took:.1?}: {:.0} seeds/s", count as f64 / took.as_secs_f64());
    assert!(count < 100 || tally.packets > 20 * count, "the plants are worth a test");
    tally.write_down(first, took);
}
