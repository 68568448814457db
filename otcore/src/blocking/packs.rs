//! Data packs for callers that hand over bytes and take text.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::Serialize;

use crate::error::Error;
use crate::fingerprint::Knowledge;
use crate::pack::{Card, Folder, Keys, Pack, Shelf};

/// What devices are called: what is compiled in, or a data pack of somebody who is trusted.
///
/// Copies share it, and so do scanners: a pack that is applied counts from the next scan on.
///
/// ```
/// use otcore::blocking::Packs;
///
/// let packs = Packs::built_in();
/// assert_eq!(packs.in_use(), None);
/// assert!(packs.apply(b"a pack of a stranger").is_err(), "nobody is trusted");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Packs(Arc<Held>);

#[derive(Debug, Default)]
struct Held {
    keys: Keys,
    shelf: Arc<Shelf>,
    folder: Option<Folder>,
    refused: Option<String>,
    /// Who exchanges packs: the folder and the shelf change together.
    turn: Mutex<()>,
}

/// Which pack is in use, for who takes text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PacksStatus {
    /// What it says of itself; `None` for what is compiled in.
    pub in_use: Option<Card>,
    /// As [`Packs::refused`].
    pub refused: Option<String>,
}

impl Packs {
    /// What is compiled in. Nobody is trusted, so it stays.
    #[must_use]
    pub fn built_in() -> Self {
        Self::default()
    }

    /// What is compiled in, until a pack is applied that one of `keys` signed: public keys of
    /// minisign, one a line, as in the file that minisign writes one to.
    ///
    /// # Errors
    /// [`crate::ErrorKind::File`] with the line that is no key, or if there is none.
    pub fn new(keys: &str) -> Result<Self, Error> {
        let keys = Keys::parse(keys)?;
        Ok(Self(Arc::new(Held { keys, ..Held::default() })))
    }

    /// The pack that was applied last in the folder at `path`, which keeps it from one run to the
    /// next. One that is no longer good is not used, and [`refused`](Self::refused) says why.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn in_folder(keys: &str, path: &str) -> Result<Self, Error> {
        let keys = Keys::parse(keys)?;
        let folder = Folder::new(path, keys.clone());
        let (pack, refused) = match folder.in_use(Timestamp::now()) {
            Ok(pack) => (pack, None),
            Err(error) => (None, Some(error.to_string())),
        };
        let shelf = Arc::new(Shelf::new());
        shelf.hold(pack);
        let folder = Some(folder);
        Ok(Self(Arc::new(Held { keys, shelf, folder, refused, turn: Mutex::default() })))
    }

    /// Why the pack in the folder was not used when this was made; `None` if it was, or there is
    /// none.
    #[must_use]
    pub fn refused(&self) -> Option<&str> {
        self.0.refused.as_deref()
    }

    /// What the pack in use says of itself; `None` for what is compiled in.
    #[must_use]
    pub fn in_use(&self) -> Option<Card> {
        self.0.shelf.in_use().card
    }

    /// Both together.
    #[must_use]
    pub fn status(&self) -> PacksStatus {
        PacksStatus { in_use: self.in_use(), refused: self.0.refused.clone() }
    }

    /// Whether a pack may be used now, with its key, its dates and all that is in it. Nothing
    /// changes.
    ///
    /// # Errors
    /// [`crate::ErrorKind::File`] says why it may not.
    pub fn open(&self, pack: &[u8]) -> Result<Pack, Error> {
        Ok(Pack::open(pack, &self.0.keys, Timestamp::now())?)
    }

    /// Use this pack from now on, and in the folder, if there is one, from run to run.
    ///
    /// # Errors
    /// [`crate::ErrorKind::File`] says why not; what was in use stays.
    pub fn apply(&self, pack: &[u8]) -> Result<Card, Error> {
        let _turn = self.turn();
        let opened = self.open(pack)?;
        let card = opened.card().clone();
        match &self.0.folder {
            Some(folder) => {
                folder.put(pack, Timestamp::now())?;
                self.0.shelf.hold(Some(opened));
            }
            None => self.0.shelf.put(opened)?,
        }
        Ok(card)
    }

    /// Use again what was in use before the pack that was applied last. Gives its card; `None` for
    /// what is compiled in.
    ///
    /// # Errors
    /// [`crate::ErrorKind::File`] if there is nothing to go back to, or it is no longer good.
    pub fn roll_back(&self) -> Result<Option<Card>, Error> {
        let _turn = self.turn();
        let Some(folder) = &self.0.folder else { return Ok(self.0.shelf.roll_back()?) };
        self.0.shelf.hold(folder.roll_back(Timestamp::now())?);
        Ok(self.in_use())
    }

    pub(super) fn knowledge(&self) -> Knowledge {
        self.0.shelf.in_use().knowledge
    }

    pub(super) fn shelf(&self) -> Arc<Shelf> {
        Arc::clone(&self.0.shelf)
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.0.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
