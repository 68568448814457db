//! One device on the page: what is known of it, and on which bytes that stands.

use std::collections::BTreeSet;

use super::markup::Html;
use super::places::Places;
use super::rack::racks;
use crate::export::shown::{basis, moment};
use crate::model::{
    Asset, Claim, Device, Evidence, Facts, Field, Named, Node, Outcome, OutcomeRecord, StateField,
};

/// Bytes of a question or an answer that are shown at most; the rest is in the report as JSON.
const BYTES_SHOWN: usize = 96;

/// Everything of one device.
pub(super) fn device(asset: &Asset, records: &[&OutcomeRecord], places: &Places, html: &mut Html) {
    places.target(asset.path(), html);
    head(asset, records, html);
    facts_of(&asset.node, html);
    interfaces(&asset.node, html);
    racks(&asset.node, html);
    modules(&asset.node, html);
    conversations(records, html);
    evidence(&asset.node, html);
    html.raw("</article>");
}

fn head(asset: &Asset, records: &[&OutcomeRecord], html: &mut Html) {
    let headline = asset.node.headline();
    html.raw("<header><h3><bdi>");
    html.text(if headline.is_empty() { "Unnamed device" } else { &headline });
    html.raw(r#"</bdi></h3><span class="mono soft">"#).text(asset.path()).raw("</span>");
    if let Some(mode) = asset.node.state.value(StateField::OperatingMode) {
        let class = if mode.eq_ignore_ascii_case("run") { "good" } else { "odd" };
        badge(class, mode, html);
    }
    for outcome in telling(records.iter().map(|record| record.outcome)) {
        if outcome != Outcome::Identified {
            badge(tone(outcome), outcome.in_words(), html);
        }
    }
    html.raw("</header>");
}

/// How it went, each outcome once. Who spoke in one protocol need not speak another: that stands
/// in its conversations.
pub(super) fn telling(outcomes: impl Iterator<Item = Outcome>) -> BTreeSet<Outcome> {
    let mut outcomes: BTreeSet<Outcome> = outcomes.collect();
    if outcomes.contains(&Outcome::Identified) || outcomes.contains(&Outcome::PresentNoIdentity) {
        outcomes.retain(|outcome| {
            use Outcome::{NotReached, Refused, Silent, SkippedByPolicy, SkippedFresh};
            !matches!(outcome, Refused | Silent | NotReached | SkippedByPolicy | SkippedFresh)
        });
    }
    outcomes
}

/// A short word that stands out.
pub(super) fn badge(class: &'static str, text: &str, html: &mut Html) {
    html.raw(r#"<span class="badge "#).raw(class).raw(r#"">"#).text(text).raw("</span>");
}

/// How an outcome is coloured.
pub(super) fn tone(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Identified => "good",
        Outcome::WentDark => "bad",
        Outcome::Silent | Outcome::SkippedByPolicy | Outcome::SkippedFresh | Outcome::Aborted => {
            "quiet"
        }
        _ => "odd",
    }
}

fn facts_of(node: &Node, html: &mut Html) {
    if node.identity.is_empty() && node.state.is_empty() {
        html.raw(r#"<p class="soft">It says nothing about itself.</p>"#);
        return;
    }
    html.raw(r#"<table class="facts"><tbody>"#);
    rows(&node.identity, "", html);
    rows(&node.state, "", html);
    html.raw("</tbody></table>");
}

fn interfaces(node: &Node, html: &mut Html) {
    let services: Vec<_> = node.services.iter().filter(|(_, facts)| !facts.is_empty()).collect();
    if node.interfaces.is_empty() && services.is_empty() {
        return;
    }
    html.raw(r#"<h4>Interfaces and services</h4><table class="facts"><tbody>"#);
    for (name, facts) in &node.interfaces {
        rows(facts, &format!("{name}: "), html);
    }
    for (key, facts) in services {
        rows(facts, &format!("{}/{}: ", key.protocol, key.port), html);
    }
    html.raw("</tbody></table>");
}

/// A row for each field: what it is, what is said, from what.
fn rows<K: Named>(facts: &Facts<K>, before: &str, html: &mut Html) {
    for field in facts.fields() {
        let Some(best) = facts.best(field) else { continue };
        html.raw("<tr><td>").text(before).text(&field.name().replace('_', " "));
        html.raw("</td><td><bdi>").text(&best.value).raw("</bdi>");
        for rival in rivals(facts, field, best) {
            html.raw(r#"<br><span class="odd">disputed: <bdi>"#).text(rival).raw("</bdi></span>");
        }
        html.raw("</td><td>").text(&basis(best)).raw(r#" · <span class="when">"#);
        html.text(&moment(best.evidence.at)).raw("</span></td></tr>");
    }
}

/// What else is said with the same confidence.
pub(super) fn rivals<'a, K: Named>(
    facts: &'a Facts<K>,
    field: K,
    best: &'a Claim,
) -> BTreeSet<&'a str> {
    facts.rivals(field, best).map(|claim| claim.value.as_str()).collect()
}

/// What is plugged in and what lives behind, as a table below the drawing.
fn modules(node: &Node, html: &mut Html) {
    let nodes = below(node);
    if nodes.is_empty() {
        return;
    }
    html.raw(
        "<h4>Modules and devices behind</h4><div class=\"scroll\"><table class=\"parts\"><thead><tr>\
         <th>Place</th><th>Vendor</th><th>Model</th><th>Order number</th><th>Firmware</th><th>Serial number</th></tr></thead><tbody>",
    );
    for node in nodes {
        let place = node.path().splitn(3, '/').nth(2).unwrap_or_default();
        html.raw(r#"<tr><td class="mono">"#).text(place).raw("</td>");
        let model = [Field::Model, Field::ProductName, Field::DeviceName];
        let model = model.into_iter().find(|field| node.identity.best(*field).is_some());
        let fields = [
            Field::Vendor,
            model.unwrap_or(Field::Model),
            Field::OrderNumber,
            Field::Firmware,
            Field::SerialNumber,
        ];
        for field in fields {
            let value = node.identity.value(field).unwrap_or_default();
            html.raw("<td><bdi>").text(value).raw("</bdi></td>");
        }
        html.raw("</tr>");
    }
    html.raw("</tbody></table></div>");
}

fn below(node: &Node) -> Vec<&Node> {
    let mut direct: Vec<&Node> = node.modules.values().chain(node.children.values()).collect();
    direct.sort_by_key(|node| (node.place().parse().unwrap_or(u64::MAX), node.path()));
    direct.into_iter().flat_map(|node| std::iter::once(node).chain(below(node))).collect()
}

fn conversations(records: &[&OutcomeRecord], html: &mut Html) {
    if records.is_empty() {
        return;
    }
    html.raw(
        r#"<h4>Conversations</h4><table><thead><tr><th>Asked in</th><th>How it ended</th><th class="number">Packets</th></tr></thead><tbody>"#,
    );
    for record in records {
        html.raw(r#"<tr><td class="mono asked">"#)
            .text(&record.protocol)
            .raw("/")
            .show(record.port);
        html.raw("</td><td>").text(record.outcome.in_words());
        if let Some(detail) = &record.detail {
            html.raw(r#" <span class="soft">"#).text(detail).raw("</span>");
        }
        html.raw(r#"</td><td class="number">"#).show(record.packets);
        html.raw(" of ").show(record.packets_planned).raw("</td></tr>");
    }
    html.raw("</tbody></table>");
}

/// Every question that anything stands on, with its answer; folded away on the screen.
fn evidence(node: &Node, html: &mut Html) {
    let mut found = BTreeSet::new();
    collect(node, &mut found);
    found.retain(|evidence| !evidence.request.is_empty() || !evidence.response.is_empty());
    if found.is_empty() {
        return;
    }
    html.raw("<details><summary>Evidence, byte by byte: ").show(found.len());
    html.raw(if found.len() == 1 { " exchange" } else { " exchanges" });
    html.raw(
        "</summary><table><thead><tr><th>Question</th><th>Asked</th><th>Answered</th></tr></thead>\
         <tbody>",
    );
    for evidence in found {
        html.raw("<tr><td>").text(&evidence.function).raw(r#"<br><span class="soft small">"#);
        html.text(&moment(evidence.at)).raw(r#"</span></td><td class="mono small">"#);
        bytes(evidence.request.as_ref(), html);
        html.raw(r#"</td><td class="mono small">"#);
        bytes(evidence.response.as_ref(), html);
        html.raw("</td></tr>");
    }
    html.raw("</tbody></table></details>");
}

fn collect<'a>(node: &'a Node, found: &mut BTreeSet<&'a Evidence>) {
    let services = node.services.values().flat_map(Facts::all);
    let interfaces = node.interfaces.values().flat_map(Facts::all);
    let claims = node.identity.all().chain(node.state.all()).chain(interfaces).chain(services);
    // What a rule concluded stands on bytes that are there already.
    found.extend(claims.map(|claim| &*claim.evidence).filter(|evidence| evidence.rule.is_none()));
    node.modules.values().chain(node.children.values()).for_each(|node| collect(node, found));
}

fn bytes(bytes: &[u8], html: &mut Html) {
    let shown: String = bytes.iter().take(BYTES_SHOWN).map(|byte| format!("{byte:02x} ")).collect();
    html.text(shown.trim_end());
    if bytes.len() > BYTES_SHOWN {
        html.raw(" … ").show(bytes.len()).raw(" bytes in all");
    }
}

/// What several assets are one by, and what is doubtful.
pub(super) fn joined(device: &Device<'_>, places: &Places, html: &mut Html) {
    for (at, part) in device.parts.iter().enumerate() {
        html.raw(if at == 0 { "" } else { " and " });
        places.link(part.path(), part.path(), html);
    }
    let reasons: Vec<String> = device.reasons.iter().map(ToString::to_string).collect();
    html.raw(" are one device: ").text(&reasons.join(", "));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::Results;
    use crate::export::html;
    use crate::export::rows::testing::{claim, identified};
    use crate::model::Inventory;

    fn page(asset: Asset, outcomes: &[OutcomeRecord]) -> String {
        let mut assets = Inventory::default();
        assets.add(asset);
        html(Results { outcomes, ..Results::from(&assets) })
    }

    #[test]
    fn the_same_in_another_spelling_is_no_dispute_and_something_else_is() {
        let mut asset = identified("10.0.4.7", 502, "Schneider Electric", "BMX P34 2020");
        for version in ["2.70", "v2.70"] {
            asset.node.identity.add(Field::Firmware, claim(502, version));
        }
        assert!(!page(asset.clone(), &[]).contains("disputed"));
        asset.node.identity.add(Field::Firmware, claim(502, "2.80"));
        assert!(page(asset, &[]).contains("disputed: <bdi>"));
    }

    #[test]
    fn who_spoke_once_is_not_marked_for_what_it_does_not_speak() {
        let asset = identified("10.0.4.7", 502, "Quillmere", "QG-4");
        let ended = |port, outcome| {
            let (zone, address) = (asset.zone().clone(), "10.0.4.7".parse().unwrap());
            OutcomeRecord::new(zone, address, "enip", port, outcome)
        };
        let refused = [ended(44818, Outcome::Refused), ended(102, Outcome::Refused)];
        let marked = |outcomes: &[OutcomeRecord]| {
            page(asset.clone(), outcomes).matches("refused to connect</span>").count()
        };
        assert_eq!(marked(&refused), 2, "once in the overview and once at the device");
        let spoke = [&refused[..], &[ended(502, Outcome::Identified)]].concat();
        assert_eq!(marked(&spoke), 0);
        assert_eq!(page(asset.clone(), &spoke).matches("<td>refused to connect").count(), 2);
    }
}
