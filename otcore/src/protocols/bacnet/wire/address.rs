//! Where a device is: at an address and a port, or at a place on a network without such.

use std::fmt;

use crate::wire::{Reader, WireError};

/// No network in use has longer addresses: LonTalk's have seven bytes (ASHRAE 135, table 6-1).
const LONGEST: usize = 7;

/// A device on a network behind a router, or all of such a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// The network: 1 to 65534, or 0 for one that does not know its number.
    pub network: u16,
    /// Its place there.
    pub mac: Mac,
}

impl Address {
    /// Everybody on a network.
    #[must_use]
    pub fn all(network: u16) -> Self {
        Self { network, mac: Mac::default() }
    }

    #[inline]
    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let [high, low, length] = r.array("network and length of address")?;
        let mac = r.take(length.into(), "address")?;
        let mac = Mac::of(mac)
            .ok_or(WireError::Invalid { field: "length of address", value: length.into() })?;
        Ok(Self { network: u16::from_be_bytes([high, low]), mac })
    }
}

/// `3.1d`: the network in decimal, the place in hexadecimal digits.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.network, self.mac)
    }
}

/// A place on a network: one byte for MS/TP and ARCNET, six for Ethernet and IP. Empty for everybody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac {
    length: u8,
    bytes: [u8; LONGEST],
}

impl Mac {
    /// A place of these bytes; `None` if they are more than any network has.
    #[must_use]
    #[inline]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let mut mac = Self { length: u8::try_from(bytes.len()).ok()?, bytes: [0; LONGEST] };
        mac.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(mac)
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A device with an IPv4 address of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IpPlace {
    /// Its address.
    pub ip: [u8; 4],
    /// Its port.
    pub port: u16,
}

impl IpPlace {
    pub(super) fn read(r: &mut Reader<'_>, field: &'static str) -> Result<Self, WireError> {
        let [a, b, c, d, high, low] = r.array(field)?;
        Ok(Self { ip: [a, b, c, d], port: u16::from_be_bytes([high, low]) })
    }
}

impl fmt::Display for IpPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d] = self.ip;
        write!(f, "{a}.{b}.{c}.{d}:{}", self.port)
    }
}
