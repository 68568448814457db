//! Data packs: what devices are called.

use otcore::blocking::{self, json};
use pyo3::prelude::*;

use crate::funnel::released;

/// What is compiled in, or a pack of somebody who is trusted.
#[pyclass(frozen)]
pub(crate) struct Packs(pub(crate) blocking::Packs);

#[pymethods]
impl Packs {
    #[staticmethod]
    fn built_in() -> Self {
        Self(blocking::Packs::built_in())
    }

    #[staticmethod]
    fn trusting(py: Python<'_>, keys: &str) -> PyResult<Self> {
        released(py, || blocking::Packs::new(keys).map(Self))
    }

    #[staticmethod]
    fn in_folder(py: Python<'_>, keys: &str, folder: &str) -> PyResult<Self> {
        released(py, || blocking::Packs::in_folder(keys, folder).map(Self))
    }

    /// Why the pack in the folder was not used.
    fn refused(&self) -> Option<&str> {
        self.0.refused()
    }

    /// The card of the pack in use, as JSON.
    fn in_use(&self, py: Python<'_>) -> PyResult<Option<String>> {
        released(py, || self.0.in_use().as_ref().map(json).transpose())
    }

    /// The card of a good pack, as JSON, and the key that signed it.
    fn open(&self, py: Python<'_>, pack: &[u8]) -> PyResult<(String, String)> {
        let pack = released(py, || self.0.open(pack))?;
        released(py, || Ok((json(pack.card())?, pack.signer().to_owned())))
    }

    /// Its card, as JSON.
    fn apply(&self, py: Python<'_>, pack: &[u8]) -> PyResult<String> {
        released(py, || json(&self.0.apply(pack)?))
    }

    /// The card of what is used again, as JSON.
    fn roll_back(&self, py: Python<'_>) -> PyResult<Option<String>> {
        released(py, || self.0.roll_back()?.as_ref().map(json).transpose())
    }
}
