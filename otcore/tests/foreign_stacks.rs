//! Modbus servers that others wrote, scanned over real sockets. What a scan says is what each of
//! them was set up with (`tests/peers/README.md`): nothing less and nothing else.
#![cfg(feature = "net")]
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
use peers_support::{fields, identity, nobody_hung_up, visit};

/// The standard objects of `modbus-pymodbus`.
const RIGWERK: [(&str, &str); 7] = [
    ("vendor", "Rigwerk AG"),
    ("product_code", "RW-PLC-4711"),
    ("firmware", "V2.14.3"),
    ("vendor_url", "https://rigwerk.example"),
    ("product_name", "Rig Compact PLC"),
    ("model", "RW4711/DN"),
    ("user_application", "line 7 packer"),
];

fn to(level: Level) -> Policy {
    Policy::gentle().protocol("modbus", |modbus| modbus.level(level))
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pymodbus_server_is_who_it_was_set_up_to_be() {
    let Some((scanned, seen)) = visit("modbus-pymodbus", "", to(Level::Identify)).await else {
        return;
    };
    assert_eq!(scanned.outcome().outcome, Outcome::Identified);
    assert_eq!(identity(&scanned.device()), fields(&RIGWERK));
    assert!(scanned.device().children.is_empty());
    assert!(scanned.device().state.is_empty());
    assert!(holds(&seen.answered, "SN-00420815"), "the extended objects were read too");
    assert_eq!(scanned.units_asked(), [255]);
    nobody_hung_up(&scanned);
}

#[tokio::test(flavor = "multi_thread")]
async fn at_state_level_a_pymodbus_server_also_says_that_it_runs() {
    let Some((scanned, _)) = visit("modbus-pymodbus", "", to(Level::State)).await else { return };
    assert_eq!(scanned.outcome().outcome, Outcome::Identified);
    let mut known = fields(&RIGWERK);
    known.insert("device_name", "Rigwerk AG-RW-PLC-4711-V2.14.3".to_owned());
    assert_eq!(identity(&scanned.device()), known);
    assert_eq!(scanned.device().state.value(StateField::RunIndicator), Some("on"));
    assert!(scanned.device().children.is_empty(), "unit 1 says the same as the device itself");
    assert_eq!(scanned.units_asked(), [255, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn at_detect_level_a_pymodbus_server_is_asked_one_question() {
    let Some((scanned, _)) = visit("modbus-pymodbus", "", to(Level::Detect)).await else { return };
    assert_eq!(scanned.outcome().outcome, Outcome::Identified);
    assert_eq!(identity(&scanned.device())["vendor"], "Rigwerk AG");
    assert_eq!(scanned.questions().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_unit_that_the_target_names_is_the_device() {
    let Some((scanned, _)) = visit("modbus-pymodbus", "?unit=17", to(Level::Identify)).await else {
        return;
    };
    assert_eq!(scanned.outcome().outcome, Outcome::Identified);
    assert_eq!(identity(&scanned.device()), fields(&RIGWERK));
    assert_eq!(scanned.units_asked(), [17]);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_units_that_the_target_names_are_each_asked_on_one_connection() {
    let query = "?unit=1,2,17";
    let Some((scanned, seen)) = visit("modbus-pymodbus", query, to(Level::Identify)).await else {
        return;
    };
    assert_eq!(scanned.outcome().outcome, Outcome::Identified);
    assert_eq!(scanned.units_asked(), [1, 2, 17]);
    assert_eq!(seen.connections, 1);
    let device = scanned.device();
    let places: Vec<&str> = device.children.values().map(otcore::model::Node::place).collect();
    assert_eq!(places, ["1", "17", "2"]);
    assert!(device.children.values().all(|child| identity(child) == fields(&RIGWERK)));
    assert!(device.identity.is_empty(), "nobody asked the device itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_of_many_pages_is_read_to_its_end() {
    let Some((scanned, seen)) = visit("modbus-pymodbus-long", "", to(Level::Identify)).await else {
        return;
    };
    assert_eq!(scanned.outcome().outcome, Outcome::Identified);
    let four_times = RIGWERK.map(|(field, text)| (field, [text; 4].join(" ")));
    assert_eq!(identity(&scanned.device()), four_times.into());
    for number in 0..8 {
        assert!(holds(&seen.answered, &format!("private-{number:02x}-")), "{number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_answers_for_every_unit_is_one_device() {
    let policy = to(Level::Structure).protocol("modbus", |modbus| modbus.unit(1).unit(2).unit(3));
    let Some((scanned, _)) = visit("modbus-pymodbus-anyunit", "", policy).await else { return };
    assert_eq!(scanned.outcome().outcome, Outcome::Identified);
    assert_eq!(identity(&scanned.device()), fields(&RIGWERK));
    assert!(scanned.device().children.is_empty());
    assert_eq!(scanned.units_asked(), [255, 1], "one look at another unit is enough");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_an_empty_identity_is_known_by_its_server_id_alone() {
    let Some((scanned, _)) = visit("modbus-pymodbus-noid", "", to(Level::Identify)).await else {
        return;
    };
    assert_eq!(scanned.outcome().outcome, Outcome::Identified);
    assert_eq!(identity(&scanned.device()), fields(&[("device_name", "Pymodbus")]));
    assert_eq!(scanned.device().state.value(StateField::RunIndicator), Some("on"));
}

/// What `modbus-pymodbustcp` was set up with.
const RW_PMT: [(&str, &str); 7] = [
    ("vendor", "Rigwerk AG"),
    ("product_code", "RW-PMT-1"),
    ("firmware", "1.2.3"),
    ("vendor_url", "https://rigwerk.example"),
    ("product_name", "PMT device"),
    ("model", "RW-PMT"),
    ("user_application", "press 3"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_pymodbustcp_server_with_separate_categories_says_everything() {
    let Some((scanned, seen)) = visit("modbus-pymodbustcp", "", to(Level::Identify)).await else {
        return;
    };
    assert_eq!(scanned.outcome().outcome, Outcome::Identified);
    assert_eq!(identity(&scanned.device()), fields(&RW_PMT));
    assert!(holds(&seen.answered, "SN-PMT-0007"));
    nobody_hung_up(&scanned);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_up_on_a_question_has_still_said_its_name() {
    let Some((scanned, seen)) = visit("modbus-pymodbustcp", "", to(Level::State)).await else {
        return;
    };
    let outcome = scanned.outcome();
    assert_eq!(outcome.outcome, Outcome::Identified);
    let detail = outcome.detail.as_deref().unwrap();
    assert!(detail.contains("closed the connection"), "{detail}");
    assert_eq!(identity(&scanned.device()), fields(&RW_PMT));
    assert_eq!(seen.connections, 1, "who breaks off is left alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_without_identity_are_there_but_nameless() {
    for name in ["modbus-umodbus", "modbus-modbustk"] {
        let Some((scanned, seen)) = visit(name, "?unit=1", to(Level::Identify)).await else {
            continue;
        };
        assert_eq!(scanned.outcome().outcome, Outcome::PresentNoIdentity, "{name}");
        assert!(identity(&scanned.device()).is_empty(), "{name}");
        assert_eq!(scanned.questions().len(), 2, "{name}: identification, then server id");
        assert_eq!(seen.connections, 1, "{name}");
        nobody_hung_up(&scanned);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_umodbus_server_is_found_without_naming_a_unit() {
    let Some((scanned, _)) = visit("modbus-umodbus", "", to(Level::Identify)).await else { return };
    assert_eq!(scanned.outcome().outcome, Outcome::PresentNoIdentity);
    assert_eq!(scanned.units_asked(), [255]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_meets_unit_255_with_silence_is_asked_for_unit_1() {
    let Some((scanned, seen)) = visit("modbus-modbustk", "", to(Level::Identify)).await else {
        return;
    };
    assert_eq!(scanned.outcome().outcome, Outcome::PresentNoIdentity);
    assert!(identity(&scanned.device()).is_empty());
    assert_eq!(scanned.units_asked(), [255, 1]);
    assert_eq!(seen.connections, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_that_is_met_with_silence_is_silent_and_no_harm_is_suspected() {
    let Some((scanned, _)) = visit("modbus-modbustk", "?unit=9", to(Level::Identify)).await else {
        return;
    };
    assert_eq!(scanned.outcome().outcome, Outcome::Silent);
    assert!(!scanned.report.harm_suspected());
    assert!(scanned.report.assets.is_empty());
    assert_eq!(scanned.questions().len(), 1, "nothing is asked twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_libmodbus_server_says_its_library_in_its_server_id() {
    let Some((scanned, seen)) = visit("modbus-libmodbus", "", to(Level::Identify)).await else {
        return;
    };
    assert_eq!(scanned.outcome().outcome, Outcome::Identified);
    let last = &seen.answered[seen.answered.len() - 5 - 3..];
    let version = std::str::from_utf8(last).unwrap();
    assert!(version.starts_with("LMB"), "{version}");
    let known = [("device_name", version), ("device_class", "software")];
    assert_eq!(identity(&scanned.device()), fields(&known));
    assert_eq!(scanned.device().state.value(StateField::RunIndicator), Some("on"));
    nobody_hung_up(&scanned);
}
