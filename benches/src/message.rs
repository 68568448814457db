//! The one exchange that everybody is timed on: Read Device Identification, extended, nine objects.
//!
//! The texts are those of the peer `modbus-pymodbus` (`tests/peers/README.md`); the layout is that
//! of the Modbus Application Protocol Specification V1.1b3, 6.21.

/// Object id and text, as everybody must read them.
pub(crate) type Objects = Vec<(u8, String)>;

/// Transaction identifier of question and answer.
pub(crate) const TAG: u16 = 0x1234;

/// Unit identifier: the device itself.
pub(crate) const UNIT: u8 = 0xFF;

const OBJECTS: [(u8, &str); 9] = [
    (0x00, "Rigwerk AG"),
    (0x01, "RW-PLC-4711"),
    (0x02, "V2.14.3"),
    (0x03, "https://rigwerk.example"),
    (0x04, "Rig Compact PLC"),
    (0x05, "RW4711/DN"),
    (0x06, "line 7 packer"),
    (0x80, "SN-00420815"),
    (0x81, "hw-rev C"),
];

/// What is asked, byte for byte.
pub(crate) fn question() -> [u8; 11] {
    let [high, low] = TAG.to_be_bytes();
    [high, low, 0, 0, 0, 5, UNIT, 0x2B, 0x0E, 3, 0]
}

/// The answer, byte for byte.
pub(crate) fn answer() -> Vec<u8> {
    let mut pdu = vec![0x2B, 0x0E, 3, 0x83, 0, 0, length(OBJECTS.len())];
    for (id, text) in OBJECTS {
        pdu.extend([id, length(text.len())]);
        pdu.extend(text.as_bytes());
    }
    let [high, low] = TAG.to_be_bytes();
    let mut message = vec![high, low, 0, 0, 0, length(pdu.len() + 1), UNIT];
    message.extend(pdu);
    message
}

/// What must have been read once the answer is decoded.
pub(crate) fn objects() -> Objects {
    OBJECTS.iter().map(|(id, text)| (*id, (*text).to_owned())).collect()
}

fn length(bytes: usize) -> u8 {
    u8::try_from(bytes).unwrap_or(u8::MAX)
}
