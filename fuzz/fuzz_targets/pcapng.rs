//! A capture file of any journal: every block is sound, and no byte of what was said is missing.
//!
//! Each entry is one byte that says what happens and on which connection, and what was sent or
//! received is one byte of length and that many bytes.
#![no_main]

use std::net::SocketAddr;

use libfuzzer_sys::fuzz_target;
use otcore::Zone;
use otcore::gate::Pcapng;
use otcore::gate::journal::{Close, Entry, Journal, What};
use otcore::model::HexBytes;

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address of our own")
}

fuzz_target!(|input: &[u8]| {
    let mut file = Vec::new();
    let mut said = Vec::new();
    let mut open = [false; 4];
    {
        let capture = Pcapng::new(&mut file).expect("memory has room");
        let mut rest = input;
        while let [step, tail @ ..] = rest {
            rest = tail;
            let connection = usize::from(step >> 6);
            let v6 = step & 0x20 != 0;
            let (local, device) = match v6 {
                true => (address("[fe80::1]:40000"), address("[fe80::7]:502")),
                false => (address("10.0.0.1:40000"), address("10.0.0.7:502")),
            };
            let mut bytes = || {
                let [length, tail @ ..] = rest else { return Vec::new() };
                let (bytes, tail) = tail.split_at(usize::from(*length).min(tail.len()));
                rest = tail;
                bytes.to_vec()
            };
            let what = match step % 5 {
                0 => What::Connected { local },
                1 => What::Bound { local },
                2 => {
                    What::Sent { function: "ReportServerId".into(), bytes: HexBytes::from(bytes()) }
                }
                3 => What::Received { bytes: HexBytes::from(bytes()) },
                _ => What::Closed { how: Close::Polite },
            };
            match &what {
                What::Connected { .. } | What::Bound { .. } => open[connection] = true,
                What::Closed { .. } => open[connection] = false,
                What::Sent { bytes, .. } | What::Received { bytes } if open[connection] => {
                    said.extend_from_slice(bytes.as_ref());
                }
                _ => {}
            }
            let entry = Entry {
                at: jiff::Timestamp::UNIX_EPOCH,
                zone: Zone::default(),
                device,
                protocol: "modbus".into(),
                connection: connection as u64,
                what,
            };
            capture.record(&entry).expect("memory has room");
        }
    }
    assert_eq!(payloads(&file), said);
});

/// A reader of our own, by draft-ietf-opsawg-pcapng: every payload in the file, one after the other.
fn payloads(file: &[u8]) -> Vec<u8> {
    let (mut rest, mut all) = (file, Vec::new());
    while !rest.is_empty() {
        let word =
            |at: usize| u32::from_le_bytes([rest[at], rest[at + 1], rest[at + 2], rest[at + 3]]);
        let total = word(4) as usize;
        assert!(total.is_multiple_of(4) && total >= 12, "a block of {total} bytes");
        assert_eq!(word(total - 4) as usize, total, "the two lengths differ");
        if word(0) == 6 {
            let length = word(20) as usize;
            assert!(word(24) as usize == length && length + 32 <= total);
            all.extend_from_slice(payload(&rest[28..28 + length]));
        }
        rest = &rest[total..];
    }
    all
}

fn payload(packet: &[u8]) -> &[u8] {
    let (protocol, length, inner) = match packet[0] >> 4 {
        4 => (packet[9], usize::from(u16::from_be_bytes([packet[2], packet[3]])), &packet[20..]),
        _ => {
            (packet[6], 40 + usize::from(u16::from_be_bytes([packet[4], packet[5]])), &packet[40..])
        }
    };
    assert_eq!(length, packet.len(), "the length of the packet");
    match protocol {
        6 => &inner[20..],
        _ => &inner[8..],
    }
}
