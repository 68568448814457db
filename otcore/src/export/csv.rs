//! One row per device and per module or child, for a spreadsheet.

use std::borrow::Cow;
use std::io::{self, Write};

use super::rows::{Row, each_row};
use super::{Results, name_of, text};
use crate::model::{Field, Named, StateField, printable};

/// Columns before those of identity.
const WHERE: [&str; 6] = ["path", "zone", "address", "protocol", "port", "place"];
/// What a formula begins with, in half and in full width.
const OPERATORS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
/// Columns after those of state.
const HOW: [&str; 4] = ["outcome", "detail", "packets", "packets_planned"];

/// One row per device and per module or child, below a row with the names of the columns.
///
/// RFC 4180: fields with a comma, a quote or a line end are quoted, lines end in CR LF. What a
/// spreadsheet would take for a formula gets an apostrophe before it, at the beginning of a cell and
/// after each semicolon, where a spreadsheet of another language begins a cell; whatever acts on a
/// terminal is shown as an escape. Several conversations with one device are separated by `; `.
#[must_use]
pub fn csv<'a>(results: impl Into<Results<'a>>) -> String {
    text(|out| write_csv(&results.into(), out)).unwrap_or_default() // memory takes everything
}

/// The same, row by row.
pub(super) fn write_csv(results: &Results<'_>, out: &mut impl Write) -> io::Result<()> {
    out.write_all(line(&columns()).as_bytes())?;
    each_row(results).try_for_each(|row| out.write_all(line(&cells(&row)).as_bytes()))
}

pub(super) fn columns() -> Vec<&'static str> {
    let identity = Field::ALL.iter().map(|field| field.name());
    let state = StateField::ALL.iter().map(|field| field.name());
    WHERE.into_iter().chain(identity).chain(state).chain(HOW).collect()
}

pub(super) fn cells(row: &Row<'_>) -> Vec<String> {
    let endpoints = row.endpoints();
    let place = row.below.as_ref().map(|below| below.place).unwrap_or_default();
    let mut cells = vec![
        row.path(),
        row.zone.to_string(),
        row.address.to_string(),
        list(endpoints.iter().map(|(protocol, _)| (*protocol).to_owned())),
        list(endpoints.iter().map(|(_, port)| port.to_string())),
        place.to_owned(),
    ];
    let value = |value: Option<&str>| value.unwrap_or_default().to_owned();
    cells.extend(Field::ALL.iter().map(|field| value(row.value(*field))));
    cells.extend(StateField::ALL.iter().map(|field| value(row.state(*field))));
    cells.push(list(row.endings().into_iter().map(name_of)));
    cells.push(list(row.outcomes.iter().filter_map(|record| record.detail.clone())));
    cells.push(list(row.outcomes.iter().map(|record| record.packets.to_string())));
    cells.push(list(row.outcomes.iter().map(|record| record.packets_planned.to_string())));
    cells
}

fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join("; ")
}

pub(super) fn line<S: AsRef<str>>(cells: &[S]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| quoted(&inert(cell.as_ref()))).collect();
    format!("{}\r\n", cells.join(","))
}

/// Text that no spreadsheet takes for a formula, whether it ends cells at commas or at semicolons.
fn inert(text: &str) -> Cow<'_, str> {
    let text = printable(text);
    let is_formula = |cell: &str| cell.trim_start_matches([' ', '"']).starts_with(OPERATORS);
    if !text.split(';').any(is_formula) {
        return text;
    }
    let apostrophe = |cell: &str| if is_formula(cell) { "'" } else { "" };
    let cells = text.split(';').map(|cell| format!("{}{cell}", apostrophe(cell)));
    Cow::Owned(cells.collect::<Vec<_>>().join(";"))
}

/// RFC 4180, 2.5 to 2.7.
fn quoted(text: &str) -> String {
    match text.contains([',', '"', '\r', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::export::rows::testing::{identified, plant};
    use crate::model::Inventory;

    /// An independent reader of RFC 4180.
    fn read(text: &str) -> Vec<Vec<String>> {
        let (mut lines, mut line, mut cell) = (Vec::new(), Vec::new(), String::new());
        let (mut inside, mut chars) = (false, text.chars().peekable());
        while let Some(c) = chars.next() {
            match c {
                '"' if inside && chars.peek() == Some(&'"') => cell.extend(chars.next()),
                '"' => inside = !inside,
                ',' if !inside => line.push(std::mem::take(&mut cell)),
                '\r' if !inside => {}
                '\n' if !inside => {
                    line.push(std::mem::take(&mut cell));
                    lines.push(std::mem::take(&mut line));
                }
                c => cell.push(c),
            }
        }
        assert!(!inside && cell.is_empty() && line.is_empty(), "text after the last line");
        lines
    }

    fn column(sheet: &[Vec<String>], name: &str) -> Vec<String> {
        let at = sheet[0].iter().position(|head| head == name).unwrap();
        sheet[1..].iter().map(|row| row[at].clone()).collect()
    }

    #[test]
    fn a_gateway_and_its_units_are_rows_in_the_order_of_their_numbers() {
        let (assets, outcomes) = plant();
        let results = Results { outcomes: &outcomes, ..Results::from(&assets) };
        let sheet = read(&csv(results));
        assert_eq!(
            column(&sheet, "path"),
            [
                "line-3/10.0.4.7",
                "line-3/10.0.4.7/modbus/502/2",
                "line-3/10.0.4.7/modbus/502/17",
                "line-3/10.0.4.8",
            ]
        );
        assert_eq!(column(&sheet, "place"), ["", "2", "17", ""]);
        assert_eq!(column(&sheet, "vendor"), ["Quillmere", "Ohmstead", "", ""]);
        let outcomes = ["identified", "identified", "present_no_identity", "refused; silent"];
        assert_eq!(column(&sheet, "outcome"), outcomes);
        assert_eq!(column(&sheet, "port"), ["502", "502", "502", "502; 102"]);
        assert_eq!(column(&sheet, "packets"), ["14", "", "", "2; 1"]);
    }

    #[test]
    fn on_loopback_every_port_is_a_row_of_its_own() {
        let mut assets = Inventory::default();
        assets.add(identified("127.0.0.1", 5001, "Tarnwick", "C24"));
        assets.add(identified("127.0.0.1", 5002, "Ohmstead", "PM-1"));
        let sheet = read(&csv(&assets));
        assert_eq!(column(&sheet, "port"), ["5001", "5002"]);
        assert_eq!(column(&sheet, "model"), ["C24", "PM-1"]);
    }

    proptest! {
        #[test]
        fn whatever_a_device_says_stays_in_its_cell_and_is_no_formula(
            vendor in "[-=+@\t\r\n\",;' a-z\u{0}-\u{9f}\u{202e}\u{FF1D}]{1,12}", model: String,
        ) {
            let mut assets = Inventory::default();
            assets.add(identified("10.0.4.7", 502, &vendor, &model));
            let sheet = read(&csv(&assets));
            prop_assert_eq!(sheet.len(), 2);
            for row in &sheet {
                prop_assert_eq!(row.len(), sheet[0].len());
                for cell in row {
                    prop_assert!(!cell.chars().any(char::is_control), "{:?}", cell);
                    for part in cell.split(';') {
                        let start = part.trim_start_matches([' ', '"']).chars().next();
                        let fine = start.is_none_or(|c| !"=+-@＝＋－＠".contains(c));
                        prop_assert!(fine, "{:?} of {:?}", part, cell);
                    }
                }
            }
            let without = |text: &str| text.replace('\'', "");
            prop_assert_eq!(without(&column(&sheet, "vendor")[0]), without(&printable(&vendor)));
        }
    }
}
