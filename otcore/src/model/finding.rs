//! What does not fit together, and why.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::claim::Evidence;

/// Something about a device that a person should look at. It takes nothing back: the claims stay.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// What kind of thing.
    pub kind: FindingKind,
    /// Why, in words.
    pub reason: String,
    /// What it stands on; it names the rule.
    pub evidence: Arc<Evidence>,
}

/// What kind of thing does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FindingKind {
    /// Two makers answer at one address: a gateway speaks for another maker's device, or ports lead
    /// to different devices.
    SpeaksForAnother,
    /// It says the number of one maker under the name of another: a clone, or a licensed product.
    CopiedIdentity,
    /// It says what a program says that only pretends to be a device.
    KnownDecoy,
    /// Its hardware address was given to another maker than it names.
    ForeignHardwareAddress,
    /// It is known for a habit that an operator should know.
    Quirk,
}

impl FindingKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [
        Self::SpeaksForAnother,
        Self::CopiedIdentity,
        Self::KnownDecoy,
        Self::ForeignHardwareAddress,
        Self::Quirk,
    ];
}
