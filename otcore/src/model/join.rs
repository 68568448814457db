//! Which assets of an inventory are one device at several addresses, and why.

use std::collections::{BTreeMap, BTreeSet};

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use super::asset::Asset;
use super::field::Field;
use super::inventory::Inventory;
use super::key::Key;
use super::names::Zone;

/// How far assets are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Joining {
    /// Whether assets of different zones may be one device. Default: no, since the same private
    /// addresses, cloned projects and spare parts are met in many plants.
    pub across_zones: bool,
    /// At how many addresses one device may be met. Default: 8, which is more than any controller
    /// has; what is met more often is a placeholder or a cloned configuration.
    pub most_addresses: usize,
}

impl Default for Joining {
    fn default() -> Self {
        Self { across_zones: false, most_addresses: 8 }
    }
}

/// The devices of an inventory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Joined<'a> {
    /// Every asset is part of exactly one device; by the path of the first asset of each.
    pub devices: Vec<Device<'a>>,
    /// What shares a key and is kept apart all the same.
    pub doubts: Vec<Doubt>,
}

/// One device, at one address or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device<'a> {
    /// What is known by address; never empty.
    pub parts: Vec<&'a Asset>,
    /// Why they are one; empty if there is only one.
    pub reasons: Vec<Key>,
}

/// Assets that share a key and contradict each other otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Doubt {
    /// Their paths.
    pub paths: Vec<String>,
    /// What they share.
    pub reasons: Vec<Key>,
    /// What speaks against it.
    pub against: String,
}

/// Which assets are one device: those that share a [`Key`], and those that share one with them.
///
/// Pure, and it depends on nothing but the inventory: whatever order it was merged in, the devices
/// are the same. Nothing is lost, the inventory stays as it is.
#[must_use]
pub fn join<'a>(inventory: &'a Inventory, joining: &Joining) -> Joined<'a> {
    let assets: Vec<&Asset> = inventory.iter().collect();
    let mut groups = Groups::of(assets.len());
    let mut holders = holders(&assets, joining);
    holders.retain(|_, found| found.len() > 1);
    for found in holders.values() {
        found.windows(2).for_each(|pair| groups.unite(pair));
    }
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for at in 0..assets.len() {
        members.entry(groups.root(at)).or_default().push(at);
    }
    let mut reasons: BTreeMap<usize, BTreeSet<Key>> = BTreeMap::new();
    for ((_, key), found) in holders {
        let root = found.first().map_or(0, |at| groups.root(*at));
        reasons.entry(root).or_default().insert(key);
    }
    let mut joined = Joined { devices: Vec::new(), doubts: Vec::new() };
    for (root, members) in members {
        let parts = members.iter().filter_map(|at| assets.get(*at).copied()).collect();
        let reasons = reasons.remove(&root).into_iter().flatten().collect();
        joined.add(parts, reasons, joining);
    }
    joined.devices.sort_by_key(Device::place);
    joined
}

impl<'a> Joined<'a> {
    fn add(&mut self, parts: Vec<&'a Asset>, reasons: Vec<Key>, joining: &Joining) {
        let Some(against) = against(&parts, joining) else {
            self.devices.push(Device { parts, reasons });
            return;
        };
        let paths = parts.iter().map(|asset| asset.path().to_owned()).collect();
        self.doubts.push(Doubt { paths, reasons, against });
        let alone = |asset| Device { parts: vec![asset], reasons: Vec::new() };
        self.devices.extend(parts.into_iter().map(alone));
    }
}

impl Device<'_> {
    /// Everything known of it, under the path of its first part.
    #[must_use]
    pub fn whole(&self) -> Option<Asset> {
        let mut parts = self.parts.iter();
        let mut whole = (*parts.next()?).clone();
        parts.for_each(|part| whole.absorb((*part).clone()));
        Some(whole)
    }

    fn place(&self) -> Option<(Zone, std::net::IpAddr)> {
        let first = self.parts.first()?;
        Some((first.zone().clone(), first.addresses().next()?))
    }
}

impl Serialize for Device<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let paths: Vec<&str> = self.parts.iter().map(|asset| asset.path()).collect();
        let mut device = serializer.serialize_struct("Device", 2)?;
        device.serialize_field("paths", &paths)?;
        device.serialize_field("reasons", &self.reasons)?;
        device.end()
    }
}

type Holders = BTreeMap<(Option<Zone>, Key), Vec<usize>>;

/// Who has which key. Without leave, zones do not see each other.
fn holders(assets: &[&Asset], joining: &Joining) -> Holders {
    let mut holders = Holders::new();
    for (at, asset) in assets.iter().enumerate() {
        let zone = (!joining.across_zones).then(|| asset.zone().clone());
        for key in Key::of(&asset.node) {
            holders.entry((zone.clone(), key)).or_default().push(at);
        }
    }
    holders
}

/// What speaks against these being one device.
fn against(parts: &[&Asset], joining: &Joining) -> Option<String> {
    if parts.len() > joining.most_addresses.max(1) {
        return Some(format!("met at {} addresses", parts.len()));
    }
    let numbers = parts.iter().map(|asset| order_numbers(asset)).filter(|known| !known.is_empty());
    let shared = numbers.clone().reduce(|a, b| a.intersection(&b).cloned().collect());
    let all: BTreeSet<String> = numbers.flatten().collect();
    if shared.is_some_and(|shared| shared.is_empty()) {
        let all: Vec<String> = all.into_iter().collect();
        return Some(format!("different order numbers: {}", all.join(", ")));
    }
    let models: Vec<BTreeSet<String>> =
        parts.iter().map(|asset| models(asset)).filter(|known| !known.is_empty()).collect();
    let agree = |a: &BTreeSet<String>, b: &BTreeSet<String>| {
        a.iter().any(|one| b.iter().any(|other| one.contains(other) || other.contains(one)))
    };
    let contradict = models.iter().any(|one| models.iter().any(|other| !agree(one, other)));
    contradict.then(|| {
        let best = parts.iter().filter_map(|asset| asset.node.identity.value(Field::Model));
        let best: BTreeSet<&str> = best.collect();
        format!("different models: {}", best.into_iter().collect::<Vec<_>>().join(", "))
    })
}

/// What it is called: letters and digits only, since two protocols rarely space them alike.
fn models(asset: &Asset) -> BTreeSet<String> {
    let claims = asset.node.identity.claims(Field::Model);
    let plain = |value: &str| {
        let lower = value.to_lowercase();
        lower.chars().filter(|c| c.is_alphanumeric()).collect::<String>()
    };
    claims.map(|claim| plain(&claim.value)).filter(|model| !model.is_empty()).collect()
}

fn order_numbers(asset: &Asset) -> BTreeSet<String> {
    let claims = asset.node.identity.claims(Field::OrderNumber);
    let plain = |value: &str| value.to_lowercase().split_whitespace().collect::<String>();
    claims.map(|claim| plain(&claim.value)).collect()
}

/// Which of `0..n` belong together.
struct Groups(Vec<usize>);

impl Groups {
    fn of(count: usize) -> Self {
        Self((0..count).collect())
    }

    fn root(&self, mut at: usize) -> usize {
        while let Some(above) = self.0.get(at).filter(|above| **above != at) {
            at = *above;
        }
        at
    }

    /// The smaller root stays, so that the result does not depend on the order.
    fn unite(&mut self, pair: &[usize]) {
        let [a, b] = pair else { return };
        let (a, b) = (self.root(*a), self.root(*b));
        if let Some(above) = self.0.get_mut(a.max(b)) {
            *above = a.min(b);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::testing::{asset, inventories, said};
    use crate::model::{InterfaceField, Node};

    fn serial(node: &mut Node, vendor: &str, number: &str) {
        node.identity.add(Field::Vendor, said(vendor));
        node.identity.add(Field::SerialNumber, said(number));
    }

    fn mac(node: &mut Node, address: &str) {
        node.interfaces.entry("1".into()).or_default().add(InterfaceField::Mac, said(address));
    }

    fn inventory(assets: impl IntoIterator<Item = Asset>) -> Inventory {
        let mut inventory = Inventory::default();
        assets.into_iter().for_each(|asset| inventory.add(asset));
        inventory
    }

    fn paths<'a>(joined: &'a Joined<'a>) -> Vec<Vec<&'a str>> {
        let paths = |device: &'a Device<'a>| device.parts.iter().map(|a| a.path()).collect();
        joined.devices.iter().map(paths).collect()
    }

    #[test]
    fn a_controller_with_two_ports_is_one_device_with_a_reason() {
        let (mut cpu, mut card) = (asset("line-3", 7), asset("line-3", 8));
        serial(&mut cpu.node, "Siemens", "S C-C2UR28922012");
        serial(&mut card.node, "SIEMENS", "s c-c2ur28922012");
        let found = inventory([cpu, card, asset("line-3", 9)]);
        let joined = join(&found, &Joining::default());
        assert_eq!(
            paths(&joined),
            [vec!["line-3/10.0.0.7", "line-3/10.0.0.8"], vec!["line-3/10.0.0.9"]]
        );
        let why = joined.devices[0].reasons[0].to_string();
        assert_eq!(why, "same serial number s c-c2ur28922012 of siemens");
        let whole = joined.devices[0].whole().unwrap();
        assert_eq!(whole.addresses().count(), 2);
        assert_eq!(whole.path(), "line-3/10.0.0.7");
    }

    #[test]
    fn what_is_known_over_three_protocols_at_one_address_is_one_asset() {
        let mut found = Inventory::default();
        for (protocol, port) in [("s7", 102), ("http", 80), ("snmp", 161)] {
            let mut seen = asset("line-3", 7);
            let transport = if port == 161 {
                crate::model::Transport::Udp
            } else {
                crate::model::Transport::Tcp
            };
            seen.node.service(crate::model::ServiceKey {
                protocol: protocol.into(),
                transport,
                port,
            });
            found.add(seen);
        }
        assert_eq!(found.len(), 1);
        assert_eq!(found.iter().next().unwrap().node.services.len(), 3);
    }

    #[test]
    fn zones_are_never_joined_without_leave() {
        let (mut here, mut there) = (asset("line-3", 7), asset("line-4", 7));
        mac(&mut here.node, "00:1b:1b:1d:1a:2d");
        mac(&mut there.node, "00-1B-1B-1D-1A-2D");
        let found = inventory([here, there]);
        assert_eq!(join(&found, &Joining::default()).devices.len(), 2);
        let across = Joining { across_zones: true, ..Joining::default() };
        assert_eq!(join(&found, &across).devices.len(), 1);
    }

    #[test]
    fn the_same_number_of_two_vendors_is_two_devices() {
        let (mut one, mut other) = (asset("line-3", 7), asset("line-3", 8));
        serial(&mut one.node, "Siemens", "0042-7711");
        serial(&mut other.node, "Schneider Electric", "0042-7711");
        assert_eq!(join(&inventory([one, other]), &Joining::default()).devices.len(), 2);
    }

    #[test]
    fn clones_are_kept_apart_and_told() {
        let mut clones: Vec<Asset> = (1..=9).map(|last| asset("line-3", last)).collect();
        clones.iter_mut().for_each(|clone| mac(&mut clone.node, "00:1b:1b:1d:1a:2d"));
        let found = inventory(clones);
        let joined = join(&found, &Joining::default());
        assert_eq!((joined.devices.len(), joined.doubts.len()), (9, 1));
        assert_eq!(joined.doubts[0].against, "met at 9 addresses");
    }

    #[test]
    fn different_order_numbers_are_different_devices() {
        let (mut one, mut other) = (asset("line-3", 7), asset("line-3", 8));
        for (seen, number) in
            [(&mut one, "6ES7 315-2EH14-0AB0"), (&mut other, "6GK7 343-1EX30-0XE0")]
        {
            serial(&mut seen.node, "Siemens", "S C-C2UR28922012");
            seen.node.identity.add(Field::OrderNumber, said(number));
        }
        let found = inventory([one, other]);
        let joined = join(&found, &Joining::default());
        assert_eq!(joined.devices.len(), 2);
        assert!(joined.doubts[0].against.contains("6es7315-2eh14-0ab0"), "{joined:?}");
    }

    #[test]
    fn different_models_are_different_devices_and_one_spelt_twice_is_not() {
        let with = |last, model: &str| {
            let mut seen = asset("line-3", last);
            serial(&mut seen.node, "Tarnwick Automation", "TWB-204711");
            seen.node.identity.add(Field::Model, said(model));
            seen
        };
        let found = inventory([with(7, "TW-BC 40"), with(8, "TW-RT 2")]);
        let joined = join(&found, &Joining::default());
        assert_eq!((joined.devices.len(), joined.doubts.len()), (2, 1));
        assert_eq!(joined.doubts[0].against, "different models: TW-BC 40, TW-RT 2");
        let found = inventory([with(7, "TW-BC 40"), with(8, "Tarnwick tw-bc40")]);
        assert_eq!(join(&found, &Joining::default()).devices.len(), 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn every_asset_is_part_of_one_device_and_zones_stay_apart(found in inventories()) {
            let joined = join(&found, &Joining::default());
            let mut all: Vec<&str> = paths(&joined).into_iter().flatten().collect();
            all.sort_unstable();
            let mut known: Vec<&str> = found.iter().map(Asset::path).collect();
            known.sort_unstable();
            prop_assert_eq!(all, known);
            for device in &joined.devices {
                let zones: BTreeSet<_> = device.parts.iter().map(|part| part.zone()).collect();
                prop_assert_eq!(zones.len(), 1);
                prop_assert_eq!(device.parts.len() > 1, !device.reasons.is_empty());
            }
        }

        #[test]
        fn joining_does_not_depend_on_the_order_of_merging(a in inventories(), b in inventories()) {
            let merged = |mut a: Inventory, b: &Inventory| { a.merge(b.clone()); a };
            let (one, other) = (merged(a.clone(), &b), merged(b, &a));
            let joining = Joining { across_zones: true, ..Joining::default() };
            prop_assert_eq!(join(&one, &joining), join(&other, &joining));
        }

        #[test]
        fn the_whole_says_everything_its_parts_say(found in inventories()) {
            for device in join(&found, &Joining::default()).devices {
                let whole = device.whole().unwrap();
                for part in &device.parts {
                    for field in part.node.identity.fields() {
                        let known: BTreeSet<_> = whole.node.identity.claims(field).collect();
                        prop_assert!(part.node.identity.claims(field).all(|c| known.contains(c)));
                    }
                }
            }
        }
    }
}
