//! Pretend S7 controllers, written without the codecs of the scanner: the independent eye.
//!
//! A [`Server`] is made of data, its [`Cpu`]. It reads every request with its own code and raises
//! an alarm for whatever is malformed, out of order, unknown, or listed in [`never::S7`].
//!
//! Source of the messages: RFC 1006 and RFC 905; the captures of an IM151-8 PN/DP CPU named in
//! `tests/vectors/s7.csv`.

mod kinds;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

pub use kinds::{
    et200s, lists_to_nobody, logo, mms_only, plus_only, s7_300, s7_400, s7_1200, s7_1500,
};

use crate::safety::{Selector, never};
use crate::sim::{Action, Device, Heard, Reply, Visit};

/// The device that other tests begin with: an S7-300 with two modules in its rack.
#[must_use]
pub fn typical() -> Box<dyn Device> {
    Box::new(Server::new(s7_300()))
}

/// A pretend controller.
#[derive(Debug)]
pub struct Server {
    cpu: Cpu,
    lines: Mutex<BTreeMap<u64, Line>>,
}

/// What a controller is.
#[derive(Clone, Debug)]
pub struct Cpu {
    /// Addresses it can be called by: kind, and rack and slot in one byte.
    pub addresses: Vec<[u8; 2]>,
    /// How it turns away whoever calls another.
    pub turns_away: TurnsAway,
    /// What it does when asked to set up a communication.
    pub setup: Setup,
    /// The longest message in bytes.
    pub pdu: u16,
    /// Its system status lists, by number and index.
    pub lists: BTreeMap<(u16, u16), List>,
    /// The error for a list that it does not have.
    pub no_such_list: u16,
    /// Sends an empty message after each answer, as some do.
    pub empty_messages: bool,
    /// Ends every list where the first message is full, and says that this is all.
    pub cuts_lists_short: bool,
}

impl Cpu {
    /// The same with a list of its lists, in which `also` stand, though they fail.
    #[must_use]
    pub fn that_lists_its_lists(mut self, also: &[u16]) -> Self {
        let mut ids: Vec<u16> = self.lists.keys().map(|(id, _)| *id).chain(also.to_vec()).collect();
        ids.push(0);
        ids.sort_unstable();
        ids.dedup();
        let records = ids.into_iter().flat_map(u16::to_be_bytes).collect();
        let list = List { record_length: 2, records, counts_late: false };
        self.lists.insert((0, 0), list);
        self
    }

    /// The same with every list ended where the first message is full.
    #[must_use]
    pub fn that_cuts_its_lists_short(self) -> Self {
        Self { cuts_lists_short: true, ..self }
    }
}

/// How a controller turns a caller away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TurnsAway {
    /// With a disconnect request of this reason.
    Reason(u8),
    /// By hanging up.
    HangsUp,
}

/// What a controller does when asked to set up a communication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setup {
    /// Agrees.
    Agrees,
    /// Hangs up: it speaks S7comm-plus only.
    HangsUp,
    /// Refuses with this error.
    Refuses(u16),
    /// Says nothing and stays: it speaks another protocol, such as MMS, and waits for that.
    Ignores,
}

/// One system status list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List {
    /// Length of a record.
    pub record_length: u16,
    /// All records, one behind the other.
    pub records: Vec<u8>,
    /// Whether it says how many there are only when asked in one piece.
    pub counts_late: bool,
}

#[derive(Clone, Debug, Default)]
struct Line {
    connected: bool,
    set_up: bool,
    /// What has not been sent of the list that was read last.
    rest: Vec<u8>,
    sequence: u8,
}

impl Server {
    /// A server of this shape.
    #[must_use]
    pub fn new(cpu: Cpu) -> Self {
        Self { cpu, lines: Mutex::default() }
    }

    fn hear(&self, line: &mut Line, request: &Request<'_>) -> (Vec<Action>, Option<String>) {
        match request.asked {
            Asked::Connect { source, address } => self.connect(line, source, address),
            Asked::Setup if !line.connected || line.set_up => out_of_order(request),
            Asked::Setup => (self.set_up(line, request), None),
            Asked::List(_) | Asked::Next(_) if !line.set_up => out_of_order(request),
            Asked::List(key) => (self.list(line, request, key), None),
            Asked::Next(sequence) => (self.next(line, request, sequence), None),
            Asked::Other => (vec![Action::Close], None),
        }
    }

    fn connect(
        &self,
        line: &mut Line,
        source: [u8; 2],
        address: [u8; 2],
    ) -> (Vec<Action>, Option<String>) {
        if line.connected {
            return (vec![Action::Close], Some("a second connection request".to_owned()));
        }
        let [s1, s0] = source;
        let actions = if self.cpu.addresses.contains(&address) {
            line.connected = true;
            let [kind, place] = address;
            vec![Action::Send(vec![
                3, 0, 0, 22, 17, 0xD0, s1, s0, 0, 3, 0, 0xC0, 1, 10, 0xC1, 2, 1, 0, 0xC2, 2, kind,
                place,
            ])]
        } else {
            match self.cpu.turns_away {
                TurnsAway::Reason(reason) => {
                    let refusal = vec![3, 0, 0, 11, 6, 0x80, s1, s0, 0, 0, reason];
                    vec![Action::Send(refusal), Action::Close]
                }
                TurnsAway::HangsUp => vec![Action::Close],
            }
        };
        (actions, None)
    }

    fn set_up(&self, line: &mut Line, request: &Request<'_>) -> Vec<Action> {
        match self.cpu.setup {
            Setup::HangsUp => vec![Action::Close],
            Setup::Ignores => Vec::new(),
            Setup::Refuses(error) => vec![self.send(&request.acknowledge(error, &[]))],
            Setup::Agrees => {
                line.set_up = true;
                let [high, low] = self.cpu.pdu.min(240).to_be_bytes();
                vec![self.send(&request.acknowledge(0, &[0xF0, 0, 0, 1, 0, 1, high, low]))]
            }
        }
    }

    fn list(&self, line: &mut Line, request: &Request<'_>, key: (u16, u16)) -> Vec<Action> {
        let Some(list) = self.cpu.lists.get(&key) else {
            let nothing = [0x0A, 0, 0, 0];
            return vec![self.send(&request.data(1, false, self.cpu.no_such_list, &nothing))];
        };
        line.sequence = line.sequence.wrapping_add(1);
        line.rest = list.bytes(key, self.room());
        if self.cpu.cuts_lists_short {
            line.rest.truncate(self.room());
        }
        self.part(line, request)
    }

    fn next(&self, line: &mut Line, request: &Request<'_>, sequence: u8) -> Vec<Action> {
        if line.rest.is_empty() || sequence != line.sequence {
            let nothing = [0x0A, 0, 0, 0];
            return vec![self.send(&request.data(sequence, false, 0xD405, &nothing))];
        }
        self.part(line, request)
    }

    fn part(&self, line: &mut Line, request: &Request<'_>) -> Vec<Action> {
        let now: Vec<u8> = line.rest.drain(..line.rest.len().min(self.room())).collect();
        let length = u16::try_from(now.len()).unwrap_or(u16::MAX).to_be_bytes();
        let item = [&[0xFF, 0x09], &length[..], &now].concat();
        vec![self.send(&request.data(line.sequence, !line.rest.is_empty(), 0, &item))]
    }

    /// What is left of a message for the bytes of a list.
    fn room(&self) -> usize {
        usize::from(self.cpu.pdu.min(240)) - 26
    }

    fn send(&self, s7: &[u8]) -> Action {
        let length = u16::try_from(7 + s7.len()).unwrap_or(u16::MAX).to_be_bytes();
        let mut bytes = [&[3, 0], &length[..], &[2, 0xF0, 0x80], s7].concat();
        if self.cpu.empty_messages {
            bytes.extend([3, 0, 0, 7, 2, 0xF0, 0]);
        }
        Action::Send(bytes)
    }
}

fn out_of_order(request: &Request<'_>) -> (Vec<Action>, Option<String>) {
    (vec![Action::Close], Some(format!("out of order: {}", hex(request.bytes))))
}

impl List {
    fn bytes(&self, (id, index): (u16, u16), room: usize) -> Vec<u8> {
        let whole = self.records.len() / usize::from(self.record_length.max(1));
        let count = match self.counts_late && 8 + self.records.len() > room {
            true => u16::MAX,
            false => u16::try_from(whole).unwrap_or(u16::MAX),
        };
        let head = [id, index, self.record_length, count].map(u16::to_be_bytes).concat();
        [&head[..], &self.records].concat()
    }
}

impl Device for Server {
    fn protocol(&self) -> &'static str {
        "s7"
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
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let (actions, alarm) = self.hear(lines.entry(visit.connection).or_default(), &request);
        Reply {
            consumed: request.bytes.len(),
            heard: Some(Heard { unit: 0, selector: Selector::of(&request.path) }),
            actions,
            alarms: alarm.into_iter().chain(request.alarm()).collect(),
        }
    }
}

/// A request, as this server reads it.
struct Request<'a> {
    bytes: &'a [u8],
    reference: [u8; 2],
    path: Vec<u8>,
    asked: Asked,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Connect { source: [u8; 2], address: [u8; 2] },
    Setup,
    List((u16, u16)),
    Next(u8),
    Other,
}

impl<'a> Request<'a> {
    /// The first request in `bytes`; `None` while it is incomplete.
    fn read(bytes: &'a [u8]) -> Result<Option<Self>, String> {
        let malformed = |why: &str| Err(format!("malformed: {why} ({})", hex(bytes)));
        let [version, reserved, l1, l0, ..] = bytes else { return Ok(None) };
        if (*version, *reserved) != (3, 0) {
            return malformed("not version 3");
        }
        let length = usize::from(u16::from_be_bytes([*l1, *l0]));
        let Some(whole) = bytes.get(..length) else { return Ok(None) };
        match whole {
            [
                _,
                _,
                _,
                _,
                17,
                0xE0,
                0,
                0,
                s1,
                s0,
                0,
                0xC0,
                1,
                10,
                0xC1,
                2,
                1,
                0,
                0xC2,
                2,
                kind,
                place,
            ] if (*s1, *s0) != (0, 0) => {
                let asked = Asked::Connect { source: [*s1, *s0], address: [*kind, *place] };
                let path = vec![0xE0, *kind];
                Ok(Some(Self { bytes: whole, reference: [0; 2], path, asked }))
            }
            [_, _, _, _, 2, 0xF0, 0x80, s7 @ ..] => Self::s7(whole, s7),
            [_, _, _, _, _, kind, ..] => {
                let path = vec![*kind];
                let asked = Asked::Other;
                Ok(Some(Self { bytes: whole, reference: [0; 2], path, asked }))
            }
            _ => malformed("no message of the transport"),
        }
    }

    fn s7(bytes: &'a [u8], s7: &[u8]) -> Result<Option<Self>, String> {
        let malformed = || Err(format!("malformed: not S7 ({})", hex(bytes)));
        let [0x32, kind, 0, 0, r1, r0, p1, p0, d1, d0, rest @ ..] = s7 else {
            return malformed();
        };
        let size = |high: &u8, low: &u8| usize::from(u16::from_be_bytes([*high, *low]));
        let (parameters, data) = (size(p1, p0), size(d1, d0));
        if rest.len() != parameters + data {
            return malformed();
        }
        let (parameters, data) = rest.split_at(parameters);
        let (path, asked) = match (kind, parameters, data) {
            (1, [0xF0, 0, 0, 1, 0, 1, 0, 240], []) => (vec![1, 0xF0], Asked::Setup),
            (1, [function, ..], _) => (vec![1, *function], Asked::Other),
            (7, [0, 1, 0x12, 4, 0x11, 0x44, 1, 0], [0xFF, 9, 0, 4, i1, i0, x1, x0]) => {
                let key = (u16::from_be_bytes([*i1, *i0]), u16::from_be_bytes([*x1, *x0]));
                (vec![7, 0x11, 0x44, 1, *i1, *i0, *x1, *x0], Asked::List(key))
            }
            (7, [0, 1, 0x12, 8, 0x12, 0x44, 1, sequence, 0, 0, 0, 0], [0x0A, 0, 0, 0]) => {
                (vec![7, 0x12, 0x44, 1], Asked::Next(*sequence))
            }
            (7, [0, 1, 0x12, _, method, group, function, ..], _) => {
                (vec![7, *method, *group, *function], Asked::Other)
            }
            _ => return malformed(),
        };
        Ok(Some(Self { bytes, reference: [*r1, *r0], path, asked }))
    }

    /// What is wrong with asking this.
    fn alarm(&self) -> Option<String> {
        let asked = || hex(self.bytes);
        if never::lists(never::S7, &self.path) {
            return Some(format!("changes the device: {}", asked()));
        }
        let partial_list = match self.asked {
            Asked::Connect { address: [1..=3, _], .. } | Asked::Setup | Asked::Next(_) => true,
            // The list of lists, identification, interfaces, communication, modules, mode, protection, lights.
            Asked::List((id, _)) => {
                id == 0
                    || matches!(id & 0x00FF, 0x11 | 0x1C | 0x37 | 0x31 | 0x91 | 0x24 | 0x32 | 0x74)
            }
            Asked::Connect { .. } | Asked::Other => false,
        };
        (!partial_list).then(|| format!("no read-only request that is known here: {}", asked()))
    }

    fn acknowledge(&self, error: u16, parameters: &[u8]) -> Vec<u8> {
        let length = u16::try_from(parameters.len()).unwrap_or(u16::MAX).to_be_bytes();
        let [e1, e0] = error.to_be_bytes();
        let head = [&[0x32, 3, 0, 0], &self.reference[..], &length, &[0, 0, e1, e0]].concat();
        [&head, parameters].concat()
    }

    fn data(&self, sequence: u8, more: bool, error: u16, item: &[u8]) -> Vec<u8> {
        let length = u16::try_from(item.len()).unwrap_or(u16::MAX).to_be_bytes();
        let head = [&[0x32, 7, 0, 0], &self.reference[..], &[0, 12], &length].concat();
        let unit = if more { sequence.wrapping_add(4) } else { 0 };
        let [e1, e0] = error.to_be_bytes();
        let parameters = [0, 1, 0x12, 8, 0x12, 0x84, 1, sequence, unit, u8::from(more), e1, e0];
        [&head, &parameters[..], item].concat()
    }
}

fn hex(bytes: &[u8]) -> String {
    let shown: Vec<_> = bytes.iter().take(40).map(|byte| format!("{byte:02X}")).collect();
    shown.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(hex: &str) -> Vec<u8> {
        let digit = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (0..hex.len()).step_by(2).map(digit).collect()
    }

    fn ask(server: &Server, hex: &str) -> Reply {
        server.answer(Visit { connection: 1, ..Visit::default() }, &request(hex))
    }

    #[test]
    fn a_write_a_stop_and_a_disconnect_raise_the_alarm() {
        let server = Server::new(s7_300());
        for (what, hex) in [
            ("plc stop", "0300002102f08032010000000100100000290000000000095f50524f4752414d"),
            ("write", "0300000b02f0803201000000"),
            ("disconnect", "0300000b0680000100010080"),
            (
                "flash led",
                "0300002502f080320700000001000c000800011208124101000000000000ff0900040000",
            ),
            (
                "szl of the program",
                "0300002102f080320700000002000800080001120411440100ff09000400130000",
            ),
        ] {
            let mut bytes = request(hex);
            let length = u8::try_from(bytes.len()).unwrap();
            bytes[3] = length;
            let reply = server.answer(Visit::default(), &bytes);
            assert!(!reply.alarms.is_empty(), "{what}: {reply:?}");
        }
    }

    /// A whole message whose selector begins with this row of `never`.
    fn forbidden(row: &[u16]) -> Vec<u8> {
        let byte =
            |at: usize| row.get(at).and_then(|byte| u8::try_from(*byte).ok()).unwrap_or(0x11);
        let job = |kind| [0x32, kind, 0, 0, 0, 1, 0, 2, 0, 0, byte(1), 0].to_vec();
        let payload = match row[0] {
            0x80 => return vec![3, 0, 0, 11, 6, 0x80, 0, 1, 0, 1, 0],
            0x07 => {
                let head = [0x32, 7, 0, 0, 0, 1, 0, 8, 0, 4, 0, 1, 0x12, 4];
                let path = [byte(1), byte(2), if row.len() > 3 { byte(3) } else { 1 }, 0];
                [&head[..], &path, &[0x0A, 0, 0, 0]].concat()
            }
            0x72 => vec![0x72, 1, 0, 0],
            kind => job(u8::try_from(kind).unwrap()),
        };
        let length = u8::try_from(7 + payload.len()).unwrap();
        [&[3, 0, 0, length, 2, 0xF0, 0x80], &payload[..]].concat()
    }

    #[test]
    fn every_forbidden_row_trips_the_wire() {
        let server = Server::new(s7_300());
        for row in never::S7 {
            let reply = server.answer(Visit::default(), &forbidden(row));
            assert!(!reply.alarms.is_empty(), "{row:x?}: {reply:?}");
        }
    }

    #[test]
    fn a_list_before_the_setup_raises_the_alarm() {
        let server = Server::new(s7_300());
        let list = "0300002102f080320700000002000800080001120411440100ff09000400110000";
        assert!(ask(&server, list).alarms[0].starts_with("out of order"));
    }

    #[test]
    fn the_dialogue_of_a_programming_tool_is_answered_as_recorded() {
        let mut cpu = s7_300();
        cpu.addresses.push([1, 2]);
        let server = Server::new(cpu);
        let confirm = ask(&server, "0300001611e00000000f00c0010ac1020100c2020102");
        let expected = request("0300001611d0000f000300c0010ac1020100c2020102");
        assert_eq!(confirm.actions, [Action::Send(expected)]);
        let setup = ask(&server, "0300001902f08032010000020000080000f0000001000100f0");
        let expected = request("0300001b02f080320300000200000800000000f0000001000100f0");
        assert_eq!(setup.actions, [Action::Send(expected)]);
        assert_eq!(setup.alarms, Vec::<String>::new());
    }
}
