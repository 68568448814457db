//! EtherNet/IP on the wire: which question an answer belongs to, inside the encapsulation.

mod cip;
mod encapsulation;
mod functions;
mod identity;
mod objects;
pub mod refusal;
mod status;

use encapsulation::Header;

pub use functions::{Function, MOST_IDENTITIES, MOST_SLOTS};
pub use identity::{Identity, ListIdentity, Revision, identities};
pub use objects::{
    Chassis, EthernetLink, Names, Port, Services, TcpIp, classes, consistency, hardware_address,
    ports,
};
pub use status::{KeySwitch, Mode, Status};

use crate::protocol::{Answer, Path, Protocol, Request};
use crate::protocols::foreign;
use crate::safety::{ReadOnly, Selector};
use crate::wire::{Reader, WireError, Writer, is_one_answer};

const LIST_SERVICES: u8 = 0x04;
const LIST_IDENTITY: u8 = 0x63;
const REGISTER_SESSION: u8 = 0x65;
const UNREGISTER_SESSION: u8 = 0x66;
const SEND_RR_DATA: u8 = 0x6F;
/// Version 1 of the encapsulation, no options.
const REGISTRATION: [u8; 4] = [1, 0, 0, 0];

/// A conversation with a device, or with one slot of its backplane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Enip {
    /// The session that the device gave us; 0 outside of one.
    pub session: u32,
    /// The slot of the backplane that is asked, instead of the device itself.
    pub slot: u8,
    /// Whether it is.
    pub routed: bool,
}

impl Enip {
    /// The device itself in this session.
    #[must_use]
    pub fn within(session: u32) -> Self {
        Self { session, ..Self::default() }
    }

    /// A slot of its backplane.
    #[must_use]
    pub fn slot(self, slot: u8) -> Self {
        Self { slot, routed: true, ..self }
    }
}

impl Protocol for Enip {
    const NAME: &'static str = "enip";
    type Function = Function;
    /// Up to the context of the sender.
    const BEGINNING: usize = 20;

    fn frame(&self, function: Function, tag: u16, out: &mut Writer, _: impl FnOnce(&mut Writer)) {
        match function.facts().selector.path() {
            [command @ (LIST_SERVICES | LIST_IDENTITY)] => {
                encapsulation::message(out, *command, 0, tag, &[]);
            }
            [REGISTER_SESSION] => {
                encapsulation::message(out, REGISTER_SESSION, 0, tag, &REGISTRATION);
            }
            [UNREGISTER_SESSION] => {
                encapsulation::message(out, UNREGISTER_SESSION, self.session, tag, &[]);
            }
            [SEND_RR_DATA, path @ ..] => {
                let request = cip::request(path, self.slot);
                let data = cip::unconnected(&request);
                encapsulation::message(out, SEND_RR_DATA, self.session, tag, &data);
            }
            _ => {} // has no selector, so it never leaves
        }
    }

    #[inline]
    fn read_back(frame: &[u8], path: &mut impl Path) -> Result<(), WireError> {
        let mut r = Reader::new(frame);
        let header = Header::read(&mut r)?;
        encapsulation::is_as_we_write(&header)?;
        let in_session = matches!(header.command, UNREGISTER_SESSION | SEND_RR_DATA);
        if !in_session && header.session != 0 {
            let value = header.session.into();
            return Err(WireError::Invalid { field: "session handle", value });
        }
        match (header.command, r.rest()) {
            (command @ (LIST_SERVICES | LIST_IDENTITY | UNREGISTER_SESSION), []) => {
                path.next([command])
            }
            (REGISTER_SESSION, data) if data == REGISTRATION => path.next([REGISTER_SESSION]),
            (SEND_RR_DATA, data) => {
                path.next([SEND_RR_DATA])?;
                cip::path(cip::carried_as_we_do(data)?, path)
            }
            (command, _) => Err(WireError::Invalid { field: "command", value: command.into() }),
        }
    }

    #[inline]
    fn split(buf: &[u8]) -> Result<Option<usize>, WireError> {
        match encapsulation::length(buf) {
            Ok(length) => Ok(Some(length).filter(|whole| *whole <= buf.len())),
            Err(WireError::Short { .. }) => Ok(None),
            Err(garbage) => Err(foreign::recognise(buf).unwrap_or(garbage)),
        }
    }

    /// The body of an answer is: after a list its items; after RegisterSession everything from the
    /// session handle on; after a read the data behind the status.
    fn answer<'a>(asked: &[u8], message: &'a [u8]) -> Result<Option<Answer<'a>>, WireError> {
        if message == asked {
            return Err(WireError::Echo);
        }
        is_one_answer(message, message.len(), Self::BEGINNING)?;
        let mut question = Reader::new(asked);
        let ours = Header::read_again(&mut question)?;
        let mut r = Reader::new(message);
        let header = Header::read(&mut r)?;
        if header.context != ours.context {
            return Ok(None);
        }
        if header.command != ours.command {
            return Err(WireError::Invalid { field: "command", value: header.command.into() });
        }
        if header.status != 0 {
            return Ok(Some(refusal::encapsulation(header.status)));
        }
        match header.command {
            REGISTER_SESSION => {
                let mut r = Reader::new(message);
                r.take(4, "command and length")?;
                Ok(Some(Answer::Body(r.rest())))
            }
            SEND_RR_DATA if header.session != ours.session => {
                let value = header.session.into();
                Err(WireError::Invalid { field: "session handle", value })
            }
            SEND_RR_DATA => {
                let mut asked = Selector::of(&[]);
                cip::path(cip::carried_as_we_do(question.rest())?, &mut asked)?;
                cip::answer(asked.path(), r.rest()).map(Some)
            }
            _ => Ok(Some(Answer::Body(r.rest()))),
        }
    }
}

/// A question is its function: there is nothing else in it. The answer is bytes, which the types of
/// this module take apart.
impl Request<Enip> for Function {
    type Reply = Vec<u8>;

    fn function(&self) -> Self {
        *self
    }

    fn write(&self, _: &mut Writer) {}

    fn read(&self, body: &mut Reader<'_>) -> Result<Vec<u8>, WireError> {
        Ok(body.rest().to_vec())
    }
}

/// The handle of the session that a device grants.
///
/// # Errors
/// If the bytes are no answer to RegisterSession.
pub fn session(body: &[u8]) -> Result<u32, WireError> {
    let mut r = Reader::new(body);
    let session = r.u32_le("session handle")?;
    r.take(16, "status, context and options")?;
    match r.u16_le("encapsulation version")? {
        1 => Ok(session),
        other => Err(WireError::Invalid { field: "encapsulation version", value: other.into() }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::frame::Frame;

    const VECTORS: &str = include_str!("../../../tests/vectors/enip.csv");

    fn vector(name: &str) -> Vec<u8> {
        let row = VECTORS.lines().find(|row| row.starts_with(&format!("{name},"))).unwrap();
        let hex = row.split(',').nth(2).unwrap().as_bytes();
        let digits = |pair: &[u8]| std::str::from_utf8(pair).unwrap().to_owned();
        hex.chunks(2).map(|pair| u8::from_str_radix(&digits(pair), 16).unwrap()).collect()
    }

    /// `ReadTcpIp` as the vectors spell it: `read tcp ip`.
    fn spelled(function: Function) -> String {
        let spell = |text: String, letter: char| match letter.is_uppercase() && !text.is_empty() {
            true => text + " " + &letter.to_lowercase().to_string(),
            false => text + &letter.to_lowercase().to_string(),
        };
        function.facts().name.chars().fold(String::new(), spell)
    }

    fn ask(function: Function) -> Frame {
        Frame::of(&Enip::within(0x1102_1100).slot(3), 1, &function).unwrap()
    }

    /// A recorded answer as it would be to a question of ours: in our session, with our context.
    fn to_us(asked: &Frame, name: &str) -> Vec<u8> {
        let mut message = vector(name);
        if message[0] == SEND_RR_DATA {
            message[4..8].copy_from_slice(&asked.bytes()[4..8]);
        }
        message[12..20].copy_from_slice(&asked.bytes()[12..20]);
        message
    }

    fn reply(function: Function, name: &str) -> Vec<u8> {
        let asked = ask(function);
        let message = to_us(&asked, name);
        assert_eq!(Enip::split(&message), Ok(Some(message.len())), "{name}");
        match Enip::answer(asked.bytes(), &message) {
            Ok(Some(Answer::Body(body))) => body.to_vec(),
            other => panic!("{name}: {other:?}"),
        }
    }

    fn refused(function: Function, name: &str) -> u32 {
        let asked = ask(function);
        match Enip::answer(asked.bytes(), &to_us(&asked, name)) {
            Ok(Some(Answer::Refusal { code, busy: false })) => code,
            other => panic!("{name}: {other:?}"),
        }
    }

    #[test]
    fn questions_are_exactly_these_bytes() {
        for function in Function::ALL {
            let name = spelled(*function);
            assert_eq!(ask(*function).bytes(), vector(&name), "{name}");
        }
    }

    #[test]
    fn every_function_has_a_question_that_reads_back_as_itself() {
        for function in Function::ALL {
            let (facts, frame) = (function.facts(), ask(*function));
            assert_eq!(Enip::selector(frame.bytes()), Ok(facts.selector), "{}", facts.name);
            assert_eq!(frame.bytes().len(), usize::from(facts.max_request), "{}", facts.name);
        }
    }

    #[test]
    fn a_question_with_any_byte_changed_asks_nothing_else_unseen() {
        // Only these may differ: session, tag, and the slot at the end of a route.
        for function in Function::ALL {
            let (own, frame) = (function.facts().selector, ask(*function));
            let in_session = matches!(own.path(), [SEND_RR_DATA | UNREGISTER_SESSION, ..]);
            let routed = own.path().starts_with(&[SEND_RR_DATA, 0x52]);
            let last = frame.bytes().len() - 1;
            for at in 0..=last {
                for mask in [0x01, 0x40, 0x80] {
                    let mut bytes = frame.bytes().to_vec();
                    bytes[at] ^= mask;
                    let free = match at {
                        4..=7 => in_session,
                        14 | 15 => true,
                        at => routed && at == last,
                    };
                    let same = Enip::selector(&bytes) == Ok(own);
                    assert_eq!(same, free, "{function:?} byte {at} mask {mask:x}");
                }
            }
        }
    }

    #[test]
    fn writes_resets_and_connections_are_no_questions() {
        let message = |command, data: &[u8]| {
            Writer::all(|out| encapsulation::message(out, command, 7, 1, data))
        };
        let field = |command, data: &[u8]| match Enip::selector(&message(command, data)) {
            Err(WireError::Invalid { field, .. } | WireError::Short { field }) => field,
            other => panic!("{other:?}"),
        };
        for service in [0x02, 0x05, 0x06, 0x07, 0x0A, 0x10, 0x4B, 0x4C, 0x4D, 0x4E, 0x54, 0x5B] {
            let request = [service, 2, 0x20, 1, 0x24, 1];
            assert_eq!(field(SEND_RR_DATA, &cip::unconnected(&request)), "service");
            let routed = [&[0x52, 2, 0x20, 6, 0x24, 1, 6, 16, 6, 0], &request[..], &[1, 0, 1, 0]];
            assert_eq!(field(SEND_RR_DATA, &cip::unconnected(&routed.concat())), "service");
        }
        assert_eq!(field(0x70, &[]), "command", "connected messages");
        assert_eq!(field(0xC8, &[]), "command", "TLS");
        let further = [0x52, 2, 0x20, 6, 0x24, 1, 6, 16, 6, 0, 1, 2, 0x20, 1, 0x24, 1, 2, 0];
        let further = [&further[..], &[1, 0, 2, 7]].concat();
        assert_eq!(field(SEND_RR_DATA, &cip::unconnected(&further)), "route", "another network");
    }

    #[test]
    fn a_real_adapter_says_who_it_is() {
        let found = identities(&reply(Function::ListIdentity, "list identity reply")).unwrap();
        let [adapter] = &found[..] else { panic!("{found:?}") };
        assert_eq!((adapter.vendor, adapter.device_type, adapter.product_code), (1, 12, 58));
        assert_eq!((adapter.revision.to_string().as_str(), adapter.serial), ("4.7", 0x0051_AEC3));
        assert_eq!((adapter.name.as_slice(), adapter.status), (&b"1756-ENBT/A"[..], 0x0030));
        assert_eq!(adapter.address, Some([192, 168, 10, 120]));
        let by_object = Identity::read(&reply(Function::ReadIdentity, "identity reply")).unwrap();
        assert!(by_object.is_same_piece(adapter));
        let other = reply(Function::ListIdentity, "list identity reply of another");
        let other = identities(&other).unwrap().remove(0);
        assert!(!other.is_same_piece(adapter), "another piece of the same kind");
        assert_eq!((other.state(), other.serial), (Some("operational"), 0x0052_4D8E));
    }

    #[test]
    fn a_real_rack_says_what_is_in_it() {
        let slot = reply(Function::ReadModuleIdentity, "module identity reply");
        let controller = Identity::read(&slot).unwrap();
        assert_eq!(controller.name, b"1756-L61/B LOGIX5561");
        assert_eq!(Status(controller.status).mode(), Some(Mode::Run));
        assert_eq!(Status(controller.status).key_switch(), Some(KeySwitch::Remote));
        let names = Names::read_all(&reply(Function::ReadAllNames, "all names reply")).unwrap();
        assert_eq!(names.controller, b"NiftyController");
        assert_eq!(names.description, b"First project from 'Getting Started'");
        let names = Names::read(&reply(Function::ReadModuleNames, "names reply")).unwrap();
        assert_eq!(
            (names.controller.as_slice(), names.description.len()),
            (&b"MVI56DNPSNET"[..], 0)
        );
        let chassis = Chassis::read(&reply(Function::ReadChassis, "chassis reply")).unwrap();
        assert_eq!((chassis.serial, chassis.slots), (0x0050_E67F, 7));
        let objects = classes(&reply(Function::ReadAllObjects, "objects reply")).unwrap();
        assert_eq!(objects.len(), 44);
        assert!([0x01, 0x02, 0x06, 0x64, 0xAC].iter().all(|class| objects.contains(class)));
        let services = Services::read(&reply(Function::ListServices, "list services reply"));
        let services = services.unwrap();
        assert_eq!(
            (services.tcp, services.udp, &services.name[..]),
            (true, true, &b"Communications"[..])
        );
        let changes = reply(Function::ReadModuleChanges, "program changes reply");
        assert_eq!(changes.len(), 32);
        let answer = reply(Function::RegisterSession, "register session reply");
        assert_eq!(session(&answer), Ok(0x1202_0200));
    }

    #[test]
    fn an_empty_slot_and_an_object_that_is_not_there_are_told_apart() {
        let empty = refused(Function::ReadModuleIdentity, "empty slot reply");
        assert!(refusal::is_empty_slot(empty) && !refusal::is_of_module(empty));
        assert_eq!(refusal::text(empty), "nobody answered in that slot in time");
        let absent = refused(Function::ReadIdentity, "no such object reply");
        assert!(refusal::is_of_no_object(absent) && refusal::is_of_module(absent));
        assert_eq!(refused(Function::ReadPorts, "no such port object reply") & 0xFF, 0x05);
    }

    #[test]
    fn an_answer_to_another_question_is_skipped_or_garbage() {
        let asked = ask(Function::ReadIdentity);
        let with = |at: usize, value: u8| {
            let mut message = to_us(&asked, "identity reply");
            message[at] = value;
            message
        };
        let answer = |message: &[u8]| match Enip::answer(asked.bytes(), message) {
            Ok(Some(Answer::Refusal { code, busy })) => Ok(Some((code, busy))),
            Ok(_) => Ok(None),
            Err(error) => Err(error),
        };
        assert!(matches!(Enip::answer(asked.bytes(), &with(14, 9)), Ok(None)), "another context");
        assert!(answer(&with(4, 9)).is_err(), "another session");
        assert!(answer(&with(0, LIST_IDENTITY)).is_err(), "another command");
        assert!(answer(&with(40, 0x8E)).is_err(), "another service");
        assert_eq!(answer(asked.bytes()), Err(WireError::Echo));
        assert_eq!(answer(&with(42, 0x02)), Ok(Some((0x02, true))), "busy");
        let Ok(Some((code, false))) = answer(&with(8, 0x64)) else { panic!() };
        assert_eq!(refusal::text(code), "no such session");
    }

    #[test]
    fn wrong_lengths_are_no_identity() {
        let good = vector("list identity reply");
        let asked = ask(Function::ListIdentity);
        for cut in 1..good.len() {
            let mut message = to_us(&asked, "list identity reply");
            message.truncate(cut);
            assert_eq!(Enip::split(&message), Ok(None), "{cut} bytes");
            assert!(Enip::answer(asked.bytes(), &message).is_err(), "{cut} bytes");
        }
        let body = reply(Function::ListIdentity, "list identity reply");
        // Without the state alone it is still whole; the length of the item says where it ends.
        for cut in 0..body.len() - 1 {
            assert!(identities(&body[..cut]).is_err(), "{cut} bytes");
        }
        for length in [0, 1, 33, 44] {
            let mut wrong = body.clone();
            wrong[4] = length;
            let found = identities(&wrong);
            assert!(found.is_err() || length == 44, "an item of {length} bytes: {found:?}");
        }
        let mut name_beyond_the_item = body;
        name_beyond_the_item[38] = 200;
        assert!(identities(&name_beyond_the_item).is_err());
    }

    #[test]
    fn a_list_in_which_an_attribute_was_refused_is_no_identity() {
        // As the controller of a recorded rack gives it: enip-1756-software-download, frame 193.
        let hex = "0700 0100 0000 0100 0200 0000 0e00 0300 0000 3600 0400 0000 1014 0500 0000 6030 \
                   0600 0000 3f825100 0700 0000 14 313735362d4c36312f42204c4f47495835353631";
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16);
        let list: Vec<u8> = digits.chunks(2).map(|two| pair(two).unwrap()).collect();
        let identity = Identity::read_list(&list).unwrap();
        assert_eq!((identity.serial, identity.status), (0x0051_823F, 0x3060));
        assert_eq!((identity.name.as_slice(), identity.vendor), (&b"1756-L61/B LOGIX5561"[..], 1));
        let mut refused = list.clone();
        refused[4] = 0x14;
        refused.drain(6..8);
        assert!(Identity::read_list(&refused).is_err(), "no vendor is not vendor 0");
    }

    #[test]
    fn a_web_server_on_the_port_is_recognised() {
        assert!(matches!(
            Enip::split(b"HTTP/1.1 400 Bad Request\r\n"),
            Err(WireError::Foreign { .. })
        ));
    }

    prop_compose! {
        fn any_identity()(
            numbers in prop::array::uniform3(any::<u16>()),
            revision in any::<[u8; 2]>(),
            (status, serial) in any::<(u16, u32)>(),
            name in prop::collection::vec(any::<u8>(), 0..=255),
            state in prop::option::of(any::<u8>()),
            address in any::<[u8; 4]>(),
        ) -> Identity {
            let [vendor, device_type, product_code] = numbers;
            let revision = Revision { major: revision[0] & 0x7F, minor: revision[1] };
            let address = Some(address).filter(|address| *address != [0; 4]);
            Identity { address, vendor, device_type, product_code, revision, status, serial, name, state }
        }
    }

    /// An item as the standard writes it.
    fn item(identity: &Identity) -> Vec<u8> {
        let mut out = Writer::default();
        let address = identity.address.unwrap_or_default();
        out.u16_le(1).bytes(&[0, 2, 0xAF, 0x12]).bytes(&address).bytes(&[0; 8]);
        out.u16_le(identity.vendor).u16_le(identity.device_type).u16_le(identity.product_code);
        out.bytes(&[identity.revision.major, identity.revision.minor]);
        out.u16_le(identity.status).u32_le(identity.serial);
        out.bytes(&[u8::try_from(identity.name.len()).unwrap()]).bytes(&identity.name);
        out.bytes(identity.state.as_slice());
        let data = out.into_vec();
        let mut item = Writer::default();
        item.u16_le(0x0C).u16_le(u16::try_from(data.len()).unwrap()).bytes(&data);
        item.into_vec()
    }

    proptest! {
        #[test]
        fn every_identity_of_a_list_is_read_and_items_of_another_kind_are_passed_over(
            all in prop::collection::vec(any_identity(), 0..5),
            other in prop::collection::vec(any::<u8>(), 0..30),
        ) {
            let mut body = Writer::default();
            body.u16_le(u16::try_from(all.len() + 1).unwrap());
            body.u16_le(0x86).u16_le(u16::try_from(other.len()).unwrap()).bytes(&other);
            body.bytes(&all.iter().flat_map(item).collect::<Vec<u8>>());
            prop_assert_eq!(identities(&body.into_vec()), Ok(all));
        }

        #[test]
        fn attributes_are_the_same_all_at_once_and_as_a_list(identity in any_identity()) {
            let wanted = Identity { address: None, state: None, ..identity };
            let whole = item(&wanted);
            prop_assert_eq!(Identity::read(&whole[22..]), Ok(wanted.clone()));
            let attributes = [22..24, 24..26, 26..28, 28..30, 30..32, 32..36, 36..whole.len()];
            let mut list = Writer::default();
            list.u16_le(7);
            for (number, range) in (1..).zip(attributes) {
                list.u16_le(number).u16_le(0).bytes(&whole[range]);
            }
            prop_assert_eq!(Identity::read_list(&list.into_vec()), Ok(wanted));
        }

        #[test]
        fn no_bytes_make_a_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = (identities(&bytes), Identity::read(&bytes), Identity::read_list(&bytes));
            let _ = (TcpIp::read(&bytes), TcpIp::read_addresses(&bytes), EthernetLink::read(&bytes));
            let _ = (hardware_address(&bytes), Services::read(&bytes), Chassis::read(&bytes));
            let _ = (Names::read(&bytes), Names::read_all(&bytes), consistency(&bytes));
            let _ = (ports(&bytes), classes(&bytes), session(&bytes));
            for function in Function::ALL {
                let _ = Enip::answer(ask(*function).bytes(), &bytes);
            }
            let _ = Enip::selector(&bytes);
            if let Ok(Some(length)) = Enip::split(&bytes) {
                prop_assert!((24..=bytes.len()).contains(&length));
            }
        }

        #[test]
        fn a_damaged_answer_never_makes_a_decoder_panic(
            at in 0_usize..70, value in any::<u8>(), cut in 0_usize..70,
        ) {
            let asked = ask(Function::ReadIdentity);
            let mut message = to_us(&asked, "identity reply");
            message[at] = value;
            message.truncate(70 - cut);
            if let Ok(Some(Answer::Body(body))) = Enip::answer(asked.bytes(), &message) {
                prop_assert_eq!(cut, 0);
                let _ = Identity::read(body);
            }
        }
    }
}
