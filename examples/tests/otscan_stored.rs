//! otscan with stored results, as a user runs it: compared, reported, handed on, decoded again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use otcore::protocols::modbus::sim::{Identity, Server, Shape, Unit};
use otcore::sim::{Expected, Plant, RunningPlant};
use serde_json::Value;

/// A folder of its own for each test, gone when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("otscan-stored-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// `otscan` with these arguments in `folder`, without holding up the pretend plant.
async fn run(folder: &Folder, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_otscan"));
    command.args(args).current_dir(&folder.0).env("XDG_STATE_HOME", &folder.0);
    command.stdin(Stdio::null());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// What it prints; it ends with this status and has nothing to complain about.
async fn result(folder: &Folder, args: &[&str], status: i32) -> String {
    let output = run(folder, args).await;
    assert_eq!(output.status.code(), Some(status), "{args:?}: {}", err(&output));
    assert_eq!(err(&output), "", "{args:?}");
    out(&output)
}

/// A plant of one drive.
async fn plant() -> RunningPlant {
    let objects: [(u8, &[u8]); 3] = [(0, b"Brakkenholt Drives"), (1, b"BH-750"), (2, b"1.02")];
    let drive = Server::new(Shape::native(Unit::identified(Identity::new(0x81, objects))));
    let expected = Expected { name: "drive".into(), ..Expected::default() };
    Plant::new().with(expected, drive).own_addresses(0).start().await.unwrap()
}

/// Store what a scan of it finds.
async fn scan(folder: &Folder, plant: &RunningPlant, name: &str) {
    let target = plant.devices()[0].target();
    let memory = format!("{name}.memory");
    let args = [
        "scan",
        &target,
        "--format",
        "json",
        "--no-progress",
        "--memory",
        &memory,
        "--zone",
        "line-3",
    ];
    let report = result(folder, &args, 0).await;
    folder.write(name, &report);
}

/// Two reports of a drive that got another firmware in between.
async fn two_reports(folder: &Folder) {
    scan(folder, &plant().await, "after.json").await;
    let before = folder.read("after.json").replace("1.02", "0.98").replace("312e3032", "302e3938");
    folder.write("before.json", &before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_difference_is_told_with_its_evidence_and_ends_with_1() {
    let folder = Folder::new("diff");
    two_reports(&folder).await;
    let text = result(&folder, &["diff", "before.json", "after.json"], 1).await;
    assert!(text.contains("CHANGED (1)"), "{text}");
    assert!(text.contains("identity.firmware: \"0.98\" -> \"1.02\""), "{text}");
    assert!(text.contains("answered in modbus/"), "{text}");
    let json = result(&folder, &["diff", "before.json", "after.json", "--format", "json"], 1).await;
    let diff: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(diff["changed"][0]["changes"][0]["to"]["value"], "1.02");
    let same = result(&folder, &["diff", "before.json", "before.json"], 0).await;
    assert_eq!(same, "nothing differs in what was asked again\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_a_page_or_a_table() {
    let folder = Folder::new("report");
    two_reports(&folder).await;
    let page = result(&folder, &["report", "after.json"], 0).await;
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("BH-750"), "{page}");
    let said = result(&folder, &["report", "after.json", "--out", "page.html"], 0).await;
    assert_eq!((said, folder.read("page.html")), (String::new(), page));
    let table = result(&folder, &["report", "after.json", "--format", "table"], 0).await;
    assert!(table.starts_with("DEVICE") && table.contains("1.02"), "{table}");
}

/// Ends a cell, begins a formula, gives the terminal an order, turns the text around; and it is long.
fn hostile() -> String {
    "=cmd|' /C calc'!A0\";\n\u{1b}]0;owned\u{7}\u{202e}gnp.exe<script>".repeat(20_000)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_device_says_is_inert_in_every_text_a_person_reads() {
    let folder = Folder::new("hostile");
    two_reports(&folder).await;
    let in_json = serde_json::to_string(&hostile()).unwrap();
    let hostile = folder.read("after.json").replace("\"BH-750\"", &in_json);
    assert_ne!(hostile, folder.read("after.json"));
    let address = serde_json::from_str::<Value>(&hostile).unwrap()["assets"][0]["addresses"][0]
        .as_str()
        .unwrap()
        .to_owned();
    folder.write("hostile.json", &hostile);
    let cases: &[(&[&str], i32)] = &[
        (&["report", "hostile.json", "--format", "table"], 0),
        (&["report", "hostile.json"], 0),
        (&["inspect", "hostile.json"], 0),
        (&["inspect", "hostile.json", &address], 0),
        (&["diff", "before.json", "hostile.json"], 1),
        (&["diff", "hostile.json", "after.json"], 1),
        (&["export", "hostile.json", "--format", "csv"], 0),
        (&["export", "hostile.json", "--format", "coverage-csv"], 0),
        (&["export", "hostile.json", "--format", "html"], 0),
    ];
    for (args, status) in cases {
        let text = result(&folder, args, *status).await.replace("\r\n", "\n");
        let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!text.contains(acts), "{args:?}");
        if text.starts_with("<!DOCTYPE html>") {
            assert!(!text.contains("<script"), "{args:?}: it is markup");
        }
        if args[args.len() - 1].ends_with("csv") {
            let mut cells = text.split(['\n', ',', ';', '"']);
            assert!(!cells.any(|cell| cell.starts_with('=')), "{args:?}: a formula");
        }
    }
    let json = result(&folder, &["redecode", "after.json"], 0).await;
    assert!(json.contains("BH-750"), "the bytes still say what was said");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_holds_the_device_and_can_be_read_or_opened() {
    let folder = Folder::new("export");
    two_reports(&folder).await;
    for format in otcore::export::Format::ALL {
        let name = format.name();
        let text = result(&folder, &["export", "after.json", "--format", name], 0).await;
        let bytes = "42482d373530"; // BH-750
        assert!(text.contains("BH-750") || text.contains(bytes), "{name}: {text}");
    }
    for name in ["json", "ndjson", "observations"] {
        result(&folder, &["export", "after.json", "--format", name, "--out", "again"], 0).await;
        let sheet = result(&folder, &["export", "again", "--format", "csv"], 0).await;
        assert!(sheet.contains("BH-750"), "{name}: {sheet}");
    }
    let both = ["export", "before.json", "after.json", "--format", "ndjson"];
    assert_eq!(result(&folder, &both, 0).await.lines().count(), 1, "one device, known twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn inspect_shows_the_bytes_that_a_value_stands_on() {
    let folder = Folder::new("inspect");
    two_reports(&folder).await;
    let all = result(&folder, &["inspect", "after.json"], 0).await;
    assert!(all.starts_with("DEVICE"), "{all}");
    let one = result(&folder, &["inspect", "after.json", "127.20.4.11"], 0).await;
    assert!(one.contains("firmware: 1.02") && one.contains("answered "), "{one}");
    assert!(one.contains("312e3032"), "{one}"); // 1.02
    let json = ["inspect", "after.json", "127.20.4.11", "--format", "json"];
    let json: Value = serde_json::from_str(&result(&folder, &json, 0).await).unwrap();
    assert_eq!(json[0]["zone"], "line-3");
    let elsewhere =
        run(&folder, &["inspect", "after.json", "127.20.4.11", "--zone", "line-4"]).await;
    assert_eq!(elsewhere.status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn stored_answers_are_decoded_again_without_a_packet() {
    let folder = Folder::new("redecode");
    let drive = plant().await;
    scan(&folder, &drive, "report.json").await;
    let before = drive.devices()[0].counters().connections;
    let decoded: Value =
        serde_json::from_str(&result(&folder, &["redecode", "report.json"], 0).await).unwrap();
    let stored: Value = serde_json::from_str(&folder.read("report.json")).unwrap();
    assert_eq!(decoded, stored["assets"]);
    assert_eq!(drive.devices()[0].counters().connections, before);
    // What an older build made less of is told.
    let mut poorer = stored.clone();
    poorer["assets"][0]["identity"].as_object_mut().unwrap().remove("model");
    folder.write("poorer.json", &poorer.to_string());
    let output = run(&folder, &["redecode", "poorer.json"]).await;
    assert_eq!(output.status.code(), Some(0));
    assert!(err(&output).contains("something else is read"), "{}", err(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_one_line_that_names_it() {
    let folder = Folder::new("bad");
    folder.write("notes.txt", "shopping list\n");
    folder.write("object.json", "{\"a\": 1}\n");
    folder.write("cut.json", "[{\"zone\": \"line-3\"");
    folder.write("empty.json", "[]");
    folder.write("good.json", "[]");
    std::fs::write(folder.0.join("binary"), [0xFF, 0xFE, 0x00]).unwrap();
    let cases: &[(&[&str], &str)] = &[
        (&["diff", "empty.json"], "AFTER"),
        (&["diff", "missing.json", "good.json"], "missing.json"),
        (&["diff", "good.json", "notes.txt"], "notes.txt: neither a report"),
        (&["report"], "FILE"),
        (&["report", "object.json"], "object.json: neither a report"),
        (&["report", "cut.json"], "cut.json: no sound inventory"),
        (&["report", "binary"], "binary cannot be read"),
        (&["report", "."], ". cannot be read"),
        (&["report", "good.json", "--out", "good.json"], "name another"),
        (&["report", "good.json", "--out", "no/such/folder"], "no/such/folder cannot be written"),
        (&["export", "good.json"], "--format"),
        (&["export", "good.json", "--format", "pdf"], "cyclonedx"),
        (&["inspect", "good.json", "10.0.4.7"], "nothing is known of 10.0.4.7"),
        (&["inspect", "good.json", "plc-7"], "plc-7"),
        (&["redecode", "good.json"], "no questions and answers"),
    ];
    for (args, named) in cases {
        let output = run(&folder, args).await;
        let said = err(&output);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert_eq!(out(&output), "", "{args:?}");
        assert_eq!(said.lines().count(), 1, "{args:?}: {said}");
        assert!(said.contains(named), "{args:?}: {said}");
    }
    assert_eq!(folder.read("good.json"), "[]");
}
