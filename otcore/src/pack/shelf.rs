//! The knowledge in use, which can be exchanged while scans run.

use std::sync::{PoisonError, RwLock, RwLockWriteGuard};

use super::Pack;
use super::card::Card;
use super::error::PackError;
use crate::fingerprint::Knowledge;
use crate::model::DataPack;

/// Holds the knowledge in use, and what was in use before it.
///
/// Exchanging it is one step: whoever asks gets the old or the new, never a mixture. What was
/// taken before stays valid, so a scan ends with the knowledge it began with.
#[derive(Debug, Default)]
pub struct Shelf(RwLock<State>);

/// What is in use: a pack, or what is compiled in.
#[derive(Clone, Debug)]
pub struct InUse {
    /// The card of the pack; `None` if there is none.
    pub card: Option<Card>,
    /// What is known.
    pub knowledge: Knowledge,
}

impl InUse {
    /// The pack, as reports name it; `None` if there is none.
    #[must_use]
    pub fn data_pack(&self) -> Option<DataPack> {
        let card = self.card.as_ref()?;
        Some(DataPack { name: card.name.clone(), version: card.version })
    }
}

#[derive(Debug)]
struct State {
    now: InUse,
    before: Option<InUse>,
}

impl Default for State {
    fn default() -> Self {
        Self { now: InUse { card: None, knowledge: Knowledge::built_in() }, before: None }
    }
}

impl Shelf {
    /// A shelf with what is compiled in.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A shelf with this knowledge.
    #[must_use]
    pub fn of(knowledge: Knowledge) -> Self {
        Self(RwLock::new(State { now: InUse { card: None, knowledge }, before: None }))
    }

    /// What is in use.
    #[must_use]
    pub fn in_use(&self) -> InUse {
        self.0.read().unwrap_or_else(PoisonError::into_inner).now.clone()
    }

    /// Use this pack from now on.
    ///
    /// # Errors
    /// [`PackError::NotNewer`] if the pack in use has the same name and is as new or newer, so that
    /// nobody brings back what has been mended.
    pub fn put(&self, pack: Pack) -> Result<(), PackError> {
        let mut state = self.change();
        let Pack { card, knowledge, .. } = pack;
        if let Some(now) = &state.now.card {
            card.is_newer_than(now)?;
        }
        let new = InUse { card: Some(card), knowledge };
        let old = std::mem::replace(&mut state.now, new);
        state.before = Some(old);
        Ok(())
    }

    /// Use again what was in use before. Gives its card, or `None` if it is what was there at
    /// first.
    ///
    /// # Errors
    /// [`PackError::NothingBefore`] if nothing was, or it is in use again already.
    pub fn roll_back(&self) -> Result<Option<Card>, PackError> {
        let mut state = self.change();
        let before = state.before.take().ok_or(PackError::NothingBefore)?;
        state.now = before;
        Ok(state.now.card.clone())
    }

    /// Use this pack, or what is compiled in, whatever was in use before, and forget that.
    #[cfg(feature = "net")]
    pub(crate) fn hold(&self, pack: Option<Pack>) {
        let now = pack.map(|Pack { card, knowledge, .. }| InUse { card: Some(card), knowledge });
        let mut state = self.change();
        *state = now.map_or_else(State::default, |now| State { now, before: None });
    }

    fn change(&self) -> RwLockWriteGuard<'_, State> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}
