//! The pretend plant, for examples and tests.

use otcore::blocking;
use pyo3::prelude::*;

use crate::funnel::{raise, released};

/// The demonstration plant on loopback, until it is dropped.
#[pyclass(frozen)]
pub(crate) struct Plant(blocking::Plant);

#[pymethods]
impl Plant {
    #[new]
    fn new(py: Python<'_>, port: u16) -> PyResult<Self> {
        released(py, || blocking::Plant::start(port).map(Self))
    }

    /// Name, target and truth of every device, as JSON.
    fn devices(&self) -> PyResult<String> {
        let device = |device: &otcore::sim::Running| {
            serde_json::json!({
                "name": device.name,
                "target": device.target(),
                "address": device.addr.ip(),
                "port": device.addr.port(),
                "expected": device.expected,
            })
        };
        let all: Vec<_> = self.0.devices().iter().map(device).collect();
        blocking::json(&all).map_err(raise)
    }

    /// How many questions it has been asked.
    fn requests(&self) -> u64 {
        self.0.devices().iter().map(|device| device.counters().requests).sum()
    }

    /// What must never have been sent.
    fn violations(&self) -> Vec<String> {
        self.0.violations()
    }

    /// Everything that would have hurt a real plant.
    fn harm(&self) -> Vec<String> {
        self.0.harm()
    }
}
