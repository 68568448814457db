//! A store that lasts as long as its program.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::error::StoreError;
use super::live::Worth;
use super::look::{Look, Place};
use super::{InventoryStore, Which};

/// Keeps looks for as long as it lives.
#[derive(Debug, Default)]
pub struct InMemory(Mutex<BTreeMap<Place, Vec<Kept>>>);

#[derive(Debug)]
struct Kept {
    look: Look,
    live: Option<Worth>,
}

impl InMemory {
    fn places(&self) -> MutexGuard<'_, BTreeMap<Place, Vec<Kept>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl InventoryStore for InMemory {
    fn append(&self, looks: &[Look]) -> Result<(), StoreError> {
        looks.iter().try_for_each(Look::check)?;
        let mut places = self.places();
        for look in looks {
            let kept = places.entry(look.place.clone()).or_default();
            let worth = Worth::of(look);
            for older in kept.iter_mut() {
                older.live.take_if(|older| older.is_covered_by(&worth));
            }
            let mut others = kept.iter().filter_map(|other| other.live.as_ref());
            let needed = !worth.is_nothing() && !others.any(|other| worth.is_covered_by(other));
            let at = kept.partition_point(|other| other.look.at <= look.at);
            kept.insert(at, Kept { look: look.clone(), live: needed.then_some(worth) });
        }
        Ok(())
    }

    fn places(&self) -> Result<Vec<Place>, StoreError> {
        Ok(Self::places(self).keys().cloned().collect())
    }

    fn looks(&self, place: &Place, which: Which) -> Result<Vec<Look>, StoreError> {
        let places = Self::places(self);
        let kept = places.get(place).into_iter().flatten();
        let wanted = kept.filter(|kept| which == Which::All || kept.live.is_some());
        Ok(wanted.map(|kept| kept.look.clone()).collect())
    }
}
