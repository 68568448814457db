//! Values with their tags: ASHRAE 135, clause 20.2.

use std::fmt;

use super::text::Text;
use crate::wire::{Reader, WireError, Writer};

const CONTEXT: u8 = 0x08;
const OPENING: u8 = 6;
const CLOSING: u8 = 7;

/// One value of a property.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// Yes or no.
    Boolean(bool),
    /// A whole number.
    Unsigned(u64),
    /// A whole number with a sign.
    Signed(i64),
    /// A number of 32 bits.
    Real(f32),
    /// A number of 64 bits.
    Double(f64),
    /// Bytes.
    Octets(Vec<u8>),
    /// Text.
    Text(Text),
    /// Bits, the first in the highest place; a byte before them says how many of the last are none.
    Bits(Vec<u8>),
    /// One of a list of names.
    Enumerated(u32),
    /// Year since 1900, month, day, day of the week; 255 for any.
    Date([u8; 4]),
    /// Hour, minute, second, hundredth; 255 for any.
    Time([u8; 4]),
    /// An object.
    Object(ObjectId),
    /// Several values, or one that is made of others: with their tags, as they came.
    Constructed(Vec<u8>),
}

/// Which object of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    /// Its type, 0 to 1023.
    pub kind: u16,
    /// Its number, 0 to 4194303.
    pub instance: u32,
}

/// The number that every device answers to: ASHRAE 135, clause 15.5.2.
pub const WILDCARD: u32 = 0x3F_FFFF;
/// The type of the object that stands for the device.
pub(in crate::protocols::bacnet) const DEVICE: u16 = 8;

impl ObjectId {
    #[inline]
    pub(super) const fn of(bits: u32) -> Self {
        Self { kind: (bits >> 22) as u16, instance: bits & WILDCARD }
    }

    pub(super) fn bits(self) -> u32 {
        u32::from(self.kind) << 22 | (self.instance & WILDCARD)
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            DEVICE => write!(f, "device {}", self.instance),
            kind => write!(f, "object {kind}:{}", self.instance),
        }
    }
}

impl Value {
    /// One value with the tag of its own type.
    #[inline]
    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let first = r.u8("tag")?;
        if first & CONTEXT != 0 {
            return Err(WireError::Invalid { field: "tag", value: first.into() });
        }
        if first >> 4 == 1 {
            return Ok(Self::Boolean(first & 7 != 0)); // its value stands where others have a length
        }
        let length = length(first & 7, r)?;
        Self::of(first, r.take(length, "value")?)
    }

    #[inline]
    fn of(tag: u8, content: &[u8]) -> Result<Self, WireError> {
        let bad = || WireError::Invalid { field: "length of value", value: content.len() as u64 };
        Ok(match tag >> 4 {
            0 => Self::Null,
            2 => Self::Unsigned(unsigned(content).ok_or_else(bad)?),
            3 => Self::Signed(signed(content).ok_or_else(bad)?),
            4 => Self::Real(f32::from_be_bytes(content.try_into().map_err(|_| bad())?)),
            5 => Self::Double(f64::from_be_bytes(content.try_into().map_err(|_| bad())?)),
            6 => Self::Octets(content.to_vec()),
            7 => {
                let (charset, text) = content.split_first().ok_or_else(bad)?;
                Self::Text(Text { charset: *charset, bytes: text.to_vec() })
            }
            8 if content.is_empty() => return Err(bad()),
            8 => Self::Bits(content.to_vec()),
            9 => {
                let number = unsigned(content).and_then(|number| u32::try_from(number).ok());
                Self::Enumerated(number.ok_or_else(bad)?)
            }
            10 => Self::Date(content.try_into().map_err(|_| bad())?),
            11 => Self::Time(content.try_into().map_err(|_| bad())?),
            12 => {
                let bits = u32::from_be_bytes(content.try_into().map_err(|_| bad())?);
                Self::Object(ObjectId::of(bits))
            }
            _ => return Err(WireError::Invalid { field: "tag", value: tag.into() }),
        })
    }

    /// Everything up to this closing tag, and that too: one value, or several.
    #[inline(never)]
    pub(super) fn until(closing: u8, r: &mut Reader<'_>) -> Result<Self, WireError> {
        let mut single = r.clone();
        if let Ok(value) = Self::read(&mut single)
            && single.u8("closing tag") == Ok(closing)
        {
            *r = single;
            return Ok(value);
        }
        enclosed(closing, r).map(|content| Self::Constructed(content.to_vec()))
    }

    /// A short text or a small number before a closing tag, as most values are, and what follows.
    #[inline]
    pub(super) fn short(closing: u8, bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (value, rest) = match *bytes {
            [0x75, length @ 1..=253, charset, ref rest @ ..] => {
                let (text, rest) = rest.split_at_checked(usize::from(length) - 1)?;
                match *rest {
                    [end, ref rest @ ..] if end == closing => {
                        return Some((Self::Text(Text { charset, bytes: text.to_vec() }), rest));
                    }
                    _ => return None,
                }
            }
            [0x21, number, ref rest @ ..] => (Self::Unsigned(number.into()), rest),
            [0x22, high, low, ref rest @ ..] => {
                (Self::Unsigned(u16::from_be_bytes([high, low]).into()), rest)
            }
            [0x91, number, ref rest @ ..] => (Self::Enumerated(number.into()), rest),
            _ => return None,
        };
        match *rest {
            [end, ref rest @ ..] if end == closing => Some((value, rest)),
            _ => None,
        }
    }

    /// What stands between two tags, which are gone already.
    #[must_use]
    #[inline]
    pub fn alone(content: &[u8]) -> Self {
        let mut r = Reader::new(content);
        match Self::read(&mut r) {
            Ok(value) if r.left() == 0 => value,
            _ => Self::Constructed(content.to_vec()),
        }
    }
}

/// What stands before the closing tag, which is taken too.
pub(super) fn enclosed<'a>(closing: u8, r: &mut Reader<'a>) -> Result<&'a [u8], WireError> {
    let whole = r.clone();
    let mut depth = 0_u32;
    loop {
        let before = r.left();
        let first = r.u8("tag")?;
        if depth == 0 && first == closing {
            return whole.clone().take(whole.left() - before, "value");
        }
        if first >> 4 == 0x0F {
            r.u8("tag number")?;
        }
        match (first & CONTEXT != 0, first & 7) {
            (true, OPENING) => depth += 1,
            (true, CLOSING) => {
                depth = depth
                    .checked_sub(1)
                    .ok_or(WireError::Invalid { field: "closing tag", value: first.into() })?;
            }
            (false, _) if first >> 4 == 1 => {}
            (_, short) => {
                let length = length(short, r)?;
                r.take(length, "value")?;
            }
        }
    }
}

/// A length of five and more stands behind the tag, in one, two or four further bytes.
#[inline]
fn length(short: u8, r: &mut Reader<'_>) -> Result<usize, WireError> {
    match short {
        0..=4 => Ok(short.into()),
        5 => match r.u8("length")? {
            254 => Ok(r.u16_be("length")?.into()),
            255 => {
                let length = u32::from_be_bytes(r.array("length")?);
                Ok(usize::try_from(length).unwrap_or(usize::MAX))
            }
            length => Ok(length.into()),
        },
        _ => Err(WireError::Invalid { field: "tag", value: short.into() }),
    }
}

#[inline]
fn unsigned(content: &[u8]) -> Option<u64> {
    match *content {
        [a] => Some(a.into()),
        [a, b] => Some(u16::from_be_bytes([a, b]).into()),
        [] => None,
        _ if content.len() > 8 => None,
        _ => Some(content.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))),
    }
}

fn signed(content: &[u8]) -> Option<i64> {
    let bits = u32::try_from(content.len()).ok()?.checked_mul(8)?;
    let unused = 64_u32.checked_sub(bits)?;
    // Shifted up and down again, the sign fills what is not there.
    Some((unsigned(content)? << unused).cast_signed() >> unused)
}

/// An unsigned number behind a tag with this context number, as short as can be.
pub(super) fn context_unsigned(r: &mut Reader<'_>, number: u8) -> Result<u32, WireError> {
    let first = r.u8("context tag")?;
    match (first & 0xF8, first & 7) {
        (tag, length @ 1..=4) if tag == number << 4 | CONTEXT => {
            let content = r.take(length.into(), "number")?;
            Ok(content.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
        }
        _ => Err(WireError::Invalid { field: "context tag", value: first.into() }),
    }
}

/// The same in a question of ours, which is as short as can be.
#[inline]
pub(super) fn shortest(r: &mut Reader<'_>, number: u8) -> Result<u32, WireError> {
    let first = r.u8("context tag")?;
    let (value, least) = match first ^ (number << 4 | CONTEXT) {
        1 => (r.u8("number")?.into(), 0),
        2 => (r.u16_be("number")?.into(), 1 << 8),
        3 => {
            let [a, b, c] = r.array("number")?;
            (u32::from_be_bytes([0, a, b, c]), 1 << 16)
        }
        4 => (u32::from_be_bytes(r.array("number")?), 1 << 24),
        _ => return Err(WireError::Invalid { field: "context tag", value: first.into() }),
    };
    match value >= least {
        true => Ok(value),
        false => Err(WireError::Invalid { field: "length of number", value: value.into() }),
    }
}

/// The same, written.
#[inline]
pub(super) fn write_context_unsigned(w: &mut Writer, number: u8, value: u32) {
    let tag = number << 4 | CONTEXT;
    match value.to_be_bytes() {
        [0, 0, 0, a] => w.bytes(&[tag | 1, a]),
        [0, 0, a, b] => w.bytes(&[tag | 2, a, b]),
        [0, a, b, c] => w.bytes(&[tag | 3, a, b, c]),
        [a, b, c, d] => w.bytes(&[tag | 4, a, b, c, d]),
    };
}
