//! Recorded EtherNet/IP devices, replayed on loopback by a program of their own. Everything that is
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

use otcore::fingerprint::Knowledge;
use otcore::model::{Named, Node, Outcome, ServiceField, StateField};
use otcore::{Level, Policy};
use peers_support::recordings::{Replay, recordings, says, truth};
use peers_support::{Scanned, scan};
use serde_json::Value;

async fn visit(case: &str, device: &str, query: &str) -> Scanned {
    let replay = Replay::start(case, device, "enip", &[]);
    let policy =
        Policy::gentle().protocol("enip", |enip| enip.level(Level::State).allow("backplane"));
    let scanned = scan(&[format!("enip://{}{query}", replay.at)], policy).await;
    replay.check(case, &scanned);
    scanned
}

fn expected(case: &str, device: &str) -> Value {
    let truth = truth(case);
    let active = truth["active"].as_array().unwrap();
    let of_it = active.iter().find(|entry| entry["device_ip"] == device).unwrap();
    of_it["expected"].clone()
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        number => number.to_string(),
    }
}

/// Identity as the recording has it, with what the rules conclude from it.
fn is_said_by(truth: &Value, node: &Node, further: &[(&'static str, &str)]) {
    const FIELDS: [(&str, &str); 7] = [
        ("vendor", "vendor"),
        ("description", "device_type_name"),
        ("product_code", "product_code"),
        ("model", "product"),
        ("firmware", "firmware"),
        ("serial_number", "serial"),
        ("order_number", "order_number"),
    ];
    let mut facts = FIELDS.map(|(field, fact)| (field, text(&truth[fact]))).to_vec();
    // The recording has the name of the registry; the one name of the vendor is ours.
    let knowledge = Knowledge::built_in();
    facts[0].1 = knowledge.vendor(&facts[0].1).unwrap().to_owned();
    for field in ["vendor_id", "device_type"] {
        facts.push((field, format!("cip:{}", truth[field])));
    }
    let mut expected: Vec<(&'static str, &str)> = { facts.iter() }
        .filter(|(_, value)| !value.is_empty())
        .map(|(field, value)| (*field, value.as_str()))
        .collect();
    expected.extend(further);
    says(node, &expected);
    assert!(node.findings.is_empty(), "{:?}", node.findings);
    let health = node.state.value(StateField::Health).unwrap();
    let word = u16::try_from(truth["status"].as_u64().unwrap()).unwrap();
    assert!(health.contains(&format!("{word:#06x}")), "{health}");
}

/// What the controller in slot 0 of the rack says of its project, and what it is.
const CONTROLLER: [(&str, &str); 4] = [
    ("device_class", "plc"),
    ("product_name", "ControlLogix"),
    ("device_name", "NiftyController"),
    ("user_application", "First project from 'Getting Started'"),
];

const RUNNING: [(StateField, &str); 4] = [
    (StateField::OperatingMode, "Run"),
    (StateField::OperatingModeRaw, "0x3060"),
    (StateField::KeySwitch, "REM"),
    (StateField::ProjectName, "NiftyController"),
];

const ADAPTER: [(&str, &str); 1] = [("device_class", "communication module")];
const ENBT: [(&str, &str); 2] =
    [("device_class", "communication module"), ("product_name", "ControlLogix")];

/// State, and nothing but these fields.
fn state(node: &Node, expected: &[(StateField, &str)]) {
    for field in StateField::ALL.iter().filter(|field| **field != StateField::Health) {
        let wanted = expected.iter().find(|(one, _)| one == field).map(|(_, value)| *value);
        assert_eq!(node.state.value(*field), wanted, "{}", field.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_controllogix_rack_opens_slot_by_slot() {
    let case = "enip-1756-rack-ipchange";
    if recordings().is_none() {
        return;
    }
    for address in ["192.168.10.120", "192.168.10.125"] {
        let scanned = visit(case, address, "").await;
        assert_eq!(scanned.outcome().outcome, Outcome::Identified);
        let (truth, device) = (expected(case, address), scanned.device());
        is_said_by(&truth, &device, &ENBT);
        state(&device, &[]);
        // Slot 1 is the device itself, and 4 to 6 are empty: neither is a module.
        let modules = truth["modules"].as_array().unwrap().iter();
        let modules: Vec<&Value> = modules.filter(|module| module["slot"] != 1).collect();
        let record = scanned.outcome();
        let at = format!("{}/enip/{}", record.address, record.port);
        let paths: Vec<&str> = device.modules.values().map(Node::path).collect();
        let wanted = modules.iter().map(|module| format!("default/{at}/1.{}", module["slot"]));
        assert_eq!(paths, wanted.collect::<Vec<_>>());
        for (module, truth) in device.modules.values().zip(modules) {
            match truth["slot"].as_u64() {
                Some(0) => {
                    is_said_by(truth, module, &CONTROLLER);
                    state(module, &RUNNING);
                }
                _ => {
                    is_said_by(truth, module, &ADAPTER);
                    state(module, &[]);
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_is_found_where_the_target_names_its_slot_though_its_head_says_nothing() {
    let (case, address) = ("enip-1756-software-download", "192.168.10.120");
    if recordings().is_none() {
        return;
    }
    let scanned = visit(case, address, "?slot=0").await;
    let device = scanned.device();
    says(&device, &[]);
    let [(_, module)] = &device.modules.iter().collect::<Vec<_>>()[..] else { panic!() };
    let named = [
        ("device_class", "plc"),
        ("product_name", "ControlLogix"),
        ("device_name", "MVI56DNPSNET"),
    ];
    is_said_by(&expected(case, address)["modules"][0], module, &named);
    let mut running = RUNNING.to_vec();
    running[3].1 = "MVI56DNPSNET";
    let digest = "00000100f3c4c303eeb202560000e803020000008222df48010001008422df48";
    running.push((StateField::ChangeDigest, digest));
    state(module, &running);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_with_other_firmware_is_the_same_piece_with_other_firmware() {
    let (case, address) = ("enip-1756-enbt-firmware-flash", "192.168.10.120");
    if recordings().is_none() {
        return;
    }
    let scanned = visit(case, address, "").await;
    assert_eq!(scanned.outcome().outcome, Outcome::Identified);
    let device = scanned.device();
    is_said_by(&expected(case, address), &device, &ENBT);
    assert!(device.modules.is_empty(), "{:?}", device.modules);
    let offers = device.services.values().filter_map(|one| one.value(ServiceField::Conformity));
    let offers: Vec<&str> = offers.collect();
    assert_eq!(offers, ["Communications: CIP over TCP, I/O over UDP"]);
}

#[test]
fn every_recorded_enip_device_that_can_be_asked_is_asked_here() {
    let Some(folder) = recordings() else { return };
    let text = std::fs::read_to_string(folder.join("truth.json")).unwrap();
    let truth: Value = serde_json::from_str(&text).unwrap();
    let is_enip = |entry: &Value| entry["protocol"] == "enip";
    let cases = truth["cases"].as_array().unwrap().iter();
    let asked = cases.filter(|case| case["active"].as_array().unwrap().iter().any(is_enip));
    let asked: Vec<&str> = asked.map(|case| case["id"].as_str().unwrap()).collect();
    let here =
        ["enip-1756-rack-ipchange", "enip-1756-software-download", "enip-1756-enbt-firmware-flash"];
    assert_eq!(asked, here);
}
