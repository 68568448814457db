//! The list of lists: which system status lists a controller says that it has.

use std::collections::BTreeSet;

use super::{List, Szl};

/// The partial lists that a controller names in SZL 0x0000.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogue(BTreeSet<u16>);

/// The low byte of the number of a list: what it is about. The high byte says which part of that.
const SUBJECT: u16 = 0x00FF;

impl Catalogue {
    /// What `szl` names; `None` if it breaks off, for what is missing then may be there all the same.
    #[must_use]
    pub fn read(szl: &Szl<'_>) -> Option<Self> {
        let number = |record: &[u8]| record.first_chunk().copied().map(u16::from_be_bytes);
        let named: BTreeSet<u16> = szl.records().filter_map(|(record, _)| number(record)).collect();
        if szl.is_cut_short() || named.is_empty() { None } else { Some(Self(named)) }
    }

    /// Whether `list` may be there. Some controllers name every partial list, others only the whole
    /// one that it is a part of.
    #[must_use]
    pub fn may_hold(&self, list: List) -> bool {
        let (id, whole) = (list.id(), list.id() & SUBJECT);
        let names_parts = self.0.iter().any(|named| named & SUBJECT == whole && *named != whole);
        self.0.contains(&id) || (!names_parts && self.0.contains(&whole))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue(named: &[u16]) -> Option<Catalogue> {
        let count = u16::try_from(named.len()).unwrap();
        announcing(count, named)
    }

    fn announcing(count: u16, named: &[u16]) -> Option<Catalogue> {
        let words = [&[0, 0, 2, count], named].concat();
        let bytes: Vec<u8> = words.into_iter().flat_map(u16::to_be_bytes).collect();
        Catalogue::read(&Szl::read(List::Lists, &bytes).unwrap())
    }

    #[test]
    fn a_part_that_is_not_named_among_its_like_is_not_there() {
        let parts = catalogue(&[0x0000, 0x0011, 0x0111, 0x0132, 0x0032, 0x0424]).unwrap();
        assert!(parts.may_hold(List::ProtectionOfCpu) && parts.may_hold(List::OperatingMode));
        assert!(!parts.may_hold(List::Protection), "0x0132 is named, 0x0232 is not");
        assert!(!parts.may_hold(List::Leds));
    }

    #[test]
    fn who_names_whole_lists_only_may_have_every_part_of_them() {
        let whole = catalogue(&[0x0011, 0x0032]).unwrap();
        assert!(whole.may_hold(List::Protection) && whole.may_hold(List::ProtectionOfCpu));
        assert!(!whole.may_hold(List::OperatingMode));
    }

    #[test]
    fn a_list_that_breaks_off_or_names_nothing_rules_out_nothing() {
        assert_eq!(announcing(3, &[0x0011, 0x0032]), None);
        assert_eq!(catalogue(&[]), None);
    }
}
