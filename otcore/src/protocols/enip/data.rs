//! Numbers that ODVA and Rockwell gave out, and what they stand for.
//!
//! Tables of facts, generated from `data/`: only rows that a source with a permissive licence has.

/// The name of a vendor, as ODVA lists it.
pub(super) fn vendor(id: u16) -> Option<&'static str> {
    find(include_str!("data/vendors.csv"), &id.to_string())
}

/// The name of a device profile.
pub(super) fn device_type(id: u16) -> Option<&'static str> {
    find(include_str!("data/device_types.csv"), &id.to_string())
}

/// What Rockwell orders a product by: `None` if the table does not know it.
pub(super) fn catalog_number(device_type: u16, product_code: u16) -> Option<&'static str> {
    find(include_str!("data/rockwell.csv"), &format!("{device_type}/{product_code}"))
}

/// The rest of the row that begins with `key`. A table is read once in a conversation, so it is not
/// worth an index.
fn find(table: &'static str, key: &str) -> Option<&'static str> {
    let rows = table.lines().filter_map(|row| row.split_once(','));
    rows.filter(|(first, _)| *first == key).map(|(_, name)| name).next()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn known_numbers_have_their_names() {
        assert_eq!(vendor(1), Some("Rockwell Automation/Allen-Bradley"));
        assert_eq!(vendor(283), Some("Hilscher GmbH"));
        assert_eq!(vendor(0xFFFF), None);
        assert_eq!(device_type(14), Some("Programmable Logic Controller"));
        assert_eq!(catalog_number(7, 11), Some("1756-IB16"));
    }

    #[test]
    fn every_number_stands_once_and_has_a_name() {
        for table in [
            include_str!("data/vendors.csv"),
            include_str!("data/device_types.csv"),
            include_str!("data/rockwell.csv"),
        ] {
            let mut keys = BTreeSet::new();
            for row in table.lines() {
                let (key, name) = row.split_once(',').unwrap();
                assert!(keys.insert(key), "{row}");
                assert!(!name.is_empty() && !name.starts_with('"'), "{row}");
            }
        }
    }
}
