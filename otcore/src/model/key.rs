//! What tells one piece of hardware from all others, wherever it is met.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::asset::Node;
use super::field::{Field, InterfaceField};

/// Shorter serial numbers are likely to be counters or placeholders.
const SHORTEST_SERIAL: usize = 4;

/// Two nodes with the same key are the same piece of hardware.
///
/// In JSON and in words a key is its kind and its value. Upper and lower case are the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "key", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Key {
    /// The same serial number of the same vendor.
    SerialNumber {
        /// The vendor, in lower case.
        vendor: String,
        /// The number, in lower case.
        value: String,
    },
    /// The same hardware address, given out by its maker.
    Mac {
        /// Twelve lower-case hexadecimal digits.
        value: String,
    },
    /// The same universally unique identifier.
    DeviceUuid {
        /// Thirty-two lower-case hexadecimal digits.
        value: String,
    },
}

impl Key {
    /// All keys of a node, from any claim. What looks like a placeholder is no key.
    #[must_use]
    pub fn of(node: &Node) -> BTreeSet<Self> {
        let mut keys = BTreeSet::new();
        for serial in values(node, Field::SerialNumber).filter(|serial| is_serial(serial)) {
            let of_vendor = |vendor| Self::SerialNumber { vendor, value: serial.clone() };
            keys.extend(values(node, Field::Vendor).map(of_vendor));
        }
        for uuid in values(node, Field::DeviceUuid) {
            keys.extend(unique(&uuid).map(|value| Self::DeviceUuid { value }));
        }
        for interface in node.interfaces.values() {
            let claims = interface.claims(InterfaceField::Mac);
            keys.extend(claims.filter_map(|c| mac(&c.value)).map(|value| Self::Mac { value }));
        }
        keys
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SerialNumber { vendor, value } => {
                write!(f, "same serial number {value} of {vendor}")
            }
            Self::Mac { value } => write!(f, "same hardware address {value}"),
            Self::DeviceUuid { value } => write!(f, "same device identifier {value}"),
        }
    }
}

fn values(node: &Node, field: Field) -> impl Iterator<Item = String> {
    let claims = node.identity.claims(field);
    claims.map(|claim| claim.value.trim().to_lowercase()).filter(|value| !value.is_empty())
}

/// Not a counter, a row of the same character, or a word for none.
fn is_serial(serial: &str) -> bool {
    let mut characters = serial.chars().filter(|c| c.is_alphanumeric());
    let Some(first) = characters.next() else { return false };
    let varied = characters.any(|c| c != first);
    let words = ["none", "null", "unknown", "not available", "default", "serial", "123456"];
    let is_word = words.iter().any(|word| serial.starts_with(word));
    serial.chars().count() >= SHORTEST_SERIAL && varied && !is_word
}

/// IEEE 802: twelve digits, for one station, and given out universally rather than by software.
fn mac(text: &str) -> Option<String> {
    let digits = digits(text, 12)?;
    let first = u8::from_str_radix(digits.get(..2)?, 16).ok()?;
    let is_group_or_local = first & 0b11 != 0;
    (!is_group_or_local && digits.bytes().any(|digit| digit != b'0')).then_some(digits)
}

/// RFC 9562: neither the one that is all zeros nor the one that is all ones.
fn unique(text: &str) -> Option<String> {
    let text = text.trim_start_matches("urn:uuid:").trim_matches(['{', '}']);
    let digits = digits(text, 32)?;
    let says_nothing = ['0', 'f'].iter().any(|digit| digits.chars().all(|c| c == *digit));
    (!says_nothing).then_some(digits)
}

/// Exactly so many hexadecimal digits, whatever stands between them.
fn digits(text: &str, count: usize) -> Option<String> {
    let text = text.trim();
    let fine = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '-' | '.' | ' ');
    if text.len() > 2 * count || !text.chars().all(fine) {
        return None;
    }
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    (digits.len() == count).then(|| digits.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hardware_address_is_one_however_it_is_written() {
        for written in ["00:1B:1B:1D:1A:2D", "00-1b-1b-1d-1a-2d", "001b.1b1d.1a2d", "001B1B1D1A2D"]
        {
            assert_eq!(mac(written).as_deref(), Some("001b1b1d1a2d"), "{written}");
        }
    }

    #[test]
    fn what_many_devices_share_is_no_key() {
        for shared in [
            "00:00:00:00:00:00",
            "ff:ff:ff:ff:ff:ff",
            "01:00:5e:00:00:01",
            "02:42:ac:11:00:02",
            "00:1b:1b",
            "",
        ] {
            assert_eq!(mac(shared), None, "{shared}");
        }
        for shared in ["", "0", "0000", "FFFFFFFF", "n/a", "None", "-----", "unknown", "12345678"] {
            assert!(!is_serial(&shared.to_lowercase()), "{shared}");
        }
        assert_eq!(unique("00000000-0000-0000-0000-000000000000"), None);
        assert_eq!(unique("FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"), None);
    }

    #[test]
    fn real_ones_are_keys() {
        for serial in ["s c-c2ur28922012", "0060ca3c", "21150302345"] {
            assert!(is_serial(serial), "{serial}");
        }
        let expected = "f81d4fae7dec11d0a76500a0c91e6bf6";
        for written in [
            "{F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6}",
            "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        ] {
            assert_eq!(unique(written).as_deref(), Some(expected), "{written}");
        }
    }
}
