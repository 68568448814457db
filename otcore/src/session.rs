//! A conversation with one device in one protocol.

mod ask;
mod crowd;
mod host;
mod in_time;
mod transport;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use ask::GivenUp;
pub use crowd::{Crowd, Heard};
pub use host::Host;
pub use transport::{Dialer, LinkError, Manners, Transport};

use crate::frame::Frame;
use crate::gate::journal::Close;
use crate::gate::sabotage::Saboteur;
use crate::gate::{Lease, Permit, Refusal, Silence, Visit};
use crate::model::{Exchange, HexBytes, Source, Transport as Carrier, Zone};
use crate::protocol::{Protocol, Request};
use crate::wire::{WireError, is_one_answer};

/// Why a question got no usable answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// The device said no in its own protocol, so it does speak it.
    #[error("device refused with code {code:#04x}")]
    Refused {
        /// The protocol's own code.
        code: u32,
        /// It has no room or time now.
        busy: bool,
    },
    /// What came back is not an answer.
    #[error("malformed answer: {0}")]
    Malformed(#[from] WireError),
    /// Nothing came back in time.
    #[error("no answer within {waited:?}{}", means.in_words())]
    Silent {
        /// How long we waited.
        waited: Duration,
        /// What that means.
        means: Silence,
    },
    /// No connection.
    #[error("no connection: {}", Plainly(.0))]
    NotConnected(io::Error),
    /// No connection within the time of the policy.
    #[error("no connection within {0:?}")]
    ConnectTimeout(Duration),
    /// The device hung up in the middle.
    #[error("the device closed the connection: {}", Plainly(.0))]
    HungUp(io::Error),
    /// The gate did not let the question out.
    #[error(transparent)]
    Gate(#[from] Refusal),
}

/// What was learned: raw exchanges, kept also when a later question fails.
#[derive(Debug, Default)]
pub struct Findings {
    /// Questions and answers in the order they happened.
    pub exchanges: Vec<Exchange>,
}

/// Asks questions. There is no method that takes bytes.
pub struct Session<'a, P> {
    transport: Box<dyn Transport>, // dropped before the lease that holds its slot
    lease: Lease,
    carrier: Carrier,
    visit: &'a Visit,
    endpoint: SocketAddr,
    zone: &'a Zone,
    source: &'a Source,
    buf: Vec<u8>,
    /// How much of that had come before the last question left.
    old: usize,
    /// When the last question left.
    asked: Option<Instant>,
    tag: u16,
    alive: bool,
    given_up: GivenUp,
    /// A question has left, and nothing has come since.
    is_waiting: bool,
    protocol: P,
}

impl<P: fmt::Debug> fmt::Debug for Session<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("protocol", &self.protocol).finish_non_exhaustive()
    }
}

impl<P: Protocol> Session<'_, P> {
    /// Speak to another unit, slot or network on the same connection from now on.
    pub fn turn_to(&mut self, protocol: P) {
        self.protocol = protocol;
        self.visit.next_unit();
    }

    /// Go on with the same device, in another state of its protocol: within a session, say.
    pub fn go_on_as(&mut self, protocol: P) {
        self.protocol = protocol;
    }

    /// Speak to another unit after silence: what was asked before may have been on a serial line for
    /// a while, so that line rests first.
    pub fn turn_from_silence(&mut self, protocol: P) {
        self.turn_to(protocol);
        self.visit.rest_after_search();
    }

    /// Speak to a slot of a backplane from now on; asked no sooner than the policy lets.
    pub fn turn_to_slot(&mut self, protocol: P) {
        self.turn_to(protocol);
        self.visit.rest_before_slot();
    }

    /// How many more questions this conversation may hold.
    #[must_use]
    pub fn questions_left(&self) -> u32 {
        self.visit.questions_left()
    }

    /// Whether anything at all has come back by datagrams, an answer or not: somebody listens there.
    #[must_use]
    pub fn was_heard(&self) -> bool {
        self.visit.was_heard()
    }

    /// Whether what the device sends to the standard port of this host is heard too. Not if the
    /// conversation did not ask for that, or if other software of this host has that port.
    #[must_use]
    pub fn hears_reply_port(&self) -> bool {
        self.transport.hears_reply_port()
    }

    /// Whether the device's kernel acknowledged everything we sent, as far as can be told: a
    /// device that is alive but does not know the unit, rather than one that died of the question.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.alive
    }

    /// Whether a question has left and nothing has come since: no more may leave before it does.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.is_waiting
    }

    /// Send what nobody answers: the end of a session inside the connection.
    ///
    /// # Errors
    /// [`ProbeError`] if it did not leave.
    pub async fn tell<R: Request<P>>(&mut self, request: &R) -> Result<(), ProbeError> {
        self.tag = self.tag.wrapping_add(1);
        let frame = Frame::of(&self.protocol, self.tag, request).map_err(Refusal::from)?;
        let permit = self.visit.admit(Arc::new(frame), Duration::ZERO).await?;
        self.send(permit).await
    }

    /// Say goodbye, unless the device went dark: then not even that. A device that floods us is left
    /// to the system at once.
    ///
    /// What that takes has a place of its own for as long as it lasts, like a question.
    pub fn close(self) -> Pin<Box<impl Future<Output = ()>>> {
        Box::pin(self.say_goodbye())
    }

    async fn say_goodbye(mut self) {
        if self.carrier == Carrier::Udp {
            return self.release().await;
        }
        if self.visit.went_silent() {
            self.visit.park(Box::new((self.transport, self.lease)));
            return;
        }
        if self.visit.was_flooded() {
            return self.leave();
        }
        let manners = self.manners();
        let visit = self.visit;
        let mut leave = pin!(visit.may_close());
        match self.while_listening(leave.as_mut()).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return,
            Err(_) if visit.was_flooded() => return self.leave(),
            Err(ProbeError::HungUp(why)) if why.kind() != io::ErrorKind::UnexpectedEof => {} // it is gone
            // It hung up first, or says what it should not: the goodbye waits for its turn all the same.
            Err(_) => match leave.await {
                Ok(()) => {}
                Err(_) => return,
            },
        }
        if let Ok(how) = visit.unless_stopped(self.transport.close(manners)).await {
            self.lease.closed(how);
        }
    }

    /// Nobody is connected, so there is no goodbye; but a late answer must find somebody, or our
    /// system would say that nobody is here.
    async fn release(mut self) {
        let how = self.transport.close(self.manners()).await;
        self.visit.keep(Box::new(self.transport));
        self.lease.closed(how);
    }

    fn manners(&self) -> Manners {
        let limits = self.visit.limits();
        Manners {
            drain: Duration::from_millis(limits.drain_ms.into()),
            drain_bytes: usize::try_from(limits.drain_bytes).unwrap_or(usize::MAX),
            wait: Duration::from_millis(limits.close_wait_ms.into()),
        }
    }

    /// Break off: every moment that the connection lives on costs more acknowledgements.
    fn leave(self) {
        drop(self.transport);
        self.lease.closed(Close::Hurried);
    }

    /// Wait for `leave` of the gate, and hear what the device says meanwhile. Its kernel's packets
    /// are answered by ours whether anybody listens or not, so a flood has to be noticed here. Before
    /// the first question nothing is awaited: a connection always carries one.
    async fn while_listening<T>(
        &mut self,
        leave: impl Future<Output = T>,
    ) -> Result<T, ProbeError> {
        let mut leave = pin!(leave);
        let before = self.buf.len();
        loop {
            tokio::select! {
                biased;
                granted = &mut leave => return Ok(granted),
                heard = self.receive(), if self.asked.is_some() => heard?,
            }
            self.visit.heard_unasked(self.buf.len() - before)?;
            self.check_overdue()?;
        }
    }

    async fn send(&mut self, permit: Permit<Arc<Frame>>) -> Result<(), ProbeError> {
        self.asked = Some(Instant::now());
        match self.transport.send(permit).await {
            Ok(()) => Ok(()),
            Err(LinkError::Gate(refusal)) => Err(refusal.into()),
            Err(LinkError::Io { written, source }) => {
                self.lease.not_sent(written, &source)?;
                if self.carrier == Carrier::Udp {
                    return Err(self.undeliverable(source)?);
                }
                Err(self.hung_up(source))
            }
        }
    }

    /// The message that answers `asked`; late answers to earlier questions are skipped.
    async fn message(&mut self, asked: &Frame) -> Result<Vec<u8>, ProbeError> {
        let mut late = 0;
        loop {
            if Saboteur::Flood.is_at_work() {
                self.receive().await?;
                continue;
            }
            let Some(len) = P::split(&self.buf)? else {
                self.check_datagram()?;
                self.receive().await?;
                continue;
            };
            let message = self.buf.get(..len).unwrap_or_default();
            if P::answer(asked.bytes(), message)?.is_some() && self.old == 0 {
                is_one_answer(&self.buf, len, P::BEGINNING)?;
                let message = message.to_vec();
                self.buf.clear(); // whatever else arrived answers nothing that was asked
                return Ok(message);
            }
            self.check_late(len, self.given_up.is_in_pieces)?;
            match self.carrier {
                Carrier::Tcp => drop(self.buf.drain(..len)),
                Carrier::Udp => self.buf.clear(),
            }
            self.old = self.old.saturating_sub(len);
            late += 1;
            if late > self.visit.limits().late_answers {
                return Err(WireError::Invalid { field: "late answers", value: late.into() }.into());
            }
        }
    }

    /// A datagram is a whole message, or none at all.
    fn check_datagram(&self) -> Result<(), WireError> {
        match self.carrier == Carrier::Udp && !self.buf.is_empty() {
            true => Err(WireError::Short { field: "datagram" }),
            false => Ok(()),
        }
    }

    async fn receive(&mut self) -> Result<(), ProbeError> {
        let before = self.buf.len();
        self.given_up.is_in_pieces = before > 0;
        match self.transport.recv(&mut self.buf).await {
            Ok(0) => Err(self.hung_up(io::Error::from(io::ErrorKind::UnexpectedEof))),
            Ok(_) => {
                self.is_waiting = false;
                Ok(self.visit.received(self.buf.get(before..).unwrap_or_default())?)
            }
            Err(error) if self.carrier == Carrier::Udp => Err(self.undeliverable(error)?),
            Err(error) if is_given_up(error.kind()) => {
                // Not even an acknowledgement came back.
                self.alive = false;
                let waited = self.kernel_patience();
                let means = self.visit.silent("unacknowledged question", self.alive);
                Err(ProbeError::Silent { waited, means })
            }
            Err(error) => Err(self.hung_up(error)),
        }
    }

    /// Somebody on the way, or the device itself, says that the datagram has not got there: that
    /// nobody listens there, most often. That is an answer, and no harm.
    fn undeliverable(&mut self, error: io::Error) -> Result<ProbeError, ProbeError> {
        let waited = self.asked.map(|asked| asked.elapsed()).unwrap_or_default();
        self.lease.not_connected(&error, waited)?;
        Ok(ProbeError::NotConnected(error))
    }

    /// Whoever hangs up after an answer, or in the middle of the first, is not called again.
    fn hung_up(&self, error: io::Error) -> ProbeError {
        if self.visit.has_answered() || !self.buf.is_empty() {
            self.visit.broke_off();
        }
        ProbeError::HungUp(error)
    }

    /// How long the kernel waits for an acknowledgement.
    fn kernel_patience(&self) -> Duration {
        Duration::from_millis(self.visit.limits().connect_timeout_ms.into())
    }

    /// How long the answer may take, with so many repetitions to come.
    fn patience(&self, repetitions: u32) -> Duration {
        let limits = self.visit.limits();
        let patience = match self.protocol.is_on_a_bus() {
            true => limits.gateway_response_timeout_ms,
            false => limits.response_timeout_ms,
        };
        let patience = match repetitions {
            0 => patience,
            _ => patience.max(limits.udp_retry_gap_ms),
        };
        Duration::from_millis(patience.into())
    }

    fn exchange(
        &self,
        asked: &Frame,
        answer: Vec<u8>,
        at: jiff::Timestamp,
        rtt: Duration,
    ) -> Exchange {
        Exchange {
            zone: self.zone.clone(),
            source: self.source.clone(),
            address: self.endpoint.ip().to_canonical(),
            port: self.endpoint.port(),
            transport: self.carrier,
            protocol: P::NAME.to_owned(),
            function: asked.facts().name.to_owned(),
            request: HexBytes::from(asked.bytes().to_vec()),
            response: HexBytes::from(answer),
            at,
            rtt_micros: u64::try_from(rtt.as_micros()).unwrap_or(u64::MAX),
        }
    }
}

/// The same words on every system for what happens often, and the words of the system for the rest.
struct Plainly<'a>(&'a io::Error);

impl fmt::Display for Plainly<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.kind() {
            kind @ (io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::TimedOut) => kind.fmt(f),
            _ => self.0.fmt(f),
        }
    }
}

/// Whether the kernel gave up on a connection that stood, rather than that the device ended it. Where
/// somebody on the way had said why no packet gets there, the kernel says that in place of the time it
/// waited.
fn is_given_up(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::TimedOut
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::ConnectionRefused
    )
}
