//! The pretend devices there are. Every maker is made up, except where a number belongs to somebody.

use std::collections::BTreeMap;
use std::time::Duration;

use super::controller::{Controller, Habit, Properties};
use super::value::{self, DEVICE, Letters, NETWORK_PORT};
use super::{Answers, Shape, Tables};

const NOBODYS_NUMBER: u32 = 60_001;

/// Who a device is, as it says it.
#[derive(Clone, Copy, Debug)]
struct Identity {
    letters: Letters,
    name: &'static str,
    vendor: &'static str,
    model: &'static str,
    firmware: &'static str,
    application: &'static str,
    location: Option<&'static str>,
    description: Option<&'static str>,
    serial: Option<&'static str>,
    revision: u32,
}

impl Identity {
    fn properties(&self, vendor_number: u32) -> Properties {
        let text = |text| value::text(self.letters, text);
        let mut all = Properties::from([
            (11, value::unsigned(3_000)),
            (12, text(self.application)),
            (44, text(self.firmware)),
            (70, text(self.model)),
            (73, value::unsigned(3)),
            (77, text(self.name)),
            (79, value::enumerated(8)),
            (98, value::unsigned(1)),
            (112, value::enumerated(0)),
            (120, value::unsigned(vendor_number)),
            (121, text(self.vendor)),
            (139, value::unsigned(self.revision)),
            (155, value::unsigned(7)),
        ]);
        let optional = [(58, self.location), (28, self.description), (372, self.serial)];
        all.extend(optional.into_iter().filter_map(|(number, said)| Some((number, text(said?)))));
        all
    }
}

const PLAIN: Identity = Identity {
    letters: Letters::Utf8,
    name: "AHU-01",
    vendor: "Tarnwick Automation",
    model: "TW-BC 40",
    firmware: "5.2.1",
    application: "AHU 3.0",
    location: Some("roof, plant room 2"),
    description: Some("supply air, north wing"),
    serial: Some("TWB-204711"),
    revision: 19,
};

/// A device that behaves, in messages of this length.
fn device(instance: u32, longest: u16, identity: Identity) -> Controller {
    let mut properties = identity.properties(NOBODYS_NUMBER);
    properties.insert(62, value::unsigned(longest.into()));
    properties.insert(107, value::enumerated(3));
    properties.insert(97, value::bits(44, &[12, 14, 15, 20, 34]));
    let mut objects = BTreeMap::from([((DEVICE, instance), properties)]);
    for (kind, number, name) in [(0, 1, "supply temperature"), (5, 1, "fan command")] {
        let name = value::text(identity.letters, name);
        objects.insert((kind, number), Properties::from([(77, name)]));
    }
    Controller {
        instance,
        vendor: NOBODYS_NUMBER,
        longest,
        segmentation: 3,
        wildcard: Habit::Answers,
        one: Habit::Answers,
        several: Habit::Answers,
        too_long: 4,
        is_called: true,
        takes: Duration::ZERO,
        objects,
    }
}

fn alone(head: Controller) -> Shape {
    Shape { heads: vec![head], ..Shape::default() }
}

/// One of every kind, for tests that ask everything.
#[must_use]
pub fn every_kind() -> Vec<Shape> {
    vec![
        controller(),
        panel(),
        room_sensor(),
        old_controller(),
        called_only(),
        quiet(),
        port_bound(),
        shouting(),
        two_in_one(),
        without_number(),
        bbmd(),
        router(),
    ]
}

/// A controller that knows every question: a network port, a restart, a clock, its own identifier.
#[must_use]
pub fn controller() -> Shape {
    let mut head = device(4_711, 1_476, PLAIN);
    head.segmentation = 0;
    if let Some(properties) = head.objects.get_mut(&(DEVICE, 4_711)) {
        properties.insert(56, value::date([2026, 5, 4, 1]));
        properties.insert(57, value::time([8, 15, 0, 0]));
        properties.insert(107, value::enumerated(0));
        properties.insert(168, value::text(Letters::Utf8, "60001-BC40"));
        properties.insert(196, value::enumerated(2));
        properties.insert(203, value::moment([2026, 4, 30, 4], [6, 0, 12, 0]));
        let uuid = [0x6F, 0x1D, 0x52, 0x8E, 0x33, 0x0A, 0x4C, 0x11];
        properties
            .insert(507, value::octets(&[uuid, [0x9B, 0x02, 0, 0, 0x5E, 0, 0x53, 1]].concat()));
    }
    head.objects.insert((NETWORK_PORT, 1), network_port([10, 1, 1, 7]));
    alone(head)
}

/// Clause 12.56, of a port for BACnet/IP at 10 Mbit/s.
fn network_port(address: [u8; 4]) -> Properties {
    Properties::from([
        (77, value::text(Letters::Utf8, "NetworkPort-1")),
        (400, value::octets(&address)),
        (401, value::octets(&[10, 1, 1, 1])),
        (411, value::octets(&[255, 255, 255, 0])),
        (419, value::unsigned(1_476)),
        (420, value::real(1e7)),
        (423, value::octets(&[&address[..], &[0xBA, 0xC0]].concat())),
        (425, value::unsigned(100)),
        (427, value::enumerated(5)),
        (428, value::enumerated(1)),
    ])
}

/// A panel of another maker that writes two bytes for each letter, and gives up with an Abort for
/// whatever is longer than it can send.
#[must_use]
pub fn panel() -> Shape {
    let identity = Identity {
        letters: Letters::Ucs2,
        name: "Wärmeübergabe 3",
        vendor: "Ohmstead",
        model: "OS-P7",
        firmware: "2.11",
        application: "Fernwärme 1.4",
        location: Some("Keller Süd"),
        description: None,
        serial: Some("OS7-00815"),
        revision: 14,
    };
    let mut head = device(88_001, 206, identity);
    head.too_long = 11;
    alone(head)
}

/// A small sensor with the shortest messages there are: one property at a time, and no serial number.
#[must_use]
pub fn room_sensor() -> Shape {
    let identity = Identity {
        letters: Letters::Latin,
        name: "Büro 214",
        vendor: "Brakkenholt Drives",
        model: "BH-RT 1",
        firmware: "0.9",
        application: "0.9",
        location: None,
        description: None,
        serial: None,
        revision: 4,
    };
    let mut head = device(214, 50, identity);
    (head.several, head.too_long) = (Habit::Reject(9), 1);
    alone(head)
}

/// A controller from before there was a number for all: it refuses it, and several properties too.
#[must_use]
pub fn old_controller() -> Shape {
    let identity = Identity {
        name: "BOILER-2",
        vendor: "Quillmere Networks",
        model: "QG-HVAC",
        firmware: "1.06",
        application: "BLR 12",
        location: Some("boiler house"),
        description: None,
        serial: None,
        revision: 2,
        ..PLAIN
    };
    let mut head = device(1_201, 480, identity);
    (head.wildcard, head.several) = (Habit::Error(1, 31), Habit::Abort(4));
    alone(head)
}

/// A controller that is silent to the number of all, and answers to its own once it was called.
#[must_use]
pub fn called_only() -> Shape {
    let identity = Identity {
        name: "VAV 7-12",
        vendor: "Ferrolume Systems",
        model: "FL-VAV",
        firmware: "7.0",
        application: "VAV 2",
        serial: Some("FV0712"),
        revision: 12,
        ..PLAIN
    };
    let mut head = device(70_012, 1_024, identity);
    head.wildcard = Habit::Silent;
    alone(head)
}

/// A controller that answers reads and no call.
#[must_use]
pub fn quiet() -> Shape {
    let mut head = device(4_712, 1_024, Identity { name: "AHU-02", ..PLAIN });
    head.is_called = false;
    alone(head)
}

/// A controller that answers to port 47808, whatever port it was asked from.
#[must_use]
pub fn port_bound() -> Shape {
    let head = device(4_713, 480, Identity { name: "AHU-03", ..PLAIN });
    Shape { answers: Answers::TheUsualPort, ..alone(head) }
}

/// A controller that refuses the number of all with an Abort, and answers a call by a broadcast.
#[must_use]
pub fn shouting() -> Shape {
    let mut head = device(4_714, 1_024, Identity { name: "AHU-04", ..PLAIN });
    head.wildcard = Habit::Abort(0);
    Shape { answers: Answers::EverybodyIfCalled, ..alone(head) }
}

/// A gateway that is two devices at one address.
#[must_use]
pub fn two_in_one() -> Shape {
    let first = device(4_715, 1_024, Identity { name: "GATEWAY", model: "TW-GW", ..PLAIN });
    let other = Identity { name: "CHILLER", model: "TW-CH", serial: Some("TWC-0002"), ..PLAIN };
    Shape { heads: vec![first, device(4_716, 1_024, other)], ..Shape::default() }
}

/// A device that was never given a number, made by whom its number says and named after who sells it.
#[must_use]
pub fn without_number() -> Shape {
    const UNKNOWN: u32 = 0x3F_FFFF;
    let mut head = device(UNKNOWN, 480, Identity { name: "", location: None, ..PLAIN });
    head.vendor = 24;
    if let Some(properties) = head.objects.get_mut(&(DEVICE, UNKNOWN)) {
        properties.insert(120, value::unsigned(24));
        properties.insert(112, value::enumerated(2));
    }
    alone(head)
}

/// A controller that hands broadcasts on to two networks and has two foreign devices.
#[must_use]
pub fn bbmd() -> Shape {
    let head = device(4_717, 1_476, Identity { name: "BBMD", ..PLAIN });
    let whole = [255, 255, 255, 255];
    let tables = Tables {
        distribution: vec![([10, 1, 1, 7], 0xBAC0, whole), ([10, 2, 0, 5], 0xBAC0, whole)],
        foreign: vec![([10, 9, 0, 77], 0xBAC0, [600, 512]), ([10, 9, 0, 78], 47_820, [60, 3])],
    };
    Shape { tables: Some(tables), ..alone(head) }
}

/// A router with two serial networks behind it: four devices, one of which knows single properties
/// only and one of which is never there.
#[must_use]
pub fn router() -> Shape {
    let head = device(5_000, 1_476, Identity { name: "ROUTER", model: "TW-RT 2", ..PLAIN });
    let behind = |instance, longest, name, model| {
        let made = device(instance, longest, Identity { name, model, ..PLAIN });
        Controller { takes: Duration::from_millis(90), ..made }
    };
    let mut simple = behind(200_004, 206, "VAV 2-4", "TW-VAV");
    simple.several = Habit::Reject(9);
    let mut dead = behind(300_009, 480, "gone", "TW-VAV");
    (dead.one, dead.several, dead.wildcard) = (Habit::Silent, Habit::Silent, Habit::Silent);
    let networks = BTreeMap::from([
        (
            2001,
            BTreeMap::from([
                (vec![2], behind(200_002, 480, "VAV 2-2", "TW-VAV")),
                (vec![4], simple),
            ]),
        ),
        (
            2002,
            BTreeMap::from([
                (vec![0x72], behind(300_072, 480, "FCU 3-72", "TW-FCU")),
                (vec![0x7F], Controller { is_called: false, ..dead }),
            ]),
        ),
    ]);
    Shape { networks, network_number: Some(100), ..alone(head) }
}
