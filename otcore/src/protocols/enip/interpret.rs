//! What EtherNet/IP answers say about a device: from raw bytes to claims, without a packet.

use std::sync::Arc;

use super::probe::{is_logix, name};
use super::{
    Enip, EthernetLink, Function, Identity, Names, Services, Status, TcpIp, classes, consistency,
    hardware_address, identities, ports,
};
use crate::model::{
    Asset, Claim, Confidence, Evidence, Exchange, Field, InterfaceField, Node, ServiceField,
    ServiceKey, StateField, decode,
};
use crate::protocol::{Answer, Protocol};
use crate::safety::ReadOnly;
use crate::wire::Reader;

/// More of a change digest is not shown.
const LONGEST_DIGEST: usize = 32;

/// What these exchanges say; `None` if nobody answered in EtherNet/IP.
pub(super) fn interpret(exchanges: &[&Exchange]) -> Option<Asset> {
    let first = exchanges.iter().find(|exchange| answer(exchange).is_some())?;
    let mut asset = Asset::new(first.zone.clone(), first.address);
    let device = exchanges.iter().find_map(|exchange| identity_of_device(exchange));
    let mut slot = None;
    for exchange in exchanges {
        if answer(exchange).is_none() {
            continue;
        }
        asset.node.service(key(exchange));
        let (Some(function), Some(body)) = (function(exchange), body(exchange)) else { continue };
        let evidence = Arc::new(Evidence::of(exchange));
        let says = Says { evidence };
        if let Some(part) = part_of_rack(function) {
            let module = match part {
                Function::ReadIdentity => Some(Identity::read(body).ok()),
                Function::ReadIdentityList => Some(Identity::read_list(body).ok()),
                _ => None,
            };
            if let Some(module) = module {
                let is_module = |module: &Identity| {
                    device.as_ref().is_none_or(|device| !module.is_same_piece(device))
                };
                slot = module.filter(is_module).and(exchange.request.as_ref().last().copied());
            }
            let Some(slot) = slot.filter(|slot| exchange.request.as_ref().last() == Some(slot))
            else {
                continue;
            };
            let node = asset.module(Enip::NAME, exchange.port, &format!("1.{slot}"));
            says.object(node, part, body);
        } else if let Some(instance) = further_identity(function) {
            if let Ok(identity) = Identity::read(body) {
                says.identity(further(&mut asset, exchange.port, instance), &identity);
            }
        } else if function == Function::ListIdentity {
            for (nth, identity) in (1..).zip(identities(body).unwrap_or_default()) {
                let node = match nth {
                    1 => &mut asset.node,
                    nth => further(&mut asset, exchange.port, nth),
                };
                says.identity(node, &identity);
            }
        } else {
            says.service(&mut asset, key(exchange), function, body);
            says.object(&mut asset.node, function, body);
        }
    }
    Some(asset)
}

/// A device can be several at once, such as a gateway.
fn further(asset: &mut Asset, port: u16, instance: u16) -> &mut Node {
    asset.child(Enip::NAME, port, &format!("identity.{instance}"))
}

/// One answer, turned into claims.
struct Says {
    evidence: Arc<Evidence>,
}

impl Says {
    fn identity(&self, node: &mut Node, identity: &Identity) {
        self.field(node, Field::VendorId, &registered(identity.vendor));
        self.field(node, Field::DeviceType, &registered(identity.device_type));
        self.field(node, Field::ProductCode, &identity.product_code.to_string());
        self.field(node, Field::Firmware, &identity.revision.to_string());
        self.serial(node, identity.serial);
        self.field(node, Field::Model, &name(identity));
        self.status(node, identity);
        if let Some(address) = identity.address {
            self.interface(node, "encapsulation", InterfaceField::Ip, &dotted(address));
        }
    }

    /// Serial numbers are unique for a vendor, so zero is none.
    fn serial(&self, node: &mut Node, serial: u32) {
        if serial != 0 {
            self.field(node, Field::SerialNumber, &format!("{serial:08x}"));
        }
    }

    fn status(&self, node: &mut Node, identity: &Identity) {
        let status = Status(identity.status);
        let is_logix = is_logix(identity);
        let mut words: Vec<&str> = identity.state().into_iter().collect();
        words.extend(status.is_owned().then_some("owned"));
        words.extend(status.is_configured().then_some("configured"));
        words.extend(status.faults());
        words.extend(status.extended().filter(|_| !is_logix));
        if words.is_empty() {
            words.push("no fault is reported");
        }
        let health = format!("{} (status {:#06x})", words.join(", "), status.0);
        self.state(node, StateField::Health, &health);
        if is_logix {
            if let Some(mode) = status.mode() {
                self.state(node, StateField::OperatingMode, mode.name());
                let raw = format!("{:#06x}", status.0);
                self.state(node, StateField::OperatingModeRaw, &raw);
            }
            if let Some(switch) = status.key_switch() {
                self.state(node, StateField::KeySwitch, switch.name());
            }
        }
    }

    /// What an object says of the node it belongs to. What makes no sense says nothing.
    fn object(&self, node: &mut Node, function: Function, body: &[u8]) {
        match function {
            Function::ReadIdentity => {
                Identity::read(body).map(|identity| self.identity(node, &identity)).ok()
            }
            Function::ReadIdentityList => {
                Identity::read_list(body).map(|identity| self.identity(node, &identity)).ok()
            }
            Function::ReadTcpIp => TcpIp::read(body).map(|found| self.tcp_ip(node, &found)).ok(),
            Function::ReadTcpIpAddress => {
                TcpIp::read_addresses(body).map(|found| self.tcp_ip(node, &found)).ok()
            }
            Function::ReadHostName => {
                let mut r = Reader::new(body);
                let length = r.u16_le("length").unwrap_or_default();
                let text = r.take(length.into(), "host name").unwrap_or_default();
                self.interface(node, "1", InterfaceField::HostName, &decode(text));
                None
            }
            Function::ReadEthernetLink => {
                EthernetLink::read(body).map(|link| self.link(node, "1", link)).ok()
            }
            Function::ReadSecondLink => {
                EthernetLink::read(body).map(|link| self.link(node, "2", link)).ok()
            }
            Function::ReadHardwareAddress => {
                hardware_address(body).map(|mac| self.mac(node, "1", mac)).ok()
            }
            Function::ReadNames => Names::read(body).map(|names| self.names(node, &names)).ok(),
            Function::ReadAllNames => {
                Names::read_all(body).map(|names| self.names(node, &names)).ok()
            }
            Function::ReadProgramChanges => {
                let digest = body.iter().take(LONGEST_DIGEST).map(|byte| format!("{byte:02x}"));
                self.state(node, StateField::ChangeDigest, &digest.collect::<String>());
                None
            }
            Function::ReadConsistency => consistency(body)
                .map(|value| {
                    let value = format!("{value:#06x}");
                    self.state(node, StateField::ConfigurationDigest, &value);
                })
                .ok(),
            Function::ReadLinkSpeed => Reader::new(body)
                .u32_le("speed")
                .map(|speed| {
                    let speed = format!("{speed} Mbit/s");
                    self.interface(node, "1", InterfaceField::Speed, &speed);
                })
                .ok(),
            attribute => self.attribute(node, attribute, body),
        };
    }

    /// One attribute of the Identity object, read alone.
    fn attribute(&self, node: &mut Node, function: Function, body: &[u8]) -> Option<()> {
        let number = match function {
            Function::ReadVendorId => 1,
            Function::ReadDeviceType => 2,
            Function::ReadProductCode => 3,
            Function::ReadRevision => 4,
            Function::ReadStatus => 5,
            Function::ReadSerialNumber => 6,
            Function::ReadProductName => 7,
            _ => return None,
        };
        let mut one = Identity::default();
        one.attribute(number, &mut Reader::new(body)).ok()?;
        match number {
            1 => self.field(node, Field::VendorId, &registered(one.vendor)),
            2 => self.field(node, Field::DeviceType, &registered(one.device_type)),
            3 => self.field(node, Field::ProductCode, &one.product_code.to_string()),
            4 => self.field(node, Field::Firmware, &one.revision.to_string()),
            5 => self.status(node, &one),
            6 => self.serial(node, one.serial),
            _ => self.field(node, Field::Model, &name(&one)),
        }
        Some(())
    }

    fn tcp_ip(&self, node: &mut Node, found: &TcpIp) {
        let claims = [
            (InterfaceField::Ip, found.address.map(dotted)),
            (InterfaceField::Mask, found.mask.map(dotted)),
            (InterfaceField::Gateway, found.gateway.map(dotted)),
            (InterfaceField::HostName, Some(decode(&found.host_name))),
        ];
        for (field, value) in claims {
            self.interface(node, "1", field, &value.unwrap_or_default());
        }
    }

    fn link(&self, node: &mut Node, interface: &str, link: EthernetLink) {
        self.mac(node, interface, link.hardware_address);
        if link.is_up && link.speed > 0 {
            let duplex = if link.is_full_duplex { "full" } else { "half" };
            let speed = format!("{} Mbit/s, {duplex} duplex", link.speed);
            self.interface(node, interface, InterfaceField::Speed, &speed);
        }
    }

    fn mac(&self, node: &mut Node, interface: &str, mac: [u8; 6]) {
        if mac != [0; 6] {
            let mac = mac.map(|byte| format!("{byte:02x}")).join(":");
            self.interface(node, interface, InterfaceField::Mac, &mac);
        }
    }

    fn names(&self, node: &mut Node, names: &Names) {
        let controller = decode(&names.controller);
        self.field(node, Field::DeviceName, &controller);
        self.field(node, Field::UserApplication, &decode(&names.description));
        if !controller.is_empty() {
            self.state(node, StateField::ProjectName, &controller);
        }
    }

    /// What a device says of how it speaks the protocol.
    fn service(&self, asset: &mut Asset, key: ServiceKey, function: Function, body: &[u8]) {
        let said = match function {
            Function::ListServices => Services::read(body).ok().map(|services| {
                let offers = [(services.tcp, "CIP over TCP"), (services.udp, "I/O over UDP")];
                let offers = offers.into_iter().filter(|(is, _)| *is).map(|(_, offer)| offer);
                let offers: Vec<&str> = offers.collect();
                let name = decode(&services.name);
                (ServiceField::Conformity, format!("{name}: {}", offers.join(", ")))
            }),
            Function::ReadObjects | Function::ReadAllObjects => {
                classes(body).ok().map(|mut classes| {
                    classes.sort_unstable();
                    let classes: Vec<_> = classes.iter().map(|c| format!("{c:#04x}")).collect();
                    (ServiceField::Objects, classes.join(", "))
                })
            }
            Function::ReadPorts => ports(body).ok().map(|ports| {
                let ports = ports.iter().map(|port| match port.kind {
                    1 => format!("{}: backplane", port.number),
                    4 => format!("{}: EtherNet/IP", port.number),
                    kind => format!("{}: port type {kind}", port.number),
                });
                (ServiceField::Ports, ports.collect::<Vec<_>>().join(", "))
            }),
            _ => None,
        };
        if let Some((field, value)) = said.filter(|(_, value)| !value.is_empty()) {
            let claim = self.claim(&value);
            asset.node.service(key).add(field, claim);
        }
    }

    fn field(&self, node: &mut Node, field: Field, value: &str) {
        node.identity.report(field, self.claim(value));
    }

    fn state(&self, node: &mut Node, field: StateField, value: &str) {
        node.state.add(field, self.claim(value));
    }

    fn interface(&self, node: &mut Node, name: &str, field: InterfaceField, value: &str) {
        if !value.is_empty() {
            let claim = self.claim(value);
            node.interfaces.entry(name.to_owned()).or_default().add(field, claim);
        }
    }

    fn claim(&self, value: &str) -> Claim {
        let evidence = Arc::clone(&self.evidence);
        Claim { confidence: Confidence::Reported, evidence, value: value.to_owned() }
    }
}

/// A number that ODVA gave out; what it stands for is in the tables.
fn registered(number: u16) -> String {
    format!("cip:{number}")
}

fn dotted(address: [u8; 4]) -> String {
    address.map(|byte| byte.to_string()).join(".")
}

/// What a question to a slot asks there.
fn part_of_rack(function: Function) -> Option<Function> {
    match function {
        Function::ReadModuleIdentity => Some(Function::ReadIdentity),
        Function::ReadModuleIdentityList => Some(Function::ReadIdentityList),
        Function::ReadModuleTcpIp => Some(Function::ReadTcpIp),
        Function::ReadModuleLink => Some(Function::ReadEthernetLink),
        Function::ReadModuleNames => Some(Function::ReadNames),
        Function::ReadAllModuleNames => Some(Function::ReadAllNames),
        Function::ReadModuleChanges => Some(Function::ReadProgramChanges),
        _ => None,
    }
}

fn further_identity(function: Function) -> Option<u16> {
    match function {
        Function::ReadSecondIdentity => Some(2),
        Function::ReadThirdIdentity => Some(3),
        Function::ReadFourthIdentity => Some(4),
        _ => None,
    }
}

fn identity_of_device(exchange: &Exchange) -> Option<Identity> {
    let body = body(exchange)?;
    match function(exchange)? {
        Function::ListIdentity => identities(body).ok()?.into_iter().next(),
        Function::ReadIdentity => Identity::read(body).ok(),
        Function::ReadIdentityList => Identity::read_list(body).ok(),
        _ => None,
    }
}

fn key(exchange: &Exchange) -> ServiceKey {
    ServiceKey {
        protocol: Enip::NAME.to_owned(),
        transport: exchange.transport,
        port: exchange.port,
    }
}

fn answer(exchange: &Exchange) -> Option<Answer<'_>> {
    Enip::answer(exchange.request.as_ref(), exchange.response.as_ref()).ok().flatten()
}

fn body(exchange: &Exchange) -> Option<&[u8]> {
    match answer(exchange)? {
        Answer::Body(body) => Some(body),
        Answer::Refusal { .. } => None,
    }
}

/// What this exchange asked, read back from its bytes.
fn function(exchange: &Exchange) -> Option<Function> {
    let selector = Enip::selector(exchange.request.as_ref()).ok()?;
    Function::ALL.iter().copied().find(|function| function.facts().selector == selector)
}
