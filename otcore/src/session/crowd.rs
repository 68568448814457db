//! Everybody in one network, who can be called at once if the policy opted in.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ipnet::Ipv4Net;
use tokio::time::Instant;

use super::{Dialer, Findings, LinkError, ProbeError};
use crate::frame::Frame;
use crate::gate::policy::Limits;
use crate::gate::{Call, Calling, Gate, Permit, Refusal, Spending};
use crate::model::{Exchange, HexBytes, Source, Transport as Carrier, Zone};
use crate::protocol::{Answer, Protocol, Request};
use crate::wire::Reader;

/// The network that a probe may call, and what that has cost.
#[derive(Debug)]
pub struct Crowd<'a> {
    pub(crate) gate: &'a Gate,
    pub(crate) dialer: &'a dyn Dialer,
    pub(crate) network: Ipv4Net,
    pub(crate) port: u16,
    pub(crate) zone: &'a Zone,
    pub(crate) source: &'a Source,
    pub(crate) tag: u16,
    pub(crate) spent: Vec<Spending>,
}

/// One answer to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard<R> {
    /// Who said it.
    pub from: SocketAddr,
    /// What.
    pub reply: R,
}

impl Crowd<'_> {
    /// The numbers of the policy.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.gate.policy().limits
    }

    /// How many calls this scan may still make.
    #[must_use]
    pub fn calls_left(&self) -> u32 {
        self.gate.calls_left()
    }

    /// Call everybody with one datagram, and take what comes back within
    /// `limits.response_timeout_ms`, at most `limits.answers_per_call` datagrams. Whoever lives
    /// elsewhere, and what is no answer, is not heard.
    ///
    /// # Errors
    /// If the gate refuses or the system has no socket. That nobody answers is none.
    pub async fn call<P: Protocol, R: Request<P>>(
        &mut self,
        protocol: &P,
        request: &R,
        found: &mut Findings,
    ) -> Result<Vec<Heard<R::Reply>>, ProbeError> {
        self.tag = self.tag.wrapping_add(1);
        let frame = Arc::new(Frame::of(protocol, self.tag, request).map_err(Refusal::from)?);
        let asking = self.gate.call(self.network, self.port, P::NAME, Arc::clone(&frame));
        let (permit, calling) = asking.await?;
        let heard = self.hear(&frame, request, permit, &calling, found).await;
        self.spent.push(calling.over()); // however it went
        heard
    }

    async fn hear<P: Protocol, R: Request<P>>(
        &self,
        frame: &Frame,
        request: &R,
        permit: Permit<Call>,
        calling: &Calling,
        found: &mut Findings,
    ) -> Result<Vec<Heard<R::Reply>>, ProbeError> {
        let (at, sent) = (self.gate.now(), Instant::now());
        let patience = Duration::from_millis(self.limits().response_timeout_ms.into());
        let most = usize::try_from(self.limits().answers_per_call).unwrap_or(usize::MAX);
        let dialing = self.dialer.call(permit, patience, most);
        let answers = match self.gate.unless_stopped(dialing).await? {
            Ok(answers) => answers,
            Err(LinkError::Gate(refusal)) => return Err(refusal.into()),
            Err(LinkError::Io { source, .. }) => return Err(ProbeError::NotConnected(source)),
        };
        let mut heard = Vec::new();
        for (from, message) in answers {
            calling.received(&message)?;
            let Some(reply) = self.understand(frame, request, from, &message) else { continue };
            heard.push(Heard { from, reply });
            found.exchanges.push(Exchange {
                zone: self.zone.clone(),
                source: self.source.clone(),
                address: from.ip().to_canonical(),
                port: from.port(),
                transport: Carrier::Udp,
                protocol: P::NAME.to_owned(),
                function: frame.facts().name.to_owned(),
                request: HexBytes::from(frame.bytes().to_vec()),
                response: HexBytes::from(message),
                at,
                rtt_micros: u64::try_from(sent.elapsed().as_micros()).unwrap_or(u64::MAX),
            });
        }
        Ok(heard)
    }

    /// What one datagram says, if it is a whole answer of somebody in the network.
    fn understand<P: Protocol, R: Request<P>>(
        &self,
        frame: &Frame,
        request: &R,
        from: SocketAddr,
        message: &[u8],
    ) -> Option<R::Reply> {
        let lives_here = matches!(from.ip(), IpAddr::V4(ip) if self.network.contains(&ip));
        let whole = P::split(message).ok()? == Some(message.len());
        match P::answer(frame.bytes(), message).ok()?? {
            Answer::Body(body) if lives_here && whole => request.read(&mut Reader::new(body)).ok(),
            _ => None,
        }
    }
}
