//! Which question an answer belongs to, and what it says below its headers.

use super::message::{self, BROADCAST_TABLE, FOREIGN_TABLE, NETWORK_MESSAGE, Npdu, RESULT};
use super::question::{self, Asked, Question, READ_PROPERTY};
use super::refusal;
use super::value::{self, ObjectId, WILDCARD};
use crate::protocol::Answer;
use crate::wire::{Reader, WireError};

const I_AM_ROUTER: u8 = 0x01;
const REJECT_MESSAGE: u8 = 0x03;
const ROUTER_BUSY: u8 = 0x04;
const NETWORK_NUMBER_IS: u8 = 0x13;

const UNCONFIRMED: u8 = 1;
const SIMPLE_ACK: u8 = 2;
const COMPLEX_ACK: u8 = 3;
const ERROR: u8 = 5;
const REJECT: u8 = 6;
const ABORT: u8 = 7;
const SEGMENTED: u8 = 0x08;
const I_AM: u8 = 0x00;
/// An object of an application, in an I-Am.
const OBJECT: u8 = 0xC4;
const OPEN_VALUE: u8 = 0x3E;
const CLOSE_VALUE: u8 = 0x3F;

/// The body of an answer is: after Who-Is the whole message; after a read of one property what stands
/// between the tags around its value; after one of several everything behind the service.
pub(super) fn answer<'a>(asked: &[u8], reply: &'a [u8]) -> Result<Option<Answer<'a>>, WireError> {
    if reply == asked {
        return Err(WireError::Echo);
    }
    let Question { to, asked } = question::parse(asked)?;
    let r = &mut Reader::new(reply);
    let function = message::function(r)?;
    let carries_npdu = message::carries_npdu(function, r)?;
    match asked {
        Asked::BroadcastTable => return Ok(table(function, r, BROADCAST_TABLE, 0x20)),
        Asked::ForeignTable => return Ok(table(function, r, FOREIGN_TABLE, 0x40)),
        _ if !carries_npdu => return Ok(None),
        _ => {}
    }
    let before = r.clone();
    if let (None, Asked::Read { service, invoke, object, property }) = (to, asked)
        && message::goes_nowhere_else(message::control(r)?)
    {
        return read(r, (service, invoke), (object, property));
    }
    *r = before;
    let npdu = Npdu::read(r)?;
    if npdu.control & NETWORK_MESSAGE != 0 {
        let network = to.map(|to| to.network);
        return network_message(asked, network, r);
    }
    match asked {
        Asked::WhoIs { first, last } => {
            let network = npdu.from.map(|from| from.network);
            let elsewhere = to.is_some_and(|to| network != Some(to.network));
            let is_meant = !elsewhere && i_am(r)?.is_some_and(|it| (first..=last).contains(&it));
            Ok(is_meant.then_some(Answer::Body(reply)))
        }
        Asked::Read { service, invoke, object, property } => match npdu.from == to {
            true => read(r, (service, invoke), (object, property)),
            false => Ok(None),
        },
        _ => Ok(None),
    }
}

/// The answer to a question for a table, or that there is none.
fn table<'a>(function: u8, r: &mut Reader<'a>, wanted: u8, none: u16) -> Option<Answer<'a>> {
    match function {
        function if function == wanted => Some(Answer::Body(r.rest())),
        RESULT => match r.u16_be("result") {
            Ok(result) if result == none => Some(refusal::link(result)),
            _ => None,
        },
        _ => None,
    }
}

fn network_message<'a>(
    asked: Asked,
    network: Option<u16>,
    r: &mut Reader<'a>,
) -> Result<Option<Answer<'a>>, WireError> {
    Ok(match (r.u8("network message")?, asked) {
        (I_AM_ROUTER, Asked::Routers) | (NETWORK_NUMBER_IS, Asked::NetworkNumber) => {
            Some(Answer::Body(r.rest()))
        }
        // A router that does not know what is asked says so with network 0 or none in particular.
        (REJECT_MESSAGE, Asked::Routers | Asked::NetworkNumber) => {
            Some(refusal::router(r.u8("reason")?))
        }
        (REJECT_MESSAGE, _) => {
            let reason = r.u8("reason")?;
            let about = r.u16_be("network")?;
            (network == Some(about)).then(|| refusal::router(reason))
        }
        (ROUTER_BUSY, _) if network.is_some() => {
            let (networks, _) = r.rest().as_chunks::<2>();
            let mut networks = networks.iter().map(|about| Some(u16::from_be_bytes(*about)));
            let all = networks.len() == 0;
            (all || networks.any(|about| about == network)).then(refusal::busy_router)
        }
        _ => None,
    })
}

/// The number of the device that says who it is; `None` if the message says something else.
fn i_am(r: &mut Reader<'_>) -> Result<Option<u32>, WireError> {
    let [kind, service] = r.array("APDU header")?;
    if kind >> 4 != UNCONFIRMED || service != I_AM {
        return Ok(None);
    }
    let [tag, a, b, c, d] = r.array("device")?;
    let object = ObjectId::of(u32::from_be_bytes([a, b, c, d]));
    match (tag, object.kind) {
        (OBJECT, value::DEVICE) => Ok(Some(object.instance)),
        (OBJECT, kind) => Err(WireError::Invalid { field: "device", value: kind.into() }),
        (tag, _) => Err(WireError::Invalid { field: "device", value: tag.into() }),
    }
}

#[inline]
fn read<'a>(
    r: &mut Reader<'a>,
    (service, invoke): (u8, u8),
    (object, property): (ObjectId, u32),
) -> Result<Option<Answer<'a>>, WireError> {
    let [kind, id] = r.array("APDU header")?;
    // Requests and notifications of others, and acknowledgements of segments we never sent.
    if id != invoke || !matches!(kind >> 4, SIMPLE_ACK | COMPLEX_ACK | ERROR..=ABORT) {
        return Ok(None);
    }
    match kind >> 4 {
        COMPLEX_ACK if kind & SEGMENTED != 0 => {
            Err(WireError::Invalid { field: "segmented answer", value: kind.into() })
        }
        COMPLEX_ACK => {
            r.expect_u8(service, "service")?;
            about(&mut r.clone(), object)?;
            match service {
                READ_PROPERTY => value(r, property).map(|value| Some(Answer::Body(value))),
                _ => Ok(Some(Answer::Body(r.rest()))),
            }
        }
        ERROR => {
            r.expect_u8(service, "service")?;
            let class = enumerated(r, "error class")?;
            Ok(Some(refusal::error(class, enumerated(r, "error code")?)))
        }
        REJECT => Ok(Some(refusal::reject(r.u8("reason")?))),
        ABORT => Ok(Some(refusal::abort(r.u8("reason")?))),
        kind => Err(WireError::Invalid { field: "kind of APDU", value: kind.into() }),
    }
}

/// Who was asked by the number that everybody answers to may answer with its own.
#[inline]
fn about(r: &mut Reader<'_>, asked: ObjectId) -> Result<(), WireError> {
    let object = question::object(r)?;
    let same = object.instance == asked.instance || asked.instance == WILDCARD;
    match same && object.kind == asked.kind {
        true => Ok(()),
        false => Err(WireError::Invalid { field: "object", value: object.bits().into() }),
    }
}

/// What stands between the tags around the value of one property.
#[inline]
fn value<'a>(r: &mut Reader<'a>, property: u32) -> Result<&'a [u8], WireError> {
    r.take(5, "object")?;
    let named = value::context_unsigned(r, 1)?;
    if named != property {
        return Err(WireError::Invalid { field: "property", value: named.into() });
    }
    if r.clone().u8("value").is_ok_and(|tag| tag != OPEN_VALUE) {
        value::context_unsigned(r, 2)?;
    }
    r.expect_u8(OPEN_VALUE, "value")?;
    value::enclosed(CLOSE_VALUE, r)
}

/// An enumerated value of its own type.
#[inline]
pub(super) fn enumerated(r: &mut Reader<'_>, field: &'static str) -> Result<u32, WireError> {
    let [tag, first] = r.array(field)?;
    match tag {
        0x91 => Ok(first.into()),
        0x92 => Ok(u16::from_be_bytes([first, r.u8(field)?]).into()),
        tag => Err(WireError::Invalid { field, value: tag.into() }),
    }
}
