//! What is known about assets, by whom it was said, and on which bytes that stands.
//!
//! Plain data: nothing here knows a protocol, a policy or a socket.

mod asset;
mod claim;
mod exchange;
mod facts;
mod field;
mod inventory;
mod names;
mod outcome;
mod text;

pub use asset::{Asset, DifferentAssets, Node, ServiceKey};
pub use claim::{Claim, Confidence, Evidence, Method};
pub use exchange::{BadHex, Exchange, HexBytes, Transport};
pub use facts::Facts;
pub use field::{Field, InterfaceField, Named, ServiceField, StateField};
pub use inventory::Inventory;
pub use names::{NameError, Source, Zone};
pub use outcome::{Outcome, OutcomeRecord};
pub use text::{LONGEST_TEXT, decode, printable};

/// The JSON Schema (draft 2020-12) of a report and of everything in it.
pub const REPORT_SCHEMA: &str = include_str!("../../schema/report.schema.json");
