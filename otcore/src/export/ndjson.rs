//! One JSON object a line: assets, events, outcomes.

use serde::Serialize;

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
    let mut lines = String::new();
    for item in items {
        lines.push_str(&serde_json::to_string(&item)?);
        lines.push('\n');
    }
    Ok(lines)
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
