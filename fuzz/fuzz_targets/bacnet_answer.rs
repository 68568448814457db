//! Any message is an answer to our question, to another one, or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::frame::Frame;
use otcore::protocol::{Answer, Protocol, Request};
use otcore::protocols::bacnet::{
    Address, Bacnet, Function, Mac, Read, ReadBroadcastTable, ReadForeignTable, ReadSeveral, WhoIs,
    WhoIsRouter,
};
use otcore::wire::Reader;

// The seeds carry this tag, this device and this place.
const TAG: u16 = 1;
const DEVICE: u32 = 4711;

fuzz_target!(|message: &[u8]| {
    let here = Bacnet::default();
    let mac = Mac::of(&[0x1D]).expect("one byte");
    let behind = Bacnet::behind(Address { network: 3, mac });
    ask(&here, &WhoIs::default(), message);
    ask(&Bacnet::behind(Address::all(3)), &WhoIs { range: None, routed: true }, message);
    ask(&here, &WhoIsRouter, message);
    ask(&here, &ReadBroadcastTable, message);
    ask(&here, &ReadForeignTable, message);
    ask(&here, &Read::of(Function::ReadObjectName, DEVICE), message);
    ask(&here, &ReadSeveral::of(Function::ReadIdentity, DEVICE), message);
    ask(&behind, &Read::of(Function::ReadRoutedObjectName, 29), message);
    ask(&behind, &ReadSeveral::of(Function::ReadRoutedIdentity, 29), message);
});

fn ask(protocol: &Bacnet, request: &impl Request<Bacnet>, message: &[u8]) {
    let asked = Frame::of(protocol, TAG, request).expect("our own question");
    if let Ok(Some(Answer::Body(body))) = Bacnet::answer(asked.bytes(), message) {
        assert!(body.len() <= message.len());
        drop(request.read(&mut Reader::new(body)));
    }
}
