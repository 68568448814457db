//! Pretend BACnet/IP devices, written without the codecs of the scanner: the independent eye.
//!
//! A [`Server`] is made of data: who answers at an address, which networks lie behind it, and with
//! what habits. It reads every datagram with its own code and raises an alarm for whatever is
//! malformed, addressed to more than one device, segmented, or listed in [`never::BACNET`].
//!
//! Source of the messages: ANSI/ASHRAE 135, clauses 6, 15, 16, 20 and annex J.
//!
//! [`never::BACNET`]: crate::safety::never::BACNET

mod controller;
mod kinds;
mod request;
mod value;

use std::collections::BTreeMap;

pub use controller::{Controller, Habit, Properties};
pub use kinds::{
    bbmd, called_only, controller, every_kind, old_controller, panel, port_bound, quiet,
    room_sensor, router, shouting, two_in_one, without_number,
};
pub use value::{DEVICE, Letters, NETWORK_PORT};

use crate::sim::{Action, Device, Heard, Reply, Visit};
use request::{Asked, Request, WILDCARD};

/// Where answers arrive that go to everybody, or to whoever asks.
const PORT: u16 = 47808;
/// The functions of the BVLC that carry what a device says (annex J.2).
const UNICAST: u8 = 0x0A;
const BROADCAST: u8 = 0x0B;

/// The device that other tests begin with: a controller that knows every question.
#[must_use]
pub fn typical() -> Box<dyn Device> {
    Box::new(Server::new(controller()))
}

/// A pretend device.
#[derive(Debug)]
pub struct Server {
    shape: Shape,
}

/// What is found at one address.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    /// Who answers at the address itself; the first is meant where no number is given.
    pub heads: Vec<Controller>,
    /// The networks behind it, and who lives there.
    pub networks: BTreeMap<u16, BTreeMap<Vec<u8>, Controller>>,
    /// The number of its own network; without one it does not know the question.
    pub network_number: Option<u16>,
    /// What it hands broadcasts on to.
    pub tables: Option<Tables>,
    /// Whom it answers.
    pub answers: Answers,
    /// Whether its plant agreed to be called by broadcasts, for a range of numbers.
    pub agreed_to_broadcasts: bool,
}

/// Whom a device answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Answers {
    /// Whoever asked, at the port that it asked from.
    #[default]
    TheAsker,
    /// Everybody if it was called, and otherwise whoever asked.
    EverybodyIfCalled,
    /// Whoever asked, but always at port 47808.
    TheUsualPort,
}

/// The tables of a BBMD.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// Address, port and mask of its peers.
    pub distribution: Vec<([u8; 4], u16, [u8; 4])>,
    /// Address and port of foreign devices, for how many seconds they registered, and how many remain.
    pub foreign: Vec<([u8; 4], u16, [u16; 2])>,
}

impl Server {
    /// A server of this shape.
    #[must_use]
    pub fn new(shape: Shape) -> Self {
        Self { shape }
    }

    fn hear(&self, request: &Request) -> Vec<Action> {
        let shape = &self.shape;
        match (&request.to, &request.asked) {
            (None, Asked::DistributionTable) => vec![self.table(0x03, 0x20, Tables::distributed)],
            (None, Asked::ForeignTable) => vec![self.table(0x07, 0x40, Tables::registered)],
            (None, Asked::WhoIsRouter(network)) => self.routes(*network),
            (None, Asked::NetworkNumber) => self.network_number(),
            (None, Asked::WhoIs(range)) => {
                let answers = shape.heads.iter().filter_map(|head| head.i_am(*range));
                answers.map(|apdu| self.calls_back(None, &apdu)).collect()
            }
            (None, Asked::Confirmed(invoke, longest, service)) => {
                let object = service_object(service);
                let named = shape.heads.iter().find(|head| head.has(object));
                let Some(head) = named.or(shape.heads.first()) else { return Vec::new() };
                let answer = head.answer(*invoke, *longest, service);
                let answer = answer.map(|apdu| self.answers(None, &apdu));
                late(head, answer)
            }
            (Some((network, address)), asked) => self.behind(*network, address, asked),
            (None, Asked::Other) => Vec::new(),
        }
    }

    /// What somebody on a network behind it says; who is no router says nothing of others.
    fn behind(&self, network: u16, address: &[u8], asked: &Asked) -> Vec<Action> {
        let Some(devices) = self.shape.networks.get(&network) else {
            let [high, low] = network.to_be_bytes();
            let no_way = [0x01, 0x80, 0x03, 1, high, low];
            let routes = !self.shape.networks.is_empty();
            return routes.then(|| self.to_the_asker(UNICAST, &no_way)).into_iter().collect();
        };
        let called = devices.iter().filter(|(at, _)| address.is_empty() || *at == address);
        let answers = called.flat_map(|(at, device)| match asked {
            Asked::WhoIs(range) => {
                let apdu = device.i_am(*range);
                late(device, apdu.map(|apdu| self.calls_back(Some((network, at)), &apdu)))
            }
            Asked::Confirmed(invoke, longest, service) if !address.is_empty() => {
                let apdu = device.answer(*invoke, *longest, service);
                late(device, apdu.map(|apdu| self.answers(Some((network, at)), &apdu)))
            }
            _ => Vec::new(),
        });
        answers.collect()
    }

    /// I-Am-Router-To-Network, which goes to everybody (clause 6.5.1).
    fn routes(&self, wanted: Option<u16>) -> Vec<Action> {
        let leads = |network: &&u16| wanted.is_none_or(|wanted| wanted == **network);
        let networks = self.shape.networks.keys().filter(leads);
        let networks: Vec<u8> = networks.flat_map(|network| network.to_be_bytes()).collect();
        if networks.is_empty() {
            return Vec::new();
        }
        vec![self.to_everybody(&[&[0x01, 0x80, 0x01][..], &networks].concat())]
    }

    /// Network-Number-Is; a router that does not know the question says so, others say nothing.
    fn network_number(&self) -> Vec<Action> {
        match self.shape.network_number {
            Some(number) => {
                let [high, low] = number.to_be_bytes();
                vec![self.to_everybody(&[0x01, 0x80, 0x13, high, low, 1])]
            }
            None if self.shape.networks.is_empty() => Vec::new(),
            None => vec![self.to_the_asker(UNICAST, &[0x01, 0x80, 0x03, 3, 0, 0])],
        }
    }

    fn table(&self, function: u8, refusal: u8, rows: impl Fn(&Tables) -> Vec<u8>) -> Action {
        match &self.shape.tables {
            Some(tables) => self.to_the_asker(function, &rows(tables)),
            None => self.to_the_asker(0x00, &[0, refusal]),
        }
    }

    /// The answer to a read.
    fn answers(&self, from: Option<(u16, &Vec<u8>)>, apdu: &[u8]) -> Action {
        self.to_the_asker(UNICAST, &npdu(from, false, apdu))
    }

    /// The answer to a call.
    fn calls_back(&self, from: Option<(u16, &Vec<u8>)>, apdu: &[u8]) -> Action {
        match self.shape.answers {
            Answers::EverybodyIfCalled => self.to_everybody(&npdu(from, true, apdu)),
            _ => self.answers(from, apdu),
        }
    }

    fn to_everybody(&self, npdu: &[u8]) -> Action {
        match self.shape.answers {
            Answers::EverybodyIfCalled => Action::SendToPort(PORT, bvlc(BROADCAST, npdu)),
            _ => self.to_the_asker(UNICAST, npdu),
        }
    }

    fn to_the_asker(&self, function: u8, body: &[u8]) -> Action {
        let message = bvlc(function, body);
        match self.shape.answers {
            Answers::TheUsualPort => Action::SendToPort(PORT, message),
            _ => Action::Send(message),
        }
    }

    /// Whom a request is for: 0 is whoever answers first at the address itself.
    fn unit(&self, request: &Request) -> u32 {
        let first = self.shape.heads.first().map(|head| head.instance);
        match (&request.to, &request.asked) {
            (Some((network, address)), _) => {
                let last = address.last().copied().unwrap_or(0xFF);
                0x8000_0000 | u32::from(*network) << 8 | u32::from(last)
            }
            (None, Asked::Confirmed(_, _, service)) => match service_object(service) {
                (DEVICE, instance) if instance != WILDCARD && Some(instance) != first => instance,
                _ => 0,
            },
            _ => 0,
        }
    }
}

impl Tables {
    fn distributed(&self) -> Vec<u8> {
        let rows = self.distribution.iter();
        rows.flat_map(|(at, port, mask)| [&at[..], &port.to_be_bytes(), mask].concat()).collect()
    }

    fn registered(&self) -> Vec<u8> {
        let row = |(at, port, [whole, left]): &([u8; 4], u16, [u16; 2])| {
            let numbers = [*port, *whole, *left].map(u16::to_be_bytes).concat();
            [&at[..], &numbers].concat()
        };
        self.foreign.iter().flat_map(row).collect()
    }
}

impl Device for Server {
    fn protocol(&self) -> &'static str {
        "bacnet"
    }

    fn takes_datagrams(&self) -> bool {
        true
    }

    fn answer(&self, visit: Visit, received: &[u8]) -> Reply {
        let consumed = received.len();
        let alarm = |what: &str| Reply {
            consumed,
            alarms: vec![format!("{what}: {}", hex(received))],
            actions: vec![Action::Close],
            heard: None,
        };
        if !visit.datagram {
            return alarm("there are no connections in BACnet/IP");
        }
        let Some(request) = Request::read(received) else { return alarm("malformed") };
        let alarm = request.alarm(self.shape.agreed_to_broadcasts);
        Reply {
            consumed,
            heard: Some(Heard { unit: self.unit(&request), selector: request.selector() }),
            actions: self.hear(&request),
            alarms: alarm
                .map(|alarm| format!("{alarm} in {}", hex(received)))
                .into_iter()
                .collect(),
        }
    }
}

fn service_object(service: &request::Service) -> (u16, u32) {
    match service {
        request::Service::Read(wanted) => wanted.object,
        request::Service::ReadSeveral(all) => {
            all.first().map_or((DEVICE, WILDCARD), |wanted| wanted.object)
        }
        request::Service::Other => (DEVICE, WILDCARD),
    }
}

fn late(device: &Controller, answer: Option<Action>) -> Vec<Action> {
    let wait = Some(Action::Wait(device.takes)).filter(|_| !device.takes.is_zero());
    wait.into_iter().chain(answer).collect()
}

/// A message of a device, from a network behind this address or from it, to one or to everybody.
fn npdu(from: Option<(u16, &Vec<u8>)>, everybody: bool, apdu: &[u8]) -> Vec<u8> {
    let (control, source) = match from {
        Some((network, address)) => {
            let length = u8::try_from(address.len()).unwrap_or(u8::MAX);
            (0x08, [&network.to_be_bytes()[..], &[length], address].concat())
        }
        None => (0x00, Vec::new()),
    };
    match everybody {
        true => [&[1, control | 0x20, 0xFF, 0xFF, 0][..], &source, &[0xFE], apdu].concat(),
        false => [&[1, control][..], &source, apdu].concat(),
    }
}

fn bvlc(function: u8, body: &[u8]) -> Vec<u8> {
    [&[0x81, function][..], &value::short(4 + body.len()), body].concat()
}

fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::safety::never;

    const DATAGRAM: Visit =
        Visit { connection: 1, others: 0, now: std::time::Duration::ZERO, datagram: true };

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<char> = hex.chars().filter(|digit| !digit.is_whitespace()).collect();
        let byte =
            |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap();
        digits.chunks(2).map(byte).collect()
    }

    fn message(function: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(4 + body.len()).unwrap().to_be_bytes();
        [&[0x81, function][..], &length, body].concat()
    }

    fn ask(shape: Shape, request: &[u8]) -> Reply {
        Server::new(shape).answer(DATAGRAM, request)
    }

    fn sent(reply: &Reply) -> Vec<Vec<u8>> {
        let sends = reply.actions.iter().filter_map(|action| match action {
            Action::Send(bytes) | Action::SendToPort(_, bytes) => Some(bytes.clone()),
            _ => None,
        });
        sends.collect()
    }

    /// A read of one property of the device, as a whole datagram.
    fn read(property: u8) -> Vec<u8> {
        let head = bytes("0104 0005 07 0C 0C 02 3F FF FF 19");
        message(0x0A, &[&head[..], &[property]].concat())
    }

    #[test]
    fn the_number_of_all_is_answered_with_the_own_one() {
        let reply = ask(controller(), &read(75));
        assert_eq!(reply.alarms, Vec::<String>::new());
        let answer = "810A0017 0100 30 07 0C 0C 02001267 194B 3E C402001267 3F";
        assert_eq!(sent(&reply), [bytes(answer)]);
        let heard = reply.heard.unwrap();
        assert_eq!((heard.unit, heard.selector.to_string().as_str()), (0, "0A.00.00.0C.08.00.4B"));
    }

    #[test]
    fn several_properties_come_with_the_errors_of_those_that_it_does_not_have() {
        let request = message(0x0A, &bytes("0104 0005 07 0E 0C 020000D6 1E 0946 0A0174 1F"));
        let mut shape = room_sensor();
        let refused = ask(shape.clone(), &request);
        assert_eq!(sent(&refused), [bytes("810A0009 0100 60 07 09")]);
        shape.heads[0].several = Habit::Answers;
        let model = "2946 4E 75 08 05 42482D5254 2031 4F";
        let error = "2A0174 5E 9102 9120 5F";
        let whole = bytes(&format!("0100 30 07 0E 0C 020000D6 1E {model} {error} 1F"));
        assert_eq!(sent(&ask(shape, &request)), [message(0x0A, &whole)]);
    }

    #[test]
    fn whatever_is_longer_than_either_side_takes_is_refused() {
        let mut short = read(28);
        short[7] = 0; // the asker takes fifty bytes
        let reply = ask(panel(), &short);
        assert_eq!(
            sent(&reply),
            [bytes("810A000D 0100 50 07 0C 9102 9120")],
            "it has no description"
        );
        let mut short = read(70);
        short[7] = 0;
        let mut shape = controller();
        shape.heads[0].objects.get_mut(&(DEVICE, 4_711)).unwrap().insert(70, vec![0x21; 99]);
        assert_eq!(sent(&ask(shape, &short)), [bytes("810A0009 0100 71 07 04")]);
    }

    #[test]
    fn a_call_is_answered_by_everybody_who_is_meant() {
        let call = bytes("810A0008 0100 1008");
        let answer =
            |number: &str| bytes(&format!("810A0017 0100 1000 C4{number} 220400 9103 22EA61"));
        assert_eq!(
            sent(&ask(two_in_one(), &call)),
            [answer("0200126B"), answer("0200126C")].map(|mut a| {
                a[3] = u8::try_from(a.len()).unwrap();
                a
            })
        );
        let range = bytes("810A000E 0100 1008 0A126C 1A126C");
        assert_eq!(sent(&ask(two_in_one(), &range)).len(), 1);
        assert_eq!(sent(&ask(quiet(), &call)).len(), 0);
        let everybody = ask(shouting(), &call);
        let [Action::SendToPort(47808, bytes)] = &everybody.actions[..] else {
            panic!("{everybody:?}")
        };
        assert_eq!(bytes[..10], [0x81, 0x0B, 0, bytes[3], 1, 0x20, 0xFF, 0xFF, 0, 0xFE]);
    }

    #[test]
    fn a_router_says_where_it_leads_and_hands_on() {
        let networks = ask(router(), &bytes("810A0007 0180 00"));
        assert_eq!(sent(&networks), [bytes("810A000B 0180 01 07D1 07D2")]);
        assert_eq!(
            sent(&ask(router(), &bytes("810A0007 0180 12"))),
            [bytes("810A000A 0180 13 0064 01")]
        );
        assert_eq!(sent(&ask(controller(), &bytes("810A0007 0180 00"))), Vec::<Vec<u8>>::new());
        let call = bytes("810A000C 0120 07D1 00 FF 1008");
        let called = ask(router(), &call);
        assert_eq!(called.alarms, Vec::<String>::new());
        let from: Vec<Vec<u8>> =
            sent(&called).iter().map(|answer| answer[4..10].to_vec()).collect();
        assert_eq!(from, [bytes("0108 07D1 01 02"), bytes("0108 07D1 01 04")]);
        let mut read = bytes("0124 07D2 01 72 FF 0005 09 0C 0C 02 3FFFFF 194D");
        let answered = ask(router(), &message(0x0A, &read));
        assert_eq!(sent(&answered)[0][..12], bytes("810A0021 0108 07D2 01 72 30 09"));
        assert_eq!(answered.heard.unwrap().unit, 0x8007_D272);
        read[3] = 0xD3;
        let no_way = ask(router(), &message(0x0A, &read));
        assert_eq!(sent(&no_way), [bytes("810A000A 0180 03 01 07D3")]);
    }

    #[test]
    fn tables_are_read_and_who_keeps_none_says_so() {
        let tables = [bytes("81020004"), bytes("81060004")];
        let said = tables.clone().map(|question| sent(&ask(bbmd(), &question)).concat());
        let first = "8103 0018 0A010107 BAC0 FFFFFFFF 0A020005 BAC0 FFFFFFFF";
        let second = "8107 0018 0A09004D BAC0 0258 0200 0A09004E BACC 003C 0003";
        assert_eq!(said, [first, second].map(bytes));
        let refused = tables.map(|question| sent(&ask(controller(), &question)).concat());
        assert_eq!(refused, ["81000006 0020", "81000006 0040"].map(bytes));
    }

    #[test]
    fn lists_are_read_by_element() {
        let element = |index: u8| {
            let head = bytes("0104 0005 07 0C 0C 02001267 194C 29");
            let reply = ask(controller(), &message(0x0A, &[&head[..], &[index]].concat()));
            let path = reply.heard.unwrap().selector.to_string();
            (path, sent(&reply)[0][10..].to_vec(), reply.alarms.is_empty())
        };
        let length = bytes("02001267 194C 2900 3E 2104 3F");
        let second = bytes("02001267 194C 2902 3E C401400001 3F");
        let (path, answer, fine) = element(0);
        assert_eq!((path.as_str(), &answer[..], fine), ("0A.00.00.0C.08.40.4C", &length[..], true));
        let (path, answer, fine) = element(2);
        assert_eq!((path.as_str(), &answer[..], fine), ("0A.00.00.0C.08.80.4C", &second[..], true));
        assert_eq!(element(9).1, bytes("02 91 2A"), "the end of an error: no such element");
    }

    /// What nobody may ever send, and what it is told as.
    #[test]
    fn what_must_not_be_asked_raises_the_alarm() {
        for (what, body) in [
            ("segments", "0104 0205 07 0C 0C 023FFFFF 194B"),
            ("one piece", "0104 0075 07 0C 0C 023FFFFF 194B"),
            ("one piece", "0100 0005 07 0C 0C 023FFFFF 194B"),
            ("a priority", "0107 0005 07 0C 0C 023FFFFF 194B"),
            ("pretends", "010C 0007 01 09 0005 07 0C 0C 023FFFFF 194B"),
            ("every network", "0120 FFFF 00 FF 1008"),
            ("handed on", "0120 0007 00 00 1008"),
            ("whole network", "0124 0007 00 FF 0005 07 0C 0C 023FFFFF 194B"),
            ("changes", "0104 0005 07 0C 0C 023FFFFF 194C"),
            ("changes", "0104 0005 07 0E 0C 023FFFFF 1E 0908 1F"),
            ("changes", "0104 0005 07 0F 0C 023FFFFF 194D 3E 7505 00414243 44 3F"),
            ("says nothing", "0104 0005 07 0C 0C 00000001 1955"),
            (
                "eight",
                "0104 0005 07 0E 0C 023FFFFF 1E 094D 094D 094D 094D 094D 094D 094D 094D 094D 1F",
            ),
            ("malformed", "0104 0005 07 0E 0C 023FFFFF 1E 094D"),
            ("malformed", "0104 0005 07 0E 0C 023FFFFF 1E 1F"),
            ("malformed", "0104 0005 07 0E 0C 023FFFFF 1E 094D 1F 0C 023FFFFF 1E 094D 1F"),
            ("malformed", "0104 0005 07 0C 0C 023FFFFF 1A004D"),
            ("malformed", "0104 0005 07 0C 0C 023FFFFF 194D 00"),
            ("malformed", "0100 1008 0900"),
            ("malformed", "0180 00 0001 02"),
            ("wrong end", "0100 1008 0909 1908"),
        ] {
            let reply = ask(controller(), &message(0x0A, &bytes(body)));
            assert!(
                reply.alarms.iter().any(|alarm| alarm.contains(what)),
                "{what} {body}: {reply:?}"
            );
        }
        let fine = ask(controller(), &message(0x0A, &bytes("0104 0005 07 0C 0C 023FFFFF 194B")));
        assert_eq!(fine.alarms, Vec::<String>::new());
    }

    #[test]
    fn broadcasts_are_for_plants_that_agreed() {
        let call = message(0x0B, &bytes("0100 1008 0900 1A03E7"));
        assert!(
            ask(controller(), &call).alarms[0].starts_with("a broadcast that nobody agreed to")
        );
        let agreed = Shape { agreed_to_broadcasts: true, ..controller() };
        assert_eq!(ask(agreed.clone(), &call).alarms, Vec::<String>::new());
        let everybody = message(0x0B, &bytes("0100 1008"));
        assert!(ask(agreed, &everybody).alarms[0].starts_with("everybody is called"));
    }

    #[test]
    fn lengths_that_lie_and_connections_raise_the_alarm() {
        let mut lies = read(75);
        lies[3] += 1;
        assert!(ask(controller(), &lies).alarms[0].starts_with("malformed"));
        let connected = Visit { datagram: false, ..DATAGRAM };
        let reply = Server::new(controller()).answer(connected, &read(75));
        assert!(reply.alarms[0].starts_with("there are no connections"));
    }

    /// A request that a row of the table stands for.
    fn forbidden(row: &[u16]) -> Vec<u8> {
        let row: Vec<u8> = row.iter().map(|part| u8::try_from(*part).unwrap_or(0)).collect();
        match row[..] {
            [function] => message(function, &[0, 0]),
            [function, control] => message(function, &[1, control, 0, 7, 0, 0xFF, 0]),
            [function, 0x80, kind] => message(function, &[1, 0x80, kind, 0]),
            [function, _, 0x00, service] => {
                message(function, &[1, 4, 0, 5, 1, service, 0x0C, 2, 0x3F, 0xFF, 0xFF, 0x19, 0x4D])
            }
            [function, _, 0x00] => message(function, &[1, 4, 0, 5, 1, 12]),
            [function, _, kind, service] => message(function, &[1, 0, kind, service]),
            [function, _, 0, _, _, _, property] => {
                message(function, &[1, 4, 0, 5, 1, 0x0C, 0x0C, 2, 0x3F, 0xFF, 0xFF, 0x19, property])
            }
            _ => panic!("{row:x?}"),
        }
    }

    #[test]
    fn every_forbidden_row_trips_the_wire() {
        for row in never::BACNET {
            let request = forbidden(row);
            let reply = ask(controller(), &request);
            assert!(!reply.alarms.is_empty(), "{row:x?}: {request:x?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_any_kind_of_device_panic(
            parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..6),
            datagram in any::<bool>(),
        ) {
            for shape in every_kind() {
                let server = Server::new(shape);
                for part in &parts {
                    let _ = server.answer(Visit { datagram, ..DATAGRAM }, part);
                }
            }
        }

        /// Whatever follows a whole header is a read of identity, or raises the alarm.
        #[test]
        fn nothing_but_reads_goes_by_unnoticed(
            control in prop::sample::select(vec![0_u8, 4, 0x20, 0x24, 0x80]),
            body in prop::collection::vec(any::<u8>(), 1..40),
        ) {
            for shape in every_kind() {
                let request = message(0x0A, &[&[1, control][..], &body].concat());
                let reply = ask(shape, &request);
                let path = reply.heard.unwrap().selector;
                let read = matches!(
                    path.path(),
                    [0x0A, 0x80, 0x00 | 0x12]
                        | [0x0A, 0x00 | 0x20, 0x10, 0x08]
                        | [0x0A, 0x00 | 0x20, 0x00, 0x0C | 0x0E, 0x08 | 0x38, ..]
                );
                prop_assert!(read || !reply.alarms.is_empty(), "{reply:?}");
            }
        }
    }
}
