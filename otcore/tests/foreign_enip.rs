//! EtherNet/IP servers that others wrote, scanned over real sockets. What a scan says is what each of
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

use otcore::gate::journal::{Entry, What};
use otcore::model::{FindingKind, InterfaceField, Outcome, ServiceField, StateField, Transport};
use otcore::{Level, Policy};
use peers_support::{Peer, Scanned, Witness, fields, identity, moment, scan};

/// What cpppo gives itself out for, unless it is told otherwise.
const LOGIX: [(&str, &str); 11] = [
    ("vendor", "Rockwell Automation"),
    ("vendor_id", "cip:1"),
    ("device_type", "cip:14"),
    ("model", "1756-L61/B LOGIX5561"),
    ("order_number", "1756-L61"),
    ("serial_number", "006c061a"),
    ("firmware", "20.11"),
    ("description", "Programmable Logic Controller"),
    ("device_class", "software"),
    ("product_code", "54"),
    ("product_name", "ControlLogix"),
];

/// What another is set up with.
const CUSTOM: [(&str, &str); 8] = [
    ("vendor", "Hilscher"),
    ("vendor_id", "cip:283"),
    ("device_type", "cip:43"),
    ("model", "RIG-EIP-ADAPTER 16DI"),
    ("serial_number", "deadbeef"),
    ("firmware", "3.7"),
    ("description", "Generic Device (keyable)"),
    ("product_code", "1207"),
];

fn to(level: Level) -> Policy {
    Policy::gentle().protocol("enip", |enip| enip.level(level))
}

/// Scans a peer without anybody in between, for datagrams have no witness.
async fn visit_directly(name: &str, policy: Policy) -> Option<Scanned> {
    let peer = Peer::start(name)?;
    let scanned = scan(&[format!("enip://{}", peer.at)], policy).await;
    moment().await;
    Some(scanned)
}

#[tokio::test(flavor = "multi_thread")]
async fn cpppo_is_identified_with_one_datagram_each_way() {
    for (name, expected) in [("enip-cpppo", &LOGIX[..]), ("enip-cpppo-custom", &CUSTOM[..])] {
        for level in [Level::Detect, Level::Identify] {
            let Some(scanned) = visit_directly(name, to(level)).await else { return };
            let outcome = scanned.outcome();
            assert_eq!(outcome.outcome, Outcome::Identified, "{outcome:?}");
            assert_eq!(identity(&scanned.device()), fields(expected));
            let device = scanned.device();
            let decoy = device.findings.iter().any(|found| found.kind == FindingKind::KnownDecoy);
            assert_eq!(decoy, name == "enip-cpppo", "only its defaults give it away");
            assert_eq!((outcome.connections, outcome.requests, outcome.packets), (0, 1, 1));
            assert_eq!(scanned.report.exchanges[0].transport, Transport::Udp);
            println!("{name}: {} bytes out, {} in", outcome.bytes_out, outcome.bytes_in);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_no_datagrams_is_asked_over_tcp() {
    let Some(peer) = Peer::start("enip-cpppo") else { return };
    // The witness in front of it listens for connections only, and its system says so.
    let witness = Witness::before(peer.at).await;
    let scanned = scan(&[format!("enip://{}", witness.at)], to(Level::Identify)).await;
    moment().await;
    let (outcome, seen) = (scanned.outcome(), witness.seen());
    assert_eq!(outcome.outcome, Outcome::Identified, "{outcome:?}");
    assert_eq!(identity(&scanned.device()), fields(&LOGIX));
    assert_eq!((seen.connections, outcome.requests), (1, 2), "{:?}", scanned.journal);
    assert_eq!(seen.asked.len(), 24, "List Identity alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_of_cpppo_is_read_bit_by_bit() {
    let Some(scanned) = visit_directly("enip-cpppo", to(Level::State)).await else { return };
    assert_eq!(scanned.outcome().outcome, Outcome::Identified, "{:?}", scanned.outcome());
    let device = scanned.device();
    assert_eq!(device.state.value(StateField::OperatingMode), Some("Run"));
    assert_eq!(device.state.value(StateField::KeySwitch), Some("REM"));
    let health = device.state.value(StateField::Health).unwrap();
    assert!(health.contains("minor recoverable fault"), "{health}");
}

#[tokio::test(flavor = "multi_thread")]
async fn cpppo_in_every_slot_is_no_rack() {
    let policy = to(Level::Structure).protocol("enip", |enip| enip.allow("backplane"));
    let Some(scanned) = visit_directly("enip-cpppo", policy).await else { return };
    assert_eq!(scanned.outcome().outcome, Outcome::Identified);
    assert!(scanned.device().modules.is_empty(), "{:?}", scanned.device().modules);
}

/// What OpENer gives itself out for as its authors publish it.
const OPENER: [(&str, &str); 9] = [
    ("vendor", "Rockwell Automation"),
    ("vendor_id", "cip:1"),
    ("device_type", "cip:12"),
    ("model", "OpENer PC"),
    ("serial_number", "075bcd15"),
    ("firmware", "2.3"),
    ("description", "Communications Adapter"),
    ("device_class", "software"),
    ("product_code", "65001"),
];

#[tokio::test(flavor = "multi_thread")]
async fn opener_is_identified_with_one_datagram_each_way() {
    let Some(scanned) = visit_directly("enip-opener", to(Level::Identify)).await else { return };
    let outcome = scanned.outcome();
    assert_eq!(outcome.outcome, Outcome::Identified, "{outcome:?}");
    assert_eq!(identity(&scanned.device()), fields(&OPENER));
    assert_eq!((outcome.connections, outcome.requests, outcome.packets), (0, 1, 1));
    let health = scanned.device();
    let health = health.state.value(StateField::Health);
    assert_eq!(health, Some("no fault is reported (status 0x0000)"), "state 0 says nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn opener_says_all_about_its_interface_and_routes_to_nobody() {
    let policy = to(Level::State).protocol("enip", |enip| enip.allow("backplane"));
    let Some(scanned) = visit_directly("enip-opener", policy).await else { return };
    let outcome = scanned.outcome();
    assert_eq!(outcome.outcome, Outcome::Identified, "{outcome:?}");
    assert_eq!(identity(&scanned.device()), fields(&OPENER));
    let device = scanned.device();
    let interface = &device.interfaces["1"];
    for (field, value) in [
        (InterfaceField::Mac, "02:47:11:00:00:42"),
        (InterfaceField::Ip, "127.0.0.1"),
        (InterfaceField::Mask, "255.255.255.0"),
        (InterfaceField::Gateway, "127.0.0.254"),
        (InterfaceField::HostName, "opener-42"),
        (InterfaceField::Speed, "100 Mbit/s, full duplex"),
    ] {
        assert_eq!(interface.value(field), Some(value), "{field:?}");
    }
    let offers = device.services.values().find_map(|one| one.value(ServiceField::Conformity));
    assert_eq!(offers, Some("Communications: CIP over TCP, I/O over UDP"));
    assert!(device.modules.is_empty());
    assert_eq!(outcome.connections, 1);
    let times = |name: &str| {
        let sent =
            |entry: &&Entry| matches!(&entry.what, What::Sent { function, .. } if function == name);
        scanned.journal.iter().filter(sent).count()
    };
    assert_eq!(times("ReadModuleIdentity"), 1, "it refuses the way to any slot");
    assert_eq!(times("UnregisterSession"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_drops_the_connection_at_an_object_it_does_not_have_has_said_who_it_is() {
    // cpppo answers a question for the TCP/IP Interface with encapsulation status 8, and hangs up.
    let Some(scanned) = visit_directly("enip-cpppo", to(Level::Structure)).await else { return };
    let outcome = scanned.outcome();
    assert_eq!(outcome.outcome, Outcome::Identified, "{outcome:?}");
    assert_eq!(identity(&scanned.device()), fields(&LOGIX));
    assert_eq!(outcome.connections, 1, "it is not called again");
}
