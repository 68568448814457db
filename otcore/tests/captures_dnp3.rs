//! Recorded DNP3 outstations, replayed on loopback by a program of their own. Everything that is
//! known to be true of each is found, and nothing is claimed that is not.
//!
//! The recordings are not part of the project; without them the test says so and passes.
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

use otcore::model::{Outcome, ServiceField};
use otcore::{Level, Policy};
use peers_support::recordings::{Replay, recordings, truth};
use peers_support::{Scanned, scan};
use serde_json::Value;

async fn visit(case: &str, device: &str, query: &str) -> Scanned {
    let replay = Replay::start(case, device, "dnp3", &[]);
    let policy =
        Policy::gentle().protocol("dnp3", |dnp3| dnp3.on().level(Level::State).allow("connect"));
    let scanned = scan(&[format!("dnp3://{}{query}", replay.at)], policy).await;
    replay.check(case, &scanned);
    scanned
}

const RECORDED: [(&str, &str); 2] =
    [("dnp3-digitalbond-part1", "10.0.0.3"), ("dnp3-opendnp3-full-exchange", "192.168.60.130")];

#[tokio::test(flavor = "multi_thread")]
async fn recorded_outstations_are_found_at_their_addresses_and_claim_no_identity() {
    if recordings().is_none() {
        return;
    }
    for (case, address) in RECORDED {
        let expected = &truth(case)["active"][0]["expected"];
        let (outstation, master) = (
            expected["outstation_address"].to_string(),
            expected["master_addresses"][0].to_string(),
        );
        for query in [String::new(), format!("?outstation={outstation}&master={master}")] {
            let scanned = visit(case, address, &query).await;
            let outcome = scanned.outcome();
            assert_eq!(outcome.outcome, Outcome::PresentNoIdentity, "{case}{query}: {outcome:?}");
            let device = scanned.device();
            assert_eq!(device.identity.fields().count(), 0, "{case}: nobody gave an attribute");
            let unit = device.services.values().find_map(|one| one.value(ServiceField::Unit));
            assert_eq!(unit, Some(outstation.as_str()), "{case}{query}");
        }
    }
}

#[test]
fn every_recorded_outstation_that_can_be_asked_is_asked_here() {
    let Some(folder) = recordings() else { return };
    let text = std::fs::read_to_string(folder.join("truth.json")).unwrap();
    let truth: Value = serde_json::from_str(&text).unwrap();
    let is_dnp3 = |entry: &Value| entry["protocol"] == "dnp3";
    let cases = truth["cases"].as_array().unwrap().iter();
    let asked = cases.filter(|case| case["active"].as_array().unwrap().iter().any(is_dnp3));
    let asked: Vec<&str> = asked.map(|case| case["id"].as_str().unwrap()).collect();
    assert_eq!(asked, RECORDED.map(|(case, _)| case));
}
