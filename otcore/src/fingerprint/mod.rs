//! What turns what a device said into what it is: data, and pure functions over it.

mod conflict;
mod cpe;
mod glob;
mod infer;
mod knowledge;
mod makers;
mod rule;
mod table;

pub use infer::{infer, interpret};
pub use knowledge::{Knowledge, KnowledgeError, MOST_BYTES};
pub use rule::{Pattern, Rule, RuleError, Suspicion, parse};
