//! Answers that claim as many items as they can, and hold as many as fit.

use otcore::sim::{Action, Device, Greeting, Reply, Visit};

/// Says of everything that there is as much of it as can be said.
#[derive(Debug)]
pub(crate) struct ManyItems(pub(crate) Box<dyn Device>);

impl Device for ManyItems {
    fn protocol(&self) -> &'static str {
        self.0.protocol()
    }
    fn connect(&self, visit: Visit) -> Greeting {
        self.0.connect(visit)
    }
    fn takes_datagrams(&self) -> bool {
        self.0.takes_datagrams()
    }
    fn answer(&self, visit: Visit, received: &[u8]) -> Reply {
        let mut reply = self.0.answer(visit, received);
        for action in &mut reply.actions {
            if let Action::Send(bytes) = action {
                many(self.0.protocol(), bytes);
            }
        }
        reply
    }
}

fn many(protocol: &str, bytes: &mut Vec<u8>) {
    match protocol {
        "modbus" if bytes.get(7..9) == Some(&[0x2B, 0x0E]) => {
            bytes.truncate(13);
            bytes.push(0xFF); // objects
            bytes.extend((0..120_u8).flat_map(|object| [object, 0]));
            let length = bytes.len() as u16 - 6;
            bytes[4..6].copy_from_slice(&length.to_be_bytes());
        }
        "enip" => {
            let at = if bytes[0] == 0x6F { 30 } else { 24 };
            put(bytes, at);
        }
        "s7" if bytes.get(8) == Some(&0x07) => put(bytes, 39),
        "bacnet" if bytes.get(6) == Some(&0x30) && bytes.len() > 17 => many_values(bytes),
        "dnp3" if bytes.get(12) == Some(&0x81) && bytes.len() > 24 => {
            bytes[17..20].copy_from_slice(&[0x08, 0xFF, 0xFF]); // counted in two bytes
            let end = 26.min(bytes.len() - 2);
            let sum = checksum(&bytes[10..end]).to_le_bytes();
            bytes[end..end + 2].copy_from_slice(&sum);
        }
        _ => {}
    }
}

fn put(bytes: &mut [u8], at: usize) {
    if let Some(count) = bytes.get_mut(at..at + 2) {
        count.fill(0xFF);
    }
}

/// A list of values where one was asked for, of properties where several were.
fn many_values(bytes: &mut Vec<u8>) {
    if bytes[8] == 0x0E {
        bytes.truncate(14);
        bytes.extend([0x29, 0x4D, 0x4E, 0x75, 0x01, 0x00, 0x4F].repeat(190));
        bytes.push(0x1F);
    } else {
        bytes.truncate(16);
        bytes.push(0x3E);
        bytes.extend([0xC4, 0x02, 0x00, 0x12, 0x67].repeat(280));
        bytes.push(0x3F);
    }
    let length = bytes.len() as u16;
    bytes[2..4].copy_from_slice(&length.to_be_bytes());
}

/// CRC-16 of DNP3 (IEEE 1815, 9.2.4).
fn checksum(bytes: &[u8]) -> u16 {
    let step = |crc: u16| if crc & 1 == 0 { crc >> 1 } else { (crc >> 1) ^ 0xA6BC };
    !bytes.iter().fold(0, |crc, byte| (0..8).fold(crc ^ u16::from(*byte), |crc, _| step(crc)))
}

#[test]
fn the_checksum_is_that_of_the_standard() {
    assert_eq!(checksum(b"123456789"), 0xEA82);
}
