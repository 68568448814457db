//! BACnet servers that others wrote, scanned over real sockets. What a scan says is what each of them
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

use otcore::gate::journal::{Entry, What};
use otcore::model::{Node, Outcome, ServiceField, StateField};
use otcore::{Level, Policy};
use peers_support::{Peer, Scanned, fields, identity, moment, scan};

/// What all devices of bacpypes3 here are set up with.
const RIG: [(&str, &str); 7] = [
    ("vendor_id", "bacnet:999"),
    ("vendor", "Rigwerk AG"),
    ("model", "RW-BAC-200"),
    ("firmware", "fw 3.1.4"),
    ("user_application", "app 7.0.9"),
    ("description", "rig BACnet device"),
    ("location", "rack 5"),
];

fn to(level: Level) -> Policy {
    Policy::gentle().protocol("bacnet", |bacnet| bacnet.level(level))
}

async fn visit(name: &str, query: &str, policy: Policy) -> Option<Scanned> {
    let peer = Peer::start(name)?;
    let scanned = scan(&[format!("bacnet://{}{query}", peer.at)], policy).await;
    moment().await;
    Some(scanned)
}

fn service(node: &Node, field: ServiceField) -> Option<&str> {
    node.services.values().next()?.value(field)
}

/// The names of the questions, in order.
fn asked(scanned: &Scanned) -> Vec<&str> {
    let sent = |entry: &'_ Entry| match &entry.what {
        What::Sent { function, .. } => Some(function.clone()),
        _ => None,
    };
    let names: Vec<String> = scanned.journal.iter().filter_map(sent).collect();
    let known = otcore::protocols::by_name("bacnet").unwrap().functions();
    let known = |name: &String| known.iter().find(|facts| facts.name == name).unwrap().name;
    names.iter().map(known).collect()
}

/// Set up like the others, under another name and number.
fn rig(further: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    let others = RIG.iter().filter(|(field, _)| !further.iter().any(|(one, _)| one == field));
    others.chain(further).copied().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn bacpypes_is_identified_though_it_does_not_know_the_number_of_all() {
    let Some(scanned) = visit("bacnet-bacpypes3", "", to(Level::Identify)).await else { return };
    let outcome = scanned.outcome();
    assert_eq!(outcome.outcome, Outcome::Identified, "{outcome:?}");
    let named = [("device_name", "RW-AHU-1"), ("serial_number", "SN-BAC-4711")];
    assert_eq!(identity(&scanned.device()), fields(&rig(&named)));
    let expected = ["ReadObjectIdentifier", "WhoIs", "ReadIdentity", "ReadDescription"];
    assert_eq!(asked(&scanned), expected);
    assert_eq!((outcome.connections, outcome.packets), (0, 4));
    let device = scanned.device();
    assert_eq!(service(&device, ServiceField::Unit), Some("device 4711"));
    assert_eq!(service(&device, ServiceField::Conformity), Some("version 1, revision 22"));
    println!("{} bytes out, {} in", outcome.bytes_out, outcome.bytes_in);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_named_by_its_number_is_not_called() {
    let peer = "bacnet-bacpypes3";
    let Some(scanned) = visit(peer, "?instance=4711", to(Level::Detect)).await else { return };
    assert_eq!(asked(&scanned), ["ReadObjectIdentifier"]);
    assert_eq!(scanned.outcome().outcome, Outcome::PresentNoIdentity, "a number is no name");
    let device = scanned.device();
    assert_eq!(service(&device, ServiceField::Unit), Some("device 4711"));
}

#[tokio::test(flavor = "multi_thread")]
async fn bacpypes_tells_its_state_its_objects_and_that_it_keeps_no_tables() {
    let policy = to(Level::State).protocol("bacnet", |bacnet| bacnet.allow("bbmd"));
    let Some(scanned) = visit("bacnet-bacpypes3", "", policy).await else { return };
    assert_eq!(scanned.outcome().outcome, Outcome::Identified, "{:?}", scanned.outcome());
    let device = scanned.device();
    assert_eq!(device.state.value(StateField::Health), Some("operational (status 0)"));
    let digest = device.state.value(StateField::ConfigurationDigest).unwrap();
    assert!(digest.starts_with("database revision "), "{digest}");
    assert!(device.state.value(StateField::Clock).is_some());
    let objects = service(&device, ServiceField::Objects);
    assert_eq!(objects, Some("3 objects: 1 analog-value, 1 device, 1 network-port"));
    assert_eq!(service(&device, ServiceField::Note), None);
    let interface = &device.interfaces["bacnet"];
    let address = interface.value(otcore::model::InterfaceField::Ip);
    assert_eq!(address.map(str::to_owned), Some(scanned.outcome().address.to_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_router_of_bacpypes_leads_to_the_devices_behind_it_by_consent() {
    let policy = to(Level::State).protocol("bacnet", |bacnet| bacnet.allow("routed"));
    let Some(scanned) = visit("bacnet-bacpypes3-router", "", policy).await else { return };
    assert_eq!(scanned.outcome().outcome, Outcome::Identified, "{:?}", scanned.outcome());
    let device = scanned.device();
    let named = [("device_name", "RW-ROUTER"), ("serial_number", "SN-BAC-4712")];
    assert_eq!(identity(&device), fields(&rig(&named)));
    let ports = service(&device, ServiceField::Ports).unwrap();
    assert!(ports.contains("leads to networks 200, 300"), "{ports}");
    let behind = [
        ("200.02", "RW-VAV-200-2", "RW-VAV-200", "SN-BAC-200002"),
        ("200.03", "RW-VAV-200-3", "RW-VAV-200", "SN-BAC-200003"),
        ("300.02", "RW-VAV-300-2", "RW-VAV-300", "SN-BAC-300002"),
    ];
    assert_eq!(device.children.len(), behind.len(), "{:?}", device.children.keys());
    for (child, (place, name, model, serial)) in device.children.values().zip(behind) {
        assert_eq!(child.place(), place);
        let named = [("device_name", name), ("model", model), ("serial_number", serial)];
        assert_eq!(identity(child), fields(&rig(&named)));
        assert_eq!(child.state.value(StateField::Health), Some("operational (status 0)"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_behind_the_router_of_bacpypes_is_asked_without_consent() {
    let Some(scanned) = visit("bacnet-bacpypes3-router", "", to(Level::State)).await else {
        return;
    };
    let device = scanned.device();
    let ports = service(&device, ServiceField::Ports).unwrap();
    assert!(ports.contains("leads to networks 200, 300"), "{ports}");
    assert!(device.children.is_empty());
    assert!(!asked(&scanned).iter().any(|name| name.contains("Routed")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_stack_is_identified_too() {
    let Some(scanned) = visit("bacnet-rusty", "", to(Level::State)).await else { return };
    let outcome = scanned.outcome();
    assert_eq!(outcome.outcome, Outcome::Identified, "{outcome:?}");
    let device = scanned.device();
    assert_eq!(service(&device, ServiceField::Unit), Some("device 88001"));
    let expected = [
        ("device_name", "RW-RUST-1"),
        ("vendor", "Rusty BACnet"),
        ("vendor_id", "bacnet:555"),
        ("model", "rusty-bacnet"),
        ("firmware", "0.1.0"),
        ("user_application", "0.1.0"),
    ];
    assert_eq!(identity(&device), fields(&expected), "a number of zeros is none");
    let objects = service(&device, ServiceField::Objects);
    assert_eq!(objects, Some("2 objects: 1 analog-input, 1 device"));
    assert_eq!(*asked(&scanned).last().unwrap(), "WhoIsRouter", "to which it is silent");
}
