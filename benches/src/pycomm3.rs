//! The same answer through pycomm3, timed by Python itself in a process of its own.

use std::path::Path;
use std::process::Command;

use crate::pymodbus::{hex, interpreter};

/// What the Python side prints.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Timed {
    /// Nanoseconds per answer, one value per round.
    pub(crate) rounds: Vec<f64>,
    /// The serial number and the name that it read.
    read: (String, String),
    /// Its version.
    pub(crate) version: String,
}

/// Time it, or say why not.
pub(crate) fn timed(answer: &[u8], rounds: usize) -> Result<Timed, String> {
    let python = interpreter();
    let output = Command::new(&python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("pycomm3_identity.py"))
        .args([hex(answer), rounds.to_string()])
        .output()
        .map_err(|error| format!("{}: {error}", python.display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(said.lines().last().unwrap_or("it failed without a word").to_owned());
    }
    let timed: Timed = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    let expected = crate::enip::by_hand(answer).and_then(|devices| devices.into_iter().next());
    let expected = expected.map(|device| (format!("{:08x}", device.serial), device.name));
    match expected.as_ref() == Some(&timed.read) {
        true => Ok(timed),
        false => Err(format!("it read something else: {:?}", timed.read)),
    }
}
