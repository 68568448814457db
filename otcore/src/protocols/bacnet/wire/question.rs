//! Our questions as bytes, and their selectors read back from them.

use super::address::Address;
use super::message::{
    self, BROADCAST, EXPECTS_REPLY, HAS_DESTINATION, NETWORK_MESSAGE, Npdu, READ_BROADCAST_TABLE,
    READ_FOREIGN_TABLE, UNICAST,
};
use super::value::{self, ObjectId, WILDCARD};
use crate::protocol::Path;
use crate::safety::{Facts, Selector};
use crate::wire::{Reader, WireError, Writer};

pub(super) const CONFIRMED: u8 = 0x00;
pub(super) const UNCONFIRMED: u8 = 0x10;
pub(super) const WHO_IS: u8 = 0x08;
pub(super) const READ_PROPERTY: u8 = 0x0C;
pub(super) const READ_PROPERTY_MULTIPLE: u8 = 0x0E;
pub(super) const WHO_IS_ROUTER: u8 = 0x00;
pub(super) const WHAT_IS_NETWORK_NUMBER: u8 = 0x12;
/// No segmented answer is taken, and none above 480 bytes (ASHRAE 135, clauses 20.1.2.4 and 20.1.2.5).
const LARGEST_ANSWER: u8 = 0x03;
/// In the first byte of a property: element 0 of it, its size.
const COUNT: u8 = 0x40;
/// In the same place: one or more of its elements.
const ELEMENTS: u8 = 0x80;
/// Two bytes of a selector for every property, and so many properties at most.
pub(super) const MOST_PROPERTIES: usize = super::functions::MOST_PROPERTIES as usize;

const OBJECT: u8 = 0x0C;
/// In a list: a property below 256, and one below 65536.
const SHORT: u8 = 0x09;
const LONG: u8 = 0x0A;
const OPEN_LIST: u8 = 0x1E;
const CLOSE_LIST: u8 = 0x1F;

/// Put a function's headers around what `body` writes. Nothing if it has no place to go to, or one too
/// many.
#[inline]
pub(super) fn frame(
    facts: &Facts,
    to: Option<&Address>,
    tag: u16,
    w: &mut Writer,
    body: impl FnOnce(&mut Writer),
) {
    let path = facts.selector.path();
    match path {
        [UNICAST, NETWORK_MESSAGE, ..] => {}
        [UNICAST, route, ..] if (*route == HAS_DESTINATION) != to.is_some() => return,
        [BROADCAST, ..] if to.is_some() => return,
        _ => {}
    }
    message::begin(w, path.first().copied().unwrap_or_default());
    match path {
        [UNICAST, NETWORK_MESSAGE, kind] => {
            message::npdu(w, NETWORK_MESSAGE, None);
            w.u8(*kind);
        }
        [UNICAST | BROADCAST, _, UNCONFIRMED, service] => {
            message::npdu(w, 0, to);
            w.bytes(&[UNCONFIRMED, *service]);
            body(w);
        }
        [UNICAST, _, CONFIRMED, service, ..] => {
            let [_, invoke] = tag.to_be_bytes();
            message::npdu(w, EXPECTS_REPLY, to);
            w.bytes(&[CONFIRMED, LARGEST_ANSWER, invoke, *service]);
            body(w);
        }
        _ => {} // a table, or nothing that reads back as itself
    }
    message::finish(w);
}

/// What a finished question asks for, besides its selector.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asked {
    BroadcastTable,
    ForeignTable,
    Routers,
    NetworkNumber,
    WhoIs { first: u32, last: u32 },
    Read { service: u8, invoke: u8, object: ObjectId, property: u32 },
}

/// A finished question, taken apart.
pub(super) struct Question {
    pub(super) to: Option<Address>,
    pub(super) asked: Asked,
}

/// Read the selector back, and see that every other byte is as we write it.
#[inline]
pub(super) fn read_back(frame: &[u8], path: &mut impl Path) -> Result<(), WireError> {
    let mut r = Reader::new(frame);
    let function = message::function(&mut r)?;
    path.next([function])?;
    match function {
        READ_BROADCAST_TABLE | READ_FOREIGN_TABLE => {}
        UNICAST => npdu(&mut r, path)?,
        BROADCAST => to_everybody(&mut r, path)?,
        other => return Err(WireError::Invalid { field: "BVLC function", value: other.into() }),
    }
    match r.rest() {
        [] => Ok(()),
        [more, ..] => Err(WireError::Invalid { field: "end of question", value: (*more).into() }),
    }
}

#[inline]
fn npdu(r: &mut Reader<'_>, path: &mut impl Path) -> Result<(), WireError> {
    let mut again = r.clone();
    if message::control(r)? == EXPECTS_REPLY {
        path.next([0])?; // the device itself is asked, as most are
        return read(r, path);
    }
    *r = again.clone();
    let npdu = Npdu::read(r)?;
    if let Some(to) = &npdu.to {
        is_as_we_write(&mut again, npdu.control, to)?;
    }
    path.next([npdu.control & !EXPECTS_REPLY])?;
    let everybody = npdu.to.map(|to| to.mac.as_bytes().is_empty());
    match (npdu.control, everybody) {
        (NETWORK_MESSAGE, _) => match r.u8("network message")? {
            kind @ (WHO_IS_ROUTER | WHAT_IS_NETWORK_NUMBER) => path.next([kind]),
            kind => Err(WireError::Invalid { field: "network message", value: kind.into() }),
        },
        (0 | HAS_DESTINATION, None | Some(true)) => who_is(r, path),
        (READ_ROUTED, None | Some(false)) => read(r, path),
        (0 | HAS_DESTINATION | READ_ROUTED, _) => {
            Err(WireError::Invalid { field: "address", value: 0 })
        }
        (control, _) => Err(WireError::Invalid { field: "NPDU control", value: control.into() }),
    }
}

/// Who-Is for a range of numbers, on this network only.
fn to_everybody(r: &mut Reader<'_>, path: &mut impl Path) -> Result<(), WireError> {
    let npdu = Npdu::read(r)?;
    if npdu.control != 0 {
        return Err(WireError::Invalid { field: "NPDU control", value: npdu.control.into() });
    }
    path.next([npdu.control])?;
    let has_range = r.left() > 2;
    who_is(r, path)?;
    match has_range {
        true => Ok(()),
        false => Err(WireError::Short { field: "range" }),
    }
}

const READ_ROUTED: u8 = HAS_DESTINATION | EXPECTS_REPLY;

/// One network, never all of them, and as many hops as everybody allows.
fn is_as_we_write(r: &mut Reader<'_>, control: u8, to: &Address) -> Result<(), WireError> {
    if matches!(to.network, 0 | 0xFFFF) {
        return Err(WireError::Invalid { field: "network", value: to.network.into() });
    }
    let mut w = Writer::default();
    message::npdu(&mut w, control, Some(to));
    let ours = w.into_vec();
    match r.take(ours.len(), "NPDU header")? == ours {
        true => Ok(()),
        false => Err(WireError::Invalid { field: "hop count", value: control.into() }),
    }
}

fn who_is(r: &mut Reader<'_>, path: &mut impl Path) -> Result<(), WireError> {
    r.expect_u8(UNCONFIRMED, "kind of APDU")?;
    r.expect_u8(WHO_IS, "service")?;
    path.next([UNCONFIRMED, WHO_IS])?;
    if r.left() == 0 {
        return Ok(());
    }
    let (first, last) = (value::shortest(r, 0)?, value::shortest(r, 1)?);
    match first <= last && last <= WILDCARD {
        true => Ok(()),
        false => Err(WireError::Invalid { field: "range", value: last.into() }),
    }
}

/// The range of numbers that Who-Is is for.
pub(super) fn range(w: &mut Writer, first: u32, last: u32) {
    value::write_context_unsigned(w, 0, first);
    value::write_context_unsigned(w, 1, last);
}

#[inline]
fn read(r: &mut Reader<'_>, path: &mut impl Path) -> Result<(), WireError> {
    r.expect_u8(CONFIRMED, "kind of APDU")?;
    r.expect_u8(LARGEST_ANSWER, "largest answer")?;
    r.u8("invoke id")?;
    let service = r.u8("service")?;
    path.next([CONFIRMED, service])?;
    if !matches!(service, READ_PROPERTY | READ_PROPERTY_MULTIPLE) {
        return Err(WireError::Invalid { field: "service", value: service.into() });
    }
    let object = object(r)?;
    let kind = u8::try_from(object.kind);
    let no_kind = |_| WireError::Invalid { field: "object", value: object.kind.into() };
    path.next([kind.map_err(no_kind)?])?;
    if service == READ_PROPERTY {
        let (property, index) = property(r, 1)?;
        return path.next(word(property, index)?);
    }
    r.expect_u8(OPEN_LIST, "list of properties")?;
    let (count, rest) = whole_properties(r.rest(), path)?;
    *r = Reader::new(rest);
    match (count, rest) {
        (1..=MOST_PROPERTIES, [CLOSE_LIST, ..]) => r.expect_u8(CLOSE_LIST, "end of properties"),
        _ => other_properties(r, count, path),
    }
}

/// The whole properties that a list begins with, each with another one or the end behind, as most are:
/// how many, and what follows them.
#[inline]
fn whole_properties<'a>(
    mut list: &'a [u8],
    path: &mut impl Path,
) -> Result<(usize, &'a [u8]), WireError> {
    let mut count = 0;
    loop {
        let (word, after) = match *list {
            [SHORT, low, ref after @ ..] => ([0, low], after),
            [LONG, high @ 1..COUNT, low, ref after @ ..] => ([high, low], after),
            _ => return Ok((count, list)),
        };
        if !matches!(*after, [SHORT | LONG | CLOSE_LIST, ..]) {
            return Ok((count, list));
        }
        path.next(word)?;
        (count, list) = (count + 1, after);
    }
}

/// The others, behind so many, up to the end of the list.
#[inline(never)]
fn other_properties(
    r: &mut Reader<'_>,
    mut count: usize,
    path: &mut impl Path,
) -> Result<(), WireError> {
    let mut last = None;
    loop {
        if count > MOST_PROPERTIES {
            return Err(WireError::Invalid { field: "properties", value: count as u64 });
        }
        if r.clone().u8("list of properties")? == CLOSE_LIST && count > 0 {
            return r.expect_u8(CLOSE_LIST, "end of properties");
        }
        let (property, index) = property(r, 0)?;
        let word = word(property, index)?;
        // Elements of one list are one thing to ask for, however many.
        if word[0] & ELEMENTS == 0 || last != Some(word) {
            path.next(word)?;
        }
        (count, last) = (count + 1, Some(word));
    }
}

/// The object that a question or an answer is about.
#[inline]
pub(super) fn object(r: &mut Reader<'_>) -> Result<ObjectId, WireError> {
    match r.u8("object")? {
        OBJECT => Ok(ObjectId::of(u32::from_be_bytes(r.array("object")?))),
        tag => Err(WireError::Invalid { field: "object", value: tag.into() }),
    }
}

/// A property and perhaps one of its elements.
fn property(r: &mut Reader<'_>, number: u8) -> Result<(u32, Option<u32>), WireError> {
    let property = value::shortest(r, number)?;
    let element = (number + 1) << 4 | 0x08;
    let follows = r.clone().u8("element").is_ok_and(|tag| matches!(tag ^ element, 1..=4));
    let index = if follows { Some(value::shortest(r, number + 1)?) } else { None };
    Ok((property, index))
}

/// The same, written.
pub(super) fn reference(w: &mut Writer, number: u8, property: u32, index: Option<u32>) {
    value::write_context_unsigned(w, number, property);
    if let Some(index) = index {
        value::write_context_unsigned(w, number + 1, index);
    }
}

/// A property in a selector.
fn word(property: u32, index: Option<u32>) -> Result<[u8; 2], WireError> {
    let invalid = || WireError::Invalid { field: "property", value: property.into() };
    let short = u16::try_from(property).ok().filter(|property| *property < 0x4000);
    let [high, low] = short.ok_or_else(invalid)?.to_be_bytes();
    Ok(match index {
        None => [high, low],
        Some(0) => [high | COUNT, low],
        Some(_) => [high | ELEMENTS, low],
    })
}

/// The properties that a selector names.
#[inline]
pub(super) fn properties(selector: &Selector) -> impl Iterator<Item = u32> {
    let words = match selector.path() {
        [UNICAST, _, CONFIRMED, _, _object, words @ ..] => words,
        _ => &[],
    };
    let (words, _) = words.as_chunks::<2>();
    words.iter().map(|[high, low]| u16::from_be_bytes([high & !(COUNT | ELEMENTS), *low]).into())
}

/// The whole properties that a selector names, in a question for several.
#[inline]
pub(super) fn whole(w: &mut Writer, selector: &Selector) {
    let words = match selector.path() {
        [UNICAST, _, CONFIRMED, _, _object, words @ ..] => words,
        _ => &[],
    };
    w.u8(OPEN_LIST);
    for word in words.as_chunks::<2>().0 {
        match *word {
            [0, low] => w.bytes(&[SHORT, low]),
            [high, low] => w.bytes(&[LONG, high, low]),
        };
    }
    w.u8(CLOSE_LIST);
}

/// What `list` of properties of an object looks like in a question for several.
pub(super) fn several(w: &mut Writer, list: impl Iterator<Item = (u32, Option<u32>)>) {
    w.u8(OPEN_LIST);
    for (property, index) in list.take(MOST_PROPERTIES) {
        reference(w, 0, property, index);
    }
    w.u8(CLOSE_LIST);
}

/// The object in a question.
#[inline]
pub(super) fn write_object(w: &mut Writer, object: ObjectId) {
    w.u8(OBJECT).bytes(&object.bits().to_be_bytes());
}

/// Take a question of our own apart, of which [`read_back`] has seen that it is one.
#[inline]
pub(super) fn parse(frame: &[u8]) -> Result<Question, WireError> {
    let r = &mut Reader::new(frame);
    match message::function(r)? {
        READ_BROADCAST_TABLE => return Ok(Question { to: None, asked: Asked::BroadcastTable }),
        READ_FOREIGN_TABLE => return Ok(Question { to: None, asked: Asked::ForeignTable }),
        _ => {}
    }
    let before = r.clone();
    if message::control(r)? == EXPECTS_REPLY {
        return Ok(Question { to: None, asked: parse_read(r)? }); // as most are
    }
    *r = before;
    parse_other(r)
}

/// What is asked of others than the device itself, or in another way than by a read.
#[inline(never)]
fn parse_other(r: &mut Reader<'_>) -> Result<Question, WireError> {
    let npdu = Npdu::read(r)?;
    let asked = if npdu.control & NETWORK_MESSAGE != 0 {
        match r.u8("network message")? {
            WHO_IS_ROUTER => Asked::Routers,
            _ => Asked::NetworkNumber,
        }
    } else if npdu.control & EXPECTS_REPLY == 0 {
        r.take(2, "Who-Is")?;
        match r.left() {
            0 => Asked::WhoIs { first: 0, last: WILDCARD },
            _ => {
                let first = value::context_unsigned(r, 0)?;
                Asked::WhoIs { first, last: value::context_unsigned(r, 1)? }
            }
        }
    } else {
        parse_read(r)?
    };
    Ok(Question { to: npdu.to, asked })
}

/// A read, behind the header of its NPDU.
#[inline]
fn parse_read(r: &mut Reader<'_>) -> Result<Asked, WireError> {
    let [_, _, invoke, service] = r.array("APDU header")?;
    let object = object(r)?;
    let property = match service {
        READ_PROPERTY => value::context_unsigned(r, 1)?,
        _ => 0, // the answer names each
    };
    Ok(Asked::Read { service, invoke, object, property })
}
