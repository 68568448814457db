//! The same exchanges through stacks in Python, timed by Python itself in a process of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::de::DeserializeOwned;

/// One exchange in Python.
pub(crate) struct Script {
    /// File in the folder of this crate.
    pub(crate) file: &'static str,
    /// Variable that names the interpreter.
    pub(crate) variable: &'static str,
    /// Where `scripts/test tools` puts it, from the root of the project.
    pub(crate) folder: &'static str,
}

/// pymodbus.
pub(crate) const PYMODBUS: Script =
    Script { file: "pymodbus_exchange.py", variable: "OTCORE_PEERS_PYTHON", folder: ".peers" };

/// python-snap7 as it is since its third version.
pub(crate) const SNAP7: Script =
    Script { file: "snap7_exchange.py", variable: "OTCORE_PEERS3_PYTHON", folder: ".peers3" };

/// pycomm3, which only decodes here: the question is not its own.
pub(crate) const PYCOMM3: Script =
    Script { file: "pycomm3_identity.py", variable: "OTCORE_PEERS_PYTHON", folder: ".peers" };

/// bacpypes3, which only decodes here.
pub(crate) const BACPYPES3: Script =
    Script { file: "bacpypes3_identity.py", variable: "OTCORE_PEERS_PYTHON", folder: ".peers" };

/// dnp3py, which only decodes here.
pub(crate) const DNP3PY: Script =
    Script { file: "dnp3py_attributes.py", variable: "OTCORE_PEERS_PYTHON", folder: ".peers" };

/// What the Python side prints.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Timed<T> {
    /// Nanoseconds per exchange, one value per round.
    pub(crate) rounds: Vec<f64>,
    /// What it read.
    read: T,
    /// Its version.
    pub(crate) version: String,
}

impl Script {
    /// Time it on `question` and `answer`, or say why not. It must have read what was `expected`.
    pub(crate) fn timed<T: DeserializeOwned + PartialEq + std::fmt::Debug>(
        &self,
        [question, answer]: [&[u8]; 2],
        rounds: usize,
        expected: &T,
    ) -> Result<Timed<T>, String> {
        let python = self.interpreter();
        let output = Command::new(&python)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(self.file))
            .args([hex(question), hex(answer), rounds.to_string()])
            .output()
            .map_err(|error| format!("{}: {error}", python.display()))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(said.lines().last().unwrap_or("it failed without a word").to_owned());
        }
        let timed: Timed<T> =
            serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
        match timed.read == *expected {
            true => Ok(timed),
            false => Err(format!("it read something else: {:?}", timed.read)),
        }
    }

    fn interpreter(&self) -> PathBuf {
        std::env::var_os(self.variable).map_or_else(
            || {
                let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
                root.join(self.folder).join("bin/python")
            },
            PathBuf::from,
        )
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
