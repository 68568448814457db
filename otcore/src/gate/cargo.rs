//! What may leave, and how many packets of ours it takes.

use std::time::Duration;

use super::policy::Limits;

/// What is to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gate) enum Cargo {
    /// A connection attempt; the number is how many SYNs its timeout allows.
    Connection {
        /// SYNs the kernel sends before the timeout.
        syns: usize,
    },
    /// A question on an open connection.
    Question,
    /// The same, if its answer comes in pieces.
    LongQuestion,
    /// The first datagram of a conversation: its address may have to be resolved.
    FirstDatagram,
    /// A datagram to everybody in a network at once.
    Call,
    /// A datagram to somebody who has answered one.
    Datagram,
    /// A datagram once more: if nobody lives there, its address is looked for once more too.
    Repetition,
}

impl Cargo {
    /// How many packets leave on its account, those that end it left out.
    pub(in crate::gate) fn packets(self) -> usize {
        match self {
            Self::Connection { syns } => syns + 1,
            Self::Question => QUESTION,
            Self::LongQuestion => QUESTION + PIECES,
            Self::FirstDatagram | Self::Call | Self::Datagram | Self::Repetition => DATAGRAM,
        }
    }

    /// How many of them are for pieces that may not come.
    pub(in crate::gate) fn spare(self) -> usize {
        if self == Self::LongQuestion { PIECES } else { 0 }
    }

    /// Whether it begins a conversation, of which a device has one at a time.
    pub(in crate::gate) fn begins(self) -> bool {
        matches!(self, Self::Connection { .. } | Self::FirstDatagram | Self::Call)
    }

    /// The rest after the last that was begun there, in whatever scan.
    pub(in crate::gate) fn rest(self, limits: &Limits) -> Duration {
        let millis = match self {
            Self::Call => limits.broadcast_gap_ms,
            _ => limits.connection_gap_ms,
        };
        Duration::from_millis(millis.into())
    }

    /// How many of the packets that open conversations wait for go first. Whoever goes on comes
    /// before whoever begins: the sooner a connection is over, the sooner the room that is kept for
    /// its end is free.
    pub(in crate::gate) fn lets_pass(self, going_on: usize) -> usize {
        if self.begins() { going_on } else { 0 }
    }

    /// Packets that will end what it begins.
    pub(in crate::gate) fn ending(self) -> usize {
        if matches!(self, Self::Connection { .. }) { CLOSING } else { 0 }
    }
}

/// Packets that a question takes: itself and the acknowledgement of its answer.
pub(in crate::gate) const QUESTION: usize = 2;

/// Further acknowledgements that an answer in pieces takes: one for two of them.
pub(in crate::gate) const PIECES: usize = 2;

/// Packets that a question in a datagram takes: itself.
pub(in crate::gate) const DATAGRAM: usize = 1;

/// Packets that closing a connection takes: our FIN and the acknowledgement of theirs.
pub(in crate::gate) const CLOSING: usize = 2;
