//! What is known of a plant.

use std::collections::BTreeSet;
use std::sync::Arc;

use otcore::blocking::{self, json};
use otcore::export::{Look, changes};
use otcore::model::Diff;
use otcore::{Error, Report};
use pyo3::prelude::*;

use crate::funnel::released;
use crate::packs::Packs;

/// What a scan found, or a file says.
#[pyclass(frozen)]
pub(crate) struct Inventory(pub(crate) blocking::Inventory);

impl From<Arc<Report>> for Inventory {
    fn from(report: Arc<Report>) -> Self {
        Self(report.into())
    }
}

#[pymethods]
impl Inventory {
    #[staticmethod]
    fn read(py: Python<'_>, text: &str) -> PyResult<Self> {
        released(py, || blocking::Inventory::read(text).map(Self))
    }

    fn json(&self, py: Python<'_>) -> PyResult<String> {
        released(py, || self.0.json())
    }

    /// The report without assets and exchanges, as JSON.
    fn head(&self, py: Python<'_>) -> PyResult<String> {
        released(py, || self.0.head())
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn paths(&self) -> Vec<&str> {
        self.0.paths()
    }

    /// The asset with this path, as JSON.
    fn asset(&self, py: Python<'_>, path: &str) -> PyResult<Option<String>> {
        released(py, || self.0.asset(path).map(json).transpose())
    }

    #[allow(clippy::needless_pass_by_value)] // Python hands over sets as values
    fn part(&self, py: Python<'_>, paths: BTreeSet<String>) -> PyResult<Self> {
        released(py, || self.0.part(&paths).map(Self))
    }

    fn merged(&self, py: Python<'_>, other: &Self) -> PyResult<Self> {
        released(py, || self.0.merged(&other.0).map(Self))
    }

    /// What is different in `later`, as JSON and for people.
    fn diff(&self, py: Python<'_>, later: &Self, across: bool) -> PyResult<(String, String)> {
        released(py, || told(&self.0.diff(&later.0, across)?))
    }

    /// Which assets are one device, as JSON.
    fn joined(&self, py: Python<'_>, across: bool) -> PyResult<String> {
        released(py, || json(&self.0.joined(across)))
    }

    fn export(&self, py: Python<'_>, format: &str) -> PyResult<String> {
        released(py, || self.0.export(format))
    }

    fn redecoded(&self, py: Python<'_>, packs: &Packs) -> PyResult<Self> {
        released(py, || self.0.redecoded(&packs.0).map(Self))
    }

    /// What a pack would change, as JSON and for people.
    fn preview(&self, py: Python<'_>, packs: &Packs, pack: &[u8]) -> PyResult<(String, String)> {
        released(py, || told(&self.0.preview(&packs.0, pack)?))
    }

    fn csv(&self, py: Python<'_>) -> String {
        py.detach(|| self.0.csv())
    }

    /// Names of columns, and rows, as JSON.
    fn sheet(&self, py: Python<'_>) -> PyResult<String> {
        released(py, || json(&self.0.sheet()))
    }

    #[pyo3(signature = (colours, width))]
    fn table(&self, py: Python<'_>, colours: bool, width: Option<usize>) -> String {
        py.detach(|| self.0.table(Look { colours, width }))
    }
}

/// What differs, as JSON and for people.
pub(crate) fn told(diff: &Diff) -> Result<(String, String), Error> {
    Ok((json(diff)?, changes(diff, Look::default())))
}
