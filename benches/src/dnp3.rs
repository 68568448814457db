//! The DNP3 exchange: read all attributes of an outstation, once by hand and once through otcore.
//!
//! The answer is made up, since no recorded outstation gives texts: nine of them, in two frames.

use otcore::frame::Frame;
use otcore::protocol::{Answer, Protocol, Request};
use otcore::protocols::dnp3::{Dnp3, Function, ReadAttributes, Value};
use otcore::wire::Reader;

use crate::codecs::{Hand, Parts};
use crate::python::Peer;

/// The number that question and answer share.
const TAG: u16 = 1;
const STATION: Dnp3 = Dnp3 { outstation: 10, master: 1 };

const TEXTS: [(u8, &str); 9] = [
    (252, "Tarnwick Automation Gesellschaft"),
    (250, "TW-RTU 40 with two feeders and a recloser"),
    (248, "TW40-001377-2024-0042"),
    (247, "feeder 7 of the east ring"),
    (246, "RTU-12-A"),
    (245, "substation 12, bay 3, second row"),
    (244, "Ostbach Power, department of protection"),
    (243, "hardware C"),
    (242, "6.2.1 of the 6th of May"),
];

/// Texts by their variation: everybody owns what it hands out.
pub(crate) type Said = Vec<(u8, String)>;

/// What the answer says.
pub(crate) fn said() -> Said {
    TEXTS.iter().map(|(variation, text)| (*variation, (*text).to_owned())).collect()
}

/// The answer, as an outstation sends it.
pub(crate) fn answer() -> Vec<u8> {
    let mut fragment = vec![0xC1, 0x81, 0, 0];
    for (variation, text) in TEXTS {
        let length = u8::try_from(text.len()).unwrap_or_default();
        fragment.extend([0, variation, 0, 0, 0, 1, length]);
        fragment.extend(text.bytes());
    }
    let last = fragment.chunks(249).count().saturating_sub(1);
    let frames = fragment.chunks(249).enumerate().map(|(nth, piece)| {
        let first = if nth == 0 { 0x40 } else { 0 };
        let end = if nth == last { 0x80 } else { 0 };
        let number = u8::try_from(nth & 0x3F).unwrap_or_default();
        frame(0x44, 1, 10, &[&[number | first | end], piece].concat())
    });
    frames.flatten().collect()
}

fn frame(control: u8, to: u16, from: u16, data: &[u8]) -> Vec<u8> {
    let length = u8::try_from(data.len() + 5).unwrap_or_default();
    let mut bytes = Vec::with_capacity(10 + data.len() + 2 * data.len().div_ceil(16));
    bytes.extend([0x05, 0x64, length, control]);
    bytes.extend(to.to_le_bytes());
    bytes.extend(from.to_le_bytes());
    bytes.extend(sum(&bytes));
    for block in data.chunks(16) {
        bytes.extend_from_slice(block);
        bytes.extend(sum(block));
    }
    bytes
}

static TABLE: [u16; 256] = table();

#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation)] // const fn: no iterators here
const fn table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut value, mut bit) = (byte as u16, 0);
        while bit < 8 {
            value = if value & 1 == 1 { (value >> 1) ^ 0xA6BC } else { value >> 1 };
            bit += 1;
        }
        table[byte] = value;
        byte += 1;
    }
    table
}

fn sum(bytes: &[u8]) -> [u8; 2] {
    let mut register: u16 = 0;
    for byte in bytes {
        let [low, _] = (register ^ u16::from(*byte)).to_le_bytes();
        register = (register >> 8) ^ TABLE.get(usize::from(low)).copied().unwrap_or_default();
    }
    (!register).to_le_bytes()
}

/// The floor's question.
pub(crate) fn encode_by_hand() -> Vec<u8> {
    frame(0xC4, 1 + 9, 1, &[0xC1, 0xC1, 0x01, 0, 254, 0, 0, 0])
}

/// The floor: it checks every checksum once, addresses, numbers and lengths, puts the fragment together
/// and hands out texts that it owns, as every honest codec must.
pub(crate) fn decode_by_hand(message: &[u8]) -> Option<Said> {
    let mut fragment = Vec::with_capacity(message.len());
    let (mut rest, mut number, mut is_last) = (message, 0, false);
    while !is_last {
        let (header, after) = rest.split_first_chunk::<10>()?;
        let [0x05, 0x64, length, 0x44, 1, 0, 10, 0, s0, s1] = *header else { return None };
        let mut left = usize::from(length.checked_sub(5)?);
        if sum(header.get(..8)?) != [s0, s1] {
            return None;
        }
        rest = after;
        let begin = fragment.len();
        while left > 0 {
            let size = left.min(16);
            let (block, after) = rest.split_at_checked(size)?;
            let (check, after) = after.split_first_chunk::<2>()?;
            if sum(block) != *check {
                return None;
            }
            fragment.extend_from_slice(block);
            (rest, left) = (after, left - size);
        }
        let transport = fragment.get(begin).copied()?;
        fragment.remove(begin);
        let first = if begin == 0 { 0x40 } else { 0 };
        if transport & 0x7F != first | number {
            return None;
        }
        (is_last, number) = (transport & 0x80 != 0, (number + 1) & 0x3F);
    }
    let ([0xC1, 0x81, _, second], mut objects) = fragment.split_first_chunk::<4>()? else {
        return None;
    };
    if second & 0x07 != 0 {
        return None;
    }
    let mut found = Vec::new();
    while !objects.is_empty() {
        let ([0, variation, 0, 0, 0, 1, length], after) = objects.split_first_chunk::<7>()? else {
            return None;
        };
        let (text, after) = after.split_at_checked(usize::from(*length))?;
        found.push((*variation, str::from_utf8(text).ok()?.to_owned()));
        objects = after;
    }
    Some(found)
}

/// Our question.
pub(crate) fn question() -> Option<Frame> {
    Frame::of(&STATION, TAG, &ReadAttributes(Function::ReadAllAttributes)).ok()
}

/// Its answer through otcore's public types, exactly as a session reads it: how many texts it
/// holds. They own the texts as bytes, so that they are texts is checked here.
pub(crate) fn decode(asked: &Frame, bytes: &[u8]) -> Option<usize> {
    let length = Dnp3::split(bytes).ok()??;
    let read = match Dnp3::answer(asked.bytes(), bytes.get(..length)?).ok()?? {
        Answer::Body(body) => {
            let read = ReadAttributes(Function::ReadAllAttributes);
            read.read(&mut Reader::new(body)).ok()?
        }
        Answer::Refusal { .. } => return None,
    };
    let is_text =
        |value: &Value| matches!(value, Value::Text(text) if str::from_utf8(text).is_ok());
    let read = std::hint::black_box(read);
    Some(read.attributes.iter().filter(|attribute| is_text(&attribute.value)).count())
}

/// Everybody who is timed on it.
pub(crate) fn parts() -> Option<Parts> {
    let answer = answer();
    let by_hand = Hand { encode: encode_by_hand, decode: decode_by_hand };
    let mut parts = Parts::of(&answer, by_hand, Hand { encode: question, decode })?;
    let python = Peer::reads("dnp3py", "dnp3py_attributes.py", &answer);
    parts.python.push(python.expecting(said()));
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ask_the_same_bytes_and_read_the_same_texts() {
        assert_eq!(question().unwrap().bytes(), encode_by_hand());
        let bytes = answer();
        assert_eq!(decode_by_hand(&bytes).unwrap(), said());
        assert_eq!(decode(&question().unwrap(), &bytes), Some(TEXTS.len()));
    }
}
