//! Two scans of a plant that changed between them, compared as a user sees it.
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

use std::net::SocketAddr;
use std::time::Duration;

use common::network::{Network, Wiring};
use common::{Setting, only};
use otcore::fingerprint::Knowledge;
use otcore::model::{DIFF_SCHEMA, Document, Joining, Kind};
use otcore::protocols::enip::sim as enip;
use otcore::protocols::modbus::sim::{Identity, Serial, Server, Shape, Unit};
use otcore::scan::{compare, redecode};
use otcore::{Diff, Level, Policy, Report};
use serde_json::{Value, json};

fn at(last: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, last], 502))
}

fn unit(firmware: &str) -> Unit {
    let objects: [(u8, &[u8]); 3] =
        [(0x00, b"Brakkenholt Drives"), (0x01, b"BH-110"), (0x02, firmware.as_bytes())];
    Unit::identified(Identity::new(0x83, objects))
}

fn drive(firmware: &str) -> Server {
    Server::new(Shape::native(unit(firmware)))
}

fn gateway(units: &[u8]) -> Server {
    let serial = Serial {
        own: 255,
        transaction: Duration::from_millis(20),
        timeout: Duration::from_millis(200),
    };
    let mut shape = Shape::gateway(serial, unit("2.0"), []);
    for number in units {
        shape.units.insert(*number, unit("1.0"));
    }
    Server::new(shape)
}

/// Scan everything from 10.0.0.1 to 10.0.0.20, and read the report as another program would.
async fn scan(wiring: Wiring, targets: &str) -> (Report, Document) {
    let policy = only("modbus", Policy::gentle());
    let policy = policy
        .protocol("modbus", |modbus| modbus.level(Level::Structure).unit(255).unit(1).unit(2));
    scan_with(policy, wiring, targets).await
}

async fn scan_with(policy: Policy, wiring: Wiring, targets: &str) -> (Report, Document) {
    let setting = Setting::new(wiring.done()).with_policy(policy);
    let report = setting.start(targets).finish().await;
    let document = Document::read(&serde_json::to_string(&report).unwrap()).unwrap();
    (report, document)
}

const ALL: &str = "10.0.0.1-20";

fn before() -> Wiring {
    Network::wiring()
        .device(at(3), drive("0.98"))
        .device(at(4), drive("0.98"))
        .device(at(5), drive("0.98"))
        .device(at(7), gateway(&[1, 2]))
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_change_in_a_plant_is_told_once() {
    let (_, earlier) = scan(before(), ALL).await;
    let later = Network::wiring()
        .device(at(3), drive("1.02")) // new firmware
        .refusing(at(4).ip()) // still there, says nothing
        // 5 is gone
        .device(at(7), gateway(&[1])) // unit 2 is pulled
        .device(at(8), drive("1.02")); // new
    let (_, later) = scan(later, ALL).await;
    let diff = compare(&earlier, &later, Joining::default());

    let [new] = &diff.new[..] else { panic!("{:#?}", diff.new) };
    assert_eq!((new.path.as_str(), new.kind), ("default/10.0.0.8", Kind::Device));
    let gone: Vec<&str> = diff.gone.iter().map(|gone| gone.spot.path.as_str()).collect();
    assert_eq!(
        gone,
        ["default/10.0.0.5", "default/10.0.0.7/modbus/502/2"],
        "{:#?}",
        diff.not_asked
    );
    assert_eq!(diff.gone[0].why, "silent in modbus/502");
    let [quiet] = &diff.quiet[..] else { panic!("{:#?}", diff.quiet) };
    assert_eq!(quiet.spot.path, "default/10.0.0.4");
    assert_eq!(quiet.why, "refused to connect in modbus/502");
    assert!(diff.moved.is_empty());
    let changed = diff.changed.iter().find(|c| c.spot.path == "default/10.0.0.3").unwrap();
    let firmware = changed.changes.iter().find(|c| c.field == "identity.firmware").unwrap();
    let value = |claim: &Option<otcore::model::Claim>| claim.as_ref().unwrap().value.clone();
    assert_eq!((value(&firmware.from), value(&firmware.to)), ("0.98".into(), "1.02".into()));
    let to = firmware.to.as_ref().unwrap();
    assert!(!to.evidence.response.is_empty(), "the bytes that say so are there");
    assert!(diff.not_asked.is_empty(), "{:#?}", diff.not_asked);
    follows_the_schema(&diff);
}

/// The schema that is shipped takes it as it is, and not with a field more.
fn follows_the_schema(diff: &Diff) {
    let schema: Value = serde_json::from_str(DIFF_SCHEMA).unwrap();
    assert!(jsonschema::draft202012::meta::is_valid(&schema));
    let validator = jsonschema::validator_for(&schema).unwrap();
    let diff = serde_json::to_value(diff).unwrap();
    let complaints: Vec<String> = validator.iter_errors(&diff).map(|e| e.to_string()).collect();
    assert_eq!(complaints, Vec::<String>::new());
    for section in ["new", "gone", "moved", "changed", "quiet", "not_asked"] {
        if diff[section][0].is_object() {
            let mut more = diff.clone();
            more[section][0]["surprise"] = json!(1);
            assert!(!validator.is_valid(&more), "{section} has room for a field that is not there");
        }
        let mut without = diff.clone();
        without.as_object_mut().unwrap().remove(section);
        assert!(!validator.is_valid(&without), "{section} may be missing");
    }
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_got_another_address_has_moved() {
    let policy = || {
        let policy = only("enip", Policy::gentle());
        policy.protocol("enip", |enip| enip.level(Level::Structure))
    };
    let plant = |last: u8| {
        let at = SocketAddr::from(([10, 0, 0, last], 44818));
        Network::wiring().device(at, enip::Server::new(enip::compactlogix()))
    };
    let (_, earlier) = scan_with(policy(), plant(6), ALL).await;
    let (_, later) = scan_with(policy(), plant(16), ALL).await;
    let diff = compare(&earlier, &later, Joining::default());
    let [moved] = &diff.moved[..] else { panic!("{diff:#?}") };
    let ends = (moved.from.as_str(), moved.spot.path.as_str());
    assert_eq!(ends, ("default/10.0.0.6", "default/10.0.0.16"));
    assert!(moved.left && diff.new.is_empty() && diff.gone.is_empty());
    follows_the_schema(&diff);
    let reasons: Vec<String> = moved.reasons.iter().map(ToString::to_string).collect();
    assert!(reasons.iter().any(|why| why.contains("60a1b2c3")), "{reasons:?}");
    assert!(reasons.contains(&"same hardware address 0000bc2e6936".to_owned()), "{reasons:?}");

    // Asked nowhere but at the new address, it may be at both.
    let (_, later) = scan_with(policy(), plant(16), "10.0.0.16").await;
    assert!(!compare(&earlier, &later, Joining::default()).moved[0].left);
}

#[tokio::test(start_paused = true)]
async fn what_a_smaller_scan_did_not_ask_is_not_gone() {
    let (_, earlier) = scan(before(), ALL).await;
    let (_, later) = scan(Network::wiring().device(at(3), drive("0.98")), "10.0.0.1-4").await;
    let diff = compare(&earlier, &later, Joining::default());
    let gone: Vec<&str> = diff.gone.iter().map(|gone| gone.spot.path.as_str()).collect();
    assert_eq!(gone, ["default/10.0.0.4"], "only what was asked can be gone");
    assert_eq!(diff.not_asked.len(), 2);
    assert!(diff.changed.is_empty() && diff.new.is_empty() && diff.quiet.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_same_plant_twice_differs_in_nothing() {
    let (_, earlier) = scan(before(), ALL).await;
    let (_, later) = scan(before(), ALL).await;
    let diff = compare(&earlier, &later, Joining::default());
    assert!(diff.is_empty() && diff.not_asked.is_empty(), "{diff:#?}");
}

#[tokio::test(start_paused = true)]
async fn who_was_asked_is_in_the_report_in_few_ranges() {
    let (report, document) = scan(before(), ALL).await;
    let ranges: Vec<_> = report.asked.ranges().collect();
    let [range] = &ranges[..] else { panic!("{ranges:?}") };
    assert_eq!(
        (range.first.to_string(), range.last.to_string()),
        ("10.0.0.1".into(), "10.0.0.20".into())
    );
    assert_eq!((range.protocol.as_str(), range.port), ("modbus", 502));
    assert_eq!(document.asked, report.asked);
}

#[tokio::test(start_paused = true)]
async fn stored_exchanges_decode_to_the_same_assets_without_a_packet() {
    let (report, document) = scan(before(), ALL).await;
    assert_eq!(redecode(&Knowledge::built_in(), &document.exchanges), report.assets);
    let lines = otcore::export::ndjson(report.exchanges.iter()).unwrap();
    let observations = Document::read(&lines).unwrap();
    assert_eq!(observations.exchanges, report.exchanges);
    assert_eq!(redecode(&Knowledge::built_in(), &observations.exchanges), document.assets);
}

/// Where the tag of a question stands, by the standards: Modbus Messaging on TCP/IP 3.1.3, the S7
/// header behind RFC 1006 and COTP, CIP volume 2, 2-3.
#[test]
fn a_question_asked_twice_differs_in_its_tag_and_nothing_else() {
    let tags: [(&str, &[usize]); 3] = [
        ("modbus", &[0, 1]),
        ("s7", &[11, 12]),
        ("enip", &[4, 5, 6, 7, 12, 13, 14, 15, 16, 17, 18, 19]),
    ];
    for (protocol, tag) in tags {
        let question: Vec<u8> = (0..40).collect();
        for place in 0..question.len() {
            let mut other = question.clone();
            other[place] ^= 0xFF;
            let same = otcore::protocols::repeats(protocol, &question, &other);
            assert_eq!(same, tag.contains(&place), "{protocol}: byte {place}");
        }
        assert!(!otcore::protocols::repeats(protocol, &question, &question[..39]), "{protocol}");
    }
    assert!(!otcore::protocols::repeats("unheard-of", &[1], &[2]));
}
