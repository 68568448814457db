//! Leave to put something on the wire.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::journal::What;
use super::refusal::Refusal;
use super::visit::Visiting;
use crate::frame::Frame;

/// Something that may leave: a connection attempt or a question, or where datagrams may go.
///
/// Sealed by being unreachable: the gate permits these and nothing else.
pub(super) trait Outgoing: Send {
    /// For the journal, before it leaves; `None` if nothing leaves.
    fn describe(&self) -> Option<Leaving<'_>>;
}

/// What is about to leave.
pub(super) enum Leaving<'a> {
    Syn,
    Question(&'a Frame),
}

impl Leaving<'_> {
    fn in_the_journal(&self) -> What {
        match self {
            Self::Syn => What::Connecting,
            Self::Question(frame) => What::Sent {
                function: frame.facts().name.to_owned(),
                bytes: frame.bytes().to_vec().into(),
            },
        }
    }
}

impl Outgoing for Arc<Frame> {
    fn describe(&self) -> Option<Leaving<'_>> {
        Some(Leaving::Question(self))
    }
}

/// A connection that may be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection {
    /// To whom.
    pub to: SocketAddr,
    /// How long the device may take to acknowledge, before the kernel gives up on it.
    pub patience: Duration,
}

impl Outgoing for Connection {
    fn describe(&self) -> Option<Leaving<'_>> {
        Some(Leaving::Syn)
    }
}

/// Whom datagrams may be sent to, one question each. To open a socket for them sends nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// To whom, and from whom alone answers are taken.
    pub to: SocketAddr,
    /// A port of this host at which its answers are heard as well, if that port is free.
    pub reply_port: Option<u16>,
}

impl Outgoing for Peer {
    fn describe(&self) -> Option<Leaving<'_>> {
        None
    }
}

/// A question to everybody in one network at once.
#[derive(Debug)]
pub struct Call {
    /// The broadcast address of the network, with the port. It is asked from the same port of this
    /// host if that is free: many answer only there.
    pub to: SocketAddr,
    /// The question.
    pub frame: Arc<Frame>,
}

impl Outgoing for Call {
    fn describe(&self) -> Option<Leaving<'_>> {
        self.frame.describe()
    }
}

/// Leave to put one `T` on the wire. Only the gate grants one, and it is used up by passing.
#[must_use = "a permit that is not passed sends nothing"]
pub struct Permit<T> {
    it: T,
    visiting: Arc<Visiting>,
    promised: usize,
}

#[allow(private_bounds)] // what may leave is the gate's own list
impl<T: Outgoing> Permit<T> {
    /// Leave for `it`, for which the wire has promised so many packets; those of a connection are
    /// promised to its lease, which outlives the permit.
    pub(super) fn new(it: T, promised: usize, visiting: Arc<Visiting>) -> Self {
        Self { it, visiting, promised }
    }

    /// Write it into the journal and let it out through `send`, which must not block.
    ///
    /// # Errors
    /// [`Refusal::Stopped`] if the scan was aborted after the permit was granted,
    /// [`Refusal::WindowClosed`] if the maintenance window closed; `send` was not called then.
    pub fn pass<R>(mut self, send: impl FnOnce(&T) -> R) -> Result<R, Refusal> {
        let visiting = Arc::clone(&self.visiting);
        visiting.gate.check_window()?;
        visiting.gate.door.pass(|| {
            if let Some(leaving) = self.it.describe() {
                visiting.journal(|| leaving.in_the_journal())?;
                visiting.stamp_sent();
                if let Leaving::Question(frame) = leaving {
                    visiting.asks(frame.bytes().len());
                }
                self.promised = 0; // what is left of the promise belongs to the visit now
            }
            Ok(send(&self.it))
        })?
    }
}

impl<T> Drop for Permit<T> {
    fn drop(&mut self) {
        if self.promised > 0 {
            self.visiting.unsent(self.promised);
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Permit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Permit").field(&self.it).finish()
    }
}
