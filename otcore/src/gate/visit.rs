//! One stay with one device: its budget, its connection slot, its pulse.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::ToSpan;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout};

use super::breaker::Pulse;
use super::device::Device;
use super::host_lock::HostHold;
use super::journal::{Close, Entry, What};
use super::memory::{Cooling, Quarantine, Record};
use super::pace::{CLOSING, Cargo, DATAGRAM, QUESTION};
use super::permit::{Connection, Peer, Permit};
use super::policy::Limits;
use super::refusal::{Refusal, StopReason};
use super::sabotage::Saboteur;
use super::silence::{Said, Silence};
use super::{Gate, Inner, sensitive};
use crate::frame::Frame;
use crate::model::{HexBytes, Transport as Carrier};

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

/// What a visit has cost so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spending {
    /// Packets that left, the kernel's own included.
    pub packets: u64,
    /// Connections that were established.
    pub connections: u32,
    /// Connection attempts.
    pub attempts: u32,
    /// Questions asked.
    pub requests: u32,
    /// Payload bytes sent.
    pub bytes_out: u64,
    /// Payload bytes received.
    pub bytes_in: u64,
}

impl Spending {
    /// What was spent since `earlier`.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            packets: self.packets.saturating_sub(earlier.packets),
            connections: self.connections.saturating_sub(earlier.connections),
            attempts: self.attempts.saturating_sub(earlier.attempts),
            requests: self.requests.saturating_sub(earlier.requests),
            bytes_out: self.bytes_out.saturating_sub(earlier.bytes_out),
            bytes_in: self.bytes_in.saturating_sub(earlier.bytes_in),
        }
    }
}

pub(super) struct Visiting {
    pub(super) gate: Arc<Inner>,
    device: Device,
    planned: u64,
    state: Mutex<State>,
}

struct State {
    /// When the first packet was allowed; waiting for a turn costs the device nothing.
    started: Option<Instant>,
    spending: Spending,
    left_alone: Option<Refusal>,
    answered: bool,
    said: Said,
    pulse: Pulse,
    kind: Option<String>,
    next_question: Instant,
    conversation_requests: u32,
    acknowledgement_owed: bool,
    /// Until when one more piece would be acknowledged together with the last one.
    rides_along: Option<Instant>,
    current: Option<Current>,
    /// The last conversation was by datagrams, and the next in its protocol goes on with it.
    continues: bool,
    /// Sockets for datagrams whose conversation is over: a late answer must find somebody.
    kept: Vec<Box<dyn Send>>,
    at: SocketAddr,
    protocol: &'static str,
}

#[derive(Clone, Copy)]
struct Current {
    id: u64,
    carrier: Carrier,
    promised: usize,
    resolving: bool,
    open: bool,
    /// When its SYN left.
    left: Option<Instant>,
    /// A question left on it.
    asked: bool,
    /// A question on it was answered.
    answered: bool,
    /// The packets that end it are promised.
    closes: bool,
    /// It has come to nothing, and nobody said a word.
    unanswered: bool,
}

impl Visit {
    pub(super) fn new(gate: Arc<Inner>, at: SocketAddr, planned: u64) -> Self {
        let device = Device::at(at);
        let now = Instant::now();
        let state = State {
            started: None,
            spending: Spending::default(),
            left_alone: None,
            answered: false,
            said: Said::Nothing,
            pulse: Pulse::default(),
            kind: None,
            next_question: now,
            conversation_requests: 0,
            acknowledgement_owed: false,
            rides_along: None,
            current: None,
            continues: false,
            kept: Vec::new(),
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

    /// Ask leave to open a connection; waits for the slot and the pace.
    ///
    /// # Errors
    /// A [`Refusal`] that names the limit or decision.
    pub async fn connect(
        &self,
        to: SocketAddr,
        protocol: &'static str,
    ) -> Result<(Permit<Connection>, Lease), Refusal> {
        let syns = syns(self.limits().connect_timeout_ms);
        let lease = self.begin(to, protocol, Cargo::Connection { syns }).await?;
        let patience = Duration::from_millis(self.limits().connect_timeout_ms.into());
        let permit = Permit::new(Connection { to, patience }, 0, Arc::clone(&self.0));
        self.0.begin_attempt();
        Ok((permit, lease))
    }

    /// Ask leave to question `to` by datagrams; waits for the slot, the pace and the device's rest.
    /// The first datagram may leave at once then.
    ///
    /// # Errors
    /// A [`Refusal`] that names the limit or decision.
    pub async fn address(
        &self,
        to: SocketAddr,
        reply_port: Option<u16>,
        protocol: &'static str,
    ) -> Result<(Permit<Peer>, Lease), Refusal> {
        let lease = self.begin(to, protocol, Cargo::FirstDatagram).await?;
        self.0.state().started.get_or_insert_with(Instant::now);
        Ok((Permit::new(Peer { to, reply_port }, 0, Arc::clone(&self.0)), lease))
    }

    /// The only conversation with this device.
    async fn begin(
        &self,
        to: SocketAddr,
        protocol: &'static str,
        cargo: Cargo,
    ) -> Result<Lease, Refusal> {
        let gate = &self.0.gate;
        let limits = self.limits();
        let next = if cargo == Cargo::FirstDatagram { Next::Datagrams } else { Next::Connection };
        self.may_begin(to, protocol, next)?;
        let holding = gate.wire.hold(self.0.device, limits);
        let hold = gate.door.unless_shut(holding).await?;
        let hold = hold.map_err(|error| Refusal::HostLock(error.to_string()))?;
        if next == Next::Datagrams && !Saboteur::Pace.is_at_work() {
            let rest = self.0.state().next_question;
            gate.door.unless_shut(tokio::time::sleep_until(rest)).await?;
        }
        loop {
            gate.door.unpaused().await?;
            let reserve = gate.wire.reserve(self.0.device, cargo, limits);
            gate.door.unless_shut(reserve).await?;
            let mut lease = self.lease(to, protocol, cargo);
            self.may_begin(to, protocol, next)?; // things may have changed while we waited
            if gate.door.is_paused() {
                continue; // dropping the lease gives everything back
            }
            lease.host_hold = hold;
            return Ok(lease);
        }
    }

    fn may_begin(&self, to: SocketAddr, protocol: &'static str, next: Next) -> Result<(), Refusal> {
        self.0.gate.check_endpoint(to)?;
        self.0.gate.breaker.check_protocol(protocol, to.ip(), self.limits())?;
        self.check_budget(next)
    }

    /// What is reserved for a conversation, until it is dropped.
    fn lease(&self, to: SocketAddr, protocol: &'static str, cargo: Cargo) -> Lease {
        let id = self.0.gate.next_connection();
        let mut state = self.0.state();
        state.continues &= state.protocol == protocol && state.at == to;
        state.at = to;
        state.protocol = protocol;
        let carrier = match cargo {
            Cargo::Connection { .. } | Cargo::Question => Carrier::Tcp,
            Cargo::FirstDatagram | Cargo::Datagram | Cargo::Repetition => Carrier::Udp,
        };
        let current = Current {
            id,
            carrier,
            promised: cargo.packets(),
            resolving: true,
            open: false,
            left: None,
            asked: false,
            answered: false,
            closes: false,
            unanswered: false,
        };
        state.current = Some(current);
        Lease { visiting: Arc::clone(&self.0), host_hold: None }
    }

    /// Ask leave to send a question whose answer may take as long as `patience`; waits for the pace
    /// and for the device's rest.
    ///
    /// # Errors
    /// A [`Refusal`] that names the limit or decision.
    pub async fn admit(
        &self,
        frame: Arc<Frame>,
        patience: Duration,
    ) -> Result<Permit<Arc<Frame>>, Refusal> {
        let gate = &self.0.gate;
        gate.door.check()?;
        self.check_budget(self.next_question())?;
        self.check_transport_only()?;
        let size = u64::try_from(frame.bytes().len()).unwrap_or(u64::MAX);
        self.spent_if(size > u64::from(self.limits().request_bytes), "request_bytes")?;
        let rest = self.0.state().next_question;
        let needed = rest.saturating_duration_since(Instant::now()) + patience;
        let mute = self.is_mute();
        self.spent_if(!mute && self.time_left() < needed, "device_time_s")?; // or it is held for nothing
        let promised = match self.promised_datagram() {
            Some(promised) => promised,
            None => self.reserve_question(rest, patience, mute).await?,
        };
        let permit = Permit::new(frame, promised, Arc::clone(&self.0));
        self.check_budget(self.next_question())?; // things may have changed while we waited
        self.check_transport_only()?;
        self.spent_if(!mute && self.time_left() < patience, "device_time_s")?;
        let mut state = self.0.state();
        state.spending.requests += 1;
        state.conversation_requests += 1;
        state.spending.bytes_out += size;
        Ok(permit)
    }

    /// The packets of the first datagram of a conversation, which were promised with it.
    fn promised_datagram(&self) -> Option<usize> {
        let mut state = self.0.state();
        let current = state.current.as_mut().filter(|current| current.carrier == Carrier::Udp)?;
        Some(std::mem::take(&mut current.promised)).filter(|promised| *promised > 0)
    }

    /// Wait for the device's rest and for the pace; how many packets are promised.
    async fn reserve_question(
        &self,
        rest: Instant,
        patience: Duration,
        mute: bool,
    ) -> Result<usize, Refusal> {
        let gate = &self.0.gate;
        if !Saboteur::Pace.is_at_work() {
            gate.door.unless_shut(tokio::time::sleep_until(rest)).await?;
        }
        let cargo = match self.0.state().current {
            Some(Current { carrier: Carrier::Udp, resolving: true, .. }) => Cargo::Repetition,
            Some(Current { carrier: Carrier::Udp, .. }) => Cargo::Datagram,
            _ => Cargo::Question,
        };
        let reserve = gate.wire.reserve(self.0.device, cargo, self.limits());
        if mute {
            gate.door.unless_shut(reserve).await?;
        } else {
            let in_time = timeout(self.time_left().saturating_sub(patience), reserve);
            let reserved = gate.door.unless_shut(in_time).await?;
            self.spent_if(reserved.is_err(), "device_time_s")?;
        }
        Ok(cargo.packets())
    }

    fn next_question(&self) -> Next {
        match self.0.state().current {
            Some(Current { carrier: Carrier::Udp, .. }) => Next::Datagram,
            _ => Next::Question,
        }
    }

    /// Bytes arrived: journal, budget, acknowledgements.
    ///
    /// # Errors
    /// [`Refusal::Spent`] if the device sends more than the policy takes.
    pub fn received(&self, bytes: &[u8]) -> Result<(), Refusal> {
        self.0.journal(What::Received { bytes: HexBytes::from(bytes.to_vec()) })?;
        if Saboteur::Flood.is_at_work() {
            return Ok(());
        }
        let limits = self.limits();
        let now = Instant::now();
        let mut state = self.0.state();
        state.spending.bytes_in += bytes.len() as u64;
        let too_much = state.spending.bytes_in > u64::from(limits.device_bytes);
        if state.current.is_some_and(|current| current.carrier == Carrier::Udp) {
            drop(state);
            return self.received_datagram(too_much);
        }
        let owed = std::mem::take(&mut state.acknowledgement_owed);
        let together = state.rides_along.take().is_some_and(|until| now < until) && !owed;
        if !together {
            state.spending.packets += 1;
            state.rides_along = Some(now + DELAYED_ACKNOWLEDGEMENT);
        }
        drop(state);
        let overrun = if owed {
            self.0.gate.wire.stamp(self.0.device);
            false
        } else if together {
            false
        } else {
            let load = self.0.gate.wire.stamp_unpromised(self.0.device);
            // The next piece would be acknowledged whether we like it or not.
            load >= usize::try_from(limits.device_packets_per_s).unwrap_or(usize::MAX)
        };
        let kept = self
            .spent_if(too_much, "device_bytes")
            .and_then(|()| self.check_plan(1)) // one more piece may be on its way while we leave
            .and_then(|()| self.spent_if(overrun, "device_packets_per_s"));
        if let Err(why) = &kept {
            self.leave_alone(why.clone());
        }
        kept
    }

    /// The device has said this many bytes since its last question was answered.
    ///
    /// # Errors
    /// [`Refusal::Spent`] if that is more than the policy takes.
    pub fn heard_unasked(&self, bytes: usize) -> Result<(), Refusal> {
        let too_much = bytes > usize::try_from(self.limits().unasked_bytes).unwrap_or(usize::MAX);
        let kept = self.spent_if(too_much, "unasked_bytes");
        if let Err(why) = &kept {
            self.leave_alone(why.clone());
        }
        kept
    }

    /// Nobody acknowledges a datagram; the address is known from the first one on.
    fn received_datagram(&self, too_much: bool) -> Result<(), Refusal> {
        let first = {
            let mut state = self.0.state();
            state.current.as_mut().is_some_and(|c| std::mem::take(&mut c.resolving))
        };
        if first {
            self.0.gate.wire.resolved(self.0.device);
            self.0.remember_visit();
        }
        let kept = self.spent_if(too_much, "device_bytes");
        if let Err(why) = &kept {
            self.leave_alone(why.clone());
        }
        kept
    }

    /// Whether a question that went unanswered may be sent once more: it went as a datagram, which
    /// can get lost, and the device has never said anything in this visit.
    #[must_use]
    pub fn may_repeat(&self) -> bool {
        let state = self.0.state();
        let unheard = state.current.is_some_and(|c| c.carrier == Carrier::Udp && c.resolving);
        unheard && !state.answered
    }

    /// Whether anything at all has come back in the conversation by datagrams that is open.
    #[must_use]
    pub fn was_heard(&self) -> bool {
        let current = self.0.state().current;
        current.is_some_and(|current| current.carrier == Carrier::Udp && !current.resolving)
    }

    /// Whether the device sent more than the policy takes. Every moment that the connection lives on
    /// would cost more acknowledgements.
    #[must_use]
    pub fn was_flooded(&self) -> bool {
        let left_alone = &self.0.state().left_alone;
        matches!(left_alone, Some(Refusal::Spent { .. } | Refusal::PlanSpent { .. }))
    }

    /// An answer came; `transport` if it only grants or refuses what carries the protocol, which
    /// proves nothing about who is behind it.
    pub fn heard(&self, transport: bool) {
        let mut state = self.0.state();
        let connection = state.current.map(|current| current.id);
        state.said = match (state.said, connection) {
            (Said::Nothing | Said::Transport(_), Some(id)) if transport => Said::Transport(id),
            _ => Said::Something,
        };
    }

    /// A question was answered after `rtt`; `bus` if the answer came over a serial or routed bus.
    ///
    /// # Errors
    /// [`Refusal::Slowing`] if the device gets slower under our questions.
    pub fn answered(&self, rtt: Duration, bus: bool) -> Result<(), Refusal> {
        let limits = self.limits();
        let mut state = self.0.state();
        state.answered = true;
        if let Some(current) = state.current.as_mut() {
            current.answered = true;
        }
        state.next_question = Instant::now() + rest(rtt, bus, limits);
        let slowing = !bus && state.pulse.beat(rtt, limits);
        if slowing {
            state.left_alone = Some(Refusal::Slowing(self.0.device));
            return Err(Refusal::Slowing(self.0.device));
        }
        Ok(())
    }

    /// Nothing came back to `function` in time; `alive` if the device's kernel took the question.
    #[must_use]
    pub fn silent(&self, function: &'static str, alive: bool) -> Silence {
        self.0.settle_acknowledgement();
        let state = self.0.state();
        // Who does not answer a datagram may not even listen there. That is no sign of harm, as a
        // connection that does not come about is none.
        let unheard = state.current.is_some_and(|c| c.carrier == Carrier::Udp && !c.answered);
        if !state.answered || unheard {
            return Silence::NeverAnswered;
        }
        let (kind, protocol) = (state.kind.clone(), state.protocol);
        let granted =
            state.current.is_some_and(|current| state.said == Said::Transport(current.id));
        drop(state);
        let means = if granted && alive { Silence::TransportOnly } else { Silence::WentDark };
        self.quarantine(function, means);
        let gate = &self.0.gate;
        let address = self.0.device.address();
        if means == Silence::TransportOnly {
            gate.breaker.granted_transport_only(protocol, address);
        } else if gate.breaker.went_dark(address, kind.as_deref(), self.limits()) {
            gate.door.shut(StopReason::HarmSuspected);
        }
        means
    }

    /// Nothing came back to a call, which only those answer who are meant by it; `alive` if the
    /// device's kernel took it. Whoever had answered before is left alone: it may have died of the
    /// call, and then gets no further packet; but nobody can tell, so it is not quarantined.
    #[must_use]
    pub fn not_meant(&self, function: &'static str, alive: bool) -> Silence {
        let (answered, by_datagrams) = {
            let state = self.0.state();
            (state.answered, state.current.is_some_and(|c| c.carrier == Carrier::Udp))
        };
        if !alive && !by_datagrams {
            return self.silent(function, alive);
        }
        self.0.settle_acknowledgement();
        if answered {
            self.leave_alone(Refusal::NotMeant { device: self.0.device, function });
        }
        Silence::NotMeant
    }

    /// It broke off after it had answered: no further connection in this scan.
    pub fn broke_off(&self) {
        self.leave_alone(Refusal::LeftAlone(self.0.device));
    }

    /// It has no room or time now: no further question, and a cool-down that doubles each time.
    pub fn was_busy(&self) {
        let gate = &self.0.gate;
        let record = gate.recall(self.0.device).unwrap_or_default();
        let times = record.cooling.as_ref().map_or(0, |cooling| cooling.times);
        let seconds = i64::from(self.limits().busy_cool_down_s) << times.min(5);
        let until = gate.clock.now().checked_add(seconds.min(86_400).seconds());
        let until = until.unwrap_or(jiff::Timestamp::MAX);
        let cooling = Some(Cooling { until, times: times.saturating_add(1) });
        gate.remember(self.0.device, Record { cooling, ..record });
        self.leave_alone(Refusal::CoolingDown { device: self.0.device, until });
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
        self.0.gate.door.unless_shut(self.0.room_to_close()).await
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

    fn quarantine(&self, function: &'static str, means: Silence) {
        let gate = &self.0.gate;
        let since = gate.clock.now();
        let before = match means {
            Silence::TransportOnly => "though it had granted the transport",
            _ => "though it had answered before",
        };
        let why = format!("silent after {function} {before}");
        let record = gate.recall(self.0.device).unwrap_or_default();
        let quarantined = Some(Quarantine { since, why: why.clone() });
        gate.remember(self.0.device, Record { quarantined, ..record });
        // A journal that fails has shut the door already.
        let _ = self.0.journal(What::WentDark { function: function.to_owned() });
        self.leave_alone(Refusal::Quarantined { device: self.0.device, since, why });
    }

    /// Whether the connection is open and nothing was asked on it yet. Whoever has let us in gets its
    /// first question, or it was connected to for nothing; there was time for one when we connected.
    fn is_mute(&self) -> bool {
        self.0.state().current.is_some_and(|current| current.open && !current.asked)
    }

    fn check_budget(&self, next: Next) -> Result<(), Refusal> {
        let limits = self.limits();
        let begins = matches!(next, Next::Connection | Next::Datagrams);
        let mute = self.is_mute();
        let (spending, left_alone, asked) = {
            let state = self.0.state();
            (state.spending, state.left_alone.clone(), state.conversation_requests)
        };
        if let Some(why) = left_alone {
            return Err(why);
        }
        if begins || !mute {
            self.0.gate.breaker.check_subnet(self.0.device.address(), limits)?;
        }
        self.check_plan(match next {
            // A connection without room for a question would be opened only to be closed.
            Next::Connection => syns(limits.connect_timeout_ms) + 1 + CLOSING + QUESTION,
            Next::Question => QUESTION,
            Next::Datagrams | Next::Datagram => DATAGRAM,
        })?;
        let needed = match next {
            Next::Connection => longest_question(limits),
            Next::Datagrams => Duration::from_millis(limits.response_timeout_ms.into()),
            Next::Question | Next::Datagram => Duration::ZERO,
        };
        self.spent_if(!mute && self.time_left() <= needed, "device_time_s")?;
        if next == Next::Connection {
            let connections = spending.connections >= limits.connections_per_scan;
            self.spent_if(connections, "connections_per_scan")?;
            // A refused attempt takes no place in the device's table; each is at another port.
            self.spent_if(spending.attempts >= limits.ports_per_device, "ports_per_device")?;
        }
        let questions = !begins && asked >= limits.requests_per_conversation;
        self.spent_if(questions, "requests_per_conversation")
    }

    /// Whoever has granted no more than the transport is not asked what silenced others.
    fn check_transport_only(&self) -> Result<(), Refusal> {
        let (said, protocol) = {
            let state = self.0.state();
            (state.said, state.protocol)
        };
        match said {
            Said::Transport(_) => {
                let address = self.0.device.address();
                self.0.gate.breaker.check_protocol(protocol, address, self.limits())
            }
            Said::Nothing | Said::Something => Ok(()),
        }
    }

    /// `next` packets more, and those that close an open connection, must fit into the plan.
    fn check_plan(&self, next: usize) -> Result<(), Refusal> {
        let (device, planned) = (self.0.device, self.0.planned);
        let state = self.0.state();
        let connected = state.current.is_some_and(|current| current.carrier == Carrier::Tcp);
        let closing = if connected { CLOSING } else { 0 };
        let packets = state.spending.packets.saturating_add((next + closing) as u64);
        if packets > planned { Err(Refusal::PlanSpent { device, planned }) } else { Ok(()) }
    }

    fn spent_if(&self, spent: bool, limit: &'static str) -> Result<(), Refusal> {
        let allowed = self.limits().value(limit).unwrap_or_default();
        let device = self.0.device;
        if spent { Err(Refusal::Spent { device, limit, allowed }) } else { Ok(()) }
    }

    pub(crate) fn limits(&self) -> &Limits {
        self.0.gate.policy.limits()
    }
}

/// What is to leave next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Connection,
    Question,
    /// The first datagram.
    Datagrams,
    Datagram,
}

/// The only conversation with a device, from the permit to its last packet.
///
/// Dropping it without [`Lease::closed`] says that the socket was dropped in a hurry.
#[must_use = "the slot is free again as soon as this is dropped"]
pub struct Lease {
    visiting: Arc<Visiting>,
    /// Released after the socket and the lease are gone.
    host_hold: Option<HostHold>,
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
        if let Some(current) = self.visiting.state().current.as_mut() {
            current.unanswered = why.kind() == io::ErrorKind::TimedOut;
        }
        let answered = why.kind() == io::ErrorKind::ConnectionRefused;
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
        let unheard = |c: Current| c.carrier == Carrier::Udp && c.resolving;
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

impl Visiting {
    pub(super) fn journal(&self, what: What) -> Result<(), Refusal> {
        let entry = {
            let state = self.state();
            Entry {
                at: self.gate.clock.now(),
                zone: self.gate.zone.clone(),
                device: state.at,
                protocol: state.protocol.to_owned(),
                connection: state.current.map_or(0, |current| current.id),
                what,
            }
        };
        self.gate.record(&entry)
    }

    /// Wait until the packets that close the connection may leave, and promise them.
    pub(super) async fn room_to_close(&self) {
        self.gate.wire.room_to_close(self.device, self.gate.policy.limits()).await;
        if let Some(current) = self.state().current.as_mut() {
            current.closes = true;
        }
    }

    /// What was parked is closed next.
    pub(super) fn unpark(&self) {
        self.gate.wire.unparked(self.device);
    }

    fn begin_attempt(&self) {
        let mut state = self.state();
        state.started.get_or_insert_with(Instant::now);
        state.spending.attempts += 1;
        state.acknowledgement_owed = false;
    }

    /// A packet of ours leaves now.
    pub(super) fn stamp_sent(&self) {
        {
            let mut state = self.state();
            state.spending.packets += 1;
            state.acknowledgement_owed =
                state.current.is_some_and(|c| c.open && c.carrier == Carrier::Tcp);
            match state.current.as_mut() {
                Some(current) if current.open => current.asked = true,
                Some(current) => {
                    current.promised = current.promised.saturating_sub(1);
                    current.left = Some(Instant::now());
                }
                None => {}
            }
        }
        self.gate.wire.stamp(self.device);
    }

    /// A permit was dropped without being passed.
    pub(super) fn unsent(&self, promised: usize) {
        self.gate.wire.release(self.device, promised);
    }

    /// Nothing came back that our kernel would acknowledge.
    fn settle_acknowledgement(&self) {
        if std::mem::take(&mut self.state().acknowledgement_owed) {
            self.gate.wire.stamp(self.device);
        }
    }

    fn end(&self, how: Close) {
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
            wire.closed(self.device, current.closes);
            self.record_end(current.id, how);
        } else {
            wire.never_opened(self.device);
            wire.release(self.device, current.promised);
            if let Some(left) = current.left.filter(|_| current.unanswered) {
                wire.unanswered(self.device, left);
            }
        }
        if owed {
            wire.stamp(self.device);
        }
        if current.resolving {
            wire.resolved(self.device);
        }
        wire.disconnected(self.device);
    }

    fn record_end(&self, connection: u64, how: Close) {
        let (device, protocol) = {
            let state = self.state();
            (state.at, state.protocol.to_owned())
        };
        let (at, zone) = (self.gate.clock.now(), self.gate.zone.clone());
        let what = What::Closed { how };
        // A journal that fails has shut the door already.
        let _ = self.gate.record(&Entry { at, zone, device, protocol, connection, what });
    }

    fn remember_visit(&self) {
        if !self.device.address().is_loopback() {
            let record = self.gate.recall(self.device).unwrap_or_default();
            let visited = Some(self.gate.clock.now());
            self.gate.remember(self.device, Record { visited, ..record });
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The least that a system waits for a second piece to acknowledge with the first (RFC 1122,
/// 4.2.3.2: one acknowledgement for two segments; Linux waits no less than 40 ms).
const DELAYED_ACKNOWLEDGEMENT: Duration = Duration::from_millis(40);

/// How long a device rests before its next question (L6, L12).
fn rest(rtt: Duration, bus: bool, limits: &Limits) -> Duration {
    let gap = Duration::from_millis(limits.request_gap_ms.into());
    let by_rtt = rtt * limits.request_gap_rtts;
    let by_bus = match bus {
        true => rtt * (100 / limits.bus_duty_percent.max(1)).saturating_sub(1),
        false => Duration::ZERO,
    };
    gap.max(by_rtt).max(by_bus)
}

/// A connection and its first question may take this long, so without that much time left there
/// would be an empty connection.
fn longest_question(limits: &Limits) -> Duration {
    let answer = limits.response_timeout_ms.max(limits.gateway_response_timeout_ms);
    Duration::from_millis(u64::from(limits.connect_timeout_ms) + u64::from(answer))
}

/// How many SYNs the kernel sends within `timeout` milliseconds: one at once, then one a second.
fn syns(timeout_ms: u32) -> usize {
    usize::try_from(timeout_ms.div_ceil(1000).max(1)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_below_a_second_is_one_syn() {
        assert_eq!([900, 1000, 3000, 5000].map(syns), [1, 1, 3, 5]);
    }

    #[test]
    fn a_bus_rests_nineteen_times_as_long_as_it_worked() {
        let limits = Limits::default();
        let ms = Duration::from_millis;
        assert_eq!(rest(ms(10), false, &limits), ms(250));
        assert_eq!(rest(ms(100), false, &limits), ms(400));
        assert_eq!(rest(ms(100), true, &limits), ms(1900));
    }
}
