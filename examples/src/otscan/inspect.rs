//! Everything that is known of one address, with the bytes that it stands on.

use std::fmt::Write;

use crate::out;
use otcore::model::{Claim, Facts, Named, Node, printable};
use otcore::{Asset, export};

use crate::otscan::args::{Format, Inspect};
use crate::otscan::stored::document;
use crate::otscan::{Complaint, Status, json, print};

pub(crate) fn inspect(args: &Inspect) -> Result<Status, Complaint> {
    let document = document(&args.file)?;
    let Some(address) = args.address else {
        return print(&match args.format {
            Format::Text => export::table(&document, out::look()),
            Format::Json => json(&document.assets)?,
        });
    };
    let in_zone = |asset: &&Asset| args.zone.as_ref().is_none_or(|zone| zone == asset.zone());
    let here = |asset: &&Asset| asset.addresses().any(|known| known == address);
    let found: Vec<&Asset> = document.assets.iter().filter(in_zone).filter(here).collect();
    if found.is_empty() {
        return Err(
            format!("nothing is known of {address}; without it, all devices are shown").into()
        );
    }
    if args.format == Format::Json {
        return print(&json(&found)?);
    }
    let mut text = String::new();
    for asset in found {
        node(&asset.node, &mut text)?;
    }
    print(&text)
}

fn node(node: &Node, text: &mut String) -> std::fmt::Result {
    writeln!(text, "{}  {}", printable(node.path()), printable(&node.headline()))?;
    facts(&node.identity, "", text)?;
    facts(&node.state, "", text)?;
    for (name, of_interface) in &node.interfaces {
        facts(of_interface, &format!("interface {name}: "), text)?;
    }
    for (key, of_service) in &node.services {
        facts(of_service, &format!("{}/{}: ", key.protocol, key.port), text)?;
    }
    writeln!(text)?;
    node.modules
        .values()
        .chain(node.children.values())
        .try_for_each(|below| self::node(below, text))
}

fn facts<K: Named>(facts: &Facts<K>, before: &str, text: &mut String) -> std::fmt::Result {
    for field in facts.fields() {
        let mut claims: Vec<&Claim> = facts.claims(field).collect();
        claims.reverse(); // the most trusted first
        for (at, claim) in claims.into_iter().enumerate() {
            let what = if at == 0 { field.name() } else { "also" };
            let value = printable(&claim.value);
            writeln!(text, "  {}{what}: {value}", printable(before))?;
            evidence(claim, text)?;
        }
    }
    Ok(())
}

fn evidence(claim: &Claim, text: &mut String) -> std::fmt::Result {
    let evidence = &claim.evidence;
    let confidence = format!("{:?}", claim.confidence).to_lowercase();
    let rule = evidence.rule.as_deref().map(|rule| format!(", by rule {}", printable(rule)));
    let (protocol, function) = (printable(&evidence.protocol), printable(&evidence.function));
    writeln!(
        text,
        "      {confidence}{} over {protocol}/{} {function}, {} by {}",
        rule.unwrap_or_default(),
        evidence.port,
        evidence.at,
        evidence.source
    )?;
    for (what, bytes) in [("asked", &evidence.request), ("answered", &evidence.response)] {
        if !bytes.is_empty() {
            writeln!(text, "      {what} {bytes}")?;
        }
    }
    Ok(())
}
