//! The only conversation with a device, from the permit to its last packet.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::state::{Current, Visiting};
use crate::gate::host_lock::HostHold;
use crate::gate::journal::{Close, What};
use crate::gate::refusal::Refusal;
use crate::model::Transport as Carrier;

/// The only conversation with a device, from the permit to its last packet.
///
/// Dropping it without [`Lease::closed`] says that the socket was dropped in a hurry.
#[must_use = "the slot is free again as soon as this is dropped"]
pub struct Lease {
    pub(super) visiting: Arc<Visiting>,
    /// Released after the socket and the lease are gone.
    pub(super) host_hold: Option<HostHold>,
}

impl std::fmt::Debug for Lease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Lease").field(&self.visiting.device).finish()
    }
}

impl Lease {
    /// The connection is open; `local` is our end.
    ///
    /// # Errors
    /// If the journal cannot be written.
    pub fn connected(&self, local: SocketAddr) -> Result<(), Refusal> {
        let (unused, first) = {
            let mut state = self.visiting.state();
            state.spending.connections += 1;
            state.spending.packets += 1;
            if !std::mem::take(&mut state.continues) {
                state.conversation_requests = 0;
            }
            let first = state.spending.connections == 1;
            let Some(current) = state.current.as_mut() else { return Ok(()) };
            current.open = true;
            current.resolving = false;
            let unused = current.promised.saturating_sub(1);
            current.promised = 0;
            (unused, first)
        };
        self.visiting.gate.wire.stamp(self.visiting.device); // the acknowledgement of the handshake
        self.visiting.gate.wire.opened();
        self.visiting.gate.wire.release(self.visiting.device, unused);
        self.visiting.gate.wire.resolved(self.visiting.device);
        if first {
            self.visiting.remember_visit();
        }
        self.visiting.journal(What::Connected { local })
    }

    /// The socket for datagrams is open; `local` is our end.
    ///
    /// # Errors
    /// If the journal cannot be written.
    pub fn bound(&self, local: SocketAddr) -> Result<(), Refusal> {
        {
            let mut state = self.visiting.state();
            if !std::mem::replace(&mut state.continues, true) {
                state.conversation_requests = 0;
            }
            if let Some(current) = state.current.as_mut() {
                current.open = true;
            }
        }
        self.visiting.journal(What::Bound { local })
    }

    /// The connection could not be opened, or a router says that no datagram gets there.
    ///
    /// # Errors
    /// If the journal cannot be written.
    pub fn not_connected(&self, why: &io::Error, took: Duration) -> Result<(), Refusal> {
        // A failed address resolution takes the kernel three seconds; sooner means that something
        // on the way said no.
        const BEFORE_RESOLUTION_FAILS: Duration = Duration::from_secs(1);
        let unreachable = matches!(
            why.kind(),
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable
        );
        if unreachable && took < BEFORE_RESOLUTION_FAILS {
            self.visiting.gate.breaker.unreachable(self.visiting.device.address());
        }
        let answered = why.kind() == io::ErrorKind::ConnectionRefused;
        if let Some(current) = self.visiting.state().current.as_mut() {
            current.unanswered = why.kind() == io::ErrorKind::TimedOut;
            current.refused = answered;
        }
        if let Some(hold) = self.host_hold.as_ref().filter(|_| !answered) {
            hold.nobody_there();
        }
        self.visiting.journal(What::NotConnected { why: why.to_string() })
    }

    /// The question did not leave whole.
    ///
    /// # Errors
    /// If the journal cannot be written.
    pub fn not_sent(&self, written: usize, why: &io::Error) -> Result<(), Refusal> {
        self.visiting.journal(What::NotSent { written, why: why.to_string() })
    }

    /// The connection ended in good order.
    pub fn closed(self, how: Close) {
        self.forget_if_unheard();
        self.visiting.end(how);
    }

    /// Who never answered a datagram most likely is not there, and nothing is remembered of it.
    fn forget_if_unheard(&self) {
        let unheard = |c: Current| c.carrier == Carrier::Udp && c.resolving && !c.refused;
        let unheard = self.visiting.state().current.is_some_and(unheard);
        if let Some(hold) = self.host_hold.as_ref().filter(|_| unheard) {
            hold.nobody_there();
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.forget_if_unheard();
        self.visiting.end(Close::Aborted);
    }
}
