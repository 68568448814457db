//! What DNP3 answers say about a device: from raw bytes to claims, without a packet.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Attributes, Dnp3, Function, Heard, Indications, Value, words};
use crate::model::{
    Asset, Claim, Confidence, Evidence, Exchange, Field, Node, ServiceField, ServiceKey, StateField,
};
use crate::protocol::{Answer, Protocol};
use crate::safety::ReadOnly;

/// What these exchanges say; `None` if nobody answered in DNP3.
pub(super) fn interpret(exchanges: &[&Exchange]) -> Option<Asset> {
    let mut outstations: BTreeMap<u16, Outstation> = BTreeMap::new();
    let mut asset: Option<Asset> = None;
    for exchange in exchanges {
        let Some((address, said)) = said(exchange) else { continue };
        let asset =
            asset.get_or_insert_with(|| Asset::new(exchange.zone.clone(), exchange.address));
        let key = key(exchange);
        asset.node.service(key.clone());
        let outstation = outstations.entry(address).or_default();
        outstation.key.get_or_insert((key, exchange.port));
        outstation.hear(said, &Arc::new(Evidence::of(exchange)));
    }
    let mut asset = asset?;
    let is_alone = outstations.len() == 1;
    for (address, outstation) in outstations {
        let Some((key, port)) = outstation.key.clone() else { continue };
        // One outstation is the device itself; where there are several, each is a station of its own.
        let node = match is_alone {
            true => &mut asset.node,
            false => asset.child(Dnp3::NAME, port, &address.to_string()),
        };
        outstation.tell(address, key, node);
    }
    Some(asset)
}

/// What one exchange says.
enum Said {
    Link(Heard),
    Attributes(Attributes),
    Refusal(Indications),
}

/// Who says what; `None` if it is no answer.
fn said(exchange: &Exchange) -> Option<(u16, Said)> {
    let message = exchange.response.as_ref();
    let answer = Dnp3::answer(exchange.request.as_ref(), message).ok()??;
    let is = |function: Function| exchange.function == function.facts().name;
    match answer {
        Answer::Body(body) if is(Function::RequestLinkStatus) => {
            let heard = Heard::read(body).ok()?;
            Some((heard.outstation, Said::Link(heard)))
        }
        Answer::Body(body) => {
            let attributes = Attributes::read(body).ok()?;
            Some((attributes.outstation, Said::Attributes(attributes)))
        }
        Answer::Refusal { code, .. } => {
            let from = super::Header::of(message).ok()?.from;
            let indications = Indications(u16::try_from(code).ok()?);
            Some((from, Said::Refusal(indications)))
        }
    }
}

/// Everything that one outstation said.
#[derive(Default)]
struct Outstation {
    key: Option<(ServiceKey, u16)>,
    /// Where it was heard first.
    link: Option<Arc<Evidence>>,
    /// Its master, if it spoke to it.
    master: Option<(u16, Arc<Evidence>)>,
    /// How it was when it was heard last.
    indications: Option<(Indications, Arc<Evidence>)>,
    attributes: BTreeMap<u8, (Value, Arc<Evidence>)>,
    /// Its last answer to a read was but a part.
    is_partial: bool,
}

impl Outstation {
    fn hear(&mut self, said: Said, evidence: &Arc<Evidence>) {
        self.link.get_or_insert_with(|| Arc::clone(evidence));
        let indications = match said {
            Said::Link(heard) => {
                if let Some(master) = heard.master {
                    self.master.get_or_insert((master, Arc::clone(evidence)));
                }
                heard.indications
            }
            Said::Refusal(indications) => Some(indications),
            Said::Attributes(said) => {
                self.is_partial |= !said.is_complete;
                for attribute in said.attributes {
                    let known = (attribute.value, Arc::clone(evidence));
                    self.attributes.entry(attribute.variation).or_insert(known);
                }
                Some(said.indications)
            }
        };
        if let Some(indications) = indications {
            self.indications = Some((indications, Arc::clone(evidence)));
        }
    }

    fn tell(&self, address: u16, key: ServiceKey, node: &mut Node) {
        for (variation, field) in IDENTITY {
            if let Some((text, evidence)) = self.text(variation) {
                node.identity.report(field, claim(text, evidence));
            }
        }
        if self.text(LOCATION).is_none()
            && let Some((text, evidence)) = self.tells(words::place)
        {
            node.identity.report(Field::Location, claim(text, evidence));
        }
        self.state(node);
        let service = node.service(key);
        let mut add = |field, (text, evidence): (String, &Arc<Evidence>)| {
            if !text.is_empty() {
                service.add(field, claim(text, evidence));
            }
        };
        if let Some(evidence) = &self.link {
            add(ServiceField::Unit, (address.to_string(), evidence));
        }
        if let Some(text) = self.text(CONFORMANCE) {
            add(ServiceField::Conformity, text);
        }
        let summaries: [(ServiceField, words::Summary); 3] = [
            (ServiceField::Dialect, words::authentication),
            (ServiceField::Objects, words::objects),
            (ServiceField::Limits, words::limits),
        ];
        for (field, summary) in summaries {
            if let Some(told) = self.tells(summary) {
                add(field, told);
            }
        }
        if let Some(told) = self.note() {
            add(ServiceField::Note, told);
        }
    }

    fn state(&self, node: &mut Node) {
        if let Some((indications, evidence)) = &self.indications {
            let mut troubles: Vec<&str> = indications.troubles().collect();
            if troubles.is_empty() {
                troubles.push("no trouble is reported");
            }
            // What differs from one question to the next says nothing of the device.
            let text = troubles.join(", ");
            node.state.add(StateField::Health, claim(text, evidence));
        }
        for (variations, field) in STATE {
            let known = variations.iter().find_map(|variation| self.text(*variation));
            if let Some((text, evidence)) = known.filter(|(text, _)| !text.is_empty()) {
                node.state.add(field, claim(text, evidence));
            }
        }
        if let Some((text, evidence)) = self.tells(words::digest) {
            node.state.add(StateField::ConfigurationDigest, claim(text, evidence));
        }
    }

    /// What an operator should know besides.
    fn note(&self) -> Option<(String, &Arc<Evidence>)> {
        let mut parts = Vec::new();
        if let Some((master, evidence)) = &self.master {
            parts.push((format!("speaks to the master with link address {master}"), evidence));
        }
        parts.extend(self.tells(words::further).filter(|(text, _)| !text.is_empty()));
        if self.is_partial
            && let Some((_, evidence)) = &self.indications
        {
            parts.push(("has more to say than one answer holds".to_owned(), evidence));
        }
        let (_, evidence) = parts.first()?;
        let evidence = *evidence;
        let text = parts.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join("; ");
        Some((text, evidence))
    }

    fn text(&self, variation: u8) -> Option<(String, &Arc<Evidence>)> {
        let (value, evidence) = self.attributes.get(&variation)?;
        Some((words::of(value), evidence))
    }

    /// What several attributes say together, with the evidence of the first.
    fn tells(&self, summary: words::Summary) -> Option<(String, &Arc<Evidence>)> {
        let known = |variation: u8| self.attributes.get(&variation).map(|(value, _)| value);
        let (text, first) = summary(&known)?;
        Some((text, &self.attributes.get(&first)?.1))
    }
}

const LOCATION: u8 = 245;
const CONFORMANCE: u8 = 249;

/// Attributes that are fields of their own.
const IDENTITY: [(u8, Field); 10] = [
    (252, Field::Vendor),
    (250, Field::Model),
    (248, Field::SerialNumber),
    (242, Field::Firmware),
    (243, Field::HardwareRevision),
    (247, Field::DeviceName),
    (246, Field::PlantId),
    (LOCATION, Field::Location),
    (244, Field::Owner),
    (208, Field::Description),
];

/// The same of its configuration: the first that it has.
const STATE: [(&[u8], StateField); 3] = [
    (&[196], StateField::ProjectName),
    (&[197], StateField::ProjectRevision),
    (&[199, 198], StateField::ProjectChanged),
];

fn claim(value: String, evidence: &Arc<Evidence>) -> Claim {
    Claim { confidence: Confidence::Reported, evidence: Arc::clone(evidence), value }
}

fn key(exchange: &Exchange) -> ServiceKey {
    let (protocol, transport, port) = (Dnp3::NAME.to_owned(), exchange.transport, exchange.port);
    ServiceKey { protocol, transport, port }
}
