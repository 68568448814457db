//! The attributes of the guidance, and what of an asset answers each.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::model::{Asset, Claim, Facts, Field, InterfaceField, Named};

/// How much an attribute matters, by the guidance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// To be collected first.
    High,
    /// Next.
    Medium,
    /// Last.
    Low,
}

/// One attribute of the guidance.
#[derive(Clone, Copy, Debug)]
pub struct Attribute {
    /// Its name there.
    pub name: &'static str,
    /// How much it matters.
    pub priority: Priority,
    /// Where it can come from.
    pub(super) source: Source,
}

/// Where an attribute can come from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    /// A device may say it.
    Network(fn(&Asset) -> Answer<'_>),
    /// No device can say it, for this reason; a person may have entered it here.
    Owner(&'static str, Option<Field>),
}

/// What is known of an attribute of an asset.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer<'a> {
    pub(super) value: String,
    /// What it stands on.
    pub(super) claims: Vec<&'a Claim>,
}

use Priority::{High, Low, Medium};
use Source::{Network, Owner};

/// The 32 attributes of "Foundations for OT Cybersecurity: Asset Inventory Guidance for Owners and
/// Operators" (CISA, NSA and partners, August 2025), appendix A, table 1, in its order, after public
/// transcriptions that agree in names, order and priority.
pub const ATTRIBUTES: [Attribute; 32] = [
    of("Active/supported communication protocols", High, Network(protocols)),
    of(
        "Asset criticality",
        High,
        Owner("what the plant loses without it is not in the device", None),
    ),
    of("Asset number", High, Owner("the plant's own numbering", Some(Field::PlantId))),
    of("Asset role/type", High, Network(|asset| identity(asset, &[Field::DeviceClass]))),
    of("Hostname", High, Network(host_name)),
    of("IP address", High, Network(addresses)),
    of("Logging", High, Owner("where logs are collected is known outside of the device", None)),
    of("MAC address", High, Network(|asset| interface(asset, InterfaceField::Mac))),
    of("Manufacturer", High, Network(|asset| identity(asset, &[Field::Vendor]))),
    of("Model", High, Network(model)),
    of("Operating system", High, Network(|asset| identity(asset, &[Field::OperatingSystem]))),
    of("Physical location/address", High, Network(|asset| identity(asset, &[Field::Location]))),
    of("Ports/services", High, Network(ports)),
    of("User accounts", High, Owner("accounts are never asked for", None)),
    of("Backup frequency/type", Medium, Owner("an organisational fact", None)),
    of("Baseline image", Medium, Owner("an organisational fact", None)),
    of("Department/owner", Medium, Owner("an organisational fact", Some(Field::Owner))),
    of("Distributor", Medium, Owner("known from purchasing", None)),
    of("Firmware/software version", Medium, Network(|asset| identity(asset, &[Field::Firmware]))),
    of("OS version", Medium, Network(system_version)),
    of("Physical or virtual", Medium, Owner("a device looks the same from the network", None)),
    of("VLAN", Medium, Owner("known to switches, which this build does not ask", None)),
    of("Antivirus/endpoint protection", Low, Owner("known to its own management", None)),
    of(
        "Date of manufacture",
        Low,
        Owner("on the nameplate; no protocol of this build says it", None),
    ),
    of("Hypervisor", Low, Owner("known to the virtualisation", None)),
    of("Local time zone", Low, Owner("a clock does not say its zone", None)),
    of("Location within hypervisor", Low, Owner("known to the virtualisation", None)),
    of("Network monitoring", Low, Owner("an organisational fact", None)),
    of("Notes/description", Low, Network(|asset| identity(asset, &[Field::Description]))),
    of(
        "Primary communication method",
        Low,
        Owner("whether by wire or by radio shows where it stands", None),
    ),
    of("Serial number", Low, Network(|asset| identity(asset, &[Field::SerialNumber]))),
    of("Time source", Low, Owner("no protocol of this build says it", None)),
];

const fn of(name: &'static str, priority: Priority, source: Source) -> Attribute {
    Attribute { name, priority, source }
}

/// The best claim about the first of these fields that anybody says something about.
pub(super) fn identity<'a>(asset: &'a Asset, fields: &[Field]) -> Answer<'a> {
    let best = fields.iter().find_map(|field| asset.node.identity.best(*field));
    best.map(|claim| all(vec![claim])).unwrap_or_default()
}

fn model(asset: &Asset) -> Answer<'_> {
    identity(asset, &[Field::Model, Field::ProductName, Field::OrderNumber, Field::ProductCode])
}

fn host_name(asset: &Asset) -> Answer<'_> {
    let answer = interface(asset, InterfaceField::HostName);
    if answer.claims.is_empty() { identity(asset, &[Field::DeviceName]) } else { answer }
}

fn interface(asset: &Asset, field: InterfaceField) -> Answer<'_> {
    let interfaces = asset.node.interfaces.values();
    all(interfaces.filter_map(|facts| facts.best(field)).collect())
}

/// A device answers at its address; whatever it says proves that.
fn addresses(asset: &Asset) -> Answer<'_> {
    let addresses: Vec<String> = asset.addresses().map(|address| address.to_string()).collect();
    let claims = first_claims(asset).into_iter().take(1).collect();
    Answer { value: addresses.join(", "), claims }
}

fn protocols(asset: &Asset) -> Answer<'_> {
    let names: BTreeSet<&str> =
        asset.node.services.keys().map(|key| key.protocol.as_str()).collect();
    let names: Vec<&str> = names.into_iter().collect();
    Answer { value: names.join(", "), claims: of_services(asset) }
}

fn ports(asset: &Asset) -> Answer<'_> {
    let keys = asset.node.services.keys();
    let ports: Vec<String> =
        keys.map(|key| format!("{}/{} {}", key.transport.name(), key.port, key.protocol)).collect();
    Answer { value: ports.join(", "), claims: of_services(asset) }
}

/// A name with a number in it; a mere name says no version.
fn system_version(asset: &Asset) -> Answer<'_> {
    let answer = identity(asset, &[Field::OperatingSystem]);
    let says_version = answer.value.contains(|c: char| c.is_ascii_digit());
    if says_version { answer } else { Answer::default() }
}

/// For each service, one claim that came over it.
fn of_services(asset: &Asset) -> Vec<&Claim> {
    let claims = first_claims(asset);
    let over = |protocol: &str, port| {
        let mut claims = claims.iter();
        claims.find(|c| c.evidence.protocol == protocol && c.evidence.port == port).copied()
    };
    asset.node.services.keys().filter_map(|key| over(&key.protocol, key.port)).collect()
}

/// The best claims about everything of the device itself.
fn first_claims(asset: &Asset) -> Vec<&Claim> {
    let node = &asset.node;
    let services = node.services.values().flat_map(best);
    best(&node.identity).chain(best(&node.state)).chain(services).collect()
}

fn best<K: Named>(facts: &Facts<K>) -> impl Iterator<Item = &Claim> {
    facts.fields().filter_map(|field| facts.best(field))
}

fn all(claims: Vec<&Claim>) -> Answer<'_> {
    let values: Vec<&str> = claims.iter().map(|claim| claim.value.as_str()).collect();
    Answer { value: values.join(", "), claims }
}
