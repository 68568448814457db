//! Pretend EtherNet/IP devices, written without the codecs of the scanner: the independent eye.
//!
//! A [`Server`] is made of data: the [`Module`] that answers, and those in its rack. It reads every
//! request with its own code and raises an alarm for whatever is malformed, out of order, unknown,
//! or listed in [`never::ENIP`].
//!
//! Source of the messages: ODVA, The CIP Networks Library, volumes 1 and 2; the captures of a
//! ControlLogix rack named in `tests/vectors/enip.csv`.

mod kinds;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

pub use kinds::{adapter, compactlogix, controllogix, drive, every_kind, gateway, micro800};

use crate::safety::{Selector, never};
use crate::sim::{Action, Device, Heard, Reply, Visit};

/// The device that other tests begin with: an Ethernet module at the head of a ControlLogix rack.
#[must_use]
pub fn typical() -> Box<dyn Device> {
    Box::new(Server::new(controllogix()))
}

/// A pretend device.
#[derive(Debug)]
pub struct Server {
    shape: Shape,
    /// The session of each connection that has one.
    sessions: Mutex<BTreeMap<u64, u32>>,
}

/// What a device is.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Whether it listens for datagrams.
    pub datagrams: bool,
    /// What it says to List Identity.
    pub lists: Lists,
    /// Further identities that it gives in the same answer.
    pub further: Vec<Module>,
    /// The module that answers.
    pub head: Module,
    /// What it does with an Unconnected Send.
    pub routes: Routes,
}

/// What a device says to List Identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lists {
    /// Who it is.
    Answers,
    /// Who it is, without the state byte at the end.
    WithoutState,
    /// This status of the encapsulation.
    Refuses(u32),
    /// A list of no items.
    Empty,
}

/// What a device does with an Unconnected Send.
#[derive(Clone, Debug)]
pub enum Routes {
    /// It knows no such service.
    No,
    /// It gives itself out for whatever is asked for.
    Echoes,
    /// It asks the modules in its rack; an empty slot takes a second.
    Rack(BTreeMap<u8, Module>),
}

/// One module.
#[derive(Clone, Debug, Default)]
pub struct Module {
    /// Vendor, device type, product code.
    pub key: [u16; 3],
    /// Major and minor revision.
    pub revision: [u8; 2],
    /// Status word.
    pub status: u16,
    /// Serial number.
    pub serial: u32,
    /// Product name.
    pub name: &'static str,
    /// Whether it knows Get_Attributes_All for its identity.
    pub gives_all: bool,
    /// Whether it knows Get_Attribute_List.
    pub gives_lists: bool,
    /// What else it answers, by service, class, instance and attributes.
    pub objects: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Server {
    /// A server of this shape.
    #[must_use]
    pub fn new(shape: Shape) -> Self {
        Self { shape, sessions: Mutex::default() }
    }

    fn hear(&self, visit: Visit, request: &Request<'_>) -> (Vec<Action>, Option<String>) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let open = sessions.get(&visit.connection).copied();
        match request.asked {
            Asked::Services => (vec![request.answer(0, 0, &services())], None),
            Asked::Identity => (self.list(request), None),
            _ if visit.datagram => out_of_order(request),
            Asked::Register if open.is_some() => out_of_order(request),
            Asked::Register => {
                let handle = u32::try_from(visit.connection).unwrap_or(u32::MAX) | 0x1100_0000;
                sessions.insert(visit.connection, handle);
                (vec![request.answer(handle, 0, &[1, 0, 0, 0])], None)
            }
            _ if open.is_none() => out_of_order(request),
            // A handle can get damaged on its way to the other side.
            _ if open != Some(request.session) => {
                (vec![request.answer(request.session, 0x64, &[])], None)
            }
            Asked::Unregister => {
                sessions.remove(&visit.connection);
                (vec![Action::Close], None)
            }
            Asked::Object(ref path) => (self.object(request, path), None),
            Asked::Slot(slot, ref path) => (self.slot(request, slot, path), None),
            Asked::Other => (vec![request.answer(request.session, 1, &[])], None),
        }
    }

    fn list(&self, request: &Request<'_>) -> Vec<Action> {
        let all = std::iter::once(&self.shape.head).chain(&self.shape.further);
        let items: Vec<Vec<u8>> = match self.shape.lists {
            Lists::Refuses(status) => return vec![request.answer(0, status, &[])],
            Lists::Empty => Vec::new(),
            Lists::Answers => all.map(|module| module.item(true)).collect(),
            Lists::WithoutState => all.map(|module| module.item(false)).collect(),
        };
        let count = u16::try_from(items.len()).unwrap_or(u16::MAX).to_le_bytes();
        vec![request.answer(0, 0, &[&count[..], &items.concat()].concat())]
    }

    fn object(&self, request: &Request<'_>, path: &[u8]) -> Vec<Action> {
        vec![request.answer_cip(&self.shape.head.answer(path))]
    }

    fn slot(&self, request: &Request<'_>, slot: u8, path: &[u8]) -> Vec<Action> {
        match &self.shape.routes {
            Routes::No => vec![request.answer_cip(&[0xD2, 0, 0x08, 0])],
            Routes::Echoes => self.object(request, path),
            Routes::Rack(slots) => match slots.get(&slot) {
                Some(module) => vec![request.answer_cip(&module.answer(path))],
                None => {
                    let nobody = [0xD2, 0, 0x01, 1, 0x04, 0x02, 1, 0];
                    vec![Action::Wait(Duration::from_millis(1024)), request.answer_cip(&nobody)]
                }
            },
        }
    }
}

fn out_of_order(request: &Request<'_>) -> (Vec<Action>, Option<String>) {
    (Vec::new(), Some(format!("out of order: {}", hex(request.bytes))))
}

/// "Communications": CIP over TCP, I/O over UDP.
fn services() -> Vec<u8> {
    let name = b"Communications\0\0";
    [&[1, 0, 0, 1, 20, 0, 1, 0, 0x20, 0x01][..], name].concat()
}

impl Module {
    /// Attributes 1 to 7 of its identity.
    fn attributes(&self) -> [Vec<u8>; 7] {
        let [vendor, kind, code] = self.key.map(|number| number.to_le_bytes().to_vec());
        let length = u8::try_from(self.name.len()).unwrap_or(u8::MAX);
        let name = [&[length], self.name.as_bytes()].concat();
        let (status, serial) = (self.status.to_le_bytes(), self.serial.to_le_bytes());
        [vendor, kind, code, self.revision.to_vec(), status.to_vec(), serial.to_vec(), name]
    }

    /// An item of List Identity.
    fn item(&self, with_state: bool) -> Vec<u8> {
        let socket = [0, 2, 0xAF, 0x12, 10, 1, 1, 7, 0, 0, 0, 0, 0, 0, 0, 0];
        let mut item = [&[1, 0][..], &socket, &self.attributes().concat()].concat();
        item.extend(with_state.then_some(3));
        let length = u16::try_from(item.len()).unwrap_or(u16::MAX).to_le_bytes();
        [&[0x0C, 0], &length[..], &item].concat()
    }

    /// The answer to a request for `path`, with its status.
    fn answer(&self, path: &[u8]) -> Vec<u8> {
        let service = path.first().copied().unwrap_or_default();
        let found = match path {
            [1, 1, 1] if self.gives_all => Some(self.attributes().concat()),
            [3, 1, 1, numbers @ ..] if self.gives_lists => Some(self.listed(numbers)),
            [0x0E, 1, 1, number @ 1..=7] => {
                self.attributes().get(usize::from(*number) - 1).cloned()
            }
            path => self.objects.get(path).cloned(),
        };
        match found {
            Some(data) => [&[service | 0x80, 0, 0, 0], &data[..]].concat(),
            None => vec![service | 0x80, 0, self.refusal(path), 0],
        }
    }

    /// The general status for what it does not answer.
    fn refusal(&self, path: &[u8]) -> u8 {
        const NO_SUCH_OBJECT: u8 = 0x05;
        const NO_SUCH_SERVICE: u8 = 0x08;
        const NO_SUCH_ATTRIBUTE: u8 = 0x14;
        let object = path.get(1..3).unwrap_or_default();
        let has = object == [1, 1] || self.objects.keys().any(|key| key.get(1..3) == Some(object));
        match path.first() {
            _ if !has => NO_SUCH_OBJECT,
            Some(0x0E) => NO_SUCH_ATTRIBUTE,
            _ => NO_SUCH_SERVICE,
        }
    }

    fn listed(&self, numbers: &[u8]) -> Vec<u8> {
        let count = u16::try_from(numbers.len()).unwrap_or(u16::MAX).to_le_bytes();
        let attributes = self.attributes();
        let each = numbers.iter().flat_map(|number| {
            let value = attributes.get(usize::from(*number).wrapping_sub(1));
            let (status, value) = value.map_or((0x14, &[][..]), |value| (0, value));
            [&[*number, 0, status, 0], value].concat()
        });
        count.into_iter().chain(each).collect()
    }
}

impl Device for Server {
    fn protocol(&self) -> &'static str {
        "enip"
    }

    fn takes_datagrams(&self) -> bool {
        self.shape.datagrams
    }

    fn answer(&self, visit: Visit, received: &[u8]) -> Reply {
        let request = match Request::read(received) {
            Ok(Some(request)) => request,
            Ok(None) => return Reply::default(),
            Err(alarm) => {
                let (consumed, alarms) = (received.len(), vec![alarm]);
                return Reply { consumed, alarms, actions: vec![Action::Close], heard: None };
            }
        };
        let (actions, alarm) = self.hear(visit, &request);
        let unit = if let Asked::Slot(slot, _) = request.asked { 1 + u32::from(slot) } else { 0 };
        Reply {
            consumed: request.bytes.len(),
            heard: Some(Heard { unit, selector: Selector::of(&request.path) }),
            actions,
            alarms: alarm.into_iter().chain(request.alarm()).collect(),
        }
    }
}

/// A request, as this server reads it.
struct Request<'a> {
    bytes: &'a [u8],
    session: u32,
    path: Vec<u8>,
    asked: Asked,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Asked {
    Services,
    Identity,
    Register,
    Unregister,
    Object(Vec<u8>),
    Slot(u8, Vec<u8>),
    Other,
}

impl<'a> Request<'a> {
    /// The first request in `bytes`; `None` while it is incomplete.
    fn read(bytes: &'a [u8]) -> Result<Option<Self>, String> {
        let [command, high, l0, l1, ..] = bytes else { return Ok(None) };
        let length = 24 + usize::from(u16::from_le_bytes([*l0, *l1]));
        let Some(whole) = bytes.get(..length) else { return Ok(None) };
        let malformed = || Err(format!("malformed: {}", hex(whole)));
        let [
            _,
            _,
            _,
            _,
            s0,
            s1,
            s2,
            s3,
            0,
            0,
            0,
            0,
            d0,
            d1,
            _,
            _,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            data @ ..,
        ] = whole
        else {
            return malformed();
        };
        // The sender context begins with how long an answer may be put off: half a second.
        if *high != 0 || u16::from_le_bytes([*d0, *d1]) != 500 {
            return malformed();
        }
        let session = u32::from_le_bytes([*s0, *s1, *s2, *s3]);
        let asked = match (*command, session, data) {
            (0x04, 0, []) => Asked::Services,
            (0x63, 0, []) => Asked::Identity,
            (0x65, 0, [1, 0, 0, 0]) => Asked::Register,
            (0x66, _, []) => Asked::Unregister,
            (0x6F, _, [0, 0, 0, 0, 10, 0, 2, 0, 0, 0, 0, 0, 0xB2, 0, c0, c1, cip @ ..])
                if usize::from(u16::from_le_bytes([*c0, *c1])) == cip.len() =>
            {
                match cip_request(cip) {
                    Some(asked) => asked,
                    None => return malformed(),
                }
            }
            (0x04 | 0x63 | 0x65 | 0x66 | 0x6F, ..) => return malformed(),
            _ => Asked::Other,
        };
        let mut path = vec![*command];
        match &asked {
            Asked::Object(inner) => path.extend(inner),
            Asked::Slot(_, inner) => {
                path.extend([0x52, 6, 1]);
                path.extend(inner);
            }
            _ => {}
        }
        path.truncate(14); // no selector is longer
        Ok(Some(Self { bytes: whole, session, path, asked }))
    }

    fn answer(&self, session: u32, status: u32, data: &[u8]) -> Action {
        let length = u16::try_from(data.len()).unwrap_or(u16::MAX).to_le_bytes();
        let mut bytes = self.bytes.get(..2).unwrap_or_default().to_vec();
        bytes.extend(length);
        bytes.extend(session.to_le_bytes());
        bytes.extend(status.to_le_bytes());
        bytes.extend_from_slice(self.bytes.get(12..24).unwrap_or_default());
        bytes.extend_from_slice(data);
        Action::Send(bytes)
    }

    fn answer_cip(&self, cip: &[u8]) -> Action {
        let length = u16::try_from(cip.len()).unwrap_or(u16::MAX).to_le_bytes();
        let around = [0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0xB2, 0];
        self.answer(self.session, 0, &[&around[..], &length, cip].concat())
    }

    /// What must never have been sent.
    fn alarm(&self) -> Option<String> {
        let (path, request) = (Selector::of(&self.path), hex(self.bytes));
        if never::lists(never::ENIP, &self.path) {
            return Some(format!("changes the device: {path} in {request}"));
        }
        let is_read = match &self.asked {
            Asked::Object(path) | Asked::Slot(_, path) => {
                matches!(path.first(), Some(0x01 | 0x03 | 0x0E))
            }
            asked => *asked != Asked::Other,
        };
        (!is_read).then(|| format!("no read-only request that is known here: {path} in {request}"))
    }
}

/// Service, class, instance and what is asked of it.
fn cip_request(cip: &[u8]) -> Option<Asked> {
    match cip {
        [0x52, 2, 0x20, 6, 0x24, 1, 6, 16, l0, l1, rest @ ..] => {
            let length = usize::from(u16::from_le_bytes([*l0, *l1]));
            let (inner, route) = rest.split_at_checked(length)?;
            let [1, 0, 1, slot] = route else { return None };
            let path = plain(inner)?;
            Some(Asked::Slot(*slot, path))
        }
        cip => plain(cip).map(Asked::Object),
    }
}

fn plain(cip: &[u8]) -> Option<Vec<u8>> {
    match cip {
        [service, 2, 0x20, class, 0x24, instance] => Some(vec![*service, *class, *instance]),
        [service, 3, 0x20, class, 0x24, instance, 0x30, attribute] => {
            Some(vec![*service, *class, *instance, *attribute])
        }
        [3, 2, 0x20, class, 0x24, instance, count, 0, numbers @ ..] => {
            let mut path = vec![3, *class, *instance];
            for pair in numbers.chunks(2) {
                let [number, 0] = pair else { return None };
                path.push(*number);
            }
            (path.len() == 3 + usize::from(*count)).then_some(path)
        }
        [service, 2, 0x20, class, 0x24, instance, ..] => Some(vec![*service, *class, *instance]),
        _ => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::safety::never::ANY;

    fn visit(connection: u64) -> Visit {
        Visit { connection, ..Visit::default() }
    }

    fn encapsulated(command: u8, session: u32, data: &[u8]) -> Vec<u8> {
        let length = u16::try_from(data.len()).unwrap().to_le_bytes();
        let head = [&[command, 0], &length[..], &session.to_le_bytes(), &[0; 4]].concat();
        [&head, &[0xF4, 1, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], data].concat()
    }

    fn unconnected(session: u32, cip: &[u8]) -> Vec<u8> {
        let length = u16::try_from(cip.len()).unwrap().to_le_bytes();
        let around = [0, 0, 0, 0, 10, 0, 2, 0, 0, 0, 0, 0, 0xB2, 0];
        encapsulated(0x6F, session, &[&around[..], &length, cip].concat())
    }

    /// A request that a row of the table stands for.
    fn forbidden(row: &[u16], session: u32) -> Vec<u8> {
        let row: Vec<u8> = row.iter().map(|byte| u8::try_from(*byte).unwrap_or(1)).collect();
        let plain = |path: &[u8]| {
            let part = |at: usize| path.get(at).copied().unwrap_or(1);
            vec![part(0), 2, 0x20, part(1), 0x24, part(2)]
        };
        match &row[..] {
            [0x6F, 0x52, 6, 1, inner @ ..] => {
                let inner = plain(inner);
                let head = [0x52, 2, 0x20, 6, 0x24, 1, 6, 16, 6, 0];
                unconnected(session, &[&head[..], &inner, &[1, 0, 1, 0]].concat())
            }
            [0x6F, path @ ..] => unconnected(session, &plain(path)),
            [command, ..] => encapsulated(*command, session, &[]),
            [] => Vec::new(),
        }
    }

    fn session(server: &Server) -> u32 {
        let reply = server.answer(visit(1), &encapsulated(0x65, 0, &[1, 0, 0, 0]));
        let [Action::Send(bytes)] = &reply.actions[..] else { panic!("{reply:?}") };
        u32::from_le_bytes(bytes[4..8].try_into().unwrap())
    }

    #[test]
    fn every_forbidden_row_trips_the_wire() {
        assert!(never::ENIP.iter().flat_map(|row| row.iter()).any(|byte| *byte == ANY));
        let server = Server::new(controllogix());
        let session = session(&server);
        for row in never::ENIP {
            let reply = server.answer(visit(1), &forbidden(row, session));
            assert!(!reply.alarms.is_empty(), "{row:x?}: {reply:?}");
        }
    }

    #[test]
    fn a_read_without_a_session_raises_the_alarm() {
        let server = Server::new(controllogix());
        let read = unconnected(7, &[1, 2, 0x20, 1, 0x24, 1]);
        assert!(server.answer(visit(1), &read).alarms[0].starts_with("out of order"));
        let session = session(&server);
        let read = unconnected(session, &[1, 2, 0x20, 1, 0x24, 1]);
        assert_eq!(server.answer(visit(1), &read).alarms, Vec::<String>::new());
        assert!(!server.answer(visit(2), &read).alarms.is_empty(), "it ends with its connection");
    }

    #[test]
    fn a_length_beyond_the_request_waits_and_one_short_of_it_raises_the_alarm() {
        let server = Server::new(controllogix());
        let list = encapsulated(0x63, 0, &[]);
        assert_eq!(server.answer(visit(1), &list[..23]).consumed, 0);
        let long = encapsulated(0x63, 0, &[0]);
        assert!(server.answer(visit(1), &long).alarms[0].starts_with("malformed"));
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
                    let _ = server.answer(Visit { datagram, ..visit(1) }, part);
                }
            }
        }

        #[test]
        fn no_request_inside_a_session_makes_any_kind_of_device_panic(
            cip in prop::collection::vec(any::<u8>(), 0..60),
        ) {
            for shape in every_kind() {
                let server = Server::new(shape);
                let session = session(&server);
                let reply = server.answer(visit(1), &unconnected(session, &cip));
                let read = cip.first().is_some_and(|service| matches!(service, 1 | 3 | 0x0E | 0x52));
                prop_assert!(read || !reply.alarms.is_empty(), "{reply:?}");
            }
        }
    }
}
