//! The pretend outstations there are. Every maker is made up.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Greets, Outstation, Shape};

const TEXT: u8 = 1;
const UNSIGNED: u8 = 2;
const SIGNED: u8 = 3;
const FLOAT: u8 = 4;
const OCTETS: u8 = 5;
const TIME: u8 = 7;

/// One of every kind, for tests that ask everything.
#[must_use]
pub fn every_kind() -> Vec<Shape> {
    let by_datagram = Shape { datagrams: true, ..full() };
    vec![
        full(),
        by_datagram,
        partial(),
        bare(),
        behind_serial(),
        concentrator(),
        one_master(),
        fragmented(),
        waiting(),
    ]
}

fn texts(all: &[(u8, &str)]) -> BTreeMap<u8, (u8, Vec<u8>)> {
    all.iter().map(|(variation, text)| (*variation, (TEXT, text.as_bytes().to_vec()))).collect()
}

fn numbers(all: &[(u8, u32)]) -> impl Iterator<Item = (u8, (u8, Vec<u8>))> {
    let short = |number: u32| match u8::try_from(number) {
        Ok(byte) => vec![byte],
        Err(_) => number.to_le_bytes().to_vec(),
    };
    all.iter().map(move |(variation, number)| (*variation, (UNSIGNED, short(*number))))
}

/// Every attribute there is.
fn everything() -> BTreeMap<u8, (u8, Vec<u8>)> {
    let mut all = texts(&[
        (252, "Tarnwick Automation"),
        (250, "TW-RTU 40"),
        (248, "TW40-001377"),
        (242, "6.2.1"),
        (243, "C"),
        (247, "feeder 7"),
        (245, "substation 12"),
        (246, "RTU-12-A"),
        (244, "Ostbach Power"),
        (249, "2:2012"),
        (208, "east ring"),
        (207, "control room east"),
        (206, "control room west"),
        (202, "7b2e0c44-9f3d-4a64-9f6c-0d5d5f1a0001"),
        (211, "TW private"),
        (196, "east-ring-feeders"),
        (197, "14"),
        (201, "SHA-256"),
    ]);
    all.extend(numbers(&[
        (209, 5),
        (210, 18),
        (212, 0),
        (213, 1),
        (214, 0),
        (215, 2),
        (216, 8),
        (217, 10),
        (218, 60),
        (240, 2048),
        (241, 2048),
        (239, 64),
        (238, 63),
        (236, 4),
        (235, 3),
        (233, 300),
        (232, 299),
        (229, 0),
        (224, 16),
        (223, 15),
        (221, 2),
        (220, 1),
    ]));
    for (variation, says) in
        [(237, 1), (234, 1), (231, 1), (230, 0), (227, 0), (226, 1), (225, 0), (222, 0), (219, 0)]
    {
        all.insert(variation, (SIGNED, vec![says]));
    }
    let floats = [(203, 44.5_f32), (204, 11.25), (205, 48.5)];
    all.extend(floats.map(|(variation, float)| (variation, (FLOAT, float.to_le_bytes().into()))));
    // 2024-05-06T07:08:09Z and the first of that year.
    for (variation, time) in [(199, 1_714_979_289_000_u64), (198, 1_704_067_200_000)] {
        let time = time.to_le_bytes().get(..6).map(<[u8]>::to_vec);
        all.insert(variation, (TIME, time.unwrap_or_default()));
    }
    all.insert(200, (OCTETS, vec![0xC0, 0xFF, 0xEE, 0x00, 0x15, 0x40]));
    all
}

fn alone(address: u16, outstation: Outstation) -> Shape {
    Shape { outstations: BTreeMap::from([(address, outstation)]), ..Shape::default() }
}

/// An outstation that says everything of itself, and greets its master.
#[must_use]
pub fn full() -> Shape {
    let outstation = Outstation { attributes: everything(), ..Outstation::default() };
    Shape { greets: Greets::WhenAsked, ..alone(10, outstation) }
}

/// One that gives five attributes one by one, knows the self-address and lost its time.
#[must_use]
pub fn partial() -> Shape {
    let attributes = texts(&[
        (252, "Brakkenholt Drives"),
        (250, "BH-RC Recloser"),
        (248, "RC-90210"),
        (242, "2.07"),
        (247, ""),
    ]);
    let outstation = Outstation {
        indications: [0x90, 0x00],
        gives_list: false,
        gives_all: false,
        attributes,
        ..Outstation::default()
    };
    Shape { itself: Some(1024), ..alone(1024, outstation) }
}

/// One that knows no attributes at all, as those before they were invented.
#[must_use]
pub fn bare() -> Shape {
    let outstation = Outstation { gives_list: false, gives_all: false, ..Outstation::default() };
    alone(4, outstation)
}

/// One behind a serial line, which everybody who calls has to wait for.
#[must_use]
pub fn behind_serial() -> Shape {
    let attributes =
        texts(&[(252, "Quillmere Networks"), (250, "QR-2 RTU"), (248, "QR2-11"), (242, "1.0")]);
    let outstation = Outstation { attributes, ..Outstation::default() };
    Shape { line: Duration::from_millis(180), ..alone(3, outstation) }
}

/// Three outstations behind one address, each with a master of its own.
#[must_use]
pub fn concentrator() -> Shape {
    let named = |product: &str, serial: &str, master| Outstation {
        master,
        is_strict: true,
        attributes: texts(&[(252, "Ohmstead"), (250, product), (248, serial)]),
        ..Outstation::default()
    };
    let outstations = BTreeMap::from([
        (11, named("OS-C Concentrator", "C-1", 1)),
        (12, named("OS-F Feeder", "F-12", 1)),
        (13, named("OS-F Feeder", "F-13", 1)),
    ]);
    Shape { outstations, ..Shape::default() }
}

/// One whose master loses its connection to whoever connects.
#[must_use]
pub fn one_master() -> Shape {
    Shape { one_master: true, greets: Greets::AtOnce, ..full() }
}

/// One whose answer does not fit a fragment, so that the rest would need a confirmation.
#[must_use]
pub fn fragmented() -> Shape {
    let outstation =
        Outstation { fragment: 249, attributes: everything(), ..Outstation::default() };
    Shape { greets: Greets::WhenAsked, ..alone(10, outstation) }
}

/// One that waits for its master to confirm that it has restarted, and answers no read before.
#[must_use]
pub fn waiting() -> Shape {
    let outstation = Outstation { waits: true, attributes: everything(), ..Outstation::default() };
    Shape { greets: Greets::AtOnce, ..alone(10, outstation) }
}
