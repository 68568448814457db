//! Inventories that last.

use otcore::blocking::{self, json};
use pyo3::prelude::*;

use crate::funnel::released;
use crate::inventory::{Inventory, told};
use crate::packs::Packs;

/// Keeps what scans saw.
#[pyclass(frozen)]
pub(crate) struct Store(blocking::Store);

#[pymethods]
impl Store {
    #[staticmethod]
    fn in_memory() -> Self {
        Self(blocking::Store::in_memory())
    }

    #[staticmethod]
    fn open(py: Python<'_>, path: &str) -> PyResult<Self> {
        released(py, || blocking::Store::open(path).map(Self))
    }

    fn keep(&self, py: Python<'_>, inventory: &Inventory) -> PyResult<usize> {
        released(py, || self.0.keep(&inventory.0))
    }

    /// Zone, address and, on loopback, port of every place.
    fn places(&self, py: Python<'_>) -> PyResult<Vec<(String, String, Option<u16>)>> {
        let places = released(py, || self.0.places())?.into_iter();
        Ok(places.map(|p| (p.zone.to_string(), p.address.to_string(), p.port)).collect())
    }

    fn inventory(&self, py: Python<'_>, packs: &Packs) -> PyResult<Inventory> {
        released(py, || self.0.inventory(&packs.0).map(Inventory))
    }

    fn redecoded(&self, py: Python<'_>, packs: &Packs) -> PyResult<Inventory> {
        released(py, || self.0.redecoded(&packs.0).map(Inventory))
    }

    /// Claims, as JSON.
    fn history(&self, py: Python<'_>, packs: &Packs, path: &str, field: &str) -> PyResult<String> {
        released(py, || json(&self.0.history(&packs.0, path, field)?))
    }

    /// What a pack would change, as JSON and for people.
    fn preview(&self, py: Python<'_>, packs: &Packs, pack: &[u8]) -> PyResult<(String, String)> {
        released(py, || told(&self.0.preview(&packs.0, pack)?))
    }

    fn check(&self, py: Python<'_>) -> PyResult<()> {
        released(py, || self.0.check())
    }
}
