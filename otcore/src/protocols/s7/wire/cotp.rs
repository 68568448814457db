//! TPKT and COTP: what carries S7. RFC 1006 and RFC 905, class 0.

use std::borrow::Cow;

use crate::wire::{Reader, WireError, Writer};

const CONNECTION_REQUEST: u8 = 0xE0;
const CONNECTION_CONFIRM: u8 = 0xD0;
const DISCONNECT_REQUEST: u8 = 0x80;
const ERROR: u8 = 0x70;
const DATA: u8 = 0xF0;
/// The last message of a unit. RFC 905, 13.7.3.
const END: u8 = 0x80;

/// Header and the shortest message; at most twice what we say that we take.
pub(super) const LENGTHS: std::ops::RangeInclusive<u16> = 7..=2048;

/// Length of the message that begins with this header.
#[inline]
pub(super) fn length(r: &mut Reader<'_>) -> Result<u16, WireError> {
    r.expect_u8(3, "tpkt version")?;
    r.expect_u8(0, "tpkt reserved")?;
    match r.u16_be("tpkt length")? {
        length if LENGTHS.contains(&length) => Ok(length),
        length => Err(WireError::Invalid { field: "tpkt length", value: length.into() }),
    }
}

/// One whole COTP message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Message<'a> {
    /// Somebody wants a connection: everything after the header.
    Request(&'a [u8]),
    /// There is a connection: the parameters.
    Confirm(&'a [u8]),
    /// There is none, or none any longer.
    Disconnect {
        reason: u8,
    },
    Error {
        cause: u8,
    },
    /// What the connection carries.
    Data(&'a [u8]),
    /// An empty message in front of another, as some devices send. It wants no answer.
    Nothing,
}

impl<'a> Message<'a> {
    #[inline]
    pub(super) fn read(message: &'a [u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(message);
        let length = length(&mut r)?;
        if usize::from(length) != message.len() {
            return Err(WireError::Invalid { field: "tpkt length", value: length.into() });
        }
        let header = usize::from(r.u8("cotp length")?);
        let mut header = Reader::new(r.take(header, "cotp header")?);
        let kind = header.u8("cotp kind")?;
        match kind {
            DATA => data(header.u8("cotp number")?, r.rest()),
            CONNECTION_REQUEST => Ok(Self::Request(header.rest())),
            CONNECTION_CONFIRM => {
                header.take(5, "cotp references")?;
                Ok(Self::Confirm(header.rest()))
            }
            DISCONNECT_REQUEST => {
                header.take(4, "cotp references")?;
                Ok(Self::Disconnect { reason: header.u8("cotp reason")? })
            }
            ERROR => {
                header.take(2, "cotp reference")?;
                Ok(Self::Error { cause: header.u8("cotp cause")? })
            }
            other => Err(WireError::Invalid { field: "cotp kind", value: other.into() }),
        }
    }
}

/// Everything that S7 says fits one message, so nothing has to be put together.
#[inline]
fn data(number: u8, payload: &[u8]) -> Result<Message<'_>, WireError> {
    match (number & END, payload) {
        (_, []) => Ok(Message::Nothing),
        (0, _) => Err(WireError::Invalid { field: "cotp number", value: number.into() }),
        _ => Ok(Message::Data(payload)),
    }
}

/// Who speaks in a message that is not S7.
pub(super) fn foreign(payload: &[u8]) -> Option<WireError> {
    let protocol = match payload {
        [0x72, ..] => "s7comm-plus",
        // Session layer: connect, accept, refuse, abort, data (ISO 8327-1, 8.3).
        [0x0D | 0x0E | 0x0C | 0x19 | 0x01, ..] => "mms or another session protocol",
        _ => return None,
    };
    Some(WireError::Foreign { protocol: Cow::Borrowed(protocol) })
}

/// Write the beginning of a message that carries a payload of this length, which comes next.
#[inline]
pub(super) fn carrier(out: &mut Writer, payload: usize) {
    let length = u16::try_from(7 + payload).unwrap_or(u16::MAX);
    out.u8(3).u8(0).u16_be(length).bytes(&CARRIED);
}

/// In front of every payload: length, kind, number.
const CARRIED: [u8; 3] = [2, DATA, END];

/// Whether the spare bits of the number are as we write them.
#[inline]
pub(super) fn is_carried_as_we_do(message: &[u8]) -> Result<(), WireError> {
    match message.get(4..7) {
        Some(header) if header == CARRIED => Ok(()),
        _ => Err(WireError::Invalid { field: "cotp number", value: 0 }),
    }
}

/// What a connection request says after its kind and the reference: class 0, messages of 1024
/// bytes, our own address 01.00, and the address that is called. RFC 905, 13.3.
const BEFORE_ADDRESS: [u8; 10] = [0x00, 0xC0, 0x01, 0x0A, 0xC1, 0x02, 0x01, 0x00, 0xC2, 0x02];

/// Write a connection request to the address `kind`, `place`.
pub(super) fn request(out: &mut Writer, reference: u16, kind: u8, place: u8) {
    out.u8(3).u8(0).u16_be(22).u8(17).u8(CONNECTION_REQUEST);
    out.u16_be(0).u16_be(reference.max(1)); // 0 means "none"
    out.bytes(&BEFORE_ADDRESS).u8(kind).u8(place);
}

/// The address in one of our connection requests, which must be exactly that.
pub(super) fn called(request: &[u8]) -> Result<[u8; 2], WireError> {
    let mut r = Reader::new(request);
    r.expect_u8(0, "destination reference")?;
    r.expect_u8(0, "destination reference")?;
    if r.u16_be("source reference")? == 0 {
        return Err(WireError::Invalid { field: "source reference", value: 0 });
    }
    for byte in BEFORE_ADDRESS {
        r.expect_u8(byte, "connection parameters")?;
    }
    let address = r.array("called address")?;
    match r.left() {
        0 => Ok(address),
        left => Err(WireError::Invalid { field: "connection parameters", value: left as u64 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_message_is_nothing_whether_it_is_the_last_or_not() {
        for number in [0x00, 0x80] {
            let message = [3, 0, 0, 7, 2, 0xF0, number];
            assert_eq!(Message::read(&message), Ok(Message::Nothing));
        }
    }

    #[test]
    fn a_payload_in_pieces_is_refused() {
        let error = WireError::Invalid { field: "cotp number", value: 0 };
        assert_eq!(Message::read(&[3, 0, 0, 8, 2, 0xF0, 0, 0x32]), Err(error));
    }

    #[test]
    fn a_refused_connection_says_why() {
        let refusal = [3, 0, 0, 11, 6, 0x80, 0, 1, 0, 3, 3];
        assert_eq!(Message::read(&refusal), Ok(Message::Disconnect { reason: 3 }));
        let error = [3, 0, 0, 9, 4, 0x70, 0, 1, 2];
        assert_eq!(Message::read(&error), Ok(Message::Error { cause: 2 }));
    }

    #[test]
    fn other_users_of_the_port_are_named() {
        assert!(matches!(foreign(&[0x72, 1]), Some(WireError::Foreign { .. })));
        assert!(matches!(foreign(&[0x0E, 1]), Some(WireError::Foreign { .. })));
        assert_eq!(foreign(&[0x32, 1]), None);
    }
}
