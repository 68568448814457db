//! The devices of the demonstration plant, one of each kind that a scanner meets.
//!
//! Every maker is made up, except where a dialect is one maker's own.

use std::collections::BTreeMap;
use std::time::Duration;

use super::device::Device;
use super::fault::{Fault, Faulty};
use super::plant::{Expected, Plant, Truth};
use crate::protocols::bacnet::sim as bacnet;
use crate::protocols::enip::sim as enip;
use crate::protocols::modbus::sim::{Identity, Serial, Server, Shape, Umas, Unit, typical};

const ILLEGAL_FUNCTION: Unit = Unit {
    identity: None,
    server_id: None,
    registers: BTreeMap::new(),
    umas: None,
    always: Some(0x01),
};

impl Plant {
    /// Eighteen Modbus devices, seven that behave and eleven that do not, four that speak EtherNet/IP
    /// and five that speak BACnet.
    #[must_use]
    pub fn demo() -> Self {
        let mut plant = Self::new();
        let all = [well_behaved(), troublesome(), of_ethernet_ip(), of_bacnet()];
        for (expected, device) in all.into_iter().flatten() {
            plant = plant.with(expected, device);
        }
        plant
    }
}

type Entry = (Expected, Box<dyn Device>);

fn well_behaved() -> Vec<Entry> {
    vec![
        compact_plc(),
        m340(),
        basic_only(),
        power_meter(),
        serial_gateway(),
        any_unit(),
        solar_inverter(),
    ]
}

fn troublesome() -> Vec<Entry> {
    let moment = Duration::from_millis(600);
    let http = b"HTTP/1.1 400 Bad Request\r\nServer: pretend\r\nConnection: close\r\n\r\n".to_vec();
    let tls_alert = vec![0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46];
    vec![
        faulty(
            "one-slot",
            "has one connection slot",
            Fault::Slots(1),
            identified("Ohmstead", "OS-1"),
        ),
        faulty(
            "slow",
            "answers after 1.2 s, and slower each time",
            Fault::Slow { first: 2 * moment, more: moment },
            identified("Ohmstead", "OS-1"),
        ),
        goes_dark(),
        hostile(),
        faulty("echo", "sends back what it receives", Fault::Echo, outcome("Malformed")),
        faulty("http", "a web server on this port", Fault::Says(http), outcome("Unsupported")),
        busy(),
        long_identity(),
        endless_identity(),
        resets_on_server_id(),
        faulty("tls-only", "speaks TLS only", Fault::Says(tls_alert), outcome("TlsRequired")),
    ]
}

/// Names and numbers are those of real kinds of device, for they are what the tables know.
fn of_ethernet_ip() -> Vec<Entry> {
    let kind = |name: &str, what: &str, known: &[(&str, &str)], shape| -> Entry {
        let found = Truth::new("Identified", known);
        (expected(name, what, found), Box::new(enip::Server::new(shape)))
    };
    vec![
        kind(
            "controllogix",
            "Ethernet module at the head of a ControlLogix rack",
            &[("model", "1756-ENBT/A"), ("firmware", "4.3"), ("serial_number", "00524d8e")],
            enip::controllogix(),
        ),
        kind(
            "compactlogix",
            "CompactLogix controller that answers for every slot",
            &[("model", "1769-L36ERM/A LOGIX5336ERM"), ("device_class", "plc")],
            enip::compactlogix(),
        ),
        kind(
            "enip-drive",
            "drive with small tables",
            &[("model", "PowerFlex 525 1P 230V  .50HP"), ("device_class", "drive")],
            enip::drive(),
        ),
        kind(
            "remote-io",
            "I/O adapter that refuses List Identity",
            &[("vendor", "Hilscher"), ("serial_number", "deadbeef")],
            enip::adapter(),
        ),
    ]
}

/// All of them answer whoever asks, so that they can share a host with the scanner.
fn of_bacnet() -> Vec<Entry> {
    let kind = |name: &str, what: &str, known: &[(&str, &str)], shape| -> Entry {
        let found = Truth::new("Identified", known);
        (expected(name, what, found), Box::new(bacnet::Server::new(shape)))
    };
    vec![
        kind(
            "air-handler",
            "building controller that knows every question",
            &[("vendor", "Tarnwick Automation"), ("serial_number", "TWB-204711")],
            bacnet::controller(),
        ),
        kind(
            "heating-panel",
            "panel that writes two bytes for each letter",
            &[("vendor", "Ohmstead"), ("device_name", "Wärmeübergabe 3")],
            bacnet::panel(),
        ),
        kind(
            "room-sensor",
            "sensor with messages of fifty bytes, one property at a time",
            &[("model", "BH-RT 1"), ("device_name", "Büro 214")],
            bacnet::room_sensor(),
        ),
        kind(
            "boiler",
            "old controller that does not know the number of all",
            &[("model", "QG-HVAC"), ("firmware", "1.06")],
            bacnet::old_controller(),
        ),
        kind(
            "bacnet-router",
            "router with two serial networks behind it",
            &[("model", "TW-RT 2"), ("device_name", "ROUTER")],
            bacnet::router(),
        ),
    ]
}

fn compact_plc() -> Entry {
    let found = Truth::new(
        "Identified",
        &[("vendor", "Tarnwick Automation"), ("model", "Compact C24"), ("firmware", "V3.1.4")],
    );
    (expected("compact-plc", "compact PLC with every identity object", found), typical())
}

fn m340() -> Entry {
    let unit = Unit {
        identity: Some(basic("Schneider Electric", "BMX P34 2020", "v2.70")),
        umas: Some(Umas {
            cpu: "BMX P34 2020".into(),
            version: 0x0270,
            hardware: 9,
            project: "Palletizer".into(),
            revision: [0, 0, 8],
            changed: [0x02, 0x0C, 0x3B, 0x0C, 0x0E, 0x01, 0xDE, 0x07],
        }),
        ..Unit::default()
    };
    let known = [("vendor", "Schneider Electric"), ("model", "BMX P34 2020")];
    let expected = Expected {
        with_consent: Some(Truth::new("Identified", &known)),
        ..expected("m340", "Modicon M340, its project by UMAS", Truth::new("Identified", &known))
    };
    modbus(expected, Shape::native(unit))
}

fn basic_only() -> Entry {
    let identity = basic("Brakkenholt Drives", "BH-750", "1.09");
    let found = identified("Brakkenholt Drives", "BH-750");
    modbus(
        expected("drive", "drive with the three basic objects", found),
        Shape::native(Unit::identified(identity)),
    )
}

fn power_meter() -> Entry {
    let unit = Unit { server_id: Some(b"\x21\xFFOhmstead PM-300".to_vec()), ..Unit::default() };
    let found = Truth::new("Identified", &[("device_name", "Ohmstead PM-300")]);
    modbus(
        expected("power-meter", "power meter that knows Report Server ID only", found),
        Shape::native(unit),
    )
}

fn serial_gateway() -> Entry {
    let serial = Serial {
        own: 255,
        transaction: Duration::from_millis(120),
        timeout: Duration::from_millis(300),
    };
    let own = Unit::identified(basic("Quillmere Networks", "QG-4 Gateway", "2.0.1"));
    let behind = [
        (1, Unit::identified(basic("Brakkenholt Drives", "BH-110", "0.98"))),
        (2, Unit::identified(basic("Ohmstead", "PM-100", "4.2"))),
        (17, ILLEGAL_FUNCTION),
    ];
    let expected = Expected {
        units: BTreeMap::from([
            (1, identified("Brakkenholt Drives", "BH-110")),
            (2, identified("Ohmstead", "PM-100")),
            (17, outcome("PresentNoIdentity")),
        ]),
        ..expected(
            "serial-gateway",
            "serial gateway with three units behind it",
            identified("Quillmere Networks", "QG-4 Gateway"),
        )
    };
    modbus(expected, Shape::gateway(serial, own, behind))
}

fn any_unit() -> Entry {
    let identity = basic("Ferrolume Systems", "FL-9", "7.0");
    modbus(
        expected(
            "any-unit",
            "answers every unit id with the same identity",
            identified("Ferrolume Systems", "FL-9"),
        ),
        Shape::any_unit(Unit::identified(identity)),
    )
}

fn solar_inverter() -> Entry {
    let unit = Unit { registers: sunspec(), ..Unit::default() };
    let identity = [
        ("vendor", "Heliovane"),
        ("model", "HV-8000"),
        ("firmware", "1.4.2"),
        ("serial_number", "HV8-220417"),
    ];
    let expected = Expected {
        with_consent: Some(Truth::new("Identified", &identity)),
        ..expected(
            "solar-inverter",
            "solar inverter, its identity in SunSpec registers",
            outcome("PresentNoIdentity"),
        )
    };
    modbus(expected, Shape::native(unit))
}

fn goes_dark() -> Entry {
    let identity = Identity { page: 30, ..basic("Ferrolume Systems", "FL-2", "0.1") };
    let found = Truth::new("WentDark", &[("vendor", "Ferrolume Systems")]);
    let device =
        Faulty::new(Server::new(Shape::native(Unit::identified(identity))), Fault::DarkAfter(1));
    (expected("goes-dark", "the second request kills it", found), Box::new(device))
}

fn hostile() -> Entry {
    let long = [b'A'; 200];
    let identity = Identity::new(
        0x82,
        [
            (0x00, b"\x1b]0;owned\x07\x1b[31mAcme\x1b[2J"),
            (0x01, b"=cmd|' /C calc'!A0"),
            (0x02, "\u{202e}exe.1v".as_bytes()),
            (0x03, b"<script>alert(1)</script>"),
            (0x04, b"../../../etc/passwd"),
            (0x05, b"\0\0AB\0\xFF\xFE\xC3\x28\r\nforged log line"),
            (0x06, &long),
        ],
    );
    modbus(
        expected("hostile", "names made to attack whoever shows them", outcome("Identified")),
        Shape::native(Unit::identified(identity)),
    )
}

fn busy() -> Entry {
    let unit = Unit { always: Some(0x06), ..Unit::default() };
    modbus(expected("busy", "always busy", outcome("Busy")), Shape::native(unit))
}

fn long_identity() -> Entry {
    let mut identity = basic("Tarnwick Automation", "TW-XL", "V9.9");
    identity.conformity = 0x83;
    identity.objects.insert(0x05, b"Tarnwick XL".to_vec());
    let parts = (0x80..=0x8B).map(|id| (id, format!("Part {id:02X} {}", "x".repeat(90)).into()));
    identity.objects.extend(parts);
    let found = Truth::new(
        "Identified",
        &[("vendor", "Tarnwick Automation"), ("model", "Tarnwick XL"), ("firmware", "V9.9")],
    );
    modbus(
        expected("long-identity", "identity over many pages", found),
        Shape::native(Unit::identified(identity)),
    )
}

fn endless_identity() -> Entry {
    let identity = Identity { endless: true, ..basic("Ferrolume Systems", "FL-LOOP", "3.3") };
    modbus(
        expected(
            "endless-identity",
            "says for ever that more objects follow",
            identified("Ferrolume Systems", "FL-LOOP"),
        ),
        Shape::native(Unit::identified(identity)),
    )
}

fn resets_on_server_id() -> Entry {
    let shape = Shape { resets_on: vec![0x11], ..Shape::native(ILLEGAL_FUNCTION) };
    modbus(
        expected(
            "resets-on-server-id",
            "no identity, and breaks off when asked for Report Server ID",
            outcome("ResetAfter"),
        ),
        shape,
    )
}

/// A small device with `fault`.
fn faulty(name: &str, description: &str, fault: Fault, found: Truth) -> Entry {
    let identity = basic("Ohmstead", "OS-1", "1.0");
    let device = Faulty::new(Server::new(Shape::native(Unit::identified(identity))), fault);
    (expected(name, description, found), Box::new(device))
}

fn modbus(expected: Expected, shape: Shape) -> Entry {
    (expected, Box::new(Server::new(shape)))
}

fn basic(vendor: &str, product: &str, revision: &str) -> Identity {
    let objects = [(0, vendor.as_bytes()), (1, product.as_bytes()), (2, revision.as_bytes())];
    Identity::new(0x01, objects)
}

fn expected(name: &str, description: &str, found: Truth) -> Expected {
    Expected { name: name.into(), description: description.into(), found, ..Expected::default() }
}

fn identified(vendor: &str, model: &str) -> Truth {
    Truth::new("Identified", &[("vendor", vendor), ("model", model)])
}

fn outcome(name: &str) -> Truth {
    Truth::new(name, &[])
}

/// The SunSpec marker and the common model at 40000.
fn sunspec() -> BTreeMap<u16, u16> {
    let mut words = vec![0x5375, 0x6E53, 1, 66];
    let texts = [("Heliovane", 16), ("HV-8000", 16), ("", 8), ("1.4.2", 8), ("HV8-220417", 16)];
    for (text, len) in texts {
        let mut bytes = text.bytes().chain(std::iter::repeat(0));
        let mut word =
            || u16::from_be_bytes([bytes.next().unwrap_or(0), bytes.next().unwrap_or(0)]);
        words.extend(std::iter::repeat_with(&mut word).take(len));
    }
    words.extend([1, 0x8000, 0xFFFF, 0]);
    (40_000..).zip(words).collect()
}
