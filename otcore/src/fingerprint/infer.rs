//! From what is known of a device to what follows from it.

use std::sync::Arc;

use super::table::Match;
use super::{Knowledge, conflict, cpe};
use crate::model::{
    Asset, Claim, Confidence, Evidence, Exchange, Facts, Field, InterfaceField, Method, Node,
    order_number,
};
use crate::protocols;

/// The rule that says an order number again in the spelling of its maker.
const SPELLING: &str = "spelling/order-number";
/// The class of programs, also of those that pretend to be a device.
const SOFTWARE: &str = "software";

/// What exchanges with one device say, by the protocols and then by what is known: pure, so that
/// stored exchanges give the same asset again, in whatever order they were kept.
#[must_use]
pub fn interpret(knowledge: &Knowledge, exchanges: &[Exchange]) -> Option<Asset> {
    let mut whole: Option<Asset> = None;
    for probe in protocols::ALL {
        let of_protocol = |exchange: &&Exchange| exchange.protocol == probe.name();
        let mut exchanges: Vec<&Exchange> = exchanges.iter().filter(of_protocol).collect();
        // In the order they were asked in: some answers go on in the next one.
        exchanges.sort_by_key(|exchange| exchange.at);
        let Some(asset) = probe.interpret(&exchanges) else { continue };
        match &mut whole {
            None => whole = Some(asset),
            Some(whole) => {
                // One device, so one key: merging cannot be refused.
                let _ = whole.merge(asset);
            }
        }
    }
    if let Some(asset) = &mut whole {
        infer(knowledge, asset);
    }
    whole
}

/// Add what follows from what is known of `asset` and of everything below it.
///
/// A conclusion keeps the bytes it stands on: the evidence of the first fact that its rule looked
/// at, with the id of the rule. Pure, and adding it twice changes nothing.
pub fn infer(knowledge: &Knowledge, asset: &mut Asset) {
    asset.for_each_node(|node| {
        // Conclusions are drawn from conclusions. There are only so many that the rules can draw
        // from the evidence there is, and none is taken back, so this ends.
        while learn(knowledge, &mut node.identity) {}
        name_makers(knowledge, node);
        let findings = conflict::findings(knowledge, node);
        node.findings.extend(findings);
    });
}

/// Add what follows, and say whether anything of it is new.
fn learn(knowledge: &Knowledge, identity: &mut Facts<Field>) -> bool {
    let mut conclusions = Vec::new();
    for row in knowledge.tables().iter().flat_map(|table| table.matches(identity)) {
        by_row(knowledge, identity, row, &mut conclusions);
    }
    by_rules(knowledge, identity, &mut conclusions);
    by_spelling(identity, &mut conclusions);
    conclusions.retain(|(field, claim)| identity.claims(*field).all(|known| known != claim));
    let learned = !conclusions.is_empty();
    conclusions.into_iter().for_each(|(field, claim)| identity.add(field, claim));
    learned
}

type Conclusions = Vec<(Field, Claim)>;

fn by_row(
    knowledge: &Knowledge,
    identity: &Facts<Field>,
    row: Match<'_>,
    conclusions: &mut Conclusions,
) {
    let (rule, basis, row_confidence) = (row.rule, row.basis, row.confidence);
    for (column, value) in row.says() {
        let confidence = match column.rewords {
            true => basis.confidence,
            false => row_confidence,
        };
        if column.field == Field::CpeHardware {
            by_product(identity, (rule, value), basis, conclusions);
            continue;
        }
        let value = canonical(knowledge, column.field, value);
        let is_said = column.rewords && value == basis.value;
        if !is_said {
            conclusions.push((column.field, claim(rule, confidence, basis, value)));
        }
    }
}

/// The names of a product in the vulnerability database.
fn by_product(
    identity: &Facts<Field>,
    (rule, template): (&str, &str),
    basis: &Claim,
    conclusions: &mut Conclusions,
) {
    if identity.value(Field::DeviceClass) == Some(SOFTWARE) {
        return; // whoever gives itself out for the product does not have its faults
    }
    let product = cpe::product(template, identity.value(Field::Model).unwrap_or_default());
    let hardware = claim(rule, Confidence::Likely, basis, cpe::hardware(&product));
    conclusions.push((Field::CpeHardware, hardware));
    let Some(said) = identity.best(Field::Firmware) else { return };
    if let Some(name) = cpe::firmware(&product, &said.value) {
        conclusions.push((Field::CpeFirmware, claim(rule, Confidence::Likely, said, name)));
    }
}

fn by_rules(knowledge: &Knowledge, identity: &Facts<Field>, conclusions: &mut Conclusions) {
    for rule in knowledge.rules() {
        let Some(basis) = rule.basis(identity) else { continue };
        for (field, value) in &rule.then {
            let value = canonical(knowledge, *field, value);
            conclusions.push((*field, claim(&rule.id, rule.confidence, basis, value)));
        }
    }
}

/// Order numbers that devices spell otherwise than their makers do.
fn by_spelling(identity: &Facts<Field>, conclusions: &mut Conclusions) {
    for said in identity.claims(Field::OrderNumber) {
        let spelled = order_number(&said.value);
        if spelled != said.value && said.evidence.method != Method::Rule {
            let again = claim(SPELLING, said.confidence, said, spelled);
            conclusions.push((Field::OrderNumber, again));
        }
    }
}

/// Vendors have one name, whoever names them.
fn canonical(knowledge: &Knowledge, field: Field, value: &str) -> String {
    let vendor = Some(value).filter(|_| field == Field::Vendor);
    vendor.and_then(|name| knowledge.vendor(name)).unwrap_or(value).to_owned()
}

fn claim(rule: &str, confidence: Confidence, basis: &Claim, value: String) -> Claim {
    Claim { confidence, evidence: Arc::new(Evidence::rule(rule, &basis.evidence)), value }
}

/// To whom the hardware addresses were given.
fn name_makers(knowledge: &Knowledge, node: &mut Node) {
    for interface in node.interfaces.values_mut() {
        let Some(mac) = interface.best(InterfaceField::Mac) else { continue };
        let Some(maker) = knowledge.makers().of(&mac.value) else { continue };
        let name = canonical(knowledge, Field::Vendor, &maker.name);
        let claim = claim(&maker.rule, Confidence::Inferred, mac, name);
        interface.add(InterfaceField::Maker, claim);
    }
}
