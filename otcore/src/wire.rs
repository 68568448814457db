//! Reading and writing bytes: the only code that indexes a buffer.
//!
//! A decoder takes fields off a [`Reader`] and names each one, so that every failure says where it
//! happened: `object length: message ends too early`.

use std::borrow::Cow;

/// Why some bytes are not a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// A field runs past the end of the message.
    #[error("{field}: message ends too early")]
    Short {
        /// The field being read.
        field: &'static str,
    },
    /// A field holds a value that the protocol does not allow here.
    #[error("{field}: {value:#x} is not allowed here")]
    Invalid {
        /// The field being read.
        field: &'static str,
        /// What it held.
        value: u64,
    },
    /// The bytes belong to another protocol.
    #[error("this is {protocol}, not the protocol asked for")]
    Foreign {
        /// Which protocol the bytes look like, for example `http`.
        protocol: Cow<'static, str>,
    },
    /// The answer is the question itself: an echo server, not a device.
    #[error("the answer is a copy of the question")]
    Echo,
}

/// Whether the first message in `buf`, of `len` bytes, is all one answer. A device that breaks an answer
/// off and says it once more makes a message of the right length of both; then the `beginning`
/// that no message has but once comes again before the end.
///
/// # Errors
/// [`WireError::Invalid`] with the place at which another answer begins.
#[inline]
pub fn is_one_answer(buf: &[u8], len: usize, beginning: usize) -> Result<(), WireError> {
    let Some(first) = buf.get(..beginning) else { return Ok(()) };
    let (Some(head), Some(tail)) = (first.first(), first.last()) else { return Ok(()) };
    // Every place where another may begin, beside the last byte of what would begin there.
    let places = (buf.len() - beginning).min(len.saturating_sub(1));
    let begins = buf.get(1..).and_then(|buf| buf.get(..places)).unwrap_or_default();
    let ends = buf.get(beginning..).and_then(|buf| buf.get(..places)).unwrap_or_default();
    match is_anywhere((begins, *head), (ends, *tail)) {
        true => begins_again(buf, len, first),
        false => Ok(()),
    }
}

/// Whether both bytes stand at one place, each in its own of two slices of the same length. It asks of
/// sixteen places at once, which a processor can.
#[inline]
fn is_anywhere((begins, head): (&[u8], u8), (ends, tail): (&[u8], u8)) -> bool {
    let is_here = |begins: &[u8], ends: &[u8]| {
        begins
            .iter()
            .zip(ends)
            .fold(false, |any, (begin, end)| any | (*begin == head && *end == tail))
    };
    let is_in = |begins: &[u8; 16], ends: &[u8; 16]| is_here(begins, ends);
    let ((sixteens, _), (other, _)) = (begins.as_chunks(), ends.as_chunks());
    match (begins.last_chunk(), ends.last_chunk()) {
        (Some(begin), Some(end)) => {
            sixteens.iter().zip(other).any(|(begins, ends)| is_in(begins, ends))
                || is_in(begin, end)
        }
        _ => is_here(begins, ends),
    }
}

#[cold]
fn begins_again(buf: &[u8], len: usize, first: &[u8]) -> Result<(), WireError> {
    let later = (1..len).find(|at| buf.get(*at..).is_some_and(|rest| rest.starts_with(first)));
    match later {
        Some(at) => Err(WireError::Invalid { field: "answer within an answer", value: at as u64 }),
        None => Ok(()),
    }
}

/// Takes fields off the front of a slice.
#[derive(Clone, Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Read from `bytes`.
    #[must_use]
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// How many bytes are left.
    #[must_use]
    #[inline]
    pub fn left(&self) -> usize {
        self.0.len()
    }

    /// The next `len` bytes.
    ///
    /// # Errors
    /// [`WireError::Short`] if fewer are left.
    #[inline]
    pub fn take(&mut self, len: usize, field: &'static str) -> Result<&'a [u8], WireError> {
        let (head, tail) = self.0.split_at_checked(len).ok_or(WireError::Short { field })?;
        self.0 = tail;
        Ok(head)
    }

    /// One byte.
    ///
    /// # Errors
    /// [`WireError::Short`] if none is left.
    #[inline]
    pub fn u8(&mut self, field: &'static str) -> Result<u8, WireError> {
        self.array::<1>(field).map(u8::from_be_bytes)
    }

    /// Two bytes, high byte first.
    ///
    /// # Errors
    /// [`WireError::Short`] if fewer are left.
    #[inline]
    pub fn u16_be(&mut self, field: &'static str) -> Result<u16, WireError> {
        self.array(field).map(u16::from_be_bytes)
    }

    /// Two bytes, low byte first.
    ///
    /// # Errors
    /// [`WireError::Short`] if fewer are left.
    #[inline]
    pub fn u16_le(&mut self, field: &'static str) -> Result<u16, WireError> {
        self.array(field).map(u16::from_le_bytes)
    }

    /// Four bytes, low byte first.
    ///
    /// # Errors
    /// [`WireError::Short`] if fewer are left.
    #[inline]
    pub fn u32_le(&mut self, field: &'static str) -> Result<u32, WireError> {
        self.array(field).map(u32::from_le_bytes)
    }

    /// One byte that must be `expected`.
    ///
    /// # Errors
    /// [`WireError::Short`] if none is left, [`WireError::Invalid`] if it is another.
    #[inline]
    pub fn expect_u8(&mut self, expected: u8, field: &'static str) -> Result<(), WireError> {
        match self.u8(field)? {
            value if value == expected => Ok(()),
            value => Err(WireError::Invalid { field, value: value.into() }),
        }
    }

    /// Everything that is left.
    #[inline]
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    /// `N` bytes.
    ///
    /// # Errors
    /// [`WireError::Short`] if fewer are left.
    #[inline]
    pub fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], WireError> {
        let (head, tail) = self.0.split_first_chunk().ok_or(WireError::Short { field })?;
        self.0 = tail;
        Ok(*head)
    }
}

/// Appends fields to a buffer.
#[derive(Debug, Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// An empty buffer with room for `len` bytes.
    #[must_use]
    #[inline]
    pub fn with_capacity(len: usize) -> Self {
        Self(Vec::with_capacity(len))
    }

    /// One byte.
    #[inline]
    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.bytes(&[value])
    }

    /// Two bytes, high byte first.
    #[inline]
    pub fn u16_be(&mut self, value: u16) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    /// Two bytes, low byte first.
    #[inline]
    pub fn u16_le(&mut self, value: u16) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    /// Four bytes, low byte first.
    #[inline]
    pub fn u32_le(&mut self, value: u32) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    /// Raw bytes.
    #[inline]
    pub fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.0.extend_from_slice(value);
        self
    }

    /// Put two bytes, high byte first, over those at `at`, which were written before.
    #[inline]
    pub fn set_u16_be(&mut self, at: usize, value: u16) {
        if let Some(place) = self.0.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
            *place = value.to_be_bytes();
        }
    }

    /// What was written.
    #[must_use]
    #[inline]
    pub fn written(&self) -> &[u8] {
        &self.0
    }

    /// What `write` writes.
    #[cfg(test)]
    pub(crate) fn all(write: impl FnOnce(&mut Self)) -> Vec<u8> {
        let mut all = Self::default();
        write(&mut all);
        all.into_vec()
    }

    /// The buffer.
    #[must_use]
    #[inline]
    pub fn into_vec(self) -> Vec<u8> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_its_field_and_takes_nothing() {
        let mut r = Reader::new(&[1]);
        let error = r.u16_be("object length").unwrap_err();
        assert_eq!(error.to_string(), "object length: message ends too early");
        assert_eq!(r.u8("first"), Ok(1));
        assert_eq!(r.left(), 0);
    }

    #[test]
    fn both_byte_orders_are_read() {
        let mut r = Reader::new(&[0x12, 0x34, 0x12, 0x34, 1, 0, 0, 0x80]);
        assert_eq!(r.u16_be("a"), Ok(0x1234));
        assert_eq!(r.u16_le("b"), Ok(0x3412));
        assert_eq!(r.u32_le("c"), Ok(0x8000_0001));
    }

    #[test]
    fn an_answer_that_begins_again_before_its_end_is_two() {
        let at = |buf: &[u8], len| is_one_answer(buf, len, 3);
        let again = |value| Err(WireError::Invalid { field: "answer within an answer", value });
        assert_eq!(at(&[1, 2, 3, 9, 9, 9], 6), Ok(()));
        assert_eq!(at(&[1, 2, 3, 9, 1, 2, 3, 9], 4), Ok(()), "one more, behind it");
        assert_eq!(at(&[1, 2, 3, 9, 1, 2, 3, 9], 8), again(4));
        assert_eq!(at(&[1, 2, 3, 9, 1, 2, 3, 9], 5), again(4), "its end is the other's beginning");
        assert_eq!(at(&[1, 2], 2), Ok(()), "too short to say");
        assert_eq!(is_one_answer(&[1, 1, 1], 3, 0), Ok(()), "nothing to look for");
    }
}
