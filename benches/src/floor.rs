//! The floor: the same exchange by hand, with nothing in it that could be left out.
//!
//! It still does what every honest codec must: it checks header, length, function and unit, bounds
//! every read and hands out texts that it owns.

use crate::message::{Objects, TAG, UNIT};

/// The question in a buffer of its own.
pub(crate) fn encode(tag: u16, unit: u8) -> Vec<u8> {
    let [high, low] = tag.to_be_bytes();
    vec![high, low, 0, 0, 0, 5, unit, 0x2B, 0x0E, 3, 0]
}

/// The objects in the answer, or `None` if it is not one to this question.
pub(crate) fn decode(message: &[u8]) -> Option<Objects> {
    let [high, low] = TAG.to_be_bytes();
    let (head, mut rest) = message.split_first_chunk::<14>()?;
    let [t0, t1, 0, 0, l0, l1, unit, 0x2B, 0x0E, 3, _conformity, _more, _next, count] = *head
    else {
        return None;
    };
    let whole = usize::from(u16::from_be_bytes([l0, l1])) + 6;
    if [t0, t1] != [high, low] || unit != UNIT || whole != message.len() {
        return None;
    }
    let mut objects = Vec::with_capacity(count.into());
    for _ in 0..count {
        let ([id, length], tail) = rest.split_first_chunk::<2>()?;
        let (text, tail) = tail.split_at_checked((*length).into())?;
        objects.push((*id, str::from_utf8(text).ok()?.to_owned()));
        rest = tail;
    }
    Some(objects)
}
