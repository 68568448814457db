//! Modbus on the wire: the MBAP header and which question an answer belongs to.

mod device_id;
pub mod exception;
mod functions;
mod server_id;
mod sunspec;
mod umas;

pub use device_id::{Code, Conformity, DeviceIdPage, Next, Pages, ReadDeviceId, object_name};
pub use functions::Function;
pub use server_id::{ReportServerId, Run, ServerId};
pub use sunspec::{Base, CommonModel, SunSpecCommon, SunSpecMarker};
pub use umas::{CivilTime, CpuId, ProjectInfo, UmasReadId, UmasReadProjectInfo};

use crate::protocol::{Answer, Path, Protocol};
use crate::protocols::foreign;
use crate::safety::ReadOnly;
use crate::wire::{Reader, WireError, Writer, is_one_answer};

const READ_HOLDING_REGISTERS: u8 = 0x03;
const REPORT_SERVER_ID: u8 = 0x11;
const ENCAPSULATED_INTERFACE: u8 = 0x2B;
/// Read Device Identification, inside an encapsulated interface.
const DEVICE_ID: u8 = 0x0E;
const UMAS: u8 = 0x5A;
const REFUSED: u8 = 0x80;

/// Bytes up to and including the length field; the length counts what follows.
const BEFORE_LENGTH_COUNTS: usize = 6;
/// Unit identifier and function code at least; unit identifier and a PDU of 253 bytes at most.
/// A refusal, whole: header, function and exception code.
const REFUSAL: usize = 9;
const LENGTHS: std::ops::RangeInclusive<u16> = 2..=254;

/// A conversation with one unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Modbus {
    /// Unit identifier: 0xFF is "the device itself", 1 to 247 are units behind a gateway.
    ///
    /// 0 is the broadcast address of a serial line, which a gateway passes on to every device
    /// there. The bytes are well formed; whether they may be sent is for the policy to say.
    pub unit: u8,
}

impl Protocol for Modbus {
    const NAME: &'static str = "modbus";
    type Function = Function;
    /// The header and the function.
    const BEGINNING: usize = 8;

    /// Any unit but the device itself may be a serial device behind a gateway.
    fn is_on_a_bus(&self) -> bool {
        self.unit != 0xFF
    }

    fn frame(
        &self,
        function: Function,
        tag: u16,
        out: &mut Writer,
        body: impl FnOnce(&mut Writer),
    ) {
        let path = function.facts().selector.path();
        out.u16_be(tag).u16_be(0).u16_be(0).u8(self.unit).bytes(path);
        body(out);
        let length = out.written().len().saturating_sub(BEFORE_LENGTH_COUNTS);
        out.set_u16_be(4, u16::try_from(length).unwrap_or(u16::MAX));
    }

    #[inline]
    fn read_back(frame: &[u8], path: &mut impl Path) -> Result<(), WireError> {
        let mut r = Reader::new(frame);
        Header::read(&mut r)?.spans(frame)?;
        question(r.rest(), path)
    }

    #[inline]
    fn split(buf: &[u8]) -> Result<Option<usize>, WireError> {
        match Header::read(&mut Reader::new(buf)) {
            Ok(header) => Ok(Some(header.length_of(buf)).filter(|whole| *whole <= buf.len())),
            Err(WireError::Short { .. }) => Ok(None),
            Err(garbage) => Err(foreign::recognise(buf).unwrap_or(garbage)),
        }
    }

    /// The body is what follows the function code: of the selector an answer echoes no more than
    /// that for certain. For UMAS, whose refusals hide in positive answers, it is what follows the
    /// UMAS status.
    ///
    /// A message for another unit is skipped like a late answer: behind a gateway it may well be
    /// one, and in either case it says nothing about the unit that was asked.
    #[inline]
    fn answer<'a>(asked: &[u8], message: &'a [u8]) -> Result<Option<Answer<'a>>, WireError> {
        if message == asked {
            return Err(WireError::Echo);
        }
        is_one_answer(message, message.len(), Self::BEGINNING)?;
        let mut question = Reader::new(asked);
        let ours = Header::read(&mut question)?;
        let function = question.u8("function")?;

        let mut r = Reader::new(message);
        let header = Header::read(&mut r)?;
        if header.length_of(message) != message.len() {
            return Err(WireError::Invalid { field: "length", value: header.length.into() });
        }
        if (header.transaction, header.unit) != (ours.transaction, ours.unit) {
            return Ok(None);
        }
        match r.u8("function")? {
            UMAS if function == UMAS => umas::open(r.rest()).map(Some),
            same if same == function => Ok(Some(Answer::Body(r.rest()))),
            refused if refused == function | REFUSED => refusal(&mut r).map(Some),
            other => Err(WireError::Invalid { field: "function", value: other.into() }),
        }
    }
}

/// The MBAP header. Modbus Messaging on TCP/IP Implementation Guide V1.0b, 3.1.3.
struct Header {
    transaction: u16,
    length: u16,
    unit: u8,
}

impl Header {
    #[inline]
    fn read(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let transaction = r.u16_be("transaction id")?;
        match r.u16_be("protocol id")? {
            0 => {}
            other => return Err(WireError::Invalid { field: "protocol id", value: other.into() }),
        }
        let length = r.u16_be("length")?;
        if !LENGTHS.contains(&length) {
            return Err(WireError::Invalid { field: "length", value: length.into() });
        }
        Ok(Self { transaction, length, unit: r.u8("unit")? })
    }

    #[inline]
    fn whole(&self) -> usize {
        BEFORE_LENGTH_COUNTS + usize::from(self.length)
    }

    /// How long the answer is that `buf` begins with. Some devices refuse under the length that the
    /// answer would have had, so a refusal ends with what there is of it.
    #[inline]
    fn length_of(&self, buf: &[u8]) -> usize {
        match buf.get(BEFORE_LENGTH_COUNTS + 1) {
            Some(function) if function & REFUSED != 0 => self.whole().min(buf.len().max(REFUSAL)),
            _ => self.whole(),
        }
    }

    #[inline]
    fn spans(&self, message: &[u8]) -> Result<(), WireError> {
        if self.whole() == message.len() {
            return Ok(());
        }
        Err(WireError::Invalid { field: "length", value: self.length.into() })
    }
}

/// The selector of a question without its header, which must end where its kind of question ends.
#[inline]
fn question(pdu: &[u8], path: &mut impl Path) -> Result<(), WireError> {
    match *pdu {
        [READ_HOLDING_REGISTERS, a1, a0, q1, q0] => {
            path.next([READ_HOLDING_REGISTERS, a1, a0, q1, q0])
        }
        [REPORT_SERVER_ID] => path.next([REPORT_SERVER_ID]),
        [ENCAPSULATED_INTERFACE, DEVICE_ID, code, _object] => {
            path.next([ENCAPSULATED_INTERFACE, DEVICE_ID, code])
        }
        [UMAS, key, 0x02] => path.next([UMAS, key, 0x02]),
        [UMAS, key, 0x03, sub] => path.next([UMAS, key, 0x03, sub]),
        _ => Err(no_question(pdu)),
    }
}

/// What is wrong with it.
#[cold]
fn no_question(pdu: &[u8]) -> WireError {
    let (field, value) = match *pdu {
        [] | [ENCAPSULATED_INTERFACE | UMAS] | [UMAS, _] => {
            return WireError::Short { field: "function" };
        }
        [ENCAPSULATED_INTERFACE, other, ..] if other != DEVICE_ID => ("mei type", other.into()),
        [UMAS, _, other, ..] if !matches!(other, 0x02 | 0x03) => ("umas function", other.into()),
        [READ_HOLDING_REGISTERS | REPORT_SERVER_ID | ENCAPSULATED_INTERFACE | UMAS, ..] => {
            ("length", pdu.len() as u64)
        }
        [other, ..] => ("function", other.into()),
    };
    WireError::Invalid { field, value }
}

/// An exception. Any code is a refusal, whatever follows it: real devices invent both.
fn refusal<'a>(r: &mut Reader<'_>) -> Result<Answer<'a>, WireError> {
    let code = u32::from(r.u8("exception code")?);
    Ok(Answer::Refusal { code, busy: exception::is_busy(code) })
}

/// A fixed-length text without its padding.
fn until_nul(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == 0).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;
    use crate::frame::Frame;
    use crate::protocol::Request;

    const VECTORS: &str = include_str!("../../../tests/vectors/modbus.csv");
    const ITSELF: Modbus = Modbus { unit: 0xFF };
    const BASIC: ReadDeviceId = ReadDeviceId::first(Code::Basic);

    fn vector(name: &str) -> Vec<u8> {
        let row = VECTORS.lines().find(|row| row.starts_with(&format!("{name},"))).unwrap();
        let hex = row.split(',').nth(2).unwrap().as_bytes();
        let digits = |pair: &[u8]| std::str::from_utf8(pair).unwrap().to_owned();
        hex.chunks(2).map(|pair| u8::from_str_radix(&digits(pair), 16).unwrap()).collect()
    }

    fn reply<R: Request<Modbus>>(request: &R, name: &str) -> R::Reply {
        let message = vector(name);
        assert_eq!(Modbus::split(&message), Ok(Some(message.len())), "{name}");
        let asked = asking(&message, request);
        match Modbus::answer(asked.bytes(), &message) {
            Ok(Some(Answer::Body(body))) => request.read(&mut Reader::new(body)).unwrap(),
            other => panic!("{name}: {other:?}"),
        }
    }

    fn is_exactly(request: &impl Request<Modbus>, name: &str) {
        let bytes = vector(name);
        assert_eq!(asking(&bytes, request).bytes(), bytes, "{name}");
    }

    /// The question with the transaction and unit of `message`.
    fn asking(message: &[u8], request: &impl Request<Modbus>) -> Frame {
        let tag = u16::from_be_bytes([message[0], message[1]]);
        Frame::of(&Modbus { unit: message[6] }, tag, request).unwrap()
    }

    fn refused(name: &str) -> (u32, bool) {
        let message = vector(name);
        match Modbus::answer(asking(&message, &BASIC).bytes(), &message) {
            Ok(Some(Answer::Refusal { code, busy })) => (code, busy),
            other => panic!("{name}: {other:?}"),
        }
    }

    /// Every question that can be asked, finished.
    fn every_question(unit: u8, tag: u16, object: u8) -> HashMap<Function, Frame> {
        let modbus = Modbus { unit };
        let mut frames = HashMap::new();
        for code in [Code::Basic, Code::Regular, Code::Extended, Code::Individual] {
            let request = ReadDeviceId { code, object };
            frames.insert(request.function(), Frame::of(&modbus, tag, &request));
        }
        frames.insert(ReportServerId.function(), Frame::of(&modbus, tag, &ReportServerId));
        frames.insert(UmasReadId.function(), Frame::of(&modbus, tag, &UmasReadId));
        let project = UmasReadProjectInfo;
        frames.insert(project.function(), Frame::of(&modbus, tag, &project));
        for base in Base::ALL {
            let marker = SunSpecMarker { base };
            frames.insert(marker.function(), Frame::of(&modbus, tag, &marker));
            let common = SunSpecCommon { base };
            frames.insert(common.function(), Frame::of(&modbus, tag, &common));
        }
        frames.into_iter().map(|(function, frame)| (function, frame.unwrap())).collect()
    }

    #[test]
    fn questions_are_exactly_these_bytes() {
        for (code, object, name) in [
            (Code::Basic, 0, "read device id basic"),
            (Code::Regular, 0, "read device id regular"),
            (Code::Extended, 0, "read device id extended"),
            (Code::Individual, 4, "read device id individual"),
        ] {
            is_exactly(&ReadDeviceId { code, object }, name);
        }
        is_exactly(&ReportServerId, "report server id");
        is_exactly(&UmasReadId, "umas read id");
        is_exactly(&UmasReadProjectInfo, "umas read project info");
        for (base, at) in
            [(Base::FortyThousand, 40000), (Base::FiftyThousand, 50000), (Base::Zero, 0)]
        {
            is_exactly(&SunSpecMarker { base }, &format!("sunspec marker {at}"));
            is_exactly(&SunSpecCommon { base }, &format!("sunspec common {at}"));
        }
    }

    #[test]
    fn every_function_has_a_question_that_reads_back_as_itself() {
        let frames = every_question(0xFF, 7, 0);
        assert_eq!(frames.len(), Function::ALL.len());
        for (function, frame) in frames {
            let facts = function.facts();
            assert_eq!(Modbus::selector(frame.bytes()), Ok(facts.selector));
            assert_eq!(frame.bytes().len(), usize::from(facts.max_request), "{}", facts.name);
        }
    }

    #[test]
    fn a_question_with_a_byte_too_many_or_too_few_has_no_selector() {
        for (_, frame) in every_question(1, 7, 0) {
            let mut long = frame.bytes().to_vec();
            long.push(0);
            assert!(Modbus::selector(&long).is_err(), "{long:02x?}: outside the length");
            long[5] += 1;
            assert!(Modbus::selector(&long).is_err(), "{long:02x?}: inside the length");
            let mut short = frame.bytes().to_vec();
            short.pop();
            assert!(Modbus::selector(&short).is_err(), "{short:02x?}: outside the length");
            short[5] -= 1;
            assert!(Modbus::selector(&short).is_err(), "{short:02x?}: inside the length");
        }
    }

    #[test]
    fn a_question_whose_length_lies_has_no_selector() {
        let lying = [0, 1, 0, 0, 0, 3, 0xFF, 0x11];
        assert_eq!(Modbus::selector(&lying), Err(WireError::Invalid { field: "length", value: 3 }));
    }

    #[test]
    fn a_write_is_no_question() {
        let write = [0, 1, 0, 0, 0, 6, 0xFF, 0x06, 0, 1, 0, 1];
        let error = WireError::Invalid { field: "function", value: 6 };
        assert_eq!(Modbus::selector(&write), Err(error));
        let stop = [0, 1, 0, 0, 0, 5, 0xFF, 0x5A, 0, 0x41, 0xFF];
        let error = WireError::Invalid { field: "umas function", value: 0x41 };
        assert_eq!(Modbus::selector(&stop), Err(error));
    }

    #[test]
    fn a_real_identification_is_read() {
        let page = reply(&BASIC, "device id reply");
        assert_eq!(page.conformity, Conformity(0x83));
        assert!(!page.more_follows);
        let text = |(id, value): &(u8, Vec<u8>)| (*id, String::from_utf8(value.clone()).unwrap());
        let objects: Vec<_> = page.objects.iter().map(text).collect();
        let expected = [(0, "Zeek Modbus Test"), (1, "Protocol Parsing is fun!"), (2, "1.2.3.6")];
        assert_eq!(objects, expected.map(|(id, value)| (id, value.to_owned())));
    }

    #[test]
    fn a_broken_identification_is_modbus_without_identity_and_does_not_loop() {
        let page = reply(&BASIC, "device id reply broken");
        assert_eq!((page.more_follows, page.next_object), (false, 0xB7));
        assert_eq!(page.conformity.highest(), None);
        assert_eq!(page.objects, []);
        assert_eq!(Pages::default().next(page), Next::Done);
    }

    #[test]
    fn real_server_ids_are_read() {
        let late = reply(&ReportServerId, "server id reply run at end");
        assert_eq!((late.id, late.run), (vec![], Some(Run::On)));
        assert_eq!(late.text, b"Zeek Modbus Test-Protocol Parsing is fun!-1.2.3.6");
        let early = reply(&ReportServerId, "server id reply run early");
        assert_eq!((early.id, early.run), (vec![0], Some(Run::On)));
        assert_eq!(early.text, b"Wingpath Limited");
    }

    #[test]
    fn a_real_controller_names_itself_and_its_project() {
        let cpu = reply(&UmasReadId, "umas read id reply");
        assert_eq!(cpu.name, b"140 CPU 311 10");
        assert_eq!((cpu.firmware().as_str(), cpu.hardware_version), ("2.70", 9));
        assert_eq!((cpu.ident, cpu.internal_version, cpu.crash_code), (0x0001_015A, 0x27, 8));
        let project = reply(&UmasReadProjectInfo, "umas read project info reply");
        assert_eq!(project.name, b"Project");
        assert_eq!(project.revision_text(), "0.0.8");
        assert_eq!(project.changed.unwrap().to_string(), "2014-01-14T12:59:12");
    }

    #[test]
    fn exceptions_of_real_devices_are_refusals_whatever_their_shape() {
        assert_eq!(refused("device id exception 4"), (exception::SERVER_DEVICE_FAILURE, false));
        assert_eq!(refused("device id exception 14 and a stray byte"), (0x0E, false));
    }

    #[test]
    fn a_busy_device_says_so() {
        let asked = Frame::of(&ITSELF, 1, &BASIC).unwrap();
        for (code, busy) in [(1, false), (5, true), (6, true), (0x0A, false), (0x0B, false)] {
            let message = [0, 1, 0, 0, 0, 4, 0xFF, 0xAB, code, 0];
            let refusal = Answer::Refusal { code: code.into(), busy };
            assert_eq!(Modbus::answer(asked.bytes(), &message), Ok(Some(refusal)));
        }
    }

    #[test]
    fn a_refusal_under_the_length_of_an_answer_is_one() {
        let asked = Frame::of(&ITSELF, 1, &BASIC).unwrap();
        let message = [0, 1, 0, 0, 0, 8, 0xFF, 0xAB, 1];
        assert_eq!(Modbus::split(&message[..8]), Ok(None));
        assert_eq!(Modbus::split(&message), Ok(Some(9)));
        let refusal = Answer::Refusal { code: 1, busy: false };
        assert_eq!(Modbus::answer(asked.bytes(), &message), Ok(Some(refusal)));
    }

    #[test]
    fn a_umas_denial_is_a_refusal_too() {
        let asked = Frame::of(&ITSELF, 1, &UmasReadId).unwrap();
        let denial = [0, 1, 0, 0, 0, 6, 0xFF, 0x5A, 0, 0xFD, 0x81, 0x00];
        let refusal = Answer::Refusal { code: exception::UMAS_DENIED | 0x81, busy: false };
        assert_eq!(Modbus::answer(asked.bytes(), &denial), Ok(Some(refusal)));
    }

    #[test]
    fn an_answer_to_another_question_or_from_another_unit_is_skipped() {
        let asked = Frame::of(&ITSELF, 2, &BASIC).unwrap();
        assert_eq!(Modbus::answer(asked.bytes(), &[0, 1, 0, 0, 0, 3, 0xFF, 0xAB, 1]), Ok(None));
        assert_eq!(Modbus::answer(asked.bytes(), &[0, 2, 0, 0, 0, 3, 0x01, 0xAB, 1]), Ok(None));
    }

    #[test]
    fn an_answer_that_breaks_the_protocol_names_the_field() {
        let asked = Frame::of(&ITSELF, 1, &BASIC).unwrap();
        let broken = |message: &[u8]| match Modbus::answer(asked.bytes(), message) {
            Err(WireError::Invalid { field, .. } | WireError::Short { field }) => field,
            other => panic!("{other:?}"),
        };
        assert_eq!(broken(&[0, 1, 0, 1, 0, 3, 0xFF, 0xAB, 1]), "protocol id");
        assert_eq!(broken(&[0, 1, 0, 0, 0, 9, 0xFF, 0x2B, 1]), "length");
        assert_eq!(broken(&[0, 1, 0, 0, 0, 3, 0xFF, 0x2A, 1]), "function");
        assert_eq!(broken(&[0, 1, 0, 0, 0, 2, 0xFF, 0xAB]), "exception code");
    }

    #[test]
    fn an_echo_server_is_no_device() {
        for (_, asked) in every_question(0xFF, 1, 0) {
            assert_eq!(Modbus::answer(asked.bytes(), asked.bytes()), Err(WireError::Echo));
        }
    }

    #[test]
    fn a_message_in_pieces_is_awaited_and_two_in_one_are_parted() {
        let message = vector("device id reply");
        for len in 0..message.len() {
            assert_eq!(Modbus::split(&message[..len]), Ok(None), "{len}");
        }
        let two = [message.as_slice(), &[9, 9]].concat();
        assert_eq!(Modbus::split(&two), Ok(Some(message.len())));
    }

    #[test]
    fn garbage_can_never_become_a_message() {
        let invalid = |field, value| Err(WireError::Invalid { field, value });
        assert_eq!(Modbus::split(&[0, 1, 0x12, 0x34]), invalid("protocol id", 0x1234));
        assert_eq!(Modbus::split(&[0, 1, 0, 0, 0, 1]), invalid("length", 1));
        assert_eq!(Modbus::split(&[0, 1, 0, 0, 0, 255]), invalid("length", 255));
    }

    #[test]
    fn other_protocols_on_the_port_are_named() {
        for (first, protocol) in [
            (&b"HTTP/1.1 400 Bad Request\r\n"[..], "http"),
            (b"SSH-2.0-OpenSSH_9.6\r\n", "ssh"),
            (b"220 mail.example ESMTP\r\n", "ftp or smtp"),
            (b"\xFF\xFD\x18\xFF\xFD\x20", "telnet"),
            (b"\x15\x03\x01\x00\x02\x02\x46", "tls"),
            (b"\x15\x03\x00\x00\x02\x02\x46", "tls"),
            (b"\x03\x00\x00\x13\x0E\xD0", "iso-on-tcp or rdp"),
        ] {
            match Modbus::split(first) {
                Err(WireError::Foreign { protocol: found }) => assert_eq!(found, protocol),
                other => panic!("{protocol}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_transaction_id_that_looks_like_another_protocol_is_still_modbus() {
        for start in
            [*b"HT", *b"SS", *b"22", [0x15, 0x03], [0x16, 0x03], [0x03, 0x00], [0xFF, 0xFD]]
        {
            let message = [start[0], start[1], 0, 0, 0, 3, 0xFF, 0xAB, 1];
            assert_eq!(Modbus::split(&message), Ok(Some(9)));
        }
    }

    proptest! {
        #[test]
        fn every_question_to_any_unit_reads_back(unit: u8, tag: u16, object: u8) {
            for (function, frame) in every_question(unit, tag, object) {
                prop_assert_eq!(Modbus::selector(frame.bytes()), Ok(function.facts().selector));
                prop_assert!(frame.bytes().len() <= function.facts().max_request.into());
                prop_assert_eq!(Modbus::split(frame.bytes()), Ok(Some(frame.bytes().len())));
            }
        }

        #[test]
        fn a_split_message_lies_within_the_bytes(bytes: Vec<u8>) {
            drop(Modbus::selector(&bytes));
            if let Ok(Some(len)) = Modbus::split(&bytes) {
                prop_assert!((8..=260).contains(&len) && len <= bytes.len());
            }
        }

        #[test]
        fn any_answer_is_read_or_an_error(
            unit: u8, tag: u16, pdu in proptest::collection::vec(any::<u8>(), 1..=253),
        ) {
            let mut message = Writer::default();
            message.u16_be(tag).u16_be(0).u16_be(u16::try_from(pdu.len()).unwrap() + 1).u8(unit);
            message.bytes(&pdu);
            let message = message.into_vec();
            for (_, asked) in every_question(unit, tag, 0) {
                match Modbus::answer(asked.bytes(), &message) {
                    Ok(Some(Answer::Body(body))) => prop_assert!(body.len() < pdu.len()),
                    Ok(Some(Answer::Refusal { .. })) | Err(_) => {}
                    Ok(None) => prop_assert!(false, "transaction and unit were echoed"),
                }
            }
            let other = Frame::of(&Modbus { unit }, tag.wrapping_add(1), &BASIC).unwrap();
            prop_assert_eq!(Modbus::answer(other.bytes(), &message), Ok(None));
        }

        #[test]
        fn any_bytes_to_any_question_never_panic(bytes: Vec<u8>) {
            for (_, asked) in every_question(0xFF, 1, 0) {
                drop(Modbus::answer(asked.bytes(), &bytes));
            }
        }
    }
}
