//! Any message is an answer to our question, to another one, or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::frame::Frame;
use otcore::protocol::{Answer, Protocol, Request};
use otcore::protocols::s7::{
    Connect, Kind, List, Place, ReadNextPart, ReadSzl, S7, SetupCommunication,
};
use otcore::wire::Reader;

// The seeds carry this reference.
const TAG: u16 = 1;

fuzz_target!(|message: &[u8]| {
    let place = Place::new(0, 2).expect("rack 0, slot 2");
    answer(&Connect { kind: Kind::Basic, place }, message);
    answer(&SetupCommunication, message);
    answer(&ReadNextPart { sequence: 2 }, message);
    for list in List::ALL {
        answer(&ReadSzl { list }, message);
    }
});

fn answer(request: &impl Request<S7>, message: &[u8]) {
    let asked = Frame::of(&S7, TAG, request).expect("our own question");
    if let Ok(Some(Answer::Body(body))) = S7::answer(asked.bytes(), message) {
        assert!(body.len() + 7 <= message.len());
        drop(request.read(&mut Reader::new(body)));
    }
}
