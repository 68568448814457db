//! A call to everybody in one network at once, which nobody makes unless the policy opted in.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ipnet::Ipv4Net;
use tokio::time::Instant;

use super::{Lease, Spending, Visit};
use crate::frame::Frame;
use crate::gate::cargo::Cargo;
use crate::gate::device::Device;
use crate::gate::journal::Close;
use crate::gate::memory::{Quarantine, quarantined};
use crate::gate::permit::{Call, Permit};
use crate::gate::refusal::Refusal;
use crate::gate::{Gate, Inner};
use crate::targets::AddressSet;

/// How many calls there were, and when the next may be.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::gate) struct Calls {
    made: u32,
    next: Option<Instant>,
}

/// A call that has leave, until its answers are in.
#[derive(Debug)]
pub struct Calling {
    lease: Lease, // ends before the visit that it belongs to
    visit: Visit,
}

impl Calling {
    /// Bytes arrived: journal and budget.
    ///
    /// # Errors
    /// [`Refusal::Spent`] if more came than the policy takes.
    pub fn received(&self, bytes: &[u8]) -> Result<(), Refusal> {
        self.visit.received(bytes)
    }

    /// No more answers are awaited. What the call has cost.
    pub fn over(self) -> Spending {
        self.lease.closed(Close::Released);
        self.visit.spending()
    }
}

impl Gate {
    /// Ask leave to call everybody in `network` at `port` with one datagram; waits for the pace, and
    /// for the rest that the network gets after the last call (limit L10).
    ///
    /// # Errors
    /// A [`Refusal`]: `limits.broadcasts_per_scan` is used up (it is 0 unless a policy sets it), or
    /// somebody in the network is not to be asked.
    pub async fn call(
        &self,
        network: Ipv4Net,
        port: u16,
        protocol: &'static str,
        frame: Arc<Frame>,
    ) -> Result<(Permit<Call>, Calling), Refusal> {
        let inner = &self.0;
        let to = SocketAddr::new(network.broadcast().into(), port);
        inner.check_call(network, to)?;
        inner.door.unpaused().await?;
        let limits = inner.policy.limits();
        let device = Device::at(to);
        inner.door.unless_shut(inner.wire.enter(device, limits)).await?;
        let visit = Visit::new(Arc::clone(inner), to, 1);
        let lease = loop {
            inner.door.unpaused().await?;
            let turn = inner.calls().next.unwrap_or_else(Instant::now);
            inner.door.unless_shut(tokio::time::sleep_until(turn)).await?;
            let reserve = inner.wire.reserve(device, Cargo::Call, limits, &inner.line);
            inner.door.unless_shut(reserve).await?;
            let lease = visit.lease(to, protocol, Cargo::Call);
            inner.check_call(network, to)?; // things may have changed while we waited
            if !inner.door.is_paused() {
                break lease; // otherwise dropping it gives everything back
            }
        };
        let size = u64::try_from(frame.bytes().len()).unwrap_or(u64::MAX);
        visit.spent_if(size > u64::from(limits.request_bytes), "request_bytes")?;
        {
            let mut calls = inner.calls();
            calls.made += 1;
            let gap = Duration::from_millis(limits.broadcast_gap_ms.into());
            calls.next = Some(Instant::now() + gap);
        }
        let promised = visit.promised_datagram().unwrap_or_default();
        let permit = Permit::new(Call { to, frame }, promised, Arc::clone(&visit.0));
        Ok((permit, Calling { lease, visit }))
    }

    /// How many calls this scan may still make.
    #[must_use]
    pub fn calls_left(&self) -> u32 {
        self.0.policy.limits().broadcasts_per_scan.saturating_sub(self.0.calls().made)
    }
}

impl Inner {
    fn check_call(&self, network: Ipv4Net, to: SocketAddr) -> Result<(), Refusal> {
        self.door.check()?;
        self.check_window()?;
        if self.policy.is_never_port(to.port()) {
            return Err(Refusal::NeverPort(to.port()));
        }
        let limits = self.policy.limits();
        if self.calls().made >= limits.broadcasts_per_scan {
            let (limit, allowed) = ("broadcasts_per_scan", limits.broadcasts_per_scan.into());
            return Err(Refusal::Spent { device: Device::at(to), limit, allowed });
        }
        if !self.policy.callable().any(|callable| callable == network) {
            return Err(Refusal::OutOfScope(to.ip()));
        }
        // Everybody hears it, so everybody has to be in the plan: nobody excluded, nobody in
        // quarantine, since the plan was made or before.
        let strangers = AddressSet::hosts_of(network).subtract(&self.scope);
        if let Some(range) = strangers.ranges().next() {
            return Err(Refusal::OutOfScope(range.first()));
        }
        let hears = |device: Device| matches!(device.address(), IpAddr::V4(address) if network.contains(&address));
        let quarantined = quarantined(&*self.memory, &self.zone);
        let mut quarantined = quarantined.map_err(|e| Refusal::Memory(e.to_string()))?;
        match quarantined.find(|(device, _)| hears(*device)) {
            Some((device, Quarantine { since, why })) => {
                Err(Refusal::Quarantined { device, since, why })
            }
            None => Ok(()),
        }
    }
}
