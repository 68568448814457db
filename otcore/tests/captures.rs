//! Recorded Modbus devices, replayed on loopback by a program of their own. Everything that is
//! known to be true of each is found, and nothing is claimed that is not.
//!
//! The recordings are not part of the project; without them the test says so and passes.
#![cfg(all(feature = "net", target_os = "linux"))] // 127.77.0.x needs no setting up there
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_possible_truncation
)] // a test says what went wrong by stopping

mod peers_support;

use otcore::model::{Outcome, StateField};
use otcore::{Level, Policy};
use peers_support::recordings::{Replay, devices, recordings, says, truth};
use peers_support::{Scanned, scan};
use serde_json::{Value, json};

/// Scans a recorded device and checks that it took every question for a clean read.
async fn visit(case: &str, device: &str, query: &str, options: &[&str]) -> Scanned {
    let replay = Replay::start(case, device, "modbus", options);
    let policy =
        Policy::gentle().protocol("modbus", |modbus| modbus.level(Level::State).allow("unit_0"));
    let scanned = scan(&[format!("modbus://{}{query}", replay.at)], policy).await;
    replay.check(case, &scanned);
    scanned
}

#[tokio::test(flavor = "multi_thread")]
async fn wingpath_says_its_maker_and_that_it_runs() {
    let case = "modbus-wingpath-fc17";
    if recordings().is_none() {
        return;
    }
    let expected = &truth(case)["active"][0]["expected"];
    assert_eq!(expected["run_indicator"], 0xFF);
    assert_eq!(expected["unit_ids"], json!([10]));
    let name = expected["server_id_text"].as_str().unwrap();
    let vendor = expected["vendor"].as_str().unwrap();
    let known = [("vendor", vendor), ("device_name", name), ("device_class", "software")];

    for (query, options, units) in
        [("", &[][..], &[255, 1][..]), ("?unit=10", &["--strict"], &[10])]
    {
        let scanned = visit(case, "10.0.0.3", query, options).await;
        assert_eq!(scanned.outcome().outcome, Outcome::Identified);
        says(&scanned.device(), &known);
        assert_eq!(scanned.device().state.value(StateField::RunIndicator), Some("on"));
        assert_eq!(scanned.units_asked(), units);
        assert!(scanned.device().children.is_empty(), "{:?}", scanned.device().children);
    }
    let scanned = visit(case, "10.0.0.3", "", &["--strict"]).await;
    assert_eq!(scanned.outcome().outcome, Outcome::GatewayUnitAbsent);
    assert!(scanned.report.assets.iter().all(|asset| asset.node.identity.is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_with_nothing_but_wrong_flags_is_no_identity_and_does_not_loop() {
    let case = "modbus-fc43-empty-4sics";
    if recordings().is_none() {
        return;
    }
    let expected = &truth(case)["active"][0]["expected"];
    assert_eq!(expected["device_id_objects"], json!({}));
    assert_eq!(expected["unit_255"], "exception 04");
    let unit_0 = expected["unit_0"].as_str().unwrap().replace(' ', "").to_lowercase();

    for (query, answer) in [("", "ffab04"), ("?unit=0", unit_0.as_str())] {
        let scanned = visit(case, "192.168.88.100", query, &["--strict"]).await;
        nameless(&scanned);
        assert!(answers(&scanned)[0].contains(answer), "{:?}", answers(&scanned));
        let asked = |function: &str| {
            scanned.report.exchanges.iter().filter(|e| e.function == function).count()
        };
        assert_eq!(asked("ReadDeviceIdBasic"), if query.is_empty() { 2 } else { 1 });
        assert!(scanned.questions().len() <= 5, "{:?}", scanned.questions());
    }
}

fn answers(scanned: &Scanned) -> Vec<String> {
    scanned.report.exchanges.iter().map(|exchange| exchange.response.to_string()).collect()
}

fn nameless(scanned: &Scanned) {
    assert_eq!(scanned.outcome().outcome, Outcome::PresentNoIdentity);
    says(&scanned.device(), &[]);
    assert!(scanned.device().state.is_empty());
    assert!(scanned.device().children.is_empty(), "{:?}", scanned.device().children);
}

#[tokio::test(flavor = "multi_thread")]
async fn thirteen_servers_of_a_plant_are_there_and_nameless() {
    let case = "modbus-plant1-thirteen-servers";
    if recordings().is_none() {
        return;
    }
    let devices = devices(case, "modbus");
    assert_eq!(devices.len(), 13);
    for device in devices {
        nameless(&visit(case, &device, "", &[]).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_recorded_among_other_traffic_are_there_and_nameless() {
    if recordings().is_none() {
        return;
    }
    for case in ["modbus-and-other-on-502", "field-wastewater-1"] {
        for device in devices(case, "modbus") {
            nameless(&visit(case, &device, "", &[]).await);
        }
    }
}

#[test]
fn every_recorded_modbus_device_that_can_be_asked_is_asked_here() {
    if recordings().is_none() {
        return;
    }
    let text = std::fs::read_to_string(recordings().unwrap().join("truth.json")).unwrap();
    let truth: Value = serde_json::from_str(&text).unwrap();
    let is_modbus = |entry: &Value| entry["protocol"] == "modbus";
    let cases = truth["cases"].as_array().unwrap().iter();
    let asked = cases.filter(|case| case["active"].as_array().unwrap().iter().any(is_modbus));
    let asked: Vec<&str> = asked.map(|case| case["id"].as_str().unwrap()).collect();
    assert_eq!(asked, ["modbus-wingpath-fc17", "modbus-fc43-empty-4sics"]);
}
