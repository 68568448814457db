//! The pretend plant, for examples and tests.

use otcore::blocking;
use otcore::sim;
use pyo3::prelude::*;

use crate::funnel::{raise, released};

/// A pretend plant on loopback, until it is dropped.
#[pyclass(frozen)]
pub(crate) struct Plant(blocking::Plant);

#[pymethods]
impl Plant {
    #[staticmethod]
    fn demo(py: Python<'_>, port: u16) -> PyResult<Self> {
        released(py, || blocking::Plant::serve(sim::Plant::demo(), port).map(Self))
    }

    #[staticmethod]
    fn substation(py: Python<'_>, port: u16) -> PyResult<Self> {
        released(py, || blocking::Plant::serve(sim::Plant::substation(), port).map(Self))
    }

    #[staticmethod]
    fn of_all_protocols(py: Python<'_>, port: u16) -> PyResult<Self> {
        released(py, || blocking::Plant::serve(sim::Plant::of_all_protocols(), port).map(Self))
    }

    /// Name, target and truth of every device, as JSON.
    fn devices(&self) -> PyResult<String> {
        let device = |device: &sim::Running| {
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
