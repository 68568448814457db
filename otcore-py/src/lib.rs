//! The native half of the Python package: text in, JSON out, nothing decided here.
//!
//! What Python people see is in `python/otcore`; what they see of this is `_native.pyi`.

mod funnel;
#[cfg(feature = "sim")]
mod sim;

use otcore::ErrorKind;
use otcore::blocking::{self, Settings, json};
use pyo3::prelude::*;

use funnel::{raise, released, wait};

/// Plans and starts scans under one policy.
#[pyclass(frozen)]
struct Scanner(blocking::Scanner);

#[pymethods]
impl Scanner {
    #[new]
    #[pyo3(signature = (policy, level, zone, source, journal, memory))]
    fn new(
        policy: Option<&str>,
        level: Option<&str>,
        zone: Option<&str>,
        source: Option<&str>,
        journal: Option<&str>,
        memory: Option<&str>,
    ) -> PyResult<Self> {
        let settings = Settings { policy, level, zone, source, journal, memory };
        blocking::Scanner::new(&settings).map(Self).map_err(raise)
    }

    /// The plan, as JSON.
    fn plan(&self, py: Python<'_>, targets: &str) -> PyResult<String> {
        released(py, || json(&self.0.plan(targets)?))
    }

    fn start(&self, py: Python<'_>, targets: &str) -> PyResult<Scan> {
        released(py, || self.0.start(targets).map(Scan))
    }
}

/// A running scan.
#[pyclass(frozen)]
struct Scan(blocking::Scan);

#[pymethods]
impl Scan {
    /// The next event, as JSON, or `None` after the last one.
    fn next(&self, py: Python<'_>) -> PyResult<Option<String>> {
        wait(py, &self.0)?.map(|event| json(&event).map_err(raise)).transpose()
    }

    fn abort(&self, py: Python<'_>) {
        py.detach(|| self.0.abort());
    }

    /// The report, as JSON. Waits for the end.
    fn finish(&self, py: Python<'_>) -> PyResult<String> {
        while wait(py, &self.0)?.is_some() {}
        released(py, || json(&*self.0.finish()?))
    }
}

/// Everything this build can send, as JSON.
#[pyfunction]
fn manifest() -> PyResult<String> {
    json(&otcore::manifest()).map_err(raise)
}

/// Number and name of every kind of error.
#[pyfunction]
fn error_kinds() -> Vec<(u16, &'static str)> {
    ErrorKind::ALL.iter().map(|kind| (kind.number(), kind.name())).collect()
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<Scanner>()?;
    module.add_class::<Scan>()?;
    #[cfg(feature = "sim")]
    module.add_class::<sim::Plant>()?;
    module.add_function(wrap_pyfunction!(manifest, module)?)?;
    module.add_function(wrap_pyfunction!(error_kinds, module)?)
}
