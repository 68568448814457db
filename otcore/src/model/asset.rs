//! Everything claimed about one device, with what is inside it and behind it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::claim::Claim;
use super::exchange::Transport;
use super::facts::Facts;
use super::field::{Field, InterfaceField, ServiceField, StateField};
use super::finding::Finding;
use super::names::Zone;

/// Everything claimed about one device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asset {
    zone: Zone,
    addresses: BTreeSet<IpAddr>,
    /// What is known about the device itself.
    #[serde(flatten)]
    pub node: Node,
}

/// A device, a module in its rack, or a device behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    path: String,
    /// Who and what it is.
    pub identity: Facts<Field>,
    /// Its interfaces, by a name that is unique within the node.
    pub interfaces: BTreeMap<String, Facts<InterfaceField>>,
    /// The protocols it speaks.
    #[serde(with = "services")]
    pub services: BTreeMap<ServiceKey, Facts<ServiceField>>,
    /// How it is.
    pub state: Facts<StateField>,
    /// What does not fit together.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub findings: BTreeSet<Finding>,
    /// What is plugged into it.
    #[serde(with = "nodes")]
    pub modules: BTreeMap<String, Self>,
    /// What lives behind it.
    #[serde(with = "nodes")]
    pub children: BTreeMap<String, Self>,
}

/// Where a protocol is spoken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ServiceKey {
    /// The protocol.
    pub protocol: String,
    /// Over what.
    pub transport: Transport,
    /// On which port.
    pub port: u16,
}

/// Two assets that are not the same device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} and {1} are different devices and cannot be merged")]
pub struct DifferentAssets(String, String);

impl Asset {
    /// A device of which nothing is known but where it is.
    #[must_use]
    pub fn new(zone: Zone, address: IpAddr) -> Self {
        let address = address.to_canonical();
        let node = Node::new(format!("{zone}/{address}"));
        Self { zone, addresses: BTreeSet::from([address]), node }
    }

    /// The network it lives in.
    #[must_use]
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// The addresses it answers at.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> + '_ {
        self.addresses.iter().copied()
    }

    /// `<zone>/<address>`: the key by which it is found in an inventory.
    #[must_use]
    pub fn path(&self) -> &str {
        self.node.path()
    }

    /// What lives behind it at `path` in a protocol: a unit, a network address.
    pub fn child(&mut self, protocol: &str, port: u16, path: &str) -> &mut Node {
        let path = format!("{}/{protocol}/{port}/{path}", self.path());
        self.node.children.entry(path.clone()).or_insert_with(|| Node::new(path))
    }

    /// What is plugged into it at `path` in a protocol: a slot.
    pub fn module(&mut self, protocol: &str, port: u16, path: &str) -> &mut Node {
        let path = format!("{}/{protocol}/{port}/{path}", self.path());
        self.node.modules.entry(path.clone()).or_insert_with(|| Node::new(path))
    }

    /// Everything that either says. The order of merging never matters.
    ///
    /// # Errors
    /// [`DifferentAssets`] if they have different paths; nothing is changed then.
    pub fn merge(&mut self, other: Self) -> Result<(), DifferentAssets> {
        if self.path() != other.path() {
            return Err(DifferentAssets(self.path().to_owned(), other.path().to_owned()));
        }
        self.absorb(other);
        Ok(())
    }

    /// Whether the path is that of the first address, as everywhere in an inventory.
    pub(super) fn check(&self) -> Result<(), String> {
        let path = self.node.path();
        let first = self.addresses.first().map(|first| format!("{}/{first}", self.zone));
        let canonical = self.addresses.iter().all(|address| *address == address.to_canonical());
        match first.as_deref() == Some(path) && canonical {
            true => Ok(()),
            false => Err(format!("asset {path:?} is not at its first address")),
        }
    }

    /// Everything that is known of the same device at another address.
    pub(super) fn absorb(&mut self, other: Self) {
        self.addresses.extend(other.addresses);
        self.node.merge(other.node);
    }

    /// Do this with the device and with everything inside it and behind it.
    pub fn for_each_node(&mut self, mut change: impl FnMut(&mut Node)) {
        self.node.for_each(&mut change);
    }

    /// Whether anybody says who it is, or who is inside it or behind it.
    #[must_use]
    pub fn is_identified(&self) -> bool {
        self.node.is_identified()
    }
}

impl Node {
    fn new(path: String) -> Self {
        Self {
            path,
            identity: Facts::default(),
            interfaces: BTreeMap::new(),
            services: BTreeMap::new(),
            state: Facts::default(),
            findings: BTreeSet::new(),
            modules: BTreeMap::new(),
            children: BTreeMap::new(),
        }
    }

    /// `<zone>/<address>` or `<zone>/<address>/<protocol>/<port>/<path>`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The last part of the path: a unit, a slot, or the address of the device itself.
    #[must_use]
    pub fn place(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// Vendor and model, as far as they are known; the name it gives itself otherwise.
    #[must_use]
    pub fn headline(&self) -> String {
        let value = |field| self.identity.value(field);
        let what = [Field::Model, Field::ProductName, Field::ProductCode, Field::DeviceName];
        let what = what.into_iter().find_map(value).unwrap_or_default();
        let vendor = value(Field::Vendor).unwrap_or_default();
        let repeats = what.to_lowercase().starts_with(&vendor.to_lowercase());
        match (vendor, what) {
            (vendor, "") => vendor.to_owned(),
            (_, what) if repeats => what.to_owned(),
            (vendor, what) => format!("{vendor} {what}"),
        }
    }

    /// The claims about a protocol that it speaks.
    pub fn service(&mut self, key: ServiceKey) -> &mut Facts<ServiceField> {
        self.services.entry(key).or_default()
    }

    fn is_identified(&self) -> bool {
        let below = self.modules.values().chain(self.children.values());
        !self.identity.is_empty() || { below }.any(Self::is_identified)
    }

    fn for_each(&mut self, change: &mut impl FnMut(&mut Self)) {
        change(self);
        for node in self.modules.values_mut().chain(self.children.values_mut()) {
            node.for_each(change);
        }
    }

    fn merge(&mut self, other: Self) {
        self.identity.merge(other.identity);
        self.state.merge(other.state);
        self.findings.extend(other.findings);
        for (name, facts) in other.interfaces {
            self.interfaces.entry(name).or_default().merge(facts);
        }
        for (key, facts) in other.services {
            self.services.entry(key).or_default().merge(facts);
        }
        merge_nodes(&mut self.modules, other.modules);
        merge_nodes(&mut self.children, other.children);
    }
}

fn merge_nodes(nodes: &mut BTreeMap<String, Node>, others: BTreeMap<String, Node>) {
    for (path, other) in others {
        match nodes.get_mut(&path) {
            Some(node) => node.merge(other),
            None => drop(nodes.insert(path, other)),
        }
    }
}

impl Facts<Field> {
    /// The device says so itself, unless it says nothing.
    pub fn report(&mut self, field: Field, claim: Claim) {
        if !claim.value.is_empty() {
            self.add(field, claim);
        }
    }
}

/// Nodes as an array; their paths are in them.
mod nodes {
    use super::{
        BTreeMap, Deserialize, Deserializer, Node, SerializeSeq, Serializer, is_below_a_device,
    };

    pub(super) fn serialize<S: Serializer>(
        nodes: &BTreeMap<String, Node>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(nodes.len()))?;
        nodes.values().try_for_each(|node| seq.serialize_element(node))?;
        seq.end()
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<String, Node>, D::Error> {
        let mut found = BTreeMap::new();
        for node in Vec::<Node>::deserialize(deserializer)? {
            let path = node.path.clone();
            let why = match is_below_a_device(&path) {
                false => "is not <zone>/<address>/<protocol>/<port>/<path>",
                true if found.insert(path.clone(), node).is_some() => "is listed twice",
                true => continue,
            };
            return Err(<D::Error as serde::de::Error>::custom(format!("{path:?} {why}")));
        }
        Ok(found)
    }
}

fn is_below_a_device(path: &str) -> bool {
    let mut parts = path.splitn(5, '/');
    let filled = |part: Option<&str>| part.is_some_and(|part| !part.is_empty());
    filled(parts.next())
        && parts.next().is_some_and(|address| address.parse::<IpAddr>().is_ok())
        && filled(parts.next())
        && parts.next().is_some_and(|port| port.parse::<u16>().is_ok())
        && filled(parts.next())
}

/// Services as an array of objects with their key among the claims.
mod services {
    use super::{
        BTreeMap, Deserialize, Deserializer, Facts, Serialize, SerializeSeq, Serializer,
        ServiceField, ServiceKey,
    };

    #[derive(Serialize)]
    struct Out<'a> {
        #[serde(flatten)]
        key: &'a ServiceKey,
        facts: &'a Facts<ServiceField>,
    }

    #[derive(Deserialize)]
    struct In {
        #[serde(flatten)]
        key: ServiceKey,
        facts: Facts<ServiceField>,
    }

    type Services = BTreeMap<ServiceKey, Facts<ServiceField>>;

    pub(super) fn serialize<S: Serializer>(
        services: &Services,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(services.len()))?;
        services.iter().try_for_each(|(key, facts)| seq.serialize_element(&Out { key, facts }))?;
        seq.end()
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Services, D::Error> {
        let services = Vec::<In>::deserialize(deserializer)?;
        let count = services.len();
        let map: Services = services.into_iter().map(|s| (s.key, s.facts)).collect();
        match map.len() == count {
            true => Ok(map),
            false => Err(<D::Error as serde::de::Error>::custom("a service is listed twice")),
        }
    }
}
