//! The BACnet exchange: ask a device who it is, once by hand and once through otcore.
//!
//! The answer is that of bacpypes3 to Read Property Multiple (`otcore/tests/vectors/bacnet.csv`).

use std::hint::black_box;

use otcore::frame::Frame;
use otcore::protocol::{Answer, Protocol, Request};
use otcore::protocols::bacnet::{Bacnet, Function, Property, ReadSeveral, Value};
use otcore::wire::Reader;

use crate::codecs::{Hand, Parts};
use crate::measure::Contender;
use crate::python::Peer;

const VECTORS: &str = include_str!("../../otcore/tests/vectors/bacnet.csv");
/// The number that question and answer share, in its low byte.
pub(crate) const TAG: u16 = 1;
/// The device that is asked.
const DEVICE: u32 = 4711;
/// What it is asked for.
const PROPERTIES: [u16; 8] = [77, 121, 120, 70, 44, 12, 372, 62];

/// A property: everybody owns what it hands out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Text(String),
    Number(u64),
}

/// Number and value of every property.
pub(crate) type Properties = Vec<(u32, Said)>;

/// The answer, byte for byte.
pub(crate) fn answer() -> Option<Vec<u8>> {
    let row = VECTORS.lines().find(|row| row.starts_with("identity reply,"))?;
    let digits = row.split(',').nth(2)?.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// The floor's question.
pub(crate) fn encode_by_hand(tag: u16) -> Vec<u8> {
    let [_, invoke] = tag.to_be_bytes();
    let mut bytes = Vec::with_capacity(34);
    bytes.extend([0x81, 0x0A, 0, 0, 1, 4, 0, 3, invoke, 0x0E, 0x0C]);
    bytes.extend((8 << 22 | DEVICE).to_be_bytes());
    bytes.push(0x1E);
    for property in PROPERTIES {
        match property.to_be_bytes() {
            [0, low] => bytes.extend([0x09, low]),
            [high, low] => bytes.extend([0x0A, high, low]),
        }
    }
    bytes.push(0x1F);
    let length = u8::try_from(bytes.len()).unwrap_or_default();
    if let Some(byte) = bytes.get_mut(3) {
        *byte = length;
    }
    bytes
}

/// The floor: it checks headers, lengths, number, service and object, walks the results, bounds every
/// read and hands out texts that it owns, as every honest codec must.
pub(crate) fn decode_by_hand(tag: u16, message: &[u8]) -> Option<Properties> {
    let (head, mut rest) = message.split_first_chunk::<15>()?;
    let [0x81, 0x0A, l0, l1, 1, 0, 0x30, invoke, 0x0E, 0x0C, o0, o1, o2, o3, 0x1E] = *head else {
        return None;
    };
    let same = u16::from(invoke) == tag & 0xFF;
    let object = u32::from_be_bytes([o0, o1, o2, o3]);
    let length = usize::from(u16::from_be_bytes([l0, l1]));
    if !same || object != 8 << 22 | DEVICE || length != message.len() {
        return None;
    }
    let mut found = Vec::with_capacity(PROPERTIES.len());
    loop {
        let (number, after) = match *rest {
            [0x1F, ..] => return Some(found),
            [0x29, number, 0x4E, ref after @ ..] => (number.into(), after),
            [0x2A, high, low, 0x4E, ref after @ ..] => {
                (u16::from_be_bytes([high, low]).into(), after)
            }
            _ => return None,
        };
        let (said, after) = match *after {
            [0x75, length, 0, ref text @ ..] => {
                let (text, after) = text.split_at_checked(usize::from(length).checked_sub(1)?)?;
                (Said::Text(str::from_utf8(text).ok()?.to_owned()), after)
            }
            [0x21, number, ref after @ ..] => (Said::Number(number.into()), after),
            [0x22, high, low, ref after @ ..] => {
                (Said::Number(u16::from_be_bytes([high, low]).into()), after)
            }
            _ => return None,
        };
        let (0x4F, after) = after.split_first().map(|(tag, after)| (*tag, after))? else {
            return None;
        };
        found.push((number, said));
        rest = after;
    }
}

fn request() -> ReadSeveral {
    ReadSeveral::of(Function::ReadIdentity, DEVICE)
}

/// Our question.
pub(crate) fn question() -> Option<Frame> {
    Frame::of(&Bacnet::default(), TAG, &request()).ok()
}

/// Its answer through otcore's public types, exactly as a session reads it. They own the texts as
/// bytes, so that they are texts is checked here.
pub(crate) fn decode(asked: &Frame, bytes: &[u8]) -> Option<Vec<Property>> {
    let length = Bacnet::split(bytes).ok()??;
    let properties = match Bacnet::answer(asked.bytes(), bytes.get(..length)?).ok()?? {
        Answer::Body(body) => request().read(&mut Reader::new(body)).ok()?,
        Answer::Refusal { .. } => return None,
    };
    let is_text = |one: &Property| match &one.found {
        Ok(Value::Text(text)) => str::from_utf8(&text.bytes).is_ok(),
        _ => true,
    };
    properties.iter().all(is_text).then_some(properties)
}

/// The same through the crate embedded-bacnet, whose texts are borrowed and copied here.
pub(crate) fn embedded(bytes: &[u8]) -> Option<Properties> {
    use embedded_bacnet::application_protocol::primitives::data_value::ApplicationDataValue;
    use embedded_bacnet::application_protocol::services::read_property_multiple::{
        PropertyValue, ReadPropertyMultipleAck,
    };
    use embedded_bacnet::common::io::Reader;
    use embedded_bacnet::network_protocol::data_link::DataLink;

    let link = DataLink::decode(&mut Reader::default(), bytes).ok()?;
    let ack = ReadPropertyMultipleAck::try_from(link).ok()?;
    let mut found = Vec::with_capacity(PROPERTIES.len());
    for object in &ack {
        for one in &object.ok()?.property_results {
            let one = one.ok()?;
            let said = match one.value {
                PropertyValue::PropValue(ApplicationDataValue::CharacterString(text)) => {
                    Said::Text(text.inner.to_owned())
                }
                PropertyValue::PropValue(ApplicationDataValue::UnsignedInt(number)) => {
                    Said::Number(number.into())
                }
                _ => return None,
            };
            found.push((one.id as u32, said));
        }
    }
    Some(found)
}

/// The same through the crate bacnet-rs, without the headers.
pub(crate) fn bacnet_rs(bytes: &[u8]) -> Option<Properties> {
    use bacnet_rs::object::PropertyIdentifier;
    use bacnet_rs::property::PropertyValue;
    use bacnet_rs::service::{PropertyResultValue, ReadPropertyMultipleResponse};

    let response = ReadPropertyMultipleResponse::decode(bytes.get(9..)?).ok()?;
    let mut found = Vec::with_capacity(PROPERTIES.len());
    for one in response.read_access_results.into_iter().flat_map(|object| object.results) {
        let number: u32 = PropertyIdentifier::into(one.property_identifier);
        let PropertyResultValue::Value(values) = one.value else { return None };
        let said = match values.into_iter().next()? {
            PropertyValue::CharacterString(text) => Said::Text(text),
            PropertyValue::Unsigned(value) => Said::Number(value),
            _ => return None,
        };
        found.push((number, said));
    }
    Some(found)
}

/// Name and serial number, as the Python side says them.
pub(crate) fn read_by_hand(answer: &[u8]) -> Option<(String, String)> {
    let mut properties = decode_by_hand(TAG, answer)?.into_iter();
    let mut text = |wanted| {
        let said = properties.find(|(number, _)| *number == wanted)?.1;
        if let Said::Text(text) = said { Some(text) } else { None }
    };
    Some((text(77)?, text(372)?))
}

/// Everybody who is timed on it.
pub(crate) fn parts() -> Option<Parts> {
    let answer = answer()?;
    let by_hand = Hand {
        encode: || encode_by_hand(black_box(TAG)),
        decode: |bytes: &[u8]| decode_by_hand(black_box(TAG), bytes),
    };
    let mut parts = Parts::of(&answer, by_hand, Hand { encode: question, decode })?;
    let [first, second] = [answer.clone(), answer.clone()];
    parts.decode.push(Contender::new("embedded-bacnet", "texts copied", move || {
        embedded(black_box(&first))
    }));
    parts.decode.push(Contender::new("bacnet-rs", "without the headers", move || {
        bacnet_rs(black_box(&second))
    }));
    let python = Peer::reads("bacpypes3", "bacpypes3_identity.py", &answer);
    parts.python.push(python.expecting(read_by_hand(&answer)));
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_ask_the_same_bytes_and_read_the_same_properties() {
        assert_eq!(question().unwrap().bytes(), encode_by_hand(TAG));
        let bytes = answer().unwrap();
        let expected = decode_by_hand(TAG, &bytes).unwrap();
        let names = read_by_hand(&bytes).unwrap();
        assert_eq!((names.0.as_str(), names.1.as_str()), ("RW-AHU-1", "SN-BAC-0001"));
        let said = |property: Property| {
            let said = match property.found.unwrap() {
                Value::Text(text) => Said::Text(String::from_utf8(text.bytes).unwrap()),
                Value::Unsigned(number) => Said::Number(number),
                other => panic!("{other:?}"),
            };
            (property.number, said)
        };
        let asked = question().unwrap();
        let ours: Properties = decode(&asked, &bytes).unwrap().into_iter().map(said).collect();
        assert_eq!(ours, expected);
        assert_eq!(embedded(&bytes).unwrap(), expected);
        assert_eq!(bacnet_rs(&bytes).unwrap(), expected);
    }

    #[test]
    fn an_answer_to_somebody_else_is_nobodys() {
        let mut bytes = answer().unwrap();
        bytes[7] ^= 0xFF;
        assert_eq!(decode_by_hand(TAG, &bytes), None);
        assert!(decode(&question().unwrap(), &bytes).is_none());
    }
}
