//! The same exchange through otcore's public types, exactly as a session does it.

use otcore::frame::Frame;
use otcore::protocol::{Answer, Protocol, Request};
use otcore::protocols::modbus::{Code, DeviceIdPage, Modbus, ReadDeviceId};
use otcore::wire::Reader;

use crate::message::{TAG, UNIT};

const REQUEST: ReadDeviceId = ReadDeviceId::first(Code::Extended);

/// The question, read back and found read-only.
pub(crate) fn encode() -> Option<Frame> {
    Frame::of(&Modbus { unit: UNIT }, TAG, &REQUEST).ok()
}

/// The answer to `asked` in `bytes`: split off, matched, parsed.
pub(crate) fn decode(asked: &Frame, bytes: &[u8]) -> Option<DeviceIdPage> {
    let length = Modbus::split(bytes).ok()??;
    match Modbus::answer(asked.bytes(), bytes.get(..length)?).ok()?? {
        Answer::Body(body) => REQUEST.read(&mut Reader::new(body)).ok(),
        Answer::Refusal { .. } => None,
    }
}

/// The texts as everybody must hand them out.
#[cfg(test)]
pub(crate) fn objects(bytes: &[u8]) -> Option<crate::message::Objects> {
    let page = decode(&encode()?, bytes)?;
    let text = |(number, value): (u8, Vec<u8>)| Some((number, String::from_utf8(value).ok()?));
    page.objects.into_iter().map(text).collect()
}
