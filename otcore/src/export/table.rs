//! A table for people: who is there, how it went, what it cost.

use super::columns::{clipped, fit, padded, width, wrapped};
use super::rows::{Below, Row, rows};
use super::{Results, Run};
use crate::model::{Field, Named, Outcome, OutcomeRecord, StateField, printable};

/// How a table looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Whether terminal colours are used.
    pub colours: bool,
    /// How wide it may be, in cells of a terminal; `None` for as wide as it takes.
    pub width: Option<usize>,
}

/// Devices with what is inside them and behind them as a tree, how each conversation ended and
/// what it cost of what the plan allowed, with a summary below.
///
/// Device text is shown with escapes for whatever acts on a terminal.
#[must_use]
pub fn table<'a>(results: impl Into<Results<'a>>, look: Look) -> String {
    let results = results.into();
    let rows = rows(&results);
    let mut text = match rows.is_empty() {
        true => "no device was found\n".to_owned(),
        false => Sheet::new(&rows, look).text(),
    };
    text.push_str(&not_visited(&results, look));
    if let Some(run) = results.run {
        text.push_str(&summary(run, look));
    }
    text
}

const DEVICE: usize = 0;
const ASKED: usize = 1;
const MODEL: usize = 3;
const OUTCOME: usize = 5;
const PACKETS: usize = 6;
/// Notes are wrapped here where there is no terminal to say.
const LONGEST_NOTE: usize = 120;
/// Between two columns.
const GAP: &str = "  ";

const HEADS: [&str; 7] =
    ["DEVICE", "ASKED IN", "VENDOR", "MODEL", "FIRMWARE", "OUTCOME", "PACKETS"];
/// No column gets wider than this, whatever a device says.
const MOST: [usize; 7] = [60, 20, 28, 32, 16, 30, 20];
/// No column gets narrower than this to fit a terminal.
const LEAST: [usize; 7] = [usize::MAX, usize::MAX, 10, 10, 8, 24, usize::MAX];

/// The lines of a table before they are laid out.
struct Sheet {
    lines: Vec<Line>,
    widths: [usize; 7],
    look: Look,
}

enum Line {
    Cells { cells: [String; 7], tone: Tone },
    Notes { tree: String, notes: Vec<String> },
}

/// What a line is painted for.
#[derive(Clone, Copy)]
enum Tone {
    Good,
    Odd,
    Bad,
    Quiet,
}

impl Sheet {
    fn new(rows: &[Row<'_>], look: Look) -> Self {
        let mut lines = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            let depth = |row: &Row<'_>| row.below.as_ref().map_or(0, |below| below.followed.len());
            let has_below = rows.get(at + 1).is_some_and(|next| depth(next) > depth(row));
            add_lines(row, has_below, &mut lines);
        }
        let mut sheet = Self { lines, widths: [0; 7], look };
        sheet.measure();
        sheet
    }

    /// As wide as the text takes, and narrower if the terminal is.
    fn measure(&mut self) {
        let mut widths = HEADS.map(width);
        for line in &self.lines {
            let Line::Cells { cells, .. } = line else { continue };
            for (most, cell) in widths.iter_mut().zip(cells) {
                *most = width(cell).max(*most);
            }
        }
        widths.iter_mut().zip(MOST).for_each(|(width, most)| *width = most.min(*width));
        if let Some(room) = self.look.width {
            let mut least = widths;
            least.iter_mut().zip(LEAST).for_each(|(least, floor)| *least = floor.min(*least));
            if least.iter().sum::<usize>() + gaps(&widths) > room {
                // In a narrow terminal, in which protocol somebody was asked matters least.
                let [_, asked, ..] = &mut widths;
                *asked = 0;
            }
            let room = room.saturating_sub(gaps(&widths));
            fit(&mut widths, &least, room);
        }
        self.widths = widths;
    }

    fn text(&self) -> String {
        let total = self.widths.iter().sum::<usize>() + gaps(&self.widths);
        let mut text = self.cells(&HEADS.map(str::to_owned), |_| Paint::Bold);
        text.push_str(&self.look.painted(&"─".repeat(total), Paint::Dim));
        text.push('\n');
        for line in &self.lines {
            text.push_str(&match line {
                Line::Cells { cells, tone } => self.cells(cells, |column| tone.paint(column)),
                Line::Notes { tree, notes } => self.notes(tree, notes, total),
            });
        }
        text
    }

    fn cells(&self, cells: &[String; 7], paint: impl Fn(usize) -> Paint) -> String {
        let mut line = String::new();
        for (column, (cell, room)) in cells.iter().zip(self.widths).enumerate() {
            if room == 0 {
                continue;
            }
            let gap = if column == 0 { "" } else { GAP };
            let cell = padded(cell, room, column == PACKETS);
            line.push_str(gap);
            line.push_str(&self.look.painted(&cell, paint(column)));
        }
        format!("{}\n", line.trim_end())
    }

    /// Lines of their own, from the third column on.
    fn notes(&self, tree: &str, notes: &[String], total: usize) -> String {
        let [device, asked, ..] = self.widths;
        let before = device + asked + gaps(&[device, asked, 1]);
        let tree = padded(tree, before, false);
        let room = self.look.width.unwrap_or(LONGEST_NOTE).max(total) - before;
        let line = |note: String| {
            let note = self.look.painted(&clipped(&note, room), Paint::Dim);
            format!("{tree}{note}\n")
        };
        wrapped(notes, " · ", room).into_iter().map(line).collect()
    }
}

/// What the gaps between columns take; a column without width has none.
fn gaps(widths: &[usize]) -> usize {
    let shown = widths.iter().filter(|width| **width > 0).count();
    GAP.len() * shown.saturating_sub(1)
}

/// A row, its further conversations, and what else there is to say about it.
fn add_lines(row: &Row<'_>, has_below: bool, lines: &mut Vec<Line>) {
    let [vendor, model] = row.vendor_and_model().map(shown);
    let firmware = shown(row.value(Field::Firmware).unwrap_or_default());
    let record = row.outcomes.first();
    let ending = row.endings().first().copied();
    lines.push(Line::Cells {
        cells: [
            label(row),
            row.endpoints().first().filter(|_| row.below.is_none()).map(asked).unwrap_or_default(),
            vendor,
            model,
            firmware,
            ending.map(mark).unwrap_or_default(),
            record.map(|record| packets(record)).unwrap_or_default(),
        ],
        tone: ending.map_or(Tone::Quiet, Tone::of),
    });
    let stem = stem(row, has_below);
    for record in row.outcomes.iter().skip(1) {
        let asked_in = asked(&(record.protocol.as_str(), record.port));
        let [vendor, model, firmware] = [const { String::new() }; 3];
        let (outcome, cost) = (mark(record.outcome), packets(record));
        let cells = [stem.clone(), asked_in, vendor, model, firmware, outcome, cost];
        lines.push(Line::Cells { cells, tone: Tone::of(record.outcome) });
    }
    let notes = notes(row);
    if !notes.is_empty() {
        lines.push(Line::Notes { tree: stem, notes });
    }
}

/// The address, or the place in the tree below it.
fn label(row: &Row<'_>) -> String {
    let Some(Below { place, is_module, followed, .. }) = &row.below else {
        return row.address.to_string();
    };
    let Some((last, before)) = followed.split_last() else { return shown(place) };
    let stem: String = before.iter().map(|more| if *more { "│  " } else { "   " }).collect();
    let branch = if *last { "├─" } else { "└─" };
    let place = place.rsplit('/').next().unwrap_or_default();
    format!("{stem}{branch} {} {}", if *is_module { "slot" } else { "unit" }, shown(place))
}

/// What stands in the first column below a row, so that the branches of the tree stay connected.
fn stem(row: &Row<'_>, has_below: bool) -> String {
    let followed = row.below.as_ref().map(|below| below.followed.as_slice()).unwrap_or_default();
    let stem = followed.iter().map(|more| if *more { "│  " } else { "   " });
    stem.chain(has_below.then_some("│")).collect::<String>().trim_end().to_owned()
}

fn asked((protocol, port): &(&str, u16)) -> String {
    format!("{}/{port}", shown(protocol))
}

fn packets(record: &OutcomeRecord) -> String {
    match record.packets_planned {
        0 => record.packets.to_string(),
        planned => format!("{} of {planned}", record.packets),
    }
}

/// What does not fit a column of its own.
fn notes(row: &Row<'_>) -> Vec<String> {
    const IDENTITY: [Field; 9] = [
        Field::OrderNumber,
        Field::SerialNumber,
        Field::HardwareRevision,
        Field::DeviceName,
        Field::DeviceClass,
        Field::OperatingSystem,
        Field::Location,
        Field::PlantId,
        Field::Owner,
    ];
    let [_, model] = row.vendor_and_model();
    let said = |name: &str, value: &str| format!("{} {}", name.replace('_', " "), shown(value));
    let mut notes = Vec::new();
    for field in IDENTITY {
        let value = row.value(field).filter(|value| *value != model);
        notes.extend(value.map(|value| said(field.name(), value)));
    }
    for field in StateField::ALL.iter().filter(|field| **field != StateField::OperatingModeRaw) {
        notes.extend(row.state(*field).map(|value| said(field.name(), value)));
    }
    for field in Field::ALL {
        let others: Vec<String> = row.disputes(*field).into_iter().map(shown).collect();
        if !others.is_empty() {
            let name = field.name().replace('_', " ");
            notes.push(format!("{name} disputed, also {}", others.join(", ")));
        }
    }
    notes.extend(row.findings().map(|reason| printable(reason).into_owned()));
    notes.extend(row.outcomes.iter().filter_map(|r| r.detail.as_deref()).map(shown));
    notes
}

/// Device text, short enough for a table and inert.
fn shown(text: &str) -> String {
    clipped(&printable(text), 80).into_owned()
}

fn mark(outcome: Outcome) -> String {
    let mark = match Tone::of(outcome) {
        Tone::Good => '✓',
        Tone::Odd => '~',
        Tone::Bad => '!',
        Tone::Quiet => '·',
    };
    format!("{mark} {}", outcome.in_words())
}

/// What was asked for and left out.
fn not_visited(results: &Results<'_>, look: Look) -> String {
    const MOST: usize = 20;
    let mut text = String::new();
    if !results.skipped.is_empty() {
        text.push_str("\nnot visited\n");
    }
    for (what, why) in results.skipped.iter().take(MOST) {
        let line = format!("  {}  {}", shown(what), printable(why));
        text.push_str(&look.painted(&clipped(&line, look.room()), Paint::Dim));
        text.push('\n');
    }
    if let Some(more) = results.skipped.len().checked_sub(MOST).filter(|more| *more > 0) {
        text.push_str(&format!("  and {more} more; the JSON report has them all\n"));
    }
    text
}

fn summary(run: Run, look: Look) -> String {
    let dark = match run.went_dark {
        0 => None,
        count => Some(format!("{count} WENT DARK")),
    };
    let devices = if run.planned == 1 { "device" } else { "devices" };
    let mut parts = vec![
        format!("{} of {} {devices} visited", run.visited, run.planned),
        format!("{} answered", run.answered),
        format!("{} identified", run.identified),
    ];
    parts.extend(dark);
    let packets = if run.packets == 1 { "packet" } else { "packets" };
    parts.push(format!("{} {packets} of at most {}", run.packets, run.packets_planned));
    parts.push(in_words(run.took));
    let lines = wrapped(&parts, " · ", look.room());
    let painted = lines.iter().map(|line| look.painted(line, Paint::Bold) + "\n");
    let mut text = String::from("\n");
    text.extend(painted);
    if let Some(why) = run.stopped {
        text.push_str(&look.painted(why, Paint::Red));
        text.push('\n');
    }
    text
}

fn in_words(took: std::time::Duration) -> String {
    match took.as_secs() {
        0..120 => format!("{:.1} s", took.as_secs_f64()),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

#[derive(Clone, Copy)]
pub(super) enum Paint {
    Plain,
    Bold,
    Dim,
    Red,
    Green,
    Yellow,
}

impl Look {
    fn room(self) -> usize {
        self.width.unwrap_or(usize::MAX)
    }

    pub(super) fn painted(self, text: &str, paint: Paint) -> String {
        let code = match paint {
            Paint::Plain => return text.to_owned(),
            Paint::Bold => "1",
            Paint::Dim => "2",
            Paint::Red => "1;31",
            Paint::Green => "32",
            Paint::Yellow => "33",
        };
        let bare = text.trim_end();
        if !self.colours || bare.is_empty() {
            return text.to_owned();
        }
        let blank = text.get(bare.len()..).unwrap_or_default();
        format!("\x1b[{code}m{bare}\x1b[0m{blank}")
    }
}

impl Tone {
    fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Identified => Self::Good,
            Outcome::WentDark => Self::Bad,
            Outcome::Silent
            | Outcome::SkippedByPolicy
            | Outcome::SkippedFresh
            | Outcome::Aborted => Self::Quiet,
            _ => Self::Odd,
        }
    }

    fn paint(self, column: usize) -> Paint {
        match (column, self) {
            (MODEL, _) => Paint::Bold,
            (ASKED | PACKETS, _) => Paint::Dim,
            (OUTCOME, Self::Good) => Paint::Green,
            (OUTCOME, Self::Odd) => Paint::Yellow,
            (OUTCOME | DEVICE, Self::Bad) => Paint::Red,
            (OUTCOME, Self::Quiet) => Paint::Dim,
            _ => Paint::Plain,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::export::rows::testing::{claim, identified, plant};
    use crate::model::{Finding, FindingKind, Inventory};

    const PLAIN: Look = Look { colours: false, width: None };

    fn run() -> Run {
        let took = Duration::from_millis(7_100);
        let counts = Run { planned: 2, visited: 2, answered: 2, identified: 1, ..Run::default() };
        Run { packets: 17, packets_planned: 312, took, ..counts }
    }

    #[test]
    fn a_gateway_stands_above_its_units_and_the_summary_below_all() {
        let (assets, outcomes) = plant();
        let results = Results { outcomes: &outcomes, run: Some(run()), ..Results::from(&assets) };
        let expected = "\
DEVICE      ASKED IN    VENDOR     MODEL   FIRMWARE  OUTCOME                PACKETS
───────────────────────────────────────────────────────────────────────────────────
10.0.4.7    modbus/502  Quillmere  QG-4              ✓ identified         14 of 104
├─ unit 2               Ohmstead   PM-100            ✓ identified
└─ unit 17                                           ~ there, but nameless
10.0.4.8    modbus/502                               ~ refused to connect  2 of 104
            s7/102                                   · silent              1 of 104

2 of 2 devices visited · 2 answered · 1 identified · 17 packets of at most 312 · 7.1 s
";
        let text = table(results, PLAIN);
        let squeezed = |text: &str| {
            let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
            lines.collect::<Vec<_>>().iter().map(|words| words.join(" ")).collect::<Vec<_>>()
        };
        let rule = |line: &String| line.starts_with('─');
        let without_rule =
            |text: &str| squeezed(text).into_iter().filter(|line| !rule(line)).collect::<Vec<_>>();
        assert_eq!(without_rule(&text), without_rule(expected), "{text}");
    }

    #[test]
    fn notes_are_wrapped_and_do_not_tear_the_tree() {
        let mut gateway = identified("10.0.4.7", 502, "Quillmere", "QG-4");
        for (field, value) in
            [(Field::SerialNumber, "S".repeat(50)), (Field::Location, "L".repeat(50))]
        {
            gateway.node.identity.add(field, claim(502, &value));
        }
        for unit in ["1", "2"] {
            let node = gateway.child("modbus", 502, unit);
            node.identity.add(Field::SerialNumber, claim(502, "7"));
        }
        let mut assets = Inventory::default();
        assets.add(gateway);
        let text = table(&assets, Look { colours: false, width: Some(80) });
        let tree: Vec<String> = text.lines().skip(2).map(|l| l.chars().take(9).collect()).collect();
        assert_eq!(
            tree.iter().map(|start| start.trim_end()).collect::<Vec<_>>(),
            ["10.0.4.7", "│", "│", "├─ unit 1", "│", "└─ unit 2", ""],
            "{text}"
        );
    }

    #[test]
    fn what_is_disputed_is_shown_and_not_resolved() {
        let mut asset = identified("10.0.4.7", 502, "Quillmere", "QG-4");
        asset.node.identity.add(Field::Vendor, claim(502, "Aardvark"));
        let mut assets = Inventory::default();
        assets.add(asset);
        let text = table(&assets, PLAIN);
        assert!(text.contains("Quillmere") && text.contains("vendor disputed, also Aardvark"));
    }

    #[test]
    fn what_does_not_fit_together_is_shown_with_its_reason() {
        let mut asset = identified("10.0.4.7", 502, "Quillmere", "QG-4");
        let evidence = claim(502, "").evidence;
        let (kind, reason) = (FindingKind::KnownDecoy, "it is too good to be true".to_owned());
        asset.node.findings.insert(Finding { kind, reason, evidence });
        let mut assets = Inventory::default();
        assets.add(asset);
        let text = table(&assets, PLAIN);
        assert!(text.contains("it is too good to be true"), "{text}");
    }

    #[test]
    fn the_same_in_another_spelling_is_no_dispute() {
        let mut asset = identified("10.0.4.7", 502, "Quillmere Ltd.", "QG-4");
        asset.node.identity.add(Field::Vendor, claim(502, "QUILLMERE"));
        let mut assets = Inventory::default();
        assets.add(asset);
        assert!(!table(&assets, PLAIN).contains("disputed"));
    }

    #[test]
    fn an_empty_inventory_says_so() {
        assert_eq!(table(&Inventory::default(), PLAIN), "no device was found\n");
    }

    #[test]
    fn without_colours_there_is_no_escape_and_with_them_only_ours() {
        let mut assets = Inventory::default();
        assets.add(identified("10.0.4.7", 502, "\u{1b}[31mAcme\u{7}", "\u{202e}gnp\u{9b}2J"));
        let text = table(&assets, PLAIN);
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
        let text = table(&assets, Look { colours: true, width: None });
        let rest = text.split("\u{1b}[").skip(1).all(|after| {
            let code = after.split('m').next().unwrap();
            code.chars().all(|c| c.is_ascii_digit() || c == ';')
        });
        assert!(rest && text.contains("\\x1b[31mAcme"), "{text:?}");
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_terminal(
            vendor in "\\PC{0,30}", model in "\\PC{0,60}", note in "\\PC{0,90}", room in 80_usize..160,
        ) {
            let mut asset = identified("10.0.4.7", 502, &vendor, &model);
            asset.node.identity.add(Field::Location, claim(502, &note));
            asset.child("modbus", 502, "17").identity.add(Field::Model, claim(502, &model));
            let mut assets = Inventory::default();
            assets.add(asset);
            let (_, outcomes) = plant();
            let results =
                Results { outcomes: &outcomes, run: Some(run()), ..Results::from(&assets) };
            for line in table(results, Look { colours: false, width: Some(room) }).lines() {
                prop_assert!(width(line) <= room, "{} > {}: {}", width(line), room, line);
            }
        }
    }
}
