//! One type for each kind of question, and what its answer says.

use std::ops::RangeInclusive;

use super::address::{Address, IpPlace};
use super::message::Message;
use super::text::Text;
use super::value::{ObjectId, Value};
use super::{Bacnet, Function, answer, question, value};
use crate::protocol::Request;
use crate::safety::ReadOnly;
use crate::wire::{Reader, WireError, Writer};

/// Who-Is: whoever has a number in the range.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WhoIs {
    /// The numbers that are meant; everybody's without.
    pub range: Option<RangeInclusive<u32>>,
    /// On a network behind the router that is asked.
    pub routed: bool,
}

impl Request<Bacnet> for WhoIs {
    type Reply = IAm;

    fn function(&self) -> Function {
        if self.routed { Function::RoutedWhoIs } else { Function::WhoIs }
    }

    fn write(&self, body: &mut Writer) {
        if let Some(range) = &self.range {
            question::range(body, *range.start(), *range.end());
        }
    }

    fn read(&self, body: &mut Reader<'_>) -> Result<IAm, WireError> {
        IAm::read(body.rest())
    }
}

/// Who-Is to everybody in a network at once: whoever has a number in the range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallEverybody {
    /// The numbers that are meant.
    pub range: RangeInclusive<u32>,
}

impl Request<Bacnet> for CallEverybody {
    type Reply = IAm;

    fn function(&self) -> Function {
        Function::CallEverybody
    }

    fn write(&self, body: &mut Writer) {
        question::range(body, *self.range.start(), *self.range.end());
    }

    fn read(&self, body: &mut Reader<'_>) -> Result<IAm, WireError> {
        IAm::read(body.rest())
    }
}

/// I-Am: ASHRAE 135, clause 16.10.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IAm {
    /// Where it is, if it is on another network.
    pub from: Option<Address>,
    /// Whose it is, if somebody handed it on.
    pub origin: Option<IpPlace>,
    /// Its number; 4194303 if it was never given one.
    pub instance: u32,
    /// The longest message it takes, in bytes.
    pub max_apdu: u32,
    /// Which ways of segmented messages it knows.
    pub segmentation: u32,
    /// Who made it, as a number.
    pub vendor: u32,
}

impl IAm {
    /// Take a whole message apart.
    ///
    /// # Errors
    /// If it is none, or breaks off.
    pub fn read(message: &[u8]) -> Result<Self, WireError> {
        let mut message = Message::read(message)?;
        let from = message.npdu()?.from;
        let r = &mut message.rest;
        r.take(2, "APDU header")?;
        let Value::Object(device) = Value::read(r)? else {
            return Err(WireError::Invalid { field: "device", value: 0 });
        };
        let max_apdu = number(r, "longest message")?;
        let segmentation = number(r, "segmentation")?;
        let vendor = number(r, "vendor")?;
        let (instance, origin) = (device.instance, message.origin);
        Ok(Self { from, origin, instance, max_apdu, segmentation, vendor })
    }
}

fn number(r: &mut Reader<'_>, field: &'static str) -> Result<u32, WireError> {
    let number = match Value::read(r)? {
        Value::Unsigned(number) => number,
        Value::Enumerated(number) => number.into(),
        _ => return Err(WireError::Invalid { field, value: 0 }),
    };
    u32::try_from(number).map_err(|_| WireError::Invalid { field, value: number })
}

/// One property, or one element of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// Which.
    pub function: Function,
    /// Of the object with this number.
    pub instance: u32,
    /// Which element: 0 for how many there are. None for the whole property.
    pub element: Option<u32>,
}

impl Read {
    /// A whole property.
    #[must_use]
    pub fn of(function: Function, instance: u32) -> Self {
        Self { function, instance, element: None }
    }
}

impl Request<Bacnet> for Read {
    type Reply = Value;

    fn function(&self) -> Function {
        self.function
    }

    fn write(&self, body: &mut Writer) {
        let selector = self.function.facts().selector;
        question::write_object(body, object(self.function, self.instance));
        for property in question::properties(&selector).take(1) {
            question::reference(body, 1, property, self.element);
        }
    }

    fn read(&self, body: &mut Reader<'_>) -> Result<Value, WireError> {
        Ok(Value::alone(body.rest()))
    }
}

/// Several properties of one object, or several elements of one property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadSeveral {
    /// Which.
    pub function: Function,
    /// Of the object with this number.
    pub instance: u32,
    /// Which elements, eight at most. None for whole properties.
    pub elements: Option<RangeInclusive<u32>>,
}

impl ReadSeveral {
    /// Whole properties.
    #[must_use]
    pub fn of(function: Function, instance: u32) -> Self {
        Self { function, instance, elements: None }
    }
}

impl Request<Bacnet> for ReadSeveral {
    type Reply = Vec<Property>;

    #[inline]
    fn function(&self) -> Function {
        self.function
    }

    #[inline]
    fn write(&self, body: &mut Writer) {
        let selector = &self.function.facts().selector;
        question::write_object(body, object(self.function, self.instance));
        match (&self.elements, question::properties(selector).next()) {
            (Some(elements), Some(list)) => {
                let most = question::MOST_PROPERTIES;
                let elements = elements.clone().take(most).map(|nth| (list, Some(nth)));
                question::several(body, elements);
            }
            _ => question::whole(body, selector),
        }
    }

    fn read(&self, body: &mut Reader<'_>) -> Result<Vec<Property>, WireError> {
        properties(body)
    }
}

/// The object that a function reads.
#[inline]
fn object(function: Function, instance: u32) -> ObjectId {
    let kind = function.facts().selector.path().get(4).copied().unwrap_or_default();
    ObjectId { kind: kind.into(), instance }
}

/// One of several properties, as they were asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Property {
    /// Its number.
    pub number: u32,
    /// Which element of it.
    pub element: Option<u32>,
    /// What it holds, or class and code of the error that stands for it.
    pub found: Result<Value, (u32, u32)>,
}

impl Property {
    #[inline]
    fn of(number: u32, value: Value) -> Self {
        Self { number, element: None, found: Ok(value) }
    }
}

/// The results of one object: ASHRAE 135, clause 15.7.
///
/// # Errors
/// If the list breaks off.
#[inline]
pub fn properties(body: &mut Reader<'_>) -> Result<Vec<Property>, WireError> {
    const OPEN: u8 = 0x1E;
    const CLOSE: u8 = 0x1F;
    question::object(body)?;
    body.expect_u8(OPEN, "list of results")?;
    // Each is written where it stays: to move one there takes as long as to read it.
    let mut found = Vec::with_capacity(question::MOST_PROPERTIES);
    found.resize_with(question::MOST_PROPERTIES, || Property::of(0, Value::Null));
    let (mut count, mut rest) = (0, body.rest());
    loop {
        let place = found.get_mut(count);
        if let Some(after) = place.and_then(|place| short_property(rest, place)) {
            (count, rest) = (count + 1, after);
            continue;
        }
        let mut r = Reader::new(rest);
        let tag = r.u8("property")?;
        if tag == CLOSE {
            *body = r;
            found.truncate(count);
            return Ok(found);
        }
        let too_many = WireError::Invalid { field: "results", value: count as u64 };
        *found.get_mut(count).ok_or(too_many)? = property(tag, &mut r)?;
        (count, rest) = (count + 1, r.rest());
    }
}

/// A whole property with a short text or a small number, as most are; what follows it.
#[inline]
fn short_property<'a>(bytes: &'a [u8], place: &mut Property) -> Option<&'a [u8]> {
    let (number, value) = match *bytes {
        [0x29, number, OPEN_VALUE, ref value @ ..] => (number.into(), value),
        [0x2A, high, low, OPEN_VALUE, ref value @ ..] => {
            (u16::from_be_bytes([high, low]).into(), value)
        }
        _ => return None,
    };
    let (value, rest) = match *value {
        [0x75, length @ 1..=253, charset, ref rest @ ..] => {
            let (text, rest) = rest.split_at_checked(usize::from(length) - 1)?;
            let (CLOSE_VALUE, rest) = rest.split_first().map(|(end, rest)| (*end, rest))? else {
                return None;
            };
            *place = Property::of(number, Value::Text(Text { charset, bytes: text.to_vec() }));
            return Some(rest);
        }
        [0x21, value, CLOSE_VALUE, ref rest @ ..] => (Value::Unsigned(value.into()), rest),
        [0x22, high, low, CLOSE_VALUE, ref rest @ ..] => {
            (Value::Unsigned(u16::from_be_bytes([high, low]).into()), rest)
        }
        [0x91, value, CLOSE_VALUE, ref rest @ ..] => (Value::Enumerated(value.into()), rest),
        _ => return None,
    };
    *place = Property::of(number, value);
    Some(rest)
}

const OPEN_VALUE: u8 = 0x4E;
const CLOSE_VALUE: u8 = 0x4F;

fn property(tag: u8, r: &mut Reader<'_>) -> Result<Property, WireError> {
    const OPEN_ERROR: u8 = 0x5E;
    let (number, next) = match tag {
        0x29 => {
            let [number, next] = r.array("property")?;
            (number.into(), next)
        }
        0x2A => {
            let [high, low, next] = r.array("property")?;
            (u16::from_be_bytes([high, low]).into(), next)
        }
        0x2B | 0x2C => (number_of(tag, r)?, r.u8("value")?),
        tag => return Err(WireError::Invalid { field: "property", value: tag.into() }),
    };
    let (element, next) = match next {
        tag @ 0x39..=0x3C => (Some(number_of(tag, r)?), r.u8("value")?),
        next => (None, next),
    };
    let found = match next {
        OPEN_VALUE => Ok(Value::until(CLOSE_VALUE, r)?),
        OPEN_ERROR => Err(error(r)?),
        tag => return Err(WireError::Invalid { field: "value", value: tag.into() }),
    };
    Ok(Property { number, element, found })
}

/// What stands behind a tag with a length of its own.
fn number_of(tag: u8, r: &mut Reader<'_>) -> Result<u32, WireError> {
    let bytes = r.take((tag & 7).into(), "number")?;
    Ok(bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
}

/// Class and code of an error, and the tag behind them.
fn error(r: &mut Reader<'_>) -> Result<(u32, u32), WireError> {
    const CLOSE_ERROR: u8 = 0x5F;
    let class = answer::enumerated(r, "error class")?;
    let code = answer::enumerated(r, "error code")?;
    r.expect_u8(CLOSE_ERROR, "end of error")?;
    Ok((class, code))
}

/// A point in time, as `BACnetTimeStamp` writes date and time; `None` for a time of day alone, for a
/// sequence number, and for what is not known.
#[must_use]
pub fn moment(constructed: &[u8]) -> Option<([u8; 4], [u8; 4])> {
    const OPEN: u8 = 0x2E;
    let mut r = Reader::new(constructed);
    r.expect_u8(OPEN, "time stamp").ok()?;
    match (Value::read(&mut r).ok()?, Value::read(&mut r).ok()?) {
        (Value::Date(date), Value::Time(time)) => Some((date, time)),
        _ => None,
    }
}

/// The largest number that a device can be given.
pub const LAST_INSTANCE: u32 = value::WILDCARD - 1;
