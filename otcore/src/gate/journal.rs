//! The journal: every packet that carries anything of ours, written down as it happens.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::append;
use crate::model::{HexBytes, Zone};

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// In which zone.
    pub zone: Zone,
    /// With whom.
    pub device: SocketAddr,
    /// In which protocol.
    pub protocol: String,
    /// Which connection of this scan, counted from 1.
    pub connection: u64,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum What {
    /// A connection is being opened; written before the SYN leaves.
    Connecting,
    /// It is open.
    Connected {
        /// Our end.
        local: SocketAddr,
    },
    /// It could not be opened.
    NotConnected {
        /// What the system said.
        why: String,
    },
    /// A socket for datagrams is open; nothing has left.
    Bound {
        /// Our end.
        local: SocketAddr,
    },
    /// A question; written before its first byte leaves.
    Sent {
        /// Its name in the manifest.
        function: String,
        /// Every byte.
        bytes: HexBytes,
    },
    /// The question did not leave after all, or not whole.
    NotSent {
        /// How many of its bytes left.
        written: usize,
        /// What the system said.
        why: String,
    },
    /// Bytes that arrived.
    Received {
        /// Every byte.
        bytes: HexBytes,
    },
    /// Our end is closed.
    Closed {
        /// How.
        how: Close,
    },
    /// The device answered, then fell silent after a question: it is quarantined.
    WentDark {
        /// The question.
        function: String,
    },
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Close {
    /// Both sides said goodbye.
    Polite,
    /// We said goodbye; the device did not answer in time.
    OneSided,
    /// The device hung up first.
    ByDevice,
    /// The scan was aborted; the system closes the socket.
    Aborted,
    /// The device sent more than the policy takes; the system closes the socket at once.
    Hurried,
    /// It was a socket for datagrams: no packet of ours ends it.
    Released,
}

/// Where the journal goes.
///
/// A journal that fails stops the scan: what cannot be proven is not sent.
///
/// An entry is made while the packet that it tells of is held at the door, so a journal answers soon. To stop
/// the scan it returns an error; to abort it from within would wait for that packet, and so for itself.
pub trait Journal: Send + Sync {
    /// Keep this entry.
    ///
    /// # Errors
    /// If it cannot be kept; the scan stops then.
    fn record(&self, entry: &Entry) -> io::Result<()>;

    /// Whether anything is kept at all. Where nothing is, entries are not even made.
    fn keeps(&self) -> bool {
        true
    }
}

/// Keeps nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoJournal;

impl Journal for NoJournal {
    fn record(&self, _: &Entry) -> io::Result<()> {
        Ok(())
    }

    fn keeps(&self) -> bool {
        false
    }
}

/// Keeps everything in memory.
#[derive(Debug, Default)]
pub struct MemoryJournal(Mutex<Vec<Entry>>);

impl MemoryJournal {
    /// What was recorded so far.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Journal for MemoryJournal {
    fn record(&self, entry: &Entry) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(entry.clone());
        Ok(())
    }
}

impl<J: Journal + ?Sized> Journal for std::sync::Arc<J> {
    fn record(&self, entry: &Entry) -> io::Result<()> {
        (**self).record(entry)
    }

    fn keeps(&self) -> bool {
        (**self).keeps()
    }
}

/// Writes to several journals.
pub struct Journals(pub Vec<Box<dyn Journal>>);

impl fmt::Debug for Journals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Journals").field(&self.0.len()).finish()
    }
}

impl Journal for Journals {
    fn record(&self, entry: &Entry) -> io::Result<()> {
        self.0.iter().try_for_each(|journal| journal.record(entry))
    }

    fn keeps(&self) -> bool {
        self.0.iter().any(|journal| journal.keeps())
    }
}

/// Streams one JSON object a line; each line is handed to the system before the packet leaves.
///
/// ```
/// use otcore::gate::journal::JsonLines;
/// let journal = JsonLines::new(Vec::new());
/// # let _ = journal;
/// ```
#[derive(Debug)]
pub struct JsonLines<W>(Mutex<W>);

impl<W: Write + Send> JsonLines<W> {
    /// Write to `out`. Hand in a file as it is, without a buffer in front of it: a line in a buffer
    /// is lost when the process is killed.
    pub fn new(out: W) -> Self {
        Self(Mutex::new(out))
    }
}

impl JsonLines<File> {
    /// Go on in the journal at `path`, or make it; half a line at its end makes way.
    ///
    /// # Errors
    /// If it cannot be read and written, or is something else: it stays as it is then.
    pub fn append_to(path: impl AsRef<Path>) -> io::Result<Self> {
        append::open(path.as_ref(), &append::Kind::Journal).map(Self::new)
    }
}

impl<W: Write + Send> Journal for JsonLines<W> {
    fn record(&self, entry: &Entry) -> io::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        out.write_all(&line)?;
        out.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn each_entry_is_a_line_that_can_be_read_again() {
        let entry = |what| Entry {
            at: Timestamp::UNIX_EPOCH,
            zone: Zone::default(),
            device: "192.0.2.7:502".parse().unwrap(),
            protocol: "modbus".to_owned(),
            connection: 1,
            what,
        };
        let entries = [
            entry(What::Connecting),
            entry(What::Sent { function: "ReportServerId".to_owned(), bytes: vec![1, 2].into() }),
        ];
        let journal = JsonLines::new(Vec::new());
        let memory = MemoryJournal::default();
        for entry in &entries {
            journal.record(entry).unwrap();
            memory.record(entry).unwrap();
        }
        let written = journal.0.into_inner().unwrap();
        let lines: Vec<Entry> = written
            .split_inclusive(|byte| *byte == b'\n')
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect();
        assert_eq!(lines, entries);
        assert_eq!(memory.entries(), entries);
    }

    #[test]
    fn entries_are_made_only_where_somebody_keeps_them() {
        let several = |all: Vec<Box<dyn Journal>>| Journals(all).keeps();
        let (kept, not) = (Arc::new(MemoryJournal::default()), Arc::new(NoJournal));
        assert!(kept.keeps() && !not.keeps() && !NoJournal.keeps());
        assert!(!several(vec![]) && !several(vec![Box::new(NoJournal), Box::new(not.clone())]));
        assert!(several(vec![Box::new(not), Box::new(kept)]));
    }
}
