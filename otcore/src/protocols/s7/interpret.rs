//! What S7 answers say about a device: from raw bytes to claims, without a packet.

use std::sync::Arc;

use super::{
    CommunicationLimits, Component, Function, Interface, Led, List, ModuleIdentification,
    ModuleStatus, OperatingMode, Part, Place, Protection, ReadNextPart, ReadSzl, S7, Szl,
};
use crate::model::{
    Asset, Claim, Confidence, Evidence, Exchange, Field, InterfaceField, ServiceField, ServiceKey,
    StateField, decode,
};
use crate::protocol::{Answer, Protocol, Request};
use crate::safety::ReadOnly;
use crate::wire::Reader;

/// The number of the maker in identification and maintenance records.
pub(super) const SIEMENS: u16 = 0x002A;
/// Its name.
pub(super) const MAKER: &str = "Siemens";

/// Whether an order number is one of Siemens' for controllers and what belongs to them.
pub(super) fn is_siemens(order_number: &str) -> bool {
    ["6ES7 ", "6AG1 ", "6GK7 ", "6ED1 "].iter().any(|prefix| order_number.starts_with(prefix))
}

/// What these exchanges say; `None` if nobody answered in S7, for a granted connection proves only
/// the transport.
pub(super) fn interpret(exchanges: &[&Exchange]) -> Option<Asset> {
    let first = exchanges.iter().find(|exchange| speaks_s7(exchange))?;
    let mut asset = Asset::new(first.zone.clone(), first.address);
    let mut place = None;
    for exchange in exchanges {
        place = called(exchange).or(place);
        if speaks_s7(exchange) {
            describe_service(&mut asset, exchange, place);
        }
    }
    for read in lists(exchanges) {
        let Ok(szl) = Szl::read(read.list, &read.bytes) else { continue };
        for (record, end) in szl.records() {
            let Some(exchange) = read.exchange_of(end) else { continue };
            let evidence = Arc::new(Evidence::of(exchange));
            let mut says = Says { asset: &mut asset, evidence, port: exchange.port };
            says.record(read.list, record, read.place);
        }
        if read.list == List::Leds {
            describe_lights(&mut asset, &read, &szl);
        }
    }
    Some(asset)
}

/// One list, put together from the exchanges that brought it.
struct Read<'a> {
    list: List,
    /// Whom we called, as far as the exchanges tell.
    place: Option<Place>,
    bytes: Vec<u8>,
    /// Up to which byte each exchange brought it.
    ends: Vec<(usize, &'a Exchange)>,
    /// What the next part is asked with, while there is one.
    open: Option<u8>,
}

impl<'a> Read<'a> {
    /// The exchange that brought the last byte of a record.
    fn exchange_of(&self, end: usize) -> Option<&'a Exchange> {
        self.ends.iter().find(|(upto, _)| *upto >= end).map(|(_, exchange)| *exchange)
    }

    fn append(&mut self, part: Part, exchange: &'a Exchange) {
        self.bytes.extend(part.bytes);
        self.ends.push((self.bytes.len(), exchange));
        self.open = part.more.then_some(part.sequence);
    }
}

/// Every list in `exchanges`, which are in the order in which they happened.
fn lists<'a>(exchanges: &[&'a Exchange]) -> Vec<Read<'a>> {
    let mut reads: Vec<Read<'a>> = Vec::new();
    let mut place = None;
    for exchange in exchanges {
        place = called(exchange).or(place);
        let Some(function) = function(exchange) else { continue };
        if let Some(list) = List::ALL.into_iter().find(|list| list.function() == function) {
            let Some(part) = body(&ReadSzl { list }, exchange) else { continue };
            let (bytes, ends) = (Vec::new(), Vec::new());
            let mut read = Read { list, place, bytes, ends, open: None };
            read.append(part, exchange);
            reads.push(read);
        } else if function == Function::ReadNextPart {
            let Some(last) = reads.last_mut() else { continue };
            let Some(sequence) = last.open.take() else { continue };
            if let Some(part) = body(&ReadNextPart { sequence }, exchange) {
                last.append(part, exchange);
            }
        }
    }
    reads
}

/// One record, turned into claims.
struct Says<'a> {
    asset: &'a mut Asset,
    evidence: Arc<Evidence>,
    port: u16,
}

impl Says<'_> {
    fn record(&mut self, list: List, record: &[u8], place: Option<Place>) {
        match list {
            List::ModuleIdentification => {
                ModuleIdentification::read(record).map(|module| self.module_identification(&module))
            }
            List::ComponentIdentification | List::MemoryCard | List::Location => {
                Component::read(record).map(|component| self.component(&component))
            }
            List::EthernetDetails => Interface::read(record).map(|found| self.interface(&found)),
            List::CommunicationLimits => {
                CommunicationLimits::read(record).map(|limits| self.limits(limits))
            }
            List::Modules | List::ModulesOfRack => {
                ModuleStatus::read(record).map(|status| self.module(status, place))
            }
            List::OperatingMode => OperatingMode::read(record).map(|mode| self.mode(mode)),
            List::Protection | List::ProtectionOfCpu => {
                Protection::read(record).map(|protection| self.protection(&protection))
            }
            List::Leds => None,  // together they say one thing
            List::Lists => None, // which questions are worth asking is nothing about the device
        };
    }

    fn module_identification(&mut self, module: &ModuleIdentification) {
        match module.index {
            ModuleIdentification::MODULE => {
                self.identity(Field::OrderNumber, &decode(&module.order_number));
                let version = module.hardware_version().map(|version| version.to_string());
                self.identity(Field::HardwareRevision, &version.unwrap_or_default());
            }
            ModuleIdentification::FIRMWARE => {
                self.identity(Field::Firmware, &module.version().unwrap_or_default());
            }
            ModuleIdentification::BOOT_LOADER => {
                self.identity(Field::Bootloader, &module.version().unwrap_or_default());
            }
            _ => {} // the basic hardware is a part of the module
        }
    }

    fn component(&mut self, component: &Component) {
        let (field, text) = match component {
            Component::SystemName(text) => (Field::DeviceName, text),
            Component::ModuleName(text) => (Field::Description, text),
            Component::PlantId(text) => (Field::PlantId, text),
            Component::Copyright(text) => (Field::Copyright, text),
            Component::SerialNumber(text) => (Field::SerialNumber, text),
            Component::ModuleType(text) => (Field::Model, text),
            Component::Location(text) => (Field::Location, text),
            Component::MemoryCard(text) => return self.memory_card(&decode(text)),
            Component::Manufacturer(SIEMENS) => return self.identity(Field::Vendor, MAKER),
            Component::Manufacturer(other) => {
                return self.identity(Field::VendorId, &format!("profibus:{other}"));
            }
        };
        self.identity(field, &decode(text));
    }

    /// Without a card the text is only what kind of card it would be.
    fn memory_card(&mut self, text: &str) {
        if !matches!(text, "MC" | "MMC") {
            self.identity(Field::MemoryCard, text);
        }
    }

    fn interface(&mut self, found: &Interface) {
        let dotted = |bytes: [u8; 4]| {
            Some(bytes.map(|byte| byte.to_string()).join(".")).filter(|_| bytes != [0; 4])
        };
        let gateway = dotted(found.gateway).filter(|_| found.gateway != found.ip);
        let mac = found.mac.map(|byte| format!("{byte:02x}")).join(":");
        let mac = Some(mac).filter(|_| found.mac != [0; 6]);
        let name = format!("{:#06x}", found.logical_address);
        let claims = [
            (InterfaceField::Mac, mac),
            (InterfaceField::Ip, dotted(found.ip)),
            (InterfaceField::Mask, dotted(found.mask)),
            (InterfaceField::Gateway, gateway),
        ];
        for (field, value) in claims {
            if let Some(value) = value {
                let claim = self.claim(&value);
                self.asset.node.interfaces.entry(name.clone()).or_default().add(field, claim);
            }
        }
    }

    fn limits(&mut self, limits: CommunicationLimits) {
        let CommunicationLimits { pdu, connections } = limits;
        let claim = self.claim(&format!("{connections} connections, messages of {pdu} bytes"));
        let key = ServiceKey {
            protocol: S7::NAME.to_owned(),
            transport: crate::model::Transport::Tcp,
            port: self.port,
        };
        self.asset.node.service(key).add(ServiceField::Limits, claim);
    }

    /// The slot that was called is the device itself.
    fn module(&mut self, status: ModuleStatus, itself: Option<Place>) {
        let rack = u8::try_from(status.station).unwrap_or(u8::MAX);
        if !status.is_in_rack() || Place::new(rack, status.slot) == itself {
            return;
        }
        let path = format!("{rack}.{}", status.slot);
        let (kind, health) = (format!("module type {:#06x}", status.actual), status.health());
        let (kind, health) = (self.claim(&kind), self.claim(&health));
        let node = self.asset.module(S7::NAME, self.port, &path);
        node.identity.report(Field::Description, kind);
        node.state.add(StateField::Health, health);
    }

    fn mode(&mut self, mode: OperatingMode) {
        self.state(StateField::OperatingMode, mode.name());
        self.state(StateField::OperatingModeRaw, &format!("{:#04x}", mode.raw));
    }

    fn protection(&mut self, protection: &Protection) {
        self.state(StateField::ProtectionLevel, &protection.level.to_string());
        if let Some(switch) = protection.switch() {
            self.state(StateField::KeySwitch, switch);
        }
        if let Some(checksums) = protection.checksums() {
            let digest: String = checksums.iter().map(|byte| format!("{byte:02x}")).collect();
            self.state(StateField::ChangeDigest, &digest);
        }
    }

    fn identity(&mut self, field: Field, value: &str) {
        let claim = self.claim(value);
        self.asset.node.identity.report(field, claim);
    }

    fn state(&mut self, field: StateField, value: &str) {
        let claim = self.claim(value);
        self.asset.node.state.add(field, claim);
    }

    fn claim(&self, value: &str) -> Claim {
        let evidence = Arc::clone(&self.evidence);
        Claim { confidence: Confidence::Reported, evidence, value: value.to_owned() }
    }
}

/// What the lights say together.
fn describe_lights(asset: &mut Asset, read: &Read<'_>, szl: &Szl<'_>) {
    let leds: Vec<Led> = szl.records().filter_map(|(record, _)| Led::read(record)).collect();
    let Some((_, exchange)) = read.ends.first().filter(|_| !leds.is_empty()) else { return };
    let lit = leds.iter().filter(|led| led.on || led.flashes);
    let lit: Vec<&str> = lit.filter_map(|led| led.fault()).collect();
    let value = match lit.as_slice() {
        [] => "no fault light is on".to_owned(),
        lit => format!("lights: {}", lit.join(", ")),
    };
    let evidence = Arc::new(Evidence::of(exchange));
    let claim = Claim { confidence: Confidence::Reported, evidence, value };
    asset.node.state.add(StateField::Health, claim);
}

/// That it speaks S7, and for which slot.
fn describe_service(asset: &mut Asset, exchange: &Exchange, place: Option<Place>) {
    let key = ServiceKey {
        protocol: S7::NAME.to_owned(),
        transport: exchange.transport,
        port: exchange.port,
    };
    let service = asset.node.service(key);
    if let Some(place) = place.filter(|_| service.is_empty()) {
        let evidence = Arc::new(Evidence::of(exchange));
        let (value, confidence) = (place.to_string(), Confidence::Reported);
        service.add(ServiceField::Unit, Claim { confidence, evidence, value });
    }
}

/// Whether this is S7, rather than the transport below it.
fn speaks_s7(exchange: &Exchange) -> bool {
    answer(exchange).is_some() && called_address(exchange).is_none()
}

/// The module that this exchange connected to.
fn called(exchange: &Exchange) -> Option<Place> {
    called_address(exchange).filter(|_| matches!(answer(exchange), Some(Answer::Body(_))))
}

/// The module that this exchange asked to be connected to.
fn called_address(exchange: &Exchange) -> Option<Place> {
    let function = function(exchange)?;
    let connects = S7::asks_for_transport(function);
    exchange.request.as_ref().last().filter(|_| connects).map(|byte| Place::from_byte(*byte))
}

fn answer(exchange: &Exchange) -> Option<Answer<'_>> {
    S7::answer(exchange.request.as_ref(), exchange.response.as_ref()).ok().flatten()
}

/// The answer to `request`, if this exchange holds one.
fn body<R: Request<S7>>(request: &R, exchange: &Exchange) -> Option<R::Reply> {
    match answer(exchange)? {
        Answer::Body(body) => request.read(&mut Reader::new(body)).ok(),
        Answer::Refusal { .. } => None,
    }
}

/// What this exchange asked, read back from its bytes.
fn function(exchange: &Exchange) -> Option<Function> {
    let selector = S7::selector(exchange.request.as_ref()).ok()?;
    Function::ALL.iter().copied().find(|function| function.facts().selector == selector)
}
