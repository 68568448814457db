//! Values turned into claims about who a device is and how it is.

use std::sync::Arc;

use super::Given;
use crate::model::{
    Claim, Confidence, Evidence, Field, InterfaceField, Node, ServiceKey, StateField,
};
use crate::protocols::bacnet::{Value, data, moment};

/// The interface that the questions came in by.
const INTERFACE: &str = "bacnet";

/// One answer, turned into claims.
#[derive(Clone)]
pub(super) struct Says {
    pub(super) evidence: Arc<Evidence>,
    pub(super) key: ServiceKey,
}

impl Says {
    pub(super) fn values(&self, node: &mut Node, values: &[Given]) {
        for given in values.iter().filter(|given| given.element.is_none()) {
            self.identity(node, given.property, &given.value);
            self.state(node, given.property, &given.value);
        }
        self.clock(node, values);
        self.network_port(node, values);
    }

    /// Numbers of properties: ASHRAE 135, clause 21, `BACnetPropertyIdentifier`.
    fn identity(&self, node: &mut Node, property: u32, value: &Value) {
        let field = match (property, value) {
            (12, _) => Field::UserApplication,
            (28, _) => Field::Description,
            (44, _) => Field::Firmware,
            (58, _) => Field::Location,
            (70, _) => Field::Model,
            (77, _) => Field::DeviceName,
            (121, _) => Field::Vendor,
            (372, _) => Field::SerialNumber,
            (120, Value::Unsigned(number)) => return self.vendor_number(node, *number),
            (507, Value::Octets(bytes)) => return self.uuid(node, bytes),
            _ => return,
        };
        if let Value::Text(text) = value {
            node.identity.report(field, self.claim(&text.shown()));
        }
    }

    /// A number that ASHRAE gave out; what it stands for is in the tables. The name that a device says
    /// is the better one, since many are sold under others' names.
    pub(super) fn vendor_number(&self, node: &mut Node, number: u64) {
        node.identity.report(Field::VendorId, self.claim(&format!("bacnet:{number}")));
    }

    fn uuid(&self, node: &mut Node, bytes: &[u8]) {
        let Ok(bytes) = <[u8; 16]>::try_from(bytes) else { return };
        if bytes == [0; 16] {
            return; // it was never given one
        }
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut rest = hex.as_str();
        let mut parts = Vec::with_capacity(5);
        for length in [8, 4, 4, 4, 12] {
            let (part, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
            parts.push(part);
            rest = after;
        }
        node.identity.report(Field::DeviceUuid, self.claim(&parts.join("-")));
    }

    fn state(&self, node: &mut Node, property: u32, value: &Value) {
        let (field, text) = match (property, value) {
            (112, Value::Enumerated(status)) => {
                let words = data::system_status(*status).unwrap_or("a status of its maker");
                (StateField::Health, format!("{words} (status {status})"))
            }
            (155, Value::Unsigned(revision)) => {
                (StateField::ConfigurationDigest, format!("database revision {revision}"))
            }
            (196, Value::Enumerated(reason)) => {
                let words = data::restart_reason(*reason).map(str::to_owned);
                let words = words.unwrap_or_else(|| format!("reason {reason} of its maker"));
                (StateField::RestartReason, words)
            }
            (203, Value::Constructed(stamp)) => {
                match moment(stamp).and_then(|(date, time)| point(date, time)) {
                    Some(point) => (StateField::RestartTime, point),
                    None => return,
                }
            }
            _ => return,
        };
        node.state.add(field, self.claim(&text));
    }

    /// Date and time are two properties, and one clock.
    fn clock(&self, node: &mut Node, values: &[Given]) {
        let of = |property| values.iter().find(|given| given.property == property);
        if let (
            Some(Given { value: Value::Date(date), .. }),
            Some(Given { value: Value::Time(time), .. }),
        ) = (of(56), of(57))
            && let Some(point) = point(*date, *time)
        {
            node.state.add(StateField::Clock, self.claim(&point));
        }
    }

    fn network_port(&self, node: &mut Node, values: &[Given]) {
        let of = |property| values.iter().find(|g| g.property == property).map(|g| &g.value);
        let address = |property| match of(property) {
            Some(Value::Octets(bytes)) => <[u8; 4]>::try_from(bytes.as_slice()).ok(),
            _ => None,
        };
        for (field, property) in
            [(InterfaceField::Ip, 400), (InterfaceField::Mask, 411), (InterfaceField::Gateway, 401)]
        {
            if let Some(address) = address(property).filter(|address| *address != [0; 4]) {
                let address = address.map(|byte| byte.to_string()).join(".");
                self.interface(node, field, &address);
            }
        }
        // Of a port for IP the address of the link is the IP address again, and no hardware's.
        const ETHERNET: Value = Value::Enumerated(0);
        if let Some(Value::Octets(mac)) = of(423)
            && of(427) == Some(&ETHERNET)
            && mac.len() == 6
        {
            let mac: Vec<String> = mac.iter().map(|byte| format!("{byte:02x}")).collect();
            self.interface(node, InterfaceField::Mac, &mac.join(":"));
        }
        if let Some(Value::Real(speed)) = of(420)
            && *speed > 0.0
        {
            let speed = match *speed {
                speed if speed >= 1e6 => format!("{} Mbit/s", speed / 1e6),
                speed => format!("{speed} bit/s"),
            };
            self.interface(node, InterfaceField::Speed, &speed);
        }
    }

    fn interface(&self, node: &mut Node, field: InterfaceField, value: &str) {
        let claim = self.claim(value);
        node.interfaces.entry(INTERFACE.to_owned()).or_default().add(field, claim);
    }

    pub(super) fn claim(&self, value: &str) -> Claim {
        let evidence = Arc::clone(&self.evidence);
        Claim { confidence: Confidence::Reported, evidence, value: value.to_owned() }
    }
}

/// `None` for what leaves something open.
fn point([year, month, day, _]: [u8; 4], [hour, minute, second, _]: [u8; 4]) -> Option<String> {
    const ANY: u8 = 255;
    let is_whole = ![year, month, day, hour, minute, second].contains(&ANY);
    is_whole.then(|| {
        let year = 1900 + u16::from(year);
        format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    })
}
