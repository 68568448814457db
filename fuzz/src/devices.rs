//! Honest devices: those of the engine's own tests.

use otcore::sim::Device;

use crate::kinds;

/// An honest device of this protocol; `kind` chooses which.
#[must_use]
pub fn honest(protocol: &str, kind: u8) -> Box<dyn Device> {
    kinds::honest(protocol, kind)
}

/// The device that the simulators begin with.
#[must_use]
pub fn typical(protocol: &str) -> Box<dyn Device> {
    kinds::typical(protocol)
}
