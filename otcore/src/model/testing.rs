//! Only for tests: random plants, as several sources in several zones see them.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;

use super::{
    Asset, Claim, Confidence, Evidence, Field, HexBytes, InterfaceField, Inventory, Method, Node,
    ServiceKey, StateField, Transport,
};

/// The device at 10.0.0.`last`.
pub(crate) fn asset(zone: &str, last: u8) -> Asset {
    Asset::new(zone.parse().unwrap(), IpAddr::from([10, 0, 0, last]))
}

/// What a device says of itself, in no exchange in particular.
pub(crate) fn said(value: &str) -> Claim {
    claim("modbus", 502, &[1], value)
}

/// What a device says of itself in answer to `request`.
pub(crate) fn claim(protocol: &str, port: u16, request: &[u8], value: &str) -> Claim {
    let evidence = Evidence {
        at: Timestamp::UNIX_EPOCH,
        source: "tester".parse().unwrap(),
        method: Method::Active,
        protocol: protocol.to_owned(),
        port,
        function: "ReadDeviceIdBasic".into(),
        rule: None,
        request: HexBytes::from(request.to_vec()),
        response: HexBytes::default(),
    };
    Claim {
        confidence: Confidence::Reported,
        evidence: Arc::new(evidence),
        value: value.to_owned(),
    }
}

/// Claims from two sources at a few times, with few values, so that they meet and contradict.
fn any_claim() -> impl Strategy<Value = Claim> {
    let confidence = prop_oneof![
        Just(Confidence::Inferred),
        Just(Confidence::Reported),
        Just(Confidence::Entered)
    ];
    let protocol = prop_oneof![Just(("modbus", 502)), Just(("s7", 102))];
    let value =
        prop_oneof!["[xyz]", Just("Serial 4711".to_owned()), Just("00:1b:1b:1d:1a:2d".to_owned())];
    let parts = (confidence, protocol, 0_i64..4, "[ab]", value, 0_u8..3);
    parts.prop_map(|(confidence, (protocol, port), second, source, value, request)| {
        let plain = claim(protocol, port, &[request], &value);
        let at = Timestamp::from_second(second).unwrap();
        let source = source.parse().unwrap();
        let evidence = Arc::new(Evidence { at, source, ..(*plain.evidence).clone() });
        Claim { confidence, evidence, value }
    })
}

fn put(node: &mut Node, place: u8, claim: Claim) {
    let Evidence { protocol, port, .. } = &*claim.evidence;
    let transport = Transport::Tcp;
    node.service(ServiceKey { protocol: protocol.clone(), transport, port: *port });
    match place {
        0 => node.identity.add(Field::Vendor, claim),
        1 => node.identity.add(Field::Model, claim),
        2 => node.identity.add(Field::SerialNumber, claim),
        3 => node.state.add(StateField::RunIndicator, claim),
        _ => node.interfaces.entry("1".into()).or_default().add(InterfaceField::Mac, claim),
    }
}

fn any_asset() -> impl Strategy<Value = Asset> {
    let spot = (prop_oneof![Just("a"), Just("b")], 1_u8..5);
    let claims = prop::collection::vec((0_u8..3, 0_u8..5, any_claim()), 0..8);
    (spot, claims).prop_map(|((zone, last), claims)| {
        let mut found = asset(zone, last);
        for (within, place, claim) in claims {
            match within {
                0 => put(&mut found.node, place, claim),
                1 => put(found.module("s7", 102, "0/2"), place, claim),
                _ => put(found.child("modbus", 502, "17"), place, claim),
            }
        }
        found
    })
}

/// What somebody may know.
pub(crate) fn inventories() -> impl Strategy<Value = Inventory> {
    prop::collection::vec(any_asset(), 0..7).prop_map(|assets| {
        let mut inventory = Inventory::default();
        assets.into_iter().for_each(|asset| inventory.add(asset));
        inventory
    })
}
