//! Scanners, plans and running scans.

use otcore::blocking::{self, Settings, json, told};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::funnel::{raise, released, wait, wait_at_most};
use crate::inventory::Inventory;
use crate::packs::Packs;

/// Plans and starts scans under one policy.
#[pyclass(frozen)]
pub(crate) struct Scanner(blocking::Scanner);

#[pymethods]
impl Scanner {
    #[new]
    #[allow(clippy::too_many_arguments)] // one for each setting, all named on the Python side
    #[allow(clippy::needless_pass_by_value)] // Python hands over lists as values
    #[pyo3(signature = (policy, level, protocols, zone, source, journal, capture, memory, packs))]
    fn new(
        policy: Option<&str>,
        level: Option<&str>,
        protocols: Vec<String>,
        zone: Option<&str>,
        source: Option<&str>,
        journal: Option<&str>,
        capture: Option<&str>,
        memory: Option<&str>,
        packs: &Packs,
    ) -> PyResult<Self> {
        let protocols = protocols.as_slice();
        let settings =
            Settings { policy, level, protocols, zone, source, journal, capture, memory };
        let scanner = blocking::Scanner::new(&settings).map_err(raise)?;
        Ok(Self(scanner.with_packs(&packs.0)))
    }

    fn plan(&self, py: Python<'_>, targets: &str) -> PyResult<Plan> {
        released(py, || self.0.plan(targets).map(Plan))
    }

    fn start(&self, py: Python<'_>, plan: &Plan) -> PyResult<Scan> {
        released(py, || self.0.carry_out(plan.0.clone()).map(Scan))
    }

    /// What may be done, as JSON.
    fn policy(&self, py: Python<'_>) -> PyResult<String> {
        released(py, || Ok(self.0.policy().to_json()?))
    }
}

/// What would be sent to whom.
#[pyclass(frozen)]
pub(crate) struct Plan(otcore::Plan);

#[pymethods]
impl Plan {
    fn json(&self, py: Python<'_>) -> PyResult<String> {
        released(py, || json(&self.0))
    }

    /// For people.
    fn text(&self) -> String {
        self.0.to_string()
    }
}

/// Something that happened. It becomes JSON only when somebody wants to have it all.
#[pyclass(frozen)]
pub(crate) struct Event(otcore::Event);

#[pymethods]
impl Event {
    /// Which event it is, by its name in JSON.
    #[getter]
    fn kind<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        PyString::intern(py, self.0.kind())
    }

    fn json(&self) -> PyResult<String> {
        json(&self.0).map_err(raise)
    }

    /// What the JSON says at this place, of what is quickly told.
    fn told(&self, pointer: &str) -> Option<String> {
        told(&self.0, pointer).flatten()
    }

    /// Devices dealt with, devices of the plan, devices that answered, packets.
    fn progress(&self) -> Option<(u64, u64, u64, u64)> {
        let otcore::Event::Progress(at) = &self.0 else { return None };
        Some((at.done, at.planned, at.answered, at.packets))
    }
}

/// A running scan.
#[pyclass(frozen)]
pub(crate) struct Scan(blocking::Scan);

#[pymethods]
impl Scan {
    /// The next event, or `None` after the last one.
    fn next(&self, py: Python<'_>) -> PyResult<Option<Event>> {
        Ok(wait(py, &self.0)?.map(Event))
    }

    /// The next event, if it comes within so many milliseconds; whether more may follow.
    fn next_within(&self, py: Python<'_>, millis: u64) -> (Option<Event>, bool) {
        let (event, more) = wait_at_most(py, &self.0, millis);
        (event.map(Event), more)
    }

    fn abort(&self, py: Python<'_>) {
        py.detach(|| self.0.abort());
    }

    fn pause(&self, py: Python<'_>) {
        py.detach(|| self.0.handle().pause());
    }

    fn resume(&self, py: Python<'_>) {
        py.detach(|| self.0.handle().resume());
    }

    fn is_paused(&self, py: Python<'_>) -> bool {
        py.detach(|| self.0.handle().is_paused())
    }

    /// What was found. Waits for the end.
    fn finish(&self, py: Python<'_>) -> PyResult<Inventory> {
        while wait(py, &self.0)?.is_some() {}
        released(py, || self.0.finish().map(Inventory::from))
    }
}
