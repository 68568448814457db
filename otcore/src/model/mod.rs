//! What is known about assets, by whom it was said, and on which bytes that stands.
//!
//! Plain data: nothing here knows a protocol, a policy or a socket.

mod asked;
mod asset;
mod canonical;
mod claim;
mod compare;
mod diff;
mod document;
mod exchange;
mod facts;
mod field;
mod finding;
mod inventory;
mod join;
mod key;
mod names;
mod nodes;
mod outcome;
#[cfg(test)]
pub(crate) mod testing;
mod text;
mod verdict;

pub use asked::{Asked, AskedRange, NoRange};
pub use asset::{Asset, DifferentAssets, Node, ServiceKey};
pub use canonical::{Version, company, order_number};
pub use claim::{Claim, Confidence, Evidence, Method};
pub use diff::{Change, Changed, Diff, Gone, Later, Moved, Spot, diff, reread};
pub use document::{
    Counts, DataPack, Document, DocumentError, LARGEST_DOCUMENT, Omission, ScanRecord,
};
pub use exchange::{BadHex, Exchange, HexBytes, Transport};
pub use facts::Facts;
pub use field::{Field, InterfaceField, Named, ServiceField, StateField};
pub use finding::{Finding, FindingKind};
pub use inventory::Inventory;
pub use join::{Device, Doubt, Joined, Joining, join};
pub use key::Key;
pub use names::{NameError, Source, Zone};
pub use nodes::Kind;
pub use outcome::{Outcome, OutcomeRecord};
pub use text::{LONGEST_TEXT, decode, printable};

/// The JSON Schema (draft 2020-12) of a report and of everything in it.
pub const REPORT_SCHEMA: &str = include_str!("../../schema/report.schema.json");

/// The JSON Schema (draft 2020-12) of what differs between two inventories.
pub const DIFF_SCHEMA: &str = include_str!("../../schema/diff.schema.json");
