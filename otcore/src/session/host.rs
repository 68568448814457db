//! The device that a probe may talk to.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::ask::GivenUp;
use super::in_time::in_time;
use super::{Dialer, LinkError, ProbeError, Session, Transport};
use crate::gate::policy::{Decision, Limits, Subject};
use crate::gate::{Lease, Refusal, Visit};
use crate::model::{Source, Transport as Carrier, Zone};
use crate::protocol::Protocol;
use crate::safety::Level;
use crate::targets::Options;

/// The one device a probe may talk to, and what it may ask it.
#[derive(Debug)]
pub struct Host<'a> {
    pub(crate) visit: &'a Visit,
    pub(crate) dialer: &'a dyn Dialer,
    pub(crate) endpoint: SocketAddr,
    pub(crate) zone: &'a Zone,
    pub(crate) source: &'a Source,
    /// Units that the target itself names.
    pub(crate) named_units: &'a [u8],
    /// Everything else that the target says.
    pub(crate) options: &'a Options,
    pub(crate) decision: Arc<Decision>,
    /// What holds for whoever has not said yet who it is.
    pub(crate) for_strangers: Arc<Decision>,
    pub(crate) first_tag: u16,
}

impl std::fmt::Debug for dyn Dialer + '_ {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Dialer")
    }
}

impl<'a> Host<'a> {
    /// How deep the policy lets this conversation go.
    #[must_use]
    pub fn level(&self) -> Level {
        self.decision.level
    }

    /// Whether the policy opts in to `consent`, such as `umas`.
    #[must_use]
    pub fn consents_to(&self, consent: &str) -> bool {
        self.decision.consents.contains(consent)
    }

    /// Units that the target itself names, in order.
    #[must_use]
    pub fn named_units(&self) -> &[u8] {
        self.named_units
    }

    /// What the target says of an option of its protocol, such as a slot.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<u32> {
        self.options.value(name)
    }

    /// Units that the policy expects behind this address, in order.
    #[must_use]
    pub fn expected_units(&self) -> &[u8] {
        &self.decision.units
    }

    /// Link addresses of the outstations to ask, in order: those of the target, else of the policy.
    #[must_use]
    pub fn outstations(&self) -> &[u16] {
        &self.decision.outstations
    }

    /// The link address of the master to ask from, if the target or the policy names it.
    #[must_use]
    pub fn master(&self) -> Option<u16> {
        self.decision.master
    }

    /// The numbers of the policy.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        self.visit.limits()
    }

    /// How much of the time for this device is left.
    #[must_use]
    pub fn time_left(&self) -> Duration {
        self.visit.time_left()
    }

    /// How many more questions this conversation may hold, whatever carries them.
    #[must_use]
    pub fn questions_left(&self) -> u32 {
        self.visit.questions_left()
    }

    /// The device says who it is: the policy may now know a better rule for it.
    ///
    /// # Errors
    /// [`Refusal`] if nothing more may be asked of this kind of device.
    pub fn learn<P: Protocol>(&mut self, vendor: &str, model: &str) -> Result<(), ProbeError> {
        self.visit.is_a(vendor, model)?;
        let gate = self.visit.gate();
        self.decision = Arc::new(gate.policy().decide(&Subject {
            zone: self.zone.as_str(),
            address: self.endpoint.ip(),
            protocol: P::NAME,
            port: self.endpoint.port(),
            vendor: Some(vendor),
            model: Some(model),
        }));
        match self.decision.permitted {
            true => Ok(()),
            false => Err(Refusal::SkippedByRule(format!("{vendor} {model}")).into()),
        }
    }

    /// Another unit is asked from now on: what a rule allowed the last one is not its own.
    pub fn meet_stranger(&mut self) {
        self.decision = Arc::clone(&self.for_strangers);
    }

    /// Start a conversation.
    ///
    /// # Errors
    /// If the gate refuses or no connection comes about.
    pub async fn open<P: Protocol>(&self, protocol: P) -> Result<Session<'a, P>, ProbeError> {
        self.rest_before(&protocol).await?;
        let (permit, lease) = self.visit.connect(self.endpoint, P::NAME).await?;
        let patience = Duration::from_millis(self.limits().connect_timeout_ms.into());
        let started = Instant::now();
        let dialing = in_time(patience, self.dialer.dial(permit));
        let transport = match self.visit.unless_stopped(dialing).await? {
            Ok(Ok(transport)) => transport,
            Ok(Err(LinkError::Gate(refusal))) => return Err(refusal.into()),
            Ok(Err(LinkError::Io { source, .. })) => {
                lease.not_connected(&source, started.elapsed())?;
                return Err(ProbeError::NotConnected(source));
            }
            Err(_) => {
                let why = io::Error::from(io::ErrorKind::TimedOut);
                lease.not_connected(&why, started.elapsed())?;
                return Err(ProbeError::ConnectTimeout(patience));
            }
        };
        lease.connected(transport.local())?;
        Ok(self.session(protocol, Carrier::Tcp, transport, lease))
    }

    /// Start a conversation by datagrams: each question is one, and so is each answer. Nobody is
    /// connected to, so this comes about whether anybody is there or not.
    ///
    /// # Errors
    /// If the gate refuses or the system has no socket.
    pub async fn open_datagrams<P: Protocol>(
        &self,
        protocol: P,
    ) -> Result<Session<'a, P>, ProbeError> {
        self.open_peer(protocol, None).await
    }

    /// The same, and what this device sends to `reply_port` of this host is heard as well: some
    /// devices answer there whatever port they were asked from, or with a broadcast. If other
    /// software of this host has that port, the conversation goes on without it;
    /// [`Session::hears_reply_port`] tells.
    ///
    /// # Errors
    /// If the gate refuses or the system has no socket.
    pub async fn open_datagrams_hearing<P: Protocol>(
        &self,
        protocol: P,
        reply_port: u16,
    ) -> Result<Session<'a, P>, ProbeError> {
        self.open_peer(protocol, Some(reply_port)).await
    }

    async fn open_peer<P: Protocol>(
        &self,
        protocol: P,
        reply_port: Option<u16>,
    ) -> Result<Session<'a, P>, ProbeError> {
        self.rest_before(&protocol).await?;
        let (permit, lease) = self.visit.address(self.endpoint, reply_port, P::NAME).await?;
        let transport = match self.dialer.address(permit).await {
            Ok(transport) => transport,
            Err(LinkError::Gate(refusal)) => return Err(refusal.into()),
            Err(LinkError::Io { source, .. }) => return Err(ProbeError::NotConnected(source)),
        };
        lease.bound(transport.local())?;
        Ok(self.session(protocol, Carrier::Udp, transport, lease))
    }

    /// Who is asked for somebody on a bus rests for that before the conversation, not in it.
    async fn rest_before<P: Protocol>(&self, protocol: &P) -> Result<(), Refusal> {
        match protocol.is_on_a_bus() {
            true => self.visit.rest_before_bus().await,
            false => Ok(()),
        }
    }

    fn session<P: Protocol>(
        &self,
        protocol: P,
        carrier: Carrier,
        transport: Box<dyn Transport>,
        lease: Lease,
    ) -> Session<'a, P> {
        Session {
            transport,
            lease,
            carrier,
            visit: self.visit,
            endpoint: self.endpoint,
            zone: self.zone,
            source: self.source,
            buf: Vec::new(),
            old: 0,
            asked: None,
            tag: self.first_tag,
            alive: true,
            given_up: GivenUp::default(),
            is_waiting: false,
            protocol,
        }
    }
}
