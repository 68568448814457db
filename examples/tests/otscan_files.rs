//! What otscan does with files and streams: journal, capture, memory, standard output and error.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::print_stdout)] // a test says what it skipped

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use otcore::sim::{Plant, RunningPlant};
use serde_json::Value;

/// A folder of its own for each test, gone when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("otscan-files-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// `otscan` with these arguments, remembering devices in `folder`.
fn otscan(folder: &Folder, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_otscan"));
    command.args(args).current_dir(&folder.0).env("XDG_STATE_HOME", &folder.0);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Run it without holding up the pretend plant.
async fn run(folder: &Folder, args: &[&str]) -> Output {
    let mut command = otscan(folder, args);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

async fn demo() -> RunningPlant {
    Plant::demo().start().await.unwrap()
}

fn target(plant: &RunningPlant, name: &str) -> String {
    plant.device(name).unwrap().target()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_format_goes_to_standard_output_alone() {
    let (folder, plant) = (Folder::new("formats"), demo().await);
    let target = target(&plant, "drive");
    for format in ["table", "json", "ndjson", "csv"] {
        let args = ["scan", &target, "--format", format, "--no-progress"];
        let output = run(&folder, &args).await;
        assert_eq!(output.status.code(), Some(0), "{format}: {}", err(&output));
        assert_eq!(err(&output), "", "{format}");
        assert!(out(&output).contains("Brakkenholt Drives"), "{format}: {}", out(&output));
        assert!(!out(&output).contains('\x1b'), "{format} has colours although nobody sees them");
    }
    let output = run(&folder, &["scan", &target]).await;
    assert!(err(&output).contains("100 %"), "{}", err(&output));
    assert!(out(&output).starts_with("DEVICE"), "{}", out(&output));
}

/// One line that names the thing, status 2, nothing on standard output.
async fn complaint(folder: &Folder, args: &[&str]) -> String {
    let output = run(folder, args).await;
    let (said, result) = (err(&output), out(&output));
    assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
    assert_eq!(result, "", "{args:?}");
    assert_eq!(said.lines().count(), 1, "{args:?}: {said}");
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_one_line_that_names_it_and_nothing_is_sent() {
    let (folder, plant) = (Folder::new("bad"), demo().await);
    let good = target(&plant, "drive");
    std::fs::write(folder.file("typo.toml"), "exlude = []\n").unwrap();
    std::fs::write(folder.file("cap.toml"), "limits.device_packets_per_s = 999\n").unwrap();
    std::fs::write(folder.file("targets.txt"), "10.0.4.7\n10.0.4.777\n").unwrap();
    std::fs::write(folder.file("notes.txt"), "shopping list\n").unwrap();
    let no_journal = folder.file("missing/journal.ndjson");
    let cases: &[(&[&str], &str)] = &[
        (&["scan"], "TARGET"),
        (&["scan", "10.0.4.300"], "10.0.4.300"),
        (&["scan", &good, "10.0.4.7/24"], "10.0.4.7/24"),
        (&["scan", "@targets.txt"], "10.0.4.777"),
        (&["scan", "@missing.txt"], "missing.txt"),
        (&["scan", "modbus://10.0.4.7?color=red"], "color"),
        (&["scan", "no-such-host.invalid"], "no-such-host.invalid"),
        (&["scan", "198.51.100.7"], "198.51.100.7"),
        (&["scan", &good, "--exclude", "127.0.0.0/8"], "nothing is left to scan"),
        (&["scan", &good, "--exclude", "127.0.0.1"], "127.0.0.1"),
        (&["scan", &good, "--policy", "typo.toml"], "`exclude`"),
        (&["scan", &good, "--policy", "cap.toml"], "4 to 20"),
        (&["scan", &good, "--policy", "missing.toml"], "missing.toml"),
        (&["scan", &good, "--journal", &no_journal], "missing/journal.ndjson"),
        (&["scan", &good, "--pcap", &no_journal], "missing/journal.ndjson"),
        (&["scan", &good, "--pcap", "notes.txt"], "notes.txt"),
        (&["scan", &good, "--journal", "one", "--pcap", "one"], "same file"),
        (&["scan", &good, "--memory", "notes.txt"], "line 1"),
        (&["scan", &good, "--level", "deep"], "detect, identify, structure or state"),
        (&["scan", &good, "--format", "xml"], "table, json, ndjson, csv"),
        (&["scan", &good, "--protocol", "modbuss"], "modbus"),
        (&["scan", &good, "--zone", "line 3"], "line 3"),
        (&["scan", &good, "--jurnal", "x"], "--journal"),
        (&["plan", "198.51.100.7"], "198.51.100.7"),
        (&["explain", "plc-7"], "plc-7"),
        (&["explain", "10.0.4.7", "--protocol", "x"], "modbus"),
        (&["quarantine", "clear", "10.0.4.7"], "10.0.4.7"),
        (&["quarantine", "list", "--memory", "missing"], "missing"),
    ];
    for (args, named) in cases {
        let said = complaint(&folder, args).await;
        assert!(said.contains(named), "{args:?}: {said}");
    }
    for device in plant.devices() {
        assert_eq!(device.counters().connections, 0, "{}", device.name);
    }
    assert_eq!(std::fs::read_to_string(folder.file("notes.txt")).unwrap(), "shopping list\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journal_and_the_capture_show_what_was_sent_and_grow_with_each_scan() {
    let (folder, plant) = (Folder::new("journal"), demo().await);
    let target = target(&plant, "drive");
    let args = ["scan", &target, "--journal", "j.ndjson", "--pcap", "c.pcapng", "--format", "json"];
    let report: Value = serde_json::from_slice(&run(&folder, &args).await.stdout).unwrap();
    let requests = report["counters"]["requests"].as_u64().unwrap();
    let sent = |text: &str| {
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|entry| entry["event"] == "sent").count() as u64
    };
    let journal = || std::fs::read_to_string(folder.file("j.ndjson")).unwrap();
    assert!(requests > 0);
    assert_eq!(sent(&journal()), requests);
    let port = plant.device("drive").unwrap().addr.port();
    let questions = dissected(Path::new(&folder.file("c.pcapng")), port);
    assert!(questions.is_none_or(|count| count == requests), "{questions:?} of {requests}");
    run(&folder, &args).await;
    assert_eq!(sent(&journal()), 2 * requests);
    let questions = dissected(Path::new(&folder.file("c.pcapng")), port);
    assert!(questions.is_none_or(|count| count == 2 * requests), "{questions:?}");
}

/// How many Modbus questions a packet analyser sees; `None` if there is none on this computer.
fn dissected(capture: &Path, port: u16) -> Option<u64> {
    let rule = format!("tcp.port=={port},mbtcp");
    let filter = format!("mbtcp && tcp.dstport == {port}");
    let mut command = Command::new("tshark");
    command.arg("-r").arg(capture).args(["-d", &rule, "-Y", &filter]).stderr(Stdio::null());
    let Ok(output) = command.output() else {
        println!("skipped: tshark is not installed, so nobody else reads the capture");
        return None;
    };
    assert!(output.status.success(), "tshark cannot read the capture");
    Some(out(&output).lines().count() as u64)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_leaves_early_is_no_error() {
    let (folder, plant) = (Folder::new("pipe"), demo().await);
    let mut command = otscan(&folder, &["scan", &target(&plant, "drive"), "--format", "json"]);
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output =
        tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(!err(&output).contains("panic"), "{}", err(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_no_device_sends_nothing_and_ends_with_0() {
    let folder = Folder::new("plan");
    let cases: &[(&[&str], &str)] = &[
        (&["plan", "10.0.4.0/24", "--level", "structure"], "modbus/502 to structure"),
        (&["plan", "10.0.4.0/24", "--exclude", "10.0.4.128/25"], "excluded"),
        (&["plan", "10.0.4.0/24", "--format", "json"], "\"packets\""),
        (&["plan", "modbus://[fd00::7]:1502", "modbus://[fd00::7]:5020"], "fd00::7"),
        (&["plan", "198.51.100.7", "--monitor", "198.51.100.0/24"], "198.51.100.7"),
        (&["manifest"], "2B.0E.01"),
        (&["manifest", "--format", "json"], "ReadDeviceIdBasic"),
        (&["explain", "10.0.4.7"], "may be asked in modbus"),
        (&["explain", "10.0.4.7", "--exclude", "10.0.0.0/8"], "is left alone"),
        (&["explain", "10.0.4.7", "--port", "9100", "--format", "json"], "\"permitted\": false"),
        (&["quarantine", "list"], "no device is quarantined"),
        (&["--help"], "Exit status"),
        (&["--version"], "otscan"),
    ];
    for (args, expected) in cases {
        let output = run(&folder, args).await;
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", err(&output));
        assert!(out(&output).contains(expected), "{args:?}: {}", out(&output));
        assert_eq!(err(&output), "", "{args:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quarantined_device_is_not_visited_until_a_person_clears_it() {
    let folder = Folder::new("quarantine");
    let line = r#"{"zone":"line-3","device":"192.0.2.7","quarantined":{"since":"2026-01-01T00:00:00Z","why":"silence"}}"#;
    std::fs::write(folder.file("devices.ndjson"), format!("{line}\n")).unwrap();
    let memory = ["--memory", "devices.ndjson"];
    let scope = ["--monitor", "192.0.2.0/24", "--zone", "line-3"];
    let plan = [&["plan", "192.0.2.7"][..], &memory, &scope].concat();
    assert!(complaint(&folder, &plan).await.contains("quarantined since"));
    let endpoint = [&["plan", "modbus://192.0.2.7"][..], &memory, &scope].concat();
    assert!(complaint(&folder, &endpoint).await.contains("quarantined since"));
    let list = [&["quarantine", "list"][..], &memory].concat();
    assert!(out(&run(&folder, &list).await).contains("192.0.2.7"));
    let clear = ["quarantine", "clear", "192.0.2.7", "--zone", "line-3"];
    let clear = [&clear[..], &memory].concat();
    assert!(out(&run(&folder, &clear).await).contains("may be asked again"));
    assert_eq!(run(&folder, &plan).await.status.code(), Some(0));
    assert!(out(&run(&folder, &list).await).contains("no device is quarantined"));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn without_a_place_to_remember_devices_the_scan_says_so_and_goes_on() {
    let (folder, plant) = (Folder::new("stateless"), demo().await);
    std::fs::write(folder.file("otcore"), "in the way").unwrap();
    let output = run(&folder, &["scan", &target(&plant, "drive"), "--no-progress"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(err(&output).starts_with("notice: nothing is remembered"), "{}", err(&output));
    assert_eq!(err(&output).lines().count(), 1, "{}", err(&output));
}
