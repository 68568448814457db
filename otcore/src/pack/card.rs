//! What a pack says of itself.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::LAYOUT;
use super::error::PackError;
use super::version::Version;

/// A card may be this long, in bytes: a few hundred files.
const LONGEST_CARD: usize = 64 << 10;

/// What a pack says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// What it is called: 1 to 64 of `A-Z a-z 0-9 . _ -`.
    pub name: String,
    /// Counts up; of two packs with one name the greater is the newer.
    pub version: u64,
    /// What it brings, in a line for people.
    #[serde(default)]
    pub about: String,
    /// From when on it is not loaded any more.
    pub expires: Timestamp,
    /// The engines that it is for.
    pub engine: Engines,
    /// The files in it, in their order.
    #[serde(default)]
    pub parts: Vec<Part>,
}

/// Engines from the oldest to the newest, both included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Engines {
    /// The oldest.
    pub from: Version,
    /// The newest.
    pub to: Version,
}

/// One file in a pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The built-in file that it replaces.
    pub name: String,
    /// How long it is.
    pub bytes: usize,
}

/// The card of a pack, and what follows it.
pub(super) fn read(signed: &[u8]) -> Result<(Card, &[u8]), PackError> {
    let (layout, rest) = line(signed, LAYOUT.len() + 8, "it names no layout")?;
    if layout != LAYOUT.as_bytes() {
        let found = String::from_utf8_lossy(layout).into_owned();
        return match found.starts_with("otcore-pack-") {
            true => Err(PackError::Layout { found, known: LAYOUT }),
            false => Err(PackError::NotAPack("it names no layout")),
        };
    }
    let (card, contents) = line(rest, LONGEST_CARD, "its card does not end")?;
    let card: Card = serde_json::from_slice(card).map_err(|e| PackError::Card(e.to_string()))?;
    // Names of packs are names like any other.
    let name = card.name.parse::<crate::model::Source>();
    name.map_err(|_| PackError::Card(format!("its name {:?} is not allowed", card.name)))?;
    Ok((card, contents))
}

/// The first line, without its end, and the rest.
fn line<'a>(
    bytes: &'a [u8],
    longest: usize,
    why: &'static str,
) -> Result<(&'a [u8], &'a [u8]), PackError> {
    let end = bytes.iter().take(longest).position(|byte| *byte == b'\n');
    let (line, rest) =
        end.and_then(|end| bytes.split_at_checked(end)).ok_or(PackError::NotAPack(why))?;
    Ok((line, rest.get(1..).unwrap_or_default()))
}

impl Card {
    /// # Errors
    /// If it is not for this time or not for this engine.
    pub(super) fn fits(&self, engine: Version, now: Timestamp) -> Result<(), PackError> {
        let Engines { from, to } = self.engine;
        if engine < from {
            return Err(PackError::EngineTooOld { needs: from, this: engine });
        }
        if engine > to {
            return Err(PackError::EngineTooNew { up_to: to, this: engine });
        }
        match now < self.expires {
            true => Ok(()),
            false => Err(PackError::Expired { since: self.expires }),
        }
    }

    /// # Errors
    /// [`PackError::NotNewer`] if both have one name and `now` is as new or newer.
    pub(super) fn is_newer_than(&self, now: &Self) -> Result<(), PackError> {
        match self.name != now.name || self.version > now.version {
            true => Ok(()),
            false => Err(PackError::NotNewer {
                name: self.name.clone(),
                in_use: now.version,
                offered: self.version,
            }),
        }
    }

    /// The files that `contents` hold: all of it, each once.
    ///
    /// # Errors
    /// [`PackError::Card`] if the card and the contents do not agree.
    pub(super) fn files(
        &self,
        mut contents: &[u8],
    ) -> Result<BTreeMap<String, Vec<u8>>, PackError> {
        let mut files = BTreeMap::new();
        for part in &self.parts {
            let too_short = || PackError::Card(format!("{} is longer than the pack", part.name));
            let (bytes, rest) = contents.split_at_checked(part.bytes).ok_or_else(too_short)?;
            if files.insert(part.name.clone(), bytes.to_vec()).is_some() {
                return Err(PackError::Card(format!("{} is listed twice", part.name)));
            }
            contents = rest;
        }
        match contents.is_empty() {
            true => Ok(files),
            false => Err(PackError::Card(format!("{} bytes belong to no file", contents.len()))),
        }
    }
}
