//! Recorded S7 devices, replayed on loopback by a program of their own. Everything that is known to
//! be true of each is found, and nothing is claimed that is not.
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

use otcore::model::{Field, FindingKind, Node, Outcome, ServiceField, StateField};
use otcore::{Level, Policy};
use peers_support::recordings::{Replay, devices, recordings, says, truth};
use peers_support::{Scanned, scan};
use serde_json::Value;

async fn visit(case: &str, device: &str, query: &str, options: &[&str]) -> Scanned {
    let replay = Replay::start(case, device, "tpkt", options);
    let policy = Policy::gentle().protocol("s7", |s7| s7.level(Level::State).allow("programmer"));
    let scanned = scan(&[format!("s7://{}{query}", replay.at)], policy).await;
    replay.check(case, &scanned);
    scanned
}

/// What a device must say: the facts of the recording, by the names of our fields.
struct Truth(Value);

impl Truth {
    fn of(case: &str) -> Self {
        Self(truth(case)["active"][0]["expected"].clone())
    }

    fn text(&self, fact: &str) -> String {
        match &self.0[fact] {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            number => number.to_string(),
        }
    }

    /// Identity, with what the rules add to it.
    fn is_said_by(&self, device: &Node, concluded: &[(&'static str, &str)]) {
        const FIELDS: [(&str, &str); 11] = [
            ("vendor", "vendor"),
            ("order_number", "order_number"),
            ("hardware_revision", "hardware_revision"),
            ("firmware", "firmware"),
            ("bootloader", "boot_loader"),
            ("device_name", "system_name"),
            ("description", "module_name"),
            ("copyright", "copyright"),
            ("serial_number", "serial"),
            ("model", "module_type"),
            ("memory_card", "memory_card_serial"),
        ];
        let facts = FIELDS.map(|(field, fact)| (field, self.text(fact)));
        let facts = facts.iter().filter(|(_, value)| !value.is_empty());
        let mut expected: Vec<(&str, &str)> =
            facts.map(|(field, value)| (*field, value.as_str())).collect();
        expected.extend(concluded);
        says(device, &expected);
        assert!(device.findings.is_empty(), "{:?}", device.findings);
    }

    /// Operating mode, protection, key switch and limits, as far as they were recorded.
    fn is_the_state_of(&self, device: &Node) {
        let mode = self.text("operating_state");
        let said = device.state.value(StateField::OperatingMode).unwrap_or_default();
        assert_eq!(said.to_uppercase(), mode);
        let said = device.state.value(StateField::ProtectionLevel).unwrap_or_default();
        assert_eq!(said, self.text("protection_level"));
        let said = device.state.value(StateField::KeySwitch).unwrap_or_default();
        assert_eq!(said, self.text("mode_selector"));
        let service = device.services.values().next().unwrap();
        let limits = match self.text("max_pdu").as_str() {
            "" => None,
            pdu => Some(format!(
                "{} connections, messages of {pdu} bytes",
                self.text("max_connections")
            )),
        };
        assert_eq!(service.value(ServiceField::Limits), limits.as_deref());
    }
}

const ET_200S: [(&str, &str); 2] = [("product_name", "SIMATIC ET 200S"), ("device_class", "plc")];

#[tokio::test(flavor = "multi_thread")]
async fn the_controller_of_an_et_200s_says_everything_in_two_part_lists() {
    let case = "s7-et200s-im151-8-full";
    if recordings().is_none() {
        return;
    }
    let scanned = visit(case, "192.168.1.40", "", &[]).await;
    assert_eq!(scanned.outcome().outcome, Outcome::Identified);
    let (truth, device) = (Truth::of(case), scanned.device());
    truth.is_said_by(&device, &ET_200S);
    truth.is_the_state_of(&device);
    assert!(device.modules.is_empty(), "the only module that it lists is itself");
    assert_eq!(device.state.value(StateField::ChangeDigest), Some("bc04a3d58401d6b2"));
    assert_eq!(scanned.report.counters.connections, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_of_an_identity_are_an_identity() {
    if recordings().is_none() {
        return;
    }
    for case in ["s7-et200s-im151-8-partial", "s7-et200s-im151-8-online"] {
        let scanned = visit(case, "192.168.1.40", "", &[]).await;
        assert_eq!(scanned.outcome().outcome, Outcome::Identified);
        let (truth, device) = (Truth::of(case), scanned.device());
        // Which of both it is follows from the order number where it does not say so itself.
        let model = [("model", "IM151-8 PN/DP CPU")];
        let concluded = if truth.text("module_type").is_empty() { &model[..] } else { &[] };
        truth.is_said_by(&device, &[&ET_200S, concluded].concat());
        truth.is_the_state_of(&device);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_snap7_server_is_software_that_gives_itself_out_for_a_controller() {
    let case = "s7-snap7-server-simulator";
    if recordings().is_none() {
        return;
    }
    let scanned = visit(case, "172.17.0.2", "", &[]).await;
    let (truth, device) = (Truth::of(case), scanned.device());
    let concluded = [("product_name", "SIMATIC S7-300"), ("device_class", "software")];
    let claims = device.identity.claims(Field::DeviceClass);
    let classes: Vec<&str> = claims.map(|claim| claim.value.as_str()).collect();
    assert!(classes.contains(&"plc"), "what it gives itself out for is told too");
    let findings: Vec<FindingKind> = device.findings.iter().map(|found| found.kind).collect();
    assert_eq!(findings, [FindingKind::CopiedIdentity]);
    truth.is_the_state_of(&device);
    let said = peers_support::identity(&device);
    for (field, value) in concluded {
        assert_eq!(said[field], value);
    }
    for (field, fact) in [("serial_number", "serial"), ("memory_card", "memory_card_serial")] {
        assert_eq!(said[field], truth.text(fact));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_s7_400_of_which_only_the_state_was_recorded_is_nameless_and_runs() {
    let case = "s7-400-wincc-production";
    if recordings().is_none() {
        return;
    }
    let scanned = visit(case, "194.250.63.170", "?slot=3", &[]).await;
    assert_eq!(scanned.outcome().outcome, Outcome::PresentNoIdentity);
    let (truth, device) = (Truth::of(case), scanned.device());
    says(&device, &[]);
    truth.is_the_state_of(&device);
}

#[tokio::test(flavor = "multi_thread")]
async fn controllers_whose_identity_lies_in_s7comm_plus_are_there_and_nameless() {
    if recordings().is_none() {
        return;
    }
    for (case, device) in [
        ("s7plus-1214c-tia-upload", "192.168.1.191"),
        ("s7plus-1215c-with-two-modules", "192.168.41.10"),
    ] {
        let scanned = visit(case, device, "", &[]).await;
        assert_eq!(scanned.outcome().outcome, Outcome::PresentNoIdentity, "{case}");
        says(&scanned.device(), &[]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twelve_controllers_of_a_plant_are_there_and_nameless() {
    let case = "s7-plant1-twelve-plcs";
    if recordings().is_none() {
        return;
    }
    let devices = devices(case, "s7comm");
    assert_eq!(devices.len(), 12);
    for device in devices {
        let scanned = visit(case, &device, "", &[]).await;
        assert_eq!(scanned.outcome().outcome, Outcome::PresentNoIdentity);
        says(&scanned.device(), &[]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mms_on_the_port_is_never_taken_for_s7() {
    if recordings().is_none() {
        return;
    }
    let scanned = visit("mms-piccolo-identify", "10.10.0.30", "", &[]).await;
    assert!(scanned.report.assets.is_empty());
    let outcome = scanned.outcome().outcome;
    let honest = [Outcome::Unsupported, Outcome::WentDark, Outcome::ResetAfter];
    assert!(honest.contains(&outcome), "{outcome:?}");
}

#[test]
fn every_recorded_s7_device_that_can_be_asked_is_asked_here() {
    let Some(folder) = recordings() else { return };
    let text = std::fs::read_to_string(folder.join("truth.json")).unwrap();
    let truth: Value = serde_json::from_str(&text).unwrap();
    let is_s7 = |entry: &Value| entry["protocol"] == "s7comm";
    let cases = truth["cases"].as_array().unwrap().iter();
    let asked = cases.filter(|case| case["active"].as_array().unwrap().iter().any(is_s7));
    let asked: Vec<&str> = asked.map(|case| case["id"].as_str().unwrap()).collect();
    assert_eq!(
        asked,
        [
            "s7-et200s-im151-8-full",
            "s7-et200s-im151-8-partial",
            "s7-et200s-im151-8-online",
            "s7-snap7-server-simulator",
            "s7-400-wincc-production",
        ]
    );
}
