//! The decision in plain words, for a person.

use std::fmt;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::Serialize;

use super::known::known;
use super::{By, Decision, LimitFacts, Per, Policy, Reason, Subject, TABLE};

/// Why something may or may not be done, for a person to read or a program to show.
///
/// It contains the decision itself, so the two cannot disagree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The network the address lives in.
    pub zone: String,
    /// The address.
    pub address: IpAddr,
    /// The protocol it would be asked in.
    pub protocol: String,
    /// The port it would be asked on.
    pub port: u16,
    /// Who made it, if that is known.
    pub vendor: Option<String>,
    /// What it is, if that is known.
    pub model: Option<String>,
    /// What was decided, and by what.
    pub decision: Decision,
    /// When anything may be sent, in words; empty means always.
    pub windows: Vec<String>,
    /// Whether it may be sent at the time asked about; `None` if no time was given.
    pub window_state: Option<WindowState>,
    /// The limits that apply. Empty if nothing is permitted.
    pub limits: Vec<AppliedLimit>,
}

/// Whether the windows are open at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WindowState {
    /// The time asked about.
    pub at: Timestamp,
    /// Whether anything may be sent then.
    pub open: bool,
    /// When that changes; `None` if never.
    pub until: Option<Timestamp>,
}

/// A limit and where its value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AppliedLimit {
    /// The key of the limit.
    pub key: &'static str,
    /// What it is counted for.
    pub per: Per,
    /// Its value.
    pub value: u64,
    /// What is counted.
    pub unit: &'static str,
    /// What set it.
    pub by: By,
}

impl Policy {
    /// The decision about this subject in plain words. Made from [`decide`](Self::decide).
    #[must_use]
    pub fn explain(&self, subject: &Subject<'_>) -> Explanation {
        let decision = self.decide(subject);
        let limits = if decision.permitted { self.applied(subject) } else { Vec::new() };
        Explanation {
            zone: subject.zone.to_owned(),
            address: subject.address,
            protocol: subject.protocol.to_owned(),
            port: subject.port,
            vendor: subject.vendor.map(str::to_owned),
            model: subject.model.map(str::to_owned),
            decision,
            windows: self.windows.iter().map(ToString::to_string).collect(),
            window_state: None,
            limits,
        }
    }

    /// Like [`explain`](Self::explain), and says whether the windows are open at this time.
    #[must_use]
    pub fn explain_at(&self, subject: &Subject<'_>, at: Timestamp) -> Explanation {
        let state = WindowState { at, open: self.is_open(at), until: self.next_change(at) };
        Explanation { window_state: Some(state), ..self.explain(subject) }
    }

    fn applied(&self, subject: &Subject<'_>) -> Vec<AppliedLimit> {
        let has_units = known(subject.protocol).is_some_and(|known| known.has_units);
        let applying = TABLE.iter().filter(|facts| has_units || facts.per != Per::Gateway);
        applying.map(|facts| self.applied_limit(facts)).collect()
    }

    fn applied_limit(&self, facts: &LimitFacts) -> AppliedLimit {
        let value = self.limits.value(facts.key).unwrap_or_default();
        let from_profile = value == facts.value(self.profile);
        let by = if from_profile { By::Profile(self.profile) } else { By::Policy };
        AppliedLimit { key: facts.key, per: facts.per, value, unit: facts.unit, by }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let socket = std::net::SocketAddr::new(self.address, self.port);
        let verdict = if self.decision.permitted { "may be asked" } else { "is left alone" };
        let not_now = match &self.window_state {
            Some(state) if self.decision.permitted && !state.open => ", but not now",
            _ => "",
        };
        writeln!(f, "{socket} in zone {:?} {verdict} in {}{not_now}", self.zone, self.protocol)?;
        let unknown = |text: &Option<String>| {
            text.as_ref().map_or("unknown".to_owned(), |text| format!("{text:?}"))
        };
        writeln!(f, "  vendor {}, model {}", unknown(&self.vendor), unknown(&self.model))?;
        for reason in &self.decision.because {
            writeln!(f, "  {reason}")?;
        }
        self.write_windows(f)?;
        for per in [Per::Device, Per::Gateway, Per::Subnet, Per::Scan, Per::Process] {
            self.write_limits(f, per)?;
        }
        Ok(())
    }
}

impl Explanation {
    fn write_windows(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let always = self.windows.is_empty();
        let when = if always { "always open".to_owned() } else { self.windows.join("; ") };
        write!(f, "  window: {when}")?;
        if let Some(WindowState { at, open, until }) = &self.window_state {
            write!(f, "; {} at {at}", if *open { "open" } else { "closed" })?;
            if let Some(until) = until {
                write!(f, " until {until}")?;
            }
        }
        writeln!(f)
    }

    fn write_limits(&self, f: &mut fmt::Formatter<'_>, per: Per) -> fmt::Result {
        let mut limits = self.limits.iter().filter(|limit| limit.per == per).peekable();
        if limits.peek().is_some() {
            writeln!(f, "  limits per {per}:")?;
        }
        limits.try_for_each(|limit| {
            writeln!(f, "    {} = {} ({}), {}", limit.key, limit.value, limit.unit, limit.by)
        })
    }

    /// The reasons, in the order in which they were found.
    #[must_use]
    pub fn reasons(&self) -> &[Reason] {
        &self.decision.because
    }
}

impl fmt::Display for Per {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Device => "device",
            Self::Gateway => "gateway",
            Self::Subnet => "subnet",
            Self::Scan => "scan",
            Self::Process => "process",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::policy::{Rule, Then, When, Window};
    use crate::safety::Level;

    const PRESS: Subject<'_> = Subject {
        zone: "line-3",
        address: IpAddr::V4(std::net::Ipv4Addr::new(10, 20, 4, 7)),
        protocol: "modbus",
        port: 502,
        vendor: Some("Schneider Electric"),
        model: None,
    };

    #[test]
    fn a_person_reads_what_was_decided_and_by_what() {
        let rule = Rule {
            name: "press shop".into(),
            when: When { vendor: Some("schneider*".into()), ..When::default() },
            then: Then { level: Some(Level::State), allow: vec!["umas".into()], ..Then::default() },
        };
        let night = Window::daily("22:00", "05:00", "Europe/Berlin").unwrap();
        let mut policy = Policy::gentle().rule(rule).window(night);
        policy.limits.device_packets_per_s = 5;
        let noon = "2026-05-04T12:00:00Z".parse().unwrap();
        let explanation = policy.explain_at(&PRESS, noon);
        assert_eq!(explanation.reasons(), policy.decide(&PRESS).because);
        let text = explanation.to_string();
        let start = "10.20.4.7:502 in zone \"line-3\" may be asked in modbus, but not now
  vendor \"Schneider Electric\", model unknown
  scope: monitored, by network 10.0.0.0/8
  protocol: on, by default
  level: state, by rule \"press shop\"
  allow.umas: yes, by rule \"press shop\"
  allow.sunspec: no, by default
  allow.sweep: no, by default
  allow.unit_0: no, by default
  units: none named, by default
  window: every day 22:00 to 05:00 Europe/Berlin; closed at 2026-05-04T12:00:00Z \
until 2026-05-04T20:00:00Z
  limits per device:
    connections_per_device = 1 (connections at a time), by profile gentle
";
        assert!(text.starts_with(start), "{text}");
        let own = "    device_packets_per_s = 5 (packets in any second), by the policy\n";
        assert!(text.contains(own), "{text}");
    }

    #[test]
    fn a_refusal_names_everything_that_stands_against_it() {
        let policy = Policy::gentle()
            .exclude("10.20.0.0/16".parse().unwrap())
            .protocol("modbus", crate::gate::policy::ProtocolPolicy::off);
        let expected = "10.20.4.7:502 in zone \"line-3\" is left alone in modbus
  vendor \"Schneider Electric\", model unknown
  scope: excluded, by network 10.20.0.0/16
  protocol: off, by the policy
  window: always open
";
        assert_eq!(policy.explain(&PRESS).to_string(), expected);
    }

    #[test]
    fn the_limits_of_a_gateway_are_shown_only_where_there_can_be_one() {
        let explain = |protocol, port| {
            let subject = Subject { protocol, port, ..PRESS };
            Policy::gentle().explain(&subject).to_string()
        };
        assert!(explain("modbus", 502).contains("bus_duty_percent"));
        assert!(!explain("s7", 102).contains("bus_duty_percent"));
    }

    #[test]
    fn hostile_device_texts_cannot_draw_on_the_terminal() {
        let subject = Subject { vendor: Some("\u{1b}[2J\nscope: fine"), ..PRESS };
        let text = Policy::gentle().explain(&subject).to_string();
        assert!(!text.contains('\u{1b}') && !text.contains("\nscope: fine"), "{text}");
    }
}
