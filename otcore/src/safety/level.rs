//! How deep a conversation goes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How deep a conversation goes; each level includes those before it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Does it speak this protocol?
    Detect,
    /// Who is it?
    #[default]
    Identify,
    /// Which modules, children and interfaces does it have?
    Structure,
    /// Run mode, key switch, protection, change digests.
    State,
}

impl Level {
    /// All levels, shallowest first.
    pub const ALL: [Self; 4] = [Self::Detect, Self::Identify, Self::Structure, Self::State];

    /// The name in policies, plans and on command lines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Detect => "detect",
            Self::Identify => "identify",
            Self::Structure => "structure",
            Self::State => "state",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The text names no level.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown level {0:?}: use detect, identify, structure or state")]
pub struct UnknownLevel(String);

impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(text: &str) -> Result<Self, UnknownLevel> {
        let known = Self::ALL.into_iter().find(|level| level.name() == text);
        known.ok_or_else(|| UnknownLevel(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_named_as_policies_write_them() {
        assert_eq!(Level::ALL.map(Level::name), ["detect", "identify", "structure", "state"]);
    }
}
