//! BACnet/IP on the wire: which question an answer belongs to, inside two headers.

mod address;
mod answer;
mod functions;
mod message;
mod question;
pub mod refusal;
mod requests;
mod tables;
mod text;
mod value;

pub use address::{Address, IpPlace, Mac};
pub use functions::{Function, MOST_PROPERTIES};
pub use requests::{
    CallEverybody, IAm, LAST_INSTANCE, Property, Read, ReadSeveral, WhoIs, moment, properties,
};
pub use tables::{
    Distribution, Foreigner, NetworkNumber, ReadBroadcastTable, ReadForeignTable,
    WhatIsNetworkNumber, WhoIsRouter,
};
pub use text::Text;
pub use value::{ObjectId, Value, WILDCARD};

pub(super) use value::DEVICE;

use crate::protocol::{Answer, Path, Protocol};
use crate::safety::ReadOnly;
use crate::wire::{WireError, Writer};

/// The property that a function reads, or the first of several, and which element of it as far as the
/// function says so.
pub(super) fn property_of(function: Function) -> Option<(u32, Option<u32>)> {
    let element = match function {
        Function::ReadObjectCount => Some(0),
        Function::ReadObject | Function::ReadObjects => Some(1),
        _ => None,
    };
    let property = question::properties(&function.facts().selector).next()?;
    Some((property, element))
}

/// Whom and which object a finished question reads; `None` if it is none that reads.
pub(super) fn asked_for(question: &[u8]) -> Option<(Option<Address>, ObjectId)> {
    let question = question::parse(question).ok()?;
    match question.asked {
        question::Asked::Read { object, .. } => Some((question.to, object)),
        _ => None,
    }
}

/// A conversation with a device, or with one on a network behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bacnet {
    /// Who is asked instead of the device itself.
    pub to: Option<Address>,
}

impl Bacnet {
    /// A device on a network behind this one, or everybody there.
    #[must_use]
    pub fn behind(to: Address) -> Self {
        Self { to: Some(to) }
    }
}

impl Protocol for Bacnet {
    const NAME: &'static str = "bacnet";
    type Function = Function;

    fn is_on_a_bus(&self) -> bool {
        self.to.is_some()
    }

    /// Who-Is is for whoever has the number, and most devices keep silent to what is asked of routers
    /// and of those that hand broadcasts on.
    fn is_a_call(function: Function) -> bool {
        matches!(
            function,
            Function::WhoIs
                | Function::RoutedWhoIs
                | Function::WhoIsRouter
                | Function::WhatIsNetworkNumber
                | Function::ReadBroadcastTable
                | Function::ReadForeignTable
        )
    }

    fn is_handed_on(function: Function) -> bool {
        function == Function::RoutedWhoIs
    }

    /// The low byte of the tag is the invoke id.
    fn frame(
        &self,
        function: Function,
        tag: u16,
        out: &mut Writer,
        body: impl FnOnce(&mut Writer),
    ) {
        question::frame(function.facts(), self.to.as_ref(), tag, out, body);
    }

    #[inline]
    fn read_back(frame: &[u8], path: &mut impl Path) -> Result<(), WireError> {
        question::read_back(frame, path)
    }

    #[inline]
    fn split(buf: &[u8]) -> Result<Option<usize>, WireError> {
        match message::length(buf) {
            Ok(length) => Ok(Some(length).filter(|whole| *whole <= buf.len())),
            Err(WireError::Short { .. }) => Ok(None),
            Err(garbage) => Err(garbage),
        }
    }

    fn answer<'a>(asked: &[u8], message: &'a [u8]) -> Result<Option<Answer<'a>>, WireError> {
        answer::answer(asked, message)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::frame::{Frame, NotReadOnly};
    use crate::protocol::Request;
    use crate::wire::Reader;

    const VECTORS: &str = include_str!("../../../tests/vectors/bacnet.csv");
    /// The device in the answers of bacpypes3.
    const RIG: u32 = 4711;
    /// The device behind a router in the captures.
    const LAMP: u32 = 29;

    fn vector(name: &str) -> Vec<u8> {
        let row = VECTORS.lines().find(|row| row.starts_with(&format!("{name},"))).unwrap();
        let hex = row.split(',').nth(2).unwrap().as_bytes();
        let digits = |pair: &[u8]| std::str::from_utf8(pair).unwrap().to_owned();
        hex.chunks(2).map(|pair| u8::from_str_radix(&digits(pair), 16).unwrap()).collect()
    }

    /// `ReadObjectName` as the vectors spell it: `read object name`.
    fn spelled(function: Function) -> String {
        let spell = |text: String, letter: char| match letter.is_uppercase() && !text.is_empty() {
            true => text + " " + &letter.to_lowercase().to_string(),
            false => text + &letter.to_lowercase().to_string(),
        };
        function.facts().name.chars().fold(String::new(), spell)
    }

    fn around(function: u8, rest: &[u8]) -> Vec<u8> {
        Writer::all(|out| {
            message::begin(out, function);
            out.bytes(rest);
            message::finish(out);
        })
    }

    fn behind() -> Bacnet {
        Bacnet::behind(Address { network: 3, mac: Mac::of(&[0x1D]).unwrap() })
    }

    /// Every kind of question, of the device with this number.
    fn try_ask(function: Function, instance: u32) -> Result<Frame, NotReadOnly> {
        let here = Bacnet::default();
        let one = |element| Read { function, instance, element };
        let several = |elements| ReadSeveral { function, instance, elements };
        let all = Some(0..=LAST_INSTANCE);
        match function.facts().selector.path() {
            [0x0B, ..] => Frame::of(&here, 1, &CallEverybody { range: 0..=999 }),
            [_, 0x00, 0x10, _] => Frame::of(&here, 1, &WhoIs { range: all, routed: false }),
            [_, 0x20, 0x10, _] => {
                let few = WhoIs { range: Some(20..=29), routed: true };
                Frame::of(&Bacnet::behind(Address::all(3)), 1, &few)
            }
            [_, 0x80, 0x00] => Frame::of(&here, 1, &WhoIsRouter),
            [_, 0x80, _] => Frame::of(&here, 1, &WhatIsNetworkNumber),
            [0x02] => Frame::of(&here, 1, &ReadBroadcastTable),
            [0x06] => Frame::of(&here, 1, &ReadForeignTable),
            [_, _, _, 0x0E, _, 0x80, _] => Frame::of(&here, 1, &several(Some(1..=8))),
            [_, 0x20, _, 0x0E, ..] => Frame::of(&behind(), 1, &several(None)),
            [_, _, _, 0x0E, ..] => Frame::of(&here, 1, &several(None)),
            [_, _, _, _, _, 0x40, _] => Frame::of(&here, 1, &one(Some(0))),
            [_, _, _, _, _, 0x80, _] => Frame::of(&here, 1, &one(Some(7))),
            [_, 0x20, ..] => Frame::of(&behind(), 1, &one(None)),
            _ => Frame::of(&here, 1, &one(None)),
        }
    }

    fn ask(function: Function, instance: u32) -> Frame {
        try_ask(function, instance).unwrap()
    }

    /// A recorded answer as it would be to a question of ours: with our invoke id, and back to us.
    fn to_us(name: &str, invoke_at: usize) -> Vec<u8> {
        let mut message = vector(name);
        message[invoke_at] = 1;
        message
    }

    fn body(asked: &Frame, message: &[u8]) -> Vec<u8> {
        assert_eq!(Bacnet::split(message), Ok(Some(message.len())));
        match Bacnet::answer(asked.bytes(), message) {
            Ok(Some(Answer::Body(body))) => body.to_vec(),
            other => panic!("{other:?}"),
        }
    }

    fn refused(asked: &Frame, message: &[u8]) -> (u32, bool) {
        match Bacnet::answer(asked.bytes(), message) {
            Ok(Some(Answer::Refusal { code, busy })) => (code, busy),
            other => panic!("{other:?}"),
        }
    }

    fn text(value: &Value) -> String {
        let Value::Text(text) = value else { panic!("{value:?}") };
        text.shown()
    }

    fn properties(asked: &Frame, name: &str) -> Vec<Property> {
        super::properties(&mut Reader::new(&body(asked, &vector(name)))).unwrap()
    }

    #[test]
    fn questions_are_exactly_these_bytes() {
        for function in Function::ALL {
            let name = spelled(*function);
            let instance =
                if *function == Function::ReadObjectIdentifier { WILDCARD } else { LAMP };
            assert_eq!(ask(*function, instance).bytes(), vector(&name), "{name}");
        }
    }

    #[test]
    fn every_function_has_a_question_that_reads_back_as_itself() {
        for function in Function::ALL {
            let (facts, frame) = (function.facts(), ask(*function, LAST_INSTANCE));
            assert_eq!(Bacnet::selector(frame.bytes()), Ok(facts.selector), "{}", facts.name);
            assert!(frame.bytes().len() <= usize::from(facts.max_request), "{}", facts.name);
        }
    }

    #[test]
    fn a_question_with_any_byte_changed_asks_nothing_else_unseen() {
        // Free are the invoke id, the number of the device, its place, elements and the range.
        for function in Function::ALL {
            let (own, frame) = (function.facts().selector, ask(*function, LAMP));
            for at in 0..frame.bytes().len() {
                for mask in [0x01, 0x02, 0x40, 0x80] {
                    let mut bytes = frame.bytes().to_vec();
                    bytes[at] ^= mask;
                    let Ok(selector) = Bacnet::selector(&bytes) else { continue };
                    if selector != own {
                        let known = Function::ALL.iter().any(|f| f.facts().selector == selector);
                        let never = crate::safety::never::lists(
                            crate::safety::never::BACNET,
                            selector.path(),
                        );
                        // Another property, which the frame would refuse, or another question.
                        assert!(known || never || selector.path()[..2] == own.path()[..2]);
                        continue;
                    }
                    let again = question::parse(&bytes).unwrap();
                    let ours = question::parse(frame.bytes()).unwrap();
                    let free = format!("{:?}", again.asked) != format!("{:?}", ours.asked)
                        || again.to != ours.to
                        || own.path().contains(&0x80);
                    assert!(free, "{function:?} byte {at} mask {mask:x}");
                }
            }
        }
    }

    #[test]
    fn a_function_that_goes_elsewhere_does_not_leave_without_a_place_to_go_to() {
        let read = Read::of(Function::ReadRoutedObjectName, LAMP);
        assert!(Frame::of(&Bacnet::default(), 1, &read).is_err(), "no place");
        let read = Read::of(Function::ReadObjectName, LAMP);
        assert!(Frame::of(&behind(), 1, &read).is_err(), "the router would be meant");
        let all = WhoIs { range: None, routed: true };
        for network in [0, 0xFFFF] {
            let everywhere = Bacnet::behind(Address::all(network));
            assert!(Frame::of(&everywhere, 1, &all).is_err(), "every network there is");
        }
        let everybody = Bacnet::behind(Address::all(3));
        let read = Read::of(Function::ReadRoutedObjectName, LAMP);
        assert!(Frame::of(&everybody, 1, &read).is_err(), "a read of everybody on a network");
        assert!(Frame::of(&behind(), 1, &all).is_err(), "Who-Is to one place");
    }

    #[test]
    fn writes_commands_and_broadcasts_are_no_questions() {
        let field = |function: u8, rest: &[u8]| match Bacnet::selector(&around(function, rest)) {
            Err(WireError::Invalid { field, .. } | WireError::Short { field }) => field,
            other => panic!("{other:?}"),
        };
        for function in [0x00, 0x01, 0x03, 0x04, 0x05, 0x07, 0x08, 0x09, 0x0C] {
            let rest = [0, 0, 0, 0, 0, 0, 1, 0, 0x10, 0x08];
            assert!(["BVLC function", "NPDU version"].contains(&field(function, &rest)));
        }
        assert_eq!(field(0x0B, &[1, 0, 0x10, 0x08]), "range", "everybody with any number");
        assert_eq!(field(0x0B, &[1, 0, 0x10, 0x00]), "service", "I-Am to everybody");
        assert_eq!(field(0x0B, &[1, 0x80, 0x00]), "NPDU control");
        assert_eq!(field(0x0B, &[1, 4, 0, 3, 1, 0x0C]), "NPDU control");
        for service in (0..=0x21).filter(|service| ![0x0C, 0x0E].contains(service)) {
            let rest = [1, 4, 0, 3, 1, service, 0x0C, 2, 0, 0, 1, 0x19, 77];
            assert_eq!(field(0x0A, &rest), "service");
        }
        for service in (0..=0x0E).filter(|service| *service != 0x08) {
            assert_eq!(field(0x0A, &[1, 0, 0x10, service]), "service");
        }
        for kind in (0..=0x13).filter(|kind| ![0x00, 0x12].contains(kind)) {
            assert_eq!(field(0x0A, &[1, 0x80, kind]), "network message");
        }
        let segmented = [1, 4, 0x02, 0x73, 1, 0x0C, 0x0C, 2, 0, 0, 1, 0x19, 77];
        assert_eq!(field(0x0A, &segmented), "kind of APDU", "segmented answers accepted");
        let long = [1, 4, 0, 0x05, 1, 0x0C, 0x0C, 2, 0, 0, 1, 0x19, 77];
        assert_eq!(field(0x0A, &long), "largest answer");
    }

    #[test]
    fn a_real_device_says_who_it_is() {
        let found = properties(&ask(Function::ReadIdentity, RIG), "identity reply");
        let values: Vec<_> = found.iter().map(|p| (p.number, p.found.clone().unwrap())).collect();
        let texts: Vec<_> = values.iter().filter(|(_, v)| matches!(v, Value::Text(_))).collect();
        let texts: Vec<_> = texts.iter().map(|(number, v)| (*number, text(v))).collect();
        let expected = [
            (77, "RW-AHU-1"),
            (121, "Rigwerk AG"),
            (70, "RW-BAC-200"),
            (44, "fw 3.1.4"),
            (12, "app 7.0.9"),
            (372, "SN-BAC-0001"),
        ];
        assert_eq!(texts, expected.map(|(number, text)| (number, text.to_owned())));
        assert_eq!(values[2], (120, Value::Unsigned(999)));
        assert_eq!(values[7], (62, Value::Unsigned(1024)));
    }

    #[test]
    fn what_it_does_not_have_is_an_error_among_the_others() {
        let found = properties(&ask(Function::ReadDescription, RIG), "description reply");
        let missing = found.iter().filter(|p| p.found == Err((2, 32))).map(|p| p.number);
        assert_eq!(missing.collect::<Vec<_>>(), [168, 507]);
        let state = properties(&ask(Function::ReadState, RIG), "state reply");
        assert_eq!(state[0].found, Ok(Value::Enumerated(0)));
        assert_eq!(state[4].found, Ok(Value::Date([126, 11, 26, 4])));
        let objects = properties(&ask(Function::ReadObjects, RIG), "objects reply");
        let there: Vec<_> = objects.iter().filter_map(|p| p.found.clone().ok()).collect();
        let id = |kind, instance| Value::Object(ObjectId { kind, instance });
        assert_eq!(there, [id(8, 4711), id(56, 1), id(2, 1)]);
        assert_eq!(objects[3].element, Some(4));
        assert_eq!(objects[3].found, Err((2, 42)), "there is no fourth");
    }

    #[test]
    fn devices_call_back_from_here_and_from_behind_a_router() {
        let here = ask(Function::WhoIs, 0);
        let rig = IAm::read(&body(&here, &vector("i am"))).unwrap();
        assert_eq!(
            (rig.instance, rig.max_apdu, rig.segmentation, rig.vendor),
            (4711, 1024, 0, 999)
        );
        assert_eq!((rig.from, rig.origin), (None, None));
        let anybody = Frame::of(&Bacnet::default(), 1, &WhoIs::default()).unwrap();
        let router = vector("i am of a router without a number");
        let router = IAm::read(&body(&anybody, &router)).unwrap();
        assert_eq!((router.instance, router.vendor), (WILDCARD, 24));
        let lamp =
            IAm::read(&body(&ask(Function::RoutedWhoIs, 0), &vector("i am behind a router")));
        let lamp = lamp.unwrap();
        let from = lamp.from.unwrap();
        assert_eq!((lamp.instance, from.to_string().as_str()), (29, "3.1d"));
        let other = vector("i am on ms/tp");
        let other = Bacnet::answer(ask(Function::RoutedWhoIs, 0).bytes(), &other);
        assert_eq!(other, Ok(None), "another network");
        let nameless = vector("i am of a router without a number");
        let out_of_range = Bacnet::answer(here.bytes(), &nameless);
        assert_eq!(out_of_range, Ok(None), "nobody asked for that number");
    }

    #[test]
    fn a_read_behind_a_router_is_answered_from_there_only() {
        let asked = ask(Function::ReadRoutedObjectName, LAMP);
        let reply = to_us("object name reply", 11);
        let value = Value::alone(&body(&asked, &reply));
        assert_eq!(text(&value), "112E1");
        let here = ask(Function::ReadObjectName, LAMP);
        assert_eq!(Bacnet::answer(here.bytes(), &reply), Ok(None), "not of the router itself");
        let mut elsewhere = reply.clone();
        elsewhere[9] = 0x1E;
        assert_eq!(Bacnet::answer(asked.bytes(), &elsewhere), Ok(None), "of its neighbour");
        let mut late = reply.clone();
        late[11] = 2;
        assert_eq!(Bacnet::answer(asked.bytes(), &late), Ok(None), "to another question");
        let vendor = ask(Function::ReadRoutedVendorName, LAMP);
        let wrong = WireError::Invalid { field: "property", value: 77 };
        assert_eq!(Bacnet::answer(vendor.bytes(), &reply), Err(wrong));
        let other = ask(Function::ReadRoutedObjectName, 30);
        assert!(matches!(
            Bacnet::answer(other.bytes(), &reply),
            Err(WireError::Invalid { field: "object", .. })
        ));
    }

    #[test]
    fn refusals_of_every_kind_are_told_apart() {
        let name = ask(Function::ReadRoutedObjectName, LAMP);
        let code = refused(&name, &to_us("unknown property", 11));
        assert_eq!((refusal::text(code.0), code.1), ("no such property", false));
        let wild = ask(Function::ReadObjectIdentifier, WILDCARD);
        let code = refused(&wild, &vector("unknown object"));
        assert_eq!(refusal::text(code.0), "no such object");
        let several = ask(Function::ReadIdentity, LAMP);
        let code = refused(&several, &to_us("reject", 12));
        assert_eq!(refusal::text(code.0), "it does not know the service");
        let abort = to_us("abort", 7);
        assert_eq!(refused(&several, &abort).0, refusal::ABORT);
        let mut busy = abort.clone();
        busy[8] = 9;
        let code = refused(&several, &busy);
        assert_eq!((refusal::text(code.0), code.1), ("it has no resources", true));
        let code = refused(&name, &vector("reject message"));
        assert_eq!(refusal::text(code.0), "no way to that network");
        assert_eq!(Bacnet::answer(several.bytes(), &vector("reject message")), Ok(None));
        let table = ask(Function::ReadBroadcastTable, 0);
        assert_eq!(refused(&table, &vector("no broadcast table")).0, refusal::LINK | 0x20);
        assert_eq!(Bacnet::answer(table.bytes(), &vector("no foreign table")), Ok(None));
        let busy = around(0x0A, &[1, 0x80, 0x04, 0, 2, 0, 3]);
        assert_eq!(refused(&name, &busy), (refusal::ROUTER | 0xFFFF, true));
        let others = around(0x0A, &[1, 0x80, 0x04, 0, 2]);
        assert_eq!(Bacnet::answer(name.bytes(), &others), Ok(None));
    }

    #[test]
    fn tables_and_networks_are_read() {
        let networks = body(&ask(Function::WhoIsRouter, 0), &vector("i am router"));
        assert_eq!(WhoIsRouter.read(&mut Reader::new(&networks)), Ok(vec![2, 3]));
        let number = body(&ask(Function::WhatIsNetworkNumber, 0), &vector("network number"));
        let number = WhatIsNetworkNumber.read(&mut Reader::new(&number)).unwrap();
        assert_eq!((number.number, number.is_configured), (100, true));
        let entry = [10, 1, 2, 3, 0xBA, 0xC0, 255, 255, 255, 0];
        let table = around(0x03, &entry.repeat(2));
        let table = body(&ask(Function::ReadBroadcastTable, 0), &table);
        let found = ReadBroadcastTable.read(&mut Reader::new(&table)).unwrap();
        assert_eq!((found.len(), found[0].at.to_string().as_str()), (2, "10.1.2.3:47808"));
        let entry = [10, 1, 2, 3, 0xBA, 0xC0, 0, 60, 0, 30];
        let table = body(&ask(Function::ReadForeignTable, 0), &around(0x07, &entry));
        let found = ReadForeignTable.read(&mut Reader::new(&table)).unwrap();
        assert_eq!((found[0].seconds, found[0].left), (60, 30));
        let half = around(0x07, &entry[..7]);
        let half = body(&ask(Function::ReadForeignTable, 0), &half);
        assert!(ReadForeignTable.read(&mut Reader::new(&half)).is_err());
    }

    #[test]
    fn a_list_that_was_not_asked_for_and_a_piece_of_an_answer_are_no_answers() {
        let count = Read { function: Function::ReadObjectCount, instance: 12345, element: Some(0) };
        let asked = Frame::of(&Bacnet::default(), 1, &count).unwrap();
        // A whole list is a value that is made of others, and no count.
        let whole = body(&asked, &vector("object list reply"));
        assert!(matches!(count.read(&mut Reader::new(&whole)), Ok(Value::Constructed(_))));
        let lamp = Bacnet::behind(Address { network: 3, mac: Mac::of(&[0x6C]).unwrap() });
        let read = ReadSeveral::of(Function::ReadRoutedIdentity, LAMP);
        let asked = Frame::of(&lamp, 1, &read).unwrap();
        let piece = to_us("segmented reply", 11);
        let piece = Bacnet::answer(asked.bytes(), &piece);
        assert!(matches!(piece, Err(WireError::Invalid { field: "segmented answer", .. })));
    }

    #[test]
    fn an_echo_is_no_answer() {
        for function in Function::ALL {
            let asked = ask(*function, LAMP);
            let echoed = Bacnet::answer(asked.bytes(), asked.bytes());
            assert_eq!(echoed, Err(WireError::Echo), "{function:?}");
        }
    }

    #[test]
    fn another_protocol_is_named_and_half_a_message_is_awaited() {
        assert!(matches!(Bacnet::split(b"HTTP/1.1 400"), Err(WireError::Foreign { .. })));
        assert_eq!(Bacnet::split(&[]), Ok(None));
        assert_eq!(Bacnet::split(&vector("i am")[..9]), Ok(None));
        assert!(Bacnet::split(&[0x81, 0x0D, 0, 4]).is_err());
        assert!(Bacnet::split(&[0x81, 0x0A, 0, 3]).is_err());
    }

    #[test]
    fn a_message_that_was_handed_on_names_who_sent_it_first() {
        let i_am = vector("i am");
        let handed = [&[10, 0, 0, 9, 0xBA, 0xC0][..], &i_am[4..]].concat();
        let handed = around(0x04, &handed);
        let asked = Frame::of(&Bacnet::default(), 1, &WhoIs::default()).unwrap();
        let origin = IAm::read(&body(&asked, &handed)).unwrap().origin;
        assert_eq!(origin.unwrap().to_string(), "10.0.0.9:47808");
    }

    #[test]
    fn times_of_every_kind_are_read_or_left() {
        let stamp = [0x2E, 0xA4, 126, 11, 26, 4, 0xB4, 10, 17, 46, 0, 0x2F];
        assert_eq!(moment(&stamp), Some(([126, 11, 26, 4], [10, 17, 46, 0])));
        assert_eq!(moment(&[0x19, 5]), None, "a sequence number");
        assert_eq!(moment(&[]), None);
    }

    proptest! {
        #[test]
        fn any_number_place_and_element_reads_back(
            instance in 0..=WILDCARD, network in 1_u16..0xFFFF, mac in prop::collection::vec(any::<u8>(), 1..=7),
            element in 1..=u32::MAX, invoke: u16, range in (0..=WILDCARD, 0..=WILDCARD),
        ) {
            let place = Bacnet::behind(Address { network, mac: Mac::of(&mac).unwrap() });
            for function in Function::ALL {
                let path = function.facts().selector;
                let made = match path.path() {
                    [_, 0x20, 0, 0x0C, ..] => Frame::of(&place, invoke, &Read::of(*function, instance)),
                    [_, 0x20, 0, 0x0E, ..] => Frame::of(&place, invoke, &ReadSeveral::of(*function, instance)),
                    [_, 0, 0, 0x0C, _, 0x80, _] => {
                        let read = Read { function: *function, instance, element: Some(element) };
                        Frame::of(&Bacnet::default(), invoke, &read)
                    }
                    [_, 0x20, 0x10, _] => {
                        let (low, high) = (range.0.min(range.1), range.0.max(range.1));
                        let everybody = Bacnet::behind(Address::all(network));
                        Frame::of(&everybody, invoke, &WhoIs { range: Some(low..=high), routed: true })
                    }
                    _ => continue,
                };
                prop_assert!(made.is_ok(), "{function:?} {made:?}");
            }
        }

        #[test]
        fn no_message_breaks_the_decoder(message: Vec<u8>, tail: Vec<u8>) {
            let _ = Bacnet::split(&message);
            let _ = Bacnet::selector(&message);
            let near: Vec<u8> = around(0x0A, &[&[1, 0, 0x30, 1, 0x0E, 0x0C, 2, 0, 0, 29, 0x1E], tail.as_slice()].concat());
            for function in Function::ALL {
                let asked = ask(*function, LAMP);
                for message in [&message, &near] {
                    if let Ok(Some(Answer::Body(body))) = Bacnet::answer(asked.bytes(), message) {
                        let _ = super::properties(&mut Reader::new(body));
                        let _ = IAm::read(body);
                        prop_assert!(body.len() <= message.len());
                    }
                }
            }
        }
    }
}
