//! The devices of an inventory in rows, each followed by what is inside it and behind it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::Results;
use crate::model::{Asset, Facts, Field, Named, Node, Outcome, OutcomeRecord, StateField, Zone};

/// A device, or something inside it or behind it.
#[derive(Clone, Debug)]
pub(super) struct Row<'a> {
    pub(super) zone: &'a Zone,
    pub(super) address: IpAddr,
    /// What it is within its device; `None` for the device itself.
    pub(super) below: Option<Below<'a>>,
    /// The conversations with the device; empty for what is below it.
    pub(super) outcomes: Vec<&'a OutcomeRecord>,
    node: Option<&'a Node>,
    /// On loopback every port is a device of its own.
    port: Option<u16>,
}

/// Where something is within its device.
#[derive(Clone, Debug)]
pub(super) struct Below<'a> {
    /// The protocol that says so.
    pub(super) protocol: &'a str,
    /// The port on which it says so.
    pub(super) port: u16,
    /// A slot, a unit, an address: what follows the port in the path.
    pub(super) place: &'a str,
    /// Whether it is plugged in, rather than living behind.
    pub(super) is_module: bool,
    /// For it and each node between the device and it: whether others follow at its level.
    pub(super) followed: Vec<bool>,
}

/// All rows: devices by zone and address, what is below each in the order of its numbers.
pub(super) fn rows<'a>(results: &Results<'a>) -> Vec<Row<'a>> {
    each_row(results).collect()
}

/// The same, made device by device.
pub(super) fn each_row<'a>(results: &Results<'a>) -> impl Iterator<Item = Row<'a>> + use<'a> {
    spots(results).into_iter().flat_map(|((zone, address, port), spot)| {
        let Spot { asset, outcomes } = spot;
        let node = asset.map(|asset| &asset.node);
        let device = Row { zone, address, below: None, outcomes, node, port };
        let mut rows = vec![device.clone()];
        device.push_below(&mut Vec::new(), &mut rows);
        rows
    })
}

#[derive(Default)]
struct Spot<'a> {
    asset: Option<&'a Asset>,
    outcomes: Vec<&'a OutcomeRecord>,
}

type Key<'a> = (&'a Zone, IpAddr, Option<u16>);

fn spots<'a>(results: &Results<'a>) -> BTreeMap<Key<'a>, Spot<'a>> {
    let mut spots: BTreeMap<Key<'a>, Spot<'a>> = BTreeMap::new();
    for record in results.outcomes {
        let port = record.address.is_loopback().then_some(record.port);
        let spot = spots.entry((&record.zone, record.address, port)).or_default();
        spot.outcomes.push(record);
    }
    for asset in results.assets.iter() {
        let Some(address) = asset.addresses().next() else { continue };
        let ports: BTreeSet<u16> = asset.node.services.keys().map(|key| key.port).collect();
        let keys: Vec<Key<'a>> = match address.is_loopback() && !ports.is_empty() {
            true => ports.iter().map(|port| (asset.zone(), address, Some(*port))).collect(),
            false => vec![(asset.zone(), address, None)],
        };
        for key in keys {
            spots.entry(key).or_default().asset = Some(asset);
        }
    }
    spots
}

impl<'a> Row<'a> {
    /// What the most trusted claim about this field says.
    pub(super) fn value(&self, field: Field) -> Option<&'a str> {
        self.best(&self.node?.identity, field)
    }

    /// The same for how it is.
    pub(super) fn state(&self, field: StateField) -> Option<&'a str> {
        self.best(&self.node?.state, field)
    }

    /// What else is said about this field with the same confidence.
    pub(super) fn disputes(&self, field: Field) -> BTreeSet<&'a str> {
        let Some(node) = self.node else { return BTreeSet::new() };
        let claims = node.identity.claims(field).filter(|claim| self.is_here(claim));
        let Some(best) = claims.last() else { return BTreeSet::new() };
        let rivals = node.identity.rivals(field, best).filter(|claim| self.is_here(claim));
        rivals.map(|claim| claim.value.as_str()).collect()
    }

    /// What does not fit together.
    pub(super) fn findings(&self) -> impl Iterator<Item = &'a str> {
        let findings = self.node.into_iter().flat_map(|node| &node.findings);
        let here = self.port;
        let findings =
            findings.filter(move |found| here.is_none_or(|at| at == found.evidence.port));
        findings.map(|found| found.reason.as_str())
    }

    /// Vendor and what people call it by, as far as they are known.
    pub(super) fn vendor_and_model(&self) -> [&'a str; 2] {
        let names = [Field::Model, Field::ProductName, Field::ProductCode, Field::DeviceName];
        let model = names.into_iter().find_map(|field| self.value(field));
        [self.value(Field::Vendor).unwrap_or_default(), model.unwrap_or_default()]
    }

    /// How it ended, in the order of the conversations. What is below a device answered, or it
    /// would not be known.
    pub(super) fn endings(&self) -> Vec<Outcome> {
        match (&self.below, self.node) {
            (Some(_), Some(node)) if node.identity.is_empty() => vec![Outcome::PresentNoIdentity],
            (Some(_), _) => vec![Outcome::Identified],
            (None, _) => self.outcomes.iter().map(|record| record.outcome).collect(),
        }
    }

    /// The protocols it was asked in, and on which ports.
    pub(super) fn endpoints(&self) -> Vec<(&'a str, u16)> {
        match (&self.below, self.node) {
            (Some(below), _) => vec![(below.protocol, below.port)],
            (None, Some(node)) if self.outcomes.is_empty() => {
                let here = |port: u16| self.port.is_none_or(|only| only == port);
                let keys = node.services.keys().filter(|key| here(key.port));
                keys.map(|key| (key.protocol.as_str(), key.port)).collect()
            }
            _ => self.outcomes.iter().map(|r| (r.protocol.as_str(), r.port)).collect(),
        }
    }

    /// The key of the device or of what is below it, as in JSON.
    pub(super) fn path(&self) -> String {
        match self.node {
            Some(node) => node.path().to_owned(),
            None => format!("{}/{}", self.zone, self.address),
        }
    }

    /// On loopback, the port that it is.
    pub(super) fn port_here(&self) -> Option<u16> {
        self.port
    }

    /// The path of the asset that it is, or is a port of on loopback; `None` for what is below one,
    /// and for an address of which nothing is known.
    pub(super) fn asset(&self) -> Option<&'a str> {
        self.node.filter(|_| self.below.is_none()).map(Node::path)
    }

    fn best<K: Named>(&self, facts: &'a Facts<K>, field: K) -> Option<&'a str> {
        let claims = facts.claims(field).filter(|claim| self.is_here(claim));
        claims.last().map(|claim| claim.value.as_str())
    }

    fn is_here(&self, claim: &crate::model::Claim) -> bool {
        self.port.is_none_or(|port| claim.evidence.port == port)
    }

    /// Every node below this one, depth first.
    fn push_below(&self, followed: &mut Vec<bool>, rows: &mut Vec<Self>) {
        let Some(node) = self.node else { return };
        let nodes = |nodes: &'a BTreeMap<String, Node>, is_module| {
            let mut found: Vec<Self> =
                nodes.values().filter_map(|node| self.of(node, is_module)).collect();
            found.sort_by_key(|row| row.below.as_ref().map(|below| numbers(below.place)));
            found
        };
        let mut found = nodes(&node.modules, true);
        found.extend(nodes(&node.children, false));
        let last = found.len().saturating_sub(1);
        for (at, mut row) in found.into_iter().enumerate() {
            followed.push(at != last);
            if let Some(below) = &mut row.below {
                below.followed.clone_from(followed);
            }
            rows.push(row.clone());
            row.push_below(followed, rows);
            followed.pop();
        }
    }

    /// The row of a node below this one, if it belongs to the same device.
    fn of(&self, node: &'a Node, is_module: bool) -> Option<Self> {
        let mut parts = node.path().splitn(5, '/').skip(2);
        let (protocol, port) = (parts.next()?, parts.next()?.parse().ok()?);
        if self.port.is_some_and(|here| here != port) {
            return None;
        }
        let place = parts.next().unwrap_or_default();
        let below = Some(Below { protocol, port, place, is_module, followed: Vec::new() });
        Some(Self { below, outcomes: Vec::new(), node: Some(node), ..*self })
    }
}

/// Places in the order of their numbers: unit 2 before unit 17.
fn numbers(place: &str) -> Vec<(u64, &str)> {
    place.split('/').map(|part| (part.parse().unwrap_or(u64::MAX), part)).collect()
}

#[cfg(test)]
pub(super) mod testing {
    //! Devices to show.

    use std::sync::Arc;

    use jiff::Timestamp;

    use super::super::super::model::{
        Claim, Confidence, Evidence, HexBytes, Inventory, Method, ServiceKey, Transport,
    };
    use super::*;

    pub(in super::super) fn claim(port: u16, value: &str) -> Claim {
        let evidence = Evidence {
            at: Timestamp::UNIX_EPOCH,
            source: "tester".parse().unwrap(),
            method: Method::Active,
            protocol: "modbus".into(),
            port,
            function: "ReadDeviceIdBasic".into(),
            rule: None,
            request: HexBytes::default(),
            response: HexBytes::default(),
        };
        let evidence = Arc::new(evidence);
        Claim { confidence: Confidence::Reported, evidence, value: value.to_owned() }
    }

    pub(in super::super) fn identified(
        address: &str,
        port: u16,
        vendor: &str,
        model: &str,
    ) -> Asset {
        let mut asset = Asset::new("line-3".parse().unwrap(), address.parse().unwrap());
        let transport = Transport::Tcp;
        asset.node.service(ServiceKey { protocol: "modbus".into(), transport, port });
        asset.node.identity.add(Field::Vendor, claim(port, vendor));
        asset.node.identity.add(Field::Model, claim(port, model));
        asset
    }

    /// A gateway with units 2 and 17, and a device that refuses one protocol and ignores another.
    pub(in super::super) fn plant() -> (Inventory, Vec<OutcomeRecord>) {
        let mut gateway = identified("10.0.4.7", 502, "Quillmere", "QG-4");
        gateway.child("modbus", 502, "17");
        let unit = gateway.child("modbus", 502, "2");
        unit.identity.add(Field::Vendor, claim(502, "Ohmstead"));
        unit.identity.add(Field::Model, claim(502, "PM-100"));
        let mut assets = Inventory::default();
        assets.add(gateway);
        let record = |address: &str, protocol: &str, port, outcome, packets| {
            let (zone, address) = ("line-3".parse().unwrap(), address.parse().unwrap());
            let mut record = OutcomeRecord::new(zone, address, protocol, port, outcome);
            (record.packets, record.packets_planned) = (packets, 104);
            record
        };
        let outcomes = vec![
            record("10.0.4.7", "modbus", 502, Outcome::Identified, 14),
            record("10.0.4.8", "modbus", 502, Outcome::Refused, 2),
            record("10.0.4.8", "s7", 102, Outcome::Silent, 1),
        ];
        (assets, outcomes)
    }
}
