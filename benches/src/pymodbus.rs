//! The same exchange through pymodbus, timed by Python itself in a process of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::message::{self, Objects};

/// What the Python side prints.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Timed {
    /// Nanoseconds per exchange, one value per round.
    pub(crate) rounds: Vec<f64>,
    /// What it read.
    objects: Objects,
    /// Its version.
    pub(crate) version: String,
}

/// Time it, or say why not.
///
/// The interpreter is `OTCORE_PEERS_PYTHON`, else the one that `scripts/test tools` puts into
/// `.peers/`.
pub(crate) fn timed(rounds: usize) -> Result<Timed, String> {
    let python = interpreter();
    let output = Command::new(&python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("pymodbus_exchange.py"))
        .args([hex(&message::question()), hex(&message::answer()), rounds.to_string()])
        .output()
        .map_err(|error| format!("{}: {error}", python.display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(said.lines().last().unwrap_or("it failed without a word").to_owned());
    }
    let timed: Timed = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    match timed.objects == message::objects() {
        true => Ok(timed),
        false => Err(format!("it read something else: {:?}", timed.objects)),
    }
}

pub(crate) fn interpreter() -> PathBuf {
    std::env::var_os("OTCORE_PEERS_PYTHON").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../.peers/bin/python"),
        PathBuf::from,
    )
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
