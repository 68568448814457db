//! What does not fit together in what is known of a device.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Knowledge;
use crate::model::{
    Claim, Confidence, Evidence, Facts, Field, Finding, FindingKind, InterfaceField, Named, Node,
};

const TWO_MAKERS: &str = "conflict/two-makers";
const OTHER_MAKER: &str = "conflict/order-number-of-another-maker";
const OTHER_ADDRESS: &str = "conflict/hardware-address-of-another-maker";

/// What a person should look at in `node`. The claims stay as they are.
pub(super) fn findings(knowledge: &Knowledge, node: &Node) -> Vec<Finding> {
    let mut findings: Vec<Finding> = by_rules(knowledge, &node.identity).collect();
    findings.extend(two_makers(&node.identity));
    findings.extend(copied_identity(&node.identity));
    findings.extend(foreign_addresses(knowledge, node));
    findings
}

fn by_rules(knowledge: &Knowledge, identity: &Facts<Field>) -> impl Iterator<Item = Finding> {
    knowledge.rules().iter().filter_map(|rule| {
        let (found, basis) = (rule.finding.as_ref()?, rule.basis(identity)?);
        Some(finding(found.kind, found.reason.clone(), &rule.id, basis))
    })
}

/// Devices that say in two places that they are of two makers.
fn two_makers(identity: &Facts<Field>) -> Option<Finding> {
    if !identity.is_disputed(Field::Vendor) {
        return None;
    }
    let best = identity.best(Field::Vendor)?;
    let mut places: BTreeMap<(&str, u16), &Claim> = BTreeMap::new();
    for claim in identity.claims(Field::Vendor).filter(|c| c.confidence == best.confidence) {
        places.insert((&claim.evidence.protocol, claim.evidence.port), claim);
    }
    let said = |claim: &Claim| Field::Vendor.folded(&claim.value).into_owned();
    let other = places.values().find(|claim| said(claim) != said(best))?;
    let in_words = |claim: &Claim| {
        let Evidence { protocol, port, .. } = &*claim.evidence;
        format!("{} in {protocol} on port {port}", claim.value)
    };
    let reason = format!("it is of {}, and of {}", in_words(other), in_words(best));
    Some(finding(FindingKind::SpeaksForAnother, reason, TWO_MAKERS, best))
}

/// An order number, say, that only one maker gives out, and another name of the maker.
fn copied_identity(identity: &Facts<Field>) -> Option<Finding> {
    let best = identity.best(Field::Vendor).filter(|c| c.confidence > Confidence::Inferred)?;
    let said = Field::Vendor.folded(&best.value);
    let mut claims = identity.claims(Field::Vendor);
    let other = claims.find(|claim| {
        claim.confidence == Confidence::Inferred && Field::Vendor.folded(&claim.value) != said
    })?;
    let number = identity.value(Field::OrderNumber).map(|n| format!(" {n:?}")).unwrap_or_default();
    let reason = format!(
        "it says that it is of {}, but what it says of itself{number} is of {}",
        best.value, other.value
    );
    Some(finding(FindingKind::CopiedIdentity, reason, OTHER_MAKER, other))
}

/// Hardware addresses of makers who build devices of their own, but not this one.
fn foreign_addresses(knowledge: &Knowledge, node: &Node) -> Vec<Finding> {
    let Some(vendor) = node.identity.value(Field::Vendor) else { return Vec::new() };
    let mut findings = Vec::new();
    for interface in node.interfaces.values() {
        let Some(mac) = interface.best(InterfaceField::Mac) else { continue };
        let Some(maker) = knowledge.makers().of(&mac.value).filter(|m| !m.sells_parts) else {
            continue;
        };
        // Whoever has no canonical name may be a part of whoever has one.
        let (Some(of_address), Some(of_device)) =
            (knowledge.vendor(&maker.name), knowledge.vendor(vendor))
        else {
            continue;
        };
        if of_address != of_device {
            let reason = format!("its hardware address was given to {of_address}, not to {vendor}");
            findings.push(finding(FindingKind::ForeignHardwareAddress, reason, OTHER_ADDRESS, mac));
        }
    }
    findings
}

fn finding(kind: FindingKind, reason: String, rule: &str, basis: &Claim) -> Finding {
    Finding { kind, reason, evidence: Arc::new(Evidence::rule(rule, &basis.evidence)) }
}
