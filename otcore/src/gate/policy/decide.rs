//! What may be done with one device in one protocol, with the reasons.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::Serialize;

use super::known::{Consent, known, never_ports};
use super::rule::{Match, Rule, Then};
use super::{KnownProtocol, Policy, Profile, ProtocolPolicy, ScopeAnswer};
use crate::safety::Level;
use crate::targets::Options;

/// The consent that a target gives by naming its carrier: datagrams displace nobody.
const DATAGRAMS: &str = "datagrams";

/// One device, one protocol, and what is known of it so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Subject<'a> {
    /// The network the address lives in.
    pub zone: &'a str,
    /// The address.
    pub address: IpAddr,
    /// The protocol it would be asked in.
    pub protocol: &'a str,
    /// The port it would be asked on.
    pub port: u16,
    /// Who made it, if that is known.
    pub vendor: Option<&'a str>,
    /// What it is, if that is known.
    pub model: Option<&'a str>,
}

/// What may be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// Whether the device may be asked at all. If not, nothing else here means anything.
    pub permitted: bool,
    /// How deep.
    pub level: Level,
    /// What may be done beyond harmless questions.
    pub consents: BTreeSet<String>,
    /// Units asked for behind a gateway, in this order.
    pub units: Vec<u8>,
    /// Link addresses of the outstations that are asked, in this order.
    pub outstations: Vec<u16>,
    /// The link address that they are asked from.
    pub master: Option<u16>,
    /// What decided. If the device may not be asked, everything that stands against it.
    pub because: Vec<Reason>,
}

/// One thing that was decided, and by what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// What was decided: `scope`, `port`, `protocol`, `skip`, `level`, `units`, or a consent as in
    /// `allow.sweep`.
    pub key: Cow<'static, str>,
    /// How it was decided.
    pub value: Cow<'static, str>,
    /// What decided it.
    pub by: By,
}

/// What decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// Built in, no policy can change it.
    BuiltIn,
    /// Nothing in the policy speaks of it.
    Default,
    /// The limits of this profile.
    Profile(Profile),
    /// A general setting of the policy.
    Policy,
    /// A monitored or excluded network.
    Network(IpNet),
    /// The rule with this name.
    Rule(String),
}

impl Policy {
    /// What may be done with this subject.
    #[must_use]
    pub fn decide(&self, subject: &Subject<'_>) -> Decision {
        self.judge(subject, Match::No)
    }

    /// The most that could be permitted once vendor and model are known. Every
    /// [`decide`](Self::decide) about the same place stays within it.
    #[must_use]
    pub fn upper_bound(&self, zone: &str, address: IpAddr, protocol: &str, port: u16) -> Decision {
        let (vendor, model) = (None, None);
        self.judge(&Subject { zone, address, protocol, port, vendor, model }, Match::Maybe)
    }

    /// The networks that rules speak of, without repetition. Between their borders, those of
    /// `monitor` and those of `exclude`, every address gets the same decision.
    #[must_use]
    pub fn networks_named_by_rules(&self) -> Vec<IpNet> {
        let named = self.rules.iter().filter_map(|rule| rule.when.network);
        named.collect::<BTreeSet<IpNet>>().into_iter().collect()
    }

    /// Whether this port is never touched, by the built-in list or by this policy.
    #[must_use]
    pub fn is_never_port(&self, port: u16) -> bool {
        never_ports(port).is_some() || self.never_ports.contains(&port)
    }

    /// A port gets only its own protocol: one that belongs to another protocol is refused. A port
    /// that belongs to none is fine, since only a target that names it leads there.
    fn other_protocol(&self, subject: &Subject<'_>) -> Option<Reason> {
        let ours = self.protocols.get(subject.protocol)?;
        if ours.ports.contains(&subject.port) {
            return None;
        }
        let has_it = |(name, settings): &(&String, &ProtocolPolicy)| {
            let usual = known(name).is_some_and(|known| known.default_port == subject.port);
            usual || settings.ports.contains(&subject.port)
        };
        let (owner, settings) = self.protocols.iter().find(has_it)?;
        let moved = known(owner).is_some_and(|known| settings.ports != [known.default_port]);
        Some(Reason::new("port", format!("{} belongs to {owner}", subject.port), policy_if(moved)))
    }

    fn judge(&self, subject: &Subject<'_>, unknown: Match) -> Decision {
        let rules = Rules::about(&self.rules, subject, unknown);
        let (scope, in_scope) = self.scope_reason(subject.address);
        let mut because = vec![scope];
        because.extend(self.port_reason(subject.port));
        let settings = known(subject.protocol).zip(self.protocols.get(subject.protocol));
        let objection = protocol_objection(settings).or_else(|| self.other_protocol(subject));
        let untouched = because.len() == 1 && objection.is_none();
        because.extend(objection);
        let (wanted, by) = rules.most(|then| then.skip.map(|skip| !skip), (true, By::Default));
        if !wanted || by != By::Default {
            because.push(Reason::new("skip", yes_or_no(!wanted), by));
        }
        match settings {
            Some((known, settings)) if in_scope && untouched && wanted => {
                let place = Place { known, settings, rules };
                place.permit(because)
            }
            _ => Decision::refuse(because),
        }
    }

    fn scope_reason(&self, address: IpAddr) -> (Reason, bool) {
        let answer = self.scope(address);
        let by = match answer {
            ScopeAnswer::Monitored(network) | ScopeAnswer::Excluded(network) => {
                By::Network(network)
            }
            ScopeAnswer::NotMonitored => By::Policy,
            ScopeAnswer::NoSingleDevice(_) => By::BuiltIn,
        };
        let word = match answer {
            ScopeAnswer::Monitored(_) => Cow::from("monitored"),
            ScopeAnswer::Excluded(_) => Cow::from("excluded"),
            other => other.to_string().into(),
        };
        (Reason::new("scope", word, by), answer.is_monitored())
    }

    fn port_reason(&self, port: u16) -> Option<Reason> {
        if let Some(row) = never_ports(port) {
            let value = format!("{port} is never touched: {}", row.why);
            return Some(Reason::new("port", value, By::BuiltIn));
        }
        let listed = self.never_ports.contains(&port);
        listed.then(|| Reason::new("port", format!("{port} is never touched"), By::Policy))
    }
}

/// What stands against asking this protocol on this port.
fn protocol_objection(settings: Option<(&KnownProtocol, &ProtocolPolicy)>) -> Option<Reason> {
    let Some((known, settings)) = settings else {
        return Some(Reason::new("protocol", "unknown", By::BuiltIn));
    };
    if !settings.enabled {
        let by = if known.enabled { By::Policy } else { By::Default };
        return Some(Reason::new("protocol", off(known, &by), by));
    }
    None
}

/// That a protocol is off, and why if it is so by default.
fn off(known: &KnownProtocol, by: &By) -> String {
    match known.consents.first().filter(|_| *by == By::Default) {
        Some(Consent { name, risk }) => {
            format!("off, since it {risk}; to have it, set `enabled = true` and allow `{name}`")
        }
        None => "off".to_owned(),
    }
}

/// The rules about one subject, in order.
struct Rules<'a>(Vec<(&'a Rule, Match)>);

impl<'a> Rules<'a> {
    fn about(rules: &'a [Rule], subject: &Subject<'_>, unknown: Match) -> Self {
        let judged = rules.iter().map(|rule| (rule, rule.when.matches(subject, unknown)));
        Self(judged.filter(|(_, matched)| *matched != Match::No).collect())
    }

    /// Everything that may end up deciding a key: all rules that set it up to the first certain
    /// one, or else the general setting too. Exactly one if vendor and model are not waited for.
    fn candidates<T>(&self, read: impl Fn(&Then) -> Option<T>, otherwise: (T, By)) -> Vec<(T, By)> {
        let mut found = Vec::new();
        for (rule, matched) in &self.0 {
            let Some(value) = read(&rule.then) else { continue };
            found.push((value, By::Rule(rule.name.clone())));
            if *matched == Match::Yes {
                return found;
            }
        }
        found.push(otherwise);
        found
    }

    /// The greatest of the candidates, the first of equals.
    fn most<T: Ord + Clone>(
        &self,
        read: impl Fn(&Then) -> Option<T>,
        otherwise: (T, By),
    ) -> (T, By) {
        let candidates = self.candidates(read, otherwise.clone());
        let greatest = candidates.into_iter().reduce(|a, b| if b.0 > a.0 { b } else { a });
        greatest.unwrap_or(otherwise)
    }
}

/// Everything that decides how deep a device is asked.
struct Place<'a> {
    known: &'a KnownProtocol,
    settings: &'a ProtocolPolicy,
    rules: Rules<'a>,
}

impl Place<'_> {
    fn permit(&self, mut because: Vec<Reason>) -> Decision {
        let changed = self.settings.enabled != self.known.enabled;
        because.push(Reason::new("protocol", "on", policy_if(changed)));
        let level = self.level(&mut because);
        let consents = self.consents(&mut because);
        let units = self.units(&consents, &mut because);
        let ProtocolPolicy { outstations, master, .. } = self.settings.clone();
        Decision { permitted: true, level, consents, units, outstations, master, because }
    }

    fn level(&self, because: &mut Vec<Reason>) -> Level {
        let general = self.settings.level;
        let otherwise = (general, policy_if(general != self.known.level));
        let (level, by) = self.rules.most(|then| then.level, otherwise);
        because.push(Reason::new("level", level.name(), by));
        level
    }

    fn consents(&self, because: &mut Vec<Reason>) -> BTreeSet<String> {
        let mut given = BTreeSet::new();
        for consent in self.known.consents {
            let general = self.settings.allow.iter().any(|name| name == consent.name);
            let otherwise = (general, policy_if(general));
            let (allowed, by) = self.rules.most(|then| then.consent(consent.name), otherwise);
            let key = format!("allow.{}", consent.name);
            because.push(Reason::new(key, yes_or_no(allowed), by));
            if allowed {
                given.insert(consent.name.to_owned());
            }
        }
        given
    }

    /// Unit 0 is a broadcast on a serial line, so naming it is not enough.
    fn units(&self, consents: &BTreeSet<String>, because: &mut Vec<Reason>) -> Vec<u8> {
        if !self.known.has_units {
            return Vec::new();
        }
        let general = self.settings.units.clone();
        let otherwise = (general.clone(), policy_if(!general.is_empty()));
        let candidates = self.rules.candidates(|then| then.units.clone(), otherwise);
        let mut units = Vec::new();
        for unit in candidates.iter().flat_map(|(units, _)| units) {
            if !units.contains(unit) && (*unit != 0 || consents.contains("unit_0")) {
                units.push(*unit);
            }
        }
        if let Some((_, by)) = candidates.into_iter().next() {
            because.push(Reason::new("units", list(&units), by));
        }
        units
    }
}

impl Decision {
    fn refuse(because: Vec<Reason>) -> Self {
        Self {
            permitted: false,
            level: Level::Detect,
            consents: BTreeSet::new(),
            units: Vec::new(),
            outstations: Vec::new(),
            master: None,
            because,
        }
    }

    /// The same with what the target says, which goes before what the policy says: link addresses,
    /// and whether to ask by datagrams. Without the reasons, which are those of the policy alone and
    /// would be kept for as long as a device is visited.
    #[must_use]
    pub fn for_target(mut self, options: &Options) -> Self {
        let address = |value: &u32| u16::try_from(*value).ok();
        let named: Vec<u16> = options.values("outstation").iter().filter_map(address).collect();
        if !named.is_empty() {
            self.outstations = named;
        }
        self.master = options.value("master").as_ref().and_then(address).or(self.master);
        match options.value("udp") {
            Some(0) => drop(self.consents.remove(DATAGRAMS)),
            Some(_) => drop(self.consents.insert(DATAGRAMS.to_owned())),
            None => {}
        }
        self.because = Vec::new();
        self
    }
}

impl Reason {
    fn new(key: impl Into<Cow<'static, str>>, value: impl Into<Cow<'static, str>>, by: By) -> Self {
        Self { key: key.into(), value: value.into(), by }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}, {}", self.key, self.value, self.by)
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built in"),
            Self::Default => f.write_str("by default"),
            Self::Profile(profile) => write!(f, "by profile {profile}"),
            Self::Policy => f.write_str("by the policy"),
            Self::Network(network) => write!(f, "by network {network}"),
            Self::Rule(name) => write!(f, "by rule {name:?}"),
        }
    }
}

pub(super) fn policy_if(changed: bool) -> By {
    if changed { By::Policy } else { By::Default }
}

fn yes_or_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

fn list(units: &[u8]) -> String {
    let words: Vec<String> = units.iter().map(ToString::to_string).collect();
    if words.is_empty() { "none named".to_owned() } else { words.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::policy::When;

    const PLC: Subject<'_> = Subject {
        zone: "a",
        address: IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 5)),
        protocol: "modbus",
        port: 502,
        vendor: Some("Acme"),
        model: Some("X1"),
    };

    fn rule(name: &str, when: When, then: Then) -> Rule {
        Rule { name: name.into(), when, then }
    }

    fn of_vendor(vendor: &str) -> When {
        When { vendor: Some(vendor.into()), ..When::default() }
    }

    fn to(level: Level) -> Then {
        Then { level: Some(level), ..Then::default() }
    }

    fn by(decision: &Decision, key: &str) -> By {
        decision.because.iter().find(|reason| reason.key == key).unwrap().by.clone()
    }

    #[test]
    fn for_each_key_the_first_matching_rule_that_sets_it_decides() {
        let sweep = Then { allow: vec!["sweep".into()], ..Then::default() };
        let policy = Policy::gentle()
            .rule(rule("others", of_vendor("other"), to(Level::Detect)))
            .rule(rule("consent only", When::default(), sweep))
            .rule(rule("first", of_vendor("acme"), to(Level::State)))
            .rule(rule("second", When::default(), to(Level::Structure)));
        let decision = policy.decide(&PLC);
        assert_eq!(
            (decision.level, by(&decision, "level")),
            (Level::State, By::Rule("first".into()))
        );
        assert!(decision.consents.contains("sweep"));
        assert_eq!(by(&decision, "allow.sweep"), By::Rule("consent only".into()));
        assert_eq!(by(&decision, "allow.umas"), By::Default);
        let unknown = policy.decide(&Subject { vendor: None, ..PLC });
        assert_eq!(unknown.level, Level::Structure);
    }

    #[test]
    fn a_denial_wins_over_a_permission_of_the_same_rule_and_order_wins_between_rules() {
        let both = || Then {
            allow: vec!["sweep".into(), "umas".into()],
            deny: vec!["sweep".into()],
            ..Then::default()
        };
        let allow = || Then { allow: vec!["sweep".into()], ..Then::default() };
        let decide = |first: Then, second: Then| {
            let first = rule("first", When::default(), first);
            let second = rule("second", When::default(), second);
            Policy::gentle().rule(first).rule(second).decide(&PLC).consents
        };
        assert_eq!(decide(both(), allow()), BTreeSet::from(["umas".to_owned()]));
        let all = BTreeSet::from(["sweep".to_owned(), "umas".to_owned()]);
        assert_eq!(decide(allow(), both()), all);
    }

    #[test]
    fn an_exception_protects_from_a_later_skip() {
        let skip = |skip| Then { skip: Some(skip), ..Then::default() };
        let policy = Policy::gentle()
            .rule(rule("keep", of_vendor("acme"), skip(false)))
            .rule(rule("skip all", When::default(), skip(true)));
        assert!(policy.decide(&PLC).permitted);
        let other = policy.decide(&Subject { vendor: None, ..PLC });
        assert!(!other.permitted);
        assert_eq!(by(&other, "skip"), By::Rule("skip all".into()));
    }

    #[test]
    fn what_is_off_unknown_elsewhere_or_forbidden_is_refused_with_its_reason() {
        let policy = Policy::gentle().never_port(8080);
        for (subject, key, value) in [
            (
                Subject { protocol: "dnp3", port: 20000, ..PLC },
                "protocol",
                "off, since it opens a connection, which may displace the station that operates the \
                 device; to have it, set `enabled = true` and allow `connect`",
            ),
            (Subject { protocol: "gopher", port: 70, ..PLC }, "protocol", "unknown"),
            (Subject { port: 102, ..PLC }, "port", "102 belongs to s7"),
            (Subject { port: 1502, ..PLC }, "port", "1502 is never touched: safety controllers"),
            (Subject { port: 8080, ..PLC }, "port", "8080 is never touched"),
            (Subject { address: [8, 8, 8, 8].into(), ..PLC }, "scope", "in no monitored network"),
        ] {
            let decision = policy.decide(&subject);
            assert!(!decision.permitted, "{subject:?}");
            let named = decision.because.iter().any(|r| r.key == key && r.value == value);
            assert!(named, "{:?}", decision.because);
        }
    }

    #[test]
    fn unit_0_needs_more_than_being_named() {
        let named = Policy::gentle().protocol("modbus", |modbus| modbus.unit(0).unit(1));
        assert_eq!(named.decide(&PLC).units, [1]);
        let allowed = named.protocol("modbus", |modbus| modbus.allow("unit_0"));
        assert_eq!(allowed.decide(&PLC).units, [0, 1]);
    }

    #[test]
    fn the_upper_bound_counts_rules_that_may_match_later() {
        let state = rule("acme", of_vendor("acme"), to(Level::State));
        let policy = Policy::gentle().rule(state);
        assert_eq!(policy.decide(&Subject { vendor: None, ..PLC }).level, Level::Identify);
        let bound = |policy: &Policy| policy.upper_bound("a", PLC.address, "modbus", 502);
        assert_eq!(bound(&policy).level, Level::State);
        let certain = rule("all", When::default(), to(Level::Detect));
        let mut capped = policy;
        capped.rules.insert(0, certain);
        assert_eq!(bound(&capped).level, Level::Detect, "a certain rule before it decides");
    }

    #[test]
    fn networks_of_rules_are_listed_once() {
        let network = |text: &str| When { network: text.parse().ok(), ..When::default() };
        let policy = Policy::gentle()
            .rule(rule("a", network("10.0.0.0/24"), to(Level::State)))
            .rule(rule("b", network("10.0.0.0/24"), to(Level::Detect)))
            .rule(rule("c", network("10.0.0.0/28"), to(Level::Detect)));
        let named: Vec<String> =
            policy.networks_named_by_rules().iter().map(ToString::to_string).collect();
        assert_eq!(named, ["10.0.0.0/24", "10.0.0.0/28"]);
    }

    #[test]
    fn whose_port_it_is_says_the_policy_only_if_that_was_moved() {
        let port = |policy: &Policy, port| {
            let subject = Subject { port, ..PLC };
            let decision = policy.decide(&subject);
            assert!(!decision.permitted);
            by(&decision, "port")
        };
        assert_eq!(port(&Policy::gentle(), 102), By::Default, "where S7 usually is");
        let moved = Policy::gentle().protocol("s7", |s7| s7.port(1102));
        assert_eq!(port(&moved, 1102), By::Policy);
        assert_eq!(port(&moved, 102), By::Policy, "it may still be there");
        assert!(moved.decide(&Subject { port: 1103, ..PLC }).permitted, "nobody's");
    }

    #[test]
    fn a_rule_that_skips_is_told_as_one() {
        let skip = Then { skip: Some(true), ..Then::default() };
        let decision = Policy::gentle().rule(rule("no", When::default(), skip)).decide(&PLC);
        let reason = decision.because.iter().find(|reason| reason.key == "skip").unwrap();
        assert_eq!((decision.permitted, &*reason.value), (false, "yes"));
        let keep = Then { skip: Some(false), ..Then::default() };
        let decision = Policy::gentle().rule(rule("yes", When::default(), keep)).decide(&PLC);
        let reason = decision.because.iter().find(|reason| reason.key == "skip").unwrap();
        assert_eq!((decision.permitted, &*reason.value), (true, "no"));
    }

    #[test]
    fn of_rules_that_may_allow_as_much_the_first_is_named() {
        let policy = Policy::gentle()
            .rule(rule("first", of_vendor("acme"), to(Level::State)))
            .rule(rule("second", of_vendor("other"), to(Level::State)));
        let most = policy.upper_bound("a", PLC.address, "modbus", 502);
        assert_eq!((most.level, by(&most, "level")), (Level::State, By::Rule("first".into())));
    }

    #[test]
    fn a_level_is_by_the_policy_only_if_it_is_another_than_usual() {
        let usual = Policy::gentle().decide(&PLC);
        assert_eq!(by(&usual, "level"), By::Default);
        let deeper = Policy::gentle().protocol("modbus", |modbus| modbus.level(Level::State));
        assert_eq!(by(&deeper.decide(&PLC), "level"), By::Policy);
    }
}
