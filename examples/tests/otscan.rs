//! otscan as a user runs it, against the pretend plant on loopback.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::print_stderr)] // a test says what went wrong by stopping

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use otcore::protocols::modbus::sim::typical;
use otcore::sim::{Expected, Fault, Faulty, Plant, RunningPlant};
use serde_json::Value;
use tokio::runtime::Runtime;

const OTSCAN: &str = env!("CARGO_BIN_EXE_otscan");

/// A running plant, and the runtime that serves it.
struct Served {
    plant: RunningPlant,
    _runtime: Runtime,
}

fn serve(plant: Plant) -> Served {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let plant = runtime.block_on(plant.start()).unwrap();
    Served { plant, _runtime: runtime }
}

impl Served {
    fn target(&self, name: &str) -> String {
        self.plant.device(name).unwrap().target()
    }
}

fn otscan(arguments: &[&str]) -> Output {
    Command::new(OTSCAN).args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

fn scratch(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("otscan-test-{}-{name}", std::process::id()))
}

#[test]
fn a_device_that_says_who_it_is_completes_the_scan() {
    let served = serve(Plant::demo());
    let output = otscan(&["scan", &served.target("compact-plc"), "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let report = json(&output);
    let asset = &report["assets"][0];
    assert_eq!(asset["identity"]["vendor"]["value"], "Tarnwick Automation");
    assert_eq!(asset["zone"], "default");
    for key in ["addresses", "identity", "services", "state", "modules", "children"] {
        assert!(!asset[key].is_null(), "{key}");
    }
    assert_eq!(report["outcomes"][0]["outcome"], "identified");
    assert!(report["counters"]["packets"].as_u64().unwrap() > 0);
}

#[test]
fn a_device_without_a_name_makes_the_status_one() {
    let served = serve(Plant::demo());
    let output = otscan(&["scan", &served.target("echo"), "--format", "json"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let report = json(&output);
    assert_eq!(report["assets"].as_array().unwrap().len(), 0);
    let outcome = &report["outcomes"][0];
    assert_eq!(outcome["outcome"], "malformed");
    assert!(outcome["evidence"]["response"].as_str().unwrap().len() > 10, "the offending bytes");
}

#[test]
fn devices_that_go_dark_make_the_status_four() {
    let dying = |name: &str| Expected { name: name.into(), ..Expected::default() };
    let plant = ["first", "second"].iter().fold(Plant::new(), |plant, name| {
        plant.with(dying(name), Faulty::new(typical(), Fault::DarkAfter(1)))
    });
    let served = serve(plant);
    let (first, second) = (served.target("first"), served.target("second"));
    let output = otscan(&["scan", &first, &second, "--format", "json"]);
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
    assert_eq!(json(&output)["stopped"], "harm_suspected");
    for device in served.plant.devices() {
        assert_eq!(device.counters().after_dark, 0);
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_scan_prints_what_it_found() {
    let served = serve(Plant::demo());
    let all: Vec<String> =
        served.plant.devices().iter().map(otcore::sim::Running::target).collect();
    let mut arguments = vec!["scan", "--format", "json"];
    arguments.extend(all.iter().map(String::as_str));
    let scan = Command::new(OTSCAN)
        .args(&arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_secs(3));
    let killed = Command::new("kill").args(["-INT", &scan.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let output = scan.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    let report = json(&output);
    assert_eq!(report["stopped"], "asked");
    assert!(!report["assets"].as_array().unwrap().is_empty(), "what was found stays");
}

/// Each is one line on standard error that names the thing, and nothing on standard output.
#[test]
fn bad_input_is_one_clear_line_and_status_two() {
    let policy = scratch("policy.toml");
    std::fs::write(&policy, "[limits]\ndevice_packets_per_sec = 5\n").unwrap();
    let policy = policy.to_str().unwrap();
    let cases: &[(&[&str], &str)] = &[
        (&["scan", "10.0.0.300"], "10.0.0.300"),
        (&["scan", "10.0.4.7/24"], "10.0.4.0/24"),
        (&["scan", "modbus://10.0.0.1?slot=2"], "slot"),
        (&["scan", "8.8.8.8"], "monitor"),
        (&["scan", "no-such-name.invalid"], "no-such-name.invalid"),
        (&["scan", "127.0.0.1", "--policy", policy], "limits.device_packets_per_sec"),
        (&["scan", "127.0.0.1", "--policy", "/no/such/policy.toml"], "/no/such/policy.toml"),
        (&["scan", "127.0.0.1", "--journal", "/no/such/folder/journal"], "/no/such/folder/journal"),
        (&["scan", "127.0.0.1", "--pcap", "/no/such/folder/pcap"], "/no/such/folder/pcap"),
        (&["scan", "127.0.0.1", "--level", "deep"], "deep"),
        (&["scan", "127.0.0.1", "--format", "xml"], "xml"),
        (&["scan", "127.0.0.1", "--protocol", "gopher"], "gopher"),
        (&["scan", "127.0.0.1", "--exclude", "127.0.0.0/8"], "127.0.0.0/8"),
        (&["scan", "@/no/such/targets"], "/no/such/targets"),
        (&["scan"], "TARGET"),
    ];
    for (arguments, names) in cases {
        let output = otscan(arguments);
        let complaint = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {complaint}");
        assert_eq!(complaint.trim_end().lines().count(), 1, "{arguments:?}: {complaint}");
        assert!(complaint.contains(names), "{arguments:?}: {complaint}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_plan_sends_nothing() {
    let served = serve(Plant::demo());
    let output = otscan(&["plan", &served.target("compact-plc"), "--format", "json"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(json(&output)["devices"], 1);
    assert_eq!(served.plant.device("compact-plc").unwrap().counters().connections, 0);
}

#[test]
fn the_manifest_and_explanations_are_results() {
    let manifest = otscan(&["manifest", "--format", "json"]);
    assert_eq!(json(&manifest)["protocols"][0]["protocol"], "modbus");
    assert!(manifest.stderr.is_empty());
    let explained = otscan(&["explain", "10.20.4.7", "--exclude", "10.20.4.0/24"]);
    assert!(text(&explained.stdout).contains("10.20.4.0/24"), "{}", text(&explained.stdout));
}

#[test]
fn a_table_of_a_hostile_device_is_inert_and_so_is_its_csv() {
    let served = serve(Plant::demo());
    for format in ["table", "csv"] {
        let output = otscan(&["scan", &served.target("hostile"), "--format", format]);
        let shown = text(&output.stdout);
        assert!(shown.contains("\\x1b"), "{shown}");
        assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown}");
        let formula = |cell: &str| cell.trim_matches('"').starts_with(['=', '+', '@']);
        assert!(format == "table" || !shown.split(',').any(formula), "{shown}");
    }
}

#[test]
fn the_capture_opens_in_tshark() {
    if Command::new("tshark").arg("--version").output().is_err() {
        eprintln!("SKIPPED: tshark is not installed, so nobody opened the capture");
        return;
    }
    let served = serve(Plant::demo());
    let file = scratch("capture.pcapng");
    drop(std::fs::remove_file(&file));
    let target = served.target("compact-plc");
    let output = otscan(&["scan", &target, "--pcap", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let port = served.plant.device("compact-plc").unwrap().addr.port();
    let read = Command::new("tshark")
        .args(["-r", file.to_str().unwrap(), "-d", &format!("tcp.port=={port},mbtcp")])
        .args(["-Y", "modbus", "-T", "fields", "-e", "modbus.func_code"])
        .output()
        .unwrap();
    let codes = text(&read.stdout);
    assert!(codes.lines().count() >= 2 && codes.lines().all(|code| code == "43"), "{codes}");
    std::fs::remove_file(file).unwrap();
}
