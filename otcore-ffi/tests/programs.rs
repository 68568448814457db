//! Programs in C, C++ and C#, built against an installed library, at the pretend plant and at a
//! server that others wrote. `OTCORE_C_PROGRAMS` names their folder; `scripts/test c` builds them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout)] // a test says what went wrong by stopping

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use otcore::blocking::{
    Inventory, Log, Packs, Plant, Scanner, Settings, SharedScan, Store, diff, join, json,
};
use otcore::sim::Running;
use serde_json::Value;

const PROMPT: [&str; 4] = ["compact-plc", "m340", "controllogix", "serial-gateway"];

fn programs() -> Option<PathBuf> {
    let folder = std::env::var_os("OTCORE_C_PROGRAMS");
    if folder.is_none() {
        println!("skipped: OTCORE_C_PROGRAMS is not set (scripts/test c)");
    }
    folder.map(PathBuf::from)
}

/// A program of this folder; none if it was not built.
fn program(name: &str) -> Option<Command> {
    let path = programs()?.join(name);
    if !path.exists() {
        println!("skipped: {} was not built", path.display());
        return None;
    }
    let mut command = match name.ends_with(".exe") {
        true => Command::new("mono"),
        false => return Some(Command::new(path)),
    };
    command.arg(path);
    Some(command)
}

fn targets(plant: &Plant, names: &[&str]) -> Vec<String> {
    let devices = plant.devices().iter().filter(|device| names.contains(&&*device.name));
    devices.map(Running::target).collect()
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn every_language_prints_the_devices_of_the_plant() {
    for name in ["scan", "scan_static", "scan_cpp", "scan_cmake", "Scan.exe"] {
        let Some(mut program) = program(name) else { continue };
        let plant = Plant::start(0).unwrap();
        let said = said(&program.args(targets(&plant, &PROMPT)).output().unwrap());
        for device in plant.devices().iter().filter(|device| PROMPT.contains(&&*device.name)) {
            let address = device.addr.ip().to_string();
            let line = said.lines().find(|line| line.contains(&address));
            let model = device.expected.found.identity.iter().find(|(field, _)| **field == "model");
            if let Some((_, model)) = model {
                assert!(line.is_some_and(|line| line.contains(model.as_str())), "{name}: {said}");
            }
        }
        assert!(said.contains("4 devices"), "{name}: {said}");
        assert_eq!(plant.harm(), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn the_c_in_the_documents_runs() {
    let Some(folder) = programs() else { return };
    let names = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
    let names = names.map(|name| name.into_string().unwrap());
    let documents: Vec<String> = names.filter(|name| name.starts_with("document_")).collect();
    assert!(documents.len() >= 2, "{documents:?}");
    for name in documents {
        let Some(mut program) = program(&name) else { continue };
        let plant = Plant::start(0).unwrap();
        let program = program.current_dir(&folder).arg(targets(&plant, &["compact-plc"]).concat());
        let said = said(&program.output().unwrap());
        assert!(said.contains("Compact C24"), "{name}: {said}");
        assert_eq!(plant.harm(), Vec::<String>::new(), "{name}");
    }
}

/// One device after the other, so that two scans are told in the same order.
const SERIALLY: &str = r#"{"limits": {"parallel_devices": 1, "subnet_devices": 1}}"#;

/// What the program that gives every document says, under that policy.
fn given(arguments: &[&str]) -> Option<String> {
    let settings = format!(r#"{{"policy": {SERIALLY}}}"#);
    Some(said(&program("surface")?.arg(settings).args(arguments).output().unwrap()))
}

/// Without what differs between two scans of one plant: times, and the tags of messages.
fn timeless(report: &str) -> String {
    let mut report: Value = serde_json::from_str(report).unwrap();
    without_times(&mut report);
    report.to_string()
}

fn without_times(value: &mut Value) {
    let tag = match value["protocol"].as_str() {
        Some("modbus") => 0..4, // the transaction
        Some("enip") => 24..40, // the sender context
        _ => 0..0,
    };
    match value {
        Value::Object(object) => {
            for (key, value) in object.iter_mut() {
                match (key.as_str(), &mut *value) {
                    ("at" | "started" | "finished" | "rtt_micros" | "millis" | "until", _) => {
                        *value = Value::Null;
                    }
                    ("request" | "response", Value::String(bytes)) if bytes.len() >= tag.end => {
                        bytes.replace_range(tag.clone(), "");
                    }
                    _ => without_times(value),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(without_times),
        _ => {}
    }
}

/// Equal texts; of others no more is shown than the place where they part.
fn same(of_c: &str, other: &str, what: &str) {
    let at = of_c.bytes().zip(other.bytes()).take_while(|(one, two)| one == two).count();
    let near = |text: &str| {
        let bytes = text.as_bytes();
        let from = at.saturating_sub(100).min(bytes.len());
        String::from_utf8_lossy(&bytes[from..bytes.len().min(at + 100)]).into_owned()
    };
    assert!(of_c == other, "{what}\nC:     {}\nother: {}", near(of_c), near(other));
}

fn serial_scanner() -> Scanner {
    Scanner::new(&Settings { policy: Some(SERIALLY), ..Settings::default() }).unwrap()
}

#[test]
fn a_scan_from_c_says_what_a_scan_from_rust_says() {
    let plant = Plant::start(0).unwrap();
    let targets = targets(&plant, &PROMPT).join(" ");
    let Some(of_c) = given(&["scan", &targets]) else { return };
    let scan = SharedScan::start(&serial_scanner(), &targets, Log::default()).unwrap();
    let of_rust = json(&*scan.finish(Duration::MAX).unwrap().unwrap()).unwrap();
    assert!(of_c.contains("Compact C24") && of_c.contains(r#""exchanges":[{"#));
    same(&timeless(&of_c), &timeless(&of_rust), "Rust");
}

#[test]
fn every_document_from_c_is_that_of_rust_byte_by_byte() {
    let Some(manifest) = given(&["manifest"]) else { return };
    same(&manifest, &json(&otcore::manifest()).unwrap(), "manifest");
    let scanner = serial_scanner();
    same(&given(&["policy"]).unwrap(), &scanner.policy().to_json().unwrap(), "policy");
    let plan = json(&scanner.plan("10.20.4.0/28").unwrap()).unwrap();
    same(&given(&["plan", "10.20.4.0/28"]).unwrap(), &plan, "plan");
    let why = json(&scanner.explain("10.20.4.7", "s7", None).unwrap()).unwrap();
    let of_c = given(&["explain", "10.20.4.7", "s7"]).unwrap();
    same(&timeless(&of_c), &timeless(&why), "explain");

    let plant = Plant::start(0).unwrap();
    let report = given(&["scan", &targets(&plant, &PROMPT).join(" ")]).unwrap();
    let path = std::env::temp_dir().join(format!("otcore-report-{}.json", std::process::id()));
    let none = path.with_extension("none");
    std::fs::write(&path, &report).unwrap();
    std::fs::write(&none, "[]").unwrap();
    let file = path.to_str().unwrap();
    let known = Inventory::read(&report).unwrap();
    for form in otcore::export::Format::ALL {
        let of_c = given(&["export", file, form.name()]).unwrap();
        same(&of_c, &known.export(form.name()).unwrap(), form.name());
    }
    let packs = Packs::built_in();
    let decoded = known.redecoded(&packs).unwrap().json().unwrap();
    same(&given(&["redecode", file]).unwrap(), &decoded, "redecode");
    same(&given(&["join", file]).unwrap(), &join(&report, false).unwrap(), "join");
    let compared = diff("[]", &report, false).unwrap();
    same(&given(&["diff", none.to_str().unwrap(), file]).unwrap(), &compared, "diff");
    let store = Store::in_memory();
    store.keep(&known).unwrap();
    let kept = store.inventory(&packs).unwrap();
    same(&given(&["store", file]).unwrap(), &kept.json().unwrap(), "store");
    let history = json(&store.history(&packs, kept.paths()[0], "firmware").unwrap()).unwrap();
    assert!(history.contains(r#""value":""#), "{history}");
    let of_c = given(&["history", file, kept.paths()[0], "firmware"]).unwrap();
    same(&of_c, &history, "history");
    std::fs::remove_file(&path).unwrap();
    std::fs::remove_file(&none).unwrap();
}

#[test]
fn a_panel_pauses_goes_on_and_never_waits_in_a_call() {
    let Some(mut program) = program("hmi") else { return };
    let plant = Plant::start(0).unwrap();
    let targets = targets(&plant, &["slow", "compact-plc"]).join(" ");
    let piped = program.arg(targets).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut panel = piped.spawn().unwrap();
    let mut buttons = panel.stdin.take().unwrap();
    let mut lines = BufReader::new(panel.stdout.take().unwrap()).lines().map_while(Result::ok);
    buttons.write_all(b"pr").unwrap();
    let mut said = Vec::new();
    while !said.last().is_some_and(|line: &String| line.contains(" 1 devices")) {
        said.push(lines.next().unwrap());
    }
    buttons.write_all(b"a").unwrap();
    said.extend(lines);
    assert!(panel.wait().unwrap().success());
    let said = said.join("\n");
    assert!(said.contains(", paused") && said.contains("\n1 devices; "), "{said}");
    let longest = said.rsplit("the longest call took ").next().unwrap();
    let longest: f64 = longest.trim_end_matches(" ms").parse().unwrap();
    println!("the longest call of the panel took {longest} ms");
    assert!(longest < 1000.0, "{said}"); // milliseconds; a call that waits takes seconds
}

#[test]
#[cfg(unix)]
fn a_signal_aborts_and_what_was_found_is_kept() {
    let Some(mut program) = program("scan") else { return };
    let plant = Plant::start(0).unwrap();
    let targets = targets(&plant, &["slow", "compact-plc"]);
    let mut scan = program.args(targets).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(scan.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("Compact C24"));
    let killed = Command::new("kill").args(["-INT", &scan.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert!(lines.map_while(Result::ok).any(|line| line.starts_with("1 devices")));
    let code = scan.wait().unwrap().code();
    assert_eq!(code, Some(3));
    assert_eq!(plant.harm(), Vec::<String>::new());
}

/// A server that others wrote, which ends with its standard input: `tests/peers/README.md`.
struct Peer(Child, String);

impl Peer {
    fn start(name: &str) -> Option<Self> {
        let protocol = name.split('-').next().unwrap_or_default();
        let project = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
        let (variable, script) = match name {
            "modbus-libmodbus" => ("OTCORE_LIBMODBUS_PEER", None),
            "enip-opener" => ("OTCORE_OPENER_PEER", None),
            _ => ("OTCORE_PEERS_PYTHON", Some(format!("tests/peers/{protocol}.py"))),
        };
        let Some(program) = std::env::var_os(variable) else {
            println!("skipped: {name}: {variable} is not set (scripts/test tools peers)");
            return None;
        };
        let mut command = Command::new(project.join(program));
        if let Some(script) = script {
            command.arg(project.join(script)).arg(name);
        }
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut server = piped.spawn().unwrap();
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
        let ready = lines.by_ref().map_while(Result::ok).find(|line| line.starts_with("READY "));
        let at = ready.unwrap().rsplit(' ').next().unwrap().to_owned();
        std::thread::spawn(move || lines.count()); // or it would stop at a full pipe
        Some(Self(server, format!("{protocol}://{at}")))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn servers_that_others_wrote_are_who_they_were_set_up_to_be() {
    let who = [
        ("modbus-pymodbus", ["Rigwerk AG", "V2.14.3"]),
        ("s7-snap7", ["Siemens", "CPU 315-2 PN/DP"]),
        ("enip-cpppo-custom", ["Hilscher", "RIG-EIP-ADAPTER 16DI"]),
        ("enip-opener", ["Rockwell Automation", "OpENer PC"]),
        ("bacnet-bacpypes3", ["Rigwerk AG", "RW-BAC-200"]),
    ];
    for (name, expected) in who {
        let Some(mut program) = program("scan") else { return };
        let Some(peer) = Peer::start(name) else { continue };
        let said = said(&program.arg(&peer.1).output().unwrap());
        assert!(expected.iter().all(|word| said.contains(word)), "{name}: {said}");
        println!("{name}: {}", said.lines().next().unwrap_or_default());
    }
}

/// Nobody is asked in DNP3 unless the policy says so.
#[test]
fn a_dnp3_outstation_that_others_wrote_is_asked_by_consent() {
    let Some(mut program) = program("surface") else { return };
    let Some(peer) = Peer::start("dnp3-opendnp3") else { return };
    let consent = r#"{"policy": {"protocols": {"dnp3": {"enabled": true, "allow": ["connect"]}}}}"#;
    let said = said(&program.args([consent, "scan", &peer.1]).output().unwrap());
    assert!(said.contains(r#""outcome":"present_no_identity""#), "{said}");
}
