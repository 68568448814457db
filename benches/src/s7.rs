//! The S7 exchange: read list 0x0011 of a controller, once by hand and once through otcore.
//!
//! The answer is that of a recorded IM151-8 PN/DP CPU (`otcore/tests/vectors/s7.csv`).

use std::hint::black_box;

use otcore::frame::Frame;
use otcore::protocol::{Answer, Protocol, Request};
use otcore::protocols::s7::{List, ModuleIdentification, Part, ReadSzl, S7, Szl};
use otcore::wire::Reader;

use crate::codecs::{Hand, Parts};
use crate::python::{Environment, Peer};

const VECTORS: &str = include_str!("../../otcore/tests/vectors/s7.csv");
const REQUEST: ReadSzl = ReadSzl { list: List::ModuleIdentification };
/// Reference of question and answer.
pub(crate) const TAG: u16 = 0x1100;

/// Index of a record, order number, version: everybody owns what it hands out.
pub(crate) type Modules = Vec<(u16, String, Option<String>)>;

/// The answer, byte for byte.
pub(crate) fn answer() -> Option<Vec<u8>> {
    let row = VECTORS.lines().find(|row| row.starts_with("module identification reply,"))?;
    let digits = row.split(',').nth(2)?.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// The two texts of it that python-snap7 reads: order number and firmware.
pub(crate) fn order_code() -> [String; 2] {
    ["6ES7 151-8AB01-0AB0", "V3.2.6"].map(str::to_owned)
}

/// The floor's question.
pub(crate) fn encode_by_hand(tag: u16) -> Vec<u8> {
    let [high, low] = tag.to_be_bytes();
    vec![
        3, 0, 0, 33, 2, 0xF0, 0x80, 0x32, 7, 0, 0, high, low, 0, 8, 0, 8, 0, 1, 0x12, 4, 0x11,
        0x44, 1, 0, 0xFF, 9, 0, 4, 0, 0x11, 0, 0,
    ]
}

/// The floor: it checks header, lengths, reference, errors, list and record length, bounds every
/// read and hands out texts that it owns, as every honest codec must.
pub(crate) fn decode_by_hand(tag: u16, message: &[u8]) -> Option<Modules> {
    let (head, rest) = message.split_first_chunk::<33>()?;
    let [
        3,
        0,
        l1,
        l0,
        2,
        0xF0,
        0x80,
        0x32,
        7,
        _,
        _,
        t1,
        t0,
        0,
        12,
        d1,
        d0,
        0,
        1,
        0x12,
        8,
        0x12,
        0x84,
        1,
        _,
        _,
        _,
        0,
        0,
        0xFF,
        9,
        i1,
        i0,
    ] = *head
    else {
        return None;
    };
    let size = |high, low| usize::from(u16::from_be_bytes([high, low]));
    let whole = size(l1, l0) == message.len() && size(d1, d0) == rest.len() + 4;
    if !whole || [t1, t0] != tag.to_be_bytes() || size(i1, i0) != rest.len() {
        return None;
    }
    let (list, records) = rest.split_first_chunk::<8>()?;
    let [0, 0x11, _, _, 0, 28, c1, c0] = *list else { return None };
    let mut modules = Vec::with_capacity(4);
    for record in records.chunks_exact(28).take(size(c1, c0)) {
        let (index, rest) = record.split_first_chunk::<2>()?;
        let (number, rest) = rest.split_first_chunk::<20>()?;
        let [_, _, letter, major, minor, patch] = *rest else { return None };
        let letter = char::from(letter);
        let version = letter.is_ascii_uppercase();
        modules.push((
            u16::from_be_bytes(*index),
            str::from_utf8(number).ok()?.to_owned(),
            version.then(|| format!("{letter}{major}.{minor}.{patch}")),
        ));
    }
    Some(modules)
}

/// Our question.
pub(crate) fn question() -> Option<Frame> {
    Frame::of(&S7, TAG, &REQUEST).ok()
}

/// Its answer through otcore's public types, exactly as a session reads it.
pub(crate) fn decode(asked: &Frame, bytes: &[u8]) -> Option<Modules> {
    let length = S7::split(bytes).ok()??;
    let part: Part = match S7::answer(asked.bytes(), bytes.get(..length)?).ok()?? {
        Answer::Body(body) => REQUEST.read(&mut Reader::new(body)).ok()?,
        Answer::Refusal { .. } => return None,
    };
    let szl = Szl::read(REQUEST.list, &part.bytes).ok()?;
    let modules = szl.records().filter_map(|(record, _)| ModuleIdentification::read(record));
    let owned = |module: ModuleIdentification| {
        let version = module.version();
        Some((module.index, String::from_utf8(module.order_number).ok()?, version))
    };
    modules.map(owned).collect()
}

/// Everybody who is timed on it.
pub(crate) fn parts() -> Option<Parts> {
    let answer = answer()?;
    let by_hand = Hand {
        encode: || encode_by_hand(black_box(TAG)),
        decode: |bytes: &[u8]| decode_by_hand(black_box(TAG), bytes),
    };
    let mut parts = Parts::of(&answer, by_hand, Hand { encode: question, decode })?;
    let python = Peer::reads("python-snap7", "snap7_exchange.py", &answer)
        .asking(&encode_by_hand(TAG))
        .doing("Python, two of its texts")
        .living(Environment::Peers3);
    parts.python.push(python.expecting(order_code()));
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ask_the_same_bytes_and_read_the_same_records() {
        let asked = Frame::of(&S7, TAG, &REQUEST).unwrap();
        assert_eq!(asked.bytes(), encode_by_hand(TAG));
        let bytes = answer().unwrap();
        let modules = decode_by_hand(TAG, &bytes).unwrap();
        assert_eq!(modules.len(), 4);
        assert_eq!(modules[0].1, "6ES7 151-8AB01-0AB0 ");
        assert_eq!(decode(&asked, &bytes).unwrap(), modules);
    }
}
