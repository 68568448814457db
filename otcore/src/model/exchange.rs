//! One question and its answer as they were on the wire: the raw material of every claim.

use std::fmt;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};

use super::names::{Source, Zone};

/// One question and its answer as they were on the wire.
///
/// A refusal is an exchange too, and so is an answer that makes no sense: what they mean is read
/// from the bytes, again and again, without asking the device twice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Exchange {
    /// The network the device lives in.
    pub zone: Zone,
    /// Who asked.
    pub source: Source,
    /// Whom.
    pub address: IpAddr,
    /// On which port.
    pub port: u16,
    /// Over what.
    pub transport: Transport,
    /// In which protocol.
    pub protocol: String,
    /// What, by its name in the manifest.
    pub function: String,
    /// Every byte of the question.
    pub request: HexBytes,
    /// Every byte of the answer; of garbage, its beginning.
    pub response: HexBytes,
    /// When the question was let out.
    pub at: Timestamp,
    /// Microseconds from the question to the whole answer.
    pub rtt_micros: u64,
}

/// What carries a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl Transport {
    /// Its name in reports and in the manifest.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// Bytes that are lower-case hexadecimal text in JSON.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct HexBytes(Vec<u8>);

impl HexBytes {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Text that is not hexadecimal bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an even number of hexadecimal digits")]
pub struct BadHex;

/// Half of an inventory is such text, so it is written in pieces rather than byte by byte.
impl fmt::Display for HexBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut piece = [[0; 2]; 64];
        for bytes in self.0.chunks(piece.len()) {
            piece.iter_mut().zip(bytes).for_each(|(pair, byte)| {
                *pair = [digit(byte >> 4), digit(byte & 0xF)];
            });
            let written = piece.get(..bytes.len()).map(<[_]>::as_flattened).unwrap_or_default();
            f.write_str(str::from_utf8(written).map_err(|_| fmt::Error)?)?;
        }
        Ok(())
    }
}

/// The letter for a number below 16.
const fn digit(number: u8) -> u8 {
    if number < 10 { b'0' + number } else { b'a' + number - 10 }
}

impl Serialize for HexBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Debug for HexBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl From<Vec<u8>> for HexBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl AsRef<[u8]> for HexBytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<HexBytes> for String {
    fn from(bytes: HexBytes) -> Self {
        bytes.to_string()
    }
}

impl TryFrom<String> for HexBytes {
    type Error = BadHex;

    fn try_from(text: String) -> Result<Self, BadHex> {
        let digit = |c: &u8| char::from(*c).to_digit(16).and_then(|d| u8::try_from(d).ok());
        let pair = |pair: &[u8]| match pair {
            [high, low] => Some((digit(high)? << 4) | digit(low)?),
            _ => None,
        };
        text.as_bytes().chunks(2).map(pair).collect::<Option<Vec<u8>>>().map(Self).ok_or(BadHex)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn bytes_survive_json(bytes: Vec<u8>) {
            let hex = HexBytes::from(bytes);
            let json = serde_json::to_string(&hex).unwrap();
            proptest::prop_assert_eq!(serde_json::from_str::<HexBytes>(&json).unwrap(), hex);
        }
    }

    #[test]
    fn half_a_byte_is_an_error() {
        for bad in ["0", "0g", "abc", "é0"] {
            assert!(HexBytes::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
