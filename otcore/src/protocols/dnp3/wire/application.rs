//! The application layer: who asks for what, and how the outstation is (IEEE 1815-2012, clause 4.2).

use crate::wire::{Reader, WireError};

/// First and last fragment, no confirmation, not unsolicited.
pub(super) const WHOLE: u8 = FIRST | LAST;
const FIRST: u8 = 0x80;
const LAST: u8 = 0x40;
const NUMBER: u8 = 0x0F;

/// The functions that matter here.
pub(super) const READ: u8 = 0x01;
pub(super) const RESPONSE: u8 = 0x81;
pub(super) const UNSOLICITED: u8 = 0x82;

/// Internal indications: how an outstation is, in every answer (clause 4.2.2.6). The high byte is
/// the one that is sent first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Indications(pub u16);

impl Indications {
    const TROUBLES: [(u16, &'static str); 6] = [
        (0x4000, "device trouble"),
        (0x8000, "restarted, and nobody has taken note"),
        (0x2000, "outputs in local control"),
        (0x1000, "wants the time"),
        (0x0008, "event buffer overflowed"),
        (0x0020, "configuration corrupt"),
    ];

    /// What an operator should know, in words.
    pub fn troubles(self) -> impl Iterator<Item = &'static str> {
        let set = move |(bit, _): &(u16, &str)| self.0 & bit != 0;
        Self::TROUBLES.into_iter().filter(set).map(|(_, words)| words)
    }

    /// Whether the answer to a question says that it cannot be answered.
    #[must_use]
    pub fn is_refusal(self) -> bool {
        self.0 & 0x0007 != 0
    }

    /// Whether the same operation is still going on.
    #[must_use]
    pub fn is_busy(self) -> bool {
        self.0 & 0x0010 != 0
    }
}

/// The header of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response {
    control: u8,
    pub(super) function: u8,
    /// How the outstation is.
    pub indications: Indications,
}

impl Response {
    /// Bytes of this header.
    pub(super) const LENGTH: usize = 4;

    /// Read the header of a response.
    ///
    /// # Errors
    /// [`WireError`] that names the field.
    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let control = r.u8("application control")?;
        let function = r.u8("application function")?;
        Ok(Self { control, function, indications: Indications(r.u16_be("indications")?) })
    }

    /// Whether it is the first fragment of an answer to the question of this number.
    pub(super) fn answers(self, number: u8) -> bool {
        let first = self.control & FIRST != 0;
        self.function == RESPONSE && first && self.control & NUMBER == number & NUMBER
    }

    /// Whether no further fragment follows. One that does would come only if this one were
    /// confirmed.
    #[must_use]
    pub fn is_last(self) -> bool {
        self.control & LAST != 0
    }
}
