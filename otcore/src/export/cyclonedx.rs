//! The inventory as a bill of materials: CycloneDX 1.6, in JSON.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{self, Write};

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use super::format::pretty;
use super::shown::{basis, shown};
use super::{Results, text};
use crate::model::{
    Asset, Claim, Device, Facts, Field, InterfaceField, Joined, Joining, Named, Node, join,
};

/// Devices with their firmware, boot loader, operating system and modules, as CycloneDX 1.6.
///
/// One component of type `device` is one device, at however many addresses it was met; modules are
/// nested in it, what lives behind a gateway depends on it. What CycloneDX has no field for is a
/// property: those of its own `cdx:device` taxonomy, and `otcore:` for the rest, with the evidence
/// of each field. Reproducible: the same results give the same text.
///
/// # Errors
/// None in practice: everything of it has a form in JSON.
pub fn cyclonedx<'a>(results: impl Into<Results<'a>>) -> serde_json::Result<String> {
    text(|out| write_cyclonedx(&results.into(), out)).map_err(serde_json::Error::io)
}

/// The same, device by device.
pub(super) fn write_cyclonedx(results: &Results<'_>, out: &mut impl Write) -> io::Result<()> {
    let joined = join(results.assets, &Joining::default());
    let maker = RefCell::new(Maker::default());
    let bill = Bill {
        schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
        bom_format: "CycloneDX",
        spec_version: "1.6",
        version: 1,
        metadata: metadata(results, &joined),
        components: Components { devices: &joined.devices, maker: &maker },
        dependencies: &maker,
    };
    pretty(&bill, out)
}

/// Written in this order: the components tell what depends on what.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bill<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    bom_format: &'static str,
    spec_version: &'static str,
    version: u32,
    metadata: Metadata,
    components: Components<'a>,
    #[serde(serialize_with = "dependencies")]
    dependencies: &'a RefCell<Maker>,
}

/// Made while they are written, device by device.
struct Components<'a> {
    devices: &'a [Device<'a>],
    maker: &'a RefCell<Maker>,
}

impl Serialize for Components<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut components = serializer.serialize_seq(None)?;
        for device in self.devices {
            for component in self.maker.borrow_mut().device(device) {
                components.serialize_element(&component)?;
            }
        }
        components.end()
    }
}

fn dependencies<S: Serializer>(maker: &RefCell<Maker>, serializer: S) -> Result<S::Ok, S::Error> {
    maker.borrow().dependencies.serialize(serializer)
}

#[derive(Serialize)]
struct Metadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    lifecycles: [Lifecycle; 1],
    tools: Tools,
    properties: Vec<Property>,
}

#[derive(Serialize)]
struct Lifecycle {
    phase: &'static str,
}

#[derive(Serialize)]
struct Tools {
    components: [Component; 1],
}

#[derive(Default, Serialize)]
struct Component {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "bom-ref", skip_serializing_if = "String::is_empty")]
    reference: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    manufacturer: Option<Organisation>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    components: Vec<Self>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
}

#[derive(Serialize)]
struct Organisation {
    name: String,
}

#[derive(Serialize)]
struct Property {
    name: String,
    value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Dependency {
    #[serde(rename = "ref")]
    reference: String,
    depends_on: Vec<String>,
}

fn metadata(results: &Results<'_>, joined: &Joined<'_>) -> Metadata {
    let version = Some(env!("CARGO_PKG_VERSION").to_owned());
    let kind = "application";
    let tool = Component { kind, name: "otcore".to_owned(), version, ..Component::default() };
    let zones: BTreeSet<&str> = results.assets.iter().map(|asset| asset.zone().as_str()).collect();
    let mut properties: Vec<Property> =
        zones.into_iter().map(|zone| property("otcore:zone", zone)).collect();
    for doubt in &joined.doubts {
        let text = format!("{}: {}", doubt.paths.join(", "), doubt.against);
        properties.push(property("otcore:doubt", &text));
    }
    Metadata {
        timestamp: results.scans.iter().map(|scan| scan.finished).max().map(|at| at.to_string()),
        lifecycles: [Lifecycle { phase: "discovery" }],
        tools: Tools { components: [tool] },
        properties,
    }
}

/// Makes components, and remembers what has to be known of all of them.
#[derive(Default)]
struct Maker {
    dependencies: Vec<Dependency>,
    /// References must be unique, whatever paths an imported inventory has.
    used: BTreeSet<String>,
}

impl Maker {
    /// The components of the top level for a device, and for what lives behind it.
    fn device(&mut self, device: &Device<'_>) -> Vec<Component> {
        let mut components = Vec::new();
        let Some(whole) = device.whole() else { return components };
        let reasons = device.reasons.iter().map(|why| property("otcore:joined", &why.to_string()));
        let mut properties: Vec<Property> = reasons.collect();
        properties.extend(places(&whole));
        self.node(&whole.node, None, &mut components);
        if let Some(first) = components.first_mut() {
            first.properties.splice(0..0, properties);
        }
        components
    }

    fn node(&mut self, node: &Node, behind: Option<&str>, components: &mut Vec<Component>) {
        let component = self.component(node);
        let reference = component.reference.clone();
        components.push(component);
        let depends_on = behind.map(str::to_owned).into_iter().collect();
        self.dependencies.push(Dependency { reference: reference.clone(), depends_on });
        for child in every_child(node) {
            self.node(child, Some(&reference), components);
        }
    }

    fn component(&mut self, node: &Node) -> Component {
        let reference = self.reference(node.path());
        let mut parts = self.software(node, &reference);
        parts.extend(node.modules.values().map(|module| self.component(module)));
        let value = |field| node.identity.value(field).map(shown);
        let model = [Field::Model, Field::ProductName, Field::OrderNumber, Field::DeviceName];
        let unnamed = || format!("unnamed device at {}", shown(node.place()));
        Component {
            kind: "device",
            reference,
            manufacturer: value(Field::Vendor).map(|name| Organisation { name }),
            name: model.into_iter().find_map(value).unwrap_or_else(unnamed),
            version: value(Field::HardwareRevision),
            description: value(Field::Description),
            components: parts,
            properties: properties(node),
        }
    }

    /// What runs on a node, as components of their own.
    fn software(&mut self, node: &Node, of: &str) -> Vec<Component> {
        let headline = shown(&node.headline());
        let mut parts = Vec::new();
        for (field, kind) in [(Field::Firmware, "firmware"), (Field::Bootloader, "firmware")] {
            let Some(version) = node.identity.value(field).map(shown) else { continue };
            let name = format!("{headline} {}", field.name()).trim().to_owned();
            let reference = self.reference(&format!("{of}#{}", field.name()));
            let version = Some(version);
            parts.push(Component { kind, reference, name, version, ..Component::default() });
        }
        if let Some(name) = node.identity.value(Field::OperatingSystem).map(shown) {
            let reference = self.reference(&format!("{of}#{}", Field::OperatingSystem.name()));
            let kind = "operating-system";
            parts.push(Component { kind, reference, name, ..Component::default() });
        }
        parts
    }

    fn reference(&mut self, wanted: &str) -> String {
        let wanted = shown(wanted);
        let numbered = (2_usize..).map(|number| format!("{wanted}#{number}"));
        let mut names = std::iter::once(wanted.clone()).chain(numbered);
        let free = names.find(|name| !name.is_empty() && !self.used.contains(name));
        let name = free.unwrap_or(wanted);
        self.used.insert(name.clone());
        name
    }
}

/// What lives behind a node, also behind its modules.
fn every_child(node: &Node) -> Vec<&Node> {
    let below = node.modules.values().flat_map(every_child);
    node.children.values().chain(below).collect()
}

/// Where a device is met and what it speaks.
fn places(asset: &Asset) -> Vec<Property> {
    let mut properties = vec![property("otcore:zone", asset.zone().as_str())];
    properties.extend(asset.addresses().map(|at| property("otcore:address", &at.to_string())));
    for key in asset.node.services.keys() {
        let text = format!("{}/{}/{}", key.protocol, key.transport.name(), key.port);
        properties.push(property("otcore:service", &text));
    }
    properties
}

/// Everything that has no field of its own, and the evidence of everything.
fn properties(node: &Node) -> Vec<Property> {
    let mut found = Vec::new();
    let serial = node.identity.value(Field::SerialNumber);
    found.extend(serial.map(|serial| property("cdx:device:serialNumber", serial)));
    let class = node.identity.value(Field::DeviceClass);
    found.extend(class.map(|class| property("cdx:device:function", class)));
    let macs = node.interfaces.values().filter_map(|facts| facts.value(InterfaceField::Mac));
    found.extend(macs.map(|mac| property("cdx:device:macAddress", mac)));
    facts(&node.identity, "identity", &mut found);
    facts(&node.state, "state", &mut found);
    for (name, of_interface) in &node.interfaces {
        facts(of_interface, &format!("interface:{name}"), &mut found);
    }
    for (key, of_service) in &node.services {
        facts(of_service, &format!("service:{}/{}", key.protocol, key.port), &mut found);
    }
    found
}

fn facts<K: Named>(facts: &Facts<K>, group: &str, found: &mut Vec<Property>) {
    for field in facts.fields() {
        let Some(best) = facts.best(field) else { continue };
        let name = |what: &str| format!("otcore:{what}:{group}:{}", field.name());
        found.push(property(&name("fact"), &best.value));
        found.push(property(&name("evidence"), &evidence(best)));
        let rivals = facts
            .claims(field)
            .filter(|claim| claim.confidence == best.confidence && claim.value != best.value);
        let rivals: BTreeSet<&str> = rivals.map(|claim| claim.value.as_str()).collect();
        found.extend(rivals.into_iter().map(|value| property(&name("disputed"), value)));
    }
}

fn evidence(claim: &Claim) -> String {
    let evidence = &claim.evidence;
    format!("{}, {}, by {}", basis(claim), evidence.at, evidence.source)
}

fn property(name: &str, value: &str) -> Property {
    Property { name: shown(name), value: shown(value) }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::export::rows::testing::{claim, identified, plant};
    use crate::model::Inventory;

    fn bill(assets: &Inventory) -> Value {
        serde_json::from_str(&cyclonedx(assets).unwrap()).unwrap()
    }

    #[test]
    fn what_lives_behind_a_gateway_depends_on_it() {
        let bill = bill(&plant().0);
        let names: Vec<&str> = bill["components"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| c["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["QG-4", "unnamed device at 17", "PM-100"]);
        let unit = &bill["dependencies"][2];
        assert_eq!(unit["ref"], "line-3/10.0.4.7/modbus/502/2");
        assert_eq!(unit["dependsOn"][0], "line-3/10.0.4.7");
    }

    #[test]
    fn firmware_and_modules_are_nested_in_their_device() {
        let mut rack = identified("10.0.4.7", 102, "Siemens", "CPU 315-2 PN/DP");
        rack.node.identity.add(Field::Firmware, claim(102, "V3.2.6"));
        rack.node.identity.add(Field::SerialNumber, claim(102, "S C-C2UR28922012"));
        rack.module("s7", 102, "0/4").identity.add(Field::Model, claim(102, "SM 321"));
        let mut assets = Inventory::default();
        assets.add(rack);
        let bill = bill(&assets);
        let device = &bill["components"][0];
        assert_eq!(
            (&device["type"], &device["manufacturer"]["name"]),
            (&"device".into(), &"Siemens".into())
        );
        let parts = device["components"].as_array().unwrap();
        let kinds: Vec<_> = parts
            .iter()
            .map(|part| (part["type"].as_str().unwrap(), part["version"].as_str()))
            .collect();
        assert_eq!(kinds, [("firmware", Some("V3.2.6")), ("device", None)]);
        let properties = device["properties"].as_array().unwrap();
        let has = |name: &str, value: &str| {
            properties.iter().any(|p| p["name"] == name && p["value"] == value)
        };
        assert!(has("cdx:device:serialNumber", "S C-C2UR28922012"), "{properties:?}");
        assert!(has("otcore:address", "10.0.4.7"), "{properties:?}");
    }

    #[test]
    fn one_device_at_two_addresses_is_one_component() {
        let mut assets = Inventory::default();
        for address in ["10.0.4.7", "10.0.4.8"] {
            let mut seen = identified(address, 102, "Siemens", "CPU 315-2 PN/DP");
            seen.node.identity.add(Field::SerialNumber, claim(102, "S C-C2UR28922012"));
            assets.add(seen);
        }
        let bill = bill(&assets);
        assert_eq!(bill["components"].as_array().unwrap().len(), 1);
        let joined = bill["components"][0]["properties"].as_array().unwrap();
        assert!(joined.iter().any(|property| property["name"] == "otcore:joined"), "{joined:?}");
    }
}
