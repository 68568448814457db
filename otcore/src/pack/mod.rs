//! Data packs: what is known of devices, delivered apart from the engine and loaded while it runs.
//!
//! A pack replaces whole files of [`Knowledge`], which turns answers
//! into names. That is all it can do: nothing below the layer that interprets answers imports this
//! module, so no pack can add a question, change one, or make one be asked more often.
//!
//! A pack is used only if a trusted key signed it, it has not expired, and it was made for this
//! engine. A [`Shelf`] holds the one in use; a scan keeps the one it began with.
//!
//! ```text
//! untrusted comment: otcore data pack        a minisign signature: four lines
//! RUT...
//! trusted comment: ...
//! ...
//! otcore-pack-1                              what is signed, to the end of the file
//! {"name":"plant-names","version":3,...}     the card: one line of JSON
//! ...                                        the files, one after the other, as the card lists them
//! ```

mod card;
mod error;
mod folder;
mod keys;
mod shelf;
mod version;

use std::collections::BTreeMap;

use jiff::Timestamp;

pub use card::{Card, Engines, Part};
pub use error::PackError;
pub use folder::Folder;
pub use keys::Keys;
pub use shelf::{InUse, Shelf};
pub use version::Version;

use crate::fingerprint::Knowledge;

/// A pack may be this long, in bytes: all built-in knowledge is far below a tenth of it.
pub const MOST_BYTES: usize = 16 << 20;

/// The layout of packs that this engine reads.
const LAYOUT: &str = "otcore-pack-1";

/// A pack whose signature, dates and contents have been found good.
#[derive(Clone, Debug)]
pub struct Pack {
    card: Card,
    signer: String,
    knowledge: Knowledge,
}

impl Pack {
    /// Open a pack at the time `now`, for this engine.
    ///
    /// # Errors
    /// [`PackError`] that says why it is not used. Nothing in it is looked at before a key of
    /// `keys` has been found to have signed all of it.
    pub fn open(bytes: &[u8], keys: &Keys, now: Timestamp) -> Result<Self, PackError> {
        Self::open_for(Version::of_this_engine(), bytes, keys, now)
    }

    fn open_for(
        engine: Version,
        bytes: &[u8],
        keys: &Keys,
        now: Timestamp,
    ) -> Result<Self, PackError> {
        if bytes.len() > MOST_BYTES {
            return Err(PackError::TooLong { bytes: bytes.len() });
        }
        let (signer, signed) = keys.signed(bytes)?;
        let (card, contents) = card::read(signed)?;
        card.fits(engine, now)?;
        let knowledge = Knowledge::from_files(&card.files(contents)?)?;
        Ok(Self { card, signer: signer.to_owned(), knowledge })
    }

    /// What it says of itself.
    #[must_use]
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// The key that signed it, as it is written.
    #[must_use]
    pub fn signer(&self) -> &str {
        &self.signer
    }

    /// What is known with it.
    #[must_use]
    pub fn knowledge(&self) -> &Knowledge {
        &self.knowledge
    }
}

/// The bytes of the pack at `path`, to be opened; one that is too long is not read to its end.
///
/// # Errors
/// [`PackError::File`] if it cannot be read.
pub fn read(path: impl AsRef<std::path::Path>) -> Result<Vec<u8>, PackError> {
    folder::read(path.as_ref())
}

/// What is to be signed of a pack with these files; the parts of `card` are filled in.
///
/// `minisign -Sm DRAFT -c "otcore data pack"` signs it, and `cat DRAFT.minisig DRAFT` is the pack.
///
/// # Errors
/// [`PackError`] if it could not be read again, or has no form in JSON.
pub fn draft(mut card: Card, files: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, PackError> {
    Knowledge::from_files(files)?;
    let part = |(name, bytes): (&String, &Vec<u8>)| Part { name: name.clone(), bytes: bytes.len() };
    card.parts = files.iter().map(part).collect();
    let line = serde_json::to_string(&card).map_err(|e| PackError::Card(e.to_string()))?;
    let mut draft = format!("{LAYOUT}\n{line}\n").into_bytes();
    draft.extend(files.values().flatten());
    let (again, contents) = card::read(&draft)?;
    again.files(contents)?;
    Ok(draft)
}
