//! What may be done.

use otcore::blocking::{self, explain, json};
use pyo3::prelude::*;

use crate::funnel::{raise, released};

/// A policy that has been checked.
#[pyclass(frozen)]
pub(crate) struct Policy(otcore::Policy);

#[pymethods]
impl Policy {
    #[staticmethod]
    fn read(py: Python<'_>, text: &str) -> PyResult<Self> {
        released(py, || blocking::policy(text).map(Self))
    }

    fn json(&self) -> PyResult<String> {
        self.0.to_json().map_err(otcore::Error::from).map_err(raise)
    }

    fn toml(&self) -> PyResult<String> {
        self.0.to_toml().map_err(otcore::Error::from).map_err(raise)
    }

    /// What decides about an address, as JSON and for people.
    #[pyo3(signature = (zone, address, protocol, port))]
    fn explain(
        &self,
        zone: &str,
        address: &str,
        protocol: &str,
        port: Option<u16>,
    ) -> PyResult<(String, String)> {
        let told = explain(&self.0, zone, address, protocol, port).map_err(raise)?;
        Ok((json(&told).map_err(raise)?, told.to_string()))
    }
}
