//! Assets by where they are.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::asset::Asset;
use super::names::Zone;

/// Assets by `(zone, address)`. In JSON it is the array of its assets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory(BTreeMap<(Zone, IpAddr), Asset>);

impl Inventory {
    /// What these assets say together.
    ///
    /// # Errors
    /// If one has no address, or a path that is not that of its first one; with its path.
    pub(super) fn of(assets: impl IntoIterator<Item = Asset>) -> Result<Self, String> {
        let mut inventory = Self::default();
        for asset in assets {
            asset.check()?;
            inventory.add(asset);
        }
        Ok(inventory)
    }

    /// Add what is known of an asset to what is already known of it.
    pub fn add(&mut self, asset: Asset) {
        let Some(address) = asset.addresses().next() else { return };
        let key = (asset.zone().clone(), address);
        match self.0.get_mut(&key) {
            None => drop(self.0.insert(key, asset)),
            Some(known) => {
                // The same key is the same path, so merging cannot be refused.
                let _ = known.merge(asset);
            }
        }
    }

    /// Add everything that another inventory knows. The order of merging never matters.
    pub fn merge(&mut self, other: Self) {
        other.0.into_values().for_each(|asset| self.add(asset));
    }

    /// The asset at this address.
    #[must_use]
    pub fn asset(&self, zone: &Zone, address: IpAddr) -> Option<&Asset> {
        self.0.get(&(zone.clone(), address.to_canonical()))
    }

    /// All assets, by zone and address.
    pub fn iter(&self) -> impl Iterator<Item = &Asset> {
        self.0.values()
    }

    /// How many assets there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Inventory {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.values())
    }
}

impl<'de> Deserialize<'de> for Inventory {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let assets = Vec::<Asset>::deserialize(deserializer)?;
        Self::of(assets).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Field;
    use crate::model::testing::inventories;

    fn join(mut a: Inventory, b: &Inventory) -> Inventory {
        a.merge(b.clone());
        a
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        #[test]
        fn order_of_merging_does_not_matter(a in inventories(), b in inventories(), c in inventories()) {
            prop_assert_eq!(join(a.clone(), &b), join(b.clone(), &a));
            prop_assert_eq!(join(join(a.clone(), &b), &c), join(a.clone(), &join(b, &c)));
            prop_assert_eq!(join(a.clone(), &a), a);
        }

        #[test]
        fn nothing_is_lost_in_json(a in inventories()) {
            let json = serde_json::to_string(&a).unwrap();
            prop_assert_eq!(serde_json::from_str::<Inventory>(&json).unwrap(), a);
        }

        #[test]
        fn the_best_claim_is_one_of_the_most_trusted(found in inventories()) {
            let fields = [Field::Vendor, Field::Model];
            for (asset, field) in found.iter().flat_map(|a| fields.map(|field| (a, field))) {
                let identity = &asset.node.identity;
                if let Some(best) = identity.best(field) {
                    prop_assert!(identity.claims(field).all(|c| c.confidence <= best.confidence));
                    let rivals: Vec<_> = identity
                        .claims(field)
                        .filter(|c| c.confidence == best.confidence && c.value != best.value)
                        .collect();
                    prop_assert_eq!(identity.is_disputed(field), !rivals.is_empty());
                }
            }
        }
    }
}
