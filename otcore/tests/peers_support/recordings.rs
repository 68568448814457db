//! Recorded devices that answer again, and what is known to be true of them.

use std::env;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU8, Ordering};

use otcore::model::Node;
use serde_json::{Value, json};

use super::{Process, Scanned, Scratch, fields, identity, project, skipped};

pub(crate) fn recordings() -> Option<PathBuf> {
    let folder = project().join("../shared/captures");
    if !folder.join("truth.json").is_file() {
        skipped("recorded devices: there is no folder ../shared/captures beside the project");
        return None;
    }
    Some(folder)
}

/// A recorded device that answers again.
pub(crate) struct Replay {
    pub(crate) at: SocketAddr,
    log: Scratch,
    _process: Process,
}

impl Replay {
    /// Starts `device` of `case`, as far as it speaks `protocol`.
    pub(crate) fn start(case: &str, device: &str, protocol: &str, options: &[&str]) -> Self {
        static NEXT: AtomicU8 = AtomicU8::new(1);
        let bind = format!("127.77.0.{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let log = Scratch::new(&format!("{bind}.ndjson"));
        // Above every port that is never touched, and 47808 and more is below 65536.
        let offset = 10_000 + std::process::id() % 7_000;
        let python = env::var_os("OTCORE_PEERS_PYTHON").map(|path| project().join(path));
        let mut command = Command::new(python.unwrap_or_else(|| "python3".into()));
        command.arg(recordings().unwrap().join("replay.py")).arg(device).args(["--case", case]);
        command.args(["--bind", &bind, "--port-offset", &offset.to_string()]).args(options);
        command.args(["--proto", protocol]).arg("--log").arg(log.path());
        // One that speaks it by connection and by datagram opens the datagrams last.
        let last = if protocol == "enip" { "udp/" } else { "" };
        let serving = format!("serving {protocol:<8} {last}");
        let (process, at) = Process::start_until(&mut command, |line| {
            line.rsplit(' ').next().filter(|_| line.starts_with(&serving))?.parse().ok()
        });
        Self { at, log, _process: process }
    }

    /// What the replay thinks of each of our questions.
    pub(crate) fn log(&self) -> Vec<Value> {
        let text = String::from_utf8(self.log.read()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Every question of the scan was taken for a clean read.
    pub(crate) fn check(&self, case: &str, scanned: &Scanned) {
        let log = self.log();
        assert_eq!(log.len(), scanned.questions().len(), "{case}: {log:?}");
        println!("{case}: {:?}", scanned.outcome());
        for line in &log {
            let flagged =
                ["malformed", "write", "error"].iter().any(|flag| line.get(flag).is_some());
            assert!(!flagged, "{case}: {line}");
            println!("  {} {}", line["req"], line["how"]);
        }
    }
}

/// What is said about a device must be exactly this, by itself or by a rule.
pub(crate) fn says(node: &Node, expected: &[(&'static str, &str)]) {
    assert_eq!(identity(node), fields(expected));
    let claims = node.identity.fields().flat_map(|field| node.identity.claims(field));
    let known = fields(expected);
    for claim in claims {
        assert!(known.values().any(|value| *value == claim.value), "{claim:?}");
    }
}

pub(crate) fn truth(case: &str) -> Value {
    let text = std::fs::read_to_string(recordings().unwrap().join("truth.json")).unwrap();
    let truth: Value = serde_json::from_str(&text).unwrap();
    let cases = truth["cases"].as_array().unwrap();
    cases.iter().find(|entry| entry["id"] == case).unwrap().clone()
}

/// Devices of a case that answer in `protocol`, by their recorded addresses.
pub(crate) fn devices(case: &str, protocol: &str) -> Vec<String> {
    let truth = truth(case);
    let speaks =
        |device: &&Value| device["protocols"].as_array().unwrap().contains(&json!(protocol));
    let devices = truth["passive"].as_array().unwrap().iter().filter(speaks);
    devices.map(|device| device["ip"].as_str().unwrap().to_owned()).collect()
}
