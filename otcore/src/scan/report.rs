//! What a scan found, in one document.

use jiff::Timestamp;
use serde::Serialize;

use super::event::{Phase, PhaseState};
use super::plan::Skipped;
use crate::export::{Results, Run};
use crate::gate::policy::Profile;
use crate::gate::{Spending, StopReason};
use crate::model::{
    Asked, Counts, DataPack, Exchange, Inventory, Outcome, OutcomeRecord, ScanRecord, Source, Zone,
};
use crate::store::Look;

/// Name and version of the layout of a report.
pub const REPORT_LAYOUT: &str = "otcore-report-1";

/// What a scan found. Its JSON follows [`REPORT_SCHEMA`](crate::model::REPORT_SCHEMA).
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Name and version of this layout.
    pub schema: &'static str,
    /// Which engine made it.
    pub engine: Engine,
    /// The network that was scanned.
    pub zone: Zone,
    /// Who looked.
    pub source: Source,
    /// The profile of the policy.
    pub profile: Profile,
    /// The data pack that named what was found; `None` if what is compiled in did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_pack: Option<DataPack>,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Timestamp,
    /// Whether everything planned was dealt with.
    pub completed: bool,
    /// Why it ended early, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<StopReason>,
    /// What became of each phase.
    pub phases: Vec<PhaseRecord>,
    /// Every device that was found, with everything below it.
    pub assets: Inventory,
    /// How each conversation ended.
    pub outcomes: Vec<OutcomeRecord>,
    /// Who was really asked, also where nobody answered.
    pub asked: Asked,
    /// What was asked for and not visited.
    pub skipped: Vec<Skipped>,
    /// What it cost.
    pub counters: Counters,
    /// Every question and answer, from which the assets can be made again.
    pub exchanges: Vec<Exchange>,
}

/// Which engine made a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Engine {
    /// Its name.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

/// This engine.
pub const ENGINE: Engine = Engine { name: "otcore", version: env!("CARGO_PKG_VERSION") };

/// What became of a phase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PhaseRecord {
    /// Which.
    pub phase: Phase,
    /// What became of it.
    pub state: PhaseState,
}

/// What a scan cost, and what came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counters {
    /// Devices of the plan.
    pub planned: u64,
    /// Devices dealt with.
    pub visited: u64,
    /// Devices that answered in any way.
    pub answered: u64,
    /// Devices that said who they are.
    pub identified: u64,
    /// Addresses at which nobody answered.
    pub silent: u64,
    /// Devices that went dark.
    pub went_dark: u64,
    /// Packets sent, the kernel's own included.
    pub packets: u64,
    /// The most packets that the plan allowed.
    pub packets_planned: u64,
    /// Connections opened.
    pub connections: u64,
    /// Questions asked.
    pub requests: u64,
    /// Payload bytes sent.
    pub bytes_out: u64,
    /// Payload bytes received.
    pub bytes_in: u64,
}

impl Counters {
    pub(super) fn add(&mut self, spending: Spending) {
        self.packets += spending.packets;
        self.connections += u64::from(spending.connections);
        self.requests += u64::from(spending.requests);
        self.bytes_out += spending.bytes_out;
        self.bytes_in += spending.bytes_in;
    }
}

impl Report {
    /// The same without what takes room: its assets and exchanges.
    #[must_use]
    pub fn head(&self) -> Self {
        Self {
            assets: Inventory::default(),
            exchanges: Vec::new(),
            zone: self.zone.clone(),
            source: self.source.clone(),
            data_pack: self.data_pack.clone(),
            phases: self.phases.clone(),
            outcomes: self.outcomes.clone(),
            asked: self.asked.clone(),
            skipped: self.skipped.clone(),
            ..*self
        }
    }

    /// Whether any device went dark after a question.
    #[must_use]
    pub fn harm_suspected(&self) -> bool {
        self.counters.went_dark > 0 || self.stopped == Some(StopReason::HarmSuspected)
    }

    /// What it saw, device by device, as a store keeps it.
    #[must_use]
    pub fn looks(&self) -> Vec<Look> {
        Look::each(self.started, self.exchanges.iter().cloned(), self.outcomes.iter().cloned())
    }

    /// Devices that answered, or were named one by one, and did not say who they are.
    pub fn not_identified(&self) -> impl Iterator<Item = &OutcomeRecord> {
        self.outcomes.iter().filter(|record| record.outcome != Outcome::Identified)
    }
}

impl Report {
    /// The scan itself, without what it found.
    fn record(&self) -> ScanRecord {
        let counters = self.counters;
        ScanRecord {
            zone: self.zone.clone(),
            source: self.source.clone(),
            profile: self.profile.name().to_owned(),
            data_pack: self.data_pack.clone(),
            started: self.started,
            finished: self.finished,
            completed: self.completed,
            stopped: self.stopped.map(|why| why.in_words().to_owned()),
            counters: Counts {
                planned: counters.planned,
                visited: counters.visited,
                answered: counters.answered,
                identified: counters.identified,
                went_dark: counters.went_dark,
                packets: counters.packets,
                packets_planned: counters.packets_planned,
            },
        }
    }
}

impl<'a> From<&'a Report> for Results<'a> {
    fn from(report: &'a Report) -> Self {
        let counters = &report.counters;
        let skipped = report.skipped.iter().map(|s| (s.what.as_str(), s.reason.as_str())).collect();
        let run = Run {
            planned: counters.planned,
            visited: counters.visited,
            answered: counters.answered,
            identified: counters.identified,
            went_dark: counters.went_dark,
            packets: counters.packets,
            packets_planned: counters.packets_planned,
            took: report.finished.duration_since(report.started).unsigned_abs(),
            stopped: report.stopped.map(StopReason::in_words),
        };
        let mut results = Self::from(&report.assets);
        (results.outcomes, results.skipped, results.run) = (&report.outcomes, skipped, Some(run));
        results.scans = vec![report.record()];
        results
    }
}
