//! A rack as a drawing: what is plugged in, slot by slot.

use std::collections::BTreeMap;

use super::markup::Html;
use crate::export::columns::{clipped, width};
use crate::export::shown::shown;
use crate::model::{Field, Node};

/// More slots than this in a row are drawn in several rows.
const SLOTS_IN_A_ROW: usize = 10;
/// A gap between two known slots is drawn if it is no wider; a wider one is numbers, not a rack.
const WIDEST_GAP: u64 = 16;
const WIDTH: f64 = 104.0;
const HEIGHT: f64 = 150.0;
const MARGIN: f64 = 12.0;

/// One place of a rack.
enum Slot<'a> {
    Module(&'a str, &'a Node),
    /// Nothing is known of it, which is not the same as empty.
    Unknown(u64),
}

/// Every rack of a node, with a line above each that says which.
pub(super) fn racks(node: &Node, html: &mut Html) {
    for (rack, slots) in by_rack(node) {
        html.raw("<h4>");
        html.text(if rack.is_empty() { "Rack" } else { "Rack " }).text(&rack).raw("</h4>");
        for row in slots.chunks(SLOTS_IN_A_ROW) {
            draw(row, html);
        }
    }
}

/// Racks by name: everything of the path but the slot, `0` of `0/2` and `1` of `1.5`.
fn by_rack(node: &Node) -> BTreeMap<String, Vec<Slot<'_>>> {
    let mut racks: BTreeMap<String, Vec<(u64, &str, &Node)>> = BTreeMap::new();
    for module in node.modules.values() {
        let place = module.path().splitn(5, '/').nth(4).unwrap_or_default();
        let (rack, slot) = place.rsplit_once(['/', '.']).unwrap_or(("", place));
        let number = slot.parse().unwrap_or(u64::MAX);
        racks.entry(rack.to_owned()).or_default().push((number, slot, module));
    }
    racks.into_iter().map(|(rack, modules)| (rack, with_gaps(modules))).collect()
}

fn with_gaps<'a>(mut modules: Vec<(u64, &'a str, &'a Node)>) -> Vec<Slot<'a>> {
    modules.sort_by_key(|(number, slot, _)| (*number, *slot));
    let mut slots = Vec::new();
    let mut next = modules.first().map_or(0, |(number, ..)| *number);
    for (number, slot, module) in modules {
        if number != u64::MAX && number.saturating_sub(next) <= WIDEST_GAP {
            slots.extend((next..number).map(Slot::Unknown));
        }
        slots.push(Slot::Module(slot, module));
        next = number.saturating_add(1);
    }
    slots
}

#[allow(clippy::cast_precision_loss)] // at most ten slots
fn draw(slots: &[Slot<'_>], html: &mut Html) {
    let total = SLOTS_IN_A_ROW as f64 * WIDTH + 2.0 * MARGIN;
    let frame = slots.len() as f64 * WIDTH + 2.0 * MARGIN;
    html.raw(r#"<svg class="rack" role="img" aria-label="rack" viewBox="0 0 "#).number(total);
    html.raw(" ")
        .number(HEIGHT + 2.0 * MARGIN)
        .raw(r#""><rect class="frame" x="0.5" y="0.5" rx="6" width=""#);
    html.number(frame - 1.0).raw(r#"" height=""#).number(HEIGHT + 2.0 * MARGIN - 1.0).raw(r#""/>"#);
    for y in [MARGIN / 2.0, HEIGHT + 1.5 * MARGIN] {
        html.raw(r#"<line class="rail" x1="8" x2=""#).number(frame - 8.0);
        html.raw(r#"" y1=""#).number(y).raw(r#"" y2=""#).number(y).raw(r#""/>"#);
    }
    for (at, slot) in slots.iter().enumerate() {
        let x = MARGIN + at as f64 * WIDTH;
        match slot {
            Slot::Module(slot, node) => module(x, slot, node, html),
            Slot::Unknown(number) => {
                rectangle("empty", (x + 2.0, HEIGHT), html);
                label("fine", (x + 10.0, MARGIN + 18.0), &number.to_string(), html);
                label("fine", (x + 10.0, MARGIN + 78.0), "nothing said", html);
            }
        }
    }
    html.raw("</svg>");
}

fn module(x: f64, slot: &str, node: &Node, html: &mut Html) {
    let value = |field| node.identity.value(field).map(shown).unwrap_or_default();
    rectangle("module", (x + 2.0, HEIGHT), html);
    rectangle("band", (x + 2.0, 26.0), html);
    label("slot", (x + 10.0, MARGIN + 17.5), slot, html);
    let names = [Field::Model, Field::ProductName, Field::OrderNumber, Field::DeviceName];
    let name = names.into_iter().map(value).find(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| "no name".to_owned());
    label("vendor", (x + 10.0, MARGIN + 42.0), &clipped(&value(Field::Vendor), 15), html);
    let mut y = MARGIN + 57.0;
    for line in lines(&name, 12).into_iter().take(4) {
        label("name", (x + 10.0, y), &line, html);
        y += 13.0;
    }
    let fine = [("fw ", Field::Firmware), ("sn ", Field::SerialNumber)];
    let fine = fine.map(|(mark, field)| (mark, value(field)));
    let mut y = MARGIN + HEIGHT - 8.0;
    for (mark, value) in fine.into_iter().rev().filter(|(_, value)| !value.is_empty()) {
        label("fine", (x + 10.0, y), &clipped(&format!("{mark}{value}"), 16), html);
        y -= 12.0;
    }
}

fn rectangle(class: &'static str, (x, height): (f64, f64), html: &mut Html) {
    html.raw(r#"<rect class=""#).raw(class).raw(r#"" rx="3" x=""#).number(x);
    html.raw(r#"" y=""#).number(MARGIN).raw(r#"" width=""#).number(WIDTH - 4.0);
    html.raw(r#"" height=""#).number(height).raw(r#""/>"#);
}

fn label(class: &'static str, (x, y): (f64, f64), text: &str, html: &mut Html) {
    html.raw(r#"<text class=""#).raw(class).raw(r#"" x=""#).number(x).raw(r#"" y=""#).number(y);
    html.raw(r#"">"#).text(text).raw("</text>");
}

/// Text in lines of at most `room` cells, torn between words where that can be.
fn lines(text: &str, room: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split_whitespace() {
        let Some(line) = lines.last_mut() else { break };
        let gap = usize::from(!line.is_empty());
        if width(line) + gap + width(word) <= room {
            line.push_str(if gap == 1 { " " } else { "" });
            line.push_str(word);
            continue;
        }
        if !line.is_empty() {
            lines.push(String::new());
        }
        for c in word.chars() {
            match lines.last_mut() {
                Some(line) if width(line) < room => line.push(c),
                _ => lines.push(c.to_string()),
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::rows::testing::{claim, identified};

    fn drawn(places: &[&str]) -> String {
        let mut asset = identified("10.0.4.7", 102, "Siemens", "CPU 315-2 PN/DP");
        for place in places {
            let module = asset.module("s7", 102, place);
            module.identity.add(Field::Model, claim(102, &format!("module {place}")));
        }
        let mut page = Vec::new();
        let mut html = Html::to(&mut page);
        racks(&asset.node, &mut html);
        html.finish().unwrap();
        String::from_utf8(page).unwrap()
    }

    #[test]
    fn a_slot_of_which_nothing_was_said_is_not_drawn_as_empty() {
        let svg = drawn(&["0/2", "0/4"]);
        assert_eq!(svg.matches(r#"class="module""#).count(), 2);
        assert_eq!(svg.matches("nothing said").count(), 1);
        assert!(svg.contains("Rack 0"), "{svg}");
    }

    #[test]
    fn each_rack_is_drawn_and_a_long_one_in_several_rows() {
        assert_eq!(drawn(&["0/2", "1/4", "1.5"]).matches("<svg").count(), 2);
        let many: Vec<String> = (0..25).map(|slot| format!("0/{slot}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(drawn(&many).matches("<svg").count(), 3);
    }

    #[test]
    fn numbers_far_apart_are_no_gap_to_draw() {
        assert_eq!(drawn(&["0/1", "0/4000000000", "0/x"]).matches("nothing said").count(), 0);
    }

    #[test]
    fn names_are_torn_between_words_and_nothing_is_lost() {
        assert_eq!(
            lines("1756-L55/A 1756-M13/A LOGIX5555", 13),
            ["1756-L55/A", "1756-M13/A", "LOGIX5555"]
        );
        assert_eq!(lines("x".repeat(30).as_str(), 13).concat().len(), 30);
        assert_eq!(lines("", 13), [""]);
    }
}
