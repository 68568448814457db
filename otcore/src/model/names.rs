//! Names that people give: of zones and of sources.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A name that is not allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} {name:?} is not allowed: use 1 to 64 of the characters A-Z a-z 0-9 . _ -")]
pub struct NameError {
    what: &'static str,
    name: String,
}

macro_rules! name {
    ($(#[$meta:meta])* $name:ident, $what:literal, $default:literal) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self($default.to_owned())
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
                // A name is part of paths, so it is neither of the two that climb.
                let climbs = matches!(text, "." | "..");
                match (1..=64).contains(&text.len()) && text.chars().all(plain) && !climbs {
                    true => Ok(Self(text.to_owned())),
                    false => Err(NameError { what: $what, name: text.chars().take(80).collect() }),
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

name! {
    /// The network an address lives in. `(zone, address)` is the key of an asset, so that two
    /// plants with the same 192.168.0.0/24 never mix.
    Zone, "zone", "default"
}

name! {
    /// Who looked: an agent or a script, stamped on every claim.
    Source, "source", "otcore"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_plain() {
        assert_eq!("line-3".parse::<Zone>().unwrap().to_string(), "line-3");
        for bad in ["", "a b", "ü", "..", "a/b", &"x".repeat(65)] {
            assert!(bad.parse::<Zone>().is_err(), "{bad}");
        }
        let error = "a b".parse::<Source>().unwrap_err().to_string();
        assert!(error.starts_with("source \"a b\" is not allowed"), "{error}");
    }
}
