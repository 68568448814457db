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
    pub(super) fn read(message: &'a [u8]) -> Result<Self, WireError> {
        let mut rest = Reader::new(message);
        let origin = match function(&mut rest)? {
            FORWARDED => Some(IpPlace::read(&mut rest, "original address")?),
            _ => None,
        };
        Ok(Self { origin, rest })
    }

    /// Take the NPDU's own header off.
    pub(super) fn npdu(&mut self) -> Result<Npdu, WireError> {
        Npdu::read(&mut self.rest)
    }
}

/// The function of the BVLC, which is taken off a whole message.
#[inline]
pub(super) fn function(message: &mut Reader<'_>) -> Result<u8, WireError> {
    let whole = message.left();
    let (kind, function) = (message.u8("BVLC type")?, message.u8("BVLC function")?);
    if kind != BVLL {
        return Err(WireError::Invalid { field: "BVLC type", value: kind.into() });
    }
    let length = message.u16_be("BVLC length")?;
    if usize::from(length) != whole {
        return Err(WireError::Invalid { field: "BVLC length", value: length.into() });
    }
    Ok(function)
}

/// Take what is in front of an NPDU off, behind the BVLC with this function; `false` if none follows.
#[inline]
pub(super) fn carries_npdu(function: u8, r: &mut Reader<'_>) -> Result<bool, WireError> {
    match function {
        UNICAST | BROADCAST => Ok(true),
        FORWARDED => IpPlace::read(r, "original address").map(|_| true),
        _ => Ok(false),
    }
}

impl Npdu {
    /// Take its own header off.
    #[inline]
    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, WireError> {
        match control(r)? {
            control if goes_nowhere_else(control) => Ok(Self { control, to: None, from: None }),
            control => routed(r, control),
        }
    }
}

/// The control byte of an NPDU, behind its version.
#[inline]
pub(super) fn control(r: &mut Reader<'_>) -> Result<u8, WireError> {
    let (version, control) = (r.u8("NPDU version")?, r.u8("NPDU control")?);
    match version {
        VERSION => Ok(control),
        other => Err(WireError::Invalid { field: "NPDU version", value: other.into() }),
    }
}

/// Whether an application's message follows this control byte at once, without any address.
#[inline]
pub(super) fn goes_nowhere_else(control: u8) -> bool {
    control & !(EXPECTS_REPLY | PRIORITY) == 0
}

/// The rest of the header of an NPDU that comes from another network or goes there.
#[inline(never)]
fn routed(r: &mut Reader<'_>, control: u8) -> Result<Npdu, WireError> {
    let given = |bit: u8| control & bit != 0;
    let to = if given(HAS_DESTINATION) { Some(Address::read(r)?) } else { None };
    let from = if given(HAS_SOURCE) { Some(Address::read(r)?) } else { None };
    if to.is_some() {
        r.u8("hop count")?;
    }
    Ok(Npdu { control, to, from })
}

/// Length of the message that `buf` begins with: it is a whole datagram.
#[inline]
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

/// Write the BVLC of a message with this function, of which everything else is still to come.
#[inline]
pub(super) fn begin(w: &mut Writer, function: u8) {
    w.u8(BVLL).u8(function).u16_be(0);
}

/// The same with everything in it, and so its length too.
#[inline]
pub(super) fn finish(w: &mut Writer) {
    let length = u16::try_from(w.written().len()).unwrap_or(u16::MAX);
    w.set_u16_be(2, length);
}

/// The header of an NPDU of ours, as `control` says.
#[inline]
pub(super) fn npdu(w: &mut Writer, control: u8, to: Option<&Address>) {
    let destination = if to.is_some() { HAS_DESTINATION } else { 0 };
    w.u8(VERSION).u8(control | destination);
    if let Some(to) = to {
        let mac = to.mac.as_bytes();
        w.u16_be(to.network).u8(u8::try_from(mac.len()).unwrap_or(u8::MAX)).bytes(mac).u8(HOPS);
    }
}
