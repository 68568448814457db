//! What may leave: a connection, a datagram, a question.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::state::Current;
use super::{Lease, Visit};
use crate::frame::Frame;
use crate::gate::cargo::{CLOSING, Cargo, DATAGRAM, QUESTION};
use crate::gate::permit::{Connection, Peer, Permit};
use crate::gate::policy::Limits;
use crate::gate::refusal::Refusal;
use crate::gate::sabotage::Saboteur;
use crate::gate::silence::Said;
use crate::model::Transport as Carrier;

impl Visit {
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
        self.0.begin_attempt(to);
        self.0.state().spending.attempts += 1;
        Ok((permit, lease))
    }

    /// The next conversation begins with a question that is passed on to a bus: wait until that may be
    /// asked, or the connection would be held for nothing; not if there is no time for it at all.
    ///
    /// # Errors
    /// [`Refusal::Stopped`].
    pub async fn rest_before_bus(&self) -> Result<(), Refusal> {
        let rested = {
            let mut state = self.0.state();
            state.next_question = state.next_question.max(state.next_on_bus);
            state.next_question
        };
        match rested.saturating_duration_since(Instant::now()) < self.time_left() {
            true => self.unless_stopped(tokio::time::sleep_until(rested)).await,
            false => Ok(()),
        }
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
        self.0.begin_attempt(to);
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
        self.hold().await?;
        if next == Next::Datagrams && !Saboteur::Pace.is_at_work() {
            let rest = self.0.state().next_question;
            gate.door.unless_shut(tokio::time::sleep_until(rest)).await?;
        }
        loop {
            self.hold().await?;
            let reserve = pin!(gate.wire.reserve(self.0.device, cargo, limits, &gate.line));
            gate.door.unless_shut(reserve).await?;
            let lease = self.lease(to, protocol, cargo);
            self.may_begin(to, protocol, next)?; // things may have changed while we waited
            if gate.door.is_paused() {
                continue; // dropping the lease gives everything back
            }
            return Ok(lease);
        }
    }

    /// Keep other processes of this host away from the device until the visit is over. While the scan
    /// is paused they may come.
    async fn hold(&self) -> Result<(), Refusal> {
        let gate = &self.0.gate;
        loop {
            if gate.door.is_paused() {
                drop(self.0.state().host_hold.take());
                let paused = Instant::now();
                gate.door.unpaused().await?;
                if let Some(started) = &mut self.0.state().started {
                    *started += paused.elapsed(); // nobody keeps the device busy meanwhile
                }
            }
            gate.door.check()?;
            if self.0.state().host_hold.is_some() {
                return Ok(());
            }
            let holding = pin!(gate.wire.hold(self.0.device, self.limits()));
            let hold = gate.door.unless_shut(holding).await?;
            let hold = hold.map_err(|error| self.not_held(&error))?;
            let Some(hold) = hold else { return Ok(()) };
            self.0.state().host_hold = Some(hold);
        }
    }

    /// Whoever waited in vain does not wait again in the next conversation.
    fn not_held(&self, error: &io::Error) -> Refusal {
        if error.kind() != io::ErrorKind::WouldBlock {
            return Refusal::HostLock(error.to_string());
        }
        let (device, waited_s) = (self.0.device, self.limits().other_process_s);
        let why = Refusal::WithAnother { device, waited_s };
        self.leave_alone(why.clone());
        why
    }

    fn may_begin(&self, to: SocketAddr, protocol: &'static str, next: Next) -> Result<(), Refusal> {
        self.0.gate.check_endpoint(to)?;
        self.0.gate.breaker.check_protocol(protocol, to.ip(), self.limits())?;
        self.check_doubt(true)?;
        self.check_ports(to)?;
        self.check_budget(next)
    }

    /// By whatever transport a port is spoken to, it is one.
    fn check_ports(&self, to: SocketAddr) -> Result<(), Refusal> {
        let (new, count) = {
            let ports = &self.0.state().ports;
            (!ports.contains(&to.port()), ports.len())
        };
        let allowed = usize::try_from(self.limits().ports_per_device).unwrap_or(usize::MAX);
        self.spent_if(new && count >= allowed, "ports_per_device")
    }

    /// What is reserved for a conversation, until it is dropped.
    pub(super) fn lease(&self, to: SocketAddr, protocol: &'static str, cargo: Cargo) -> Lease {
        let id = self.0.gate.next_connection();
        let mut state = self.0.state();
        state.continues &= state.protocol == protocol && state.at == to;
        state.at = to;
        state.protocol = protocol;
        let carrier = match cargo {
            Cargo::Connection { .. } | Cargo::Question | Cargo::LongQuestion => Carrier::Tcp,
            Cargo::FirstDatagram | Cargo::Call | Cargo::Datagram | Cargo::Repetition => {
                Carrier::Udp
            }
        };
        let current = Current {
            id,
            carrier,
            promised: cargo.packets(),
            resolving: true,
            open: false,
            repeated: 0,
            asked: false,
            answered: false,
            closes: false,
            refused: false,
        };
        state.current = Some(current);
        Lease { visiting: Arc::clone(&self.0) }
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
        self.check_doubt(frame.is_passed_on())?;
        self.check_budget(self.next_question())?;
        self.check_transport_only()?;
        let size = u64::try_from(frame.bytes().len()).unwrap_or(u64::MAX);
        self.spent_if(size > u64::from(self.limits().request_bytes), "request_bytes")?;
        let rest = self.rest_before(&frame);
        let needed = rest.saturating_duration_since(Instant::now()) + patience;
        let mute = self.is_mute();
        self.spent_if(!mute && self.time_left() < needed, "device_time_s")?; // or it is held for nothing
        let promised = match self.promised_datagram() {
            Some(promised) => promised,
            None => {
                let cargo = self.cargo(&frame);
                self.reserve_question(cargo, rest, patience).await?;
                self.0.state().spare = cargo.spare();
                cargo.packets()
            }
        };
        let permit = Permit::new(frame, promised, Arc::clone(&self.0));
        self.check_budget(self.next_question())?; // things may have changed while we waited
        self.check_transport_only()?;
        self.spent_if(!mute && self.time_left() < patience, "device_time_s")?;
        Ok(permit)
    }

    fn rest_before(&self, frame: &Frame) -> Instant {
        let state = self.0.state();
        match frame.is_passed_on() {
            true => state.next_question.max(state.next_on_bus),
            false => state.next_question,
        }
    }

    /// The packets of the first datagram of a conversation, which were promised with it.
    pub(super) fn promised_datagram(&self) -> Option<usize> {
        let mut state = self.0.state();
        let current = state.current.as_mut().filter(|current| current.carrier == Carrier::Udp)?;
        Some(std::mem::take(&mut current.promised)).filter(|promised| *promised > 0)
    }

    /// What a question is for the pace. Where the policy has no room for many packets at once, the
    /// pieces of an answer are not provided for.
    fn cargo(&self, frame: &Frame) -> Cargo {
        let limits = self.limits();
        let room = limits.device_packets_per_s.min(limits.subnet_packets_per_s);
        let roomy = room.min(limits.process_packets_per_s) >= ROOMY;
        match self.0.state().current {
            Some(Current { carrier: Carrier::Udp, resolving: true, .. }) => Cargo::Repetition,
            Some(Current { carrier: Carrier::Udp, .. }) => Cargo::Datagram,
            _ if roomy && frame.is_answered_in_pieces() => Cargo::LongQuestion,
            _ => Cargo::Question,
        }
    }

    /// Wait for the device's rest and for the pace.
    async fn reserve_question(
        &self,
        cargo: Cargo,
        rest: Instant,
        patience: Duration,
    ) -> Result<(), Refusal> {
        let (gate, mute) = (&self.0.gate, self.is_mute());
        if !Saboteur::Pace.is_at_work() {
            gate.door.unless_shut(tokio::time::sleep_until(rest)).await?;
        }
        let reserve = pin!(gate.wire.reserve(self.0.device, cargo, self.limits(), &gate.line));
        if mute {
            gate.door.unless_shut(reserve).await?;
        } else {
            let in_time = timeout(self.time_left().saturating_sub(patience), reserve);
            let reserved = gate.door.unless_shut(in_time).await?;
            self.spent_if(reserved.is_err(), "device_time_s")?;
        }
        Ok(())
    }

    fn next_question(&self) -> Next {
        match self.0.state().current {
            Some(Current { carrier: Carrier::Udp, .. }) => Next::Datagram,
            _ => Next::Question,
        }
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
        let (spending, left_alone, asked, rest) = {
            let state = self.0.state();
            let asked = state.conversation_requests;
            (state.spending, state.left_alone.clone(), asked, state.next_question)
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
        // A connection would be held open for as long as the device rests after its last answer.
        let rest =
            if begins { rest.saturating_duration_since(Instant::now()) } else { Duration::ZERO };
        self.spent_if(!mute && self.time_left() <= needed + rest, "device_time_s")?;
        if next == Next::Connection {
            let connections = spending.connections >= limits.connections_per_scan;
            self.spent_if(connections, "connections_per_scan")?;
            // A refused attempt takes no place in the device's table. There are no more than ports may be.
            self.spent_if(spending.attempts >= limits.ports_per_device, "ports_per_device")?;
        }
        let questions = !begins && asked >= limits.requests_per_conversation;
        self.spent_if(questions, "requests_per_conversation")
    }

    /// Whoever may have died of a call that it was to hand on is asked for itself first.
    fn check_doubt(&self, something_else: bool) -> Result<(), Refusal> {
        let in_doubt = self.0.state().in_doubt.clone();
        in_doubt.filter(|_| something_else).map_or(Ok(()), Err)
    }

    /// Whoever has granted no more than the transport is not asked what silenced others. The first
    /// question of a connection is the transport itself, which nobody died of.
    fn check_transport_only(&self) -> Result<(), Refusal> {
        if self.is_mute() {
            return Ok(());
        }
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
    pub(super) fn check_plan(&self, next: usize) -> Result<(), Refusal> {
        let (device, planned) = (self.0.device, self.0.planned);
        let state = self.0.state();
        let connected = state.current.is_some_and(|current| current.carrier == Carrier::Tcp);
        let closing = if connected { CLOSING } else { 0 };
        let packets = state.spending.packets.saturating_add((next + closing) as u64);
        if packets > planned { Err(Refusal::PlanSpent { device, planned }) } else { Ok(()) }
    }

    pub(super) fn spent_if(&self, spent: bool, limit: &'static str) -> Result<(), Refusal> {
        if !spent {
            return Ok(());
        }
        let allowed = self.limits().value(limit).unwrap_or_default();
        Err(Refusal::Spent { device: self.0.device, limit, allowed })
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

/// A connection and its first question may take this long, so without that much time left there
/// would be an empty connection.
fn longest_question(limits: &Limits) -> Duration {
    let answer = limits.response_timeout_ms.max(limits.gateway_response_timeout_ms);
    Duration::from_millis(u64::from(limits.connect_timeout_ms) + u64::from(answer))
}

/// Packets in a second among which there is room for those of a long answer: as many again may be
/// about to end connections.
const ROOMY: u32 = 8;

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
}
