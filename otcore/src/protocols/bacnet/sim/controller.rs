//! One pretend device: its objects, and its habits.

use std::collections::BTreeMap;
use std::time::Duration;

use super::request::{Service, WILDCARD, Wanted};
use super::value::{self, DEVICE, NETWORK_PORT};

const OBJECT_IDENTIFIER: u32 = 75;
const OBJECT_LIST: u32 = 76;

/// The properties of one object, as they are written on the wire.
pub type Properties = BTreeMap<u32, Vec<u8>>;

/// Type and number of an object.
type Object = (u16, u32);
/// Class and code of an error.
type Code = (u8, u8);

/// One device.
#[derive(Clone, Debug)]
pub struct Controller {
    /// Its number; 4194303 if it was never given one.
    pub instance: u32,
    /// The number of who made it.
    pub vendor: u32,
    /// The longest APDU that it takes and sends.
    pub longest: u16,
    /// What it says of segments: 0 both ways, 1 sends, 2 takes, 3 none.
    pub segmentation: u8,
    /// What it does when it is asked by the number that every device should answer to.
    pub wildcard: Habit,
    /// What it does with ReadProperty.
    pub one: Habit,
    /// What it does with ReadPropertyMultiple.
    pub several: Habit,
    /// What it says when an answer would be too long: the reason of an Abort.
    pub too_long: u8,
    /// Whether it answers Who-Is.
    pub is_called: bool,
    /// How long an answer takes.
    pub takes: Duration,
    /// Everything that can be read, by type and number of its object.
    pub objects: BTreeMap<(u16, u32), Properties>,
}

/// What a device does with one kind of question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Habit {
    /// Answers it.
    Answers,
    /// Says nothing.
    Silent,
    /// Refuses with an Error of this class and code.
    Error(u8, u8),
    /// Refuses with a Reject for this reason.
    Reject(u8),
    /// Refuses with an Abort for this reason.
    Abort(u8),
}

impl Controller {
    /// What it says to a confirmed request: an APDU, or nothing.
    pub(super) fn answer(&self, invoke: u8, longest: usize, service: &Service) -> Option<Vec<u8>> {
        let (number, habit) = match service {
            Service::Read(_) => (0x0C, self.one),
            Service::ReadSeveral(_) => (0x0E, self.several),
            Service::Other => return Some(vec![0x60, invoke, 9]),
        };
        let habit = match (habit, self.is_wildcard(service)) {
            (Habit::Answers, true) => self.wildcard,
            (habit, _) => habit,
        };
        if habit != Habit::Answers {
            return habit.apdu(invoke, number);
        }
        let body = match service {
            Service::Read(wanted) => self.value(wanted).map(|value| self.read(wanted, &value)),
            Service::ReadSeveral(all) => self.values(all),
            Service::Other => return None,
        };
        let body = match body {
            Ok(body) => body,
            Err((class, code)) => return Habit::Error(class, code).apdu(invoke, number),
        };
        let apdu = [&[0x30, invoke, number][..], &body].concat();
        match apdu.len() > longest.min(self.longest.into()) {
            true => Habit::Abort(self.too_long).apdu(invoke, number),
            false => Some(apdu),
        }
    }

    fn is_wildcard(&self, service: &Service) -> bool {
        let object = match service {
            Service::Read(wanted) => Some(wanted.object),
            Service::ReadSeveral(all) => all.first().map(|wanted| wanted.object),
            Service::Other => None,
        };
        object == Some((DEVICE, WILDCARD)) && self.instance != WILDCARD
    }

    /// Whether it has this object; every device takes the number of all for itself.
    pub(super) fn has(&self, object: Object) -> bool {
        self.named(object).is_some()
    }

    fn named(&self, object: Object) -> Option<(Object, &Properties)> {
        let object = match object {
            (DEVICE, WILDCARD) => (DEVICE, self.instance),
            (NETWORK_PORT, WILDCARD) => {
                *self.objects.keys().find(|(kind, _)| *kind == NETWORK_PORT)?
            }
            object => object,
        };
        Some((object, self.objects.get(&object)?))
    }

    fn value(&self, wanted: &Wanted) -> Result<Vec<u8>, Code> {
        let (object, properties) = self.named(wanted.object).ok_or((1, 31))?;
        match (wanted.property, wanted.index) {
            (OBJECT_IDENTIFIER, None) => Ok(value::object(object)),
            (OBJECT_LIST, index) if object.0 == DEVICE => self.listed(index).ok_or((2, 42)),
            (number, None) => properties.get(&number).cloned().ok_or((2, 32)),
            (number, Some(_)) if properties.contains_key(&number) => Err((2, 50)),
            _ => Err((2, 32)),
        }
    }

    /// Clause 15.5.
    fn read(&self, wanted: &Wanted, value: &[u8]) -> Vec<u8> {
        let object = self.named(wanted.object).map_or(wanted.object, |(object, _)| object);
        let index = wanted.index.map(|index| context(2, index)).unwrap_or_default();
        let name = context(1, wanted.property);
        [&[0x0C][..], &value::identifier(object), &name, &index, &[0x3E], value, &[0x3F]].concat()
    }

    /// The list of objects, its length, or an element of it.
    fn listed(&self, index: Option<u32>) -> Option<Vec<u8>> {
        let count = u32::try_from(self.objects.len()).unwrap_or(u32::MAX);
        match index {
            None => Some(self.objects.keys().flat_map(|key| value::object(*key)).collect()),
            Some(0) => Some(value::unsigned(count)),
            Some(index) => {
                let at = usize::try_from(index).ok()?.checked_sub(1)?;
                self.objects.keys().nth(at).map(|key| value::object(*key))
            }
        }
    }

    /// Clause 15.7: each property with its value or with its error.
    fn values(&self, all: &[Wanted]) -> Result<Vec<u8>, Code> {
        let asked = all.first().map_or((DEVICE, WILDCARD), |wanted| wanted.object);
        let (object, _) = self.named(asked).ok_or((1, 31))?;
        let each = all.iter().flat_map(|wanted| {
            let name = context(2, wanted.property);
            let index = wanted.index.map(|index| context(3, index)).unwrap_or_default();
            let found = match self.value(wanted) {
                Ok(value) => [&[0x4E][..], &value, &[0x4F]].concat(),
                Err((class, code)) => vec![0x5E, 0x91, class, 0x91, code, 0x5F],
            };
            [name, index, found].concat()
        });
        let head = [&[0x0C][..], &value::identifier(object), &[0x1E]].concat();
        Ok(head.into_iter().chain(each).chain([0x1F]).collect())
    }

    /// Clause 16.10, if it is meant.
    pub(super) fn i_am(&self, range: Option<(u32, u32)>) -> Option<Vec<u8>> {
        let is_meant = range.is_none_or(|(first, last)| (first..=last).contains(&self.instance));
        let parts = [
            vec![0x10, 0x00],
            value::object((DEVICE, self.instance)),
            value::unsigned(self.longest.into()),
            value::enumerated(self.segmentation.into()),
            value::unsigned(self.vendor),
        ];
        (self.is_called && is_meant).then(|| parts.concat())
    }
}

impl Habit {
    fn apdu(self, invoke: u8, service: u8) -> Option<Vec<u8>> {
        match self {
            Self::Answers | Self::Silent => None,
            Self::Error(class, code) => Some(vec![0x50, invoke, service, 0x91, class, 0x91, code]),
            Self::Reject(reason) => Some(vec![0x60, invoke, reason]),
            Self::Abort(reason) => Some(vec![0x71, invoke, reason]),
        }
    }
}

/// A number under a context tag.
fn context(tag: u8, number: u32) -> Vec<u8> {
    let plain = value::unsigned(number);
    let length = plain.first().copied().unwrap_or_default() & 0x07;
    let content = plain.get(1..).unwrap_or_default();
    [&[tag << 4 | 0x08 | length], content].concat()
}
