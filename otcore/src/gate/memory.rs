//! What is remembered of devices from one run to the next: quarantine, cool-down, last visit.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::device::Device;
use crate::model::Zone;

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

/// Remembers devices between runs.
pub trait DeviceMemory: Send + Sync {
    /// What is remembered of `device`; the default record if nothing is.
    ///
    /// # Errors
    /// If the memory cannot be read; the device is then not visited.
    fn recall(&self, zone: &Zone, device: Device) -> io::Result<Record>;

    /// Remember `record` from now on.
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
        insert(&mut lock(&self.0), zone, device, record);
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

/// Remembers in a file: one JSON object a line, appended, the last one for a device counts.
///
/// Devices on loopback are remembered only while this value lives: a program that listens there
/// ends with its host. A quarantine is on the disk before `remember` returns.
#[derive(Debug)]
pub struct InFile {
    path: PathBuf,
    state: Mutex<(Book, File)>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    zone: Zone,
    #[serde(with = "shown")]
    device: Device,
    #[serde(flatten)]
    record: Record,
}

impl InFile {
    /// Open or create the file at `path`.
    ///
    /// # Errors
    /// If it cannot be read or written, or a line in it is not a record: the error names the line.
    /// A last line without an end, as a power cut leaves it, is dropped.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref().to_owned();
        let in_path = |error: io::Error| {
            io::Error::new(error.kind(), format!("device memory {}: {error}", path.display()))
        };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(in_path)?;
        }
        let file =
            OpenOptions::new().create(true).read(true).append(true).open(&path).map_err(in_path)?;
        let (book, whole) = read(&file).map_err(in_path)?;
        file.set_len(whole).map_err(in_path)?; // a torn last line would spoil the next one
        Ok(Self { state: Mutex::new((book, file)), path })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl DeviceMemory for InFile {
    fn recall(&self, zone: &Zone, device: Device) -> io::Result<Record> {
        Ok(find(&lock(&self.state).0, zone, device))
    }

    fn remember(&self, zone: &Zone, device: Device, record: Record) -> io::Result<()> {
        let mut state = lock(&self.state);
        if !device.address().is_loopback() {
            append(&mut state.1, zone, device, &record)?;
        }
        insert(&mut state.0, zone, device, record);
        Ok(())
    }

    fn all(&self) -> io::Result<Vec<(Zone, String, Record)>> {
        Ok(entries(&lock(&self.state).0))
    }

    fn clear(&self, zone: &Zone, address: IpAddr) -> io::Result<usize> {
        let mut state = lock(&self.state);
        let cleared = left_alone(&state.0, zone, address);
        let count = cleared.len();
        for (device, record) in cleared {
            if !address.is_loopback() {
                append(&mut state.1, zone, device, &record)?;
            }
            insert(&mut state.0, zone, device, record);
        }
        Ok(count)
    }
}

fn find(book: &Book, zone: &Zone, device: Device) -> Record {
    book.get(zone).and_then(|devices| devices.get(&device)).cloned().unwrap_or_default()
}

fn insert(book: &mut Book, zone: &Zone, device: Device, record: Record) {
    match book.get_mut(zone) {
        Some(devices) => devices.insert(device, record),
        None => book.entry(zone.clone()).or_default().insert(device, record),
    };
}

/// What the file holds, and how long it is without a torn last line.
fn read(file: &File) -> io::Result<(Book, u64)> {
    let mut book = Book::new();
    let mut reader = BufReader::new(file);
    let mut text = String::new();
    let mut whole = 0;
    for number in 1.. {
        text.clear();
        let length = reader.read_line(&mut text)?;
        if !text.ends_with('\n') {
            return Ok((book, whole));
        }
        whole += length as u64;
        match serde_json::from_str::<Line>(&text) {
            Ok(line) => {
                insert(&mut book, &line.zone, line.device, line.record);
            }
            Err(_) if text.trim().is_empty() => {}
            Err(error) => {
                let why = format!("line {number} is no record ({error}); mend or remove it");
                return Err(io::Error::new(io::ErrorKind::InvalidData, why));
            }
        }
    }
    Ok((book, whole))
}

fn append(file: &mut File, zone: &Zone, device: Device, record: &Record) -> io::Result<()> {
    let line = Line { zone: zone.clone(), device, record: record.clone() };
    let mut text = serde_json::to_vec(&line)?;
    text.push(b'\n');
    file.write_all(&text)?;
    if record.quarantined.is_some() {
        file.sync_data()?;
    }
    Ok(())
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

/// A device in a file, as it is shown.
mod shown {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Device;

    pub(super) fn serialize<S: Serializer>(device: &Device, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(device)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Device, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(|_| D::Error::custom("its device is no address"))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(text: &str) -> Device {
        Device::at(text.parse().unwrap())
    }

    fn dark() -> Record {
        let quarantined = Quarantine { since: Timestamp::UNIX_EPOCH, why: "silence".into() };
        Record { quarantined: Some(quarantined), ..Record::default() }
    }

    #[test]
    fn a_quarantine_survives_a_restart_and_a_torn_last_line_until_a_person_clears_it() {
        let folder = std::env::temp_dir().join(format!("otcore-memory-{}", std::process::id()));
        let path = folder.join("devices.ndjson");
        let zone = Zone::default();
        let plc = device("192.0.2.7:502");
        InFile::open(&path).unwrap().remember(&zone, plc, dark()).unwrap();
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"{\"zone\":\"defau").unwrap();
        drop(file);
        let memory = InFile::open(&path).unwrap();
        assert_eq!(memory.recall(&zone, device("192.0.2.7:44818")).unwrap(), dark());
        assert_eq!(memory.clear(&zone, plc.address()).unwrap(), 1);
        assert_eq!(InFile::open(&path).unwrap().recall(&zone, plc).unwrap(), Record::default());
        for unreadable in ["nonsense\n", "{\"zone\":\"default\",\"device\":\"pump 7\"}\n"] {
            std::fs::write(&path, unreadable).unwrap();
            let error = InFile::open(&path).unwrap_err().to_string();
            assert!(error.contains("line 1"), "{error}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
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

    #[test]
    fn opening_a_file_changes_nothing_in_it_however_often_and_an_empty_line_is_no_record() {
        let folder = std::env::temp_dir().join(format!("otcore-again-{}", std::process::id()));
        let path = folder.join("devices.ndjson");
        let zone = Zone::default();
        let (one, two) = (device("192.0.2.7:502"), device("192.0.2.8:502"));
        let memory = InFile::open(&path).unwrap();
        memory.remember(&zone, one, dark()).unwrap();
        memory.remember(&zone, two, dark()).unwrap();
        drop(memory);
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.replace('\n', "\n\n");
        std::fs::write(&path, &text).unwrap();
        for _ in 0..2 {
            let memory = InFile::open(&path).unwrap();
            assert_eq!(memory.all().unwrap().len(), 2);
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
