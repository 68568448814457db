//! One stay with one device: its budget, its connection slot, its pulse.

mod admit;
mod call;
mod heard;
mod lease;
mod spending;
mod state;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

pub use call::Calling;
pub(super) use call::Calls;
pub use lease::Lease;
pub use spending::Spending;
use state::State;
pub(super) use state::Visiting;

use super::breaker::Pulse;
use super::device::Device;
use super::policy::Limits;
use super::refusal::Refusal;
use super::silence::Said;
use super::{Gate, Inner, sensitive};

/// A stay with one device. While it lasts nobody else of this process visits the same device.
pub struct Visit(Arc<Visiting>);

impl Drop for Visit {
    fn drop(&mut self) {
        let kept = std::mem::take(&mut self.0.state().kept);
        drop(kept);
        self.0.gate.wire.leave(self.0.device);
    }
}

impl std::fmt::Debug for Visit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Visit").field(&self.0.device).finish()
    }
}

impl Visit {
    pub(super) fn new(gate: Arc<Inner>, at: SocketAddr, planned: u64) -> Self {
        let device = Device::at(at);
        let now = Instant::now();
        let state = State {
            started: None,
            spending: Spending::default(),
            ports: BTreeSet::new(),
            left_alone: None,
            in_doubt: None,
            answered: false,
            remembered: false,
            said: Said::Nothing,
            pulse: Pulse::default(),
            kind: None,
            next_question: now,
            next_on_bus: now,
            conversation_requests: 0,
            acknowledgement_owed: false,
            rides_along: None,
            pieces: 0,
            spare: 0,
            current: None,
            continues: false,
            kept: Vec::new(),
            host_hold: None,
            at,
            protocol: "",
        };
        Self(Arc::new(Visiting { gate, device, planned, state: Mutex::new(state) }))
    }

    /// Whom.
    #[must_use]
    pub fn device(&self) -> Device {
        self.0.device
    }

    /// What it has cost so far.
    #[must_use]
    pub fn spending(&self) -> Spending {
        self.0.state().spending
    }

    /// Whether the device has answered anything in this visit.
    #[must_use]
    pub fn has_answered(&self) -> bool {
        self.0.state().answered
    }

    /// The gate that admitted the visit.
    #[must_use]
    pub fn gate(&self) -> Gate {
        Gate(Arc::clone(&self.0.gate))
    }

    /// How much of the time for this device is left.
    #[must_use]
    pub fn time_left(&self) -> Duration {
        let whole = Duration::from_secs(self.limits().device_time_s.into());
        let spent = self.0.state().started.map(|started| started.elapsed());
        whole.saturating_sub(spent.unwrap_or_default())
    }

    /// The device says who it is. If one of its kind went dark, or its kind is never questioned
    /// further, the visit is over.
    ///
    /// # Errors
    /// [`Refusal::SameKindWentDark`] or [`Refusal::Sensitive`].
    pub fn is_a(&self, vendor: &str, model: &str) -> Result<(), Refusal> {
        let kind = format!("{vendor} {model}");
        self.0.state().kind = Some(kind.clone());
        let sensitive = match sensitive::kind(vendor, model) {
            Some(class) => Err(Refusal::Sensitive(class.to_owned())),
            None => Ok(()),
        };
        let decided = sensitive.and_then(|()| self.0.gate.breaker.check_kind(&kind));
        if let Err(why) = &decided {
            self.leave_alone(why.clone());
        }
        decided
    }

    /// Another unit answers from now on: its speed is not compared with the last one's, and it has
    /// a budget of questions of its own.
    pub fn next_unit(&self) {
        let mut state = self.0.state();
        state.pulse = Pulse::default();
        state.conversation_requests = 0;
    }

    /// A slot of a backplane is asked next, and the one before was a while ago.
    pub fn rest_before_slot(&self) {
        let gap = Duration::from_millis(self.limits().slot_gap_ms.into());
        let mut state = self.0.state();
        state.next_question = state.next_question.max(Instant::now() + gap);
    }

    /// How many more questions the conversation that is open may hold.
    #[must_use]
    pub fn questions_left(&self) -> u32 {
        self.limits().requests_per_conversation.saturating_sub(self.0.state().conversation_requests)
    }

    /// Wait until the packets that close the connection may leave.
    ///
    /// # Errors
    /// [`Refusal::Stopped`]: close without waiting.
    pub async fn may_close(&self) -> Result<(), Refusal> {
        self.0.gate.door.unless_shut(pin!(self.0.room_to_close())).await
    }

    /// Keep the connection to a device that went dark as it is until the run is over: even a goodbye
    /// would be one more packet.
    pub fn park(&self, connection: Box<dyn Send>) {
        if self.0.gate.door.check().is_ok() {
            self.0.gate.wire.parked(self.0.device);
            self.0.gate.parked().push_back((Arc::clone(&self.0), connection));
        }
    }

    /// Keep a socket for datagrams until the visit is over, or the run if the device went dark: our
    /// system answers whatever arrives at a socket that is closed.
    pub fn keep(&self, socket: Box<dyn Send>) {
        match self.went_silent() {
            true => self.0.gate.kept().push(socket),
            false => self.0.state().kept.push(socket),
        }
    }

    /// Whether the device went dark in this visit.
    #[must_use]
    pub fn went_silent(&self) -> bool {
        matches!(self.0.state().left_alone, Some(Refusal::Quarantined { .. }))
    }

    /// Ask nothing more of this device, for the reason given.
    pub fn leave_alone(&self, why: Refusal) {
        self.0.state().left_alone.get_or_insert(why);
    }

    /// Wait for `work`, but not after an abort.
    ///
    /// # Errors
    /// [`Refusal::Stopped`].
    pub async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Result<T, Refusal> {
        self.0.gate.door.unless_shut(work).await
    }

    pub(crate) fn limits(&self) -> &Limits {
        self.0.gate.policy.limits()
    }
}
