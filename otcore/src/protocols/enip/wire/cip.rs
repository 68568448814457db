//! Requests and answers of CIP, unconnected: which service of which object, here or in a slot.
//!
//! ODVA, volume 1, clause 2-4 (requests), appendix C (paths), clause 3-5.5.4 (Unconnected Send);
//! volume 2, clauses 2-4.7 and 2-6 (SendRRData and its items).

use super::refusal;
use crate::protocol::Answer;
use crate::protocol::Path;
use crate::wire::{Reader, WireError, Writer};

pub(super) const ALL: u8 = 0x01;
pub(super) const LIST: u8 = 0x03;
pub(super) const SINGLE: u8 = 0x0E;
const UNCONNECTED_SEND: u8 = 0x52;
const CONNECTION_MANAGER: [u8; 2] = [0x06, 0x01];
const ANSWER: u8 = 0x80;

const CLASS: u8 = 0x20;
const INSTANCE: u8 = 0x24;
const ATTRIBUTE: u8 = 0x30;
/// Port 1 of a device is its backplane.
const BACKPLANE: u8 = 1;

/// How long a slot may take: 16 ticks of 2^6 ms, a second. An empty one costs all of it.
const TICKS: [u8; 2] = [0x06, 0x10];
const UNCONNECTED_DATA: u16 = 0x00B2;
/// In front of the length of a request: interface 0, ten seconds that the encapsulation may wait, and
/// two items, an empty address and unconnected data.
const AROUND: [u8; 14] = [0, 0, 0, 0, 10, 0, 2, 0, 0, 0, 0, 0, 0xB2, 0];
/// No answer to what we ask has more items.
const MOST_ITEMS: u16 = 8;

/// The data of SendRRData around `request`.
pub(super) fn unconnected(request: &[u8]) -> Vec<u8> {
    let mut out = Writer::with_capacity(16 + request.len());
    out.bytes(&AROUND).u16_le(length(request)).bytes(request);
    out.into_vec()
}

/// The request that a path stands for: service, class, instance and attributes; inside an
/// Unconnected Send to `slot` where the path says so.
pub(super) fn request(path: &[u8], slot: u8) -> Vec<u8> {
    match path {
        [UNCONNECTED_SEND, manager @ .., _] if manager.starts_with(&CONNECTION_MANAGER) => {
            let inner = plain(path.get(3..).unwrap_or_default());
            let mut out = Writer::with_capacity(14 + inner.len());
            let [class, instance] = CONNECTION_MANAGER;
            out.bytes(&[UNCONNECTED_SEND, 2, CLASS, class, INSTANCE, instance]);
            out.bytes(&TICKS).u16_le(length(&inner)).bytes(&inner);
            out.bytes(&[1, 0, BACKPLANE, slot]);
            out.into_vec()
        }
        path => plain(path),
    }
}

fn plain(path: &[u8]) -> Vec<u8> {
    let mut out = Writer::default();
    match path {
        [LIST, class, instance, attributes @ ..] => {
            out.bytes(&[LIST, 2, CLASS, *class, INSTANCE, *instance]);
            out.u16_le(u16::try_from(attributes.len()).unwrap_or(u16::MAX));
            for attribute in attributes {
                out.u16_le((*attribute).into());
            }
        }
        [service, class, instance] => {
            out.bytes(&[*service, 2, CLASS, *class, INSTANCE, *instance]);
        }
        [service, class, instance, attribute] => {
            out.bytes(&[*service, 3, CLASS, *class, INSTANCE, *instance, ATTRIBUTE, *attribute]);
        }
        _ => {} // no such request, so it does not read back as itself
    }
    out.into_vec()
}

fn length(bytes: &[u8]) -> u16 {
    u16::try_from(bytes.len()).unwrap_or(u16::MAX)
}

/// The request in the data of a SendRRData of ours, every other byte of which is as we write it.
pub(super) fn carried_as_we_do(data: &[u8]) -> Result<&[u8], WireError> {
    let mut r = Reader::new(data);
    if r.array("interface and items")? != AROUND {
        return Err(WireError::Invalid { field: "interface and items", value: 0 });
    }
    let length = r.u16_le("item length")?;
    match r.rest() {
        request if request.len() == usize::from(length) => Ok(request),
        _ => Err(WireError::Invalid { field: "item length", value: length.into() }),
    }
}

/// The path that a request of ours stands for goes to `path`.
pub(super) fn path(request: &[u8], path: &mut impl Path) -> Result<(), WireError> {
    let mut r = Reader::new(request);
    let service = r.u8("service")?;
    let words = r.u8("path size")?;
    let mut segments = Reader::new(r.take(usize::from(words) * 2, "path")?);
    segments.expect_u8(CLASS, "path segment")?;
    let class = segments.u8("path segment")?;
    segments.expect_u8(INSTANCE, "path segment")?;
    let instance = segments.u8("path segment")?;
    path.next([service, class, instance])?;
    match (service, segments.rest(), r.rest()) {
        (ALL, [], []) => Ok(()),
        (SINGLE, [ATTRIBUTE, attribute], []) => path.next([*attribute]),
        (LIST, [], data) => attributes(data, path),
        (UNCONNECTED_SEND, [], data) if [class, instance] == CONNECTION_MANAGER => {
            self::path(routed(data)?, path)
        }
        _ => Err(WireError::Invalid { field: "service", value: service.into() }),
    }
}

/// The attributes that Get_Attribute_List asks for, each of which has a number below 256.
fn attributes(data: &[u8], path: &mut impl Path) -> Result<(), WireError> {
    let mut r = Reader::new(data);
    let count = r.u16_le("attribute count")?;
    if usize::from(count) * 2 != r.left() {
        return Err(WireError::Invalid { field: "attribute count", value: count.into() });
    }
    while r.left() > 0 {
        let attribute = r.u8("attribute")?;
        r.expect_u8(0, "attribute")?;
        path.next([attribute])?;
    }
    Ok(())
}

/// The request inside an Unconnected Send, which goes to a slot of the backplane and no further.
fn routed(data: &[u8]) -> Result<&[u8], WireError> {
    let mut r = Reader::new(data);
    let ticks: [u8; 2] = r.array("ticks")?;
    if ticks != TICKS {
        return Err(WireError::Invalid { field: "ticks", value: u16::from_le_bytes(ticks).into() });
    }
    let length = r.u16_le("embedded length")?;
    let embedded = r.take(length.into(), "embedded request")?;
    if length % 2 != 0 || embedded.first() == Some(&UNCONNECTED_SEND) {
        return Err(WireError::Invalid { field: "embedded request", value: length.into() });
    }
    match r.rest() {
        [1, 0, BACKPLANE, _slot] => Ok(embedded),
        _ => Err(WireError::Invalid { field: "route", value: 0 }),
    }
}

/// What the data of a SendRRData answer to the request of the path `asked`.
pub(super) fn answer<'a>(asked: &[u8], data: &'a [u8]) -> Result<Answer<'a>, WireError> {
    let mut r = Reader::new(item(data)?);
    let service = r.u8("service")?;
    r.u8("reserved")?;
    let status = r.u8("general status")?;
    let words = r.u8("extended status size")?;
    let mut extended = Reader::new(r.take(usize::from(words) * 2, "extended status")?);
    let extended = if words > 0 { extended.u16_le("extended status")? } else { 0 };
    let (expected, routed) = match asked {
        [UNCONNECTED_SEND, _, _, inner, ..] => (*inner, true),
        [service, ..] => (*service, false),
        [] => return Err(WireError::Short { field: "question" }),
    };
    match (service, status) {
        (service, 0) if service == expected | ANSWER => Ok(Answer::Body(r.rest())),
        (service, _) if service == expected | ANSWER => Ok(refusal::general(status, extended)),
        (service, 1..) if routed && service == UNCONNECTED_SEND | ANSWER => {
            Ok(refusal::routing(status, extended))
        }
        _ => Err(WireError::Invalid { field: "service", value: service.into() }),
    }
}

/// The item that holds the answer.
fn item(data: &[u8]) -> Result<&[u8], WireError> {
    let mut r = Reader::new(data);
    r.take(6, "interface and timeout")?;
    let count = r.u16_le("item count")?;
    for _ in 0..count.min(MOST_ITEMS) {
        let kind = r.u16_le("item type")?;
        let length = r.u16_le("item length")?;
        let item = r.take(length.into(), "item")?;
        if kind == UNCONNECTED_DATA {
            return Ok(item);
        }
    }
    Err(WireError::Invalid { field: "item count", value: count.into() })
}
