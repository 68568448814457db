//! What is known of a visit while it lasts, behind its lock.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::Spending;
use crate::gate::Inner;
use crate::gate::breaker::Pulse;
use crate::gate::cargo::CLOSING;
use crate::gate::device::Device;
use crate::gate::host_lock::HostHold;
use crate::gate::journal::{Close, Entry, What};
use crate::gate::memory::Record;
use crate::gate::meter::Held;
use crate::gate::refusal::Refusal;
use crate::gate::silence::Said;
use crate::model::Transport as Carrier;

pub(in crate::gate) struct Visiting {
    pub(in crate::gate) gate: Arc<Inner>,
    pub(super) device: Device,
    pub(super) planned: u64,
    pub(super) state: Mutex<State>,
}

pub(super) struct State {
    /// When the first packet was allowed; waiting for a turn costs the device nothing.
    pub(super) started: Option<Instant>,
    pub(super) spending: Spending,
    /// Which of its ports were spoken to.
    pub(super) ports: BTreeSet<u16>,
    pub(super) left_alone: Option<Refusal>,
    /// Nobody behind it answered, so it has to show first that it still answers itself.
    pub(super) in_doubt: Option<Refusal>,
    pub(super) answered: bool,
    /// That it was visited is in the memory.
    pub(super) remembered: bool,
    pub(super) said: Said,
    pub(super) pulse: Pulse,
    pub(super) kind: Option<String>,
    pub(super) next_question: Instant,
    /// The same for a question that is passed on to a bus.
    pub(super) next_on_bus: Instant,
    pub(super) conversation_requests: u32,
    pub(super) acknowledgement_owed: bool,
    /// Until when one more piece would be acknowledged together with the last one.
    pub(super) rides_along: Option<Instant>,
    /// In how many pieces of its own acknowledgement the answer has come so far.
    pub(super) pieces: u32,
    /// How many acknowledgements of further pieces are promised.
    pub(super) spare: usize,
    pub(super) current: Option<Current>,
    /// The last conversation was by datagrams, and the next in its protocol goes on with it.
    pub(super) continues: bool,
    /// Sockets for datagrams whose conversation is over: a late answer must find somebody.
    pub(super) kept: Vec<Box<dyn Send>>,
    /// No other process of this host is with the device, from the first packet to the last.
    pub(super) host_hold: Option<HostHold>,
    pub(super) at: SocketAddr,
    pub(super) protocol: &'static str,
}

impl State {
    /// Whether somebody lives at the address, as far as the last conversation tells.
    pub(super) fn met(&self, somebody: bool) {
        match &self.host_hold {
            Some(hold) if somebody => hold.somebody_there(),
            Some(hold) => hold.nobody_there(),
            None => {}
        }
    }
}

#[derive(Clone, Copy)]
pub(super) struct Current {
    pub(super) id: u64,
    pub(super) carrier: Carrier,
    pub(super) promised: usize,
    pub(super) resolving: bool,
    pub(super) open: bool,
    /// How many datagrams were sent once more.
    pub(super) repeated: u32,
    /// A question left on it.
    pub(super) asked: bool,
    /// A question on it was answered.
    pub(super) answered: bool,
    /// The packets that end it are promised.
    pub(super) closes: bool,
    /// Its system says that nobody listens at this port, so somebody lives there.
    pub(super) refused: bool,
}

impl Visiting {
    pub(in crate::gate) fn journal(&self, what: impl FnOnce() -> What) -> Result<(), Refusal> {
        self.gate.record(|| {
            let state = self.state();
            Entry {
                at: self.gate.clock.now(),
                zone: self.gate.zone.clone(),
                device: state.at,
                protocol: state.protocol.to_owned(),
                connection: state.current.map_or(0, |current| current.id),
                what: what(),
            }
        })
    }

    /// Wait until the packets that close the connection may leave, and promise them.
    pub(in crate::gate) async fn room_to_close(&self) {
        self.gate.wire.room_to_close(self.device, self.gate.policy.limits()).await;
        if let Some(current) = self.state().current.as_mut() {
            current.closes = true;
        }
    }

    /// What was parked is closed next.
    pub(in crate::gate) fn unpark(&self) {
        self.gate.wire.unparked(self.device);
    }

    /// Something may leave for `to` from now on.
    pub(super) fn begin_attempt(&self, to: SocketAddr) {
        let mut state = self.state();
        state.started.get_or_insert_with(Instant::now);
        state.acknowledgement_owed = false;
        state.ports.insert(to.port());
        if let Some(hold) = &state.host_hold {
            hold.open_again();
        }
    }

    /// The connection had come about, and our kernel had acknowledged that, when the device broke it off.
    pub(super) fn acknowledged_handshake(&self) {
        {
            let mut state = self.state();
            state.spending.connections += 1;
            state.spending.packets += 1;
            let Some(current) = state.current.as_mut() else { return };
            current.promised = current.promised.saturating_sub(1);
        }
        self.gate.wire.stamp(self.device, Held::Not);
    }

    /// A packet of ours leaves now.
    pub(in crate::gate) fn stamp_sent(&self) {
        // The question before may have been answered by what had come earlier.
        self.settle_acknowledgement();
        let held = {
            let mut state = self.state();
            state.spending.packets += 1;
            state.pieces = 0;
            state.acknowledgement_owed =
                state.current.is_some_and(|c| c.open && c.carrier == Carrier::Tcp);
            match state.current.as_mut() {
                Some(current) if current.open => current.asked = true,
                Some(current) => current.promised = current.promised.saturating_sub(1),
                None => {}
            }
            match state.current.is_some_and(|current| current.resolving) {
                true => Held::ByResolution,
                false => Held::Not,
            }
        };
        self.gate.wire.stamp(self.device, held);
    }

    /// A question of so many bytes leaves now.
    pub(in crate::gate) fn asks(&self, bytes: usize) {
        let mut state = self.state();
        state.spending.requests += 1;
        state.conversation_requests += 1;
        state.spending.bytes_out += u64::try_from(bytes).unwrap_or(u64::MAX);
    }

    /// A permit was dropped without being passed.
    pub(in crate::gate) fn unsent(&self, promised: usize) {
        self.state().spare = 0;
        self.gate.wire.release(self.device, promised);
    }

    /// Nothing has come back yet that our kernel would acknowledge.
    pub(super) fn settle_acknowledgement(&self) {
        if std::mem::take(&mut self.state().acknowledgement_owed) {
            self.gate.wire.stamp(self.device, Held::AsAcknowledgement);
        }
    }

    /// Whether an acknowledgement of a further piece was promised; it is used up.
    pub(super) fn takes_spare(&self) -> bool {
        let spare = &mut self.state().spare;
        let taken = *spare > 0;
        *spare = spare.saturating_sub(1);
        taken
    }

    /// No further piece of the answer is awaited.
    pub(super) fn release_spare(&self) {
        let spare = std::mem::take(&mut self.state().spare);
        self.gate.wire.release(self.device, spare);
    }

    pub(super) fn end(&self, how: Close) {
        self.release_spare();
        let (current, owed) = {
            let mut state = self.state();
            let Some(current) = state.current.take() else { return };
            let owed = std::mem::take(&mut state.acknowledgement_owed);
            if current.open && current.carrier == Carrier::Tcp {
                state.spending.packets += CLOSING as u64;
            }
            (current, owed)
        };
        let wire = &self.gate.wire;
        if current.carrier == Carrier::Udp {
            wire.release(self.device, current.promised);
            if current.open {
                self.record_end(current.id, how);
            }
        } else if current.open {
            wire.closed(
                self.device,
                current.closes,
                matches!(how, Close::Polite | Close::ByDevice),
            );
            self.record_end(current.id, how);
        } else {
            wire.never_opened(self.device);
            wire.release(self.device, current.promised);
        }
        if owed {
            wire.stamp(self.device, Held::AsAcknowledgement);
        }
        if current.resolving {
            wire.resolved(self.device);
        }
        wire.disconnected(self.device);
    }

    fn record_end(&self, connection: u64, how: Close) {
        let entry = || {
            let state = self.state();
            let (device, protocol) = (state.at, state.protocol.to_owned());
            let (at, zone) = (self.gate.clock.now(), self.gate.zone.clone());
            Entry { at, zone, device, protocol, connection, what: What::Closed { how } }
        };
        // A journal that fails has shut the door already.
        let _ = self.gate.record(entry);
    }

    pub(super) fn remember_visit(&self) {
        if !self.device.address().is_loopback() {
            let record = self.gate.recall(self.device).unwrap_or_default();
            let visited = Some(self.gate.clock.now());
            self.gate.remember(self.device, Record { visited, ..record });
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
