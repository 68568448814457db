//! When to leave a device, a subnet or the whole plant alone.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ipnet::IpNet;

use super::policy::Limits;
use super::refusal::Refusal;
use crate::targets::subnet_of;

/// What the whole run has seen go wrong.
#[derive(Debug, Default)]
pub(super) struct Breaker(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    dark: u32,
    dark_in: HashMap<IpNet, u32>,
    dark_kinds: BTreeSet<String>,
    unreachable_in: HashMap<IpNet, u32>,
    /// Devices that granted a transport and did not answer the protocol on it.
    transport_only: HashMap<&'static str, u32>,
    transport_only_in: HashMap<(&'static str, IpNet), u32>,
}

impl Breaker {
    /// A device went dark. True if that is one too many for the run.
    pub(super) fn went_dark(&self, address: IpAddr, kind: Option<&str>, limits: &Limits) -> bool {
        let mut seen = self.seen();
        seen.dark += 1;
        seen.dark_kinds.extend(kind.map(str::to_owned));
        let dark_here = seen.dark_in.entry(subnet_of(address)).or_default();
        *dark_here += 1;
        *dark_here >= limits.dark_per_subnet || seen.dark >= limits.dark_per_run
    }

    /// A device granted a shared transport and was silent to `protocol` on it.
    ///
    /// Most likely it speaks another protocol, so this is no reason to end the scan; but if that
    /// question did hurt, it must not be asked of one device after the other.
    pub(super) fn granted_transport_only(&self, protocol: &'static str, address: IpAddr) {
        let mut seen = self.seen();
        *seen.transport_only.entry(protocol).or_default() += 1;
        *seen.transport_only_in.entry((protocol, subnet_of(address))).or_default() += 1;
    }

    /// Whether `protocol` is still asked in the subnet of `address`: the limits are those for
    /// devices that went dark.
    pub(super) fn check_protocol(
        &self,
        protocol: &'static str,
        address: IpAddr,
        limits: &Limits,
    ) -> Result<(), Refusal> {
        let seen = self.seen();
        let here = seen.transport_only_in.get(&(protocol, subnet_of(address)));
        let everywhere = seen.transport_only.get(protocol);
        let too_many = |count: Option<&u32>, most| count.is_some_and(|count| *count >= most);
        let is_over =
            too_many(here, limits.dark_per_subnet) || too_many(everywhere, limits.dark_per_run);
        if is_over { Err(Refusal::ProtocolLeftAlone { protocol, address }) } else { Ok(()) }
    }

    /// Something on the way said that `address` cannot be reached.
    pub(super) fn unreachable(&self, address: IpAddr) {
        *self.seen().unreachable_in.entry(subnet_of(address)).or_default() += 1;
    }

    /// Whether the subnet of `address` is left alone.
    pub(super) fn check_subnet(&self, address: IpAddr, limits: &Limits) -> Result<(), Refusal> {
        match self.seen().unreachable_in.get(&subnet_of(address)) {
            Some(count) if *count >= limits.unreachable_per_subnet => {
                Err(Refusal::SubnetLeftAlone(address))
            }
            _ => Ok(()),
        }
    }

    /// Whether a device of this kind went dark before.
    pub(super) fn check_kind(&self, kind: &str) -> Result<(), Refusal> {
        match self.seen().dark_kinds.contains(kind) {
            true => Err(Refusal::SameKindWentDark(kind.to_owned())),
            false => Ok(()),
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Watches whether one device gets slower under our questions.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pulse {
    first: Option<Duration>,
    slow_in_a_row: u32,
}

/// Answers that wait this much longer than the first are ordinary jitter, however small the first was.
const JITTER: Duration = Duration::from_millis(50);

impl Pulse {
    /// An answer came after `rtt`; true if two in a row were slow.
    pub(super) fn beat(&mut self, rtt: Duration, limits: &Limits) -> bool {
        let first = *self.first.get_or_insert(rtt);
        let by_factor = rtt > first * limits.slow_rtt_factor && rtt > first + JITTER;
        let by_time = rtt > first + Duration::from_millis(limits.slow_rtt_extra_ms.into());
        self.slow_in_a_row = if by_factor || by_time { self.slow_in_a_row + 1 } else { 0 };
        self.slow_in_a_row >= 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_slow_answers_in_a_row_are_noticed_and_jitter_is_not() {
        let limits = Limits::default();
        let ms = Duration::from_millis;
        let mut pulse = Pulse::default();
        assert!(!pulse.beat(ms(1), &limits));
        assert!(!pulse.beat(ms(20), &limits), "jitter");
        assert!(!pulse.beat(ms(20), &limits), "jitter again");
        assert!(!pulse.beat(ms(300), &limits), "one slow answer");
        assert!(!pulse.beat(ms(2), &limits), "recovered");
        assert!(!pulse.beat(ms(300), &limits));
        assert!(pulse.beat(ms(60), &limits), "more than three times and more than jitter");
    }

    #[test]
    fn a_protocol_that_silences_two_in_a_subnet_or_three_in_a_run_is_asked_no_further() {
        let limits = Limits::default();
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let breaker = Breaker::default();
        let asked = |protocol, at| breaker.check_protocol(protocol, ip(at), &limits).is_ok();
        breaker.granted_transport_only("s7", ip("192.0.2.1"));
        assert!(asked("s7", "192.0.2.9"));
        breaker.granted_transport_only("s7", ip("192.0.2.2"));
        assert!(!asked("s7", "192.0.2.9"));
        assert!(asked("modbus", "192.0.2.9") && asked("s7", "198.51.100.1"));
        breaker.granted_transport_only("s7", ip("198.51.100.1"));
        assert!(!asked("s7", "203.0.113.1"));
        assert!(!breaker.went_dark(ip("192.0.2.3"), None, &limits), "counted apart");
    }

    #[test]
    fn the_second_dark_device_of_a_subnet_and_the_third_of_a_run_are_one_too_many() {
        let limits = Limits::default();
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let breaker = Breaker::default();
        assert!(!breaker.went_dark(ip("192.0.2.1"), Some("Rigwerk RW-1"), &limits));
        assert!(breaker.went_dark(ip("192.0.2.9"), None, &limits));
        assert!(breaker.check_kind("Rigwerk RW-1").is_err());
        let breaker = Breaker::default();
        assert!(!breaker.went_dark(ip("192.0.2.1"), None, &limits));
        assert!(!breaker.went_dark(ip("198.51.100.1"), None, &limits));
        assert!(breaker.went_dark(ip("203.0.113.1"), None, &limits));
    }

    #[test]
    fn an_answer_is_slow_beyond_each_of_its_borders_and_not_at_them() {
        let limits = Limits::default();
        let ms = Duration::from_millis;
        let slow = |first: Duration, later: Duration| {
            let mut pulse = Pulse::default();
            assert!(!pulse.beat(first, &limits));
            assert!(!pulse.beat(later, &limits), "one alone says nothing");
            pulse.beat(later, &limits)
        };
        let factor = limits.slow_rtt_factor;
        assert!(!slow(ms(30), ms(30) * factor) && slow(ms(30), ms(30) * factor + ms(1)));
        assert!(!slow(ms(10), ms(10) + JITTER) && slow(ms(10), ms(10) + JITTER + ms(1)));
        let extra = ms(limits.slow_rtt_extra_ms.into());
        assert!(!slow(ms(900), ms(900) + extra) && slow(ms(900), ms(900) + extra + ms(1)));
        assert!(!slow(ms(900), ms(900) - extra), "quicker than at first");
    }

    #[test]
    fn a_subnet_is_left_alone_when_so_many_of_it_are_out_of_reach_and_no_other_one_is() {
        let limits = Limits::default();
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let breaker = Breaker::default();
        for _ in 1..limits.unreachable_per_subnet {
            breaker.unreachable(ip("192.0.2.1"));
        }
        assert_eq!(breaker.check_subnet(ip("192.0.2.9"), &limits), Ok(()));
        breaker.unreachable(ip("192.0.2.2"));
        let left_alone = Refusal::SubnetLeftAlone(ip("192.0.2.9"));
        assert_eq!(breaker.check_subnet(ip("192.0.2.9"), &limits), Err(left_alone));
        assert_eq!(breaker.check_subnet(ip("198.51.100.1"), &limits), Ok(()));
    }

    #[test]
    fn only_the_kind_that_went_dark_is_not_asked() {
        let breaker = Breaker::default();
        let ip = "192.0.2.1".parse().unwrap();
        breaker.went_dark(ip, Some("Rigwerk RW-1"), &Limits::default());
        assert!(breaker.check_kind("Rigwerk RW-2").is_ok());
        let same = Refusal::SameKindWentDark("Rigwerk RW-1".to_owned());
        assert_eq!(breaker.check_kind("Rigwerk RW-1"), Err(same));
    }
}
