//! Small plants with random faults, policies, aborts and pauses: every promise holds.
//!
//! The input is the number of the plant, as for the test `seeds` of the engine.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore_fuzz::plant;

fuzz_target!(|seed: u64| plant(seed));
