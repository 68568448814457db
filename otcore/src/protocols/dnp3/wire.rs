//! DNP3 on the wire: which question an answer belongs to, through all three layers.

mod application;
mod attributes;
mod crc;
mod functions;
mod link;
pub mod refusal;
mod transport;

use application::{READ, UNSOLICITED, WHOLE};
use link::{Frame, REQUEST_LINK_STATUS, START, UNCONFIRMED_DATA};

pub use application::{Indications, Response};
pub use attributes::{Attribute, Attributes, Value};
pub use crc::crc;
pub use functions::Function;
pub use link::{Header, LAST_ADDRESS, SELF_ADDRESS};

use crate::protocol::{Answer, Path, Protocol, Request};
use crate::protocols::foreign;
use crate::safety::ReadOnly;
use crate::wire::{Reader, WireError, Writer};

/// The standard's own set of attributes, from and to.
const SET_0: [u8; 2] = [0, 0];
/// Start and stop in one byte each.
const START_STOP: u8 = 0x00;

/// A conversation with one outstation of a device, as one master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dnp3 {
    /// The link address of the outstation.
    pub outstation: u16,
    /// The link address that we ask from.
    pub master: u16,
}

impl Protocol for Dnp3 {
    const NAME: &'static str = "dnp3";
    type Function = Function;

    /// Nobody can tell from outside whether an outstation sits behind a serial line or a radio.
    fn is_on_a_bus(&self) -> bool {
        true
    }

    /// Only who has the address answers to a call for its link. And only who takes this master's
    /// questions, and waits for no confirmation from it, answers the first read.
    fn is_a_call(function: Function) -> bool {
        matches!(function, Function::RequestLinkStatus | Function::ReadAttributeList)
    }

    /// Who speaks of its own accord has an address.
    fn is_answered_by_anything(function: Function) -> bool {
        function == Function::RequestLinkStatus
    }

    /// A frame of the link holds 250 bytes, and stacks send frame by frame.
    fn answers_in_pieces(function: Function) -> bool {
        function == Function::ReadAllAttributes
    }

    fn frame(&self, function: Function, tag: u16, out: &mut Writer, _: impl FnOnce(&mut Writer)) {
        let [_, number] = tag.to_be_bytes();
        match function.facts().selector.path() {
            [REQUEST_LINK_STATUS] => {
                link::frame(out, REQUEST_LINK_STATUS, self.outstation, self.master, &[]);
            }
            [UNCONFIRMED_DATA, READ, group, variation, qualifier] => {
                let transport = transport::FIRST | transport::FINAL | number & 0x3F;
                let control = WHOLE | number & 0x0F;
                let [start, stop] = SET_0;
                let data = [transport, control, READ, *group, *variation, *qualifier, start, stop];
                link::frame(out, UNCONFIRMED_DATA, self.outstation, self.master, &data);
            }
            _ => {} // has no selector, so it never leaves
        }
    }

    #[inline]
    fn read_back(frame: &[u8], path: &mut impl Path) -> Result<(), WireError> {
        let mut r = Reader::new(frame);
        let asked = Frame::read(&mut r)?;
        let header = asked.header;
        asked.check()?;
        if r.left() > 0 || !header.is_as_we_write() {
            return Err(WireError::Invalid {
                field: "link control",
                value: header.function().into(),
            });
        }
        if !transport::is_a_station(header.from) {
            return Err(WireError::Invalid { field: "source", value: header.from.into() });
        }
        let to_itself = header.to == SELF_ADDRESS && header.function() == REQUEST_LINK_STATUS;
        if !transport::is_a_station(header.to) && !to_itself {
            return Err(WireError::Invalid { field: "destination", value: header.to.into() });
        }
        match (header.function(), asked.first_block()) {
            (REQUEST_LINK_STATUS, []) => path.next([REQUEST_LINK_STATUS]),
            (UNCONFIRMED_DATA, data) if data.len() == 8 => read_of(data, path),
            (other, _) => Err(WireError::Invalid { field: "link function", value: other.into() }),
        }
    }

    fn split(buf: &[u8]) -> Result<Option<usize>, WireError> {
        transport::length(buf).map_err(|garbage| match buf.starts_with(&START) {
            true => garbage,
            false => foreign::recognise(buf).unwrap_or(garbage),
        })
    }

    /// The body of an answer is the whole message, since checksums stand in the middle of its data.
    fn answer<'a>(asked: &[u8], message: &'a [u8]) -> Result<Option<Answer<'a>>, WireError> {
        if message == asked {
            return Err(WireError::Echo);
        }
        transport::frames(message).try_for_each(|frame| frame.map(drop))?;
        let question = Frame::read_again(&mut Reader::new(asked))?;
        let first = Frame::read_again(&mut Reader::new(message))?;
        if first.header.is_from_master() || !transport::is_a_station(first.header.from) {
            return Ok(None);
        }
        match question.header.function() {
            REQUEST_LINK_STATUS => {
                let heard = Heard::in_frame(first)?;
                let meant = heard.filter(|heard| heard.is_for(question.header, first.header));
                Ok(meant.map(|_| Answer::Body(message)))
            }
            _ => response(question, first, message),
        }
    }
}

/// Group, variation and qualifier of a read of set 0.
#[inline]
fn read_of(data: &[u8], path: &mut impl Path) -> Result<(), WireError> {
    let mut r = Reader::new(data);
    let transport = r.u8("transport header")?;
    let control = r.u8("application control")?;
    let (whole, number) = (transport & 0xC0 == 0xC0, transport & 0x0F);
    if !whole || control != WHOLE | number {
        return Err(WireError::Invalid { field: "application control", value: control.into() });
    }
    r.expect_u8(READ, "application function")?;
    let [group, variation, qualifier] = r.array("object header")?;
    if qualifier != START_STOP || r.rest() != SET_0 {
        return Err(WireError::Invalid { field: "range", value: qualifier.into() });
    }
    path.next([UNCONFIRMED_DATA, READ, group, variation, qualifier])
}

/// What a response says to a read: everything else is for somebody else, or late.
fn response<'a>(
    question: Frame<'_>,
    first: Frame<'_>,
    message: &'a [u8],
) -> Result<Option<Answer<'a>>, WireError> {
    let (asked, header) = (question.header, first.header);
    let to_us = (header.from, header.to) == (asked.to, asked.from);
    let [flags, rest @ ..] = first.first_block() else { return Ok(None) };
    if !to_us || !header.has_message() || flags & transport::FIRST == 0 {
        return Ok(None);
    }
    let number = question.first_block().get(1).copied().unwrap_or_default();
    let response = Response::read(&mut Reader::new(rest))?;
    if !response.answers(number) {
        return Ok(None);
    }
    let says_nothing = rest.len() == Response::LENGTH && flags & transport::FINAL != 0;
    match says_nothing && response.indications.is_refusal() {
        true => Ok(Some(refusal::answer(response.indications))),
        false => Ok(Some(Answer::Body(message))),
    }
}

/// A station that was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The link address of the outstation.
    pub outstation: u16,
    /// The link address of its master, if the outstation spoke to it of its own accord.
    pub master: Option<u16>,
    /// How it is, if it said so.
    pub indications: Option<Indications>,
    /// Whether its buffers are full.
    pub is_full: bool,
    /// Whether its link layer does not know the question.
    pub is_basic: bool,
}

impl Heard {
    /// Read a whole message.
    ///
    /// # Errors
    /// [`WireError`] if it says nothing of its sender's link.
    pub fn read(message: &[u8]) -> Result<Self, WireError> {
        let first = Frame::read(&mut Reader::new(message))?;
        let field = "link function";
        let value = first.header.function().into();
        Self::in_frame(first)?.ok_or(WireError::Invalid { field, value })
    }

    /// An answer of the link layer, an unsolicited response, or a question whether its master is
    /// still there.
    fn in_frame(frame: Frame<'_>) -> Result<Option<Self>, WireError> {
        let header = frame.header;
        let (outstation, is_full) = (header.from, header.is_full());
        let mut heard =
            Self { outstation, master: None, indications: None, is_full, is_basic: false };
        if !header.is_primary() {
            heard.is_basic = matches!(header.function(), 0x01 | 0x0F);
            return Ok(matches!(header.function(), 0x00 | 0x01 | 0x0B | 0x0F).then_some(heard));
        }
        if transport::is_a_station(header.to) {
            heard.master = Some(header.to);
        }
        if header.function() == REQUEST_LINK_STATUS {
            return Ok(Some(heard));
        }
        let [flags, rest @ ..] = frame.first_block() else { return Ok(None) };
        if !header.has_message() || flags & transport::FIRST == 0 {
            return Ok(None);
        }
        let response = Response::read(&mut Reader::new(rest))?;
        heard.indications = Some(response.indications);
        Ok((response.function == UNSOLICITED).then_some(heard))
    }

    /// Whether it belongs to a call: it answers it, or the outstation spoke of its own accord.
    fn is_for(self, asked: Header, answered: Header) -> bool {
        let ours = answered.to == asked.from;
        let meant = answered.from == asked.to || asked.to == SELF_ADDRESS;
        answered.is_primary() || (ours && meant)
    }
}

/// Who is there: a call to one link address.
#[derive(Clone, Copy, Debug)]
pub struct CallLink;

impl Request<Dnp3> for CallLink {
    type Reply = Heard;

    fn function(&self) -> Function {
        Function::RequestLinkStatus
    }

    fn write(&self, _: &mut Writer) {}

    fn read(&self, body: &mut Reader<'_>) -> Result<Heard, WireError> {
        Heard::read(body.rest())
    }
}

/// A read of device attributes: it is its function, there is nothing else in it.
#[derive(Clone, Copy, Debug)]
pub struct ReadAttributes(pub Function);

impl Request<Dnp3> for ReadAttributes {
    type Reply = Attributes;

    fn function(&self) -> Function {
        self.0
    }

    fn write(&self, _: &mut Writer) {}

    fn read(&self, body: &mut Reader<'_>) -> Result<Attributes, WireError> {
        Attributes::read(body.rest())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::frame;

    fn of_master(function: u8, to: u16, from: u16, data: &[u8]) -> Vec<u8> {
        Writer::all(|out| link::frame(out, function, to, from, data))
    }

    const VECTORS: &str = include_str!("../../../tests/vectors/dnp3.csv");
    const STATION: Dnp3 = Dnp3 { outstation: 10, master: 1 };

    fn vector(name: &str) -> Vec<u8> {
        let row = VECTORS.lines().find(|row| row.starts_with(&format!("{name},"))).unwrap();
        let hex = row.split(',').nth(2).unwrap().as_bytes();
        let digits = |pair: &[u8]| std::str::from_utf8(pair).unwrap().to_owned();
        hex.chunks(2).map(|pair| u8::from_str_radix(&digits(pair), 16).unwrap()).collect()
    }

    /// `ReadPlantId` as the vectors spell it: `read plant id`.
    fn spelled(function: Function) -> String {
        let spell = |text: String, letter: char| match letter.is_uppercase() && !text.is_empty() {
            true => text + " " + &letter.to_lowercase().to_string(),
            false => text + &letter.to_lowercase().to_string(),
        };
        function.facts().name.chars().fold(String::new(), spell)
    }

    fn ask_of(station: Dnp3, function: Function) -> frame::Frame {
        match function {
            Function::RequestLinkStatus => frame::Frame::of(&station, 1, &CallLink),
            function => frame::Frame::of(&station, 1, &ReadAttributes(function)),
        }
        .unwrap()
    }

    fn ask(function: Function) -> frame::Frame {
        ask_of(STATION, function)
    }

    /// A response as an outstation 10 sends it to its master 1, in frames of 249 bytes.
    fn responds(fragment: &[u8]) -> Vec<u8> {
        let last = fragment.chunks(249).count() - 1;
        let frames = fragment.chunks(249).enumerate().map(|(nth, piece)| {
            let first = if nth == 0 { transport::FIRST } else { 0 };
            let end = if nth == last { transport::FINAL } else { 0 };
            let data = [&[first | end | (u8::try_from(nth & 0x3F).unwrap())], piece].concat();
            let mut bytes = of_master(UNCONFIRMED_DATA, 1, 10, &data);
            bytes[3] = 0x44;
            let sum = crc(&bytes[..8]).to_le_bytes();
            bytes[8..10].copy_from_slice(&sum);
            bytes
        });
        frames.flatten().collect()
    }

    fn invalid<T: std::fmt::Debug>(read: Result<T, WireError>) -> &'static str {
        match read {
            Err(WireError::Invalid { field, .. } | WireError::Short { field }) => field,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn questions_are_exactly_these_bytes() {
        for function in Function::ALL {
            let name = spelled(*function);
            assert_eq!(ask(*function).bytes(), vector(&name), "{name}");
        }
        let itself = Dnp3 { outstation: SELF_ADDRESS, master: 1 };
        let call = ask_of(itself, Function::RequestLinkStatus);
        assert_eq!(call.bytes(), vector("call to the self-address"));
    }

    #[test]
    fn a_question_with_any_byte_changed_asks_nothing_else_unseen() {
        for function in Function::ALL {
            let frame = ask(*function);
            assert_eq!(frame.bytes().len(), usize::from(function.facts().max_request));
            for at in 0..frame.bytes().len() {
                for mask in [0x01, 0x10, 0x40, 0x80] {
                    let mut bytes = frame.bytes().to_vec();
                    bytes[at] ^= mask;
                    assert!(
                        Dnp3::selector(&bytes).is_err(),
                        "{function:?} byte {at} mask {mask:x}"
                    );
                }
            }
        }
    }

    #[test]
    fn whatever_the_checksums_say_only_calls_and_reads_of_attributes_are_questions() {
        let data = |application: &[u8]| {
            Dnp3::selector(&of_master(4, 10, 1, &[&[0xC1][..], application].concat()))
        };
        for function in (0..=0xFF).filter(|function| *function != READ) {
            assert_eq!(invalid(data(&[0xC1, function, 0, 254, 0, 0, 0])), "application function");
        }
        assert_eq!(invalid(data(&[0xE1, READ, 0, 254, 0, 0, 0])), "application control", "CON");
        assert_eq!(invalid(data(&[0xC1, READ, 60, 2, 6])), "link function", "a class of events");
        assert_eq!(invalid(data(&[0xC1, READ, 0, 254, 0, 0, 1])), "range", "another set");
        let class = data(&[0xC1, READ, 60, 2, 0, 0, 0]).unwrap();
        assert!(crate::safety::never::lists(crate::safety::never::DNP3, class.path()));
        let to = |function, to, from| invalid(Dnp3::selector(&of_master(function, to, from, &[])));
        for function in (0..=15).filter(|function| *function != REQUEST_LINK_STATUS) {
            assert_eq!(to(function, 10, 1), "link function", "{function}");
        }
        for everybody in [0xFFFD, 0xFFFE, 0xFFFF, 0xFFF0] {
            assert_eq!(to(REQUEST_LINK_STATUS, everybody, 1), "destination");
            assert_eq!(to(REQUEST_LINK_STATUS, 10, everybody), "source");
        }
        let itself = [0xC1, 0xC1, READ, 0, 254, 0, 0, 0];
        assert_eq!(invalid(Dnp3::selector(&of_master(4, SELF_ADDRESS, 1, &itself))), "destination");
    }

    #[test]
    fn an_outstation_that_greets_its_master_is_heard_and_so_is_one_that_answers() {
        let asked = ask(Function::RequestLinkStatus);
        let greeting = vector("empty unsolicited response");
        let Ok(Some(Answer::Body(body))) = Dnp3::answer(asked.bytes(), &greeting) else { panic!() };
        let heard = Heard::read(body).unwrap();
        assert_eq!((heard.outstation, heard.master), (4, Some(3)));
        assert_eq!(heard.indications.unwrap().troubles().collect::<Vec<_>>(), ["wants the time"]);
        let read = ask(Function::ReadAllAttributes);
        assert_eq!(Dnp3::answer(read.bytes(), &greeting), Ok(None), "no answer to a read");

        let secondary = |control: u8, to, from| {
            let mut bytes = of_master(control & 0x0F, to, from, &[]);
            bytes[3] = control;
            let sum = crc(&bytes[..8]).to_le_bytes();
            bytes[8..10].copy_from_slice(&sum);
            bytes
        };
        let says = |control, to, from| {
            Dnp3::answer(asked.bytes(), &secondary(control, to, from)).unwrap().is_some()
        };
        assert!(says(0x0B, 1, 10));
        assert!(says(0x0F, 1, 10), "not supported is an answer");
        assert!(says(0x49, 3, 10), "whether its master is still there");
        assert!(!says(0x0B, 1, 11), "another outstation");
        assert!(!says(0x0B, 2, 10), "to another master");
        assert!(!says(0x8B, 1, 10), "from a master");
        assert!(!says(0x0B, 1, 0xFFFD), "from everybody");
        assert!(Heard::read(&secondary(0x1B, 1, 10)).unwrap().is_full);
        let itself = Dnp3 { outstation: SELF_ADDRESS, master: 1 };
        let asked = ask_of(itself, Function::RequestLinkStatus);
        assert!(matches!(Dnp3::answer(asked.bytes(), &secondary(0x0B, 1, 77)), Ok(Some(_))));
        assert_eq!(Dnp3::answer(asked.bytes(), asked.bytes()), Err(WireError::Echo));
    }

    #[test]
    fn recorded_attributes_are_read() {
        let message = vector("dataset attributes reply");
        let read = Attributes::read(&message).unwrap();
        assert_eq!((read.outstation, read.is_complete), (4, true));
        let number = |variation, number| Attribute { variation, value: Value::Unsigned(number) };
        assert_eq!(read.attributes, [number(213, 1), number(215, 3)]);
    }

    #[test]
    fn an_answer_in_two_frames_is_one_message() {
        let message = vector("response in two frames");
        assert_eq!(Dnp3::split(&message), Ok(Some(message.len())));
        for length in 0..message.len() {
            assert_eq!(Dnp3::split(&message[..length]), Ok(None), "{length}");
        }
        let status = ask(Function::RequestLinkStatus).bytes().to_vec();
        let between = [&message[..292], &status, &message[292..]].concat();
        assert_eq!(Dnp3::split(&between), Ok(Some(between.len())), "others speak in between");
        assert_eq!(transport::fragment(&between), transport::fragment(&message));
        assert_eq!(transport::fragment(&message).unwrap().len(), 249 + 20);
        let lost = [&message[..292], &message[..292]].concat();
        assert!(transport::fragment(&lost).is_err(), "a piece is missing");
    }

    #[test]
    fn refusals_are_told_from_answers() {
        let asked = ask(Function::ReadAllAttributes);
        let says = |second: u8, objects: &[u8]| {
            let message = responds(&[&[0xC1, 0x81, 0x80, second], objects].concat());
            match Dnp3::answer(asked.bytes(), &message).unwrap().unwrap() {
                Answer::Body(_) => None,
                Answer::Refusal { code, busy } => Some((refusal::text(code), busy)),
            }
        };
        assert_eq!(says(0x02, &[]), Some(("no such object here", false)));
        assert_eq!(says(0x01, &[]), Some(("function not supported", false)));
        assert_eq!(says(0x04, &[]), Some(("parameter error", false)));
        assert_eq!(says(0x14, &[]), Some(("parameter error", true)));
        assert_eq!(says(0x02, &[0, 252, 0, 0, 0, 1, 1, b'A']), None, "it has at least something");
        assert_eq!(says(0x00, &[]), None);
        let late = responds(&[0xC2, 0x81, 0, 0]);
        assert_eq!(Dnp3::answer(asked.bytes(), &late), Ok(None), "the answer to another question");
    }

    #[test]
    fn values_of_every_type_are_read_and_other_sets_are_stepped_over() {
        let objects: &[&[u8]] = &[
            &[0, 252, 0, 0, 0, 1, 3, b'S', b'E', b'L'],
            &[0, 240, 0, 0, 0, 2, 2, 0, 8],
            &[0, 219, 0, 0, 0, 3, 1, 0xFF],
            &[0, 205, 0, 0, 0, 4, 4, 0, 0, 0x42, 0x42],
            &[0, 200, 0, 0, 0, 5, 2, 0xC0, 0xDE],
            &[0, 199, 0, 0, 0, 7, 6, 0, 0, 0, 0, 1, 0],
            &[0, 255, 0, 0, 0, 254, 4, 252, 0, 247, 1],
            &[0, 252, 0, 1, 1, 1, 1, b'X'],
            &[0, 250, 0x17, 1, 0, 1, 1, b'Y'],
        ];
        let message = responds(&[&[0x81, 0x81, 0, 0], &objects.concat()[..]].concat());
        let read = Attributes::read(&message).unwrap();
        let values: Vec<Value> = read.attributes.iter().map(|one| one.value.clone()).collect();
        let expected = [
            Value::Text(b"SEL".to_vec()),
            Value::Unsigned(2048),
            Value::Signed(-1),
            Value::Float(48.5),
            Value::Octets(vec![0xC0, 0xDE]),
            Value::Time(1 << 32),
            Value::List(vec![(252, 0), (247, 1)]),
            Value::Text(b"Y".to_vec()),
        ];
        assert_eq!(values, expected);
        assert!(!read.is_complete);
        assert_eq!(read.listed(), Some(vec![252, 247]));
    }

    #[test]
    fn other_protocols_and_noise_are_no_message() {
        let foreign = |buf: &[u8]| match Dnp3::split(buf) {
            Err(WireError::Foreign { protocol }) => protocol.into_owned(),
            other => panic!("{other:?}"),
        };
        assert_eq!(foreign(b"HTTP/1.1 400 Bad Request\r\n"), "http");
        assert_eq!(foreign(b"\x15\x03\x01\x00\x02\x02\x46"), "tls");
        assert_eq!(invalid(Dnp3::split(&[0x42])), "start");
        assert_eq!(Dnp3::split(&[]), Ok(None));
        let mut status = ask(Function::RequestLinkStatus).bytes().to_vec();
        status[9] ^= 1;
        assert_eq!(invalid(Dnp3::split(&status)), "checksum of the header");
    }

    proptest! {
        #[test]
        fn an_answer_of_any_length_is_put_together_again(
            objects in proptest::collection::vec(any::<u8>(), 0..2000),
        ) {
            let fragment = [&[0xC1, 0x81, 0, 0], &objects[..]].concat();
            let message = responds(&fragment);
            prop_assert_eq!(Dnp3::split(&message), Ok(Some(message.len())));
            prop_assert_eq!(transport::fragment(&message), Ok(fragment));
        }

        #[test]
        fn no_bytes_make_a_decoder_panic(
            begin in prop_oneof![Just(&b""[..]), Just(&[0x05, 0x64][..])],
            rest in proptest::collection::vec(any::<u8>(), 0..400),
        ) {
            let bytes = [begin, &rest[..]].concat();
            let _ = Dnp3::split(&bytes);
            let _ = Dnp3::selector(&bytes);
            let _ = Heard::read(&bytes);
            let _ = Attributes::read(&bytes);
            for function in [Function::RequestLinkStatus, Function::ReadAllAttributes] {
                let _ = Dnp3::answer(ask(function).bytes(), &bytes);
            }
        }

        #[test]
        fn no_objects_make_a_decoder_panic(objects in proptest::collection::vec(any::<u8>(), 0..300)) {
            let message = responds(&[&[0xC1, 0x81, 0, 0, 0], &objects[..]].concat());
            let _ = Attributes::read(&message);
        }

        #[test]
        fn one_wrong_byte_anywhere_is_never_an_answer(at in 0_usize..63, mask in 1_u8..) {
            let objects = [0, 252, 0, 0, 0, 1, 40].into_iter().chain([b'A'; 40]);
            let message: Vec<u8> = [0xC1, 0x81, 0, 0].into_iter().chain(objects).collect();
            let mut message = responds(&message);
            let at = at % message.len();
            message[at] ^= mask;
            let asked = ask(Function::ReadAllAttributes);
            let is_body = matches!(Dnp3::answer(asked.bytes(), &message), Ok(Some(_)));
            prop_assert!(!is_body);
        }
    }
}
