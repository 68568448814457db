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
    ways: Ways,
}

/// How it travels, in a whole word: a frame is moved by words, and a processor that has just written single
/// bytes of one waits for them.
#[derive(Debug)]
struct Ways(u64);

impl Ways {
    const PASSED_ON: u64 = 1;
    const ANSWERED_IN_PIECES: u64 = 2;

    #[inline]
    fn of(passed_on: bool, answered_in_pieces: bool) -> Self {
        let passed_on = u64::from(passed_on) * Self::PASSED_ON;
        Self(passed_on | (u64::from(answered_in_pieces) * Self::ANSWERED_IN_PIECES))
    }

    fn include(&self, way: u64) -> bool {
        self.0 & way != 0
    }
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
        let mut out = Writer::with_capacity(facts.max_request.into());
        protocol.frame(request.function(), tag, &mut out, |body| request.write(body));
        let written = out.written();
        let mut expected = Expected::of(&facts.selector);
        let reads_back = P::read_back(written, &mut expected).is_ok() && expected.is_read();
        if !reads_back || written.len() > facts.max_request.into() {
            return Err(not_read_only(facts, P::selector(written), written.len()));
        }
        let ways = Ways::of(protocol.is_on_a_bus(), P::answers_in_pieces(request.function()));
        Ok(Self { facts, bytes: out.into_vec(), ways })
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
        self.ways.include(Ways::PASSED_ON)
    }

    /// Whether the answer comes in several pieces over TCP.
    #[must_use]
    pub fn is_answered_in_pieces(&self) -> bool {
        self.ways.include(Ways::ANSWERED_IN_PIECES)
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
