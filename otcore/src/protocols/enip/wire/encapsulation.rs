//! The header that every message of EtherNet/IP has.
//!
//! ODVA, volume 2, clause 2-3: 24 bytes, low byte first.

use crate::wire::{Reader, WireError, Writer};

/// Length of the header.
const LENGTH: usize = 24;
/// More data than this is no answer to anything we ask.
const MOST_DATA: usize = 4096;
/// The longest that a device may wait before it answers List Identity, in milliseconds: the shortest
/// that the standard knows. Devices read it from the sender context (volume 2, clause 2-4.2.2).
const MOST_DELAY: u16 = 500;

/// A header that has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) command: u8,
    pub(super) session: u32,
    pub(super) status: u32,
    pub(super) context: [u8; 8],
    pub(super) options: u32,
}

impl Header {
    /// Of a whole message, all of whose data follows.
    #[inline]
    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let [c0, c1, l0, l1, rest @ ..] = r.array::<LENGTH>("header")?;
        let (command, data) = begin([c0, c1, l0, l1])?;
        let [s0, s1, s2, s3, w0, w1, w2, w3, rest @ ..] = rest;
        let [t0, t1, t2, t3, t4, t5, t6, t7, o0, o1, o2, o3] = rest;
        let header = Self {
            command,
            session: u32::from_le_bytes([s0, s1, s2, s3]),
            status: u32::from_le_bytes([w0, w1, w2, w3]),
            context: [t0, t1, t2, t3, t4, t5, t6, t7],
            options: u32::from_le_bytes([o0, o1, o2, o3]),
        };
        match r.left() == data {
            true => Ok(header),
            false => Err(WireError::Invalid { field: "data length", value: data as u64 }),
        }
    }
}

/// Command and length of the data, from the first four bytes.
#[inline]
fn begin([command, above, l0, l1]: [u8; 4]) -> Result<(u8, usize), WireError> {
    if above != 0 || !is_command(command) {
        let value = u16::from_le_bytes([command, above]).into();
        return Err(WireError::Invalid { field: "command", value });
    }
    match usize::from(u16::from_le_bytes([l0, l1])) {
        data if data <= MOST_DATA => Ok((command, data)),
        data => Err(WireError::Invalid { field: "data length", value: data as u64 }),
    }
}

const fn is_command(byte: u8) -> bool {
    matches!(byte, 0x04 | 0x63..=0x66 | 0x6F)
}

/// Length of the message that begins here. Its first byte may be enough to see that it is none.
pub(super) fn length(bytes: &[u8]) -> Result<usize, WireError> {
    match bytes {
        [c0, c1, l0, l1, ..] => begin([*c0, *c1, *l0, *l1]).map(|(_, data)| LENGTH + data),
        [other, ..] if !is_command(*other) => {
            Err(WireError::Invalid { field: "command", value: (*other).into() })
        }
        _ => Err(WireError::Short { field: "header" }),
    }
}

/// A whole message of ours.
pub(super) fn message(command: u8, session: u32, tag: u16, data: &[u8]) -> Vec<u8> {
    let [l0, l1] = u16::try_from(data.len()).unwrap_or(u16::MAX).to_le_bytes();
    let [s0, s1, s2, s3] = session.to_le_bytes();
    let ([d0, d1], [t0, t1]) = (MOST_DELAY.to_le_bytes(), tag.to_le_bytes());
    let begin = [command, 0, l0, l1, s0, s1, s2, s3];
    let status_and_context = [0, 0, 0, 0, d0, d1, t0, t1, 0, 0, 0, 0];
    let options = [0; 4];
    let mut out = Writer::with_capacity(LENGTH + data.len());
    out.bytes(&begin).bytes(&status_and_context).bytes(&options).bytes(data);
    out.into_vec()
}

/// Everything in the header that we always write alike.
pub(super) fn is_as_we_write(header: &Header) -> Result<(), WireError> {
    let [d0, d1, _, _, rest @ ..] = header.context;
    let odd = |field, value| Err(WireError::Invalid { field, value });
    match header {
        Header { status, .. } if *status != 0 => odd("encapsulation status", (*status).into()),
        Header { options, .. } if *options != 0 => odd("options", (*options).into()),
        _ if u16::from_le_bytes([d0, d1]) != MOST_DELAY => odd("most delay", d0.into()),
        _ if rest != [0; 4] => odd("sender context", 1),
        _ => Ok(()),
    }
}
