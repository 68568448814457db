//! One JSON object a line: assets, events, outcomes.

use std::io::{self, Write};

use serde::Serialize;

use super::text;

/// One line of JSON for each of `items`.
///
/// ```
/// use otcore::{Asset, Inventory};
///
/// let mut inventory = Inventory::default();
/// inventory.add(Asset::new("line-3".parse()?, "10.0.4.7".parse()?));
/// let lines = otcore::export::ndjson(inventory.iter())?;
/// assert_eq!(lines.lines().count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Only if an item cannot be written as JSON; everything of this crate can.
pub fn ndjson<T: Serialize>(items: impl IntoIterator<Item = T>) -> serde_json::Result<String> {
    text(|out| write_ndjson(items, out)).map_err(serde_json::Error::io)
}

/// The same, line by line.
pub(super) fn write_ndjson<T: Serialize>(
    items: impl IntoIterator<Item = T>,
    out: &mut impl Write,
) -> io::Result<()> {
    for item in items {
        serde_json::to_writer(&mut *out, &item)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_one_line_whatever_is_in_it() {
        let lines = ndjson(["a\nb", "\u{2028}", ""]).unwrap();
        let read: Vec<String> =
            lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(read, ["a\nb", "\u{2028}", ""]);
    }
}
