//! Whom a limit protects.

use std::fmt;
use std::net::{AddrParseError, IpAddr, SocketAddr};
use std::str::FromStr;

/// Whom a limit protects: an address.
///
/// On loopback every port is a program of its own, so there the port belongs to the key; anywhere
/// else all ports of an address are one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Device {
    address: IpAddr,
    port: Option<u16>,
}

impl Device {
    /// The device that answers at `endpoint`.
    #[must_use]
    pub fn at(endpoint: SocketAddr) -> Self {
        let address = endpoint.ip().to_canonical();
        Self { address, port: address.is_loopback().then_some(endpoint.port()) }
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// Its port, on loopback.
    pub(crate) fn port(&self) -> Option<u16> {
        self.port
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => SocketAddr::new(self.address, port).fmt(f),
            None => self.address.fmt(f),
        }
    }
}

/// As it is shown.
impl FromStr for Device {
    type Err = AddrParseError;

    fn from_str(text: &str) -> Result<Self, AddrParseError> {
        let endpoint = text.parse().map(Self::at);
        endpoint.or_else(|_| Ok(Self { address: text.parse::<IpAddr>()?, port: None }))
    }
}
