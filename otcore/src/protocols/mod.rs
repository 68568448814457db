//! One folder per protocol, one line per folder.

pub mod bacnet;
pub mod dnp3;
pub mod enip;
mod foreign;
pub mod modbus;
pub mod s7;

use std::fmt;

use async_trait::async_trait;
use serde::Serialize;

use crate::gate::policy::{Decision, Limits};
use crate::model::{Asset, Exchange, Outcome, Transport};
use crate::safety::{Facts, Sealed};
use crate::session::{Crowd, Findings, Host, ProbeError};

/// Every probe, in the order they are tried. Everything that lists protocols reads this.
pub static ALL: &[&dyn Probe] =
    &[&modbus::Probe, &s7::Probe, &enip::Probe, &bacnet::Probe, &dnp3::Probe];

/// Finds out what one device is, in one protocol.
#[async_trait]
pub trait Probe: Sealed + fmt::Debug + Send + Sync {
    /// Lower-case name, as in targets, policies and results.
    fn name(&self) -> &'static str;

    /// Name for people.
    fn title(&self) -> &'static str;

    /// Where the protocol usually lives.
    fn port(&self) -> u16;

    /// What carries its questions, in the order they are tried.
    fn carriers(&self) -> &'static [Transport] {
        &[Transport::Tcp]
    }

    /// Everything it may ask: its part of the manifest.
    fn functions(&self) -> Vec<&'static Facts>;

    /// What answers mean, as rules.
    fn rules(&self) -> &'static str;

    /// What the numbers in answers stand for: tables by the names of their files, in the form of
    /// `docs/fingerprint.md`.
    fn tables(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// The most that one conversation can cost under `decision`.
    fn bounds(&self, decision: &Decision, named_units: &[u8], limits: &Limits) -> Bounds;

    /// How long it may wait for datagrams, in milliseconds, where nobody answers: to a question, its
    /// repetitions, and one more question.
    fn looking_ms(&self, limits: &Limits) -> u64 {
        let wait = u64::from(limits.response_timeout_ms.max(limits.udp_retry_gap_ms));
        wait * (2 + u64::from(limits.udp_retries))
    }

    /// What the policy must allow before anything at all is asked; `None` if nothing is missing.
    fn missing_consent(&self, _decision: &Decision) -> Option<&'static str> {
        None
    }

    /// Ask around. What was learned before an error stays in `found`.
    ///
    /// # Errors
    /// [`ProbeError`] if the conversation ended early.
    async fn probe(&self, host: Host<'_>, found: &mut Findings) -> Result<Outcome, ProbeError>;

    /// Whether it can call everybody in a network at once, with the consent `broadcast`.
    fn calls(&self) -> bool {
        false
    }

    /// Call everybody in a network, and keep in `found` who answered. True if nobody there was left
    /// uncalled.
    ///
    /// # Errors
    /// [`ProbeError`] if the gate refused; who answered before stays in `found`.
    async fn call(
        &self,
        _crowd: &mut Crowd<'_>,
        _found: &mut Findings,
    ) -> Result<bool, ProbeError> {
        Ok(false)
    }

    /// What exchanges of this protocol with one device say about it. Pure: the same exchanges give
    /// the same asset, today or from a store in ten years. `None` if they say nothing.
    fn interpret(&self, exchanges: &[&Exchange]) -> Option<Asset>;

    /// Whether the byte at this place of a question differs each time it is asked, as its tag does.
    /// No is the safe answer: two questions that differ are different ones then.
    fn is_passing(&self, _place: usize) -> bool {
        false
    }

    /// A pretend device, for tests and demonstrations.
    #[cfg(any(test, feature = "sim"))]
    fn simulate(&self) -> Box<dyn crate::sim::Device>;
}

/// The probe of a protocol.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static dyn Probe> {
    ALL.iter().copied().find(|probe| probe.name() == name)
}

/// Whether `earlier` and `later` are the same question of `protocol`, asked twice.
#[must_use]
pub fn repeats(protocol: &str, earlier: &[u8], later: &[u8]) -> bool {
    let probe = by_name(protocol);
    let passes = |place| probe.is_some_and(|probe| probe.is_passing(place));
    let mut pairs = earlier.iter().zip(later).enumerate();
    earlier.len() == later.len() && pairs.all(|(place, (a, b))| a == b || passes(place))
}

/// The most that something may cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Bounds {
    /// TCP connections, attempts included.
    pub connections: u64,
    /// Questions.
    pub requests: u64,
    /// Packets that leave, the kernel's own included.
    pub packets: u64,
    /// Payload bytes that leave.
    pub bytes_out: u64,
    /// Seconds on one device.
    pub seconds: u64,
}

impl Bounds {
    /// Bounds of a conversation over TCP with this many connection attempts, questions and bytes.
    #[must_use]
    pub fn tcp(connections: u64, requests: u64, bytes_out: u64, limits: &Limits) -> Self {
        let syns = u64::from(limits.connect_timeout_ms.div_ceil(1000).max(1));
        // A connection: SYNs, the acknowledgement of the handshake, FIN, the last acknowledgement.
        // A question: itself and its acknowledgement, and as many again for an answer in pieces.
        let packets = connections * (syns + 3) + requests * 4;
        let seconds = u64::from(limits.device_time_s);
        Self { connections, requests, packets, bytes_out, seconds }
    }

    /// Bounds of a conversation of so many questions by datagrams, one of which is repeated as often
    /// as the policy allows.
    #[must_use]
    pub fn datagrams(questions: u64, bytes_out: u64, limits: &Limits) -> Self {
        let retries = u64::from(limits.udp_retries);
        let requests = questions + retries;
        let seconds = u64::from(limits.device_time_s);
        let bytes_out = bytes_out * (1 + retries);
        Self { connections: 0, requests, packets: requests, bytes_out, seconds }
    }

    /// Both, one after the other, within one stay.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            connections: self.connections.saturating_add(other.connections),
            requests: self.requests.saturating_add(other.requests),
            packets: self.packets.saturating_add(other.packets),
            bytes_out: self.bytes_out.saturating_add(other.bytes_out),
            seconds: self.seconds.max(other.seconds),
        }
    }

    /// The same for this many devices; the time stays that of one.
    #[must_use]
    pub fn times(self, devices: u128) -> Self {
        let devices = u64::try_from(devices).unwrap_or(u64::MAX);
        Self {
            connections: self.connections.saturating_mul(devices),
            requests: self.requests.saturating_mul(devices),
            packets: self.packets.saturating_mul(devices),
            bytes_out: self.bytes_out.saturating_mul(devices),
            seconds: self.seconds,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_the_same_whatever_its_tag_and_no_other_one() {
        let asked = [0, 1, 0, 0, 0, 2, 255, 0x11];
        let again = [7, 9, 0, 0, 0, 2, 255, 0x11];
        let another = [0, 1, 0, 0, 0, 2, 255, 0x2B];
        assert!(repeats("modbus", &asked, &asked) && repeats("modbus", &asked, &again));
        assert!(!repeats("modbus", &asked, &another), "another function");
        assert!(!repeats("modbus", &asked, &asked[..7]), "a piece of it");
        assert!(!repeats("profinet", &asked, &again), "nobody knows where its tag is");
        assert!(repeats("profinet", &asked, &asked));
    }

    /// Everything that differs from one asking to the next is a tag of two bytes or more, and never
    /// at the end, where what is asked for stands.
    #[test]
    fn no_protocol_takes_more_for_passing_than_its_tags() {
        for probe in ALL {
            let passing = (0..64).filter(|place| probe.is_passing(*place)).collect::<Vec<_>>();
            assert!(passing.len() <= 12, "{}: {passing:?}", probe.name());
            assert!(passing.iter().all(|place| *place < 20), "{}: {passing:?}", probe.name());
        }
    }
}
