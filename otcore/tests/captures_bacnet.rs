//! Recorded BACnet devices, replayed on loopback by a program of their own. Everything that is known to
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

use otcore::model::{Node, Outcome, ServiceField, StateField};
use otcore::{Level, Policy};
use peers_support::recordings::{Replay, recordings, truth};
use peers_support::{Scanned, fields, identity, scan};
use serde_json::Value;

/// Everything, and as many devices behind a router as were recorded.
fn everything() -> Policy {
    let mut policy = Policy::gentle()
        .protocol("bacnet", |bacnet| bacnet.level(Level::State).allow("routed").allow("bbmd"));
    policy.limits.set("units_per_gateway", 40).unwrap();
    policy.limits.set("device_time_s", 120).unwrap();
    policy
}

async fn visit(case: &str, device: &str, query: &str, policy: Policy) -> Scanned {
    let replay = Replay::start(case, device, "bacnet", &[]);
    let scanned = scan(&[format!("bacnet://{}{query}", replay.at)], policy).await;
    replay.check(case, &scanned);
    scanned
}

fn expected(case: &str, device: &str) -> Value {
    let truth = truth(case);
    let active = truth["active"].as_array().unwrap();
    let of_it = active.iter().find(|entry| entry["device_ip"] == device).unwrap();
    of_it["expected"].clone()
}

/// Identity, service and state as the recording has them, and nothing else; of a vendor's number its
/// name in the list of ASHRAE is said too.
fn is_said_by(truth: &Value, node: &Node, further: &[(&'static str, &str)]) {
    const FIELDS: [(&str, &str); 7] = [
        ("device_name", "name"),
        ("vendor", "vendor"),
        ("model", "model"),
        ("firmware", "firmware"),
        ("user_application", "application_software"),
        ("description", "description"),
        ("location", "location"),
    ];
    let texts = FIELDS.iter().filter_map(|(field, fact)| Some((*field, truth[fact].as_str()?)));
    let mut said: Vec<(&'static str, &str)> = texts.collect();
    said.extend(further);
    let number = truth["vendor_id"].as_u64().map(|number| format!("bacnet:{number}"));
    said.extend(number.as_deref().map(|number| ("vendor_id", number)));
    assert_eq!(identity(node), fields(&said), "{truth}");
    let by_number = |field, value: &str| field == "vendor" && !value.is_empty();
    let claims = node.identity.fields().flat_map(|field| {
        node.identity.claims(field).map(move |claim| (otcore::model::Named::name(field), claim))
    });
    for (field, claim) in claims {
        let known = said.iter().any(|(_, value)| *value == claim.value);
        assert!(known || by_number(field, &claim.value), "{field}: {claim:?}");
    }
    let service = node.services.values().next().unwrap();
    let unit = format!("device {}", truth["device_instance"]);
    assert_eq!(service.value(ServiceField::Unit), Some(unit.as_str()));
    if let Some(longest) = truth["max_apdu"].as_u64() {
        let limits = service.value(ServiceField::Limits).unwrap();
        assert!(limits.starts_with(&format!("messages up to {longest} bytes")), "{limits}");
    }
    if let Some(revision) = truth["protocol_revision"].as_u64() {
        let conformity = service.value(ServiceField::Conformity).unwrap();
        assert!(conformity.ends_with(&format!("revision {revision}")), "{conformity}");
    }
    if let Some(status) = truth["system_status"].as_u64() {
        let health = node.state.value(StateField::Health);
        assert_eq!((status, health), (0, Some("operational (status 0)")));
    }
    if let Some(revision) = truth["database_revision"].as_u64() {
        let digest = format!("database revision {revision}");
        assert_eq!(node.state.value(StateField::ConfigurationDigest), Some(digest.as_str()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_router_leads_to_every_device_behind_it() {
    let (case, address) = ("bacnet-router-24-devices", "192.168.0.24");
    if recordings().is_none() {
        return;
    }
    let scanned = visit(case, address, "", everything()).await;
    assert_eq!(scanned.outcome().outcome, Outcome::Identified, "{:?}", scanned.outcome());
    let device = scanned.device();
    assert_eq!(
        identity(&device),
        fields(&[("vendor", "Automated Logic"), ("vendor_id", "bacnet:24")])
    );
    let service = device.services.values().next().unwrap();
    assert_eq!(service.value(ServiceField::Unit), Some("device without a number"));
    assert_eq!(service.value(ServiceField::Limits), Some("messages up to 480 bytes, no segments"));
    let record = scanned.outcome();
    let at = format!("default/{}/bacnet/{}", record.address, record.port);
    let truth = truth(case);
    let routed = truth["passive"][0]["routed_devices"].as_array().unwrap();
    let mut behind = device.children.values();
    for of_it in routed {
        let place = format!("{at}/{}.{}", of_it["network"], of_it["mac"].as_str().unwrap());
        let child = behind.find(|child| child.path() == place).unwrap();
        let service = child.services.values().next().unwrap();
        let unit = format!("device {}", of_it["device_instance"]);
        assert_eq!(service.value(ServiceField::Unit), Some(unit.as_str()), "{place}");
    }
    let lamp = device.children.values().find(|child| child.place() == "3.1d").unwrap();
    let further = [("device_class", "lighting controller")];
    is_said_by(&expected(case, address), lamp, &further);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_sensor_on_ms_tp_is_found_behind_its_router() {
    let (case, address) = ("bacnet-mstp-behind-router", "192.168.0.24");
    if recordings().is_none() {
        return;
    }
    let scanned = visit(case, address, "", everything()).await;
    assert_eq!(scanned.outcome().outcome, Outcome::Identified, "{:?}", scanned.outcome());
    let device = scanned.device();
    let local = &truth(case)["active"][0]["local"];
    let service = device.services.values().next().unwrap();
    let unit = format!("device {}", local["device_instance"]);
    assert_eq!(service.value(ServiceField::Unit), Some(unit.as_str()));
    let ports = service.value(ServiceField::Ports);
    assert_eq!(ports, Some("leads to networks 26001"));
    let [child] = &device.children.values().collect::<Vec<_>>()[..] else { panic!() };
    assert_eq!(child.place(), "26001.72");
    let further = [("product_name", "BACnet Stack demonstration")];
    is_said_by(&expected(case, address), child, &further);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_and_a_number_in_the_target_lead_straight_to_one_device() {
    let (case, address) = ("bacnet-router-24-devices", "192.168.0.24");
    if recordings().is_none() {
        return;
    }
    let scanned = visit(case, address, "?network=3&instance=29", everything()).await;
    let children: Vec<Node> = scanned.device().children.into_values().collect();
    assert_eq!(children.len(), 1, "{children:?}");
    is_said_by(&expected(case, address), &children[0], &[("device_class", "lighting controller")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_behind_a_router_is_asked_without_consent() {
    let (case, address) = ("bacnet-router-24-devices", "192.168.0.24");
    if recordings().is_none() {
        return;
    }
    let policy = Policy::gentle().protocol("bacnet", |bacnet| bacnet.level(Level::State));
    for query in ["", "?network=3"] {
        let scanned = visit(case, address, query, policy.clone()).await;
        assert!(scanned.device().children.is_empty());
        let routed = |bytes: &Vec<u8>| bytes[1] == 0x0A && bytes[5] & 0x20 != 0;
        assert!(!scanned.questions().iter().any(routed));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_devices_say_who_they_are() {
    let case = "bacnet-thirty-devices";
    if recordings().is_none() {
        return;
    }
    for address in ["172.20.32.100", "172.20.32.119"] {
        let scanned = visit(case, address, "", everything()).await;
        assert_eq!(scanned.outcome().outcome, Outcome::Identified, "{:?}", scanned.outcome());
        let device = scanned.device();
        let vendor = device.identity.value(otcore::model::Field::Vendor).unwrap().to_owned();
        // Nobody but its number says who made it.
        is_said_by(&expected(case, address), &device, &[("vendor", &vendor)]);
        assert!(device.children.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_list_of_objects_is_counted_and_its_beginning_read() {
    let (case, address) = ("bacnet-array-device-12345", "192.168.222.128");
    if recordings().is_none() {
        return;
    }
    let scanned = visit(case, address, "", everything()).await;
    assert_eq!(scanned.outcome().outcome, Outcome::Identified);
    let (device, truth) = (scanned.device(), expected(case, address));
    let vendor = device.identity.value(otcore::model::Field::Vendor).unwrap().to_owned();
    is_said_by(&truth, &device, &[("vendor", &vendor)]);
    let service = device.services.values().next().unwrap();
    let objects = service.value(ServiceField::Objects).unwrap();
    let count = truth["object_list_length"].as_u64().unwrap();
    assert!(objects.starts_with(&format!("{count} objects, the first ")), "{objects}");
}

#[test]
fn every_recorded_bacnet_device_that_can_be_asked_is_asked_here() {
    let Some(folder) = recordings() else { return };
    let text = std::fs::read_to_string(folder.join("truth.json")).unwrap();
    let truth: Value = serde_json::from_str(&text).unwrap();
    let is_bacnet = |entry: &Value| entry["protocol"] == "bacnet";
    let cases = truth["cases"].as_array().unwrap().iter();
    let asked = cases.filter(|case| case["active"].as_array().unwrap().iter().any(is_bacnet));
    let mut asked: Vec<&str> = asked.map(|case| case["id"].as_str().unwrap()).collect();
    asked.sort_unstable();
    let here = [
        "bacnet-array-device-12345",
        "bacnet-mstp-behind-router",
        "bacnet-router-24-devices",
        "bacnet-thirty-devices",
    ];
    assert_eq!(asked, here);
}
