//! What a protocol is and what a question is. No I/O here.

use crate::safety::{ReadOnly, Selector};
use crate::wire::{Reader, WireError, Writer};

/// One conversation's protocol state and its framing, written once per protocol.
pub trait Protocol: Send + Sync + 'static {
    /// Lower-case name, as in targets, policies and results.
    const NAME: &'static str;
    /// Everything that may be asked.
    type Function: ReadOnly;

    /// Whether a question makes the device talk on a bus of its own: a serial line behind a
    /// gateway, a backplane, a routed network. Such a bus is asked far more slowly.
    fn is_on_a_bus(&self) -> bool {
        false
    }

    /// Whether `function` only asks for a transport that other protocols share, so that an answer
    /// to it proves nothing about who speaks on top of it.
    fn asks_for_transport(_function: Self::Function) -> bool {
        false
    }

    /// Whether `function` is a call that only those answer who are meant by it: a link address, a
    /// range of instances. Silence to a call is no sign of harm as long as the device may be alive;
    /// a device that had answered before is left alone all the same.
    fn is_a_call(_function: Self::Function) -> bool {
        false
    }

    /// Whether the answer to `function` is sent in several pieces over TCP, by its nature: room is kept
    /// for the acknowledgements that they cost. Whoever answers in pieces without it is soon left.
    fn answers_in_pieces(_function: Self::Function) -> bool {
        false
    }

    /// Whether the device does not answer `function` itself but hands it on, as a call to a network
    /// behind it. Silence to that is nobody's: the device is asked next, and only if it answers is
    /// more asked through it.
    fn is_handed_on(_function: Self::Function) -> bool {
        false
    }

    /// Put selector, headers, lengths and checksums around what `body` writes.
    fn frame(&self, function: Self::Function, tag: u16, body: impl FnOnce(&mut Writer)) -> Vec<u8>;

    /// Read the selector back from a finished question, with its own eyes.
    ///
    /// # Errors
    /// If the bytes are no question of this protocol.
    fn selector(frame: &[u8]) -> Result<Selector, WireError>;

    /// Length of the first whole message in `buf`, or `None` while it is incomplete.
    ///
    /// # Errors
    /// If the bytes can never become a message.
    fn split(buf: &[u8]) -> Result<Option<usize>, WireError>;

    /// Take the headers off a whole message that may answer the finished question `asked`.
    ///
    /// `None` if it answers another question: a late answer, or one for somebody else.
    ///
    /// # Errors
    /// If the message breaks the protocol.
    fn answer<'a>(asked: &[u8], message: &'a [u8]) -> Result<Option<Answer<'a>>, WireError>;
}

/// A message from a device, headers removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<'a> {
    /// What was asked for: the bytes after the selector.
    Body(&'a [u8]),
    /// The device said no, in its own protocol.
    Refusal {
        /// The protocol's own code.
        code: u32,
        /// The device has no room or time now, rather than no such function.
        busy: bool,
    },
}

/// One question and the shape of its answer.
pub trait Request<P: Protocol>: Send + Sync {
    /// The answer.
    type Reply;

    /// Which read-only function carries it.
    fn function(&self) -> P::Function;

    /// Everything after the selector.
    fn write(&self, body: &mut Writer);

    /// Parse the answer.
    ///
    /// # Errors
    /// If the bytes are not such an answer.
    fn read(&self, body: &mut Reader<'_>) -> Result<Self::Reply, WireError>;
}
