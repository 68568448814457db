//! One target, with the words in which it was asked for.

use std::fmt;
use std::str::FromStr;

use super::endpoint::{Endpoint, Host};
use super::error::shown;
use super::parse::kind;
use super::{AddressRange, TargetError};

/// One thing that somebody wants scanned; shown in the words in which it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    text: String,
    kind: TargetKind,
}

/// What a target asks for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TargetKind {
    /// Every address in a row: `10.0.4.7`, `10.0.4.0/24`, `10.0.4.1-20`.
    Range(AddressRange),
    /// One device spoken to in one protocol: `s7://10.0.4.7?rack=0&slot=2`.
    Endpoint(Endpoint),
    /// A device by its name, in lower case: `plc3.plant`.
    Name(String),
}

impl Target {
    /// What is asked for.
    #[must_use]
    pub fn kind(&self) -> &TargetKind {
        &self.kind
    }

    /// The host name in it, in lower case, if there is one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match &self.kind {
            TargetKind::Name(name)
            | TargetKind::Endpoint(Endpoint { host: Host::Name(name), .. }) => Some(name),
            TargetKind::Range(_) | TargetKind::Endpoint(_) => None,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// Reads exactly one target, never a file.
impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        if text.starts_with('@') {
            return Err(TargetError::FileNotAllowed { text: shown(text) });
        }
        Ok(Self { text: text.to_owned(), kind: kind(text)? })
    }
}

impl From<AddressRange> for Target {
    fn from(range: AddressRange) -> Self {
        Self { text: range.to_string(), kind: TargetKind::Range(range) }
    }
}
