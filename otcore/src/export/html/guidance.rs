//! How much of the guidance is covered, attribute by attribute.

use super::markup::Html;
use crate::export::coverage::{ATTRIBUTES, GUIDANCE, totals};
use crate::model::Inventory;

/// A table with a bar for each attribute.
pub(super) fn guidance(inventory: &Inventory, html: &mut Html) {
    let assets = inventory.len();
    if assets == 0 {
        return;
    }
    html.raw("<h2>What the inventory guidance asks for</h2><div class=\"panel\"><p class=\"soft small\">");
    html.text(GUIDANCE).raw(": ").show(ATTRIBUTES.len());
    html.raw(
        " attributes. What no device can say, only the owner can give.</p><table><thead><tr>\
         <th>Attribute</th><th>Priority</th><th>Known</th><th class=\"number\">Devices</th>\
         <th>Only the owner</th></tr></thead><tbody>",
    );
    for total in &totals(inventory) {
        html.raw("<tr><td>").text(total.attribute).raw("</td><td>").text(total.priority.name());
        html.raw(r#"</td><td><span class="bar"><i style="width:"#);
        let share = u32::try_from(total.known * 100 / assets).unwrap_or(100);
        html.number(share).raw(r#"%"></i></span></td><td class="number">"#).show(total.known);
        html.raw(" of ").show(assets).raw(r#"</td><td class="soft">"#);
        html.raw(if total.owner > 0 { "yes" } else { "" }).raw("</td></tr>");
    }
    html.raw("</tbody></table></div>");
}
