//! What came back, or did not, and what that means for the rest of the visit.

use std::time::Duration;

use jiff::ToSpan;
use tokio::time::Instant;

use super::Visit;
use crate::gate::journal::What;
use crate::gate::memory::{Cooling, Quarantine, Record};
use crate::gate::meter::Held;
use crate::gate::policy::Limits;
use crate::gate::refusal::{Refusal, StopReason};
use crate::gate::sabotage::Saboteur;
use crate::gate::silence::{Said, Silence};
use crate::model::{HexBytes, Transport as Carrier};

impl Visit {
    /// Bytes arrived: journal, budget, acknowledgements.
    ///
    /// # Errors
    /// [`Refusal::Spent`] if the device sends more than the policy takes.
    pub fn received(&self, bytes: &[u8]) -> Result<(), Refusal> {
        self.0.journal(|| What::Received { bytes: HexBytes::from(bytes.to_vec()) })?;
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
            state.pieces += 1;
            state.rides_along = Some(now + DELAYED_ACKNOWLEDGEMENT);
        }
        let unread = usize::from(state.pieces > FEW_PIECES);
        drop(state);
        let overrun = if owed || (!together && self.0.takes_spare()) {
            self.0.gate.wire.stamp(self.0.device, Held::AsAcknowledgement);
            false
        } else if together {
            false
        } else {
            let load = self.0.gate.wire.stamp_unpromised(self.0.device);
            // The next piece would be acknowledged whether we like it or not; of many, one more may
            // have been already, though we have not read it yet.
            load + unread >= usize::try_from(limits.device_packets_per_s).unwrap_or(usize::MAX)
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

    /// How often a question that goes unanswered may be sent once more: it goes as a datagram, which
    /// can get lost, and the device has never said anything in this visit. What was repeated before
    /// in the same conversation counts (limit L15).
    #[must_use]
    pub fn repetitions_left(&self) -> u32 {
        let state = self.0.state();
        let unheard = state.current.filter(|c| c.carrier == Carrier::Udp && c.resolving);
        match unheard {
            Some(current) if !state.answered => {
                self.limits().udp_retries.saturating_sub(current.repeated)
            }
            _ => 0,
        }
    }

    /// A datagram is sent once more.
    pub fn repeats(&self) {
        if let Some(current) = self.0.state().current.as_mut() {
            current.repeated += 1;
        }
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
        self.0.release_spare();
        let mut state = self.0.state();
        state.answered = true;
        state.in_doubt = None;
        if let Some(current) = state.current.as_mut() {
            current.answered = true;
        }
        let now = Instant::now();
        state.next_question = now + rest(rtt, bus, limits);
        // Where the next question goes to a bus, this one may have been on it, though it was for
        // the device itself: a gateway without a number of its own has looked for it there.
        state.next_on_bus = now + rest(rtt, true, limits);
        let slowing = !bus && state.pulse.beat(rtt, limits);
        if slowing {
            state.left_alone = Some(Refusal::Slowing(self.0.device));
            return Err(Refusal::Slowing(self.0.device));
        }
        Ok(())
    }

    /// A unit was met with silence and another is asked next: a gateway may have looked for the first
    /// on its line, and would not say so.
    pub fn rest_after_search(&self) {
        let limits = self.limits();
        let searched = Duration::from_millis(limits.missing_unit_ms.into());
        let rested = Instant::now() + rest(searched, true, limits);
        let mut state = self.0.state();
        state.next_on_bus = state.next_on_bus.max(rested);
    }

    /// Nothing came back to `function` in time; `alive` if the device's kernel took the question.
    #[must_use]
    pub fn silent(&self, function: &'static str, alive: bool) -> Silence {
        self.0.release_spare();
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

    /// Nothing came back to a call that the device was to hand on: nobody may live there. But it may
    /// have died of the call as well, so nothing more is asked through it, and nothing in another
    /// conversation, until it has answered for itself; if it does not, it went dark.
    #[must_use]
    pub fn nobody_behind(&self, function: &'static str, alive: bool) -> Silence {
        if !self.has_answered() {
            return self.not_meant(function, alive);
        }
        self.0.settle_acknowledgement();
        self.0.state().in_doubt = Some(Refusal::NotMeant { device: self.0.device, function });
        Silence::NobodyBehind
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
        let until = gate.clock.now().checked_add(seconds.min(Cooling::LONGEST).seconds());
        let until = until.unwrap_or(jiff::Timestamp::MAX);
        let cooling = Some(Cooling { until, times: times.saturating_add(1) });
        gate.remember(self.0.device, Record { cooling, ..record });
        self.leave_alone(Refusal::CoolingDown { device: self.0.device, until });
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
        let _ = self.0.journal(|| What::WentDark { function: function.to_owned() });
        self.leave_alone(Refusal::Quarantined { device: self.0.device, since, why });
    }
}

/// The least that a system waits for a second piece to acknowledge with the first (RFC 1122,
/// 4.2.3.2: one acknowledgement for two segments; Linux waits no less than 40 ms).
const DELAYED_ACKNOWLEDGEMENT: Duration = Duration::from_millis(40);

/// An answer in more pieces than this drips.
const FEW_PIECES: u32 = 3;

/// How long a device rests before its next question (L6, L12). A bus is free for so long that the
/// plant's own polling grows by no more than the policy's share, however dense it is; and a little
/// longer, since what it worked is measured from here.
fn rest(rtt: Duration, bus: bool, limits: &Limits) -> Duration {
    let gap = Duration::from_millis(limits.request_gap_ms.into());
    let by_rtt = rtt * limits.request_gap_rtts;
    let by_bus = match bus {
        true => rtt * (100 / limits.bus_duty_percent.max(1)) + rtt / 4,
        false => Duration::ZERO,
    };
    gap.max(by_rtt).max(by_bus)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bus_rests_twenty_times_as_long_as_it_worked() {
        let limits = Limits::default();
        let ms = Duration::from_millis;
        assert_eq!(rest(ms(10), false, &limits), ms(250));
        assert_eq!(rest(ms(100), false, &limits), ms(400));
        assert_eq!(rest(ms(100), true, &limits), ms(2025));
    }
}
