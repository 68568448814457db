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
    /// Of a question of ours, which was read back before it left: nothing of it is in doubt.
    #[inline]
    pub(super) fn read_again(question: &mut Reader<'_>) -> Result<Self, WireError> {
        let mut head = Reader::new(question.take(LENGTH, "header")?);
        let [command, ..]: [u8; 4] = head.array("command")?;
        Self::behind(command, &mut head)
    }

    /// Of a whole message, all of whose data follows.
    #[inline]
    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let mut head = Reader::new(r.take(LENGTH, "header")?);
        let (command, data) = begin(head.u16_le("command")?, head.u16_le("data length")?)?;
        match r.left() == data {
            true => Self::behind(command, &mut head),
            false => Err(WireError::Invalid { field: "data length", value: data as u64 }),
        }
    }

    /// What stands behind command and length.
    #[inline]
    fn behind(command: u8, head: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            command,
            session: head.u32_le("session handle")?,
            status: head.u32_le("encapsulation status")?,
            context: head.array("sender context")?,
            options: head.u32_le("options")?,
        })
    }
}

/// Command and length of the data, from the first two words.
#[inline]
fn begin(command: u16, data: u16) -> Result<(u8, usize), WireError> {
    let known = u8::try_from(command).ok().filter(|command| is_command(*command));
    let Some(command) = known else {
        return Err(WireError::Invalid { field: "command", value: command.into() });
    };
    match usize::from(data) {
        data if data <= MOST_DATA => Ok((command, data)),
        data => Err(WireError::Invalid { field: "data length", value: data as u64 }),
    }
}

const fn is_command(byte: u8) -> bool {
    matches!(byte, 0x04 | 0x63..=0x66 | 0x6F)
}

/// Length of the message that begins here. Its first byte may be enough to see that it is none.
#[inline]
pub(super) fn length(bytes: &[u8]) -> Result<usize, WireError> {
    match bytes {
        [c0, c1, l0, l1, ..] => {
            let word = |low: &u8, high: &u8| u16::from_le_bytes([*low, *high]);
            begin(word(c0, c1), word(l0, l1)).map(|(_, data)| LENGTH + data)
        }
        [other, ..] if !is_command(*other) => {
            Err(WireError::Invalid { field: "command", value: (*other).into() })
        }
        _ => Err(WireError::Short { field: "header" }),
    }
}

/// Write a whole message of ours. Each field is written as [`Header::read`] reads it: a processor waits for a
/// field that it wrote in parts.
#[inline]
pub(super) fn message(out: &mut Writer, command: u8, session: u32, tag: u16, data: &[u8]) {
    out.u16_le(command.into()).u16_le(u16::try_from(data.len()).unwrap_or(u16::MAX));
    out.u32_le(session).u32_le(0);
    out.bytes(&(u64::from(MOST_DELAY) | u64::from(tag) << 16).to_le_bytes());
    out.u32_le(0).bytes(data);
}

/// Everything in the header that we always write alike.
#[inline]
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
