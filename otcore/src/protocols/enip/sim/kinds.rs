//! The pretend devices there are.

use std::collections::BTreeMap;

use super::{Lists, Module, Routes, Shape};

const ROCKWELL: u16 = 1;
const CONTROLLER: u16 = 14;
const COMMUNICATION: u16 = 12;

/// TCP/IP Interface, read all at once: 10.1.1.7/24, no domain, and a host name.
fn tcp_ip(host_name: &str) -> Vec<u8> {
    let mut data = vec![1, 0, 0, 0, 0x17, 0, 0, 0, 0x10, 0, 0, 0];
    data.extend([2, 0, 0x20, 0xF6, 0x24, 1]);
    data.extend([7, 1, 1, 10, 0, 255, 255, 255, 1, 1, 1, 10]);
    data.extend([0; 10]); // name servers and domain
    data.extend(u16::try_from(host_name.len()).unwrap_or(0).to_le_bytes());
    data.extend(host_name.bytes());
    data
}

/// Ethernet Link, read all at once: 100 Mbit/s, full duplex.
fn link(last: u8) -> Vec<u8> {
    vec![100, 0, 0, 0, 3, 0, 0, 0, 0x00, 0x00, 0xBC, 0x2E, 0x69, last]
}

/// What 1756 modules say of their chassis.
fn chassis(slots: u16) -> Vec<u8> {
    let [low, high] = slots.to_le_bytes();
    vec![8, 0, 0, 0, 0, 0x2D, 0, 1, 0, 1, 1, 0x7F, 0xE6, 0x50, 0, low, high]
}

/// Names of a controller, as a list of attributes 1 and 2.
fn names(controller: &str, description: &str) -> Vec<u8> {
    let mut data = vec![2, 0];
    for (number, text) in [(1, controller), (2, description)] {
        data.extend([number, 0, 0, 0]);
        data.extend(u16::try_from(text.len()).unwrap_or(0).to_le_bytes());
        data.extend(text.bytes());
    }
    data
}

fn module(key: [u16; 3], revision: [u8; 2], serial: u32, name: &'static str) -> Module {
    Module { key, revision, serial, name, gives_all: true, gives_lists: true, ..Module::default() }
}

fn controller(key: [u16; 3], revision: [u8; 2], serial: u32, name: &'static str) -> Module {
    let mut made = module(key, revision, serial, name);
    made.status = 0x3060;
    made.objects.insert(vec![0x0E, 1, 1, 9], vec![0x5A, 0xC3]);
    made.objects.insert(vec![3, 0x64, 1, 1, 2], names("Packer07", "Case packer, line 7"));
    made.objects.insert(vec![1, 0xAC, 1], vec![5, 0, 2, 0, 0x1D, 0x5A, 0x00, 0x31]);
    made
}

/// A controller that gives its names only all at once.
fn old_controller() -> Module {
    let key = [ROCKWELL, CONTROLLER, 51];
    let mut made = module(key, [16, 4], 0x0051_8240, "1756-L55/A 1756-M13/A LOGIX5555");
    made.status = 0x3070;
    let names = [&[6, 0], &b"Spare1"[..], &[0, 0, 2, 0, 1, 0, 2, 0, 9, 0, 0, 0]].concat();
    made.objects.insert(vec![1, 0x64, 1], names);
    made
}

fn enbt() -> Module {
    let mut made = module([ROCKWELL, COMMUNICATION, 58], [4, 3], 0x0052_4D8E, "1756-ENBT/A");
    made.status = 0x0030;
    made.objects.insert(vec![1, 0xF5, 1], tcp_ip("enbt-07"));
    made.objects.insert(vec![1, 0xF6, 1], link(7));
    made.objects.insert(vec![1, 0x66, 1], chassis(7));
    made.objects.insert(vec![0x0E, 0xF4, 0, 8], vec![0, 0, 0, 0, 1, 0, 1, 0, 4, 0, 2, 0]);
    made.objects.insert(
        vec![0x0E, 2, 1, 1],
        vec![6, 0, 0x01, 0, 0x02, 0, 0x06, 0, 0xF4, 0, 0xF5, 0, 0xF6, 0],
    );
    made
}

/// One of every kind, for tests that ask everything.
#[must_use]
pub fn every_kind() -> Vec<Shape> {
    let by_datagram = Shape { datagrams: true, ..adapter() };
    vec![controllogix(), compactlogix(), drive(), adapter(), by_datagram, gateway(), micro800()]
}

/// A ControlLogix rack: controllers, the Ethernet module that answers, a gateway and I/O.
#[must_use]
pub fn controllogix() -> Shape {
    let gateway =
        module([309, COMMUNICATION, 83], [1, 2], 0xAD77, "MVI56 ProSoft Technology, Inc.");
    let mut by_list = module([ROCKWELL, 7, 13], [2, 1], 0x0040_0012, "1756-OB16D/A DCOUT DIAG");
    by_list.gives_all = false;
    let slots = BTreeMap::from([
        (0, controller([ROCKWELL, CONTROLLER, 54], [20, 11], 0x0051_823F, "1756-L61/B LOGIX5561")),
        (1, enbt()),
        (2, gateway),
        (3, old_controller()),
        (4, by_list),
        (5, module([ROCKWELL, 7, 11], [3, 6], 0x0040_0011, "1756-IB16/A DCIN")),
    ]);
    let (head, routes) = (enbt(), Routes::Rack(slots));
    Shape { datagrams: true, lists: Lists::Answers, further: Vec::new(), head, routes }
}

/// A CompactLogix, which gives itself out for every slot.
#[must_use]
pub fn compactlogix() -> Shape {
    let name = "1769-L36ERM/A LOGIX5336ERM";
    let mut head = controller([ROCKWELL, CONTROLLER, 108], [30, 12], 0x60A1_B2C3, name);
    head.objects.insert(vec![1, 0xF5, 1], tcp_ip(""));
    head.objects.insert(vec![1, 0xF6, 1], link(0x36));
    head.objects.remove(&vec![3, 0x64, 1, 1, 2]);
    let names = [&[8, 0], &b"Packer07"[..], &[0, 0, 2, 0, 1, 0, 2, 0, 9, 0, 0, 0]].concat();
    head.objects.insert(vec![1, 0x64, 1], names);
    let routes = Routes::Echoes;
    Shape { datagrams: true, lists: Lists::Answers, further: Vec::new(), head, routes }
}

/// A drive: small tables, no Get_Attributes_All but for its identity, no state byte.
#[must_use]
pub fn drive() -> Shape {
    let mut head = module([ROCKWELL, 2, 1169], [5, 1], 0x4711_0042, "PowerFlex 525 1P 230V  .50HP");
    head.gives_lists = false;
    let addresses = [7, 1, 1, 10, 0, 255, 255, 255, 1, 1, 1, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    head.objects.insert(vec![0x0E, 0xF5, 1, 5], addresses.to_vec());
    head.objects.insert(vec![0x0E, 0xF5, 1, 6], [&[9, 0], &b"drive-525\0"[..]].concat());
    head.objects.insert(vec![0x0E, 0xF6, 1, 3], vec![0, 0x1D, 0x9C, 0x11, 0x22, 0x33]);
    let (lists, routes) = (Lists::WithoutState, Routes::No);
    Shape { datagrams: true, lists, further: Vec::new(), head, routes }
}

/// A remote I/O adapter of another vendor that listens on TCP only, refuses List Identity, and gives
/// attributes one by one.
#[must_use]
pub fn adapter() -> Shape {
    let mut head = module([283, COMMUNICATION, 1207], [3, 7], 0xDEAD_BEEF, "RIG-EIP-ADAPTER 16DI");
    (head.gives_all, head.gives_lists, head.status) = (false, false, 0x0105);
    let (lists, routes) = (Lists::Refuses(1), Routes::No);
    Shape { datagrams: false, lists, further: Vec::new(), head, routes }
}

/// A gateway that is three devices at once: it says so of two in one answer, and of the third if its
/// object is asked for.
#[must_use]
pub fn gateway() -> Shape {
    let mut head = module([283, 43, 12], [2, 1], 0x0000_1001, "GATEWAY ETHERNET SIDE");
    let other = module([283, 43, 13], [2, 1], 0x0000_1002, "GATEWAY SERIAL SIDE");
    let third = module([283, 43, 14], [1, 0], 0x0000_1003, "GATEWAY RADIO SIDE");
    head.objects.insert(vec![0x0E, 1, 0, 2], vec![4, 0]);
    head.objects.insert(vec![1, 1, 2], other.attributes().concat());
    head.objects.insert(vec![1, 1, 3], third.attributes().concat());
    let (lists, routes) = (Lists::Answers, Routes::No);
    Shape { datagrams: true, lists, further: vec![other], head, routes }
}

/// A small controller without a backplane.
#[must_use]
pub fn micro800() -> Shape {
    let mut head = module([ROCKWELL, CONTROLLER, 157], [21, 11], 0x70B0_0001, "2080-LC50-24QWB");
    head.status = 0x0064;
    head.objects.insert(vec![1, 2, 1], vec![3, 0, 0x01, 0, 0x02, 0, 0x06, 0, 0xFF, 0xFF]);
    let routes = Routes::No;
    Shape { datagrams: true, lists: Lists::Answers, further: Vec::new(), head, routes }
}
