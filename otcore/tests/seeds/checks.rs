//! What must be true of every seed, whatever it led to.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use jiff::Timestamp;
use otcore::Outcome;
use otcore::gate::journal::{Entry, What};
use otcore::protocols::{self, ALL};
use otcore::scan::{Plan, Report};

use crate::common::manifest::in_the_manifest;
use crate::common::network::{Kind, Packet};
use crate::common::{EPOCH, leaves, sent_to};
use crate::run::Seen;
use crate::{kept, sums, truth};

/// Questions to whoever listens, by their names in the manifest.
const CALLS: [&str; 2] = ["RequestLinkStatus", "WhoIs"];
/// A call that a router hands on to a network behind it, where nobody may live. The router is asked
/// next whether it still answers itself (docs/safety.md, 7).
const HANDED_ON: &str = "RoutedWhoIs";
const STILL_THERE: &str = "ReadObjectIdentifier";
/// What an outstation that has one master says of a second one, which needs a consent of its own.
const DISPLACED: &str = "its master was displaced by a newer connection";

/// Every promise that a simulated plant can see.
pub(crate) fn check(seen: &Seen) {
    let capture = seen.setting.network.capture();
    let journal = seen.setting.journal.entries();
    limits(seen);
    scope(seen, &capture);
    the_journal_is_the_wire(&journal, &capture);
    quiet(seen, &journal, &capture);
    paused(seen, &journal, &capture);
    the_dark_are_left_alone(seen, &journal);
    silence_is_not_asked_again(seen, &journal);
    no_harm(seen, &journal);
    for (plan, report) in &seen.scans {
        if let Some(report) = report {
            within_the_plan(plan, report);
            is_complete(seen, report);
        }
    }
    costs(seen, &capture);
    sums::counters_add_up(seen, &journal, &capture);
    kept::what_was_said_is_kept(seen, &journal);
    truth::names_are_true(seen);
    assert_eq!(seen.late, None, "not done in the time of the plan");
}

fn limits(seen: &Seen) {
    seen.setting.network.watched(|watch, _| {
        assert_eq!(watch.broken(), Vec::<String>::new(), "limits");
    });
    assert!(seen.setting.network.most_open() <= 1, "connections of one device at once");
}

fn scope(seen: &Seen, capture: &[Packet]) {
    let ports: BTreeSet<u16> = ALL.iter().map(|probe| probe.port()).collect();
    for packet in capture {
        assert!(seen.case.in_scope.contains(&packet.to.ip()), "out of scope: {packet:?}");
        assert!(ports.contains(&packet.to.port()), "nobody's port: {packet:?}");
    }
}

fn the_journal_is_the_wire(journal: &[Entry], capture: &[Packet]) {
    let wire = capture.iter().filter_map(|packet| match &packet.what {
        Kind::Syn => Some((packet.at, packet.to, &[][..])),
        Kind::Payload(bytes) => Some((packet.at, packet.to, &bytes[..])),
        Kind::Ack | Kind::Fin => None,
    });
    let epoch = EPOCH.parse::<Timestamp>().unwrap();
    let told = journal.iter().filter_map(|entry| {
        let at = entry.at.duration_since(epoch).unsigned_abs();
        match &entry.what {
            What::Connecting => Some((at, entry.device, &[][..])),
            What::Sent { bytes, .. } => Some((at, entry.device, bytes.as_ref())),
            _ => None,
        }
    });
    assert!(told.eq(wire), "the journal is not the wire: {journal:#?} {capture:#?}");
}

/// After an abort, and after the end, nothing leaves but the end of connections.
fn quiet(seen: &Seen, journal: &[Entry], capture: &[Packet]) {
    for quiet in &seen.quiet {
        let late = journal[quiet.journal.clone()].iter().find(|entry| leaves(entry));
        assert_eq!(late, None, "left after the end");
        let closing = |packet: &&Packet| matches!(packet.what, Kind::Fin | Kind::Ack);
        let late = capture[quiet.capture.clone()].iter().find(|packet| !closing(packet));
        assert_eq!(late, None, "left after the end");
    }
    if let Some(took) = seen.stopping {
        assert!(took <= Duration::from_millis(50), "it took {took:?} to stop");
    }
}

/// While it is paused no conversation begins.
fn paused(seen: &Seen, journal: &[Entry], capture: &[Packet]) {
    for paused in &seen.paused {
        let attempt = capture[paused.capture.clone()].iter().find(|p| p.what == Kind::Syn);
        assert_eq!(attempt, None, "begun in a pause");
        let begins = |entry: &&Entry| matches!(entry.what, What::Bound { .. });
        let datagrams = journal[paused.journal.clone()].iter().find(begins);
        assert_eq!(datagrams, None, "begun in a pause");
    }
}

/// A device that went dark gets nothing more, neither in this scan nor in a later one.
fn the_dark_are_left_alone(seen: &Seen, journal: &[Entry]) {
    let mut dark: BTreeSet<SocketAddr> = BTreeSet::new();
    for entry in journal {
        match entry.what {
            What::WentDark { .. } => drop(dark.insert(entry.device)),
            _ => assert!(
                !leaves(entry) || !dark.iter().any(|at| at.ip() == entry.device.ip()),
                "to a device that went dark: {entry:?}"
            ),
        }
    }
    for (at, station) in seen.setting.network.stations() {
        // Who never said a word is no device that went dark, and may be asked another day. A datagram
        // to it is sent once more, other link addresses may be called, and then it may still take a
        // connection and a question.
        if dark.contains(&at) || seen.scans.len() == 1 {
            let calls = seen.setting.policy.limits.link_addresses.max(1);
            let after_its_death = u64::from(is_asked_after_a_call(journal, at));
            let most =
                if was_unheard(journal, at) { u64::from(2 + calls) } else { after_its_death };
            let late = station.counters().after_dark;
            assert!(late <= most, "{at}: {late} packets to a dead device");
        }
    }
}

/// Whether nothing came back in some conversation by datagrams.
fn was_unheard(journal: &[Entry], at: SocketAddr) -> bool {
    let (mut waits, mut unheard) = (false, false);
    for entry in journal.iter().filter(|entry| entry.device == at) {
        match entry.what {
            What::Bound { .. } => waits = true,
            What::Received { .. } => waits = false,
            What::Closed { .. } => unheard |= std::mem::take(&mut waits),
            _ => {}
        }
    }
    unheard || waits
}

/// Whether it was silent to a call that it was to hand on, and then to the question for itself.
fn is_asked_after_a_call(journal: &[Entry], at: SocketAddr) -> bool {
    let of_it = journal.iter().rev().filter(|entry| entry.device == at);
    let asked = of_it.filter_map(|entry| match &entry.what {
        What::Sent { function, .. } => Some(function.as_str()),
        What::Received { .. } => Some(""),
        _ => None,
    });
    asked.take(2).eq([STILL_THERE, HANDED_ON])
}

/// Who has answered in a conversation and then leaves a question open is asked nothing more in it.
fn silence_is_not_asked_again(seen: &Seen, journal: &[Entry]) {
    let first_answers = first_answers(seen);
    let mut lines: BTreeMap<SocketAddr, (bool, Option<&str>)> = BTreeMap::new();
    for entry in journal {
        let (spoke, open) = lines.entry(entry.device).or_default();
        match entry.what {
            What::Connecting | What::Bound { .. } => (*spoke, *open) = (false, None),
            What::Received { .. } => {
                let first = first_answers.as_ref().map(|answers| answers.get(&entry.device));
                *spoke |= first.is_none_or(|at| at.is_some_and(|at| *at <= entry.at));
                *open = None;
            }
            What::Sent { ref function, .. } => {
                let function = function.as_str();
                let again = *spoke && *open == Some(HANDED_ON) && function == STILL_THERE;
                assert!(
                    !*spoke || open.is_none() || again,
                    "asked again after a silence: {entry:?}"
                );
                // Who is silent to a call may not be meant by it.
                *open = Some(function).filter(|function| !CALLS.contains(function));
            }
            _ => {}
        }
    }
}

/// When the first question left that each device answered: who only speaks of its own accord, or to
/// somebody else, has answered nothing, and may not be meant by the call before the next one. `None`
/// if a report is missing, so that nobody can tell.
fn first_answers(seen: &Seen) -> Option<BTreeMap<SocketAddr, Timestamp>> {
    let mut first = BTreeMap::new();
    for (_, report) in &seen.scans {
        for exchange in &report.as_ref()?.exchanges {
            let at = SocketAddr::new(exchange.address, exchange.port);
            let known = first.entry(at).or_insert(exchange.at);
            *known = exchange.at.min(*known);
        }
    }
    Some(first)
}

fn no_harm(seen: &Seen, journal: &[Entry]) {
    let scans = u16::try_from(seen.scans.len()).unwrap();
    let whole = seen
        .scans
        .iter()
        .all(|(_, report)| report.as_ref().is_some_and(|report| report.stopped.is_none()));
    for (at, station) in seen.setting.network.stations() {
        let mut counters = station.counters();
        counters.violations.retain(|what| what != DISPLACED || !may_displace(seen));
        assert_eq!(counters.violations, Vec::<String>::new(), "{at}");
        assert!(counters.at_once <= 1, "{at}: {} connections at once", counters.at_once);
        assert_eq!(counters.turned_away, 0, "{at}: turned away");
        assert!(!whole || counters.empty == 0, "{at}: a connection without a question");
        let probe = protocols::by_name(station.protocol()).unwrap();
        let sent = sent_to(journal, at);
        in_the_manifest(probe, (at, &sent), (&seen.setting, scans), &at.to_string());
        assert!(received(journal, at) <= most_received(seen), "{at}: too many bytes taken");
    }
}

fn may_displace(seen: &Seen) -> bool {
    let dnp3 = seen.setting.policy.protocols.get("dnp3");
    dnp3.is_some_and(|settings| settings.allow.iter().any(|consent| consent == "connect"))
}

fn received(journal: &[Entry], at: SocketAddr) -> usize {
    let of_it = journal.iter().filter(|entry| entry.device == at);
    of_it
        .map(|e| if let What::Received { bytes } = &e.what { bytes.as_ref().len() } else { 0 })
        .sum()
}

fn most_received(seen: &Seen) -> usize {
    seen.scans.len() * (seen.setting.policy.limits.device_bytes as usize + 2048)
}

fn within_the_plan(plan: &Plan, report: &Report) {
    let (counters, bounds) = (&report.counters, &plan.bounds);
    assert!(counters.packets <= bounds.packets, "{counters:?} {bounds:?}");
    assert!(counters.requests <= bounds.requests, "{counters:?} {bounds:?}");
    assert!(counters.connections <= bounds.connections, "{counters:?} {bounds:?}");
    assert!(counters.bytes_out <= bounds.bytes_out, "{counters:?} {bounds:?}");
    for record in &report.outcomes {
        let stop = plan.stops.iter().find(|stop| stop.range.contains(record.address)).unwrap();
        assert!(u64::from(record.packets) <= stop.per_device.packets, "{record:?}");
        assert!(u64::from(record.requests) <= stop.per_device.requests, "{record:?}");
        assert!(u64::from(record.connections) <= stop.per_device.connections, "{record:?}");
    }
}

/// Who is not stopped goes to the end, and says how.
fn is_complete(seen: &Seen, report: &Report) {
    let asked_to_stop = seen.case.happening.ends() && seen.scans.len() == seen.case.scans.len();
    if report.stopped.is_none() {
        assert!(report.completed, "{report:?}");
        assert_eq!(report.counters.visited, report.counters.planned);
        let aborted = report.outcomes.iter().find(|record| record.outcome == Outcome::Aborted);
        assert_eq!(aborted, None);
    } else {
        let dark = report.counters.went_dark > 0;
        assert!(asked_to_stop || dark || seen.case.happening.ends(), "{:?}", report.stopped);
        assert!(!report.completed || report.counters.visited == report.counters.planned);
    }
}

/// Everything that left was charged to somebody.
fn costs(seen: &Seen, capture: &[Packet]) {
    let mut charged: u64 = 0;
    for (_, report) in &seen.scans {
        let Some(report) = report else { return };
        // The goodbye to a device that went dark leaves when the run is over and counted.
        charged += report.counters.packets + 2 * report.counters.went_dark;
    }
    assert!(capture.len() as u64 <= charged, "{} left, {charged} charged", capture.len());
    let mut attempts: BTreeMap<IpAddr, usize> = BTreeMap::new();
    for packet in capture.iter().filter(|packet| packet.what == Kind::Syn) {
        *attempts.entry(packet.to.ip()).or_default() += 1;
    }
    let limits = &seen.setting.policy.limits;
    let allowed = seen.scans.len() * limits.ports_per_device as usize;
    for (address, attempts) in attempts {
        assert!(attempts <= allowed, "{address}: {attempts} attempts, allowed are {allowed}");
    }
    let mut connections: BTreeMap<IpAddr, u64> = BTreeMap::new();
    for (at, station) in seen.setting.network.stations() {
        *connections.entry(at.ip()).or_default() += station.counters().connections;
    }
    let allowed = seen.scans.len() as u64 * u64::from(limits.connections_per_scan);
    for (address, connections) in connections {
        assert!(connections <= allowed, "{address}: {connections} connections of {allowed}");
    }
}
