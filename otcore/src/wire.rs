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
}
