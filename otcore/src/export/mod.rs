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

mod columns;
mod csv;
mod ndjson;
mod rows;
mod table;

use std::time::Duration;

pub use csv::csv;
pub use ndjson::ndjson;
pub use table::{Look, table};

use crate::model::{Inventory, Outcome, OutcomeRecord};

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
        Self { assets, outcomes: &[], skipped: Vec::new(), run: None }
    }
}

/// The name in JSON, for example `present_no_identity`.
fn name_of(outcome: Outcome) -> String {
    let json = serde_json::to_value(outcome).unwrap_or_default();
    json.as_str().unwrap_or_default().to_owned()
}
