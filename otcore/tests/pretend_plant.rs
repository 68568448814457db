//! The whole engine over real sockets against the pretend plant, as the quick start runs it.
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

use std::collections::BTreeMap;
use std::net::SocketAddr;

use otcore::model::{Field, Named, Node, OutcomeRecord};
use otcore::sim::{Plant, RunningPlant, Truth};
use otcore::{Level, Policy, Report, Scanner, Targets};

fn targets(plant: &RunningPlant) -> Targets {
    let texts: Vec<String> = plant.devices().iter().map(otcore::sim::Running::target).collect();
    Targets::parse(texts.iter().map(String::as_str)).unwrap()
}

async fn scan(plant: &RunningPlant, policy: Policy) -> Report {
    let scanner = Scanner::builder().policy(policy).build().unwrap();
    let plan = scanner.plan(&targets(plant)).unwrap();
    let mut scan = scanner.start(plan);
    let mut progress = otcore::Progress::default();
    while let Some(event) = scan.next().await {
        if let otcore::Event::Progress(now) = event {
            assert!(now.done >= progress.done);
            progress = now;
        }
    }
    assert_eq!(progress.percent(), 100);
    scan.finish().await
}

fn outcome(report: &Report, at: SocketAddr) -> &OutcomeRecord {
    let here = |record: &&OutcomeRecord| (record.address, record.port) == (at.ip(), at.port());
    report.outcomes.iter().find(here).unwrap()
}

fn identity(node: &Node) -> BTreeMap<&'static str, String> {
    let fields = node.identity.fields();
    fields.map(|field| (field.name(), node.identity.value(field).unwrap().to_owned())).collect()
}

fn compare(name: &str, truth: &Truth, record: &OutcomeRecord, node: Option<&Node>) {
    assert_eq!(record.outcome.name(), truth.outcome, "{name}: {:?}", record.detail);
    let found = node.map(identity).unwrap_or_default();
    for (field, value) in &truth.identity {
        assert_eq!(found.get(field.as_str()), Some(value), "{name}: {field} of {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_pretend_device_is_found_as_it_is_and_none_is_harmed() {
    let plant = Plant::demo().own_addresses(50512).start().await.unwrap();
    let report = scan(&plant, Policy::gentle()).await;
    for device in plant.devices() {
        let asset = report.assets.asset(&report.zone, device.addr.ip());
        let node = asset.map(|asset| &asset.node);
        compare(&device.expected.name, &device.expected.found, outcome(&report, device.addr), node);
    }
    assert!(report.completed, "{:?}", report.stopped);
    assert_eq!(plant.violations(), Vec::<String>::new());
    assert_eq!(plant.harm(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn with_consent_the_plant_says_more() {
    let plant = Plant::demo().own_addresses(50513).start().await.unwrap();
    let units: Vec<u8> = vec![1, 2, 3, 17];
    let policy = Policy::gentle().protocol("modbus", |modbus| {
        let modbus = modbus.level(Level::Structure).allow("umas").allow("sunspec");
        units.iter().fold(modbus, |modbus, unit| modbus.unit(*unit))
    });
    let report = scan(&plant, policy).await;
    for device in plant.devices() {
        let asset = report.assets.asset(&report.zone, device.addr.ip());
        let expected = &device.expected;
        let truth = expected.with_consent.as_ref().unwrap_or(&expected.found);
        let record = outcome(&report, device.addr);
        compare(&expected.name, truth, record, asset.map(|asset| &asset.node));
        let children = asset.map(|asset| &asset.node.children);
        for (unit, truth) in &expected.units {
            let path = format!("{}/modbus/{}/{unit}", asset.unwrap().path(), device.addr.port());
            let child = children.and_then(|children| children.get(&path));
            assert_eq!(child.is_some(), truth.outcome != "GatewayUnitAbsent", "{path}");
            compare(
                &path,
                &Truth { outcome: record.outcome.name(), ..truth.clone() },
                record,
                child,
            );
        }
        assert_eq!(children.map_or(0, BTreeMap::len), expected.units.len(), "{}", expected.name);
    }
    assert_eq!(plant.violations(), Vec::<String>::new());
}

#[test]
fn every_field_has_a_name_that_leads_back() {
    for field in Field::ALL {
        assert_eq!(Field::by_name(field.name()), Some(*field));
    }
}
