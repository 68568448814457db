//! Stores of inventories for callers without a database.

use std::sync::Arc;

use super::process::Home;
use super::{Inventory, Packs};
use crate::error::Error;
use crate::model::{Claim, Diff, reread};
#[cfg(feature = "store-sqlite")]
use crate::store::Sqlite;
use crate::store::{InMemory, InventoryStore, Place};

/// Keeps what scans saw, and says what is known now: see [`crate::store`].
///
/// Any thread may use it. A copy of the process, as `fork` makes it, may not: it opens the file
/// itself.
///
/// ```
/// use otcore::blocking::{Inventory, Packs, Store};
///
/// let store = Store::in_memory();
/// // after each scan: store.keep(&scan.finish()?.into())?;
/// assert_eq!(store.keep(&Inventory::read("[]")?)?, 0);
/// assert!(store.inventory(&Packs::built_in())?.is_empty());
/// # Ok::<(), otcore::Error>(())
/// ```
#[derive(Debug)]
pub struct Store {
    home: Home,
    kept: Arc<Kept>,
}

#[derive(Debug)]
enum Kept {
    InMemory(InMemory),
    #[cfg(feature = "store-sqlite")]
    InFile(Sqlite),
}

impl Store {
    /// A store that lasts as long as this value.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::of(Kept::InMemory(InMemory::default()))
    }

    /// Open the store in the file at `path`, or make one there.
    ///
    /// # Errors
    /// [`crate::ErrorKind::File`] if it cannot be read or written, is no store, is damaged, or was made by
    /// a newer engine; always in a build without the feature `store-sqlite`.
    #[cfg(feature = "store-sqlite")]
    pub fn open(path: &str) -> Result<Self, Error> {
        Ok(Self::of(Kept::InFile(Sqlite::open(path)?)))
    }

    /// Open the store in the file at `path`, or make one there.
    ///
    /// # Errors
    /// [`crate::ErrorKind::File`]: this build has no stores in files, which is said here rather than left
    /// out, so that every build has the same functions.
    #[cfg(not(feature = "store-sqlite"))]
    pub fn open(path: &str) -> Result<Self, Error> {
        let why = "this build keeps no stores in files: it was made without `store-sqlite`";
        Err(Error::new(crate::ErrorKind::File, format!("{path}: {why}")))
    }

    /// Keep what an inventory saw, all or nothing, and say of how many devices that is something.
    ///
    /// Of a scan these are its questions and answers, and how its conversations ended; of an
    /// inventory without them, what it claims.
    ///
    /// # Errors
    /// [`crate::ErrorKind::File`] if the store cannot be written.
    pub fn keep(&self, inventory: &Inventory) -> Result<usize, Error> {
        let looks = inventory.looks();
        self.here()?.append(&looks)?;
        Ok(looks.len())
    }

    /// Every place that was ever looked at, in order.
    ///
    /// # Errors
    /// [`crate::ErrorKind::File`] if the store cannot be read.
    pub fn places(&self) -> Result<Vec<Place>, Error> {
        Ok(self.here()?.places()?)
    }

    /// What is known now of every device: see [`InventoryStore::inventory`].
    ///
    /// # Errors
    /// [`crate::ErrorKind::File`] if the store cannot be read.
    pub fn inventory(&self, packs: &Packs) -> Result<Inventory, Error> {
        Inventory::of(self.here()?.inventory(&packs.knowledge())?)
    }

    /// The same from everything that was ever kept: takes as long as that is much.
    ///
    /// # Errors
    /// [`crate::ErrorKind::File`] if the store cannot be read.
    pub fn redecoded(&self, packs: &Packs) -> Result<Inventory, Error> {
        Inventory::of(self.here()?.redecode(&packs.knowledge())?)
    }

    /// How a field of a device, a module or what is behind one came to be what it is, the oldest
    /// first: see [`InventoryStore::history`].
    ///
    /// # Errors
    /// [`crate::ErrorKind::File`] if there is no such field, `path` is none, or the store cannot be read.
    pub fn history(&self, packs: &Packs, path: &str, field: &str) -> Result<Vec<Claim>, Error> {
        Ok(self.here()?.history(&packs.knowledge(), path, field)?)
    }

    /// What it would say otherwise with this pack than with the one in use. Nothing changes.
    ///
    /// # Errors
    /// [`crate::ErrorKind::File`] if the pack may not be used, or the store cannot be read.
    pub fn preview(&self, packs: &Packs, pack: &[u8]) -> Result<Diff, Error> {
        let store = self.here()?;
        let new = packs.open(pack)?;
        let now = store.inventory(&packs.knowledge())?;
        Ok(reread(&now, &store.inventory(new.knowledge())?))
    }

    /// Read all of it and compare it with what was written. Takes as long as it is large.
    ///
    /// # Errors
    /// [`crate::ErrorKind::File`] with the first thing that does not fit.
    pub fn check(&self) -> Result<(), Error> {
        self.here()?;
        match &*self.kept {
            Kept::InMemory(_) => Ok(()),
            #[cfg(feature = "store-sqlite")]
            Kept::InFile(file) => Ok(file.check()?),
        }
    }

    fn of(kept: Kept) -> Self {
        Self { home: Home::plain(), kept: Arc::new(kept) }
    }

    /// The store, in the process that opened it.
    fn here(&self) -> Result<&dyn InventoryStore, Error> {
        self.home.check()?;
        Ok(match &*self.kept {
            Kept::InMemory(store) => store,
            #[cfg(feature = "store-sqlite")]
            Kept::InFile(store) => store,
        })
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.home.keep_elsewhere(&self.kept);
    }
}
