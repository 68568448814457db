//! Any message is an answer to our question, to another one, or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::frame::Frame;
use otcore::protocol::{Answer, Protocol, Request};
use otcore::protocols::modbus::{
    Base, Code, Modbus, ReadDeviceId, ReportServerId, SunSpecCommon, SunSpecMarker, UmasReadId,
    UmasReadProjectInfo,
};
use otcore::wire::Reader;

// The seeds carry this unit and this transaction id.
const UNIT: u8 = 0xFF;
const TAG: u16 = 1;

fuzz_target!(|message: &[u8]| {
    let base = Base::FortyThousand;
    for code in [Code::Basic, Code::Regular, Code::Extended, Code::Individual] {
        answer(&ReadDeviceId::first(code), message);
    }
    answer(&ReportServerId, message);
    answer(&UmasReadId, message);
    answer(&UmasReadProjectInfo, message);
    answer(&SunSpecMarker { base }, message);
    answer(&SunSpecCommon { base }, message);
});

fn answer(request: &impl Request<Modbus>, message: &[u8]) {
    let asked = Frame::of(&Modbus { unit: UNIT }, TAG, request).expect("our own question");
    if let Ok(Some(Answer::Body(body))) = Modbus::answer(asked.bytes(), message) {
        assert!(body.len() + 8 <= message.len());
        drop(request.read(&mut Reader::new(body)));
    }
}
