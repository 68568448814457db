//! S7 servers that others wrote, scanned over real sockets. What a scan says is what each of them
//! was set up with (`tests/peers/README.md`): nothing less and nothing else.
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

use otcore::model::{InterfaceField, Outcome, StateField};
use otcore::{Level, Policy};
use peers_support::{fields, identity, nobody_hung_up, visit};

/// The controller that the Snap7 server gives itself out for.
const CPU_315: [(&str, &str); 13] = [
    ("vendor", "Siemens"),
    ("model", "CPU 315-2 PN/DP"),
    ("order_number", "6ES7 315-2EH14-0AB0"),
    ("hardware_revision", "4"),
    ("firmware", "V3.2.6"),
    ("bootloader", "A32.9.9"),
    ("device_name", "SNAP7-SERVER"),
    ("description", "CPU 315-2 PN/DP"),
    ("copyright", "Original Siemens Equipment"),
    ("serial_number", "S C-C2UR28922012"),
    ("memory_card", "MMC 267FF11F"),
    ("product_name", "SIMATIC S7-300"),
    ("device_class", "software"),
];

fn to(level: Level) -> Policy {
    Policy::gentle().protocol("s7", |s7| s7.level(level))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snap7_server_is_the_controller_it_gives_itself_out_for() {
    let Some((scanned, seen)) = visit("s7-snap7", "", to(Level::Identify)).await else { return };
    assert_eq!(scanned.outcome().outcome, Outcome::Identified);
    // Its list is cut before the memory card, which is asked for alone at a deeper level.
    let said: Vec<_> = CPU_315.into_iter().filter(|(field, _)| *field != "memory_card").collect();
    assert_eq!(identity(&scanned.device()), fields(&said));
    assert!(scanned.device().state.is_empty());
    assert_eq!(seen.connections, 1);
    assert!(scanned.questions().len() <= 4, "{:?}", scanned.questions());
    nobody_hung_up(&scanned);
    let outcome = scanned.outcome();
    println!(
        "identified with {} questions of {} bytes, {} packets of {}",
        outcome.requests, outcome.bytes_out, outcome.packets, outcome.packets_planned
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn at_detect_level_a_snap7_server_is_there_and_not_asked_for_its_name() {
    let Some((scanned, _)) = visit("s7-snap7", "", to(Level::Detect)).await else { return };
    assert_eq!(scanned.outcome().outcome, Outcome::PresentNoIdentity);
    assert_eq!(scanned.questions().len(), 2, "connection and setup");
    assert_eq!(scanned.device().services.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn at_state_level_a_snap7_server_says_that_it_runs_and_where() {
    let query = "?rack=0&slot=2";
    let Some((scanned, _)) = visit("s7-snap7", query, to(Level::State)).await else { return };
    assert_eq!(scanned.outcome().outcome, Outcome::Identified);
    let device = scanned.device();
    assert_eq!(identity(&device), fields(&CPU_315));
    let state = |field| device.state.value(field);
    assert_eq!(state(StateField::OperatingMode), Some("Run"));
    assert_eq!(state(StateField::OperatingModeRaw), Some("0x08"));
    assert_eq!(state(StateField::ProtectionLevel), Some("1"));
    assert_eq!(state(StateField::KeySwitch), Some("RUN-P"));
    let interfaces: Vec<_> = device.interfaces.values().collect();
    assert_eq!(interfaces.len(), 1);
    assert_eq!(interfaces[0].value(InterfaceField::Ip), Some("192.168.1.10"));
    assert_eq!(interfaces[0].value(InterfaceField::Mask), Some("255.255.255.0"));
    assert_eq!(interfaces[0].value(InterfaceField::Mac), Some("00:1b:1b:1d:1a:2d"));
    nobody_hung_up(&scanned);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_snap7_server_says_that_it_is_stopped() {
    let policy = to(Level::State);
    let Some((scanned, _)) = visit("s7-snap7-stopped", "", policy).await else { return };
    let device = scanned.device();
    assert_eq!(device.state.value(StateField::OperatingMode), Some("Stop"));
    assert_eq!(device.state.value(StateField::OperatingModeRaw), Some("0x04"));
}

/// It answers 0x0011 with one record shorter than Siemens', 0x001C with no records of no length and
/// text behind them, and the lists of state with too little. What it does say is true, and no more
/// is said.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_broken_lists_is_what_the_whole_ones_say() {
    for level in [Level::Identify, Level::State] {
        let Some((scanned, seen)) = visit("s7-snap7py", "", to(level)).await else { return };
        assert_eq!(scanned.outcome().outcome, Outcome::Identified);
        let expected = [
            ("vendor", "Siemens"),
            ("order_number", "6ES7 315-2EH14-0AB0"),
            ("product_name", "SIMATIC S7-300"),
            ("model", "CPU 315-2 PN/DP"),
            ("device_class", "plc"),
            ("cpe_hardware", "cpe:2.3:h:siemens:6es7315-2eh14-0ab0:-:*:*:*:*:*:*:*"),
        ];
        let device = scanned.device();
        assert_eq!(identity(&device), fields(&expected));
        assert!(device.state.is_empty(), "{:?}", device.state);
        assert!(device.interfaces.is_empty() && device.modules.is_empty());
        assert_eq!(seen.connections, 1);
        nobody_hung_up(&scanned);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_s7comm_plus_alone_is_not_named_and_not_called_again() {
    let Some((scanned, seen)) = visit("s7-s7commplus", "", to(Level::State)).await else { return };
    assert_eq!(scanned.outcome().outcome, Outcome::ResetAfter);
    assert_eq!(scanned.report.assets.iter().count(), 0);
    assert_eq!((seen.connections, scanned.outcome().requests), (1, 2));
}
