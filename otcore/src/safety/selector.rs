//! Every number that decides what a device will do.

use std::fmt;

use serde::{Serialize, Serializer};

const MAX: usize = 24;

/// The whole path of numbers that decides what a device will do, most significant first.
///
/// For Modbus that is the function code and whatever it nests: `2B.0E.01` is Read Device
/// Identification of the basic stream.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Selector {
    len: u8,
    bytes: [u8; MAX],
}

impl Selector {
    /// A selector of these numbers.
    ///
    /// # Panics
    /// While compiling, if there are more than twenty-four.
    #[must_use]
    #[inline]
    #[allow(clippy::indexing_slicing, clippy::cast_possible_truncation, clippy::panic)]
    pub const fn of(path: &[u8]) -> Self {
        assert!(path.len() <= MAX, "a selector has at most twenty-four bytes");
        let mut bytes = [0; MAX];
        let mut i = 0;
        while i < path.len() {
            bytes[i] = path[i];
            i += 1;
        }
        Self { len: path.len() as u8, bytes }
    }

    /// The numbers.
    #[must_use]
    #[inline]
    pub fn path(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// Put the next numbers behind it, of which the last decide least; `None` if it becomes longer than
    /// any that exists.
    #[inline]
    pub(crate) fn extend<const N: usize>(&mut self, numbers: [u8; N]) -> Option<()> {
        *self.bytes.get_mut(usize::from(self.len)..)?.first_chunk_mut()? = numbers;
        self.len += u8::try_from(N).ok()?;
        Some(())
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, byte) in self.path().iter().enumerate() {
            let dot = if i == 0 { "" } else { "." };
            write!(f, "{dot}{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Selector({self})")
    }
}

impl Serialize for Selector {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
