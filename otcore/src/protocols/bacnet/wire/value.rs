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

    #[inline]
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
        [0, 0, 0, a] => w.u8(tag | 1).u8(a),
        [0, 0, a, b] => w.u8(tag | 2).u8(a).u8(b),
        [0, a, b, c] => w.bytes(&[tag | 3, a, b, c]),
        [a, b, c, d] => w.bytes(&[tag | 4, a, b, c, d]),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Value, WireError> {
        Value::read(&mut Reader::new(bytes))
    }

    /// Each type of clause 20.2.1.4, in the shortest and the longest form that its length may have.
    #[test]
    fn a_value_of_every_type_is_read() {
        let one = 1.0_f64.to_be_bytes();
        for (bytes, value) in [
            (&[0x00][..], Value::Null),
            (&[0x10], Value::Boolean(false)),
            (&[0x11], Value::Boolean(true)),
            (&[0x21, 5], Value::Unsigned(5)),
            (&[0x22, 1, 0], Value::Unsigned(256)),
            (&[0x25, 8, 255, 255, 255, 255, 255, 255, 255, 255], Value::Unsigned(u64::MAX)),
            (&[0x31, 0xFF], Value::Signed(-1)),
            (&[0x32, 0x7F, 0xFF], Value::Signed(32_767)),
            (&[0x32, 0x80, 0], Value::Signed(-32_768)),
            (&[0x44, 0x3F, 0x80, 0, 0], Value::Real(1.0)),
            (&[&[0x55, 8], &one[..]].concat(), Value::Double(1.0)),
            (&[0x62, 1, 2], Value::Octets(vec![1, 2])),
            (&[0x65, 254, 0, 1, 7], Value::Octets(vec![7])),
            (&[0x65, 255, 0, 0, 0, 1, 7], Value::Octets(vec![7])),
            (&[0x72, 0, b'a'], Value::Text(Text { charset: 0, bytes: b"a".to_vec() })),
            (&[0x82, 4, 0xA0], Value::Bits(vec![4, 0xA0])),
            (&[0x91, 3], Value::Enumerated(3)),
            (&[0xA4, 126, 11, 27, 5], Value::Date([126, 11, 27, 5])),
            (&[0xB4, 12, 30, 0, 255], Value::Time([12, 30, 0, 255])),
            (&[0xC4, 2, 0, 0, 7], Value::Object(ObjectId { kind: DEVICE, instance: 7 })),
        ] {
            assert_eq!(read(bytes), Ok(value.clone()), "{bytes:02x?}");
            for end in 0..bytes.len() {
                assert!(read(&bytes[..end]).is_err(), "{bytes:02x?} cut after {end}");
            }
            assert_eq!(Value::alone(bytes), value);
            let longer = [bytes, &[0]].concat();
            assert_eq!(Value::alone(&longer), Value::Constructed(longer), "more than one value");
        }
    }

    #[test]
    fn a_value_whose_length_does_not_suit_its_type_is_an_error() {
        for bytes in [
            &[0x20][..],                           // a number without a digit
            &[0x25, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0], // and one with too many
            &[0x30],
            &[0x35, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            &[0x43, 0, 0, 0],
            &[0x54, 0, 0, 0, 0],
            &[0x70], // a text without its character set
            &[0x80], // bits, and not said how many
            &[0x95, 5, 1, 0, 0, 0, 0],
            &[0xA3, 0, 0, 0],
            &[0xB3, 0, 0, 0],
            &[0xC3, 0, 0, 0],
        ] {
            let error = read(bytes).unwrap_err().to_string();
            assert!(error.contains("length of value"), "{bytes:02x?}: {error}");
        }
        for bytes in [&[0x09, 0][..], &[0xD1, 0], &[0x26], &[0x27]] {
            let error = read(bytes).unwrap_err().to_string();
            assert!(error.contains("tag"), "{bytes:02x?}: {error}");
        }
    }

    #[test]
    fn what_stands_between_two_tags_ends_at_the_right_one() {
        let enclosed = |bytes: &[u8]| enclosed(0x3F, &mut Reader::new(bytes)).map(<[u8]>::to_vec);
        assert_eq!(enclosed(&[0x21, 1, 0x3F, 9]), Ok(vec![0x21, 1]));
        let nested = [0x3E, 0x11, 0x21, 1, 0x3F];
        assert_eq!(enclosed(&[&nested[..], &[0x3F]].concat()), Ok(nested.to_vec()));
        let large_number = [0xF9, 200, 1]; // a context number above 14 stands in a byte of its own
        assert_eq!(enclosed(&[&large_number[..], &[0x3F]].concat()), Ok(large_number.to_vec()));
        assert!(enclosed(&[0x2F]).is_err(), "nothing like that was opened");
        assert!(enclosed(&[0x3E, 0x3F]).is_err() && enclosed(&[0x22, 1]).is_err());
    }

    #[test]
    fn a_number_of_a_question_is_as_short_as_can_be_and_that_of_an_answer_need_not() {
        for number in [0, 255, 256, 65_535, 65_536, 0x00FF_FFFF, 0x0100_0000, u32::MAX] {
            let mut w = Writer::default();
            write_context_unsigned(&mut w, 1, number);
            let bytes = w.into_vec();
            assert_eq!(shortest(&mut Reader::new(&bytes), 1), Ok(number));
            assert_eq!(context_unsigned(&mut Reader::new(&bytes), 1), Ok(number));
            assert!(shortest(&mut Reader::new(&bytes), 2).is_err(), "another context");
            assert!(context_unsigned(&mut Reader::new(&bytes), 2).is_err());
        }
        for long in [&[0x1A, 0, 1][..], &[0x1B, 0, 1, 0], &[0x1C, 0, 1, 0, 0]] {
            assert!(shortest(&mut Reader::new(long), 1).is_err(), "{long:02x?}");
            assert!(context_unsigned(&mut Reader::new(long), 1).is_ok(), "{long:02x?}");
        }
    }

    #[test]
    fn objects_are_told_by_type_and_number() {
        assert_eq!(ObjectId { kind: DEVICE, instance: 7 }.to_string(), "device 7");
        assert_eq!(
            ObjectId::of(ObjectId { kind: 56, instance: 1 }.bits()).to_string(),
            "object 56:1"
        );
    }
}
