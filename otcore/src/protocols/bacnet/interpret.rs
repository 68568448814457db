//! What BACnet answers say about a device: from raw bytes to claims, without a packet.

mod says;
mod service;

use std::sync::Arc;

use says::Says;
use service::Services;

use super::{
    Address, Bacnet, DEVICE, Function, IAm, ObjectId, Value, WILDCARD, asked_for, properties,
    property_of,
};
use crate::model::{Asset, Evidence, Exchange, Node, ServiceKey};
use crate::protocol::{Answer, Protocol};
use crate::safety::ReadOnly;
use crate::wire::Reader;

pub(super) const VENDOR_NAME: u32 = 121;
pub(super) const MODEL_NAME: u32 = 70;
pub(super) const PROTOCOL_REVISION: u32 = 139;

/// What these exchanges say; `None` if nobody answered in BACnet.
pub(super) fn interpret(exchanges: &[&Exchange]) -> Option<Asset> {
    let first = exchanges.iter().find(|exchange| answer(exchange).is_some())?;
    let mut asset = Asset::new(first.zone.clone(), first.address);
    let itself = exchanges.iter().find_map(|exchange| number_of_device(exchange));
    let mut services = Services::default();
    for exchange in exchanges {
        let Some(answer) = answer(exchange) else { continue };
        asset.node.service(key(exchange));
        let (Answer::Body(body), Some(function)) = (answer, function(exchange)) else { continue };
        let says = Says { evidence: Arc::new(Evidence::of(exchange)), key: key(exchange) };
        match function {
            Function::WhoIs | Function::RoutedWhoIs | Function::CallEverybody => {
                let Ok(i_am) = IAm::read(body) else { continue };
                if speaks_for(&i_am, exchange) {
                    let place = Place::of(i_am.from, i_am.instance, itself);
                    says.vendor_number(place.node(&mut asset, exchange.port), i_am.vendor.into());
                    services.i_am(&place, &i_am, &says);
                }
            }
            function if property_of(function).is_none() => {
                services.table(function, body, &says);
            }
            function => {
                let Some((to, object)) = asked_for(exchange.request.as_ref()) else { continue };
                let number = if object.kind == DEVICE { object.instance } else { WILDCARD };
                let place = Place::of(to, number, itself);
                let values = values(function, body);
                let node = place.node(&mut asset, exchange.port);
                says.values(node, &values);
                services.values(&place, &values, &says);
            }
        }
    }
    services.told(&mut asset);
    Some(asset)
}

/// One value, and what it is of.
#[derive(Clone, Debug, PartialEq)]
struct Given {
    /// The number of the property.
    property: u32,
    /// Which element of it.
    element: Option<u32>,
    value: Value,
}

/// The values in an answer to a read.
fn values(function: Function, body: &[u8]) -> Vec<Given> {
    if let Some((property, element)) = property_of(function).filter(|_| !is_several(function)) {
        return vec![Given { property, element, value: Value::alone(body) }];
    }
    let found = properties(&mut Reader::new(body)).unwrap_or_default().into_iter();
    let given = found.map(|one| {
        let value = one.found.ok()?;
        Some(Given { property: one.number, element: one.element, value })
    });
    given.flatten().collect()
}

fn is_several(function: Function) -> bool {
    matches!(function.facts().selector.path(), [_, _, _, 0x0E, ..])
}

/// Whose node an answer belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Itself,
    Beside(u32),
    Behind(Address),
}

impl Place {
    /// Who answers from another network is behind it; under another number, beside it.
    fn of(from: Option<Address>, instance: u32, itself: Option<u32>) -> Self {
        match (from, itself) {
            (Some(address), _) => Self::Behind(address),
            (None, Some(itself)) if ![itself, WILDCARD].contains(&instance) => {
                Self::Beside(instance)
            }
            (None, _) => Self::Itself,
        }
    }

    fn node<'a>(&self, asset: &'a mut Asset, port: u16) -> &'a mut Node {
        match self {
            Self::Itself => &mut asset.node,
            Self::Beside(instance) => {
                asset.child(Bacnet::NAME, port, &format!("device.{instance}"))
            }
            Self::Behind(address) => asset.child(Bacnet::NAME, port, &address.to_string()),
        }
    }
}

/// What a value says where a probe wants to know it.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.shown()),
        _ => None,
    }
}

/// Whether an I-Am is the word of the device at this address: others' are handed on by a BBMD.
fn speaks_for(i_am: &IAm, exchange: &Exchange) -> bool {
    i_am.origin.is_none_or(|origin| Some(exchange.address) == Some(origin.ip.into()))
}

/// The number of the device at the address itself: what it answered for, or called back.
fn number_of_device(exchange: &Exchange) -> Option<u32> {
    let Answer::Body(body) = answer(exchange)? else { return None };
    match function(exchange)? {
        Function::ReadObjectIdentifier => match Value::alone(body) {
            Value::Object(ObjectId { kind: DEVICE, instance }) => Some(instance),
            _ => None,
        },
        Function::WhoIs | Function::CallEverybody => {
            let i_am = IAm::read(body).ok()?;
            let own = i_am.from.is_none() && speaks_for(&i_am, exchange);
            own.then_some(i_am.instance)
        }
        _ => None,
    }
}

fn key(exchange: &Exchange) -> ServiceKey {
    ServiceKey {
        protocol: Bacnet::NAME.to_owned(),
        transport: exchange.transport,
        port: exchange.port,
    }
}

fn answer(exchange: &Exchange) -> Option<Answer<'_>> {
    Bacnet::answer(exchange.request.as_ref(), exchange.response.as_ref()).ok().flatten()
}

/// What this exchange asked, read back from its bytes.
fn function(exchange: &Exchange) -> Option<Function> {
    let selector = Bacnet::selector(exchange.request.as_ref()).ok()?;
    Function::ALL.iter().copied().find(|function| function.facts().selector == selector)
}
