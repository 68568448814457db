//! The shape of every S7 message: its header, its parameters, its data.

use super::cotp;
use crate::wire::{Reader, WireError, Writer};

pub(super) const PROTOCOL_ID: u8 = 0x32;
/// Length of the header in front of a question.
pub(super) const HEADER: usize = 10;
pub(super) const JOB: u8 = 0x01;
pub(super) const ACK: u8 = 0x02;
pub(super) const ACK_DATA: u8 = 0x03;
pub(super) const USER_DATA: u8 = 0x07;
pub(super) const SETUP: u8 = 0xF0;

/// What every parameter block of user data begins with.
pub(super) const USER_DATA_HEAD: [u8; 3] = [0x00, 0x01, 0x12];
pub(super) const QUESTION: u8 = 0x11;
pub(super) const CONTINUATION: u8 = 0x12;
/// An answer of the group "CPU functions" to "read SZL".
pub(super) const SZL_ANSWERED: [u8; 2] = [0x84, 0x01];
pub(super) const SZL_ASKED: [u8; 2] = [0x44, 0x01];
/// A data item that is there, as a string of bytes.
pub(super) const ITEM: [u8; 2] = [0xFF, 0x09];
pub(super) const NO_ITEM: [u8; 4] = [0x0A, 0x00, 0x00, 0x00];

/// The header of every S7 message.
pub(super) struct Header {
    pub(super) kind: u8,
    pub(super) reserved: u16,
    pub(super) reference: u16,
    pub(super) parameters: usize,
    pub(super) data: usize,
    pub(super) error: u16,
}

impl Header {
    #[inline]
    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let mut head = Reader::new(r.take(HEADER, "header")?);
        let id = head.u8("protocol id")?;
        if id != PROTOCOL_ID {
            return Err(WireError::Invalid { field: "protocol id", value: id.into() });
        }
        let kind = head.u8("message kind")?;
        let (reserved, reference) = (head.u16_be("reserved")?, head.u16_be("reference")?);
        let parameters = usize::from(head.u16_be("parameter length")?);
        let data = usize::from(head.u16_be("data length")?);
        let error = match kind {
            JOB | USER_DATA => 0,
            ACK | ACK_DATA => r.u16_be("error code")?,
            other => return Err(WireError::Invalid { field: "message kind", value: other.into() }),
        };
        if r.left() != parameters + data {
            return Err(WireError::Invalid { field: "data length", value: data as u64 });
        }
        Ok(Self { kind, reserved, reference, parameters, data, error })
    }
}

/// Write a question for a list, of which every part has its length.
#[inline]
pub(super) fn question_of(out: &mut Writer, reference: u16, parameters: [u8; 8], data: [u8; 8]) {
    begin(out, USER_DATA, reference, parameters.len(), data.len());
    out.bytes(&parameters).bytes(&data);
}

/// Write a whole message, its parameters and data given piece by piece.
pub(super) fn message(
    out: &mut Writer,
    kind: u8,
    reference: u16,
    parameters: &[&[u8]],
    data: &[&[u8]],
) {
    let sum = |pieces: &[&[u8]]| pieces.iter().map(|piece| piece.len()).sum::<usize>();
    begin(out, kind, reference, sum(parameters), sum(data));
    for piece in parameters.iter().chain(data) {
        out.bytes(piece);
    }
}

/// Write everything before the parameters and data, which have these lengths.
#[inline]
fn begin(out: &mut Writer, kind: u8, reference: u16, parameters: usize, data: usize) {
    let length = |bytes: usize| u16::try_from(bytes).unwrap_or(u16::MAX);
    cotp::carrier(out, HEADER + parameters + data);
    out.u8(PROTOCOL_ID).u8(kind).u16_be(0).u16_be(reference);
    out.u16_be(length(parameters)).u16_be(length(data));
}

/// The head of the parameters of user data, which is always the same.
#[inline]
pub(super) fn user_data_head(r: &mut Reader<'_>) -> Result<(), WireError> {
    match r.array("parameter head")? {
        USER_DATA_HEAD => Ok(()),
        [value, ..] => Err(WireError::Invalid { field: "parameter head", value: value.into() }),
    }
}
