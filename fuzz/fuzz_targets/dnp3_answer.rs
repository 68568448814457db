//! Any message is an answer to our question, to another one, or an error. Checksums are put right
//! first, or no changed byte would get past them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::frame::Frame;
use otcore::protocol::{Answer, Protocol, Request};
use otcore::protocols::dnp3::{CallLink, Dnp3, Function, ReadAttributes, crc};
use otcore::wire::Reader;

// The seeds carry this tag and these addresses.
const TAG: u16 = 1;
const STATION: Dnp3 = Dnp3 { outstation: 10, master: 1 };

fn summed(message: &[u8]) -> Vec<u8> {
    let mut message = message.to_vec();
    let mut at = 0;
    while let Some(&[_, _, length, ..]) = message.get(at..) {
        let blocks = usize::from(length).saturating_sub(5);
        let mut sum = |from: usize, data: usize| {
            let Some(block) = message.get_mut(from..from + data + 2) else { return };
            let (data, sum) = block.split_at_mut(data);
            sum.copy_from_slice(&crc(data).to_le_bytes());
        };
        sum(at, 8);
        let mut left = blocks;
        at += 10;
        while left > 0 {
            let data = left.min(16);
            sum(at, data);
            at += data + 2;
            left -= data;
        }
    }
    message
}

fuzz_target!(|message: &[u8]| {
    let message = summed(message);
    let call = Frame::of(&STATION, TAG, &CallLink).expect("our own question");
    if let Ok(Some(Answer::Body(body))) = Dnp3::answer(call.bytes(), &message) {
        CallLink.read(&mut Reader::new(body)).expect("an answer says who it is from");
    }
    let read = ReadAttributes(Function::ReadAllAttributes);
    let asked = Frame::of(&STATION, TAG, &read).expect("our own question");
    if let Ok(Some(Answer::Body(body))) = Dnp3::answer(asked.bytes(), &message)
        && let Ok(attributes) = read.read(&mut Reader::new(body))
    {
        assert_eq!(attributes.outstation, STATION.outstation);
        assert!(attributes.attributes.len() <= message.len() / 2);
    }
});
