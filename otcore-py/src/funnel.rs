//! The one way out of Python and back: the interpreter lock, errors, Ctrl-C.

use std::time::Duration;

use otcore::Event;
use otcore::blocking::{Next, Scan};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

/// Ctrl-C waits at most this long.
const SLICE: Duration = Duration::from_millis(50);

/// Call the engine without the interpreter lock.
pub(crate) fn released<T: Send>(
    py: Python<'_>,
    call: impl FnOnce() -> Result<T, otcore::Error> + Send,
) -> PyResult<T> {
    py.detach(call).map_err(raise)
}

/// Wait for an event without the lock; Ctrl-C aborts the scan and is raised.
pub(crate) fn wait(py: Python<'_>, scan: &Scan) -> PyResult<Option<Event>> {
    loop {
        py.check_signals().inspect_err(|_| scan.abort())?;
        match py.detach(|| scan.next(SLICE)) {
            Next::Event(event) => return Ok(Some(event)),
            Next::Pending => {}
            _ => return Ok(None),
        }
    }
}

/// Wait for an event without the lock, for a caller that watches for Ctrl-C himself; whether more
/// may follow.
pub(crate) fn wait_at_most(py: Python<'_>, scan: &Scan, millis: u64) -> (Option<Event>, bool) {
    match py.detach(|| scan.next(Duration::from_millis(millis))) {
        Next::Event(event) => (Some(event), true),
        Next::Pending => (None, true),
        _ => (None, false),
    }
}

/// The exception of this kind of error, from the Python half of the package.
#[allow(clippy::needless_pass_by_value)] // for `map_err`
pub(crate) fn raise(error: otcore::Error) -> PyErr {
    static CLASSES: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    Python::attach(|py| {
        let classes = CLASSES.import(py, "otcore.errors", "BY_NUMBER");
        let class = classes.and_then(|classes| classes.as_any().get_item(error.kind().number()));
        match class.and_then(|class| class.call1((error.to_string(),))) {
            Ok(exception) => PyErr::from_value(exception),
            Err(why) => why,
        }
    })
}
