//! System status lists: a question, its answer in one part or several, and the list that they make.

use super::{Function, S7};
use crate::protocol::Request;
use crate::safety::ReadOnly;
use crate::wire::{Reader, WireError, Writer};

/// A list that may be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum List {
    /// 0x0011.
    ModuleIdentification,
    /// 0x001C.
    ComponentIdentification,
    /// 0x011C, index 8.
    MemoryCard,
    /// 0x011C, index 11.
    Location,
    /// 0x0000.
    Lists,
    /// 0x0037.
    EthernetDetails,
    /// 0x0131, index 1.
    CommunicationLimits,
    /// 0x0091.
    Modules,
    /// 0x0D91, index 0.
    ModulesOfRack,
    /// 0x0424.
    OperatingMode,
    /// 0x0232, index 4.
    Protection,
    /// 0x0132, index 4.
    ProtectionOfCpu,
    /// 0x0074.
    Leds,
}

impl List {
    /// All lists, in the order of the manifest.
    pub const ALL: [Self; 13] = [
        Self::ModuleIdentification,
        Self::ComponentIdentification,
        Self::MemoryCard,
        Self::Location,
        Self::Lists,
        Self::EthernetDetails,
        Self::CommunicationLimits,
        Self::Modules,
        Self::ModulesOfRack,
        Self::OperatingMode,
        Self::Protection,
        Self::ProtectionOfCpu,
        Self::Leds,
    ];

    /// The function that reads it.
    #[must_use]
    pub const fn function(self) -> Function {
        match self {
            Self::ModuleIdentification => Function::ReadModuleIdentification,
            Self::ComponentIdentification => Function::ReadComponentIdentification,
            Self::MemoryCard => Function::ReadMemoryCard,
            Self::Location => Function::ReadLocation,
            Self::Lists => Function::ReadListOfLists,
            Self::EthernetDetails => Function::ReadEthernetDetails,
            Self::CommunicationLimits => Function::ReadCommunicationLimits,
            Self::Modules => Function::ReadModules,
            Self::ModulesOfRack => Function::ReadModulesOfRack,
            Self::OperatingMode => Function::ReadOperatingMode,
            Self::Protection => Function::ReadProtection,
            Self::ProtectionOfCpu => Function::ReadProtectionOfCpu,
            Self::Leds => Function::ReadLeds,
        }
    }

    /// The number of the list, which is part of the selector.
    pub(super) fn id(self) -> u16 {
        match self.function().facts().selector.path() {
            [_, _, _, _, high, low, ..] => u16::from_be_bytes([*high, *low]),
            _ => 0,
        }
    }
}

/// Read one list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadSzl {
    /// Which.
    pub list: List,
}

/// Read on where the answer before ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadNextPart {
    /// The sequence number of that answer.
    pub sequence: u8,
}

/// As much of a list as fits one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What to ask on with.
    pub sequence: u8,
    /// Whether there is more.
    pub more: bool,
    /// The bytes of the list.
    pub bytes: Vec<u8>,
}

impl Request<S7> for ReadSzl {
    type Reply = Part;

    fn function(&self) -> Function {
        self.list.function()
    }

    /// Which list is in the selector; there is nothing else to say.
    fn write(&self, _: &mut Writer) {}

    fn read(&self, body: &mut Reader<'_>) -> Result<Part, WireError> {
        part(body)
    }
}

impl Request<S7> for ReadNextPart {
    type Reply = Part;

    fn function(&self) -> Function {
        Function::ReadNextPart
    }

    fn write(&self, body: &mut Writer) {
        body.u8(self.sequence);
    }

    fn read(&self, body: &mut Reader<'_>) -> Result<Part, WireError> {
        part(body)
    }
}

/// From the sequence number on: number of the data unit, whether it is the last, error, data.
fn part(body: &mut Reader<'_>) -> Result<Part, WireError> {
    let [sequence, _unit, last, _, _, _code, _size] = body.array("parameters and item")?;
    let more = last == 1;
    let length = body.u16_be("data length")?;
    let bytes = body.take(length.into(), "data")?.to_vec();
    Ok(Part { sequence, more, bytes })
}

/// A list put together from its parts: records of equal length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Szl<'a> {
    record_length: usize,
    count: usize,
    is_cut_short: bool,
    records: &'a [u8],
}

/// List, index, length and number of records.
const HEADER: usize = 8;
/// The number of records that some devices give while they do not know it yet.
const UNKNOWN: u16 = 0xFFFF;

impl<'a> Szl<'a> {
    /// The list in `bytes`, all parts of it or the first few.
    ///
    /// # Errors
    /// If it is another list, or its records could not be in it.
    pub fn read(list: List, bytes: &'a [u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(bytes);
        match r.u16_be("list")? {
            id if id == list.id() => {}
            other => return Err(WireError::Invalid { field: "list", value: other.into() }),
        }
        r.take(2, "index")?; // a device may answer with another
        let record_length = r.u16_be("record length")?;
        let count = r.u16_be("record count")?;
        let records = r.rest();
        let length = usize::from(record_length);
        if count > 0 && !(2..=records.len()).contains(&length) {
            let value = record_length.into();
            return Err(WireError::Invalid { field: "record length", value });
        }
        let there = records.len().checked_div(length).unwrap_or_default();
        let announced = if count == UNKNOWN { there } else { count.into() };
        let (count, is_cut_short) = (there.min(announced), there < announced);
        Ok(Self { record_length: length.max(1), count, is_cut_short, records })
    }

    /// Whether there are fewer records than the list announces: some devices end it where the
    /// message is full.
    #[must_use]
    pub fn is_cut_short(&self) -> bool {
        self.is_cut_short
    }

    /// Each whole record, with the number of bytes of the list up to its end.
    pub fn records(&self) -> impl Iterator<Item = (&'a [u8], usize)> + use<'a> {
        let length = self.record_length;
        let ends = (1..).map(move |record| HEADER + record * length);
        self.records.chunks_exact(length).zip(ends).take(self.count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TWO: [u8; 16] = [0x00, 0x74, 0, 0, 0, 4, 0, 2, 0, 4, 1, 0, 0, 5, 0, 0];

    fn records(bytes: &[u8]) -> Vec<(&[u8], usize)> {
        Szl::read(List::Leds, bytes).unwrap().records().collect()
    }

    #[test]
    fn records_know_where_they_end() {
        let two = [(&[0, 4, 1, 0][..], 12), (&[0, 5, 0, 0][..], 16)];
        assert_eq!(records(&TWO), two);
    }

    #[test]
    fn a_list_cut_short_keeps_its_whole_records() {
        assert_eq!(records(&TWO[..15]).len(), 1);
        assert!(Szl::read(List::Leds, &TWO[..15]).unwrap().is_cut_short());
        assert!(!Szl::read(List::Leds, &TWO).unwrap().is_cut_short());
    }

    #[test]
    fn a_count_that_is_not_known_yet_is_counted() {
        let mut list = TWO;
        list[6..8].copy_from_slice(&[0xFF, 0xFF]);
        assert_eq!(records(&list).len(), 2);
        list[6..8].copy_from_slice(&[0, 1]);
        assert_eq!(records(&list).len(), 1, "what follows the last record is none");
    }

    #[test]
    fn text_where_the_record_length_should_be_is_no_list() {
        // A pure Python server answers without length and count: the text begins at once.
        let error = WireError::Invalid { field: "record length", value: 0x3645 };
        let answer = [&[0x00, 0x11, 0, 0][..], b"6ES7 315-2EH14-0AB0 "].concat();
        assert_eq!(Szl::read(List::ModuleIdentification, &answer), Err(error));
    }

    #[test]
    fn another_list_is_not_the_one_that_was_asked_for() {
        let error = WireError::Invalid { field: "list", value: 0x74 };
        assert_eq!(Szl::read(List::OperatingMode, &TWO), Err(error));
    }

    #[test]
    fn an_empty_list_is_a_list() {
        assert_eq!(records(&[0x00, 0x74, 0, 0, 0, 0, 0, 0]), []);
    }

    proptest! {
        #[test]
        fn records_lie_within_the_bytes(bytes: Vec<u8>) {
            let list = [&[0x00, 0x74][..], &bytes].concat();
            if let Ok(szl) = Szl::read(List::Leds, &list) {
                for (record, end) in szl.records() {
                    prop_assert_eq!(record, &list[end - record.len()..end]);
                }
            }
        }
    }
}
