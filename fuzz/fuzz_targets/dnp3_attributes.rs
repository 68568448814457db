//! Any fragment holds attributes, or is an error that names its field.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::protocols::dnp3::{Attributes, crc};

/// The fragment as an outstation 10 sends it to its master 1.
fn message(fragment: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    let last = fragment.chunks(249).count().saturating_sub(1);
    for (nth, piece) in fragment.chunks(249).enumerate() {
        let first = if nth == 0 { 0x40 } else { 0 };
        let end = if nth == last { 0x80 } else { 0 };
        let data = [&[first | end | (nth as u8 & 0x3F)], piece].concat();
        let header = [0x05, 0x64, data.len() as u8 + 5, 0x44, 1, 0, 10, 0];
        message.extend(header);
        message.extend(crc(&header).to_le_bytes());
        for block in data.chunks(16) {
            message.extend_from_slice(block);
            message.extend(crc(block).to_le_bytes());
        }
    }
    message
}

fuzz_target!(|fragment: &[u8]| {
    if let Ok(read) = Attributes::read(&message(fragment)) {
        assert_eq!(read.outstation, 10);
        assert!(read.attributes.len() * 2 <= fragment.len());
        let _ = read.listed();
    }
});
