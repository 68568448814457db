//! Inventories that last: what was seen is kept as it was seen, and read anew whenever asked for.
//!
//! A store holds [`Look`]s: what one visit to one device brought, as bytes. Nothing in it is ever
//! changed or deleted. The inventory is no second copy beside them: it is what the looks say under
//! the [`Knowledge`] that the caller brings, so a better rule tells more about a device that was
//! last asked a year ago, and no packet is sent for it.
//!
//! Of each device only some looks are read for that, the *live* ones: those that said something
//! that no later look has said anew. [`InventoryStore::redecode`] reads all and gives the same.

mod current;
mod error;
mod live;
mod look;
mod memory;
#[cfg(feature = "store-sqlite")]
mod sqlite;

use std::fmt;

pub use error::StoreError;
pub use look::{Look, Place};
pub use memory::InMemory;
#[cfg(feature = "store-sqlite")]
pub use sqlite::Sqlite;

use crate::fingerprint::Knowledge;
use crate::model::{Claim, Inventory};

/// Which looks at a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Which {
    /// Every one that was ever kept.
    All,
    /// Those that said something that no later one has said anew.
    Live,
}

/// Keeps looks at devices.
pub trait InventoryStore: fmt::Debug + Send + Sync {
    /// Keep these looks, all or none. Once this returns they are as safe as the store can make
    /// them; the same look twice is kept twice and says the same.
    ///
    /// # Errors
    /// [`StoreError`]; none of the looks is kept then.
    fn append(&self, looks: &[Look]) -> Result<(), StoreError>;

    /// Every place that was ever looked at, in order.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    fn places(&self) -> Result<Vec<Place>, StoreError>;

    /// Looks at one place, by the time at which they began.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    fn looks(&self, place: &Place, which: Which) -> Result<Vec<Look>, StoreError>;

    /// What is known now of every device: of everything that somebody says about a field the same
    /// way, the newest. What a later look did not ask for stays, with the time it was said at.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    fn inventory(&self, knowledge: &Knowledge) -> Result<Inventory, StoreError> {
        current::inventory(self, Which::Live, knowledge)
    }

    /// The same from every look that was ever kept: takes as long as that is much.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    fn redecode(&self, knowledge: &Knowledge) -> Result<Inventory, StoreError> {
        current::inventory(self, Which::All, knowledge)
    }

    /// How a field of the identity or state of the node at `path` came to be what it is: the best
    /// claim of each look that says something else than the look before it, the oldest first.
    ///
    /// `path` is that of a device or of something in it or behind it, `line-3/10.20.4.7` or
    /// `line-3/10.20.4.7/s7/102/4`; `field` is its name in JSON, such as `firmware`.
    ///
    /// # Errors
    /// [`StoreError::NoSuchField`], [`StoreError::NoSuchPath`] if the path does not begin with a
    /// zone and an address, or another if the store cannot be read.
    fn history(
        &self,
        knowledge: &Knowledge,
        path: &str,
        field: &str,
    ) -> Result<Vec<Claim>, StoreError> {
        current::history(self, knowledge, path, field)
    }
}
