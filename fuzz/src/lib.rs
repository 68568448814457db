//! What several targets share: pretend devices that do what an input says, whole scans of them in
//! virtual time, and readers of their own for what the engine writes.
//!
//! The simulated network and the promises that are checked are those of the engine's tests.

#[path = "../../otcore/tests/seeds/case.rs"]
#[allow(dead_code)]
mod case;
#[path = "../../otcore/tests/seeds/checks.rs"]
mod checks;
#[path = "../../otcore/tests/common/mod.rs"]
mod common;
pub mod devices;
pub mod dialogue;
#[path = "../../otcore/tests/seeds/faults.rs"]
mod faults;
pub mod hostile;
#[path = "../../otcore/tests/seeds/kept.rs"]
mod kept;
#[path = "../../otcore/tests/seeds/kinds.rs"]
mod kinds;
pub mod results;
#[path = "../../otcore/tests/seeds/run.rs"]
#[allow(dead_code)]
mod run;
pub mod script;
pub mod selector;
pub mod stored;
#[path = "../../otcore/tests/seeds/sums.rs"]
mod sums;
#[path = "../../otcore/tests/seeds/truth.rs"]
#[allow(dead_code)]
mod truth;

/// Carry out what a seed of the engine's own test stands for, in virtual time, and check it.
pub fn plant(seed: u64) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
    checks::check(&runtime.block_on(run::run(seed)));
}
