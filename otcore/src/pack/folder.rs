//! Where the pack in use lies between two runs.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::error::PackError;
use super::keys::Keys;
use super::{MOST_BYTES, Pack};

/// A folder with the pack in use and the one before it, for one program at a time.
///
/// Every step is one renaming, so whoever is stopped in between leaves the old or the new. A pack
/// is opened with its signature and its dates each time it is taken out.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    keys: Keys,
}

/// The pack in use.
const IN_USE: &str = "in-use.otpack";

/// The pack before it; empty if there was none.
const BEFORE: &str = "before.otpack";

impl Folder {
    /// The folder at `path`, which is made when a pack is put there, for packs signed by `keys`.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, keys: Keys) -> Self {
        Self { path: path.into(), keys }
    }

    /// Take out the pack in use, at the time `now`; `None` if there is none.
    ///
    /// # Errors
    /// [`PackError`] that says why it is not used.
    pub fn in_use(&self, now: Timestamp) -> Result<Option<Pack>, PackError> {
        let bytes = self.bytes(IN_USE)?;
        bytes.map(|bytes| Pack::open(&bytes, &self.keys, now)).transpose()
    }

    /// Use this pack from now on, if it is good at the time `now`.
    ///
    /// # Errors
    /// [`PackError`] that says why it is not used; the one in use stays.
    pub fn put(&self, bytes: &[u8], now: Timestamp) -> Result<Pack, PackError> {
        let pack = Pack::open(bytes, &self.keys, now)?;
        let old = self.bytes(IN_USE)?.unwrap_or_default();
        // However old it is, what it was counts.
        if let Ok(known) = Pack::open(&old, &self.keys, Timestamp::MIN) {
            pack.card.is_newer_than(&known.card)?;
        }
        let made = fs::create_dir_all(&self.path);
        made.map_err(|why| failed(&self.path, &why))?;
        self.replace(BEFORE, &old)?;
        self.replace(IN_USE, bytes)?;
        Ok(pack)
    }

    /// Use again what was in use before. Gives that pack, or `None` if there was none.
    ///
    /// # Errors
    /// [`PackError::NothingBefore`], or why the pack from before is not used; the one in use stays.
    pub fn roll_back(&self, now: Timestamp) -> Result<Option<Pack>, PackError> {
        let (before, in_use) = (self.path.join(BEFORE), self.path.join(IN_USE));
        let bytes = self.bytes(BEFORE)?.ok_or(PackError::NothingBefore)?;
        if bytes.is_empty() {
            fs::remove_file(&in_use).map_err(|why| failed(&in_use, &why))?;
            fs::remove_file(&before).map_err(|why| failed(&before, &why))?;
            return Ok(None);
        }
        let pack = Pack::open(&bytes, &self.keys, now)?;
        fs::rename(&before, &in_use).map_err(|why| failed(&in_use, &why))?;
        Ok(Some(pack))
    }

    /// What a file holds; `None` if there is none.
    fn bytes(&self, name: &str) -> Result<Option<Vec<u8>>, PackError> {
        let path = self.path.join(name);
        match read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(PackError::File { .. }) if !path.exists() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), PackError> {
        let (path, new) = (self.path.join(name), self.path.join(format!("{name}.new")));
        let write = || {
            let mut file = File::create(&new)?;
            file.write_all(bytes)?;
            file.sync_all()?; // on the disk before it gets its name
            fs::rename(&new, &path)
        };
        write().map_err(|why: io::Error| failed(&path, &why))
    }
}

/// Read the pack at `path`, of which no more than a pack may have is read.
///
/// # Errors
/// [`PackError::File`] if it cannot be read.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, PackError> {
    let mut bytes = Vec::new();
    let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX);
    let read = File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes));
    read.map_err(|why| failed(path, &why))?;
    Ok(bytes)
}

fn failed(path: &Path, why: &io::Error) -> PackError {
    PackError::File { path: path.to_owned(), why: why.to_string() }
}
