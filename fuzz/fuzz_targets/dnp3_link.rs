//! A frame of the link layer says who sent it, or is an error: a call and its answer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::protocols::dnp3::{Header, Heard};
use otcore_fuzz::script::summed;

fuzz_target!(|frame: &[u8]| {
    let frame = summed(frame);
    if let Ok(heard) = Heard::read(&frame) {
        let header = Header::of(&frame).expect("what was read has a header");
        assert_eq!(heard.outstation, header.from);
        assert_eq!(header.from.to_le_bytes(), frame[6..8]);
        assert!(heard.master.is_none_or(|master| master == header.to));
    }
});
