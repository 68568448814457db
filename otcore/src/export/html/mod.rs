//! The inventory as one page: no script, nothing from the network, to read on a screen or on paper.

mod device;
mod guidance;
mod markup;
mod places;
mod rack;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use self::device::{badge, rivals, telling, tone};
use self::markup::Html;
use self::places::Places;
use super::columns::clipped;
use super::rows::{Row, rows};
use super::shown::{moment, shown};
use super::{Results, text};
use crate::model::{Asset, Field, Joining, Named, Node, Outcome, OutcomeRecord, StateField, join};

/// Lines of a list that a person reads; the rest is counted.
const MOST_LISTED: usize = 60;
/// Letters in a cell of the overview; the rest stands at the device.
const MOST_IN_A_CELL: usize = 80;

/// Rows of the overview in one table: a browser lays out only those tables that somebody looks at,
/// and the heads of the columns are never far.
const ROWS_TOGETHER: usize = 500;

/// The inventory as one HTML page that needs nothing else.
///
/// It has no script and loads nothing, and says so to the browser, which then refuses both. Device
/// text is escaped, so that no name can become markup, and cut where nobody reads on.
#[must_use]
pub fn html<'a>(results: impl Into<Results<'a>>) -> String {
    text(|out| write_html(&results.into(), out)).unwrap_or_default() // memory takes everything
}

/// The same, piece by piece.
pub(super) fn write_html(results: &Results<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let rows = rows(results);
    let places = Places::of(results.assets);
    let mut html = Html::to(out);
    html.raw(concat!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">",
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; ",
        "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">",
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">",
        "<meta name=\"referrer\" content=\"no-referrer\">",
        "<title>OT asset inventory</title><style>",
        include_str!("style.css"),
        "</style></head><body>"
    ));
    head(results, &mut html);
    html.raw("<main>");
    attention(results, &rows, &places, &mut html);
    overview(results, &rows, &places, &mut html);
    html.raw("<h2>Devices</h2>");
    let records = records(rows);
    for asset in results.assets.iter() {
        let records = records.get(asset.path()).map_or(&[][..], Vec::as_slice);
        device::device(asset, records, &places, &mut html);
    }
    guidance::guidance(results.assets, &mut html);
    not_visited(results, &mut html);
    html.raw("</main>");
    foot(&mut html);
    html.raw("</body></html>\n");
    html.finish()
}

/// The conversations with each device, by its path.
fn records<'a>(rows: Vec<Row<'a>>) -> BTreeMap<&'a str, Vec<&'a OutcomeRecord>> {
    let mut records: BTreeMap<&str, Vec<&OutcomeRecord>> = BTreeMap::new();
    for row in rows {
        if let Some(path) = row.asset() {
            records.entry(path).or_default().extend(row.outcomes);
        }
    }
    records
}

fn head(results: &Results<'_>, html: &mut Html) {
    let zones: BTreeSet<&str> = results.assets.iter().map(|asset| asset.zone().as_str()).collect();
    let zones: Vec<&str> = zones.into_iter().collect();
    html.raw(r#"<header class="page"><h1>OT asset inventory</h1><p class="soft">"#);
    html.text(&format!("Zone {}", if zones.is_empty() { "—".into() } else { zones.join(", ") }));
    for scan in &results.scans {
        html.raw("<br>").text(&format!(
            "Scanned by {} from {} to {} UTC, profile {}",
            scan.source,
            moment(scan.started),
            moment(scan.finished),
            scan.profile
        ));
        if let Some(pack) = &scan.data_pack {
            html.text(&format!(", named by data pack {} {}", pack.name, pack.version));
        }
        if !scan.completed {
            let why = scan.stopped.as_deref().unwrap_or("not completed");
            html.raw(r#" <b class="bad">ended early: "#).text(&why.replace('_', " ")).raw("</b>");
        }
    }
    html.raw(r#"</p><div class="tiles">"#);
    let nodes = |kind: fn(&Node) -> usize| results.assets.iter().map(|a| kind(&a.node)).sum();
    let identified = results.assets.iter().filter(|asset| asset.is_identified()).count();
    tile("Devices", results.assets.len(), false, html);
    tile("Identified", identified, false, html);
    tile("Modules", nodes(modules), false, html);
    tile("Behind gateways", nodes(children), false, html);
    if let Some(run) = results.run {
        let dark = usize::try_from(run.went_dark).unwrap_or(usize::MAX);
        tile("Went dark", dark, dark > 0, html);
        let packets = usize::try_from(run.packets).unwrap_or(usize::MAX);
        tile("Packets sent", packets, false, html);
    }
    html.raw("</div></header>");
}

fn tile(what: &'static str, count: usize, is_bad: bool, html: &mut Html) {
    html.raw(if is_bad { r#"<div class="tile bad"><b>"# } else { r#"<div class="tile"><b>"# });
    html.show(count).raw(r#"</b><span class="soft small">"#).raw(what).raw("</span></div>");
}

fn modules(node: &Node) -> usize {
    let below = node.modules.values().chain(node.children.values());
    node.modules.len() + below.map(modules).sum::<usize>()
}

fn children(node: &Node) -> usize {
    let below = node.modules.values().chain(node.children.values());
    node.children.len() + below.map(children).sum::<usize>()
}

/// What a person should look at before anything else.
fn attention(results: &Results<'_>, rows: &[Row<'_>], places: &Places, html: &mut Html) {
    let mut points: Vec<Html> = Vec::new();
    let mut point = |write: &dyn Fn(&mut Html)| {
        let mut html = Html::default();
        write(&mut html);
        points.push(html);
    };
    for row in rows {
        let dark = row.outcomes.iter().find(|record| record.outcome == Outcome::WentDark);
        if let Some(record) = dark {
            point(&|html| {
                places.link(&row.path(), &row.path(), html);
                html.raw(r#" <b class="bad">went dark</b> after a question in "#);
                html.text(&record.protocol).raw(" and is in quarantine until a person clears it");
            });
        }
    }
    let joined = join(results.assets, &Joining::default());
    for device in joined.devices.iter().filter(|device| device.parts.len() > 1) {
        point(&|html| device::joined(device, places, html));
    }
    for doubt in &joined.doubts {
        point(&|html| {
            html.text(&doubt.paths.join(", ")).raw(" share an identity and are kept apart: ");
            html.text(&doubt.against);
        });
    }
    for asset in results.assets.iter() {
        for field in asset.node.identity.fields().filter(|f| asset.node.identity.is_disputed(*f)) {
            point(&|html| dispute(asset, field, places, html));
        }
    }
    if points.is_empty() {
        html.raw(r#"<div class="panel calm" style="margin-top:20px">Nothing needs a closer look: nobody went dark, no two sources disagree.</div>"#);
        return;
    }
    html.raw(r#"<h2>Look at these first</h2><div class="panel attention"><ul>"#);
    let more = points.len().saturating_sub(MOST_LISTED);
    for point in points.iter().take(MOST_LISTED) {
        html.raw("<li>").append(point).raw("</li>");
    }
    if more > 0 {
        html.raw("<li>and ").show(more).raw(" more, marked below</li>");
    }
    html.raw("</ul></div>");
}

fn dispute(asset: &Asset, field: Field, places: &Places, html: &mut Html) {
    let Some(best) = asset.node.identity.best(field) else { return };
    places.link(asset.path(), asset.path(), html);
    html.raw(": ").text(&field.name().replace('_', " ")).raw(" is disputed: <bdi>");
    html.text(&best.value).raw("</bdi>");
    for rival in rivals(&asset.node.identity, field, best) {
        html.raw(" or <bdi>").text(rival).raw("</bdi>");
    }
}

/// Everybody in one table, and the plant as a tree.
fn overview(results: &Results<'_>, rows: &[Row<'_>], places: &Places, html: &mut Html) {
    html.raw("<h2>Overview</h2>");
    let devices: Vec<&Row<'_>> = rows.iter().filter(|row| row.below.is_none()).collect();
    if devices.is_empty() {
        html.raw(r#"<div class="panel soft">No device.</div>"#);
    }
    for devices in devices.chunks(ROWS_TOGETHER) {
        html.raw(
            r#"<div class="panel scroll rows"><table class="overview"><thead><tr><th>Device</th><th>Vendor</th><th>Model</th><th>Firmware</th><th>Mode</th><th>Outcome</th></tr></thead><tbody>"#,
        );
        devices.iter().for_each(|row| overview_row(row, places, html));
        html.raw("</tbody></table></div>");
    }
    if !results.assets.is_empty() {
        html.raw(r#"<h2>The plant as a tree</h2><div class="panel">"#);
        tree::tree(results.assets, places, html);
        html.raw("</div>");
    }
}

fn overview_row(row: &Row<'_>, places: &Places, html: &mut Html) {
    html.raw("<tr><td>");
    let [vendor, model] = row.vendor_and_model();
    let address = row.address.to_string();
    places.link(
        &row.path(),
        &row.port_here().map_or(address.clone(), |port| format!("{address}:{port}")),
        html,
    );
    for value in [vendor, model, row.value(Field::Firmware).unwrap_or_default()] {
        let value = clipped(&shown(value), MOST_IN_A_CELL).into_owned();
        html.raw("</td><td><bdi>").text(&value).raw("</bdi>");
    }
    html.raw("</td><td>").text(row.state(StateField::OperatingMode).unwrap_or_default());
    html.raw("</td><td>");
    for ending in telling(row.endings().into_iter()) {
        badge(tone(ending), ending.in_words(), html);
        html.raw(" ");
    }
    html.raw("</td></tr>");
}

fn not_visited(results: &Results<'_>, html: &mut Html) {
    if results.skipped.is_empty() {
        return;
    }
    html.raw(r#"<h2>Not visited</h2><div class="panel"><table><thead><tr><th>What</th><th>Why</th></tr></thead><tbody>"#);
    for (what, why) in results.skipped.iter().take(MOST_LISTED) {
        html.raw(r#"<tr><td class="mono">"#)
            .text(what)
            .raw("</td><td>")
            .text(why)
            .raw("</td></tr>");
    }
    html.raw("</tbody></table>");
    let more = results.skipped.len().saturating_sub(MOST_LISTED);
    if more > 0 {
        html.raw("<p>and ").show(more).raw(" more; the report as JSON has them all</p>");
    }
    html.raw("</div>");
}

fn foot(html: &mut Html) {
    html.raw("<footer>Made by otcore ").text(env!("CARGO_PKG_VERSION")).raw(
        ". What stands in a box of a device was said by the device itself or concluded by a rule, as \
         the right-hand column says. What is missing was not said, which does not mean that it is \
         not there. Times are UTC.</footer>",
    );
}
