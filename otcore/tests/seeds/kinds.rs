//! One honest device of each kind that the simulators know.

use std::sync::LazyLock;
use std::time::Duration;

use otcore::protocols::{bacnet, by_name, dnp3, enip, modbus, s7};
use otcore::sim::Device;

/// An honest device of this protocol; `kind` chooses which.
#[must_use]
pub(crate) fn honest(protocol: &str, kind: u8) -> Box<dyn Device> {
    match protocol {
        "bacnet" => Box::new(bacnet::sim::Server::new(any(&BACNET, kind))),
        "dnp3" => Box::new(dnp3::sim::Server::new(any(&DNP3, kind))),
        "enip" => Box::new(enip::sim::Server::new(any(&ENIP, kind))),
        "modbus" if kind % 3 == 1 => Box::new(modbus::sim::Server::new(gateway())),
        "modbus" if kind % 3 == 2 => Box::new(modbus::sim::Server::new(speaks_umas())),
        "s7" => Box::new(s7::sim::Server::new(any(&S7, kind))),
        other => typical(other),
    }
}

/// How many kinds of this protocol there are.
#[must_use]
pub(crate) fn count(protocol: &str) -> u8 {
    let count = match protocol {
        "bacnet" => BACNET.len(),
        "dnp3" => DNP3.len(),
        "enip" => ENIP.len(),
        "modbus" => 3,
        "s7" => S7.len(),
        _ => 1,
    };
    u8::try_from(count).expect("a few kinds")
}

static BACNET: LazyLock<Vec<bacnet::sim::Shape>> = LazyLock::new(bacnet::sim::every_kind);
static DNP3: LazyLock<Vec<dnp3::sim::Shape>> = LazyLock::new(dnp3::sim::every_kind);
static ENIP: LazyLock<Vec<enip::sim::Shape>> = LazyLock::new(enip::sim::every_kind);
static S7: LazyLock<Vec<s7::sim::Cpu>> = LazyLock::new(controllers);

fn any<T: Clone>(all: &[T], kind: u8) -> T {
    all[usize::from(kind) % all.len()].clone()
}

fn controllers() -> Vec<s7::sim::Cpu> {
    use s7::sim::{et200s, lists_to_nobody, logo, mms_only, plus_only};
    use s7::sim::{s7_300, s7_400, s7_1200, s7_1500};
    let all = [s7_300, s7_400, s7_1200, s7_1500, et200s, logo];
    all.iter().chain(&[plus_only, mms_only, lists_to_nobody]).map(|make| make()).collect()
}

fn identified(product: &[u8]) -> modbus::sim::Unit {
    let objects = [(0, &b"Ohmstead"[..]), (1, product), (2, b"4.2")];
    modbus::sim::Unit::identified(modbus::sim::Identity::new(0x01, objects))
}

fn gateway() -> modbus::sim::Shape {
    let serial = modbus::sim::Serial {
        own: 255,
        transaction: Duration::from_millis(120),
        timeout: Duration::from_millis(300),
    };
    let behind = [(1, identified(b"BH-110")), (2, identified(b"PM-100"))];
    modbus::sim::Shape::gateway(serial, identified(b"QG-4"), behind)
}

fn speaks_umas() -> modbus::sim::Shape {
    let umas = modbus::sim::Umas {
        cpu: "BMX P34 2020".into(),
        version: 0x0270,
        hardware: 9,
        project: "Palletizer".into(),
        revision: [0, 0, 8],
        changed: [0x02, 0x0C, 0x3B, 0x0C, 0x0E, 0x01, 0xDE, 0x07],
    };
    let unit = modbus::sim::Unit { umas: Some(umas), ..identified(b"BMX P34 2020") };
    modbus::sim::Shape::native(unit)
}

/// The device that the simulators begin with.
#[must_use]
pub(crate) fn typical(protocol: &str) -> Box<dyn Device> {
    by_name(protocol).expect("a protocol of this build").simulate()
}
