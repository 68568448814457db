//! Pretend outstations, written without the codecs of the scanner: the independent eye.
//!
//! A [`Server`] is made of data: the [`Outstation`]s that answer at one address. It reads every
//! request with its own code and raises an alarm for whatever is malformed, unknown, or listed in
//! [`never::DNP3`].
//!
//! Source of the messages: IEEE 1815-2012, clauses 4, 8, 9 and annex A.

mod kinds;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

pub use kinds::{
    bare, behind_serial, concentrator, every_kind, fragmented, full, one_master, partial, waiting,
};

use crate::safety::{Selector, never};
use crate::sim::{Action, Device, Greeting, Heard, Reply, Visit};

/// The address that means whoever is there.
const SELF: u16 = 0xFFFC;
/// An outstation has this much room for one fragment, if nothing else is agreed.
const WHOLE_FRAGMENT: usize = 2048;
/// Bytes of a fragment in one frame.
const PIECE: usize = 249;

/// The device that other tests begin with: an outstation that greets its master.
#[must_use]
pub fn typical() -> Box<dyn Device> {
    Box::new(Server::new(full()))
}

/// Pretend outstations at one address.
#[derive(Debug)]
pub struct Server {
    shape: Shape,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The connection that was taken last.
    newest: u64,
    /// Connections on which its master was greeted.
    greeted: BTreeSet<u64>,
}

/// What answers at one address.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    /// Whether it listens for datagrams.
    pub datagrams: bool,
    /// By their link addresses.
    pub outstations: BTreeMap<u16, Outstation>,
    /// Which of them answers to the self-address.
    pub itself: Option<u16>,
    /// When the first of them sends its empty unsolicited response.
    pub greets: Greets,
    /// How long the line to the outstations takes; also for one that is not there.
    pub line: Duration,
    /// Whether a new connection ends the one before.
    pub one_master: bool,
}

/// When an outstation sends the empty unsolicited response that it begins with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Greets {
    /// Its master has confirmed it long ago.
    #[default]
    No,
    /// As soon as somebody connects.
    AtOnce,
    /// Once somebody has sent something.
    WhenAsked,
}

/// One outstation.
#[derive(Clone, Debug)]
pub struct Outstation {
    /// The link address of its master.
    pub master: u16,
    /// Whether it answers reads of its master only.
    pub is_strict: bool,
    /// Whether it waits for a confirmation, and answers no read until then.
    pub waits: bool,
    /// Its internal indications.
    pub indications: [u8; 2],
    /// What it says to a read that it cannot answer.
    pub refuses: u8,
    /// Whether it knows the list of attributes.
    pub gives_list: bool,
    /// Whether it gives all attributes at once.
    pub gives_all: bool,
    /// How much fits one fragment.
    pub fragment: usize,
    /// Its attributes, by variation: type and value.
    pub attributes: BTreeMap<u8, (u8, Vec<u8>)>,
}

impl Default for Outstation {
    fn default() -> Self {
        Self {
            master: 1,
            is_strict: false,
            waits: false,
            indications: [0, 0],
            refuses: 0x02,
            gives_list: true,
            gives_all: true,
            fragment: WHOLE_FRAGMENT,
            attributes: BTreeMap::new(),
        }
    }
}

impl Server {
    /// Outstations of this shape.
    #[must_use]
    pub fn new(shape: Shape) -> Self {
        Self { shape, state: Mutex::default() }
    }

    /// The empty unsolicited response that asks its master for a confirmation.
    fn greeting(&self) -> Option<Vec<u8>> {
        let (address, outstation) = self.shape.outstations.iter().next()?;
        let [first, second] = outstation.indications;
        let data = [0xC0, 0xF0, 0x82, first | 0x80, second];
        Some(frame(0x44, outstation.master, *address, &data))
    }

    /// What is sent before the answer to this request.
    fn greet(&self, visit: Visit) -> Option<Action> {
        let first = !visit.datagram && self.state().greeted.insert(visit.connection);
        let due = first && self.shape.greets == Greets::WhenAsked;
        due.then(|| self.greeting().map(Action::Send))?
    }

    fn hear(&self, request: &Request<'_>) -> Vec<Action> {
        let (own, is_itself) = match (request.to, self.shape.itself) {
            (SELF, Some(address)) => (address, true),
            (address, _) => (address, false),
        };
        let Some(outstation) = self.shape.outstations.get(&own) else { return Vec::new() };
        let waiting = Action::Wait(self.shape.line);
        match request.path.as_slice() {
            [9] => vec![waiting, Action::Send(frame(0x0B, request.from, own, &[]))],
            [4, 1, 0, variation, 0] if !is_itself => {
                let mut actions = vec![waiting];
                actions.extend(outstation.read(request, *variation));
                actions
            }
            _ => Vec::new(),
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outstation {
    /// The answer to a read of an attribute, in as many frames as it takes.
    fn read(&self, request: &Request<'_>, variation: u8) -> Vec<Action> {
        if self.waits || (self.is_strict && request.from != self.master) {
            return Vec::new();
        }
        let [first, second] = self.indications;
        let objects = match variation {
            255 if self.gives_list => Some(vec![object(255, 254, &self.list())]),
            254 if self.gives_all => Some(self.all()),
            one => self.attributes.get(&one).map(|(kind, value)| vec![object(one, *kind, value)]),
        };
        let Some(objects) = objects.filter(|objects| !objects.is_empty()) else {
            let refusal = [0xC0 | request.number, 0x81, first, second | self.refuses];
            return pieces(request, &refusal);
        };
        let mut fragment = vec![0xC0 | request.number, 0x81, first, second];
        for object in objects {
            if fragment.len() + object.len() > self.fragment {
                // First but not last, and a confirmation is asked for.
                fragment.splice(..1, [0xA0 | request.number]);
                break;
            }
            fragment.extend(object);
        }
        pieces(request, &fragment)
    }

    fn list(&self) -> Vec<u8> {
        self.attributes.keys().flat_map(|variation| [*variation, 0]).collect()
    }

    fn all(&self) -> Vec<Vec<u8>> {
        let each = self.attributes.iter();
        each.map(|(variation, (kind, value))| object(*variation, *kind, value)).collect()
    }
}

impl Device for Server {
    fn protocol(&self) -> &'static str {
        "dnp3"
    }

    fn takes_datagrams(&self) -> bool {
        self.shape.datagrams
    }

    fn connect(&self, visit: Visit) -> Greeting {
        if visit.datagram {
            return Greeting::Accept;
        }
        self.state().newest = visit.connection;
        match self.greeting().filter(|_| self.shape.greets == Greets::AtOnce) {
            Some(greeting) => Greeting::Banner(greeting),
            None => Greeting::Accept,
        }
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
        let heard = Some(Heard { unit: request.to.into(), selector: Selector::of(&request.path) });
        let consumed = request.bytes.len();
        let newest = self.state().newest;
        if self.shape.one_master && !visit.datagram && visit.connection != newest {
            let alarms = vec!["its master was displaced by a newer connection".to_owned()];
            return Reply { consumed, heard, actions: vec![Action::Close], alarms };
        }
        let mut actions: Vec<Action> = self.greet(visit).into_iter().collect();
        actions.extend(self.hear(&request));
        Reply { consumed, heard, actions, alarms: request.alarm().into_iter().collect() }
    }
}

/// A request, as this outstation reads it.
struct Request<'a> {
    bytes: &'a [u8],
    to: u16,
    from: u16,
    /// The number of an application's request.
    number: u8,
    path: Vec<u8>,
}

impl<'a> Request<'a> {
    /// The first request in `bytes`; `None` while it is incomplete.
    fn read(bytes: &'a [u8]) -> Result<Option<Self>, String> {
        let [0x05, 0x64, length, control, t0, t1, f0, f1, h0, h1, ..] = bytes else {
            return match bytes.len() < 10 && [0x05, 0x64].iter().zip(bytes).all(|(a, b)| a == b) {
                true => Ok(None),
                false => Err(format!("malformed: {}", hex(bytes))),
            };
        };
        let malformed = |whole: &[u8]| Err(format!("malformed: {}", hex(whole)));
        let Some(data) = usize::from(*length).checked_sub(5) else { return malformed(bytes) };
        let Some(whole) = bytes.get(..10 + data + 2 * data.div_ceil(16)) else { return Ok(None) };
        let header = whole.get(..8).unwrap_or_default();
        let mut content = Vec::new();
        let mut sound = checksum(header) == [*h0, *h1];
        for block in whole.get(10..).unwrap_or_default().chunks(18) {
            let Some((data, sum)) = block.split_last_chunk::<2>() else { return malformed(whole) };
            sound &= checksum(data) == *sum;
            content.extend_from_slice(data);
        }
        // From a master, a primary, no counter bits.
        if !sound || control & 0xF0 != 0xC0 {
            return malformed(whole);
        }
        let (mut path, mut number) = (vec![control & 0x0F], 0);
        match (control & 0x0F, content.as_slice()) {
            (4, [transport, app, function, objects @ ..])
                if transport & 0xC0 == 0xC0 && app & 0xF0 == 0xC0 =>
            {
                number = app & 0x0F;
                path.push(*function);
                let headers = headers(objects);
                path.extend(headers.ok_or_else(|| format!("malformed: {}", hex(whole)))?);
            }
            (4, _) => return malformed(whole),
            (_, []) => {}
            _ => return malformed(whole),
        }
        path.truncate(20); // no selector is longer
        let (to, from) = (u16::from_le_bytes([*t0, *t1]), u16::from_le_bytes([*f0, *f1]));
        Ok(Some(Self { bytes: whole, to, from, number, path }))
    }

    /// What must never have been sent.
    fn alarm(&self) -> Option<String> {
        let (path, request) = (Selector::of(&self.path), hex(self.bytes));
        if never::lists(never::DNP3, &self.path) {
            return Some(format!("changes the device: {path} in {request}"));
        }
        let everybody = self.to > 0xFFEF && (self.to != SELF || self.path != [9]);
        let known = matches!(self.path.as_slice(), [9] | [4, 1, 0, 196..=255, 0]);
        (everybody || self.from > 0xFFEF || !known)
            .then(|| format!("no read-only request that is known here: {path} in {request}"))
    }
}

/// Group, variation and qualifier of every object that is asked for.
fn headers(mut objects: &[u8]) -> Option<Vec<u8>> {
    let mut path = Vec::new();
    while let [group, variation, qualifier, rest @ ..] = objects {
        let range = match qualifier {
            0x00 => 2,
            0x01 => 4,
            0x06 => 0,
            0x07 => 1,
            0x08 => 2,
            _ => return None,
        };
        // Only the standard's own set of attributes is asked for.
        if *group == 0 && *qualifier == 0 && !rest.starts_with(&[0, 0]) {
            return None;
        }
        path.extend([*group, *variation, *qualifier]);
        objects = rest.get(range..)?;
    }
    objects.is_empty().then_some(path)
}

/// One attribute: header, type, length, value.
fn object(variation: u8, kind: u8, value: &[u8]) -> Vec<u8> {
    let length = u8::try_from(value.len()).unwrap_or(u8::MAX);
    let value = value.get(..length.into()).unwrap_or_default();
    [&[0, variation, 0, 0, 0, kind, length], value].concat()
}

/// A fragment in as many frames as it takes, each sent by itself.
fn pieces(request: &Request<'_>, fragment: &[u8]) -> Vec<Action> {
    let last = fragment.len().div_ceil(PIECE).saturating_sub(1);
    let each = fragment.chunks(PIECE).enumerate().map(|(nth, piece)| {
        let number = u8::try_from(nth & 0x3F).unwrap_or_default();
        let first = if nth == 0 { 0x40 } else { 0 };
        let last = if nth == last { 0x80 } else { 0 };
        let data = [&[number | first | last], piece].concat();
        Action::Send(frame(0x44, request.from, request.to, &data))
    });
    each.collect()
}

fn frame(control: u8, to: u16, from: u16, data: &[u8]) -> Vec<u8> {
    let length = u8::try_from(data.len() + 5).unwrap_or(u8::MAX);
    let mut bytes = vec![0x05, 0x64, length, control];
    bytes.extend(to.to_le_bytes());
    bytes.extend(from.to_le_bytes());
    bytes.extend(checksum(&bytes));
    for block in data.chunks(16) {
        bytes.extend_from_slice(block);
        bytes.extend(checksum(block));
    }
    bytes
}

/// Bit by bit, so that it shares no table with the scanner.
fn checksum(bytes: &[u8]) -> [u8; 2] {
    let mut register: u16 = 0;
    for byte in bytes {
        register ^= u16::from(*byte);
        for _ in 0..8 {
            let carry = register & 1;
            register >>= 1;
            if carry == 1 {
                register ^= 0xA6BC;
            }
        }
    }
    (!register).to_le_bytes()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const VISIT: Visit = Visit { connection: 1, others: 0, now: Duration::ZERO, datagram: true };

    fn ask(request: &[u8]) -> Reply {
        Server::new(Shape::default()).answer(VISIT, request)
    }

    /// What a forbidden row looks like on the wire: whatever may be anything is something that exists.
    fn forbidden(row: &[u16]) -> Vec<u8> {
        let row: Vec<Option<u8>> = row.iter().map(|byte| u8::try_from(*byte).ok()).collect();
        let [Some(link), content @ ..] = row.as_slice() else { panic!("an empty row") };
        let mut data = Vec::new();
        if let [Some(function), objects @ ..] = content {
            data.extend([0xC0, 0xC0, *function]);
            for object in objects.chunks(3) {
                let given = |at: usize| object.get(at).copied().flatten();
                let group = given(0).unwrap_or(30);
                let qualifier = given(2).unwrap_or(if group == 0 { 0x00 } else { 0x06 });
                data.extend([group, given(1).unwrap_or(0xFE), qualifier]);
                data.extend(if qualifier == 0 { [0, 0].as_slice() } else { &[] });
            }
        }
        frame(0xC0 | link, 10, 1, &data)
    }

    #[test]
    fn every_forbidden_row_trips_the_wire() {
        for row in never::DNP3 {
            let request = forbidden(row);
            let reply = ask(&request);
            assert_eq!(reply.consumed, request.len(), "{row:x?}");
            assert!(!reply.alarms.is_empty(), "{row:x?}: {request:x?}");
        }
    }

    #[test]
    fn a_read_of_attributes_trips_nothing_and_what_breaks_off_is_malformed() {
        let attributes = [0xC0, 0xC0, 1, 0, 254, 0, 0, 0];
        assert_eq!(ask(&frame(0xC4, 10, 1, &attributes)).alarms, Vec::<String>::new());
        for end in 3..attributes.len() {
            let broken = ask(&frame(0xC4, 10, 1, attributes.get(..end).unwrap_or_default()));
            assert!(!broken.alarms.is_empty(), "{end}");
        }
    }
}
