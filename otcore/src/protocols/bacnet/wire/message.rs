//! What is around every message: the BVLC for its way over IP, the NPDU for its way over networks.
//!
//! ASHRAE 135, annex J.2 and clause 6.2.

use super::address::{Address, IpPlace};
use crate::protocols::foreign;
use crate::wire::{Reader, WireError, Writer};

/// BACnet/IP over IPv4.
const BVLL: u8 = 0x81;
pub(super) const RESULT: u8 = 0x00;
pub(super) const READ_BROADCAST_TABLE: u8 = 0x02;
pub(super) const BROADCAST_TABLE: u8 = 0x03;
const FORWARDED: u8 = 0x04;
pub(super) const READ_FOREIGN_TABLE: u8 = 0x06;
pub(super) const FOREIGN_TABLE: u8 = 0x07;
pub(super) const UNICAST: u8 = 0x0A;
pub(super) const BROADCAST: u8 = 0x0B;
/// The last function there is: Secure-BVLL.
const LAST: u8 = 0x0C;

const VERSION: u8 = 1;
pub(super) const NETWORK_MESSAGE: u8 = 0x80;
pub(super) const HAS_DESTINATION: u8 = 0x20;
const HAS_SOURCE: u8 = 0x08;
pub(super) const EXPECTS_REPLY: u8 = 0x04;
const PRIORITY: u8 = 0x03;
const HOPS: u8 = 0xFF;

/// A whole message, and what is in it.
#[derive(Clone, Debug)]
pub(super) struct Message<'a> {
    /// The function of the BVLC.
    pub(super) function: u8,
    /// Who sent it first, if a BBMD handed it on.
    pub(super) origin: Option<IpPlace>,
    /// Everything behind the BVLC.
    pub(super) rest: Reader<'a>,
}

/// Behind the BVLC of a message that carries an NPDU.
#[derive(Clone, Copy, Debug)]
pub(super) struct Npdu {
    pub(super) control: u8,
    pub(super) to: Option<Address>,
    pub(super) from: Option<Address>,
}

impl<'a> Message<'a> {
    /// Take the BVLC off.
    #[inline]
    pub(super) fn read(message: &'a [u8]) -> Result<Self, WireError> {
        let mut rest = Reader::new(message);
        let [kind, function, high, low] = rest.array("BVLC header")?;
        if kind != BVLL {
            return Err(WireError::Invalid { field: "BVLC type", value: kind.into() });
        }
        let length = u16::from_be_bytes([high, low]);
        if usize::from(length) != message.len() {
            return Err(WireError::Invalid { field: "BVLC length", value: length.into() });
        }
        let origin = match function {
            FORWARDED => Some(IpPlace::read(&mut rest, "original address")?),
            _ => None,
        };
        Ok(Self { function, origin, rest })
    }

    /// Whether an NPDU follows.
    #[inline]
    pub(super) fn carries_npdu(&self) -> bool {
        matches!(self.function, FORWARDED | UNICAST | BROADCAST)
    }

    /// Take the NPDU's own header off.
    #[inline]
    pub(super) fn npdu(&mut self) -> Result<Npdu, WireError> {
        let r = &mut self.rest;
        let [version, control] = r.array("NPDU header")?;
        if version != VERSION {
            return Err(WireError::Invalid { field: "NPDU version", value: version.into() });
        }
        if control & !(EXPECTS_REPLY | PRIORITY) == 0 {
            return Ok(Npdu { control, to: None, from: None });
        }
        let given = |bit: u8| control & bit != 0;
        let to = if given(HAS_DESTINATION) { Some(Address::read(r)?) } else { None };
        let from = if given(HAS_SOURCE) { Some(Address::read(r)?) } else { None };
        if to.is_some() {
            r.u8("hop count")?;
        }
        Ok(Npdu { control, to, from })
    }
}

/// Length of the message that `buf` begins with: it is a whole datagram.
pub(super) fn length(buf: &[u8]) -> Result<usize, WireError> {
    let mut r = Reader::new(buf);
    let kind = r.u8("BVLC type")?;
    if kind != BVLL {
        let garbage = WireError::Invalid { field: "BVLC type", value: kind.into() };
        return Err(foreign::recognise(buf).unwrap_or(garbage));
    }
    let function = r.u8("BVLC function")?;
    if function > LAST {
        return Err(WireError::Invalid { field: "BVLC function", value: function.into() });
    }
    match r.u16_be("BVLC length")? {
        length @ 0..4 => Err(WireError::Invalid { field: "BVLC length", value: length.into() }),
        length => Ok(length.into()),
    }
}

/// A message with this function, of which everything behind the BVLC is still to come.
pub(super) fn begin(function: u8, room: usize) -> Writer {
    let mut w = Writer::with_capacity(room);
    w.u8(BVLL).u8(function).u16_be(0);
    w
}

/// The same with everything in it, and so its length too.
pub(super) fn finish(w: Writer) -> Vec<u8> {
    let mut message = w.into_vec();
    let length = u16::try_from(message.len()).unwrap_or(u16::MAX);
    if let Some(place) = message.get_mut(2..4) {
        place.copy_from_slice(&length.to_be_bytes());
    }
    message
}

/// The header of an NPDU of ours, as `control` says.
pub(super) fn npdu(w: &mut Writer, control: u8, to: Option<&Address>) {
    let destination = if to.is_some() { HAS_DESTINATION } else { 0 };
    w.u8(VERSION).u8(control | destination);
    if let Some(to) = to {
        let mac = to.mac.as_bytes();
        w.u16_be(to.network).u8(u8::try_from(mac.len()).unwrap_or(u8::MAX)).bytes(mac).u8(HOPS);
    }
}
