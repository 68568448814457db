//! S7 on the wire: which question an answer belongs to, inside TPKT and COTP.

mod answer;
mod catalogue;
mod connect;
mod cotp;
mod functions;
mod message;
mod question;
mod records;
pub mod refusal;
mod szl;

use answer::{Asked, answer_to, gone, refused};
use cotp::Message;
use message::{
    CONTINUATION, ITEM, JOB, NO_ITEM, QUESTION, USER_DATA, USER_DATA_HEAD, message, question_of,
};
use question::question;

pub use catalogue::Catalogue;
pub use connect::{Connect, Kind, Place, Setup, SetupCommunication};
pub use functions::{Function, MOST_CALLS, MOST_PARTS};
pub use records::{
    CommunicationLimits, Component, Interface, Led, ModuleIdentification, ModuleStatus,
    OperatingMode, Protection,
};
pub use szl::{List, Part, ReadNextPart, ReadSzl, Szl};

use crate::protocol::{Answer, Path, Protocol};
use crate::protocols::foreign;
use crate::safety::ReadOnly;
use crate::wire::{Reader, WireError, Writer, is_one_answer};

/// A conversation with one module of a controller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct S7;

impl Protocol for S7 {
    const NAME: &'static str = "s7";
    type Function = Function;
    /// Up to the reference of the question, behind the headers of TPKT and COTP.
    const BEGINNING: usize = 13;

    /// Whoever uses ISO-on-TCP grants connections.
    fn asks_for_transport(function: Function) -> bool {
        use Function::{ConnectBasic, ConnectOperator, ConnectProgrammer};
        matches!(function, ConnectBasic | ConnectOperator | ConnectProgrammer)
    }

    fn frame(
        &self,
        function: Function,
        tag: u16,
        out: &mut Writer,
        body: impl FnOnce(&mut Writer),
    ) {
        let body = || {
            let mut w = Writer::default();
            body(&mut w);
            w.into_vec()
        };
        let first = |body: Vec<u8>| body.first().copied().unwrap_or_default();
        match *function.facts().selector.path() {
            [0xE0, kind] => cotp::request(out, tag, kind, first(body())),
            [JOB, function] => message(out, JOB, tag, &[&[function], &body()], &[]),
            [USER_DATA, QUESTION, group, function, i1, i0, x1, x0] => {
                let [h0, h1, h2] = USER_DATA_HEAD;
                let parameters = [h0, h1, h2, 4, QUESTION, group, function, 0];
                let [success, octets] = ITEM;
                question_of(out, tag, parameters, [success, octets, 0, 4, i1, i0, x1, x0]);
            }
            [USER_DATA, CONTINUATION, group, function] => {
                let tail = [8, CONTINUATION, group, function, first(body()), 0, 0, 0, 0];
                message(out, USER_DATA, tag, &[&USER_DATA_HEAD, &tail], &[&NO_ITEM]);
            }
            _ => {} // has no selector, so it never leaves
        }
    }

    #[inline]
    fn read_back(frame: &[u8], path: &mut impl Path) -> Result<(), WireError> {
        match Message::read(frame)? {
            Message::Request(rest) => {
                let [kind, _place] = cotp::called(rest)?;
                path.next([0xE0, kind])
            }
            Message::Data(payload) => {
                cotp::is_carried_as_we_do(frame)?;
                question(payload, path)
            }
            _ => Err(WireError::Invalid { field: "cotp kind", value: 0 }),
        }
    }

    fn split(buf: &[u8]) -> Result<Option<usize>, WireError> {
        match cotp::length(&mut Reader::new(buf)) {
            Ok(length) => Ok(Some(usize::from(length)).filter(|whole| *whole <= buf.len())),
            Err(WireError::Short { .. }) => Ok(None),
            // Whoever speaks TPKT with a wrong length has no other name than that.
            Err(garbage) if buf.first() == Some(&3) => Err(garbage),
            Err(garbage) => Err(foreign::recognise(buf).unwrap_or(garbage)),
        }
    }

    /// The body of an answer is: after a connection request its parameters; after Setup
    /// Communication what follows the function; after a list everything from the sequence number
    /// on, which parameters and data share.
    fn answer<'a>(asked: &[u8], message: &'a [u8]) -> Result<Option<Answer<'a>>, WireError> {
        if message == asked {
            return Err(WireError::Echo);
        }
        is_one_answer(message, message.len(), Self::BEGINNING)?;
        let question = Asked::read(asked)?;
        match (question, Message::read(message)?) {
            (None, Message::Confirm(parameters)) => Ok(Some(Answer::Body(parameters))),
            (None, Message::Data(_)) => Err(WireError::Invalid { field: "cotp kind", value: 0xF0 }),
            (_, Message::Request(_)) => Err(WireError::Invalid { field: "cotp kind", value: 0xE0 }),
            (Some(_), Message::Confirm(_)) | (_, Message::Nothing) => Ok(None),
            (None, Message::Disconnect { reason }) => {
                Ok(Some(refused(refusal::DISCONNECTED | u32::from(reason))))
            }
            (None, Message::Error { cause }) => {
                Ok(Some(refused(refusal::REJECTED | u32::from(cause))))
            }
            (Some(question), Message::Disconnect { reason }) => gone(question, reason).map(Some),
            (Some(_), Message::Error { cause }) => {
                Err(WireError::Invalid { field: "cotp error", value: cause.into() })
            }
            (Some(question), Message::Data(payload)) => answer_to(question, payload),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;
    use crate::frame::Frame;
    use crate::protocol::Request;

    const VECTORS: &str = include_str!("../../../tests/vectors/s7.csv");

    fn vector(name: &str) -> Vec<u8> {
        let row = VECTORS.lines().find(|row| row.starts_with(&format!("{name},"))).unwrap();
        let hex = row.split(',').nth(2).unwrap().as_bytes();
        let digits = |pair: &[u8]| std::str::from_utf8(pair).unwrap().to_owned();
        hex.chunks(2).map(|pair| u8::from_str_radix(&digits(pair), 16).unwrap()).collect()
    }

    fn carried(payload: &[u8]) -> Vec<u8> {
        Writer::all(|out| {
            cotp::carrier(out, payload.len());
            out.bytes(payload);
        })
    }

    fn place(slot: u8) -> Place {
        Place::new(0, slot).unwrap()
    }

    fn frame(request: &impl Request<S7>) -> Frame {
        Frame::of(&S7, 1, request).unwrap()
    }

    /// Every question that can be asked, finished.
    fn every_question(tag: u16, slot: Place, sequence: u8) -> HashMap<Function, Frame> {
        let mut frames = HashMap::new();
        for kind in [Kind::Basic, Kind::Operator, Kind::Programmer] {
            let request = Connect { kind, place: slot };
            frames.insert(request.function(), Frame::of(&S7, tag, &request));
        }
        let setup = SetupCommunication;
        frames.insert(setup.function(), Frame::of(&S7, tag, &setup));
        for list in List::ALL {
            let request = ReadSzl { list };
            frames.insert(request.function(), Frame::of(&S7, tag, &request));
        }
        let next = ReadNextPart { sequence };
        frames.insert(next.function(), Frame::of(&S7, tag, &next));
        frames.into_iter().map(|(function, frame)| (function, frame.unwrap())).collect()
    }

    /// The answer of the vector `name` to `request`, which is asked with the reference that it has.
    fn reply<R: Request<S7>>(request: &R, name: &str) -> R::Reply {
        let message = vector(name);
        assert_eq!(S7::split(&message), Ok(Some(message.len())), "{name}");
        let asked = Frame::of(&S7, reference(&message), request).unwrap();
        match S7::answer(asked.bytes(), &message) {
            Ok(Some(Answer::Body(body))) => request.read(&mut Reader::new(body)).unwrap(),
            other => panic!("{name}: {other:?}"),
        }
    }

    fn reference(message: &[u8]) -> u16 {
        message.get(11..13).map_or(1, |pair| u16::from_be_bytes([pair[0], pair[1]]))
    }

    /// The records that the vectors `names` bring together.
    fn records(list: List, names: &[&str]) -> Vec<Vec<u8>> {
        let mut bytes = reply(&ReadSzl { list }, names[0]).bytes;
        for name in &names[1..] {
            bytes.extend(reply(&ReadNextPart { sequence: 2 }, name).bytes);
        }
        let szl = Szl::read(list, &bytes).unwrap();
        assert!(!szl.is_cut_short());
        szl.records().map(|(record, _)| record.to_vec()).collect()
    }

    #[test]
    fn questions_are_exactly_these_bytes() {
        for (kind, name) in [
            (Kind::Basic, "connect basic"),
            (Kind::Operator, "connect operator"),
            (Kind::Programmer, "connect programmer"),
        ] {
            assert_eq!(frame(&Connect { kind, place: place(2) }).bytes(), vector(name));
        }
        assert_eq!(frame(&SetupCommunication).bytes(), vector("setup communication"));
        for (list, name) in [
            (List::ModuleIdentification, "read module identification"),
            (List::ComponentIdentification, "read component identification"),
            (List::MemoryCard, "read memory card"),
            (List::Location, "read location"),
            (List::Lists, "read list of lists"),
            (List::EthernetDetails, "read ethernet details"),
            (List::CommunicationLimits, "read communication limits"),
            (List::Modules, "read modules"),
            (List::ModulesOfRack, "read modules of rack"),
            (List::OperatingMode, "read operating mode"),
            (List::Protection, "read protection"),
            (List::ProtectionOfCpu, "read protection of cpu"),
            (List::Leds, "read leds"),
        ] {
            assert_eq!(frame(&ReadSzl { list }).bytes(), vector(name), "{name}");
        }
        assert_eq!(frame(&ReadNextPart { sequence: 2 }).bytes(), vector("read next part"));
    }

    #[test]
    fn every_function_has_a_question_that_reads_back_as_itself() {
        let frames = every_question(7, place(2), 3);
        assert_eq!(frames.len(), Function::ALL.len());
        for (function, frame) in frames {
            let facts = function.facts();
            assert_eq!(S7::selector(frame.bytes()), Ok(facts.selector), "{}", facts.name);
            assert_eq!(frame.bytes().len(), usize::from(facts.max_request), "{}", facts.name);
        }
    }

    #[test]
    fn a_question_with_any_byte_changed_asks_nothing_else_unseen() {
        // Only these may differ: reference, rack and slot, sequence number.
        for (function, frame) in every_question(7, place(2), 3) {
            let own = function.facts().selector;
            for at in 0..frame.bytes().len() {
                let mut bytes = frame.bytes().to_vec();
                bytes[at] ^= 0x40;
                let free = match own.path() {
                    [0xE0, _] => at == 8 || at == 9 || at == 21,
                    [7, 0x12, ..] => at == 11 || at == 12 || at == 24,
                    _ => at == 11 || at == 12,
                };
                assert_eq!(S7::selector(&bytes) == Ok(own), free, "{function:?} byte {at}");
            }
        }
    }

    fn said(kind: u8, tag: u16, parameters: &[&[u8]], data: &[&[u8]]) -> Vec<u8> {
        Writer::all(|out| message(out, kind, tag, parameters, data))
    }

    #[test]
    fn a_write_a_stop_and_a_disconnect_are_no_questions() {
        let field = |bytes: &[u8]| match S7::selector(bytes) {
            Err(WireError::Invalid { field, .. } | WireError::Short { field }) => field,
            other => panic!("{other:?}"),
        };
        assert_eq!(field(&said(JOB, 1, &[&[0x05, 0]], &[])), "function");
        assert_eq!(field(&said(JOB, 1, &[&[0x29]], &[])), "function");
        assert_eq!(field(&[3, 0, 0, 11, 6, 0x80, 0, 1, 0, 1, 0x80]), "cotp kind");
        let subscribe = [0, 1, 0x12, 4, 0x11, 0x44, 0x02, 0];
        assert_eq!(field(&said(USER_DATA, 1, &[&subscribe], &[&NO_ITEM])), "group and function");
    }

    #[test]
    fn a_real_controller_says_its_order_number_and_versions() {
        let records = records(List::ModuleIdentification, &["module identification reply"]);
        let modules: Vec<_> =
            records.iter().map(|r| ModuleIdentification::read(r).unwrap()).collect();
        let indexes: Vec<u16> = modules.iter().map(|module| module.index).collect();
        assert_eq!(indexes, [0x0001, 0x0006, 0x0007, 0x0081]);
        assert_eq!(modules[0].order_number, b"6ES7 151-8AB01-0AB0 ");
        assert_eq!(modules[0].hardware_version(), Some(3));
        assert_eq!(modules[2].version().as_deref(), Some("V3.2.6"));
        assert_eq!(modules[3].version().as_deref(), Some("A32.9.9"));
    }

    #[test]
    fn a_real_controller_says_which_lists_it_has_in_two_messages() {
        let mut bytes = reply(&ReadSzl { list: List::Lists }, "list of lists reply 1 of 2").bytes;
        bytes.extend(reply(&ReadNextPart { sequence: 5 }, "list of lists reply 2 of 2").bytes);
        let catalogue = Catalogue::read(&Szl::read(List::Lists, &bytes).unwrap()).unwrap();
        let absent = List::ALL.into_iter().filter(|list| !catalogue.may_hold(*list));
        assert_eq!(absent.collect::<Vec<_>>(), [List::Modules], "its modules are in 0x0D91");
    }

    #[test]
    fn the_names_of_a_real_controller_are_put_together_from_two_messages() {
        let parts =
            ["component identification reply 1 of 2", "component identification reply 2 of 2"];
        let records = records(List::ComponentIdentification, &parts);
        let components: Vec<_> = records.iter().filter_map(|r| Component::read(r)).collect();
        let text = |text: &str, length| {
            text.bytes().chain(std::iter::repeat(0)).take(length).collect::<Vec<u8>>()
        };
        assert_eq!(
            components,
            [
                Component::SystemName(text("IM151-8-CPU", 24)),
                Component::ModuleName(text("IM151-8 PN/DP CPU", 24)),
                Component::PlantId(text("", 32)),
                Component::Copyright(text("Original Siemens Equipment", 26)),
                Component::SerialNumber(text("S C-C6TW74882012", 24)),
                Component::ModuleType(text("IM151-8 PN/DP CPU", 32)),
                Component::MemoryCard(text("MMC 2900FC1A", 32)),
                Component::Manufacturer(0x002A),
                Component::Location(text("", 32)),
            ]
        );
    }

    #[test]
    fn a_real_controller_says_how_it_is() {
        let record = &records(List::OperatingMode, &["operating mode reply"])[0];
        assert_eq!(OperatingMode::read(record).map(OperatingMode::name), Some("Run"));
        let record = &records(List::ProtectionOfCpu, &["protection reply"])[0];
        let protection = Protection::read(record).unwrap();
        assert_eq!((protection.level, protection.switch()), (1, Some("RUN-P")));
        let checksums = [0xBC, 0x04, 0xA3, 0xD5, 0x84, 0x01, 0xD6, 0xB2];
        assert_eq!(protection.checksums(), Some(checksums));
        let leds = records(List::Leds, &["leds reply"]);
        let lit = leds.iter().filter_map(|r| Led::read(r)).filter(|led| led.on);
        assert_eq!(lit.filter_map(Led::fault).collect::<Vec<_>>(), ["SF", "BUS1F"]);
        let record = &records(List::ModulesOfRack, &["modules of rack reply"])[0];
        let status = ModuleStatus::read(record).unwrap();
        assert_eq!((status.slot, status.actual, status.health().as_str()), (2, 0x00C0, "ok"));
    }

    #[test]
    fn a_server_of_another_maker_says_its_addresses_and_limits() {
        let record = &records(List::EthernetDetails, &["ethernet details reply"])[0];
        let found = Interface::read(record).unwrap();
        assert_eq!((found.ip, found.mask), ([192, 168, 1, 10], [255, 255, 255, 0]));
        assert_eq!(found.mac, [0x00, 0x1B, 0x1B, 0x1D, 0x1A, 0x2D]);
        let record = &records(List::CommunicationLimits, &["communication limits reply"])[0];
        let limits = CommunicationLimits { pdu: 2048, connections: 1024 };
        assert_eq!(CommunicationLimits::read(record), Some(limits));
        let record = &records(List::MemoryCard, &["memory card reply"])[0];
        assert!(matches!(Component::read(record), Some(Component::MemoryCard(_))));
    }

    #[test]
    fn connections_are_granted_and_refused() {
        let asked = frame(&Connect { kind: Kind::Basic, place: place(2) });
        let confirm = vector("connection confirm");
        let confirm = S7::answer(asked.bytes(), &confirm);
        assert!(matches!(confirm, Ok(Some(Answer::Body(_)))), "{confirm:?}");
        let code = refusal::DISCONNECTED | 3;
        assert_eq!(
            S7::answer(asked.bytes(), &vector("disconnect reply")),
            Ok(Some(Answer::Refusal { code, busy: false }))
        );
        assert_eq!(reply(&SetupCommunication, "setup reply"), Setup { pdu: 240 });
    }

    #[test]
    fn a_list_that_is_not_there_is_a_refusal() {
        let asked = frame(&ReadSzl { list: List::Modules });
        let refusal = Answer::Refusal { code: 0xD402, busy: false };
        assert_eq!(S7::answer(asked.bytes(), &vector("list unknown reply")), Ok(Some(refusal)));
    }

    #[test]
    fn a_return_code_without_an_error_code_is_a_refusal() {
        let asked = frame(&ReadSzl { list: List::Modules });
        let parameters = [0, 1, 0x12, 8, 0x12, 0x84, 1, 0, 0, 0, 0, 0];
        let answer = said(USER_DATA, 1, &[&parameters], &[&[0x81, 0, 0, 0]]);
        let refusal = Answer::Refusal { code: refusal::RETURN_CODE | 0x81, busy: false };
        assert_eq!(S7::answer(asked.bytes(), &answer), Ok(Some(refusal)));
    }

    #[test]
    fn a_device_without_resources_is_busy() {
        let asked = frame(&SetupCommunication);
        let busy = [0x32, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0x83, 0x02];
        let refusal = Answer::Refusal { code: 0x8302, busy: true };
        assert_eq!(S7::answer(asked.bytes(), &carried(&busy)), Ok(Some(refusal)));
    }

    #[test]
    fn empty_messages_and_late_answers_are_skipped() {
        let asked = frame(&SetupCommunication);
        assert_eq!(S7::answer(asked.bytes(), &vector("empty message")), Ok(None));
        assert_eq!(S7::answer(asked.bytes(), &vector("connection confirm")), Ok(None));
        assert_eq!(S7::answer(asked.bytes(), &vector("setup reply")), Ok(None), "reference 2");
    }

    #[test]
    fn who_leaves_at_the_first_words_of_s7_is_somebody_else() {
        let asked = frame(&SetupCommunication);
        let disconnect = vector("disconnect reply");
        let gone = S7::answer(asked.bytes(), &disconnect);
        assert!(matches!(gone, Err(WireError::Foreign { .. })), "{gone:?}");
        let list = frame(&ReadSzl { list: List::Leds });
        let gone = S7::answer(list.bytes(), &disconnect);
        assert!(matches!(gone, Ok(Some(Answer::Refusal { .. }))), "{gone:?}");
    }

    #[test]
    fn mms_and_s7comm_plus_are_never_taken_for_s7() {
        let asked = frame(&SetupCommunication);
        for (payload, name) in [
            (&[0x0E, 0x05, 1, 2, 3][..], "mms or another session protocol"),
            (&[0x19, 0x03, 1, 2, 3], "mms or another session protocol"),
            (&[0x72, 0x01, 0, 0], "s7comm-plus"),
        ] {
            match S7::answer(asked.bytes(), &carried(payload)) {
                Err(WireError::Foreign { protocol }) => assert_eq!(protocol, name),
                other => panic!("{name}: {other:?}"),
            }
        }
    }

    #[test]
    fn other_protocols_on_the_port_are_named() {
        for (first, protocol) in [
            (&b"HTTP/1.1 400 Bad Request\r\n"[..], "http"),
            (b"SSH-2.0-OpenSSH_9.6\r\n", "ssh"),
            (b"\x15\x03\x01\x00\x02\x02\x46", "tls"),
        ] {
            match S7::split(first) {
                Err(WireError::Foreign { protocol: found }) => assert_eq!(found, protocol),
                other => panic!("{protocol}: {other:?}"),
            }
        }
    }

    #[test]
    fn an_echo_server_is_no_device() {
        for (_, asked) in every_question(1, place(2), 1) {
            assert_eq!(S7::answer(asked.bytes(), asked.bytes()), Err(WireError::Echo));
        }
    }

    #[test]
    fn a_message_in_pieces_is_awaited_and_two_in_one_are_parted() {
        let message = vector("setup reply");
        for len in 0..message.len() {
            assert_eq!(S7::split(&message[..len]), Ok(None), "{len}");
        }
        let two = [message.as_slice(), &[3, 0]].concat();
        assert_eq!(S7::split(&two), Ok(Some(message.len())));
    }

    #[test]
    fn garbage_can_never_become_a_message() {
        let invalid = |field, value| Err(WireError::Invalid { field, value });
        assert_eq!(S7::split(&[9]), invalid("tpkt version", 9));
        assert_eq!(S7::split(&[3, 1]), invalid("tpkt reserved", 1));
        assert_eq!(S7::split(&[3, 0, 0, 6]), invalid("tpkt length", 6));
        assert_eq!(S7::split(&[3, 0, 0xFF, 0xFF]), invalid("tpkt length", 0xFFFF));
    }

    proptest! {
        #[test]
        fn every_question_to_any_place_reads_back(tag: u16, rack in 0..8u8, slot in 0..32u8, sequence: u8) {
            let place = Place::new(rack, slot).unwrap();
            for (function, frame) in every_question(tag, place, sequence) {
                prop_assert_eq!(S7::selector(frame.bytes()), Ok(function.facts().selector));
                prop_assert!(frame.bytes().len() <= function.facts().max_request.into());
                prop_assert_eq!(S7::split(frame.bytes()), Ok(Some(frame.bytes().len())));
            }
        }

        #[test]
        fn a_split_message_lies_within_the_bytes(bytes: Vec<u8>, header in any::<bool>()) {
            let head = if header { &[3, 0, 0][..] } else { &[] };
            let bytes = [head, &bytes].concat();
            drop(S7::selector(&bytes));
            if let Ok(Some(len)) = S7::split(&bytes) {
                prop_assert!((7..=2048).contains(&len) && len <= bytes.len());
            }
        }

        #[test]
        fn any_bytes_to_any_question_never_panic(
            cotp: Vec<u8>, parameters: Vec<u8>, data: Vec<u8>, kind in 0..8u8,
        ) {
            let length = u16::try_from(cotp.len() + 4).unwrap().to_be_bytes();
            let raw = [&[3, 0], &length[..], &cotp].concat();
            let head = [&USER_DATA_HEAD[..], &[8, 0x12, 0x84, 1], &parameters].concat();
            for (_, asked) in every_question(1, place(2), 1) {
                for answer in [&cotp, &raw, &said(kind, 1, &[&parameters], &[&data]), &said(kind, 1, &[&head], &[&data])] {
                    if let Ok(Some(Answer::Body(body))) = S7::answer(asked.bytes(), answer) {
                        drop(SetupCommunication.read(&mut Reader::new(body)));
                        drop(ReadNextPart { sequence: 0 }.read(&mut Reader::new(body)));
                    }
                }
            }
        }
    }
}
