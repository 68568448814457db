//! Kinds of controllers, each with what it answers and refuses.

use std::collections::BTreeMap;

use super::{Cpu, List, Setup, TurnsAway};

/// An S7-300 with a communication processor and an input module that failed.
#[must_use]
pub fn s7_300() -> Cpu {
    let identity = Identity {
        order_number: "6ES7 317-2EK14-0AB0",
        hardware: 4,
        firmware: [3, 2, 12],
        boot_loader: Some([0x20, 9, 9]),
        names: [
            (1, "PRESS-07"),
            (2, "CPU 317-2 PN/DP"),
            (3, "=A1.PRESS07"),
            (4, "Original Siemens Equipment"),
            (5, "S C-E4UX61142013"),
            (7, "CPU 317-2 PN/DP"),
            (8, "MMC 5B2CC8F1"),
            (0x0B, "Hall 2, row C"),
        ],
    };
    let modules = [
        module(2, 0x00C0, 0x00C0, 0x02),
        module(4, 0x8111, 0x8111, 0x02),
        module(5, 0x9FC1, 0x9FC1, 0x03),
        module(6, 0x9FC2, 0x0000, 0x04),
    ];
    let mut lists = identity.lists();
    lists.insert((0x0D91, 0), list(16, &modules));
    lists.insert((0x0037, 0), list(48, &[interface([10, 20, 4, 31], [0, 0x1B, 0x1B, 7, 0x31, 1])]));
    lists.insert((0x0131, 1), list(40, &[limits(240, 32)]));
    lists.insert((0x0424, 0), list(20, &[mode(0x08)]));
    lists.insert((0x0132, 4), list(40, &[protection(1, 2)]));
    lists.insert((0x0074, 0), list(4, &[vec![0, 1, 1, 0], vec![0, 4, 1, 0], vec![0, 5, 0, 0]]));
    Cpu { addresses: vec![[3, 2], [2, 2]], lists, ..cpu() }
}

/// An S7-400 in slot 3, which knows all modules and uses other messages around its answers.
#[must_use]
pub fn s7_400() -> Cpu {
    let identity = Identity {
        order_number: "6ES7 416-3ES07-0AB0",
        hardware: 1,
        firmware: [7, 0, 3],
        boot_loader: None,
        names: [
            (1, "BOILER-1"),
            (2, "CPU 416-3 PN/DP"),
            (3, ""),
            (4, "Original Siemens Equipment"),
            (5, "SVPN1224817"),
            (7, "CPU 416-3 PN/DP"),
            (8, "MC"),
            (0x0B, ""),
        ],
    };
    let modules: Vec<Vec<u8>> = (3..18).map(|slot| module(slot, 0x0080, 0x0080, 0x02)).collect();
    let mut lists = identity.lists();
    let modules = List { counts_late: true, ..list(16, &modules) };
    lists.insert((0x0091, 0), modules);
    lists.insert((0x0424, 0), list(20, &[mode(0x84)]));
    lists.insert((0x0232, 4), list(40, &[protection(2, 1)]));
    let addresses = vec![[3, 3], [2, 3], [2, 2]];
    Cpu { addresses, lists, empty_messages: true, ..cpu() }
}

/// An S7-1500 that answers the identification lists and little else.
#[must_use]
pub fn s7_1500() -> Cpu {
    let identity = Identity {
        order_number: "6ES7 515-2AM01-0AB0",
        hardware: 2,
        firmware: [2, 8, 1],
        boot_loader: None,
        names: [
            (1, "S71500/ET200MP station_1"),
            (2, "PLC_1"),
            (3, ""),
            (4, "Original Siemens Equipment"),
            (5, "S C-K9EN42712019"),
            (7, "CPU 1515-2 PN"),
            (8, "SMC_03a9e4712f"),
            (0x0B, ""),
        ],
    };
    let mut lists = identity.lists();
    lists.insert((0x0424, 0), list(20, &[mode(0x08)]));
    let addresses = vec![[3, 1], [3, 0], [2, 1]];
    let bare = Cpu { addresses, lists, no_such_list: 0xD402, ..cpu() };
    bare.that_lists_its_lists(&[0x0022, 0x0090])
}

/// An S7-1200 that sets up a communication and refuses every list.
#[must_use]
pub fn s7_1200() -> Cpu {
    Cpu { addresses: vec![[3, 1], [3, 0]], lists: BTreeMap::new(), ..cpu() }
}

/// The controller of an ET 200S, with fewer records than others have.
#[must_use]
pub fn et200s() -> Cpu {
    let number = padded("6ES7 151-8AB01-0AB0", 20);
    let record = [&[0, 1][..], &number, &[0, 0xC0, 0, 3, 0, 1]].concat();
    let name = [&[0, 2][..], &padded("IM151-8 PN/DP CPU", 32)].concat();
    let lists = [((0x0011, 0), list(28, &[record])), ((0x001C, 0), list(34, &[name]))];
    Cpu { addresses: vec![[3, 2], [2, 2]], lists: BTreeMap::from(lists), ..cpu() }
}

/// A LOGO!, which grants a connection to slot 0 of an operator station and has no lists.
#[must_use]
pub fn logo() -> Cpu {
    let turns_away = TurnsAway::HangsUp;
    Cpu { addresses: vec![[2, 0]], turns_away, no_such_list: 0x8104, ..cpu() }
}

/// A controller that grants connections and speaks S7comm-plus only.
#[must_use]
pub fn plus_only() -> Cpu {
    Cpu { addresses: vec![[3, 1], [3, 2]], setup: Setup::HangsUp, ..cpu() }
}

/// A device that grants connections for MMS and has nothing to say to S7.
#[must_use]
pub fn mms_only() -> Cpu {
    Cpu { setup: Setup::Ignores, ..plus_only() }
}

/// A controller that wants a password before it says anything.
#[must_use]
pub fn lists_to_nobody() -> Cpu {
    Cpu { addresses: vec![[3, 2]], no_such_list: 0xD241, ..cpu() }
}

fn cpu() -> Cpu {
    Cpu {
        addresses: Vec::new(),
        turns_away: TurnsAway::Reason(3),
        setup: Setup::Agrees,
        pdu: 240,
        lists: BTreeMap::new(),
        no_such_list: 0xD401,
        empty_messages: false,
        cuts_lists_short: false,
    }
}

struct Identity {
    order_number: &'static str,
    hardware: u8,
    firmware: [u8; 3],
    boot_loader: Option<[u8; 3]>,
    names: [(u8, &'static str); 8],
}

impl Identity {
    fn lists(&self) -> BTreeMap<(u16, u16), List> {
        let number = padded(self.order_number, 20);
        let [major, minor, patch] = self.firmware;
        let mut modules = vec![
            [&[0, 1][..], &number, &[0, 0xC0, 0, self.hardware, 0, 1]].concat(),
            [&[0, 6][..], &number, &[0, 0xC0, 0, self.hardware, 0, 1]].concat(),
            [&[0, 7][..], &[b' '; 20], &[0, 0xC0, b'V', major, minor, patch]].concat(),
        ];
        if let Some([major, minor, patch]) = self.boot_loader {
            let name = padded("Boot Loader", 20);
            modules.push([&[0, 0x81][..], &name, &[0, 0, b'A', major, minor, patch]].concat());
        }
        let named = self.names.iter();
        let mut components: Vec<Vec<u8>> =
            named.map(|(index, name)| [&[0, *index][..], &nul_padded(name, 32)].concat()).collect();
        let maker = [&[0, 9, 0, 0x2A][..], &[0; 30]].concat();
        components.insert(7, maker);
        let mut lists = BTreeMap::from([
            ((0x0011, 0), list(28, &modules)),
            ((0x001C, 0), list(34, &components)),
        ]);
        for (index, name) in self.names {
            let record = [&[0, index][..], &nul_padded(name, 32)].concat();
            lists.insert((0x011C, index.into()), list(34, &[record]));
        }
        lists
    }
}

fn list(record_length: u16, records: &[Vec<u8>]) -> List {
    List { record_length, records: records.concat(), counts_late: false }
}

fn padded(text: &str, length: usize) -> Vec<u8> {
    text.bytes().chain(std::iter::repeat(b' ')).take(length).collect()
}

fn nul_padded(text: &str, length: usize) -> Vec<u8> {
    text.bytes().chain(std::iter::repeat(0)).take(length).collect()
}

fn module(slot: u8, expected: u16, actual: u16, status: u8) -> Vec<u8> {
    let ([e1, e0], [a1, a0]) = (expected.to_be_bytes(), actual.to_be_bytes());
    vec![0, 0, slot, 0, 0x7F, 0xFF, e1, e0, a1, a0, 0, 0, 0xB4, status, 0, 0x11]
}

fn interface(ip: [u8; 4], mac: [u8; 6]) -> Vec<u8> {
    let head = [&[0x07, 0xFF][..], &ip, &[255, 255, 255, 0], &ip, &mac, &[1, 0]].concat();
    head.into_iter().chain(std::iter::repeat(0)).take(48).collect()
}

fn limits(pdu: u16, connections: u16) -> Vec<u8> {
    let head = [1, pdu, connections].map(u16::to_be_bytes).concat();
    head.into_iter().chain(std::iter::repeat(0)).take(40).collect()
}

fn mode(mode: u8) -> Vec<u8> {
    vec![0x51, 0x44, 0xFF, mode, 0, 0, 0, 0, 0, 0, 0, 0, 0x26, 0x05, 4, 8, 0, 0, 0, 0]
}

/// Level of protection, and where the switch stands: 1 RUN, 2 RUN-P.
fn protection(level: u8, switch: u8) -> Vec<u8> {
    let mut record = vec![0, 4, 0, level, 0, 0, 0, level, 0, switch, 0, 0, 0, 0, 0x56, 0x56];
    record.extend([0xBC, 0x04, 0xA3, 0xD5, 0x84, 0x01, 0xD6, 0xB2]);
    record.into_iter().chain(std::iter::repeat(0)).take(40).collect()
}
