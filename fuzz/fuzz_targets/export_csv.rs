//! Tables for spreadsheets, whatever devices are called: every text stays in its cell, no cell is a
//! formula, every row is as long as the first.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::export::{coverage_csv, csv};
use otcore_fuzz::hostile;

fuzz_target!(|text: &str| {
    let document = hostile::document(text);
    for sheet in [csv(&document), coverage_csv(&document.assets)] {
        let rows = rows(&sheet);
        assert!(rows.iter().all(|row| row.len() == rows[0].len()), "a row is longer or shorter");
        for cell in rows.iter().flatten() {
            assert!(!cell.chars().any(char::is_control), "{cell:?}");
            for part in cell.split(';') {
                let start = part.trim_start_matches([' ', '"']).chars().next();
                assert!(start.is_none_or(|c| !"=+-@＝＋－＠".contains(c)), "{cell:?} is a formula");
            }
        }
    }
});

/// A reader of our own of RFC 4180.
fn rows(sheet: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut inside) = (Vec::new(), Vec::new(), String::new(), false);
    let mut left = sheet.chars().peekable();
    while let Some(c) = left.next() {
        match c {
            '"' if inside && left.peek() == Some(&'"') => cell.extend(left.next()),
            '"' => inside = !inside,
            ',' if !inside => row.push(std::mem::take(&mut cell)),
            '\r' if !inside => assert_eq!(left.peek(), Some(&'\n')),
            '\n' if !inside => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            c => cell.push(c),
        }
    }
    assert!(!inside && cell.is_empty() && row.is_empty(), "something behind the last line");
    rows
}
