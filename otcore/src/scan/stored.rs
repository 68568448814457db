//! Stored results: decoded again, and compared, without a packet.

use std::collections::BTreeMap;

use crate::fingerprint::{Knowledge, interpret};
use crate::model::{self, Diff, Document, Exchange, Inventory, Joining, Later};
use crate::protocols;

/// What stored exchanges say, read with the decoders of this build and with this knowledge.
///
/// Nothing is sent. What the device said is in the exchanges for good; how well it is understood
/// grows with the engine.
#[must_use]
pub fn redecode(knowledge: &Knowledge, exchanges: &[Exchange]) -> Inventory {
    let mut devices: BTreeMap<_, Vec<Exchange>> = BTreeMap::new();
    for exchange in exchanges {
        // On loopback every port is a device of its own.
        let port = exchange.address.is_loopback().then_some(exchange.port);
        let device = (exchange.zone.clone(), exchange.address.to_canonical(), port);
        devices.entry(device).or_default().push(exchange.clone());
    }
    let mut assets = Inventory::default();
    let found = devices.into_values().filter_map(|exchanges| interpret(knowledge, &exchanges));
    found.for_each(|asset| assets.add(asset));
    assets
}

/// What differs between two documents, as far as the later one asked.
#[must_use]
pub fn compare(before: &Document, after: &Document, joining: Joining) -> Diff {
    let later = Later {
        assets: &after.assets,
        asked: &after.asked,
        outcomes: &after.outcomes,
        exchanges: &after.exchanges,
        repeats: protocols::repeats,
        joining,
    };
    model::diff(&before.assets, &later)
}
