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
    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let (command, data) = begin(r)?;
        let header = Self {
            command,
            session: r.u32_le("session handle")?,
            status: r.u32_le("encapsulation status")?,
            context: r.array("sender context")?,
            options: r.u32_le("options")?,
        };
        match r.left() == data {
            true => Ok(header),
            false => Err(WireError::Invalid { field: "data length", value: data as u64 }),
        }
    }
}

/// Command and length of the data.
fn begin(r: &mut Reader<'_>) -> Result<(u8, usize), WireError> {
    let command = r.u8("command")?;
    if !matches!(command, 0x04 | 0x63..=0x66 | 0x6F) {
        return Err(WireError::Invalid { field: "command", value: command.into() });
    }
    r.expect_u8(0, "command")?;
    match usize::from(r.u16_le("data length")?) {
        data if data <= MOST_DATA => Ok((command, data)),
        data => Err(WireError::Invalid { field: "data length", value: data as u64 }),
    }
}

/// Length of the message that begins here.
pub(super) fn length(r: &mut Reader<'_>) -> Result<usize, WireError> {
    begin(r).map(|(_, data)| LENGTH + data)
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
