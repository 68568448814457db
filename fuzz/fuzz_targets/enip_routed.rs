//! Any message is an answer of a module behind the backplane, another one, or an error. An answer is
//! for whoever asked: in another session, or to another question, the same bytes say nothing.
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
        let routed = Enip::within(SESSION).slot(3);
        let asked = Frame::of(&routed, TAG, function).expect("our own question");
        let Ok(Some(Answer::Body(body))) = Enip::answer(asked.bytes(), message) else { continue };
        assert!(body.len() < message.len());
        let other = Frame::of(&routed, TAG + 1, function).expect("our own question");
        assert_eq!(Enip::answer(other.bytes(), message), Ok(None), "an answer to two questions");
    }
});
