//! The transport function: one fragment of the application layer in as many frames as it takes
//! (IEEE 1815-2012, clause 8).

use super::link::{Frame, Header, LAST_ADDRESS};
use crate::wire::{Reader, WireError};

/// The last piece of a fragment.
pub(super) const FINAL: u8 = 0x80;
/// The first piece of a fragment.
pub(super) const FIRST: u8 = 0x40;
/// A fragment is at most 2048 bytes unless both sides agreed on more, and a frame holds 249 of
/// them; twice as many frames are none of ours.
const MOST_FRAMES: usize = 18;

/// Length of the first whole message: a frame, or all the frames of a fragment. `None` while it is
/// incomplete.
///
/// # Errors
/// [`WireError`] if it can never become one.
pub(super) fn length(bytes: &[u8]) -> Result<Option<usize>, WireError> {
    let mut r = Reader::new(bytes);
    let mut open: Option<Header> = None;
    for _ in 0..MOST_FRAMES {
        let frame = match Frame::read(&mut r) {
            Ok(frame) => frame,
            Err(WireError::Short { .. }) => return Ok(None),
            Err(garbage) => return Err(garbage),
        };
        let flags = frame.first_block().first().copied().unwrap_or(FINAL);
        let first = frame.header.has_message() && flags & FIRST != 0;
        if open.is_none() && first {
            open = Some(frame.header);
        }
        let is_whole = match open {
            None => true,
            Some(begun) => continues(begun, frame.header) && flags & FINAL != 0,
        };
        if is_whole {
            return Ok(Some(bytes.len() - r.left()));
        }
    }
    Err(WireError::Invalid { field: "frames of a fragment", value: MOST_FRAMES as u64 })
}

/// The frames of a message, each held against its checksums.
///
/// # Errors
/// [`WireError`] that names the field.
pub(super) fn frames(message: &[u8]) -> impl Iterator<Item = Result<Frame<'_>, WireError>> {
    let mut r = Reader::new(message);
    std::iter::from_fn(move || {
        (r.left() > 0).then(|| {
            let frame = Frame::read(&mut r).and_then(|frame| frame.check().map(|()| frame));
            if frame.is_err() {
                r.rest();
            }
            frame
        })
    })
}

/// The fragment that a message carries, put together; its checksums are known to be right.
///
/// # Errors
/// [`WireError`] if a piece is missing or no fragment is in it.
pub(super) fn fragment(message: &[u8]) -> Result<Vec<u8>, WireError> {
    let mut r = Reader::new(message);
    let first = Frame::read_again(&mut r)?;
    let mut fragment = Vec::with_capacity(message.len());
    let mut expected = append(&mut fragment, first, None)?;
    while r.left() > 0 {
        let frame = Frame::read_again(&mut r)?;
        if continues(first.header, frame.header) {
            expected = append(&mut fragment, frame, Some(expected))?;
        }
    }
    Ok(fragment)
}

/// Append one piece; gives the number of the next one.
fn append(to: &mut Vec<u8>, frame: Frame<'_>, expected: Option<u8>) -> Result<u8, WireError> {
    let mut blocks = frame.data();
    let Some((flags, begin)) = blocks.next().and_then(<[u8]>::split_first) else {
        return Err(WireError::Short { field: "transport header" });
    };
    let wrong = match expected {
        None => flags & FIRST == 0,
        Some(number) => flags & 0x3F != number,
    };
    if wrong {
        return Err(WireError::Invalid { field: "transport header", value: (*flags).into() });
    }
    to.extend_from_slice(begin);
    blocks.for_each(|block| to.extend_from_slice(block));
    Ok(flags.wrapping_add(1) & 0x3F)
}

fn continues(begun: Header, next: Header) -> bool {
    next.has_message() && (next.from, next.to) == (begun.from, begun.to)
}

/// Whether a station can have this address.
pub(super) const fn is_a_station(address: u16) -> bool {
    address <= LAST_ADDRESS
}
