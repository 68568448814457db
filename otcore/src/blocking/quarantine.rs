//! The memory of devices, for a person who looks at it.

use std::net::IpAddr;

use serde::Serialize;

use super::in_file;
use crate::error::{Error, ErrorKind};
use crate::gate::memory::{DeviceMemory, InFile, Record};
use crate::model::Zone;

/// A file that remembers devices between runs.
#[derive(Debug)]
pub struct Memory(InFile);

/// What is remembered of one device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Remembered {
    /// The network it lives in.
    pub zone: Zone,
    /// Which: an address; on loopback with its port.
    pub device: String,
    /// What is remembered of it.
    #[serde(flatten)]
    pub record: Record,
}

impl Memory {
    /// Open the file, or make it.
    ///
    /// # Errors
    /// [`ErrorKind::File`] if it cannot be read or written, or is no such file.
    pub fn open(path: &str) -> Result<Self, Error> {
        InFile::open(path).map(Self).map_err(in_file)
    }

    /// Everything that is remembered, by zone and device.
    ///
    /// # Errors
    /// [`ErrorKind::File`] if it cannot be read.
    pub fn all(&self) -> Result<Vec<Remembered>, Error> {
        let all = self.0.all().map_err(in_file)?.into_iter();
        Ok(all.map(|(zone, device, record)| Remembered { zone, device, record }).collect())
    }

    /// Let every device at `address` be asked again, as a person decides who has looked at it.
    /// Returns how many were left alone until now.
    ///
    /// # Errors
    /// [`ErrorKind::Naming`] or [`ErrorKind::Target`] if zone or address is none,
    /// [`ErrorKind::File`] if it cannot be written.
    pub fn clear(&self, zone: &str, address: &str) -> Result<usize, Error> {
        let zone: Zone = zone.parse()?;
        let address = address.parse::<IpAddr>();
        let address = address.map_err(|e| Error::new(ErrorKind::Target, e))?;
        self.0.clear(&zone, address).map_err(in_file)
    }
}
