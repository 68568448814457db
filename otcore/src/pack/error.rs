//! Why a pack is not used.

use std::path::PathBuf;

use jiff::Timestamp;

use super::version::Version;
use crate::fingerprint::KnowledgeError;

/// Why a pack is not used. Whatever was in use before stays in use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// It is too long.
    #[error("the pack has {bytes} bytes, more than {}", super::MOST_BYTES)]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// It does not look like a pack at all.
    #[error("this is no data pack: {0}")]
    NotAPack(&'static str),
    /// Nobody who is trusted signed it.
    #[error("the pack is signed by a key that is not trusted: check where it comes from")]
    UnknownKey,
    /// It is not what was signed.
    #[error("the pack is not what was signed: it was damaged or tampered with; fetch it again")]
    Tampered,
    /// Nothing that is given as a key is one.
    #[error("{0:?} is no minisign public key: it is one line that begins with RW")]
    NoKey(String),
    /// Its card cannot be read.
    #[error("the card of the pack cannot be read: {0}")]
    Card(String),
    /// Its layout is newer than this engine.
    #[error("the pack has layout {found:?}, and this engine reads {known}: update the engine")]
    Layout {
        /// Its layout.
        found: String,
        /// The layout that this engine reads.
        known: &'static str,
    },
    /// Its time is over.
    #[error("the pack expired at {since}: fetch a newer one")]
    Expired {
        /// Since when.
        since: Timestamp,
    },
    /// It needs a newer engine.
    #[error("the pack needs engine {needs} or newer, and this is {this}: update the engine")]
    EngineTooOld {
        /// The oldest engine that it is for.
        needs: Version,
        /// This engine.
        this: Version,
    },
    /// It was made for older engines.
    #[error("the pack is for engines up to {up_to}, and this is {this}: fetch a newer pack")]
    EngineTooNew {
        /// The newest engine that it is for.
        up_to: Version,
        /// This engine.
        this: Version,
    },
    /// What is in it cannot be used.
    #[error(transparent)]
    Knowledge(#[from] KnowledgeError),
    /// The pack in use is as new or newer.
    #[error("pack {name} {offered} is not newer than {in_use}, which is in use: roll back instead")]
    NotNewer {
        /// The name of both.
        name: String,
        /// The version that is in use.
        in_use: u64,
        /// The version that was offered.
        offered: u64,
    },
    /// A file cannot be read or written.
    #[error("{path}: {why}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why, as the system says it.
        why: String,
    },
    /// There is nothing to go back to.
    #[error("nothing was in use before: there is nothing to roll back to")]
    NothingBefore,
}
