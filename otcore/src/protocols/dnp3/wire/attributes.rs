//! Object group 0: what an outstation says of itself (IEEE 1815-2012, annex A.1).

use super::{Indications, Response, transport};
use crate::wire::{Reader, WireError};

/// One device attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// Which one: the variation of group 0.
    pub variation: u8,
    /// What it says.
    pub value: Value,
}

/// The value of a device attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Visible text.
    Text(Vec<u8>),
    /// A number without a sign.
    Unsigned(u64),
    /// A number with a sign.
    Signed(i64),
    /// A broken number.
    Float(f64),
    /// Raw bytes.
    Octets(Vec<u8>),
    /// Milliseconds since 1970, in UTC.
    Time(u64),
    /// Variations that the outstation has, each with its properties; the lowest bit means that a
    /// master may write it.
    List(Vec<(u8, u8)>),
    /// A type without a name.
    Other(u8),
}

/// An answer to a read of group 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Attributes {
    /// Who answered.
    pub outstation: u16,
    /// How it is.
    pub indications: Indications,
    /// Whether it has said everything; if not, the rest would follow a confirmation, which is never
    /// sent.
    pub is_complete: bool,
    /// What it says of itself, in its order.
    pub attributes: Vec<Attribute>,
}

impl Attributes {
    /// Read a whole message that was found to be an answer, checksums included.
    ///
    /// # Errors
    /// [`WireError`] that names the field.
    pub fn read(message: &[u8]) -> Result<Self, WireError> {
        let outstation = super::Header::of(message)?.from;
        let fragment = transport::fragment(message)?;
        let mut r = Reader::new(&fragment);
        let response = Response::read(&mut r)?;
        let mut attributes = Vec::new();
        while r.left() > 0 {
            object(&mut r, &mut attributes)?;
        }
        let (indications, is_complete) = (response.indications, response.is_last());
        Ok(Self { outstation, indications, is_complete, attributes })
    }

    /// The variations in the list of attributes, if it was asked for.
    #[must_use]
    pub fn listed(&self) -> Option<Vec<u8>> {
        self.attributes.iter().find_map(|attribute| match &attribute.value {
            Value::List(list) => Some(list.iter().map(|(variation, _)| *variation).collect()),
            _ => None,
        })
    }
}

/// One object header and what follows it. Attributes of other sets than the standard's own are
/// stepped over: what they mean is the maker's secret.
fn object(r: &mut Reader<'_>, into: &mut Vec<Attribute>) -> Result<(), WireError> {
    r.expect_u8(0, "object group")?;
    let variation = r.u8("variation")?;
    let (first, last, prefix) = match r.u8("qualifier")? {
        0x00 => (u16::from(r.u8("start")?), u16::from(r.u8("stop")?), Prefix::None),
        0x01 => (r.u16_le("start")?, r.u16_le("stop")?, Prefix::None),
        0x17 => (1, u16::from(r.u8("count")?), Prefix::One),
        0x28 => (1, r.u16_le("count")?, Prefix::Two),
        other => return Err(WireError::Invalid { field: "qualifier", value: other.into() }),
    };
    for number in first..=last {
        let set = match prefix {
            Prefix::None => number,
            Prefix::One => r.u8("set")?.into(),
            Prefix::Two => r.u16_le("set")?,
        };
        let value = value(r)?;
        if set == 0 {
            into.push(Attribute { variation, value });
        }
    }
    Ok(())
}

/// What stands before each attribute.
#[derive(Clone, Copy)]
enum Prefix {
    None,
    One,
    Two,
}

/// Type, length, value.
fn value(r: &mut Reader<'_>) -> Result<Value, WireError> {
    let kind = r.u8("data type")?;
    let length = usize::from(r.u8("value length")?);
    let length = if kind == 255 { length + 256 } else { length };
    let bytes = r.take(length, "value")?;
    Ok(match kind {
        1 => Value::Text(bytes.to_vec()),
        2 => Value::Unsigned(unsigned(bytes)?),
        3 => Value::Signed(signed(bytes)?),
        4 => Value::Float(float(bytes)?),
        5 | 6 => Value::Octets(bytes.to_vec()),
        7 => Value::Time(unsigned(bytes)?),
        254 | 255 => Value::List(list(bytes)?),
        other => Value::Other(other),
    })
}

fn unsigned(bytes: &[u8]) -> Result<u64, WireError> {
    let mut wide = [0; 8];
    let field = "number";
    let place = wide.get_mut(..bytes.len()).ok_or(WireError::Invalid { field, value: 9 })?;
    place.copy_from_slice(bytes);
    Ok(u64::from_le_bytes(wide))
}

fn signed(bytes: &[u8]) -> Result<i64, WireError> {
    let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
    let mut wide = [if negative { 0xFF } else { 0 }; 8];
    let field = "number";
    let place = wide.get_mut(..bytes.len()).ok_or(WireError::Invalid { field, value: 9 })?;
    place.copy_from_slice(bytes);
    Ok(i64::from_le_bytes(wide))
}

fn float(bytes: &[u8]) -> Result<f64, WireError> {
    let mut r = Reader::new(bytes);
    match bytes.len() {
        4 => Ok(f32::from_le_bytes(r.array("number")?).into()),
        8 => Ok(f64::from_le_bytes(r.array("number")?)),
        other => Err(WireError::Invalid { field: "length of a number", value: other as u64 }),
    }
}

fn list(bytes: &[u8]) -> Result<Vec<(u8, u8)>, WireError> {
    let (pairs, rest) = bytes.as_chunks();
    match rest {
        [] => Ok(pairs.iter().map(|[variation, properties]| (*variation, *properties)).collect()),
        _ => Err(WireError::Short { field: "list of attributes" }),
    }
}
