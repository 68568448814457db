//! A fragment says the same however its sender cuts it into pieces.
//!
//! The first byte is the number of cuts, the next ones are the lengths of the pieces before them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::protocol::Protocol;
use otcore::protocols::dnp3::{Attributes, Dnp3};
use otcore_fuzz::script::summed;

/// The most that one piece carries beside its transport header.
const WHOLE: usize = 249;

/// The pieces as an outstation 10 sends them to its master 1.
fn message(pieces: &[&[u8]]) -> Vec<u8> {
    let mut message = Vec::new();
    for (nth, piece) in pieces.iter().enumerate() {
        let first = if nth == 0 { 0x40 } else { 0 };
        let last = if nth + 1 == pieces.len() { 0x80 } else { 0 };
        message.extend([0x05, 0x64, piece.len() as u8 + 6, 0x44, 1, 0, 10, 0, 0, 0]);
        let data = [&[first | last | (nth as u8 & 0x3F)], *piece].concat();
        for block in data.chunks(16) {
            message.extend(block.iter().chain(&[0, 0]));
        }
    }
    summed(&message)
}

fuzz_target!(|input: &[u8]| {
    let [cuts, rest @ ..] = input else { return };
    let (lengths, mut fragment) = rest.split_at(usize::from(cuts % 16).min(rest.len()));
    let whole: Vec<&[u8]> = fragment.chunks(WHOLE).collect();
    let mut pieces = Vec::new();
    for length in lengths {
        let (piece, tail) =
            fragment.split_at(usize::from(*length).clamp(1, WHOLE).min(fragment.len()));
        pieces.push(piece);
        fragment = tail;
    }
    pieces.extend(fragment.chunks(WHOLE));
    pieces.retain(|piece| !piece.is_empty());
    let (once, cut) = (message(&whole), message(&pieces));
    let read = |message: &[u8]| match Dnp3::split(message) {
        Ok(Some(length)) => Attributes::read(&message[..length]).ok(),
        _ => None,
    };
    if let (Some(once), Some(cut)) = (read(&once), read(&cut)) {
        assert_eq!(format!("{once:?}"), format!("{cut:?}"));
    }
});
