//! What can go wrong with a store.

use std::path::PathBuf;

/// A store that cannot do what it was asked for. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A newer engine made the file.
    #[error(
        "{path} has layout {found}, made by a newer engine; this one knows layouts up to {known}: \
         update the engine"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its layout.
        found: u32,
        /// The newest layout that this engine knows.
        known: u32,
    },
    /// The file is something else.
    #[error("{path} exists and is no store of this engine: name another file")]
    NotAStore {
        /// The file.
        path: PathBuf,
    },
    /// What was read is not what was written.
    #[error("{path} is damaged ({what}); it was left as it is: copy it, and restore a backup")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        what: String,
    },
    /// The file cannot be read or written.
    #[error("{path}: {why}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why, as the system or the database says it.
        why: String,
    },
    /// A look holds something that was not seen at its place.
    #[error("a look at {place} holds {what}")]
    Misplaced {
        /// The place of the look.
        place: String,
        /// What does not belong there.
        what: String,
    },
    /// A field that assets do not have.
    #[error("no field of identity or state is called {0:?}")]
    NoSuchField(String),
    /// A path that begins with no zone and address.
    #[error("{0:?} is no path: it begins with zone and address, as in line-3/10.20.4.7")]
    NoSuchPath(String),
}
