//! Versions of the engine.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A version of the engine: three numbers, as in `0.1.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(u32, u32, u32);

/// Text that is no version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no version: write three numbers, as in 0.1.0")]
pub struct NoVersion(String);

impl Version {
    /// The version of this engine.
    #[must_use]
    pub fn of_this_engine() -> Self {
        // A test holds that it parses.
        env!("CARGO_PKG_VERSION").parse().unwrap_or(Self(0, 0, 0))
    }
}

impl FromStr for Version {
    type Err = NoVersion;

    fn from_str(text: &str) -> Result<Self, NoVersion> {
        let number = |part: &str| match part.chars().all(|digit| digit.is_ascii_digit()) {
            true => part.parse().ok(),
            false => None,
        };
        let parts: Option<Vec<u32>> = text.split('.').map(number).collect();
        match parts.as_deref() {
            Some([major, minor, patch]) => Ok(Self(*major, *minor, *patch)),
            _ => Err(NoVersion(text.chars().take(80).collect())),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl TryFrom<String> for Version {
    type Error = NoVersion;

    fn try_from(text: String) -> Result<Self, NoVersion> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_three_numbers_in_their_order() {
        assert_eq!(Version::of_this_engine().to_string(), env!("CARGO_PKG_VERSION"));
        assert!("0.9.0".parse::<Version>().unwrap() < "0.10.0".parse().unwrap());
        for bad in ["", "1", "1.2", "1.2.3.4", "1.2.x", "+1.2.3", "1..2", "1.2.99999999999"] {
            assert!(bad.parse::<Version>().is_err(), "{bad}");
        }
    }
}
