//! What a device has said is in the report, whatever happened afterwards.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use jiff::Timestamp;
use otcore::gate::journal::{Entry, What};
use otcore::model::Exchange;

use crate::run::Seen;

/// A question that left, and every byte that came before the next.
struct Asked<'a> {
    at: Timestamp,
    question: &'a [u8],
    came: Vec<u8>,
}

/// Every honest answer that came whole is kept as it was, also if the next question was never answered,
/// or somebody ended the scan.
pub(crate) fn what_was_said_is_kept(seen: &Seen, journal: &[Entry]) {
    let mut exchanges: BTreeMap<SocketAddr, Vec<&Exchange>> = BTreeMap::new();
    for (_, report) in &seen.scans {
        let Some(report) = report else { return }; // it was dropped
        for exchange in &report.exchanges {
            let at = SocketAddr::new(exchange.address, exchange.port);
            exchanges.entry(at).or_default().push(exchange);
        }
    }
    for device in &seen.case.planted {
        let kept = exchanges.get(&device.at).map(Vec::as_slice).unwrap_or_default();
        let asked = asked_of(device.at, journal);
        let mut asked = asked.iter();
        for (question, answer) in device.told.lock().unwrap().iter() {
            // It may have heard it with everybody else, in a call.
            let Some(asked) = asked.find(|asked| asked.question == question) else { return };
            if asked.came == *answer {
                let is_kept = kept.iter().any(|one| {
                    one.at == asked.at
                        && one.request.as_ref() == question
                        && holds(answer, one.response.as_ref())
                });
                assert!(is_kept, "{}: {answer:02x?} to {question:02x?} is lost", device.at);
            }
        }
    }
}

fn holds(all: &[u8], part: &[u8]) -> bool {
    !part.is_empty() && all.windows(part.len()).any(|bytes| bytes == part)
}

fn asked_of(device: SocketAddr, journal: &[Entry]) -> Vec<Asked<'_>> {
    let mut all: Vec<Asked<'_>> = Vec::new();
    for entry in journal.iter().filter(|entry| entry.device == device) {
        match &entry.what {
            What::Sent { bytes, .. } => {
                let (at, question) = (entry.at, bytes.as_ref());
                all.push(Asked { at, question, came: Vec::new() });
            }
            What::Received { bytes } => {
                if let Some(asked) = all.last_mut() {
                    asked.came.extend_from_slice(bytes.as_ref());
                }
            }
            _ => {}
        }
    }
    all
}
