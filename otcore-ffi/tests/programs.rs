//! Programs in C, C++ and C#, built against an installed library, at the pretend plant and at a
//! server that others wrote. `OTCORE_C_PROGRAMS` names their folder; `scripts/test c` builds them.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // a test says what went wrong by stopping

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use otcore::blocking::{Log, Plant, Scanner, Settings, SharedScan, json};
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

/// Without what differs between two scans of one plant: times, and the tags of questions.
fn lasting(value: &mut Value) {
    const PASSING: [&str; 8] =
        ["at", "evidence", "exchanges", "started", "finished", "millis", "time", "when"];
    match value {
        Value::Object(object) => {
            object.retain(|key, _| !PASSING.contains(&key.as_str()));
            object.values_mut().for_each(lasting);
        }
        Value::Array(list) => list.iter_mut().for_each(lasting),
        _ => {}
    }
}

#[test]
fn the_report_of_a_c_program_is_the_report_of_rust() {
    let Some(mut program) = program("scan") else { return };
    let plant = Plant::start(0).unwrap();
    let targets = targets(&plant, &PROMPT);
    let path = std::env::temp_dir().join(format!("otcore-report-{}.json", std::process::id()));
    said(&program.arg("--report").arg(&path).args(&targets).output().unwrap());
    let mut of_c: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    std::fs::remove_file(&path).unwrap();
    let scanner = Scanner::new(&Settings::default()).unwrap();
    let scan = SharedScan::start(&scanner, &targets.join(" "), Log::default()).unwrap();
    let report = scan.finish(Duration::MAX).unwrap().unwrap();
    let mut of_rust: Value = serde_json::from_str(&json(&*report).unwrap()).unwrap();
    let exchanges = |report: &Value| report["exchanges"].as_array().map(Vec::len);
    assert_eq!(exchanges(&of_c), exchanges(&of_rust));
    lasting(&mut of_c);
    lasting(&mut of_rust);
    by_port(&mut of_c);
    by_port(&mut of_rust);
    assert!(of_c["assets"].as_array().is_some_and(|assets| assets.len() == 4));
    assert_eq!(of_c, of_rust);
}

/// Devices are visited side by side, so their conversations end in any order.
fn by_port(report: &mut Value) {
    if let Some(outcomes) = report["outcomes"].as_array_mut() {
        outcomes
            .sort_by_key(|outcome| outcome["address"].to_string() + &outcome["port"].to_string());
    }
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

#[test]
fn a_server_that_others_wrote_is_who_it_was_set_up_to_be() {
    let Some(mut program) = program("scan") else { return };
    let Some(python) = std::env::var_os("OTCORE_PEERS_PYTHON") else {
        println!("skipped: OTCORE_PEERS_PYTHON is not set (scripts/test tools)");
        return;
    };
    let project = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut server = Command::new(project.join(python))
        .args([project.join("tests/peers/modbus.py").as_os_str(), "modbus-pymodbus".as_ref()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = String::new();
    BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
    let at = ready.trim().rsplit(' ').next().unwrap();
    let output = program.arg(format!("modbus://{at}")).output().unwrap();
    server.kill().unwrap();
    server.wait().unwrap();
    let said = said(&output);
    assert!(said.contains("Rigwerk AG") && said.contains("V2.14.3"), "{said}");
}
