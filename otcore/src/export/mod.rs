//! What was found, as text: for a spreadsheet, a terminal, a pipe.
//!
//! Pure functions from [`Results`], which a report or an inventory turns into.
//!
//! ```
//! use otcore::Inventory;
//!
//! let inventory = Inventory::default();
//! let sheet = otcore::export::csv(&inventory);
//! assert!(sheet.starts_with("path,zone,address,protocol,port,place,vendor,model,"));
//! ```

mod changes;
mod columns;
mod coverage;
mod csv;
mod cyclonedx;
mod format;
mod html;
mod ndjson;
mod rows;
mod sheet;
mod shown;
mod table;

use std::io;
use std::time::Duration;

pub use changes::changes;
pub use coverage::{
    ATTRIBUTES, AssetCoverage, Attribute, Coverage, Covered, GUIDANCE, Priority, Status, Total,
    coverage, coverage_csv,
};
pub use csv::csv;
pub use cyclonedx::cyclonedx;
pub use format::{Format, UnknownFormat};
pub use html::html;
pub use ndjson::ndjson;
pub use sheet::{Sheet, sheet};
pub use table::{Look, table};

use crate::model::{Document, Inventory, Outcome, OutcomeRecord, ScanRecord};

/// What there is to show.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Results<'a> {
    /// The devices, with what is inside them and behind them.
    pub assets: &'a Inventory,
    /// How the conversations with them ended.
    pub outcomes: &'a [OutcomeRecord],
    /// What was asked for and not visited, and why.
    pub skipped: Vec<(&'a str, &'a str)>,
    /// The scan that found them; `None` for an inventory from elsewhere.
    pub run: Option<Run>,
    /// Who scanned when.
    pub scans: Vec<ScanRecord>,
}

/// What a scan came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Run {
    /// Devices of the plan.
    pub planned: u64,
    /// Devices dealt with.
    pub visited: u64,
    /// Devices that answered in any way.
    pub answered: u64,
    /// Devices that said who they are.
    pub identified: u64,
    /// Devices that went dark.
    pub went_dark: u64,
    /// Packets sent, the kernel's own included.
    pub packets: u64,
    /// The most packets that the plan allowed.
    pub packets_planned: u64,
    /// How long it took.
    pub took: Duration,
    /// Why it ended early, if it did, in words.
    pub stopped: Option<&'static str>,
}

impl<'a> From<&'a Inventory> for Results<'a> {
    fn from(assets: &'a Inventory) -> Self {
        Self { assets, outcomes: &[], skipped: Vec::new(), run: None, scans: Vec::new() }
    }
}

impl<'a> From<&'a Document> for Results<'a> {
    fn from(document: &'a Document) -> Self {
        let skipped = document.skipped.iter();
        Self {
            assets: &document.assets,
            outcomes: &document.outcomes,
            skipped: skipped.map(|left| (left.what.as_str(), left.reason.as_str())).collect(),
            run: document.scans.iter().map(Run::of).reduce(Run::and),
            scans: document.scans.clone(),
        }
    }
}

impl Run {
    fn of(scan: &ScanRecord) -> Self {
        let counts = scan.counters;
        Self {
            planned: counts.planned,
            visited: counts.visited,
            answered: counts.answered,
            identified: counts.identified,
            went_dark: counts.went_dark,
            packets: counts.packets,
            packets_planned: counts.packets_planned,
            took: scan.finished.duration_since(scan.started).unsigned_abs(),
            stopped: (!scan.completed).then_some("ended early"),
        }
    }

    /// Two scans together.
    fn and(self, other: Self) -> Self {
        Self {
            planned: self.planned.saturating_add(other.planned),
            visited: self.visited.saturating_add(other.visited),
            answered: self.answered.saturating_add(other.answered),
            identified: self.identified.saturating_add(other.identified),
            went_dark: self.went_dark.saturating_add(other.went_dark),
            packets: self.packets.saturating_add(other.packets),
            packets_planned: self.packets_planned.saturating_add(other.packets_planned),
            took: self.took.saturating_add(other.took),
            stopped: self.stopped.or(other.stopped),
        }
    }
}

/// What is written piece by piece, as one text.
fn text(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> io::Result<String> {
    let mut bytes = Vec::new();
    write(&mut bytes)?;
    String::from_utf8(bytes).map_err(io::Error::other)
}

/// The name in JSON, for example `present_no_identity`.
fn name_of(outcome: Outcome) -> String {
    let json = serde_json::to_value(outcome).unwrap_or_default();
    json.as_str().unwrap_or_default().to_owned()
}
