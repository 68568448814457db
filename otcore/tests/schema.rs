//! The JSON Schema that is shipped says exactly what reports look like, and nothing else.
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

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use jsonschema::Validator;
use otcore::gate::StopReason;
use otcore::model::{
    Claim, Confidence, Evidence, Field, Finding, FindingKind, HexBytes, InterfaceField, Method,
    Named, Outcome, REPORT_SCHEMA, ServiceField, StateField,
};
use otcore::scan::Skipped;
use otcore::sim::Plant;
use otcore::{Asset, Level, Policy, Report, Scanner, Targets, Zone};
use serde_json::{Value, json};

/// Devices that between them fill every part of a report a scan can fill.
const DEVICES: [&str; 6] = ["m340", "serial-gateway", "power-meter", "hostile", "echo", "http"];

fn schema() -> Value {
    serde_json::from_str(REPORT_SCHEMA).unwrap()
}

fn validator() -> Validator {
    jsonschema::validator_for(&schema()).unwrap()
}

async fn scan() -> Report {
    let plant = Plant::demo().start().await.unwrap();
    let targets: Vec<String> =
        DEVICES.iter().map(|name| plant.device(name).unwrap().target()).collect();
    let policy = Policy::gentle()
        .protocol("modbus", |modbus| modbus.level(Level::State).allow("umas").unit(1).unit(17));
    let scanner = Scanner::builder().policy(policy).build().unwrap();
    let outside = ["198.51.100.7"]; // is skipped, because nobody monitors it
    let targets = Targets::parse(targets.iter().map(String::as_str).chain(outside)).unwrap();
    let plan = scanner.plan(&targets).unwrap();
    scanner.start(plan).finish().await
}

fn complaints(validator: &Validator, report: &Value) -> Vec<String> {
    let words =
        |error: jsonschema::ValidationError<'_>| format!("{}: {error}", error.instance_path());
    validator.iter_errors(report).map(words).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_of_a_real_scan_is_valid_and_any_field_renamed_or_added_is_not() {
    let report = scan().await;
    let outcomes: BTreeSet<Outcome> = report.outcomes.iter().map(|record| record.outcome).collect();
    let expected = [Outcome::Identified, Outcome::Unsupported, Outcome::Malformed];
    assert_eq!(outcomes, BTreeSet::from(expected), "the scan fills what it is meant to fill");
    let real = serde_json::to_value(&report).unwrap();
    assert_eq!(complaints(&validator(), &real), Vec::<String>::new());
    refuses_every_change(&real);

    let full = serde_json::to_value(with_everything(report)).unwrap();
    assert_eq!(complaints(&validator(), &full), Vec::<String>::new());
    refuses_every_change(&full);
}

/// What no scan of this build fills: reasons to stop, disputes, interfaces, modules, huge ranges.
fn with_everything(mut report: Report) -> Report {
    let address = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 1));
    let mut asset = Asset::new(Zone::default(), address);
    let evidence = Arc::new(Evidence {
        at: report.started,
        source: report.source.clone(),
        method: Method::Import,
        protocol: "modbus".into(),
        port: 502,
        function: "ReadDeviceIdBasic".into(),
        rule: Some("a-rule".into()),
        request: HexBytes::from(vec![1]),
        response: HexBytes::default(),
    });
    for value in ["one", "another"] {
        let (evidence, value) = (Arc::clone(&evidence), value.to_owned());
        let claim = Claim { confidence: Confidence::Entered, evidence, value };
        let interface = asset.node.interfaces.entry("eth0".into()).or_default();
        interface.add(InterfaceField::Mac, claim.clone());
        asset.module("modbus", 502, "3").identity.add(Field::SerialNumber, claim.clone());
        asset.node.identity.add(Field::Owner, claim);
    }
    let (kind, reason) = (FindingKind::KnownDecoy, "it is too good to be true".to_owned());
    asset.node.findings.insert(Finding { kind, reason, evidence });
    report.assets.add(asset);
    report.stopped = Some(StopReason::HarmSuspected);
    let (what, reason) = ("::/0".to_owned(), "not monitored".to_owned());
    report.skipped.push(Skipped { what, addresses: u128::MAX, reason });
    report
}

/// Each object of each kind, with one field more, and with each of its fields renamed.
fn refuses_every_change(report: &Value) {
    let validator = validator();
    let mut kinds = BTreeSet::new();
    let mut found = Vec::new();
    objects(report, "", "", &mut |pointer, kind, fields| {
        let keys: Vec<String> = fields.keys().cloned().collect();
        if kinds.insert((kind.to_owned(), keys.clone())) {
            found.push((pointer.to_owned(), keys));
        }
    });
    assert!(found.len() > 20, "few kinds of objects: {found:?}");
    for (pointer, keys) in found {
        let mut more = report.clone();
        object(&mut more, &pointer).insert("surprise".into(), json!(1));
        assert!(!validator.is_valid(&more), "{pointer} has room for a field that is not there");
        // The name of an interface is the device's own.
        for key in keys.iter().filter(|_| !pointer.ends_with("/interfaces")) {
            let mut renamed = report.clone();
            let fields = object(&mut renamed, &pointer);
            let value = fields.remove(key).unwrap();
            fields.insert(format!("{key}_"), value);
            assert!(!validator.is_valid(&renamed), "{pointer}/{key} may be renamed");
        }
    }
}

type Fields = serde_json::Map<String, Value>;

/// Every object below `value` with its JSON pointer, and the same without the places in arrays.
fn objects(value: &Value, at: &str, kind: &str, see: &mut impl FnMut(&str, &str, &Fields)) {
    match value {
        Value::Object(fields) => {
            see(at, kind, fields);
            for (key, value) in fields {
                objects(value, &format!("{at}/{key}"), &format!("{kind}/{key}"), see);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                objects(item, &format!("{at}/{index}"), kind, see);
            }
        }
        _ => {}
    }
}

fn object<'a>(report: &'a mut Value, pointer: &str) -> &'a mut Fields {
    report.pointer_mut(pointer).unwrap().as_object_mut().unwrap()
}

#[test]
fn the_schema_follows_its_own_standard() {
    assert!(jsonschema::draft202012::meta::is_valid(&schema()));
    assert_eq!(schema()["$schema"], "https://json-schema.org/draft/2020-12/schema");
}

#[test]
fn the_schema_knows_every_field_and_every_outcome_of_the_model() {
    fn same<K: Named>(definition: &str) {
        let names: BTreeSet<&str> = K::ALL.iter().map(|field| field.name()).collect();
        let schema = schema();
        let known = schema["$defs"][definition]["properties"].as_object().unwrap();
        assert_eq!(known.keys().map(String::as_str).collect::<BTreeSet<_>>(), names);
    }
    same::<Field>("identity");
    same::<StateField>("state");
    same::<InterfaceField>("interface_facts");
    same::<ServiceField>("service_facts");
    let outcomes: Vec<Value> =
        Outcome::ALL.iter().map(|outcome| serde_json::to_value(outcome).unwrap()).collect();
    let known = &schema()["$defs"]["outcome"]["properties"]["outcome"]["enum"];
    assert_eq!(known, &Value::Array(outcomes));
    let kinds: Vec<Value> =
        FindingKind::ALL.iter().map(|kind| serde_json::to_value(kind).unwrap()).collect();
    let known = &schema()["$defs"]["finding"]["properties"]["kind"]["enum"];
    assert_eq!(known, &Value::Array(kinds));
}

#[test]
fn every_part_of_the_schema_is_explained() {
    objects(&schema(), "", "", &mut |at, _, fields| {
        let named = |fields: &Fields| fields.contains_key("type") || fields.contains_key("enum");
        let is_choice = at.ends_with("/oneOf/0") || at.contains("/anyOf/");
        if named(fields) && !is_choice && !at.ends_with("/properties") {
            assert!(fields.contains_key("description"), "{at} has no description");
        }
    });
}
