//! What the absence of something means: gone, quiet, or not asked.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::asked::Asked;
use super::asset::Asset;
use super::claim::Claim;
use super::diff::Later;
use super::exchange::Exchange;
use super::names::Zone;
use super::nodes::{Entry, Kind};
use super::outcome::{Outcome, OutcomeRecord};

/// What became of something that was known and is not found now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It was asked and is not there.
    Gone(String),
    /// It is there and does not say who it is.
    Quiet(String),
    /// It was not asked, or not in every way it was known by.
    NotAsked,
}

/// Who was asked what, to answer questions about absence.
#[derive(Debug)]
pub(super) struct Witness<'a> {
    asked: &'a Asked,
    outcomes: BTreeMap<(&'a Zone, IpAddr), Vec<&'a OutcomeRecord>>,
    exchanges: BTreeMap<(&'a Zone, IpAddr), Vec<&'a Exchange>>,
    repeats: fn(&str, &[u8], &[u8]) -> bool,
}

impl<'a> Witness<'a> {
    pub(super) fn new(later: &Later<'a>) -> Self {
        let mut outcomes: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for record in later.outcomes {
            let place = (&record.zone, record.address.to_canonical());
            outcomes.entry(place).or_default().push(record);
        }
        let mut exchanges: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for exchange in later.exchanges {
            let place = (&exchange.zone, exchange.address.to_canonical());
            exchanges.entry(place).or_default().push(exchange);
        }
        Self { asked: later.asked, outcomes, exchanges, repeats: later.repeats }
    }

    /// What it means that this is not found any more.
    pub(super) fn verdict(&self, old: &Entry<'_>) -> Verdict {
        match old.kind {
            Kind::Device => self.of_device(old),
            Kind::Module | Kind::Child => self.of_part(old),
        }
    }

    /// Whether the question that told of this claim was asked again, at the same device.
    pub(super) fn asked_again(&self, asset: &Asset, claim: &Claim) -> bool {
        let (evidence, zone) = (&claim.evidence, asset.zone());
        let asked = asset.addresses().filter_map(|address| self.exchanges.get(&(zone, address)));
        asked.flatten().any(|later| {
            later.protocol == evidence.protocol
                && later.port == evidence.port
                && later.function == evidence.function
                && (self.repeats)(
                    &later.protocol,
                    evidence.request.as_ref(),
                    later.request.as_ref(),
                )
        })
    }

    fn of_device(&self, old: &Entry<'_>) -> Verdict {
        let (asset, zone) = (old.asset, old.asset.zone());
        let records: Vec<&&OutcomeRecord> = asset
            .addresses()
            .filter_map(|address| self.outcomes.get(&(zone, address)))
            .flatten()
            .collect();
        if let Some(there) = records.iter().find(|record| record.outcome.answered()) {
            let (protocol, port) = (&there.protocol, there.port);
            return Verdict::Quiet(format!("{} in {protocol}/{port}", there.outcome));
        }
        // A scan that was refused leave, or stopped halfway, has asked nothing of it.
        let asked = |address, (protocol, port): &(&str, u16)| {
            let ended = records.iter().filter(|r| r.protocol == *protocol && r.port == *port);
            let cut_short = { ended }.any(|record| record.outcome != Outcome::Silent);
            self.asked.covers(zone, address, protocol, *port) && !cut_short
        };
        let known: BTreeSet<(&str, u16)> = endpoints(old);
        let mut ways = asset.addresses().flat_map(|a| known.iter().map(move |way| (a, way)));
        if known.is_empty() || !ways.all(|(address, way)| asked(address, way)) {
            return Verdict::NotAsked;
        }
        let ways: Vec<String> = known.iter().map(|(name, port)| format!("{name}/{port}")).collect();
        Verdict::Gone(format!("silent in {}", ways.join(" and ")))
    }

    /// A part is gone if its device told everything it was asked, a question that told of the part
    /// among it.
    fn of_part(&self, old: &Entry<'_>) -> Verdict {
        let Some((protocol, port)) = old.endpoint() else { return Verdict::NotAsked };
        let zone = old.asset.zone();
        let records = old.asset.addresses().filter_map(|a| self.outcomes.get(&(zone, a))).flatten();
        let told_all = { records }.any(|record| {
            let here = record.protocol == protocol && record.port == port;
            here && record.outcome == Outcome::Identified && record.detail.is_none()
        });
        // Whoever is not there is asked the first question only.
        let asked = old.claims().any(|claim| self.asked_again(old.asset, claim));
        match told_all && asked {
            true => Verdict::Gone(format!("{protocol}/{port} tells of it no more")),
            false => Verdict::NotAsked,
        }
    }
}

/// In which protocols and on which ports a device is known.
fn endpoints<'a>(entry: &Entry<'a>) -> BTreeSet<(&'a str, u16)> {
    let services = entry.node.services.keys().map(|key| (key.protocol.as_str(), key.port));
    let claims =
        entry.claims().map(|claim| (claim.evidence.protocol.as_str(), claim.evidence.port));
    services.chain(claims).collect()
}
