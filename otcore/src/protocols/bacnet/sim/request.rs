//! A datagram as a pretend device reads it, and what about it must never have been sent.

use super::value::{DEVICE, NETWORK_PORT};
use crate::safety::{Selector, never};

/// The number that stands for whichever device or port is asked (clause 15.5.2).
pub(super) const WILDCARD: u32 = 0x3F_FFFF;
/// No question may name more properties, or more elements.
const MOST: usize = 8;
/// No selector is longer.
const LONGEST: usize = 24;

/// What was asked of whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// The function of the BVLC.
    pub(super) function: u8,
    /// The network and the address there; nobody's address is everybody's.
    pub(super) to: Option<(u16, Vec<u8>)>,
    pub(super) asked: Asked,
    path: Vec<u8>,
    /// What is wrong with it.
    wrong: Option<&'static str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    DistributionTable,
    ForeignTable,
    /// For this network, or for any.
    WhoIsRouter(Option<u16>),
    NetworkNumber,
    /// With this range of numbers, or for any.
    WhoIs(Option<(u32, u32)>),
    /// A message that wants an answer: invoke id, the longest answer, and what it is about.
    Confirmed(u8, usize, Service),
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Service {
    Read(Wanted),
    ReadSeveral(Vec<Wanted>),
    Other,
}

/// A property, or one element of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) object: (u16, u32),
    pub(super) property: u32,
    pub(super) index: Option<u32>,
}

impl Request {
    /// Reads a whole datagram. `None` if it is no message of BACnet/IP at all.
    pub(super) fn read(datagram: &[u8]) -> Option<Self> {
        let [0x81, function, l0, l1, body @ ..] = datagram else { return None };
        if usize::from(u16::from_be_bytes([*l0, *l1])) != datagram.len() {
            return None;
        }
        let path = vec![*function];
        let mut request =
            Self { function: *function, to: None, asked: Asked::Other, path, wrong: None };
        match (function, body) {
            (0x02, []) => request.asked = Asked::DistributionTable,
            (0x06, []) => request.asked = Asked::ForeignTable,
            (0x0A | 0x0B, npdu) => match request.npdu(npdu) {
                Some(asked) => request.asked = asked,
                None => request.blame("malformed"),
            },
            _ => request.blame("no question"),
        }
        Some(request)
    }

    fn blame(&mut self, wrong: &'static str) {
        self.wrong.get_or_insert(wrong);
    }

    /// Clause 6.2.
    fn npdu(&mut self, npdu: &[u8]) -> Option<Asked> {
        let [1, control, rest @ ..] = npdu else { return None };
        self.path.push(control & 0xA0);
        if control & 0x53 != 0 {
            self.blame("reserved bits of the network layer, or a priority");
        }
        if control & 0x08 != 0 {
            self.blame("it pretends to come from another network");
            return None;
        }
        let rest = match control & 0x20 {
            0 => rest,
            _ => self.destination(rest)?,
        };
        match control & 0x80 {
            0 => self.apdu(control & 0x04 != 0, rest),
            _ => self.network_message(rest),
        }
    }

    fn destination<'a>(&mut self, rest: &'a [u8]) -> Option<&'a [u8]> {
        let [n0, n1, length, rest @ ..] = rest else { return None };
        let (address, rest) = rest.split_at_checked((*length).into())?;
        let (hops, rest) = rest.split_first()?;
        let network = u16::from_be_bytes([*n0, *n1]);
        match (network, hops) {
            (0 | 0xFFFF, _) => self.blame("it is for every network"),
            (_, 0) => self.blame("it may not be handed on"),
            _ => {}
        }
        self.to = Some((network, address.to_vec()));
        Some(rest)
    }

    /// Clause 6.4.
    fn network_message(&mut self, message: &[u8]) -> Option<Asked> {
        let (kind, data) = message.split_first()?;
        self.path.push(*kind);
        match (kind, data) {
            (0x00, []) => Some(Asked::WhoIsRouter(None)),
            (0x00, [n0, n1]) => Some(Asked::WhoIsRouter(Some(u16::from_be_bytes([*n0, *n1])))),
            (0x12, []) => Some(Asked::NetworkNumber),
            (0x00 | 0x12, _) => None,
            _ => Some(Asked::Other),
        }
    }

    /// Clause 20.1.
    fn apdu(&mut self, expects_answer: bool, apdu: &[u8]) -> Option<Asked> {
        let (head, rest) = apdu.split_first()?;
        self.path.push(head & 0xF0);
        match (head >> 4, rest) {
            (0, [sizes, invoke, service, body @ ..]) => {
                self.path.push(*service);
                if *head != 0 {
                    self.blame("segments, sent or accepted");
                }
                if !expects_answer || sizes & 0xF0 != 0 {
                    self.blame("it should say that it expects an answer in one piece");
                }
                let longest = *[50, 128, 206, 480, 1024, 1476].get(usize::from(sizes & 0x0F))?;
                Some(Asked::Confirmed(*invoke, longest, self.service(*service, body)?))
            }
            (1, [8, body @ ..]) => {
                self.path.push(8);
                if *head != 0x10 || expects_answer {
                    self.blame("it is not confirmed");
                }
                Some(Asked::WhoIs(range(body)?))
            }
            (1, [service, ..]) => {
                self.path.push(*service);
                Some(Asked::Other)
            }
            _ => None,
        }
    }

    fn service(&mut self, service: u8, body: &[u8]) -> Option<Service> {
        let mut tags = Tags(body);
        match service {
            0x0C => {
                let object = tags.object(0)?;
                let wanted = tags.wanted(object, [1, 2])?;
                self.reads(object.0, &[wanted]);
                tags.0.is_empty().then_some(Service::Read(wanted))
            }
            0x0E => {
                let object = tags.object(0)?;
                tags.exactly(0x1E)?;
                let mut all = Vec::new();
                while tags.exactly(0x1F).is_none() {
                    all.push(tags.wanted(object, [0, 1])?);
                }
                self.reads(object.0, &all);
                // A further object would be a further question.
                (tags.0.is_empty() && !all.is_empty()).then_some(Service::ReadSeveral(all))
            }
            _ => Some(Service::Other),
        }
    }

    fn reads(&mut self, kind: u16, all: &[Wanted]) {
        self.path.push(kind.to_be_bytes()[1]);
        let mut before = None;
        for wanted in all {
            let [_, _, high, low] = wanted.property.to_be_bytes();
            let element = match wanted.index {
                None => 0,
                Some(0) => 0x40,
                Some(_) => 0x80,
            };
            let step = [high | element, low];
            // However many elements of one list: they are one step of the path.
            if element != 0x80 || before != Some(step) {
                self.path.extend(step);
            }
            before = Some(step);
            if wanted.property == 76 && wanted.index.is_none() {
                self.blame("a whole list of objects");
            }
        }
        match kind {
            _ if all.len() > MOST => self.blame("more than eight at once"),
            DEVICE | NETWORK_PORT => {}
            _ => self.blame("an object that says nothing of who the device is"),
        }
    }

    /// Every number that decides what the device does.
    pub(super) fn selector(&self) -> Selector {
        Selector::of(self.path.get(..LONGEST).unwrap_or(&self.path))
    }

    /// What must never have been sent; a plant may have agreed to be called by broadcasts.
    pub(super) fn alarm(&self, agreed: bool) -> Option<String> {
        let path = self.selector();
        if never::lists(never::BACNET, &self.path) {
            return Some(format!("changes the device: {path}"));
        }
        if let Some(wrong) = self.wrong {
            return Some(format!("{wrong}: {path}"));
        }
        let everybody = self.to.as_ref().is_some_and(|(_, address)| address.is_empty());
        let wrong = match &self.asked {
            Asked::Other | Asked::Confirmed(_, _, Service::Other) => "no read-only request",
            Asked::WhoIs(range) if self.function == 0x0B => match range {
                Some(_) if agreed => return None,
                Some(_) => "a broadcast that nobody agreed to",
                None => "everybody is called",
            },
            _ if self.function == 0x0B => "a broadcast",
            Asked::Confirmed(..) if everybody => "a whole network is to answer",
            Asked::WhoIs(Some((first, last))) if first > last => "a range from the wrong end",
            _ => return None,
        };
        Some(format!("{wrong}: {path}"))
    }
}

/// The range of Who-Is: both ends, or none.
fn range(body: &[u8]) -> Option<Option<(u32, u32)>> {
    if body.is_empty() {
        return Some(None);
    }
    let mut tags = Tags(body);
    let ends = (tags.number(0)?, tags.number(1)?);
    (tags.0.is_empty() && ends.0.max(ends.1) <= WILDCARD).then_some(Some(ends))
}

/// Context tags, one after the other (clause 20.2.1).
struct Tags<'a>(&'a [u8]);

impl Tags<'_> {
    /// A number of this context, written as short as it can be.
    fn number(&mut self, context: u8) -> Option<u32> {
        let (head, rest) = self.0.split_first()?;
        let length = head & 0x07;
        if *head & 0xF8 != context << 4 | 0x08 || !(1..=4).contains(&length) {
            return None;
        }
        let (bytes, rest) = rest.split_at_checked(length.into())?;
        if let [0, _, ..] = bytes {
            return None;
        }
        self.0 = rest;
        Some(bytes.iter().fold(0, |value, byte| value << 8 | u32::from(*byte)))
    }

    fn object(&mut self, context: u8) -> Option<(u16, u32)> {
        self.exactly(context << 4 | 0x0C)?;
        let (bytes, rest) = self.0.split_at_checked(4)?;
        self.0 = rest;
        let number = bytes.iter().fold(0, |value, byte| value << 8 | u32::from(*byte));
        Some((u16::try_from(number >> 22).ok()?, number & WILDCARD))
    }

    /// A property and, if there is one, the index in it.
    fn wanted(&mut self, object: (u16, u32), [at, index]: [u8; 2]) -> Option<Wanted> {
        let property = self.number(at).filter(|property| *property <= WILDCARD)?;
        let is_index = |head: &u8| head & 0xF8 == index << 4 | 0x08 && head & 0x07 < 5;
        let has_index = self.0.first().is_some_and(is_index);
        let index = match has_index {
            true => Some(self.number(index)?),
            false => None,
        };
        Some(Wanted { object, property, index })
    }

    fn exactly(&mut self, byte: u8) -> Option<()> {
        self.0 = self.0.strip_prefix(&[byte])?;
        Some(())
    }
}
