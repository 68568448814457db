//! Everything in an inventory by its path: devices, modules, and what lives behind devices.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::asset::{Asset, Node};
use super::claim::Claim;
use super::diff::Spot;
use super::facts::Facts;
use super::inventory::Inventory;

/// What something is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// A device at an address.
    Device,
    /// Plugged into a device.
    Module,
    /// Behind a device.
    Child,
}

/// Something in an inventory.
#[derive(Clone, Debug)]
pub(super) struct Entry<'a> {
    pub(super) asset: &'a Asset,
    pub(super) node: &'a Node,
    pub(super) kind: Kind,
    /// The path of what it is directly part of; `None` for a device.
    above: Option<&'a str>,
}

/// Everything in an inventory, by path.
pub(super) fn entries(inventory: &Inventory) -> BTreeMap<&str, Entry<'_>> {
    let mut found = BTreeMap::new();
    for asset in inventory.iter() {
        add(Entry { asset, node: &asset.node, kind: Kind::Device, above: None }, &mut found);
    }
    found
}

fn add<'a>(entry: Entry<'a>, found: &mut BTreeMap<&'a str, Entry<'a>>) {
    let above = Some(entry.node.path());
    let modules = entry.node.modules.values().map(|node| (node, Kind::Module));
    let children = entry.node.children.values().map(|node| (node, Kind::Child));
    for (node, kind) in modules.chain(children) {
        add(Entry { asset: entry.asset, node, kind, above }, found);
    }
    found.insert(entry.node.path(), entry);
}

impl<'a> Entry<'a> {
    pub(super) fn path(&self) -> &'a str {
        self.node.path()
    }

    /// Whether what it is part of is known; a device is part of nothing.
    pub(super) fn is_within(&self, is_known: impl Fn(&str) -> bool) -> bool {
        self.above.is_none_or(is_known)
    }

    pub(super) fn spot(&self) -> Spot {
        Spot { path: self.path().to_owned(), kind: self.kind, headline: self.node.headline() }
    }

    /// The protocol and the port in the path of what is below a device.
    pub(super) fn endpoint(&self) -> Option<(&'a str, u16)> {
        let mut parts = self.path().split('/').skip(2);
        Some((parts.next()?, parts.next()?.parse().ok()?))
    }

    /// Everything that is claimed of it, and of nothing below it.
    pub(super) fn claims(&self) -> impl Iterator<Item = &'a Claim> {
        let node = self.node;
        let identity = node.identity.all();
        let state = node.state.all();
        let interfaces = node.interfaces.values().flat_map(Facts::all);
        let services = node.services.values().flat_map(Facts::all);
        identity.chain(state).chain(interfaces).chain(services)
    }
}
