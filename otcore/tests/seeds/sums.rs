//! What reports count is what was on the wire.

use otcore::Outcome;
use otcore::gate::journal::{Entry, What};
use otcore::scan::Report;

use crate::common::network::{Kind, Packet};
use crate::run::Seen;

/// The journal holds every byte that came, and the counters of all reports together are what left and
/// what came.
pub(crate) fn counters_add_up(seen: &Seen, journal: &[Entry], capture: &[Packet]) {
    let heard = seen.setting.network.heard();
    let came = heard.iter().map(|(from, bytes)| (*from, &bytes[..]));
    let told = journal.iter().filter_map(|entry| match &entry.what {
        What::Received { bytes } => Some((entry.device, bytes.as_ref())),
        _ => None,
    });
    assert!(told.eq(came), "not what came: {journal:#?} {heard:02x?}");

    let Some(reports) = all_reports(seen) else { return };
    reports.iter().for_each(|report| within(report));
    let sum = |what: fn(&Report) -> u64| reports.iter().map(|report| what(report)).sum::<u64>();
    let payloads = capture.iter().filter_map(|packet| match &packet.what {
        Kind::Payload(bytes) => Some(bytes.len() as u64),
        _ => None,
    });
    let (asked, bytes_out) = payloads.fold((0, 0), |(count, sum), size| (count + 1, sum + size));
    let bytes_in: u64 = heard.iter().map(|(_, bytes)| bytes.len() as u64).sum();
    let stations = seen.setting.network.stations().map(|(_, station)| station.counters());
    let connections: u64 = stations.map(|seen| seen.connections + seen.turned_away).sum();
    let counted = [
        (sum(|report| report.counters.requests), asked, "questions"),
        (sum(|report| report.counters.bytes_out), bytes_out, "bytes that left"),
        (sum(|report| report.counters.bytes_in), bytes_in, "bytes that came"),
        (sum(|report| report.counters.connections), connections, "connections"),
    ];
    // Who is stopped may have counted what then had no leave any more.
    let whole = reports.iter().all(|report| report.stopped.is_none());
    for (counted, seen, what) in counted {
        assert!(counted == seen || (!whole && counted > seen), "{counted} {what}, really {seen}");
    }
}

fn all_reports(seen: &Seen) -> Option<Vec<&Report>> {
    seen.scans.iter().map(|(_, report)| report.as_ref()).collect()
}

/// The counters of one report fit to each other and to its outcomes.
fn within(report: &Report) {
    let counters = &report.counters;
    assert!(counters.identified <= counters.answered, "{counters:?}");
    assert!(counters.answered + counters.silent <= counters.planned, "{counters:?}");
    assert!(counters.visited <= counters.planned, "{counters:?}");
    let of_outcomes = |what: fn(&otcore::model::OutcomeRecord) -> u64| {
        report.outcomes.iter().map(what).sum::<u64>()
    };
    // Addresses at which nobody answered have no outcome of their own.
    assert!(of_outcomes(|one| one.packets.into()) <= counters.packets, "{counters:?}");
    assert!(of_outcomes(|one| one.requests.into()) <= counters.requests, "{counters:?}");
    assert!(of_outcomes(|one| one.bytes_in) <= counters.bytes_in, "{counters:?}");
    let dark = report.outcomes.iter().filter(|one| one.outcome == Outcome::WentDark);
    assert!(dark.count() as u64 >= counters.went_dark, "{counters:?}");
}
