//! What an EtherNet/IP device says when it refuses.
//!
//! The codes of a [`Refusal`](crate::protocol::Answer::Refusal). The general status of CIP is the
//! low byte and its extended status the two bytes above; the highest byte says who refused: the
//! object that was asked, the way to its slot, or the encapsulation around both.

use crate::protocol::Answer;

/// The encapsulation refused; its status is in the lower half.
pub const ENCAPSULATION: u32 = 0x0100_0000;
/// The way to the slot refused.
pub const ROUTING: u32 = 0x0200_0000;

/// Nobody answered in the slot in time.
const NOBODY_IN_TIME: u16 = 0x0204;

/// The name of a refusal code.
///
/// ```
/// use otcore::protocols::enip::refusal;
/// assert_eq!(refusal::text(0x08), "no such service here");
/// ```
#[must_use]
pub const fn text(code: u32) -> &'static str {
    match code & 0xFF00_0000 {
        ENCAPSULATION => match code & 0xFFFF {
            0x01 => "command not supported",
            0x02 => "no memory",
            0x03 => "wrong data",
            0x64 => "no such session",
            0x65 => "wrong length",
            0x69 => "encapsulation version not supported",
            _ => "status without a name",
        },
        ROUTING => match (code >> 8) & 0xFFFF {
            0x0204 => "nobody answered in that slot in time",
            0x0311 => "no such port",
            0x0312 => "no such slot",
            0x0315 => "a path it does not know",
            _ => "no way to that slot",
        },
        _ => match code & 0xFF {
            0x02 => "no resources",
            0x05 => "no such object here",
            0x08 => "no such service here",
            0x0F => "not permitted",
            0x13 => "not enough data",
            0x14 => "no such attribute",
            0x16 => "no such instance",
            _ => "status without a name",
        },
    }
}

pub(super) fn encapsulation<'a>(status: u32) -> Answer<'a> {
    Answer::Refusal { code: ENCAPSULATION | (status & 0xFFFF), busy: status == 0x02 }
}

/// General status 2: resource unavailable (ODVA, volume 1, appendix B).
pub(super) fn general<'a>(status: u8, extended: u16) -> Answer<'a> {
    Answer::Refusal { code: code(status, extended), busy: status == 0x02 }
}

pub(super) fn routing<'a>(status: u8, extended: u16) -> Answer<'a> {
    Answer::Refusal { code: ROUTING | code(status, extended), busy: status == 0x02 }
}

fn code(status: u8, extended: u16) -> u32 {
    u32::from(extended) << 8 | u32::from(status)
}

/// Whether there is no such object, so that its attributes need not be asked for one by one: path
/// destination unknown, or object does not exist.
pub(in crate::protocols::enip) const fn is_of_no_object(code: u32) -> bool {
    is_of_module(code) && matches!(code & 0xFF, 0x05 | 0x16)
}

/// Whether the module in the slot itself refused: it is there.
pub(in crate::protocols::enip) const fn is_of_module(code: u32) -> bool {
    code & 0xFF00_0000 == 0
}

/// Whether a slot is empty, rather than the whole backplane out of reach.
pub(in crate::protocols::enip) const fn is_empty_slot(code: u32) -> bool {
    code & 0xFF00_0000 == ROUTING && matches!((code >> 8) & 0xFFFF, NOBODY_IN_TIME_32 | 0x0312)
}

/// Whether the slot is that of whoever was asked to hand the question on.
pub(in crate::protocols::enip) const fn is_itself(code: u32) -> bool {
    code & 0xFF00_0000 == ROUTING && (code >> 8) & 0xFFFF == 0x0318
}

const NOBODY_IN_TIME_32: u32 = NOBODY_IN_TIME as u32;

/// Whether no further read makes sense: the encapsulation refused, as for want of a session.
pub(in crate::protocols::enip) const fn ends_session(code: u32) -> bool {
    code & 0xFF00_0000 == ENCAPSULATION
}
