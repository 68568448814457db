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
        let mut inventory = Self::default();
        Vec::<Asset>::deserialize(deserializer)?.into_iter().for_each(|a| inventory.add(a));
        Ok(inventory)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Claim, Confidence, Evidence, Field, HexBytes, Method, Source, StateField};

    fn claim() -> impl Strategy<Value = Claim> {
        let confidence = prop_oneof![
            Just(Confidence::Inferred),
            Just(Confidence::Reported),
            Just(Confidence::Entered)
        ];
        (confidence, 0i64..4, "[ab]", "[xyz]").prop_map(|(confidence, second, source, value)| {
            let evidence = Evidence {
                at: Timestamp::from_second(second).unwrap(),
                source: source.parse::<Source>().unwrap(),
                method: Method::Active,
                protocol: "modbus".into(),
                port: 502,
                function: "ReadDeviceIdBasic".into(),
                rule: None,
                request: HexBytes::from(vec![1]),
                response: HexBytes::default(),
            };
            Claim { confidence, evidence: Arc::new(evidence), value }
        })
    }

    fn asset() -> impl Strategy<Value = Asset> {
        let spot = (prop_oneof![Just("a"), Just("b")], 1u8..3);
        let claims = prop::collection::vec((0u8..4, claim()), 0..6);
        (spot, claims).prop_map(|((zone, last), claims)| {
            let mut asset = Asset::new(zone.parse().unwrap(), IpAddr::from([10, 0, 0, last]));
            for (place, claim) in claims {
                match place {
                    0 => asset.node.identity.add(Field::Vendor, claim),
                    1 => asset.node.identity.add(Field::Model, claim),
                    2 => asset.node.state.add(StateField::RunIndicator, claim),
                    _ => asset.child("modbus", 502, "17").identity.add(Field::Model, claim),
                }
            }
            asset
        })
    }

    fn inventory() -> impl Strategy<Value = Inventory> {
        prop::collection::vec(asset(), 0..5).prop_map(|assets| {
            let mut inventory = Inventory::default();
            assets.into_iter().for_each(|asset| inventory.add(asset));
            inventory
        })
    }

    fn join(mut a: Inventory, b: &Inventory) -> Inventory {
        a.merge(b.clone());
        a
    }

    proptest! {
        #[test]
        fn order_of_merging_does_not_matter(a in inventory(), b in inventory(), c in inventory()) {
            prop_assert_eq!(join(a.clone(), &b), join(b.clone(), &a));
            prop_assert_eq!(join(join(a.clone(), &b), &c), join(a.clone(), &join(b, &c)));
            prop_assert_eq!(join(a.clone(), &a), a);
        }

        #[test]
        fn nothing_is_lost_in_json(a in inventory()) {
            let json = serde_json::to_string(&a).unwrap();
            prop_assert_eq!(serde_json::from_str::<Inventory>(&json).unwrap(), a);
        }

        #[test]
        fn the_best_claim_is_one_of_the_most_trusted(a in asset()) {
            for field in [Field::Vendor, Field::Model] {
                let identity = &a.node.identity;
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
