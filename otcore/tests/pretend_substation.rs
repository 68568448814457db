//! The whole engine over real sockets against the pretend substation.
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

use std::net::SocketAddr;

use otcore::model::{Field, Named, Node};
use otcore::sim::{Plant, Running};
use otcore::{Level, Policy, Scanner, Targets};

/// The target that names a device with its link addresses.
fn target(device: &Running) -> String {
    let outstations = match device.expected.name.as_str() {
        "recloser" => "1024",
        "old-rtu" => "4",
        "serial-rtu" => "3",
        "concentrator" => "11,12,13",
        _ => "10",
    };
    format!("{}?outstation={outstations}&master=1", device.target())
}

fn field(node: &Node, name: &str) -> Option<String> {
    node.identity.value(Field::by_name(name)?).map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_default_policy_leaves_a_substation_alone() {
    let plant = Plant::substation().own_addresses(50514).start().await.unwrap();
    let texts: Vec<String> = plant.devices().iter().map(target).collect();
    let targets = Targets::parse(texts.iter().map(String::as_str)).unwrap();
    let scanner = Scanner::builder().policy(Policy::gentle()).build().unwrap();
    let why = scanner.plan(&targets).unwrap_err().to_string();
    assert!(why.contains("may displace the station that operates the device"), "{why}");
    assert_eq!(plant.harm(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn by_consent_every_outstation_is_found_as_it_is() {
    let plant = Plant::substation().own_addresses(50515).start().await.unwrap();
    let texts: Vec<String> = plant.devices().iter().map(target).collect();
    let targets = Targets::parse(texts.iter().map(String::as_str)).unwrap();
    let policy = Policy::gentle()
        .protocol("dnp3", |dnp3| dnp3.on().level(Level::Structure).allow("connect"));
    let scanner = Scanner::builder().policy(policy).build().unwrap();
    let plan = scanner.plan(&targets).unwrap();
    let report = scanner.start(plan).finish().await;
    for device in plant.devices() {
        let (at, expected): (SocketAddr, _) = (device.addr, &device.expected);
        let record = report.outcomes.iter().find(|record| record.address == at.ip()).unwrap();
        assert_eq!(record.outcome.name(), expected.found.outcome, "{}: {record:?}", expected.name);
        let node = &report.assets.asset(&report.zone, at.ip()).unwrap().node;
        for (name, value) in &expected.found.identity {
            assert_eq!(field(node, name).as_ref(), Some(value), "{}: {name}", expected.name);
        }
        let children = if expected.name == "concentrator" { 3 } else { 0 };
        assert_eq!(node.children.len(), children, "{}", expected.name);
    }
    assert_eq!(plant.violations(), Vec::<String>::new());
    assert_eq!(plant.harm(), Vec::<String>::new());
}
