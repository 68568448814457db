//! Numbers that ODVA and Rockwell gave out, and what they stand for.
//!
//! Tables of facts, generated from `data/`: only rows that a source with a permissive licence has.

/// The tables, by the names of their files.
pub(super) const TABLES: [(&str, &str); 3] = [
    ("cip-device-types.csv", include_str!("data/device_types.csv")),
    ("cip-vendors.csv", VENDORS),
    ("rockwell.csv", include_str!("data/rockwell.csv")),
];

const VENDORS: &str = include_str!("data/vendors.csv");

/// The name of a vendor, as ODVA lists it, for the policy: what is sent is decided by what is compiled
/// in. A conversation asks once, so the table is not worth an index.
pub(super) fn vendor(id: u16) -> Option<&'static str> {
    let key = id.to_string();
    let mut rows = VENDORS.lines().filter_map(|row| row.split_once(','));
    rows.find(|(first, _)| *first == key).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_numbers_have_their_names() {
        assert_eq!(vendor(1), Some("Rockwell Automation/Allen-Bradley"));
        assert_eq!(vendor(283), Some("Hilscher GmbH"));
        assert_eq!(vendor(0xFFFF), None);
    }
}
