//! The rows and columns of the spreadsheet as data, for programs that have tables of their own.

use serde::Serialize;

use super::Results;
use super::csv::{cells, columns};
use super::rows::rows;

/// The rows and columns of [`csv`](super::csv()), each value as it was said.
///
/// Nothing is quoted or escaped, so this is for programs: what goes to a spreadsheet or a terminal
/// takes the way of [`csv`](super::csv()) or [`table`](super::table()).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Sheet {
    /// Names of the columns.
    pub columns: Vec<&'static str>,
    /// One value for each column; empty where nothing is known.
    pub rows: Vec<Vec<String>>,
}

/// One row per device and per module or child.
///
/// ```
/// use otcore::{Asset, Inventory};
///
/// let mut inventory = Inventory::default();
/// inventory.add(Asset::new("line-3".parse()?, "10.0.4.7".parse()?));
/// let sheet = otcore::export::sheet(&inventory);
/// assert_eq!(sheet.columns.first(), Some(&"path"));
/// assert_eq!(sheet.rows.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn sheet<'a>(results: impl Into<Results<'a>>) -> Sheet {
    Sheet { columns: columns(), rows: rows(&results.into()).iter().map(cells).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Asset, Inventory};

    #[test]
    fn every_row_has_a_value_for_each_column() {
        let mut inventory = Inventory::default();
        let mut asset = Asset::new("a".parse().unwrap(), "10.0.0.1".parse().unwrap());
        asset.child("modbus", 502, "3");
        inventory.add(asset);
        let sheet = sheet(&inventory);
        let paths: Vec<&str> = sheet.rows.iter().map(|row| row[0].as_str()).collect();
        assert_eq!(paths, ["a/10.0.0.1", "a/10.0.0.1/modbus/502/3"]);
        assert!(sheet.rows.iter().all(|row| row.len() == sheet.columns.len()));
    }
}
