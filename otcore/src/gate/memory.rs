//! What is remembered of devices from one run to the next: quarantine, cool-down, last visit.

mod in_file;

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::device::Device;
use crate::model::Zone;
pub use in_file::InFile;

/// What is remembered of one device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// It went dark; only a person clears this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quarantined: Option<Quarantine>,
    /// It was busy and is left alone for a while.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cooling: Option<Cooling>,
    /// When a scan last opened a connection to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visited: Option<Timestamp>,
}

/// A device that answered and then fell silent after a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantine {
    /// Since when.
    pub since: Timestamp,
    /// After which question, in words.
    pub why: String,
}

/// A device that had no room or time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cooling {
    /// Until when it is left alone.
    pub until: Timestamp,
    /// How often in a row it was busy; each time doubles the wait.
    pub times: u32,
}

impl Cooling {
    /// No device is left alone for longer, in seconds, however often it was busy.
    pub(super) const LONGEST: i64 = 86_400;

    /// Whether the device is left alone at `now`. A time that is further away was written when the clock of
    /// this host stood elsewhere.
    pub(super) fn lasts(&self, now: Timestamp) -> bool {
        let left = self.until.as_second().saturating_sub(now.as_second());
        self.until > now && left <= Self::LONGEST
    }
}

/// Remembers devices between runs.
pub trait DeviceMemory: Send + Sync {
    /// What is remembered of `device`; the default record if nothing is.
    ///
    /// # Errors
    /// If the memory cannot be read; the device is then not visited.
    fn recall(&self, zone: &Zone, device: Device) -> io::Result<Record>;

    /// Remember `record` from now on. A quarantine that is known stays, whatever `record` says: only
    /// [`clear`](Self::clear) ends it.
    ///
    /// # Errors
    /// If it cannot be kept.
    fn remember(&self, zone: &Zone, device: Device, record: Record) -> io::Result<()>;

    /// Everything that is remembered, in order.
    ///
    /// # Errors
    /// If the memory cannot be read.
    fn all(&self) -> io::Result<Vec<(Zone, String, Record)>>;

    /// Forget the quarantine and cool-down of every device at `address`, as a person decides who
    /// has looked at it. Returns how many there were.
    ///
    /// # Errors
    /// If it cannot be kept.
    fn clear(&self, zone: &Zone, address: IpAddr) -> io::Result<usize>;
}

/// A zone has many devices: its name is held once.
type Book = BTreeMap<Zone, BTreeMap<Device, Record>>;

/// Remembers for as long as it lives.
#[derive(Debug, Default)]
pub struct InMemory(Mutex<Book>);

impl DeviceMemory for InMemory {
    fn recall(&self, zone: &Zone, device: Device) -> io::Result<Record> {
        Ok(find(&lock(&self.0), zone, device))
    }

    fn remember(&self, zone: &Zone, device: Device, record: Record) -> io::Result<()> {
        let mut book = lock(&self.0);
        let record = still_quarantined(&book, zone, device, record);
        insert(&mut book, zone, device, record);
        Ok(())
    }

    fn all(&self) -> io::Result<Vec<(Zone, String, Record)>> {
        Ok(entries(&lock(&self.0)))
    }

    fn clear(&self, zone: &Zone, address: IpAddr) -> io::Result<usize> {
        let mut book = lock(&self.0);
        let cleared = left_alone(&book, zone, address);
        let count = cleared.len();
        for (device, record) in cleared {
            insert(&mut book, zone, device, record);
        }
        Ok(count)
    }
}

fn find(book: &Book, zone: &Zone, device: Device) -> Record {
    book.get(zone).and_then(|devices| devices.get(&device)).cloned().unwrap_or_default()
}

fn insert(book: &mut Book, zone: &Zone, device: Device, record: Record) {
    if let Some(devices) = book.get_mut(zone) {
        devices.insert(device, record);
    } else {
        book.entry(zone.clone()).or_default().insert(device, record);
    }
}

/// `record`, with the quarantine of `device` that is known already.
fn still_quarantined(book: &Book, zone: &Zone, device: Device, record: Record) -> Record {
    let quarantined = record.quarantined.or_else(|| find(book, zone, device).quarantined);
    Record { quarantined, ..record }
}

/// The devices at `address` that are left alone, as they are once somebody has looked at them.
fn left_alone(book: &Book, zone: &Zone, address: IpAddr) -> Vec<(Device, Record)> {
    let address = address.to_canonical();
    let cleared = |record: &Record| Record { visited: record.visited, ..Record::default() };
    let devices = book.get(zone).into_iter().flatten();
    devices
        .filter(|(device, record)| device.address() == address && **record != cleared(record))
        .map(|(device, record)| (*device, cleared(record)))
        .collect()
}

/// Whoever is quarantined in `zone`, in order.
pub(crate) fn quarantined(
    memory: &dyn DeviceMemory,
    zone: &Zone,
) -> io::Result<impl Iterator<Item = (Device, Quarantine)>> {
    let ours = memory.all()?.into_iter().filter(move |(other, _, _)| other == zone);
    Ok(ours.filter_map(|(_, device, record)| Some((device.parse().ok()?, record.quarantined?))))
}

fn entries(book: &Book) -> Vec<(Zone, String, Record)> {
    let of_zone = |(zone, devices): (&Zone, &BTreeMap<Device, Record>)| {
        let entry = |(device, record): (&Device, &Record)| {
            (zone.clone(), device.to_string(), record.clone())
        };
        devices.iter().map(entry).collect::<Vec<_>>()
    };
    book.iter().flat_map(of_zone).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn device(text: &str) -> Device {
        Device::at(text.parse().unwrap())
    }

    pub(super) fn dark() -> Record {
        let quarantined = Quarantine { since: Timestamp::UNIX_EPOCH, why: "silence".into() };
        Record { quarantined: Some(quarantined), ..Record::default() }
    }

    #[test]
    fn a_quarantine_outlasts_whatever_else_is_learned_of_a_device() {
        let (memory, zone, plc) = (InMemory::default(), Zone::default(), device("192.0.2.7:502"));
        memory.remember(&zone, plc, dark()).unwrap();
        let visited = Some(Timestamp::UNIX_EPOCH);
        memory.remember(&zone, plc, Record { visited, ..Record::default() }).unwrap();
        assert_eq!(memory.recall(&zone, plc).unwrap(), Record { visited, ..dark() });
    }

    #[test]
    fn a_person_clears_every_device_at_an_address_of_one_zone_and_no_other() {
        let (memory, zone, other) =
            (InMemory::default(), Zone::default(), "line-3".parse::<Zone>().unwrap());
        let there = [device("127.0.0.7:502"), device("127.0.0.7:503")];
        let visited = Some(Timestamp::UNIX_EPOCH);
        memory.remember(&zone, there[0], Record { visited, ..dark() }).unwrap();
        memory.remember(&zone, there[1], dark()).unwrap();
        memory.remember(&zone, device("127.0.0.8:502"), dark()).unwrap();
        memory.remember(&other, there[0], dark()).unwrap();
        assert_eq!(memory.clear(&zone, there[0].address()).unwrap(), 2);
        assert_eq!(memory.clear(&zone, there[0].address()).unwrap(), 0);
        let seen = Record { visited, ..Record::default() };
        assert_eq!(memory.recall(&zone, there[0]).unwrap(), seen);
        assert_eq!(memory.recall(&zone, device("127.0.0.8:502")).unwrap(), dark());
        assert_eq!(memory.recall(&other, there[0]).unwrap(), dark());
    }
}
