//! What Modbus answers say about a device: from raw bytes to claims, without a packet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{
    Base, Code, Function, Modbus, ReadDeviceId, ReportServerId, Run, SunSpecCommon, UmasReadId,
    UmasReadProjectInfo, exception,
};
use crate::model::{
    Asset, Claim, Confidence, Evidence, Exchange, Field, Node, ServiceField, ServiceKey,
    StateField, decode,
};
use crate::protocol::{Answer, Protocol, Request};
use crate::safety::ReadOnly;
use crate::wire::Reader;

/// The device itself.
const SELF: u8 = 0xFF;

/// What these exchanges say; `None` if nobody answered in this protocol.
pub(super) fn interpret(exchanges: &[&Exchange]) -> Option<Asset> {
    let units = by_unit(exchanges);
    let (_, first) = units.first_key_value()?;
    let any = first.exchanges.first()?;
    let mut asset = Asset::new(any.zone.clone(), any.address);
    let root = root_unit(&units);
    let root_says = root.and_then(|unit| units.get(&unit)).map(Unit::says).unwrap_or_default();
    // Who refuses one unit as absent looks at it: then those that say the same are alike, not one.
    let looks = units.values().any(Unit::is_absent);
    for (number, unit) in &units {
        let port = unit.exchanges.first()?.port;
        if Some(*number) == root {
            unit.describe(&mut asset.node);
        } else if !unit.is_absent() && (looks || !root_says.is_superset(&unit.says())) {
            let node = asset.child(Modbus::NAME, port, &number.to_string());
            unit.describe(node);
        }
    }
    for exchange in exchanges.iter().filter(|exchange| answer(exchange).is_some()) {
        describe_service(&mut asset, exchange);
    }
    Some(asset)
}

/// One question and its answer, without headers.
pub(super) type Said = (Vec<u8>, Vec<u8>);

/// What this exchange says, whatever unit says it.
pub(super) fn said(exchange: &Exchange) -> Option<Said> {
    const HEADER: usize = 7;
    let pdu = |bytes: &[u8]| bytes.get(HEADER..).map(<[u8]>::to_vec);
    Some((pdu(exchange.request.as_ref())?, pdu(exchange.response.as_ref())?))
}

/// What one unit was asked and answered.
struct Unit<'a> {
    exchanges: Vec<&'a Exchange>,
}

fn by_unit<'a>(exchanges: &[&'a Exchange]) -> BTreeMap<u8, Unit<'a>> {
    let mut units: BTreeMap<u8, Unit<'a>> = BTreeMap::new();
    for exchange in exchanges.iter().filter(|exchange| answer(exchange).is_some()) {
        if let Some(unit) = unit_of(exchange) {
            let entry = units.entry(unit).or_insert_with(|| Unit { exchanges: Vec::new() });
            entry.exchanges.push(exchange);
        }
    }
    units
}

/// The unit that is the device itself: 255 if it answered, else the only one that did.
fn root_unit(units: &BTreeMap<u8, Unit<'_>>) -> Option<u8> {
    let present: Vec<u8> =
        units.iter().filter(|(_, unit)| !unit.is_absent()).map(|(number, _)| *number).collect();
    match present.as_slice() {
        _ if present.contains(&SELF) => Some(SELF),
        [only] => Some(*only),
        _ => None,
    }
}

impl Unit<'_> {
    /// A gateway said that nobody is there.
    fn is_absent(&self) -> bool {
        self.exchanges.iter().all(|exchange| match answer(exchange) {
            Some(Answer::Refusal { code, .. }) => exception::is_absent(code),
            _ => false,
        })
    }

    /// Every question and answer without the unit. A unit that says nothing but what the device
    /// itself says is the device itself: it does not look at the unit.
    fn says(&self) -> BTreeSet<Said> {
        self.exchanges.iter().filter_map(|exchange| said(exchange)).collect()
    }

    fn describe(&self, node: &mut Node) {
        for exchange in &self.exchanges {
            let evidence = Arc::new(Evidence::of(exchange));
            let mut says = Says { node, evidence };
            match function(exchange) {
                Some(Function::ReportServerId) => says.server_id(exchange),
                Some(Function::UmasReadId) => says.umas_id(exchange),
                Some(Function::UmasReadProjectInfo) => says.umas_project(exchange),
                Some(_) if sunspec(exchange).is_some() => says.sunspec(exchange),
                Some(_) => says.device_id(exchange),
                None => {}
            }
        }
    }
}

/// One exchange, turned into claims about one node.
struct Says<'a> {
    node: &'a mut Node,
    evidence: Arc<Evidence>,
}

impl Says<'_> {
    fn device_id(&mut self, exchange: &Exchange) {
        let Some(page) = device_id(exchange).and_then(|request| body(&request, exchange)) else {
            return;
        };
        for (object, value) in page.objects {
            let field = match object {
                0x00 => Field::Vendor,
                0x01 => Field::ProductCode,
                0x02 => Field::Firmware,
                0x03 => Field::VendorUrl,
                0x04 => Field::ProductName,
                0x05 => Field::Model,
                0x06 => Field::UserApplication,
                _ => continue, // private objects mean something else to every maker
            };
            self.identity(field, &value);
            if field == Field::ProductCode {
                self.model_of(&value);
            }
        }
    }

    /// Many devices have no model name; then the product code is what people call them by. Said
    /// only as a conclusion, so that a name that the device gives itself outranks it.
    fn model_of(&mut self, product_code: &[u8]) {
        let evidence = Arc::new(Evidence::rule("modbus/product-code-as-model", &self.evidence));
        let (value, confidence) = (decode(product_code), Confidence::Inferred);
        self.node.identity.report(Field::Model, Claim { confidence, evidence, value });
    }

    fn server_id(&mut self, exchange: &Exchange) {
        let Some(id) = body(&ReportServerId, exchange) else { return };
        self.identity(Field::DeviceName, &id.text);
        if let Some(run) = id.run {
            let value = if run == Run::On { "on" } else { "off" };
            self.state(StateField::RunIndicator, value);
        }
    }

    fn umas_id(&mut self, exchange: &Exchange) {
        let Some(cpu) = body(&UmasReadId, exchange) else { return };
        self.identity(Field::Model, &cpu.name);
        self.identity(Field::Firmware, cpu.firmware().as_bytes());
        self.identity(Field::HardwareRevision, cpu.hardware_version.to_string().as_bytes());
    }

    fn umas_project(&mut self, exchange: &Exchange) {
        let Some(project) = body(&UmasReadProjectInfo, exchange) else { return };
        self.state(StateField::ProjectName, &decode(&project.name));
        self.state(StateField::ProjectRevision, &project.revision_text());
        if let Some(changed) = project.changed {
            self.state(StateField::ProjectChanged, &changed.to_string());
        }
    }

    fn sunspec(&mut self, exchange: &Exchange) {
        let Some(common) = sunspec(exchange).and_then(|request| body(&request, exchange)) else {
            return;
        };
        self.identity(Field::Vendor, &common.manufacturer);
        self.identity(Field::Model, &common.model);
        self.identity(Field::SerialNumber, &common.serial_number);
        self.identity(Field::Firmware, &common.version);
    }

    fn identity(&mut self, field: Field, value: &[u8]) {
        let claim = self.claim(&decode(value));
        self.node.identity.report(field, claim);
    }

    fn state(&mut self, field: StateField, value: &str) {
        let claim = self.claim(value);
        self.node.state.add(field, claim);
    }

    fn claim(&self, value: &str) -> Claim {
        let evidence = Arc::clone(&self.evidence);
        Claim { confidence: Confidence::Reported, evidence, value: value.to_owned() }
    }
}

/// That it speaks Modbus, for which unit, and how much of it.
fn describe_service(asset: &mut Asset, exchange: &Exchange) {
    let key = ServiceKey {
        protocol: Modbus::NAME.to_owned(),
        transport: exchange.transport,
        port: exchange.port,
    };
    let evidence = Arc::new(Evidence::of(exchange));
    let claim = |value: String| Claim {
        confidence: Confidence::Reported,
        evidence: Arc::clone(&evidence),
        value,
    };
    let service = asset.node.service(key);
    let page = device_id(exchange).and_then(|request| body(&request, exchange));
    if let Some(page) = page.filter(|page| page.conformity.highest().is_some()) {
        service.add(ServiceField::Conformity, claim(format!("{:#04x}", page.conformity.0)));
    }
}

fn answer(exchange: &Exchange) -> Option<Answer<'_>> {
    Modbus::answer(exchange.request.as_ref(), exchange.response.as_ref()).ok().flatten()
}

/// The answer to `request`, if this exchange holds one.
fn body<R: Request<Modbus>>(request: &R, exchange: &Exchange) -> Option<R::Reply> {
    match answer(exchange)? {
        Answer::Body(body) => request.read(&mut Reader::new(body)).ok(),
        Answer::Refusal { .. } => None,
    }
}

fn unit_of(exchange: &Exchange) -> Option<u8> {
    let mut r = Reader::new(exchange.request.as_ref());
    r.take(6, "header").ok()?;
    r.u8("unit id").ok()
}

/// What this exchange asked, read back from its bytes.
fn function(exchange: &Exchange) -> Option<Function> {
    let selector = Modbus::selector(exchange.request.as_ref()).ok()?;
    Function::ALL.iter().copied().find(|function| function.facts().selector == selector)
}

/// The question for identification objects that this exchange asked.
fn device_id(exchange: &Exchange) -> Option<ReadDeviceId> {
    let code = match function(exchange)? {
        Function::ReadDeviceIdBasic => Code::Basic,
        Function::ReadDeviceIdRegular => Code::Regular,
        Function::ReadDeviceIdExtended => Code::Extended,
        Function::ReadDeviceIdIndividual => Code::Individual,
        _ => return None,
    };
    Some(ReadDeviceId { code, object: *exchange.request.as_ref().last()? })
}

/// The question for the common model that this exchange asked.
fn sunspec(exchange: &Exchange) -> Option<SunSpecCommon> {
    let asked = function(exchange)?;
    let requests = Base::ALL.into_iter().map(|base| SunSpecCommon { base });
    { requests }.find(|request| request.function() == asked)
}
