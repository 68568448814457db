//! What a protocol is and what a question is. No I/O here.

use crate::safety::{ReadOnly, Selector};
use crate::wire::{Reader, WireError, Writer};

/// One conversation's protocol state and its framing, written once per protocol.
pub trait Protocol: Send + Sync + 'static {
    /// Lower-case name, as in targets, policies and results.
    const NAME: &'static str;
    /// Everything that may be asked.
    type Function: ReadOnly;
    /// So many bytes at the beginning of a message are nowhere else in it, since they hold its own
    /// number and length. If they come again, the message was broken off and begun once more
    /// ([`is_one_answer`](crate::wire::is_one_answer)). 0 where checksums or datagrams tell.
    const BEGINNING: usize = 0;

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

    /// Whether `function` asks no more than who is there, so that what a device says of its own accord
    /// answers it as well, even if it had said that before. Every other question is answered by what
    /// comes after it.
    fn is_answered_by_anything(_function: Self::Function) -> bool {
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

    /// Write a whole question to `out`: selector, headers, lengths and checksums around what `body` writes.
    fn frame(
        &self,
        function: Self::Function,
        tag: u16,
        out: &mut Writer,
        body: impl FnOnce(&mut Writer),
    );

    /// Read the selector back from a finished question, with its own eyes, and give it to `path`.
    ///
    /// # Errors
    /// If the bytes are no question of this protocol, or `path` does not take the selector.
    fn read_back(frame: &[u8], path: &mut impl Path) -> Result<(), WireError>;

    /// The selector of a finished question, read back from it.
    ///
    /// # Errors
    /// If the bytes are no question of this protocol.
    fn selector(frame: &[u8]) -> Result<Selector, WireError> {
        let mut path = Selector::of(&[]);
        Self::read_back(frame, &mut path)?;
        Ok(path)
    }

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

/// Where the numbers of a selector go as they are read from a message: a [`Selector`] keeps them, and
/// [`Expected`] holds them against those that must be there, which takes no time to speak of.
pub trait Path {
    /// The next numbers, of which the last decide least.
    ///
    /// # Errors
    /// [`WireError::Invalid`] if they are more than any selector has, or others than are expected.
    fn next<const N: usize>(&mut self, numbers: [u8; N]) -> Result<(), WireError>;
}

impl Path for Selector {
    #[inline]
    fn next<const N: usize>(&mut self, numbers: [u8; N]) -> Result<(), WireError> {
        self.extend(numbers).ok_or(WireError::Invalid { field: "path", value: N as u64 })
    }
}

/// What is still to be read of a selector that is known.
#[derive(Debug)]
pub struct Expected<'a>(&'a [u8]);

impl<'a> Expected<'a> {
    /// All of it.
    #[must_use]
    #[inline]
    pub fn of(selector: &'a Selector) -> Self {
        Self(selector.path())
    }

    /// Whether all of it was read, and nothing else.
    #[must_use]
    #[inline]
    pub fn is_read(&self) -> bool {
        self.0.is_empty()
    }
}

impl Path for Expected<'_> {
    #[inline]
    fn next<const N: usize>(&mut self, numbers: [u8; N]) -> Result<(), WireError> {
        match self.0.split_first_chunk() {
            Some((same, rest)) if *same == numbers => {
                self.0 = rest;
                Ok(())
            }
            _ => Err(WireError::Invalid { field: "path", value: N as u64 }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SELECTOR: Selector = Selector::of(&[0x2B, 0x0E, 0x03]);

    fn is_expected(read: impl FnOnce(&mut Expected<'_>) -> Result<(), WireError>) -> bool {
        let mut expected = Expected::of(&SELECTOR);
        read(&mut expected).is_ok() && expected.is_read()
    }

    #[test]
    fn only_the_whole_selector_is_what_was_expected() {
        assert!(is_expected(|path| path.next([0x2B, 0x0E, 0x03])));
        assert!(is_expected(|path| path.next([0x2B]).and_then(|()| path.next([0x0E, 0x03]))));
        assert!(!is_expected(|_| Ok(())), "nothing");
        assert!(!is_expected(|path| path.next([0x2B, 0x0E])), "too short");
        assert!(!is_expected(|path| path.next([0x2B, 0x0E, 0x03, 0x00])), "too long");
        assert!(!is_expected(|path| path.next([0x2B, 0x0E, 0x04])), "another");
        assert!(!is_expected(|path| path.next([0x2B, 0x0D]).and_then(|()| path.next([0x03]))));
    }

    #[test]
    fn a_selector_keeps_what_is_read_as_long_as_there_is_room() {
        let mut path = Selector::of(&[]);
        path.next([0x2B]).and_then(|()| path.next([0x0E, 0x03])).unwrap();
        assert_eq!(path, SELECTOR);
        path.next([0; 21]).unwrap();
        assert!(path.next([0]).is_err());
        assert_eq!(path.path().len(), 24);
    }
}
