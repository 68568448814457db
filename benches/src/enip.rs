//! The EtherNet/IP exchange: ask a device who it is, once by hand and once through otcore.
//!
//! The answer is that of a recorded 1756-ENBT (`otcore/tests/vectors/enip.csv`).

use std::hint::black_box;

use otcore::frame::Frame;
use otcore::protocol::{Answer, Protocol, Request};
use otcore::protocols::enip::{Enip, Identity, ListIdentity};
use otcore::wire::Reader;

use crate::codecs::{Hand, Parts};
use crate::measure::Contender;
use crate::python::Peer;
use crate::rseip;

const VECTORS: &str = include_str!("../../otcore/tests/vectors/enip.csv");
/// The number that question and answer share.
pub(crate) const TAG: u16 = 0x1100;

/// Who it is: everybody owns what it hands out.
#[derive(Debug, PartialEq, Eq, serde::Deserialize)]
pub(crate) struct Device {
    pub(crate) vendor: u16,
    pub(crate) device_type: u16,
    pub(crate) product_code: u16,
    pub(crate) revision: (u8, u8),
    pub(crate) status: u16,
    pub(crate) serial: u32,
    pub(crate) name: String,
    pub(crate) state: Option<u8>,
}

/// The answer, byte for byte but for what it shares with the question.
pub(crate) fn answer() -> Option<Vec<u8>> {
    let row = VECTORS.lines().find(|row| row.starts_with("list identity reply of another,"))?;
    let digits = row.split(',').nth(2)?.as_bytes().chunks(2);
    let bytes = digits.map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok());
    let mut bytes: Vec<u8> = bytes.collect::<Option<_>>()?;
    let question = encode_by_hand(TAG);
    bytes.get_mut(12..20)?.copy_from_slice(question.get(12..20)?);
    Some(bytes)
}

/// The floor's question.
pub(crate) fn encode_by_hand(tag: u16) -> Vec<u8> {
    let [low, high] = tag.to_le_bytes();
    vec![0x63, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xF4, 1, low, high, 0, 0, 0, 0, 0, 0, 0, 0]
}

/// The floor: it checks header, lengths, number and status, walks the items, bounds every read and
/// hands out a text that it owns, as every honest codec must.
pub(crate) fn decode_by_hand(tag: u16, message: &[u8]) -> Option<Vec<Device>> {
    let (head, body) = message.split_first_chunk::<24>()?;
    let [0x63, 0, l0, l1, _, _, _, _, 0, 0, 0, 0, 0xF4, 1, t0, t1, 0, 0, 0, 0, ..] = *head else {
        return None;
    };
    let size = |low, high| usize::from(u16::from_le_bytes([low, high]));
    if size(l0, l1) != body.len() || [t0, t1] != tag.to_le_bytes() {
        return None;
    }
    let (count, mut rest) = body.split_first_chunk::<2>()?;
    let mut found = Vec::new();
    for _ in 0..u16::from_le_bytes(*count).min(64) {
        let (head, after) = rest.split_first_chunk::<4>()?;
        let [k0, k1, l0, l1] = *head;
        let (item, after) = after.split_at_checked(size(l0, l1))?;
        rest = after;
        if [k0, k1] == [0x0C, 0] {
            found.push(item_by_hand(item)?);
        }
    }
    Some(found)
}

fn item_by_hand(item: &[u8]) -> Option<Device> {
    let (fixed, rest) = item.split_first_chunk::<33>()?;
    let [.., v0, v1, d0, d1, p0, p1, major, minor, w0, w1, s0, s1, s2, s3, length] = *fixed;
    let (name, rest) = rest.split_at_checked(length.into())?;
    Some(Device {
        vendor: u16::from_le_bytes([v0, v1]),
        device_type: u16::from_le_bytes([d0, d1]),
        product_code: u16::from_le_bytes([p0, p1]),
        revision: (major & 0x7F, minor),
        status: u16::from_le_bytes([w0, w1]),
        serial: u32::from_le_bytes([s0, s1, s2, s3]),
        name: str::from_utf8(name).ok()?.to_owned(),
        state: rest.first().copied(),
    })
}

/// Our question.
pub(crate) fn question() -> Option<Frame> {
    Frame::of(&Enip::default(), TAG, &ListIdentity).ok()
}

/// Its answer through otcore's public types, exactly as a session reads it. They own the text as
/// bytes, so that it is one is checked here.
pub(crate) fn decode(asked: &Frame, bytes: &[u8]) -> Option<Vec<Identity>> {
    let length = Enip::split(bytes).ok()??;
    let identities = match Enip::answer(asked.bytes(), bytes.get(..length)?).ok()?? {
        Answer::Body(body) => ListIdentity.read(&mut Reader::new(body)).ok()?,
        Answer::Refusal { .. } => return None,
    };
    identities.iter().all(|identity| str::from_utf8(&identity.name).is_ok()).then_some(identities)
}

/// The serial number and the name of the first device, as the Python side says them.
pub(crate) fn read_by_hand(answer: &[u8]) -> Option<(String, String)> {
    let device = decode_by_hand(TAG, answer)?.into_iter().next()?;
    Some((format!("{:08x}", device.serial), device.name))
}

/// Everybody who is timed on it.
pub(crate) fn parts() -> Option<Parts> {
    let answer = answer()?;
    let by_hand = Hand {
        encode: || encode_by_hand(black_box(TAG)),
        decode: |bytes: &[u8]| decode_by_hand(black_box(TAG), bytes),
    };
    let mut parts = Parts::of(&answer, by_hand, Hand { encode: question, decode })?;
    let mut client = rseip::client(answer.clone());
    parts.exchange.push(Contender::new("rseip", "its client, in memory", move || {
        rseip::exchange(&mut client)
    }));
    let python = Peer::reads("pycomm3", "pycomm3_identity.py", &answer);
    parts.python.push(python.expecting(read_by_hand(&answer)));
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ask_the_same_bytes_and_read_the_same_identity() {
        let asked = Frame::of(&Enip::default(), TAG, &ListIdentity).unwrap();
        assert_eq!(asked.bytes(), encode_by_hand(TAG));
        let bytes = answer().unwrap();
        let devices = decode_by_hand(TAG, &bytes).unwrap();
        assert_eq!(devices.len(), 1);
        assert_eq!((devices[0].name.as_str(), devices[0].serial), ("1756-ENBT/A", 0x0052_4D8E));
        let same = |identity: Identity| Device {
            vendor: identity.vendor,
            device_type: identity.device_type,
            product_code: identity.product_code,
            revision: (identity.revision.major, identity.revision.minor),
            status: identity.status,
            serial: identity.serial,
            name: String::from_utf8(identity.name).unwrap(),
            state: identity.state,
        };
        let ours = decode(&asked, &bytes).unwrap().into_iter().map(same);
        assert_eq!(ours.collect::<Vec<_>>(), devices);
    }
}
