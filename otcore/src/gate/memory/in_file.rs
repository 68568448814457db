//! A memory in a file, which several processes may use at once.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread::sleep;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    Book, Device, DeviceMemory, Record, Zone, entries, find, insert, left_alone, lock,
    still_quarantined,
};

/// Another process has the file for as long as it takes to write a line. It is asked for again after
/// so long, and not for ever: whoever waits keeps a scan waiting.
const AGAIN: Duration = Duration::from_millis(2);
const TIMES: u32 = 500;

/// Remembers in a file: one JSON object a line, appended, the last one for a device counts.
///
/// Whatever other scanners and processes append is known at once. Devices on loopback are remembered
/// only while this value lives: a program that listens there ends with its host. A quarantine is on
/// the disk before `remember` returns.
#[derive(Debug)]
pub struct InFile {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    book: Book,
    read: Read,
}

/// How much of the file is in the book: whole lines only.
#[derive(Clone, Copy, Debug, Default)]
struct Read {
    bytes: u64,
    lines: u64,
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
    /// A last line without an end, as a power cut leaves it, counts for nothing and makes way for the
    /// next.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref().to_owned();
        let open = || {
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                std::fs::create_dir_all(folder)?;
            }
            let file = OpenOptions::new().create(true).read(true).append(true).open(&path)?;
            if !file.metadata()?.is_file() {
                let why = "it is no file that keeps anything"; // and some can be read without end
                return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
            }
            let mut state = State { file, book: Book::new(), read: Read::default() };
            state.catch_up()?;
            Ok(state)
        };
        let state = Mutex::new(open().map_err(|error| in_path(&path, &error))?);
        Ok(Self { path, state })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        work(&mut lock(&self.state)).map_err(|error| in_path(&self.path, &error))
    }
}

impl DeviceMemory for InFile {
    fn recall(&self, zone: &Zone, device: Device) -> io::Result<Record> {
        self.with(|state| {
            state.catch_up()?;
            Ok(find(&state.book, zone, device))
        })
    }

    fn remember(&self, zone: &Zone, device: Device, record: Record) -> io::Result<()> {
        self.with(|state| {
            state.alone(device.address(), |state| {
                let record = still_quarantined(&state.book, zone, device, record);
                state.keep(zone, device, record)
            })
        })
    }

    fn all(&self) -> io::Result<Vec<(Zone, String, Record)>> {
        self.with(|state| {
            state.catch_up()?;
            Ok(entries(&state.book))
        })
    }

    fn clear(&self, zone: &Zone, address: IpAddr) -> io::Result<usize> {
        self.with(|state| {
            state.alone(address, |state| {
                let cleared = left_alone(&state.book, zone, address);
                let count = cleared.len();
                for (device, record) in cleared {
                    state.keep(zone, device, record)?;
                }
                Ok(count)
            })
        })
    }
}

impl State {
    /// Read what was appended since, by whomever.
    fn catch_up(&mut self) -> io::Result<()> {
        match self.file.metadata()?.len() == self.read.bytes {
            true => Ok(()),
            false => self.locked(File::try_lock_shared, Self::read_on),
        }
    }

    /// Change what is known of an address, while nobody else writes. On loopback nothing is written.
    fn alone<T>(
        &mut self,
        address: IpAddr,
        change: impl FnOnce(&mut Self) -> io::Result<T>,
    ) -> io::Result<T> {
        if address.is_loopback() {
            return change(self);
        }
        self.locked(File::try_lock, |state| state.read_on().and_then(|()| change(state)))
    }

    /// With the file locked, which takes no longer than another process needs for a line. Where files
    /// cannot be locked, it has to do that a line is written in one piece.
    fn locked<T>(
        &mut self,
        lock: impl Fn(&File) -> Result<(), TryLockError>,
        work: impl FnOnce(&mut Self) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut tries = 0..TIMES;
        while let Err(TryLockError::WouldBlock) = lock(&self.file) {
            if tries.next().is_none() {
                let why = "another process keeps it locked; look for one that hangs";
                return Err(io::Error::new(io::ErrorKind::WouldBlock, why));
            }
            sleep(AGAIN);
        }
        let done = work(self);
        drop(self.file.unlock()); // fails only where it could not be locked
        done
    }

    fn read_on(&mut self) -> io::Result<()> {
        match self.file.metadata()?.len() {
            length if length == self.read.bytes => return Ok(()),
            // Somebody made it shorter: what it says now is added to what is known.
            length if length < self.read.bytes => self.read = Read::default(),
            _ => {}
        }
        self.file.seek(SeekFrom::Start(self.read.bytes))?;
        let mut reader = BufReader::new(&self.file);
        let mut text = String::new();
        loop {
            text.clear();
            let length = reader.read_line(&mut text)?;
            if !text.ends_with('\n') {
                return Ok(());
            }
            let number = self.read.lines + 1;
            match serde_json::from_str::<Line>(&text) {
                Ok(line) => insert(&mut self.book, &line.zone, line.device, line.record),
                Err(_) if text.trim().is_empty() => {}
                Err(error) => {
                    let why = format!("line {number} is no record ({error}); mend or remove it");
                    return Err(io::Error::new(io::ErrorKind::InvalidData, why));
                }
            }
            self.read = Read { bytes: self.read.bytes + length as u64, lines: number };
        }
    }

    fn keep(&mut self, zone: &Zone, device: Device, record: Record) -> io::Result<()> {
        if !device.address().is_loopback() {
            self.append(&Line { zone: zone.clone(), device, record: record.clone() })?;
        }
        insert(&mut self.book, zone, device, record);
        Ok(())
    }

    /// Write a whole line or nothing, behind the last whole one: the next must not grow onto half of one.
    fn append(&mut self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        let end = self.read.bytes;
        if self.file.metadata()?.len() > end {
            self.file.set_len(end)?; // whoever began it is gone
        }
        let written = self.file.write_all(&text);
        if written.is_err() {
            self.file.set_len(end)?;
        }
        written?;
        self.read = Read { bytes: end + text.len() as u64, lines: self.read.lines + 1 };
        if line.record.quarantined.is_some() {
            self.file.sync_data()?;
        }
        Ok(())
    }
}

fn in_path(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("device memory {}: {error}", path.display()))
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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::super::tests::{dark, device};
    use super::*;

    /// A folder of its own, which ends with the test.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            Self(std::env::temp_dir().join(format!("otcore-{name}-{}", std::process::id())))
        }

        fn file(&self) -> PathBuf {
            self.0.join("devices.ndjson")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            drop(std::fs::remove_dir_all(&self.0));
        }
    }

    fn visited() -> Record {
        Record { visited: Some(Timestamp::UNIX_EPOCH), ..Record::default() }
    }

    #[test]
    fn a_quarantine_survives_a_restart_and_a_torn_last_line_until_a_person_clears_it() {
        let folder = Folder::new("memory");
        let (path, zone, plc) = (folder.file(), Zone::default(), device("192.0.2.7:502"));
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
    }

    #[test]
    fn what_one_scanner_learns_another_that_has_the_file_open_knows_and_keeps() {
        let folder = Folder::new("shared");
        let (path, zone, plc) = (folder.file(), Zone::default(), device("192.0.2.7:502"));
        let (sweep, panel) = (InFile::open(&path).unwrap(), InFile::open(&path).unwrap());
        panel.remember(&zone, plc, dark()).unwrap();
        assert_eq!(sweep.recall(&zone, plc).unwrap(), dark());
        sweep.remember(&zone, device("192.0.2.8:502"), visited()).unwrap();
        // Whoever did not look before he writes ends no quarantine either.
        let late = InFile::open(&path).unwrap();
        panel.remember(&zone, device("192.0.2.9:502"), dark()).unwrap();
        late.remember(&zone, device("192.0.2.9:502"), visited()).unwrap();
        let again = InFile::open(&path).unwrap();
        assert!(again.recall(&zone, device("192.0.2.9:502")).unwrap().quarantined.is_some());
        assert_eq!(again.all().unwrap().len(), 3);
        assert_eq!(again.clear(&zone, plc.address()).unwrap(), 1);
        assert_eq!(sweep.recall(&zone, plc).unwrap(), Record::default());
    }

    #[test]
    fn many_writers_at_once_lose_no_line_and_tear_none() {
        let folder = Folder::new("writers");
        let (path, zone) = (folder.file(), Zone::default());
        drop(InFile::open(&path).unwrap());
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let (path, zone) = (&path, &zone);
                scope.spawn(move || {
                    let memory = InFile::open(path).unwrap();
                    for host in 0..50 {
                        let plc = device(&format!("192.0.2.{}:502", writer * 50 + host));
                        memory.remember(zone, plc, visited()).unwrap();
                    }
                });
            }
        });
        assert_eq!(InFile::open(&path).unwrap().all().unwrap().len(), 200);
    }

    #[cfg(unix)]
    #[test]
    fn what_keeps_nothing_is_no_memory() {
        let error = InFile::open("/dev/zero").unwrap_err().to_string();
        assert!(error.ends_with("it is no file that keeps anything"), "{error}");
    }

    #[test]
    fn half_a_line_makes_way_for_the_next() {
        let folder = Folder::new("half");
        let (path, zone, plc) = (folder.file(), Zone::default(), device("192.0.2.7:502"));
        let memory = InFile::open(&path).unwrap();
        memory.remember(&zone, plc, visited()).unwrap();
        let whole = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{whole}{{\"zone\":\"defau")).unwrap();
        assert_eq!(memory.recall(&zone, plc).unwrap(), visited(), "and who only reads leaves it");
        assert!(std::fs::read_to_string(&path).unwrap().ends_with("defau"));
        memory.remember(&zone, plc, dark()).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with(&whole) && !text.contains("defau{"), "{text}");
        assert_eq!(InFile::open(&path).unwrap().recall(&zone, plc).unwrap(), dark());
    }

    #[test]
    fn opening_a_file_changes_nothing_in_it_however_often_and_an_empty_line_is_no_record() {
        let folder = Folder::new("again");
        let (path, zone) = (folder.file(), Zone::default());
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
    }
}
