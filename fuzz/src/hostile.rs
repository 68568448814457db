//! An inventory in which every text is one that somebody hostile chose.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;
use otcore::Asset;
use otcore::model::{
    Claim, Confidence, Document, Evidence, Field, HexBytes, Method, Named, Outcome, OutcomeRecord,
    ServiceKey, StateField, Transport,
};

/// Two devices, a module and a child whose texts are the lines of `text`, in turn, as they are.
#[must_use]
pub fn document(text: &str) -> Document {
    let mut lines = text.split('\n').cycle().map(str::to_owned);
    let mut next = || lines.next().unwrap_or_default();
    let mut document = Document::default();
    for host in [7, 8] {
        let address = IpAddr::from([10, 0, 4, host]);
        let mut asset = Asset::new("line-3".parse().expect("a zone"), address);
        for field in Field::ALL {
            asset.node.identity.add(*field, claim(next()));
        }
        for field in StateField::ALL {
            asset.node.state.add(*field, claim(next()));
        }
        let key = ServiceKey { protocol: "modbus".into(), transport: Transport::Tcp, port: 502 };
        asset.node.service(key);
        asset.module("modbus", 502, "1").identity.add(Field::Model, claim(next()));
        asset.child("modbus", 502, "2").identity.add(Field::Vendor, claim(next()));
        let zone = asset.zone().clone();
        let mut outcome = OutcomeRecord::new(zone, address, "modbus", 502, Outcome::Malformed);
        outcome.detail = Some(next());
        document.outcomes.push(outcome);
        document.assets.add(asset);
    }
    document
}

fn claim(value: String) -> Claim {
    let evidence = Evidence {
        at: Timestamp::UNIX_EPOCH,
        source: otcore::Source::default(),
        method: Method::Import,
        protocol: value.clone(),
        port: 502,
        function: value.clone(),
        rule: Some(value.clone()),
        request: HexBytes::default(),
        response: HexBytes::default(),
    };
    Claim { confidence: Confidence::Likely, evidence: Arc::new(evidence), value }
}
