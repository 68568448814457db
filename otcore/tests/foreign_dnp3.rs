//! DNP3 outstations that others wrote, scanned over real sockets. What a scan says is what each of
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

use otcore::model::{Outcome, ServiceField, StateField};
use otcore::{Level, Policy};
use peers_support::{Scanned, Seen, nobody_hung_up, visit};

fn to(level: Level) -> Policy {
    Policy::gentle().protocol("dnp3", |dnp3| dnp3.on().level(level).allow("connect"))
}

fn says(scanned: &Scanned, field: ServiceField) -> Option<String> {
    let device = scanned.device();
    device.services.values().find_map(|facts| facts.value(field)).map(str::to_owned)
}

fn functions(scanned: &Scanned) -> Vec<&str> {
    scanned.report.exchanges.iter().map(|exchange| exchange.function.as_str()).collect()
}

/// Nothing but questions of ours: 10 bytes to call, 20 to read.
fn is_all_ours(seen: &Seen, calls: usize, reads: usize) {
    assert_eq!((seen.connections, seen.asked.len()), (1, 10 * calls + 20 * reads));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outstation_that_is_named_is_there_and_refuses_attributes_in_words() {
    for name in ["dnp3-opendnp3-quiet", "dnp3-dnp3py"] {
        let query = "?outstation=10&master=1";
        let Some((scanned, seen)) = visit(name, query, to(Level::Identify)).await else { return };
        let outcome = scanned.outcome();
        assert_eq!(outcome.outcome, Outcome::PresentNoIdentity, "{name}: {outcome:?}");
        assert_eq!(says(&scanned, ServiceField::Unit).as_deref(), Some("10"));
        let health = scanned.device().state.value(StateField::Health).unwrap().to_owned();
        assert!(health.contains("restarted"), "{name}: {health}");
        assert_eq!(scanned.device().identity.fields().count(), 0);
        let expected = [
            "RequestLinkStatus",
            "ReadAttributeList",
            "ReadAllAttributes",
            "ReadManufacturer",
            "ReadProductName",
        ];
        assert_eq!(functions(&scanned), expected, "{name}");
        is_all_ours(&seen, 1, 4);
        nobody_hung_up(&scanned);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outstation_that_greets_its_master_tells_both_addresses_and_is_not_confirmed() {
    let visited = visit("dnp3-opendnp3", "", to(Level::Detect)).await;
    let Some((scanned, seen)) = visited else { return };
    assert_eq!(scanned.outcome().outcome, Outcome::PresentNoIdentity, "{:?}", scanned.outcome());
    assert_eq!(says(&scanned, ServiceField::Unit).as_deref(), Some("10"));
    let note = says(&scanned, ServiceField::Note);
    assert_eq!(note.as_deref(), Some("speaks to the master with link address 1"));
    is_all_ours(&seen, 1, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outstation_that_waits_for_a_confirmation_is_neither_confirmed_nor_quarantined() {
    let visited = visit("dnp3-opendnp3", "", to(Level::Identify)).await;
    let Some((scanned, seen)) = visited else { return };
    let outcome = scanned.outcome();
    assert_eq!(outcome.outcome, Outcome::PresentNoIdentity, "{outcome:?}");
    assert_eq!(scanned.report.counters.went_dark, 0);
    is_all_ours(&seen, 1, 1);
    println!("waited {} ms", outcome.millis);
}

#[tokio::test(flavor = "multi_thread")]
async fn likely_addresses_are_called_one_by_one_until_somebody_answers() {
    let visited = visit("dnp3-opendnp3-quiet", "?master=1", to(Level::Detect)).await;
    let Some((scanned, seen)) = visited else { return };
    assert_eq!(scanned.outcome().outcome, Outcome::PresentNoIdentity, "{:?}", scanned.outcome());
    assert_eq!(says(&scanned, ServiceField::Unit).as_deref(), Some("10"));
    is_all_ours(&seen, 3, 0); // itself, 1 and 10
}
