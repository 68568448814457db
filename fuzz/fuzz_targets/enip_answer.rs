//! Any message is an answer to our question, to another one, or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::frame::Frame;
use otcore::protocol::{Answer, Protocol};
use otcore::protocols::enip::{Enip, Function};
use otcore::safety::ReadOnly;

// The seeds carry this tag and this session.
const TAG: u16 = 1;
const SESSION: u32 = 0x1102_1100;

fuzz_target!(|message: &[u8]| {
    for function in Function::ALL {
        let asked = Frame::of(&Enip::within(SESSION), TAG, function).expect("our own question");
        if let Ok(Some(Answer::Body(body))) = Enip::answer(asked.bytes(), message) {
            assert!(body.len() < message.len());
        }
    }
});
