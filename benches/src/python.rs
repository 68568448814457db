//! The same work through stacks in Python, timed by Python itself in a process of its own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::measure::median;

/// A stack in Python, and what it is timed on.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    /// File in the folder of this crate.
    file: &'static str,
    environment: Environment,
    /// What it does: `decode` or `exchange`.
    pub(crate) part: &'static str,
    pub(crate) what: &'static str,
    question: Vec<u8>,
    answer: Vec<u8>,
    /// What it must have read.
    expected: Value,
}

/// Where it is installed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Environment {
    /// With most of the peers.
    Peers,
    /// With those of which two versions cannot live in one place.
    Peers3,
    /// With the tools of this project.
    Tools,
}

/// What the Python side prints.
#[derive(serde::Deserialize)]
struct Timed {
    /// Nanoseconds per turn, one value per round.
    rounds: Vec<f64>,
    /// What it read.
    read: Value,
    /// Its version.
    version: String,
}

impl Peer {
    /// A peer that reads the answer; the question is not its own.
    pub(crate) fn reads(name: &'static str, file: &'static str, answer: &[u8]) -> Self {
        Self {
            name,
            file,
            environment: Environment::Peers,
            part: "decode",
            what: "Python",
            question: Vec::new(),
            answer: answer.to_vec(),
            expected: Value::Null,
        }
    }

    /// The same, but it asks too.
    pub(crate) fn asking(self, question: &[u8]) -> Self {
        Self { part: "exchange", question: question.to_vec(), ..self }
    }

    pub(crate) fn doing(self, what: &'static str) -> Self {
        Self { what, ..self }
    }

    pub(crate) fn living(self, environment: Environment) -> Self {
        Self { environment, ..self }
    }

    pub(crate) fn expecting(self, expected: impl serde::Serialize) -> Self {
        Self { expected: serde_json::to_value(expected).unwrap_or_default(), ..self }
    }

    /// Its name with its version, and nanoseconds per turn; or why not.
    pub(crate) fn timed(&self, rounds: usize) -> Result<(String, f64), String> {
        let arguments = [hex(&self.question), hex(&self.answer), rounds.to_string()];
        let said = run(self.environment, self.file, arguments.iter().map(OsString::from));
        let named = |why: String| format!("{}: {why}", self.name);
        let timed: Timed =
            serde_json::from_value(said.map_err(named)?).map_err(|e| named(e.to_string()))?;
        match timed.read == self.expected {
            true => Ok((format!("{} {}", self.name, timed.version), median(&timed.rounds))),
            false => Err(named(format!("it read something else: {}", timed.read))),
        }
    }
}

/// Run a script of this crate and read the JSON that it prints.
pub(crate) fn run(
    environment: Environment,
    file: &str,
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Value, String> {
    let python = environment.interpreter();
    let output = Command::new(&python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(file))
        .args(arguments)
        .output()
        .map_err(|error| format!("{}: {error}", python.display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(said.lines().last().unwrap_or("it failed without a word").to_owned());
    }
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}

impl Environment {
    /// As the variable says, else where `scripts/test tools` puts it.
    pub(crate) fn interpreter(self) -> PathBuf {
        let (variable, folder) = match self {
            Self::Peers => ("OTCORE_PEERS_PYTHON", ".peers"),
            Self::Peers3 => ("OTCORE_PEERS3_PYTHON", ".peers3"),
            Self::Tools => ("OTCORE_TOOLS_PYTHON", ".venv"),
        };
        let usual = || Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
        std::env::var_os(variable).map_or_else(|| usual().join("bin/python"), PathBuf::from)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
