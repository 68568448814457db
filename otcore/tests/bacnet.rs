//! Pretend BACnet/IP devices of every kind: what a scan finds is what each of them is.
#![cfg(feature = "sim")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_possible_truncation
)] // a test says what went wrong by stopping

mod common;

#[path = "bacnet/harm.rs"]
mod harm;
#[path = "bacnet/nested.rs"]
mod nested;
#[path = "bacnet/odd.rs"]
mod odd;
#[path = "bacnet/random.rs"]
mod random;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use common::network::Network;
use common::{Ended, Setting, only};
use otcore::gate::journal::What;
use otcore::model::{Field, InterfaceField, Named, Node, ServiceField, StateField, Transport};
use otcore::protocols::bacnet::sim::{self, Habit, Server, Shape};
use otcore::sim::{Counters, Device};
use otcore::{Level, Outcome, Policy};

const AT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 1, 1, 7)), 47808);

fn to(level: Level) -> Policy {
    Policy::gentle().protocol("bacnet", |bacnet| bacnet.level(level))
}

fn with_everything(level: Level) -> Policy {
    to(level).protocol("bacnet", |bacnet| bacnet.allow("routed").allow("bbmd"))
}

async fn scan_any(device: impl Device + 'static, query: &str, policy: Policy) -> (Ended, Counters) {
    let network = Network::wiring().device(AT, device).done();
    let setting = Setting::new(network).with_policy(policy);
    let ended = setting.scan(&format!("bacnet://{AT}{query}")).await;
    let seen = setting.network.station(AT).counters();
    assert_eq!(seen.violations, Vec::<String>::new());
    assert_eq!(seen.overlapping, 0);
    assert_eq!(seen.connections, 0, "nobody connects to a BACnet/IP device");
    let record = &ended.report.outcomes[0];
    assert!(record.packets <= record.packets_planned, "{record:?}");
    (ended, seen)
}

async fn scan(shape: Shape, query: &str, policy: Policy) -> (Ended, Counters) {
    scan_any(Server::new(shape), query, policy).await
}

fn outcome(ended: &Ended) -> Outcome {
    let [record] = &ended.report.outcomes[..] else { panic!("{:?}", ended.report.outcomes) };
    record.outcome
}

fn device(ended: &Ended) -> Node {
    ended.report.assets.iter().next().unwrap().node.clone()
}

fn says(node: &Node, expected: &[(&str, &str)]) {
    for (field, value) in expected {
        let field = Field::by_name(field).unwrap();
        assert_eq!(node.identity.value(field), Some(*value), "{}", field.name());
    }
}

fn service(node: &Node, field: ServiceField) -> Option<&str> {
    node.services.values().find_map(|service| service.value(field))
}

/// The places of everybody behind or beside a device, and their names.
fn children(node: &Node) -> Vec<(String, String)> {
    let children = node.children.values();
    let name = |child: &'_ Node| child.identity.value(Field::DeviceName).map(str::to_owned);
    children.map(|child| (child.place().to_owned(), name(child).unwrap_or_default())).collect()
}

fn named(place: &str, name: &str) -> (String, String) {
    (place.to_owned(), name.to_owned())
}

fn asked(ended: &Ended) -> Vec<&str> {
    let sent = ended.journal.iter().filter_map(|entry| match &entry.what {
        What::Sent { function, .. } => Some(function.as_str()),
        _ => None,
    });
    sent.collect()
}

/// Questions for single properties, in the order in which names matter.
const ONE_BY_ONE: [&str; 8] = [
    "ReadObjectName",
    "ReadVendorName",
    "ReadModelName",
    "ReadFirmwareRevision",
    "ReadSerialNumber",
    "ReadApplicationSoftware",
    "ReadLocation",
    "ReadDescriptionText",
];

#[tokio::test(start_paused = true)]
async fn a_device_is_found_with_one_datagram_and_named_with_three() {
    let (ended, seen) = scan(sim::controller(), "", to(Level::Detect)).await;
    assert_eq!(asked(&ended), ["ReadObjectIdentifier"]);
    assert_eq!(seen.datagrams, 1);
    assert_eq!(ended.report.outcomes[0].bytes_out, 17);

    let (ended, seen) = scan(sim::controller(), "", to(Level::Identify)).await;
    assert_eq!(outcome(&ended), Outcome::Identified);
    assert_eq!(asked(&ended), ["ReadObjectIdentifier", "ReadIdentity", "ReadDescription"]);
    assert_eq!(seen.datagrams, 3);
    let record = &ended.report.outcomes[0];
    assert_eq!((record.packets, record.connections, record.bytes_out), (3, 0, 83));
    let device = device(&ended);
    says(
        &device,
        &[
            ("vendor", "Tarnwick Automation"),
            ("model", "TW-BC 40"),
            ("serial_number", "TWB-204711"),
            ("firmware", "5.2.1"),
            ("device_name", "AHU-01"),
            ("location", "roof, plant room 2"),
            ("description", "supply air, north wing"),
            ("user_application", "AHU 3.0"),
            ("device_uuid", "6f1d528e-330a-4c11-9b02-00005e005301"),
        ],
    );
    assert_eq!(service(&device, ServiceField::Unit), Some("device 4711"));
    assert_eq!(service(&device, ServiceField::Conformity), Some("version 1, revision 19"));
    let key = device.services.into_keys().next().unwrap();
    assert_eq!((key.transport, key.port), (Transport::Udp, 47808));
}

#[tokio::test(start_paused = true)]
async fn at_the_deepest_level_it_also_tells_its_state_its_objects_and_its_interface() {
    let (ended, seen) = scan(sim::controller(), "", to(Level::State)).await;
    let device = device(&ended);
    for (field, value) in [
        (StateField::Health, "operational (status 0)"),
        (StateField::Clock, "2026-05-04 08:15:00"),
        (StateField::ConfigurationDigest, "database revision 7"),
        (StateField::RestartTime, "2026-04-30 06:00:12"),
    ] {
        assert_eq!(device.state.value(field), Some(value), "{}", field.name());
    }
    let objects = service(&device, ServiceField::Objects).unwrap();
    assert!(objects.starts_with("4 objects: 1 analog-input"), "{objects}");
    let interface = device.interfaces.values().next().unwrap();
    for (field, value) in [
        (InterfaceField::Ip, "10.1.1.7"),
        (InterfaceField::Mask, "255.255.255.0"),
        (InterfaceField::Gateway, "10.1.1.1"),
        (InterfaceField::Speed, "10 Mbit/s"),
    ] {
        assert_eq!(interface.value(field), Some(value), "{}", field.name());
    }
    assert_eq!(interface.value(InterfaceField::Mac), None, "an IP address and a port are no MAC");
    assert!(seen.requests <= to(Level::State).limits.requests_per_conversation.into());
}

#[tokio::test(start_paused = true)]
async fn every_way_to_write_letters_is_read() {
    for (shape, name) in [(sim::panel(), "Wärmeübergabe 3"), (sim::room_sensor(), "Büro 214")] {
        let (ended, _) = scan(shape, "", to(Level::Identify)).await;
        assert_eq!(outcome(&ended), Outcome::Identified);
        says(&device(&ended), &[("device_name", name)]);
    }
}

#[tokio::test(start_paused = true)]
async fn who_refuses_several_properties_is_asked_one_by_one_and_only_once_for_several() {
    for refusal in [
        Habit::Reject(9),
        Habit::Abort(4),
        Habit::Abort(11),
        Habit::Abort(1),
        Habit::Error(5, 0),
        Habit::Error(5, 29),
    ] {
        let mut shape = sim::controller();
        shape.heads[0].several = refusal;
        let (ended, _) = scan(shape, "", to(Level::Identify)).await;
        assert_eq!(outcome(&ended), Outcome::Identified, "{refusal:?}");
        let asked = asked(&ended);
        assert_eq!(asked[..2], ["ReadObjectIdentifier", "ReadIdentity"]);
        assert_eq!(asked[2..10], ONE_BY_ONE, "{refusal:?}");
        assert!(!asked.contains(&"ReadDescription"), "{refusal:?}: several once more");
        says(&device(&ended), &[("model", "TW-BC 40"), ("serial_number", "TWB-204711")]);
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_asked_one_by_one_tells_its_state_as_far_as_there_are_questions() {
    let mut shape = sim::controller();
    shape.heads[0].several = Habit::Reject(9);
    let (ended, _) = scan(shape.clone(), "", to(Level::State)).await;
    assert_eq!(asked(&ended)[10..], ["ReadSystemStatus", "ReadDatabaseRevision"]);

    let mut policy = to(Level::State);
    policy.limits.requests_per_conversation = 32;
    let (ended, _) = scan(shape, "", policy).await;
    let device = device(&ended);
    for (field, value) in [
        (StateField::RestartReason, "warm start"),
        (StateField::RestartTime, "2026-04-30 06:00:12"),
    ] {
        assert_eq!(device.state.value(field), Some(value), "{}", field.name());
    }
    says(&device, &[("device_uuid", "6f1d528e-330a-4c11-9b02-00005e005301")]);
    assert!(!asked(&ended).contains(&"ReadVendorIdentifier"), "it has told its maker's name");
}

#[tokio::test(start_paused = true)]
async fn a_device_of_the_shortest_messages_says_what_fits() {
    let (ended, seen) = scan(sim::room_sensor(), "", to(Level::State)).await;
    assert_eq!(outcome(&ended), Outcome::Identified);
    says(&device(&ended), &[("vendor", "Brakkenholt Drives"), ("model", "BH-RT 1")]);
    assert_eq!(device(&ended).identity.value(Field::SerialNumber), None);
    let most = to(Level::State).limits.requests_per_conversation;
    assert_eq!(seen.requests, u64::from(most), "and no more");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_too_long_is_asked_for_in_parts() {
    let mut shape = sim::panel();
    shape.heads[0].longest = 128;
    let (ended, _) = scan(shape, "", to(Level::Identify)).await;
    says(&device(&ended), &[("device_name", "Wärmeübergabe 3"), ("serial_number", "OS7-00815")]);
    assert_eq!(asked(&ended)[2], "ReadObjectName", "after an Abort for reason 11");
}

#[tokio::test(start_paused = true)]
async fn who_does_not_know_the_number_of_all_is_called_and_asked_by_its_own() {
    for (shape, name) in [
        (sim::old_controller(), "BOILER-2"),
        (sim::called_only(), "VAV 7-12"),
        (sim::shouting(), "AHU-04"),
    ] {
        let (ended, _) = scan(shape, "", to(Level::Identify)).await;
        assert_eq!(outcome(&ended), Outcome::Identified, "{name}");
        says(&device(&ended), &[("device_name", name)]);
        let asked = asked(&ended);
        let at = asked.iter().position(|function| *function == "WhoIs").unwrap();
        assert!(asked[..at].iter().all(|function| *function == "ReadObjectIdentifier"));
        assert_eq!(asked[at + 1], "ReadIdentity");
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_neither_known_by_the_number_of_all_nor_called_is_present_without_a_name() {
    let mut shape = sim::old_controller();
    shape.heads[0].is_called = false;
    let (ended, seen) = scan(shape, "", to(Level::State)).await;
    assert_eq!(outcome(&ended), Outcome::PresentNoIdentity);
    assert!(seen.datagrams <= 3, "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn answers_to_the_usual_port_are_heard_only_with_consent() {
    let (ended, seen) = scan(sim::port_bound(), "", to(Level::Identify)).await;
    assert_eq!((outcome(&ended), seen.datagrams), (Outcome::Identified, 3));
    let deaf = to(Level::Identify).protocol("bacnet", |mut bacnet| {
        bacnet.allow.retain(|consent| consent != "reply_port");
        bacnet
    });
    let (ended, seen) = scan(sim::port_bound(), "", deaf).await;
    assert_eq!(outcome(&ended), Outcome::Silent);
    assert_eq!(asked(&ended), ["ReadObjectIdentifier", "ReadObjectIdentifier", "WhoIs"]);
    assert_eq!(seen.datagrams, 3, "one of them is the repetition");
    let quarantined = |what: &What| matches!(what, What::WentDark { .. });
    assert!(!ended.journal.iter().any(|entry| quarantined(&entry.what)), "it never answered us");
}

#[tokio::test(start_paused = true)]
async fn a_named_instance_is_asked_by_its_number() {
    let (ended, _) = scan(sim::two_in_one(), "?instance=4716", to(Level::Identify)).await;
    says(&device(&ended), &[("device_name", "CHILLER")]);
    let (ended, _) = scan(sim::old_controller(), "?instance=1201", to(Level::Identify)).await;
    says(&device(&ended), &[("device_name", "BOILER-2")]);
    assert!(!asked(&ended).contains(&"WhoIs"), "it knows its own number");
}

#[tokio::test(start_paused = true)]
async fn a_device_without_a_number_is_known_by_its_address() {
    let (ended, _) = scan(sim::without_number(), "", to(Level::State)).await;
    let node = device(&ended);
    assert_eq!(outcome(&ended), Outcome::Identified);
    assert_eq!(service(&node, ServiceField::Unit), Some("device without a number"));
    assert!(node.children.is_empty());
    says(&node, &[("vendor", "Tarnwick Automation")]);
    let vendors: Vec<&str> =
        node.identity.claims(Field::Vendor).map(|claim| claim.value.as_str()).collect();
    assert!(vendors.contains(&"Automated Logic"), "by its number: {vendors:?}");
}

#[tokio::test(start_paused = true)]
async fn a_plant_of_every_kind_is_known_from_a_range_of_addresses() {
    let at = |host: u8| SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 1, 1, host)), 47808);
    let kinds = sim::every_kind();
    let count = kinds.len();
    let wiring = (10..).zip(kinds).fold(Network::wiring(), |wiring, (host, shape)| {
        wiring.device(at(host), Server::new(shape))
    });
    let policy = only("bacnet", with_everything(Level::State));
    let setting = Setting::new(wiring.done()).with_policy(policy);
    let ended = setting.scan("10.1.1.10-40").await;
    assert_eq!(ended.report.counters.identified as usize, count, "{:?}", ended.report.outcomes);
    for (at, station) in setting.network.stations() {
        assert_eq!(station.counters().harm(), Vec::<String>::new(), "{at}");
    }
}
