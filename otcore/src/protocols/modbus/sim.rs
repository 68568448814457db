//! Pretend Modbus/TCP servers, written without the codecs of the scanner: the independent eye.
//!
//! A [`Server`] is made of data, its [`Shape`]. It reads every request with its own code and raises
//! an alarm for whatever is malformed, unknown, or listed in [`never::MODBUS`].
//!
//! Source of the messages: Modbus Application Protocol V1.1b3; Modbus Messaging on TCP/IP V1.0b;
//! UMAS as captured from a Modicon 140 CPU 311 10.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::safety::{Selector, never};
use crate::sim::{Action, Device, Heard, Reply, Visit};

/// The device that other tests and the demonstration begin with: a compact PLC that hands out every
/// identity object, a private one included.
#[must_use]
pub fn typical() -> Box<dyn Device> {
    let objects: [(u8, &[u8]); 8] = [
        (0x00, b"Tarnwick Automation"),
        (0x01, b"TW-C24-DC"),
        (0x02, b"V3.1.4"),
        (0x03, b"https://tarnwick.example"),
        (0x04, b"Tarnwick Compact"),
        (0x05, b"Compact C24"),
        (0x06, b"Filling line 3"),
        (0x80, b"SN TW0042-1187"),
    ];
    let unit = Unit::identified(Identity::new(0x83, objects));
    Box::new(Server::new(Shape::native(unit)))
}

/// A pretend Modbus/TCP server.
#[derive(Debug)]
pub struct Server {
    shape: Shape,
    /// When the serial line behind a gateway is free again.
    line_free_at: Mutex<Duration>,
}

/// What a server is.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    /// Who answers for which unit id.
    pub units: BTreeMap<u8, Unit>,
    /// Who answers for every other unit id; `None` is silence, or 0x0B from a gateway.
    pub anyone: Option<Unit>,
    /// The serial line, if this is a gateway.
    pub serial: Option<Serial>,
    /// Function codes that make it break the connection off.
    pub resets_on: Vec<u8>,
}

/// A serial line behind a gateway. It carries one transaction at a time.
#[derive(Clone, Copy, Debug)]
pub struct Serial {
    /// The unit id of the gateway itself, which needs no serial line.
    pub own: u8,
    /// How long a transaction occupies the line.
    pub transaction: Duration,
    /// How long the gateway waits for a unit that is not there.
    pub timeout: Duration,
}

/// One unit: what it can be asked. Everything it lacks it answers with exception 1.
#[derive(Clone, Debug, Default)]
pub struct Unit {
    /// Read Device Identification (43/14).
    pub identity: Option<Identity>,
    /// Report Server ID (17): everything after the byte count.
    pub server_id: Option<Vec<u8>>,
    /// Holding registers (3).
    pub registers: BTreeMap<u16, u16>,
    /// UMAS (90).
    pub umas: Option<Umas>,
    /// Answers everything with this exception code, whatever else it could do.
    pub always: Option<u8>,
}

/// The objects of Read Device Identification and how they are handed out. Clause 6.21.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Conformity level: 1 basic, 2 regular, 3 extended; with 0x80 also single objects.
    pub conformity: u8,
    /// Value of each object, at most 244 bytes.
    pub objects: BTreeMap<u8, Vec<u8>>,
    /// The largest answer in bytes, function code included; 253 by the standard.
    pub page: usize,
    /// Asked for more than its conformity level: exception 3, not what it has.
    pub refuses_more: bool,
    /// More Follows is always set, and the next object is the one just sent.
    pub endless: bool,
}

/// What a Modicon controller says over UMAS.
#[derive(Clone, Debug)]
pub struct Umas {
    /// Name of the controller, at most 64 bytes, for example `BMX P34 2020`.
    pub cpu: String,
    /// Version, high byte major, low byte minor in BCD: 0x0270 is 2.70.
    pub version: u16,
    /// Hardware version.
    pub hardware: u16,
    /// Name of the project, at most 64 bytes.
    pub project: String,
    /// Revision of the project, most significant first.
    pub revision: [u8; 3],
    /// Last change: weekday, second, minute, hour, day, month, year low byte first.
    pub changed: [u8; 8],
}

impl Server {
    /// A server of this shape.
    #[must_use]
    pub fn new(shape: Shape) -> Self {
        Self { shape, line_free_at: Mutex::default() }
    }

    /// What `request` leads to: a PDU, and how long until it is sent. `None` is silence.
    fn reply(&self, request: &Request<'_>, now: Duration) -> Option<(Duration, Vec<u8>)> {
        let named = self.shape.units.get(&request.unit);
        let unit = named.or(self.shape.anyone.as_ref());
        let Some(serial) = self.shape.serial.filter(|serial| serial.own != request.unit) else {
            return unit.map(|unit| (Duration::ZERO, unit.answer(request.pdu)));
        };
        let (takes, pdu) = match unit {
            Some(unit) => (serial.transaction, unit.answer(request.pdu)),
            None => (serial.timeout, exception(request.pdu, 0x0B)),
        };
        let mut free_at = self.line_free_at.lock().unwrap_or_else(PoisonError::into_inner);
        *free_at = now.max(*free_at) + takes;
        Some((*free_at - now, pdu))
    }
}

impl Device for Server {
    fn protocol(&self) -> &'static str {
        "modbus"
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
        let function = request.pdu.first().copied().unwrap_or_default();
        let actions = if self.shape.resets_on.contains(&function) {
            vec![Action::Reset]
        } else {
            let reply = self.reply(&request, visit.now);
            reply.map_or_else(Vec::new, |(wait, pdu)| say(wait, request.around(&pdu)))
        };
        Reply {
            consumed: request.len,
            heard: Some(Heard { unit: request.unit.into(), selector: request.selector() }),
            actions,
            alarms: request.alarms(),
        }
    }
}

impl Shape {
    /// A device without anything behind it: answers for the units 0, 1 and 255, silent for others.
    #[must_use]
    pub fn native(unit: Unit) -> Self {
        let units = [(0, unit.clone()), (1, unit.clone()), (255, unit)];
        Self { units: units.into(), ..Self::default() }
    }

    /// A device that does not look at the unit id.
    #[must_use]
    pub fn any_unit(unit: Unit) -> Self {
        Self { anyone: Some(unit), ..Self::default() }
    }

    /// A serial gateway, itself unit `serial.own`, with these units behind it.
    #[must_use]
    pub fn gateway<const N: usize>(serial: Serial, own: Unit, behind: [(u8, Unit); N]) -> Self {
        let mut units = BTreeMap::from(behind);
        units.insert(serial.own, own);
        Self { units, serial: Some(serial), ..Self::default() }
    }
}

impl Identity {
    /// These objects, handed out as the standard says.
    #[must_use]
    pub fn new<const N: usize>(conformity: u8, objects: [(u8, &[u8]); N]) -> Self {
        let objects = objects.map(|(id, value)| (id, value.to_vec())).into();
        Self { conformity, objects, page: 253, refuses_more: false, endless: false }
    }

    fn answer(&self, code: u8, from: u8) -> Result<Vec<u8>, u8> {
        if code == 4 {
            return self.single(from);
        }
        let level = self.conformity & 0x03;
        if !(1..=3).contains(&code) || (code > level && self.refuses_more) {
            return Err(0x03);
        }
        let last = match code.min(level) {
            1 => 0x02,
            2 => 0x7F,
            _ => 0xFF,
        };
        // Clause 6.21: an unknown object id starts the stream again.
        let known = from <= last && self.objects.contains_key(&from);
        Ok(self.stream(code, if known { from } else { 0 }, last))
    }

    fn stream(&self, code: u8, first: u8, last: u8) -> Vec<u8> {
        let (mut list, mut count, mut next) = (Vec::new(), 0u8, None);
        for (id, value) in self.objects.range(first..=last) {
            let object = object(*id, value);
            if count > 0 && 7 + list.len() + object.len() > self.page {
                next = Some(*id);
                break;
            }
            list.extend(object);
            count += 1;
        }
        let next = if self.endless { Some(first) } else { next };
        let more = if next.is_some() { 0xFF } else { 0x00 };
        let mut pdu = vec![0x2B, 0x0E, code, self.conformity, more, next.unwrap_or(0), count];
        pdu.extend(list);
        pdu
    }

    fn single(&self, id: u8) -> Result<Vec<u8>, u8> {
        if self.conformity & 0x80 == 0 {
            return Err(0x03);
        }
        let value = self.objects.get(&id).ok_or(0x02)?;
        let mut pdu = vec![0x2B, 0x0E, 4, self.conformity, 0, 0, 1];
        pdu.extend(object(id, value));
        Ok(pdu)
    }
}

impl Unit {
    /// A unit that answers Read Device Identification.
    #[must_use]
    pub fn identified(identity: Identity) -> Self {
        Self { identity: Some(identity), ..Self::default() }
    }

    fn answer(&self, pdu: &[u8]) -> Vec<u8> {
        let answer = match (self.always, pdu) {
            (Some(code), _) => Err(code),
            (_, [0x2B, 0x0E, code, object]) => {
                self.identity.as_ref().map_or(Err(0x01), |identity| identity.answer(*code, *object))
            }
            (_, [0x11]) => self.server_id.as_ref().map_or(Err(0x01), |id| Ok(report(id))),
            (_, [0x03, a1, a0, q1, q0]) if !self.registers.is_empty() => {
                self.holding(u16::from_be_bytes([*a1, *a0]), u16::from_be_bytes([*q1, *q0]))
            }
            (_, [0x5A, _, body @ ..]) => {
                self.umas.as_ref().map_or(Err(0x01), |umas| Ok(umas.answer(body)))
            }
            _ => Err(0x01),
        };
        answer.unwrap_or_else(|code| exception(pdu, code))
    }

    fn holding(&self, first: u16, quantity: u16) -> Result<Vec<u8>, u8> {
        let size = u8::try_from(quantity.saturating_mul(2)).map_err(|_| 0x03)?;
        if !(1..=125).contains(&quantity) {
            return Err(0x03);
        }
        let mut pdu = vec![0x03, size];
        for offset in 0..quantity {
            let address = first.checked_add(offset).ok_or(0x02)?;
            pdu.extend(self.registers.get(&address).ok_or(0x02)?.to_be_bytes());
        }
        Ok(pdu)
    }
}

impl Umas {
    fn answer(&self, body: &[u8]) -> Vec<u8> {
        match body {
            [0x02] => [&[0x5A, 0x00, 0xFE][..], &self.read_id()].concat(),
            [0x03, 0x00] => [&[0x5A, 0x00, 0xFE][..], &self.project_info()].concat(),
            _ => vec![0x5A, 0x00, 0xFD, 0x00],
        }
    }

    fn read_id(&self) -> Vec<u8> {
        let mut data = vec![0x10, 0xFF, 0x5A, 0x01, 0x01, 0x00, 0x00, 0x00];
        data.extend(self.version.to_le_bytes());
        data.extend([0x00, 0x00, 0x27, 0x00]); // patch, internal version
        data.extend(self.hardware.to_le_bytes());
        data.extend([0x08, 0x00, 0x00, 0x00, 0x00, 0x00]); // crash code, unknown
        data.extend(object(0, self.cpu.as_bytes()).get(1..).unwrap_or_default());
        data.extend([0x01, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0x11, 0x00]); // one memory bank
        data
    }

    fn project_info(&self) -> Vec<u8> {
        let ids = [0x02, 0x05, 0x00, 0x00, 0x98, 0x88, 0x01, 0x00, 0x00];
        let mut data = [&ids[..], &ids, &self.changed, &self.changed].concat();
        data.extend(self.revision.iter().rev());
        data.push(0x00);
        let name = [self.project.as_bytes(), &[0]].concat();
        data.extend(object(0, &name).get(1..).unwrap_or_default());
        data
    }
}

/// A request, as this server reads it.
struct Request<'a> {
    transaction: [u8; 2],
    unit: u8,
    pdu: &'a [u8],
    len: usize,
}

impl<'a> Request<'a> {
    /// The first request in `bytes`; `None` while it is incomplete.
    fn read(bytes: &'a [u8]) -> Result<Option<Self>, String> {
        let [t1, t0, p1, p0, l1, l0, body @ ..] = bytes else { return Ok(None) };
        let len = usize::from(u16::from_be_bytes([*l1, *l0]));
        if (*p1, *p0) != (0, 0) {
            return Err(format!("malformed: protocol id is not 0 ({})", hex(bytes)));
        }
        if !(2..=254).contains(&len) {
            return Err(format!("malformed: length is {len}, not 2 to 254 ({})", hex(bytes)));
        }
        let Some([unit, pdu @ ..]) = body.get(..len) else { return Ok(None) };
        Ok(Some(Self { transaction: [*t1, *t0], unit: *unit, pdu, len: 6 + len }))
    }

    fn selector(&self) -> Selector {
        match self.pdu {
            // What follows chooses what is read.
            [function @ 0x5A, key, 0x03, sub, ..] => Selector::of(&[*function, *key, 0x03, *sub]),
            [function @ (0x2B | 0x5A), a, b, ..] => Selector::of(&[*function, *a, *b]),
            // Which registers and how many: that is what the device does.
            [function @ 0x03, a, b, c, d, ..] => Selector::of(&[*function, *a, *b, *c, *d]),
            [function, ..] => Selector::of(&[*function]),
            [] => Selector::of(&[]),
        }
    }

    /// What is wrong with asking this.
    fn alarms(&self) -> Vec<String> {
        let asked = || format!("unit {}: {}", self.unit, hex(self.pdu));
        let mut alarms = Vec::new();
        if never::lists(never::MODBUS, self.pdu) {
            alarms.push(format!("changes the device: {}", asked()));
        } else if !self.is_known_read() {
            alarms.push(format!("no read-only request that is known here: {}", asked()));
        }
        if self.unit == 0 {
            alarms.push(format!("unit 0 is everybody on a serial line: {}", asked()));
        }
        alarms
    }

    fn is_known_read(&self) -> bool {
        match self.pdu {
            [0x01 | 0x02, _, _, q1, q0] => (1..=2000).contains(&u16::from_be_bytes([*q1, *q0])),
            [0x03 | 0x04, _, _, q1, q0] => (1..=125).contains(&u16::from_be_bytes([*q1, *q0])),
            [0x11] | [0x2B, 0x0E, 1..=4, _] => true,
            [0x5A, 0x00, 0x02 | 0x04] | [0x5A, 0x00, 0x03, 0x00] => true,
            _ => false,
        }
    }

    /// Puts the header of an answer around `pdu`.
    fn around(&self, pdu: &[u8]) -> Vec<u8> {
        let len = u16::try_from(pdu.len() + 1).unwrap_or(u16::MAX).to_be_bytes();
        [&self.transaction[..], &[0, 0], &len, &[self.unit], pdu].concat()
    }
}

fn say(wait: Duration, bytes: Vec<u8>) -> Vec<Action> {
    let send = Action::Send(bytes);
    if wait.is_zero() { vec![send] } else { vec![Action::Wait(wait), send] }
}

fn exception(pdu: &[u8], code: u8) -> Vec<u8> {
    vec![pdu.first().copied().unwrap_or_default() | 0x80, code]
}

/// Id, length, value; cut to what fits into one answer.
fn object(id: u8, value: &[u8]) -> Vec<u8> {
    let (len, value) = sized(value, 244);
    [&[id, len], value].concat()
}

fn report(server_id: &[u8]) -> Vec<u8> {
    let (len, id) = sized(server_id, 250);
    [&[0x11, len], id].concat()
}

fn sized(value: &[u8], max: u8) -> (u8, &[u8]) {
    match u8::try_from(value.len()) {
        Ok(len) if len <= max => (len, value),
        _ => (max, value.get(..usize::from(max)).unwrap_or_default()),
    }
}

fn hex(bytes: &[u8]) -> String {
    let shown: Vec<_> = bytes.iter().take(24).map(|byte| format!("{byte:02X}")).collect();
    shown.join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, proptest};

    use super::*;
    use crate::sim::{Plant, Station};

    fn bytes(hex: &str) -> Vec<u8> {
        let digit = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (0..hex.len()).step_by(2).map(digit).collect()
    }

    fn request(unit: u8, pdu: &[u8]) -> Vec<u8> {
        let len = u8::try_from(pdu.len() + 1).unwrap();
        [&[0x12, 0x34, 0, 0, 0, len, unit], pdu].concat()
    }

    /// What a fresh server of this shape does when asked once.
    fn reply(shape: &Shape, unit: u8, pdu: &[u8]) -> Reply {
        Server::new(shape.clone()).answer(Visit::default(), &request(unit, pdu))
    }

    /// The PDU of its answer, header checked.
    fn answer(shape: &Shape, unit: u8, pdu: &[u8]) -> Vec<u8> {
        let Some(Action::Send(sent)) = reply(shape, unit, pdu).actions.pop() else {
            panic!("no answer to {pdu:02X?}");
        };
        assert_eq!(sent[..4], [0x12, 0x34, 0, 0]);
        assert_eq!(usize::from(u16::from_be_bytes([sent[4], sent[5]])), sent.len() - 6);
        assert_eq!(sent[6], unit);
        sent[7..].to_vec()
    }

    fn meter() -> Shape {
        let identity = Identity::new(0x83, [(0, b"A"), (1, b"B"), (2, b"C"), (5, b"D"), (9, b"E")]);
        let registers = BTreeMap::from([(40_000, 0x5375), (40_001, 0x6E53)]);
        Shape::native(Unit { registers, ..Unit::identified(identity) })
    }

    // Origin of the captured answers: tests/vectors, rows "modbus FC43/14 response",
    // "modbus FC17 response", "umas READ_ID response", "umas PROJECT_INFO response".

    #[test]
    fn captured_identity_answers_are_reproduced() {
        let objects: [(u8, &[u8]); 3] =
            [(0, b"Zeek Modbus Test"), (1, b"Protocol Parsing is fun!"), (2, b"1.2.3.6")];
        let unit = Unit {
            server_id: Some(
                [b"Zeek Modbus Test-Protocol Parsing is fun!-1.2.3.6", &[0xFF][..]].concat(),
            ),
            ..Unit::identified(Identity::new(0x83, objects))
        };
        let shape = Shape::any_unit(unit);
        let captured = "2b0e018300000300105a65656b204d6f6462757320546573740118\
                        50726f746f636f6c2050617273696e672069732066756e210207312e322e332e36";
        assert_eq!(answer(&shape, 1, &[0x2B, 0x0E, 1, 0]), bytes(captured));
        let captured = "11325a65656b204d6f6462757320546573742d50726f746f636f6c20\
                        50617273696e672069732066756e212d312e322e332e36ff";
        assert_eq!(answer(&shape, 33, &[0x11]), bytes(captured));
    }

    #[test]
    fn captured_umas_answers_are_reproduced() {
        let umas = Umas {
            cpu: "140 CPU 311 10".into(),
            version: 0x0270,
            hardware: 9,
            project: "Project".into(),
            revision: [0, 0, 8],
            changed: [0x02, 0x0C, 0x3B, 0x0C, 0x0E, 0x01, 0xDE, 0x07],
        };
        let shape = Shape::native(Unit { umas: Some(umas), ..Unit::default() });
        let captured = "5a00fe10ff5a010100000070020000270009000800000000000e\
                        3134302043505520333131203130010101000000001100";
        assert_eq!(answer(&shape, 255, &[0x5A, 0, 2]), bytes(captured));
        let captured = "5a00fe020500009888010000020500009888010000020c3b0c0e01de07\
                        020c3b0c0e01de07080000000850726f6a65637400";
        assert_eq!(answer(&shape, 255, &[0x5A, 0, 3, 0]), bytes(captured));
    }

    #[test]
    fn every_question_is_heard_as_the_manifest_has_it() {
        let heard = |pdu: &[u8]| reply(&meter(), 255, pdu).heard.map(|heard| heard.selector);
        for facts in crate::protocols::by_name("modbus").unwrap().functions() {
            let selector = facts.selector;
            let object = [selector.path(), &[0]].concat();
            let pdu = if selector.path().starts_with(&[0x2B]) { &object } else { selector.path() };
            assert_eq!(heard(pdu), Some(selector), "{selector}");
        }
    }

    #[test]
    fn each_conformity_level_hands_out_its_own_stream() {
        let count = |code, from| answer(&meter(), 255, &[0x2B, 0x0E, code, from])[6];
        assert_eq!((count(1, 0), count(2, 0), count(3, 0)), (3, 5, 5));
        assert_eq!(count(2, 5), 2, "continued");
        assert_eq!(count(2, 4), 5, "an unknown object starts again");
        assert_eq!(answer(&meter(), 255, &[0x2B, 0x0E, 4, 5])[6..], [1, 5, 1, b'D']);
        assert_eq!(answer(&meter(), 255, &[0x2B, 0x0E, 4, 6]), [0xAB, 2]);
        assert_eq!(answer(&meter(), 255, &[0x2B, 0x0E, 5, 0]), [0xAB, 3]);
    }

    #[test]
    fn pages_stay_within_a_message_and_lose_nothing() {
        let objects: BTreeMap<u8, Vec<u8>> = (0..=255).map(|id| (id, vec![id; 97])).collect();
        let identity = Identity { objects: objects.clone(), ..Identity::new(0x83, []) };
        let shape = Shape::native(Unit::identified(identity));
        let (mut seen, mut from) = (BTreeMap::new(), 0);
        loop {
            let pdu = answer(&shape, 1, &[0x2B, 0x0E, 3, from]);
            assert!(pdu.len() <= 253);
            let mut list = &pdu[7..];
            while let [id, len, rest @ ..] = list {
                let (value, rest) = rest.split_at(usize::from(*len));
                assert_eq!(seen.insert(*id, value.to_vec()), None, "object {id} came twice");
                list = rest;
            }
            match (pdu[4], pdu[5]) {
                (0xFF, next) => from = next,
                (more, _) => break assert_eq!(more, 0),
            }
        }
        assert_eq!(seen, objects);
    }

    #[test]
    fn a_gateway_carries_one_transaction_at_a_time() {
        let ms = Duration::from_millis;
        let serial = Serial { own: 255, transaction: ms(100), timeout: ms(300) };
        let unit = || Unit::identified(Identity::new(1, [(0, b"A")]));
        let gateway = Server::new(Shape::gateway(serial, unit(), [(1, unit())]));
        let ask = |id, now| {
            let visit = Visit { now, ..Visit::default() };
            gateway.answer(visit, &request(id, &[0x2B, 0x0E, 1, 0])).actions
        };
        assert!(matches!(&ask(255, ms(0))[..], [Action::Send(_)]));
        assert!(matches!(&ask(1, ms(0))[..], [Action::Wait(t), Action::Send(_)] if *t == ms(100)));
        let absent = ask(2, ms(40));
        assert_eq!(absent[0], Action::Wait(ms(360)), "the line is busy for 60 ms more");
        assert!(matches!(&absent[1], Action::Send(sent) if sent[7..] == [0xAB, 0x0B]));
        assert_eq!(ask(1, ms(1000))[0], Action::Wait(ms(100)), "the line is free again");
    }

    #[test]
    fn registers_are_read_within_the_rules() {
        assert_eq!(answer(&meter(), 1, &[3, 0x9C, 0x40, 0, 2]), [&[3, 4][..], b"SunS"].concat());
        assert_eq!(answer(&meter(), 1, &[3, 0x9C, 0x40, 0, 3]), [0x83, 2]);
        assert_eq!(answer(&meter(), 1, &[3, 0x9C, 0x40, 0, 0]), [0x83, 3]);
        assert_eq!(answer(&Shape::native(Unit::default()), 1, &[3, 0, 0, 0, 1]), [0x83, 1]);
    }

    #[test]
    fn whoever_is_not_there_is_silent() {
        let silent = reply(&meter(), 7, &[0x2B, 0x0E, 1, 0]);
        assert_eq!((silent.consumed, silent.actions), (11, vec![]));
    }

    #[test]
    fn every_forbidden_row_trips_the_wire() {
        for row in never::MODBUS {
            let mut pdu: Vec<u8> = row.iter().map(|n| u8::try_from(*n).unwrap_or(0x33)).collect();
            pdu.extend([0, 1, 0, 1]);
            let alarms = reply(&meter(), 255, &pdu).alarms;
            assert!(alarms[0].starts_with("changes the device: unit 255: "), "{pdu:02X?}");
        }
    }

    #[test]
    fn what_may_be_asked_trips_nothing() {
        let known: [&[u8]; 8] = [
            &[0x2B, 0x0E, 1, 0],
            &[0x2B, 0x0E, 2, 0x80],
            &[0x2B, 0x0E, 3, 0],
            &[0x2B, 0x0E, 4, 4],
            &[0x11],
            &[0x03, 0x9C, 0x40, 0, 2],
            &[0x5A, 0, 2],
            &[0x5A, 0, 3, 0],
        ];
        for pdu in known {
            assert_eq!(reply(&meter(), 255, pdu).alarms, Vec::<String>::new());
        }
        let heard = reply(&meter(), 17, known[0]).heard.unwrap();
        assert_eq!((heard.unit, heard.selector.to_string().as_str()), (17, "2B.0E.01"));
    }

    #[test]
    fn what_is_almost_right_trips_the_wire() {
        let wrong: [&[u8]; 8] = [
            &[0x2B, 0x0E, 0, 0],
            &[0x2B, 0x0E, 1],
            &[0x2B, 0x0E, 1, 0, 0],
            &[0x11, 0],
            &[0x03, 0, 0, 0, 126],
            &[0x5A, 1, 2],
            &[0x5A, 0, 3],
            &[0x63],
        ];
        for pdu in wrong {
            let alarms = reply(&meter(), 255, pdu).alarms;
            assert!(alarms[0].starts_with("no read-only request"), "{pdu:02X?}: {alarms:?}");
        }
        let alarms = reply(&meter(), 0, &[0x11]).alarms;
        assert_eq!(alarms, ["unit 0 is everybody on a serial line: unit 0: 11"]);
    }

    #[test]
    fn what_is_no_modbus_is_an_alarm_and_ends_the_connection() {
        for (sent, alarm) in [
            (&b"GET / HTTP/1.1\r\n\r\n"[..], "malformed: protocol id is not 0"),
            (&[0, 1, 0, 0, 0, 1, 255][..], "malformed: length is 1"),
            (&[0, 1, 0, 0, 0, 255, 255, 3][..], "malformed: length is 255"),
        ] {
            let reply = Server::new(meter()).answer(Visit::default(), sent);
            assert!(reply.alarms[0].starts_with(alarm), "{:?}", reply.alarms);
            assert_eq!((reply.consumed, reply.actions), (sent.len(), vec![Action::Close]));
        }
    }

    #[test]
    fn a_stubborn_device_never_moves_on() {
        let identity = Identity { endless: true, ..Identity::new(1, [(0, b"A"), (1, b"B")]) };
        let shape = Shape::native(Unit::identified(identity));
        assert_eq!(answer(&shape, 1, &[0x2B, 0x0E, 1, 1])[4..7], [0xFF, 1, 1]);
        let shape = Shape { resets_on: vec![0x11], ..shape };
        assert_eq!(reply(&shape, 1, &[0x11]).actions, [Action::Reset]);
        let busy = Shape::native(Unit { always: Some(6), ..Unit::default() });
        assert_eq!(answer(&busy, 1, &[0x11]), [0x91, 6]);
    }

    fn modbus_of_demo() -> impl Iterator<Item = crate::sim::Member> {
        let all = Plant::demo().in_process().into_iter();
        all.filter(|member| member.station.protocol() == "modbus")
    }

    proptest! {
        #[test]
        fn no_bytes_make_any_demo_device_panic(
            parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..8)
        ) {
            for member in modbus_of_demo() {
                let (line, _) = member.station.connect(Duration::ZERO);
                for part in &parts {
                    member.station.receive(line, part, Duration::ZERO);
                }
                member.station.close(line);
            }
        }

        #[test]
        fn no_request_makes_any_demo_device_panic(
            unit in any::<u8>(),
            pdu in prop::collection::vec(any::<u8>(), 1..253)
        ) {
            for member in modbus_of_demo() {
                let (line, _) = member.station.connect(Duration::ZERO);
                member.station.receive(line, &request(unit, &pdu), Duration::ZERO);
                proptest::prop_assert_eq!(member.station.counters().requests, 1);
            }
        }

        #[test]
        fn a_request_means_the_same_however_it_is_cut(
            pdu in prop::collection::vec(any::<u8>(), 1..60),
            at in any::<prop::sample::Index>()
        ) {
            let whole = request(1, &pdu);
            let (head, tail) = whole.split_at(at.index(whole.len()));
            let [once, cut] = [(); 2].map(|()| Station::new(Server::new(meter())));
            let (line, _) = once.connect(Duration::ZERO);
            let expected = once.receive(line, &whole, Duration::ZERO);
            let (line, _) = cut.connect(Duration::ZERO);
            proptest::prop_assert_eq!(cut.receive(line, head, Duration::ZERO), vec![]);
            proptest::prop_assert_eq!(cut.receive(line, tail, Duration::ZERO), expected);
            proptest::prop_assert_eq!(cut.counters(), once.counters());
        }
    }
}
