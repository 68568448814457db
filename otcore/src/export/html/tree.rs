//! The plant as a tree: zones, networks, devices, and what is in them and behind them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::markup::Html;
use super::places::Places;
use crate::model::{Asset, Inventory, Node};

/// The whole inventory, or nothing if it is empty.
pub(super) fn tree(assets: &Inventory, places: &Places, html: &mut Html) {
    let mut zones: BTreeMap<&str, BTreeMap<(bool, u128), Vec<&Asset>>> = BTreeMap::new();
    for asset in assets.iter() {
        let Some(address) = asset.addresses().next() else { continue };
        let networks = zones.entry(asset.zone().as_str()).or_default();
        networks.entry(network(address)).or_default().push(asset);
    }
    html.raw(r#"<ul class="tree">"#);
    for (zone, networks) in zones {
        html.raw("<li><b>zone ").text(zone).raw("</b><ul>");
        for (network, assets) in networks {
            html.raw(r#"<li class="network">"#)
                .text(&name(network))
                .raw(r#" <span class="soft small">"#);
            html.show(assets.len()).raw(if assets.len() == 1 { " device" } else { " devices" });
            html.raw("</span><ul>");
            assets.into_iter().for_each(|asset| device(asset, places, html));
            html.raw("</ul></li>");
        }
        html.raw("</ul></li>");
    }
    html.raw("</ul>");
}

fn device(asset: &Asset, places: &Places, html: &mut Html) {
    let addresses: Vec<String> = asset.addresses().map(|address| address.to_string()).collect();
    html.raw("<li>");
    places.link(asset.path(), &addresses.join(", "), html);
    describe(&asset.node, html);
    below(&asset.node, html);
    html.raw("</li>");
}

fn below(node: &Node, html: &mut Html) {
    if node.modules.is_empty() && node.children.is_empty() {
        return;
    }
    html.raw("<ul>");
    for (what, nodes) in [("slot ", &node.modules), ("unit ", &node.children)] {
        let mut nodes: Vec<&Node> = nodes.values().collect();
        nodes.sort_by_key(|node| (node.place().parse().unwrap_or(u64::MAX), node.path()));
        for node in nodes {
            html.raw("<li>").raw(what).text(node.place());
            describe(node, html);
            below(node, html);
            html.raw("</li>");
        }
    }
    html.raw("</ul>");
}

fn describe(node: &Node, html: &mut Html) {
    match node.headline() {
        headline if headline.is_empty() => html.raw(r#" <span class="soft">no name</span>"#),
        headline => html.raw(" <bdi>").text(&headline).raw("</bdi>"),
    };
}

/// The network of 256 addresses, or of 64 bits, that holds an address.
fn network(address: IpAddr) -> (bool, u128) {
    match address {
        IpAddr::V4(address) => (false, u128::from(u32::from(address) & !0xFF)),
        IpAddr::V6(address) => (true, u128::from(address) & !u128::from(u64::MAX)),
    }
}

fn name((is_six, bits): (bool, u128)) -> String {
    match (is_six, u32::try_from(bits)) {
        (false, Ok(bits)) => format!("{}/24", std::net::Ipv4Addr::from(bits)),
        _ => format!("{}/64", std::net::Ipv6Addr::from(bits)),
    }
}
