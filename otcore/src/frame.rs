//! A finished question, read back and found read-only.

use crate::protocol::{Expected, Protocol, Request};
use crate::safety::{Facts, ReadOnly, Selector};
use crate::wire::{WireError, Writer};

/// Bytes that only ask. There is no way to make one but [`Frame::of`].
///
/// A frame can neither be taken apart nor copied: once it is sent it is gone.
#[derive(Debug)]
pub struct Frame {
    facts: &'static Facts,
    bytes: Vec<u8>,
    passed_on: bool,
    answered_in_pieces: bool,
}

/// The finished bytes do not ask what the request says: a bug in a codec, caught before it leaves.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{function} does not read back as itself: {why}")]
pub struct NotReadOnly {
    /// The function that was meant.
    pub function: &'static str,
    /// What the bytes read back as.
    pub why: String,
}

impl Frame {
    /// Build `request` and read its selector back from the finished bytes.
    ///
    /// # Errors
    /// [`NotReadOnly`] if the bytes ask anything but `request.function()`, or are longer than its
    /// entry in the manifest says.
    #[inline]
    pub fn of<P: Protocol>(
        protocol: &P,
        tag: u16,
        request: &impl Request<P>,
    ) -> Result<Self, NotReadOnly> {
        let facts = request.function().facts();
        let answered_in_pieces = P::answers_in_pieces(request.function());
        let mut out = Writer::with_capacity(facts.max_request.into());
        protocol.frame(request.function(), tag, &mut out, |body| request.write(body));
        let written = out.written();
        let mut expected = Expected::of(&facts.selector);
        let reads_back = P::read_back(written, &mut expected).is_ok() && expected.is_read();
        if !reads_back || written.len() > facts.max_request.into() {
            return Err(not_read_only(facts, P::selector(written), written.len()));
        }
        let (bytes, passed_on) = (out.into_vec(), protocol.is_on_a_bus());
        Ok(Self { facts, bytes, passed_on, answered_in_pieces })
    }

    /// The bytes to put on the wire.
    #[must_use]
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether the device passes it on to a bus of its own.
    #[must_use]
    pub fn is_passed_on(&self) -> bool {
        self.passed_on
    }

    /// Whether the answer comes in several pieces over TCP.
    #[must_use]
    pub fn is_answered_in_pieces(&self) -> bool {
        self.answered_in_pieces
    }

    /// What the manifest says of the function that is asked.
    #[must_use]
    pub fn facts(&self) -> &'static Facts {
        self.facts
    }
}

#[cold]
#[inline(never)]
fn not_read_only(facts: &Facts, read: Result<Selector, WireError>, len: usize) -> NotReadOnly {
    let why = match read {
        Ok(selector) => format!("selector {selector}, {len} bytes"),
        Err(error) => error.to_string(),
    };
    NotReadOnly { function: facts.name, why }
}
