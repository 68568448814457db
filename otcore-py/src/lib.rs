//! The native half of the Python package: text in, JSON out, nothing decided here.
//!
//! What Python people see is in `python/otcore`; what they see of this is `_native.pyi`.

mod funnel;
mod inventory;
mod packs;
mod policy;
mod scan;
mod sim;
mod store;

use otcore::ErrorKind;
use otcore::blocking::{self, json};
use otcore::export::Format;
use otcore::gate::policy::KNOWN;
use pyo3::prelude::*;

use funnel::{raise, released};

/// Devices that are left alone, as a file remembers them.
#[pyclass(frozen)]
struct Memory(blocking::Memory);

#[pymethods]
impl Memory {
    #[new]
    fn new(py: Python<'_>, path: &str) -> PyResult<Self> {
        released(py, || blocking::Memory::open(path).map(Self))
    }

    /// Everything that is remembered, as JSON.
    fn all(&self, py: Python<'_>) -> PyResult<String> {
        released(py, || json(&self.0.all()?))
    }

    fn clear(&self, py: Python<'_>, zone: &str, address: &str) -> PyResult<usize> {
        released(py, || self.0.clear(zone, address))
    }
}

/// Everything this build can send, as JSON.
#[pyfunction]
fn manifest() -> PyResult<String> {
    json(&otcore::manifest()).map_err(raise)
}

/// The same for people.
#[pyfunction]
fn manifest_text() -> String {
    otcore::manifest().to_string()
}

/// Number and name of every kind of error.
#[pyfunction]
fn error_kinds() -> Vec<(u16, &'static str)> {
    ErrorKind::ALL.iter().map(|kind| (kind.number(), kind.name())).collect()
}

/// Every protocol that policies know.
#[pyfunction]
fn protocols() -> Vec<&'static str> {
    KNOWN.iter().map(|known| known.name).collect()
}

/// Every form in which an inventory is handed on.
#[pyfunction]
fn formats() -> Vec<&'static str> {
    Format::ALL.iter().map(|format| format.name()).collect()
}

/// The command line program; its exit status.
#[pyfunction]
fn otscan(py: Python<'_>, arguments: Vec<String>) -> u8 {
    py.detach(|| otcore_examples::otscan::run(arguments))
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<inventory::Inventory>()?;
    module.add_class::<Memory>()?;
    module.add_class::<packs::Packs>()?;
    module.add_class::<policy::Policy>()?;
    module.add_class::<scan::Event>()?;
    module.add_class::<scan::Plan>()?;
    module.add_class::<scan::Scan>()?;
    module.add_class::<scan::Scanner>()?;
    module.add_class::<sim::Plant>()?;
    module.add_class::<store::Store>()?;
    module.add_function(wrap_pyfunction!(error_kinds, module)?)?;
    module.add_function(wrap_pyfunction!(formats, module)?)?;
    module.add_function(wrap_pyfunction!(manifest, module)?)?;
    module.add_function(wrap_pyfunction!(manifest_text, module)?)?;
    module.add_function(wrap_pyfunction!(otscan, module)?)?;
    module.add_function(wrap_pyfunction!(protocols, module)?)
}
