//! The data link layer: frames with addresses, and a checksum behind every sixteen bytes
//! (IEEE 1815-2012, clause 9).

use super::crc::crc;
use crate::wire::{Reader, WireError, Writer};

/// What every frame begins with.
pub(super) const START: [u8; 2] = [0x05, 0x64];
/// A block of data and its checksum.
const BLOCK: usize = 16 + 2;
/// Control, destination and source, which the length counts too.
const COUNTED: u8 = 5;

const FROM_MASTER: u8 = 0x80;
const PRIMARY: u8 = 0x40;
/// Of a secondary: its buffers are full.
const FULL: u8 = 0x10;

/// Functions of a primary.
pub(super) const CONFIRMED_DATA: u8 = 3;
pub(super) const UNCONFIRMED_DATA: u8 = 4;
pub(super) const REQUEST_LINK_STATUS: u8 = 9;

/// The address that an outstation answers whatever its own is, if it knows the feature.
pub const SELF_ADDRESS: u16 = 0xFFFC;
/// No station has an address above this one: they are reserved, or mean everybody.
pub const LAST_ADDRESS: u16 = 0xFFEF;

/// The header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    control: u8,
    /// Whom it is for.
    pub to: u16,
    /// Who sent it.
    pub from: u16,
    /// Bytes of data behind the header, checksums not counted.
    data: u8,
}

impl Header {
    /// Read a header and hold it against its checksum.
    ///
    /// # Errors
    /// [`WireError`] that names the field.
    #[inline]
    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let mut ahead = r.clone();
        let header = Self::read_again(r)?;
        let bytes: [u8; 8] = ahead.array("link header")?;
        check(&bytes, ahead.u16_le("checksum of the header")?, "checksum of the header")?;
        Ok(header)
    }

    /// Read a header whose checksum is known to be right.
    #[inline]
    fn read_again(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let mut ahead = r.clone();
        ahead.expect_u8(START[0], "start")?;
        ahead.expect_u8(START[1], "start")?;
        let bytes: [u8; 8] = r.array("link header")?;
        let [_, _, length, control, to_low, to_high, from_low, from_high] = bytes;
        r.u16_le("checksum of the header")?;
        let wrong = WireError::Invalid { field: "length", value: length.into() };
        Ok(Self {
            control,
            to: u16::from_le_bytes([to_low, to_high]),
            from: u16::from_le_bytes([from_low, from_high]),
            data: length.checked_sub(COUNTED).ok_or(wrong)?,
        })
    }

    /// The header that a message begins with, which was held against its checksum before.
    ///
    /// # Errors
    /// [`WireError`] that names the field.
    pub fn of(message: &[u8]) -> Result<Self, WireError> {
        Self::read_again(&mut Reader::new(message))
    }

    /// Whether a master sent it.
    pub(super) fn is_from_master(self) -> bool {
        self.control & FROM_MASTER != 0
    }

    /// Whether it begins something, rather than answers.
    pub(super) fn is_primary(self) -> bool {
        self.control & PRIMARY != 0
    }

    /// Whether a secondary says that its buffers are full.
    pub(super) fn is_full(self) -> bool {
        !self.is_primary() && self.control & FULL != 0
    }

    /// The function, which means one thing for a primary and another for a secondary.
    pub(super) fn function(self) -> u8 {
        self.control & 0x0F
    }

    /// Whether it carries a piece of an application's message.
    pub(super) fn has_message(self) -> bool {
        self.is_primary() && matches!(self.function(), CONFIRMED_DATA | UNCONFIRMED_DATA)
    }

    /// Bytes behind the header, checksums counted.
    fn blocks(self) -> usize {
        let data = usize::from(self.data);
        data + 2 * data.div_ceil(BLOCK - 2)
    }

    /// Whether it is a question in the form we write: function, direction and no counter bits.
    pub(super) fn is_as_we_write(self) -> bool {
        self.control & 0xF0 == FROM_MASTER | PRIMARY
    }
}

/// One frame: its header, and its data with the checksums still between.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    pub(super) header: Header,
    blocks: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The first frame; its data is not held against its checksums.
    ///
    /// # Errors
    /// [`WireError`] that names the field.
    #[inline]
    pub(super) fn read(r: &mut Reader<'a>) -> Result<Self, WireError> {
        let header = Header::read(r)?;
        Ok(Self { header, blocks: r.take(header.blocks(), "link data")? })
    }

    /// The first frame of a message that was held against its checksums before.
    ///
    /// # Errors
    /// [`WireError`] that names the field.
    #[inline]
    pub(super) fn read_again(r: &mut Reader<'a>) -> Result<Self, WireError> {
        let header = Header::read_again(r)?;
        Ok(Self { header, blocks: r.take(header.blocks(), "link data")? })
    }

    /// Hold every block against its checksum.
    #[inline]
    pub(super) fn check(self) -> Result<(), WireError> {
        for block in self.blocks.chunks(BLOCK) {
            let (data, sum) =
                block.split_last_chunk().ok_or(WireError::Short { field: "block" })?;
            check(data, u16::from_le_bytes(*sum), "checksum of a block")?;
        }
        Ok(())
    }

    /// The data, piece by piece, without checksums.
    pub(super) fn data(self) -> impl Iterator<Item = &'a [u8]> {
        self.blocks.chunks(BLOCK).filter_map(|block| Some(block.split_last_chunk::<2>()?.0))
    }

    /// The first bytes of the data: those of the first block.
    pub(super) fn first_block(self) -> &'a [u8] {
        self.data().next().unwrap_or_default()
    }
}

/// Write a frame from a master: function, whom for, who from, and data.
#[inline]
pub(super) fn frame(w: &mut Writer, function: u8, to: u16, from: u16, data: &[u8]) {
    // Ours are far shorter than 250 bytes; a longer one would not read back, so never leave.
    let length = u8::try_from(data.len()).unwrap_or(u8::MAX).saturating_add(COUNTED);
    let [to_low, to_high] = to.to_le_bytes();
    let [from_low, from_high] = from.to_le_bytes();
    let control = FROM_MASTER | PRIMARY | function;
    let header = [START[0], START[1], length, control, to_low, to_high, from_low, from_high];
    w.bytes(&header).u16_le(crc(&header));
    for block in data.chunks(BLOCK - 2) {
        w.bytes(block).u16_le(crc(block));
    }
}

#[inline]
fn check(bytes: &[u8], sum: u16, field: &'static str) -> Result<(), WireError> {
    match crc(bytes) == sum {
        true => Ok(()),
        false => Err(WireError::Invalid { field, value: sum.into() }),
    }
}
