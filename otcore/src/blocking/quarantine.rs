//! The memory of devices, for a person who looks at it.

use std::net::IpAddr;
use std::path::Path;

use serde::Serialize;

use super::{Scanner, in_file};
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
    /// Open the file that a scanner made.
    ///
    /// # Errors
    /// [`ErrorKind::File`] if there is none of this name, since a wrong name would say that nobody went
    /// dark; if it cannot be read or written, or is no such file.
    pub fn open(path: &str) -> Result<Self, Error> {
        if !Path::new(path).exists() {
            let why = format!("device memory {path} does not exist; check its name");
            return Err(Error::new(ErrorKind::File, why));
        }
        InFile::open(path).map(Self).map_err(in_file)
    }

    /// Everything that is remembered, by zone and device.
    ///
    /// # Errors
    /// [`ErrorKind::File`] if it cannot be read.
    pub fn all(&self) -> Result<Vec<Remembered>, Error> {
        all(&self.0)
    }

    /// Let every device at `address` be asked again, as a person decides who has looked at it.
    /// Returns how many were left alone until now.
    ///
    /// A scanner that has the same file open knows it at once.
    ///
    /// # Errors
    /// [`ErrorKind::Naming`] or [`ErrorKind::Target`] if zone or address is none,
    /// [`ErrorKind::File`] if it cannot be written.
    pub fn clear(&self, zone: &str, address: &str) -> Result<usize, Error> {
        clear(&self.0, &zone.parse()?, address)
    }
}

impl Scanner {
    /// Everything that it remembers of devices, by zone and device.
    ///
    /// # Errors
    /// [`ErrorKind::File`] if it cannot be read.
    pub fn remembered(&self) -> Result<Vec<Remembered>, Error> {
        all(self.0.memory())
    }

    /// As [`Memory::clear`], in what this scanner remembers of its zone. Scans that run know it at
    /// once.
    ///
    /// # Errors
    /// [`ErrorKind::Target`] if the address is none, [`ErrorKind::File`] if it cannot be written.
    pub fn clear(&self, address: &str) -> Result<usize, Error> {
        clear(self.0.memory(), self.0.zone(), address)
    }
}

fn all(memory: &dyn DeviceMemory) -> Result<Vec<Remembered>, Error> {
    let all = memory.all().map_err(in_file)?.into_iter();
    Ok(all.map(|(zone, device, record)| Remembered { zone, device, record }).collect())
}

fn clear(memory: &dyn DeviceMemory, zone: &Zone, address: &str) -> Result<usize, Error> {
    let address = address.parse::<IpAddr>();
    let address = address.map_err(|e| Error::new(ErrorKind::Target, e))?;
    memory.clear(zone, address).map_err(in_file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blocking::{Plant, Settings};

    #[test]
    fn a_person_lets_a_device_be_asked_again_while_the_scanner_lives() {
        let plant = Plant::start(0).unwrap();
        let dark = plant.devices().iter().find(|device| device.name == "goes-dark").unwrap();
        let address = dark.addr.ip().to_string();
        let scanner = Scanner::new(&Settings::default()).unwrap();
        let outcome = || {
            let report = scanner.start(&dark.target()).unwrap().finish().unwrap();
            report.outcomes.first().map(|record| record.outcome.to_string()).unwrap_or_default()
        };
        let first = outcome();
        let remembered = scanner.remembered().unwrap();
        assert!(remembered.iter().any(|one| one.record.quarantined.is_some()), "{first}");
        assert_ne!(outcome(), first);
        assert_eq!(scanner.clear(&address).unwrap(), 1);
        assert_eq!(scanner.clear(&address).unwrap(), 0);
        assert_eq!(scanner.clear("10.0.4.300").unwrap_err().kind(), ErrorKind::Target);
        assert!(scanner.remembered().unwrap().iter().all(|one| one.record.quarantined.is_none()));
    }
}
