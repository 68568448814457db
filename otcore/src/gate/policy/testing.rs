//! Property tests over random policies and random subjects.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use jiff::civil::Weekday;
use proptest::collection::{btree_set, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;

const TEXTS: &[&str] = &["a", "A*", "*b", "*", "siemens*", "ab \"c\"", "Ä\u{1b}"];
const NAMES: &[&str] = &["a", "b", "Siemens AG", "AB", "Ä\u{1b}"];

pub(super) fn window() -> impl Strategy<Value = Window> {
    let zones = select(vec!["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]);
    let time =
        || (0..24_u8, 0..60_u8, 0..2_u8).prop_map(|(h, m, s)| format!("{h:02}:{m:02}:{s:02}"));
    let days = subsequence((0..7_i8).collect::<Vec<_>>(), 1..=7);
    (time(), time(), zones, days).prop_map(|(from, to, zone, days)| {
        let days = days.into_iter().map(|day| Weekday::from_monday_zero_offset(day).unwrap());
        Window::daily(&from, &to, zone).unwrap().on(days)
    })
}

/// Networks that overlap often, because they share their first bytes.
fn network() -> impl Strategy<Value = IpNet> {
    let v4 = (address(), 0..=32_u8).prop_map(|(address, length)| {
        let IpAddr::V4(v4) = address else { unreachable!() };
        IpNet::V4(Ipv4Net::new(v4, length).unwrap().trunc())
    });
    let v6 = (any::<u128>(), 0..=64_u8)
        .prop_map(|(bits, length)| IpNet::V6(Ipv6Net::new(bits.into(), length).unwrap().trunc()));
    prop_oneof![4 => v4, 1 => v6]
}

fn address() -> impl Strategy<Value = IpAddr> {
    (select(vec![10_u8, 203]), 0..2_u8, 0..2_u8, any::<u8>())
        .prop_map(|(a, b, c, d)| IpAddr::V4(Ipv4Addr::new(a, b, c, d)))
}

fn level() -> impl Strategy<Value = Level> {
    select(Level::ALL.to_vec())
}

fn units() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![0..=3_u8, 0..=247_u8, Just(255)], 0..=4)
}

fn consents(names: Vec<&'static str>) -> impl Strategy<Value = Vec<String>> {
    let count = names.len();
    subsequence(names, 0..=count).prop_map(|names| names.into_iter().map(str::to_owned).collect())
}

fn text(options: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(options).prop_map(str::to_owned)
}

fn protocol_name() -> impl Strategy<Value = &'static str> {
    select(KNOWN.iter().map(|known| known.name).collect::<Vec<_>>())
}

fn protocol() -> impl Strategy<Value = (usize, ProtocolPolicy)> {
    (0..KNOWN.len(), any::<bool>(), level(), units(), any::<bool>()).prop_flat_map(
        |(i, enabled, level, units, extra)| {
            let known = &KNOWN[i];
            let units = if known.has_units { units } else { Vec::new() };
            let more = u16::try_from(30_000 + i).unwrap();
            let ports = [known.default_port, more].into_iter().take(1 + usize::from(extra));
            let ports: Vec<u16> = ports.collect();
            let names = known.consents.iter().map(|consent| consent.name).collect();
            consents(names).prop_map(move |allow| {
                let (ports, units) = (ports.clone(), units.clone());
                (
                    i,
                    ProtocolPolicy {
                        enabled,
                        ports,
                        level,
                        allow,
                        units,
                        outstations: Vec::new(),
                        master: None,
                    },
                )
            })
        },
    )
}

fn when() -> impl Strategy<Value = When> {
    let protocol = of(protocol_name().prop_map(str::to_owned));
    let port = of(select(vec![502, 102, 30_000]));
    let texts = (of(text(NAMES)), of(text(TEXTS)), of(text(TEXTS)));
    (texts, of(network()), port, protocol).prop_map(
        |((zone, vendor, model), network, port, protocol)| When {
            zone,
            network,
            port,
            protocol,
            vendor,
            model,
        },
    )
}

fn then() -> impl Strategy<Value = Then> {
    let names = || KNOWN.iter().flat_map(|known| known.consents).map(|consent| consent.name);
    let change = (of(Just(false)), of(level()), of(units()), consents(names().collect()))
        .prop_flat_map(move |(skip, level, units, allow)| {
            consents(names().collect()).prop_map(move |deny| {
                let (allow, units) = (allow.clone(), units.clone());
                Then { skip, level, allow, deny, units }
            })
        });
    let skip = Just(Then { skip: Some(true), ..Then::default() });
    prop_oneof![1 => skip, 3 => change].prop_filter("changes something", |t| *t != Then::default())
}

/// A rule that passes the check: what it says of a protocol, that protocol knows.
fn rules() -> impl Strategy<Value = Vec<Rule>> {
    vec((when(), then()), 0..6).prop_map(|pairs| {
        let named = pairs.into_iter().enumerate().map(|(i, (mut when, then))| {
            if !then.allow.is_empty() || !then.deny.is_empty() || then.units.is_some() {
                when.protocol = None;
            }
            Rule { name: format!("rule \"{i}\""), when, then }
        });
        named.collect()
    })
}

fn limits() -> impl Strategy<Value = Vec<(usize, u64)>> {
    let rows =
        TABLE.iter().enumerate().map(|(i, row)| (row.min..=row.max).prop_map(move |v| (i, v)));
    let rows: Vec<_> = rows.collect();
    rows.prop_flat_map(|all| {
        let count = all.len();
        subsequence(all, 0..=count)
    })
}

pub(super) fn policy() -> impl Strategy<Value = Policy> {
    let profile = select(vec![Profile::Gentle, Profile::Careful]);
    let networks = (any::<bool>(), vec(network(), 0..4), vec(network(), 0..3));
    let ports = btree_set(40_000..50_000_u16, 0..3);
    let parts = (vec(protocol(), 0..4), rules(), vec(window(), 0..3));
    (profile, networks, ports, limits(), parts).prop_map(
        |(profile, networks, ports, limits, (protocols, rules, windows))| {
            let mut policy = Policy::of(profile);
            (policy.monitor_defaults, policy.monitor, policy.exclude) = networks;
            policy.monitor_defaults |= policy.monitor.is_empty();
            let free = |port: &u16| KNOWN.iter().all(|known| known.default_port != *port);
            policy.never_ports = ports.into_iter().filter(free).collect();
            for (i, value) in limits {
                policy.limits.set(TABLE[i].key, value).unwrap();
            }
            policy.limits.ports_per_device = policy.limits.ports_per_device.max(10);
            policy.limits.units_per_gateway = policy.limits.units_per_gateway.max(4);
            let slowest =
                policy.limits.device_packets_per_s.min(policy.limits.subnet_packets_per_s);
            let slowest = slowest.min(policy.limits.process_packets_per_s);
            let patience = policy.limits.connect_timeout_ms.min((slowest - 3) * 1_000);
            policy.limits.connect_timeout_ms = patience;
            let longest = policy.limits.gateway_response_timeout_ms;
            policy.limits.response_timeout_ms = policy.limits.response_timeout_ms.min(longest);
            let question = (patience + longest) / 1_000 + 1;
            policy.limits.device_time_s = policy.limits.device_time_s.max(question);
            let named = protocols.into_iter().map(|(i, p)| (KNOWN[i].name.to_owned(), p));
            policy.protocols.extend(named);
            (policy.rules, policy.windows) = (rules, windows);
            policy
        },
    )
}

pub(super) type Named =
    (&'static str, IpAddr, &'static str, u16, Option<&'static str>, Option<&'static str>);

fn named() -> impl Strategy<Value = Named> {
    let protocol = prop_oneof![9 => protocol_name(), 1 => Just("gopher")];
    let port = prop_oneof![
        6 => Just(0_u16),
        1 => select(vec![502, 30_000, 9100, 1502, 45_000]),
    ];
    let texts = (select(NAMES), of(select(NAMES)), of(select(NAMES)));
    (texts, address(), protocol, port).prop_map(
        |((zone, vendor, model), address, protocol, port)| {
            let own = known(protocol).map_or(70, |known| known.default_port);
            (zone, address, protocol, if port == 0 { own } else { port }, vendor, model)
        },
    )
}

fn subject(named: Named) -> Subject<'static> {
    let (zone, address, protocol, port, vendor, model) = named;
    Subject { zone, address, protocol, port, vendor, model }
}

/// What the policy says, written down a second time and as naively as possible.
fn naive(policy: &Policy, s: &Subject<'_>) -> Option<(Level, Vec<String>)> {
    let IpAddr::V4(v4) = s.address else { return None };
    let inside = |nets: &[IpNet]| nets.iter().any(|net| net.contains(&s.address));
    let defaults: &[IpNet] = if policy.monitor_defaults { default_monitored() } else { &[] };
    let last_of = |nets: &[IpNet]| {
        nets.iter().any(|n| matches!(n, IpNet::V4(n) if n.prefix_len() < 31 && n.broadcast() == v4))
    };
    let in_scope = (inside(defaults) || inside(&policy.monitor)) && !inside(&policy.exclude);
    let settings = policy.protocols.get(s.protocol)?;
    let forbidden = NEVER_PORTS.iter().any(|row| row.ports.contains(&s.port));
    if !in_scope
        || last_of(defaults)
        || last_of(&policy.monitor)
        || !settings.enabled
        || (!settings.ports.contains(&s.port) && belongs_to_another(policy, s.port))
        || policy.never_ports.contains(&s.port)
        || forbidden
    {
        return None;
    }
    let rules: Vec<&Then> =
        policy.rules.iter().filter(|r| about(&r.when, s)).map(|r| &r.then).collect();
    if rules.iter().find_map(|then| then.skip) == Some(true) {
        return None;
    }
    let level = rules.iter().find_map(|then| then.level).unwrap_or(settings.level);
    let consents = known(s.protocol)?.consents.iter().map(|consent| consent.name.to_owned());
    let given = consents.filter(|name| {
        for then in &rules {
            if then.deny.contains(name) {
                return false;
            }
            if then.allow.contains(name) {
                return true;
            }
        }
        settings.allow.contains(name)
    });
    Some((level, given.collect()))
}

fn belongs_to_another(policy: &Policy, port: u16) -> bool {
    KNOWN.iter().any(|known| known.default_port == port)
        || policy.protocols.values().any(|settings| settings.ports.contains(&port))
}

fn about(when: &When, s: &Subject<'_>) -> bool {
    let text = |pattern: &Option<String>, text: Option<&str>| match (pattern, text) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(pattern), Some(text)) => {
            let (p, t) = (pattern.to_lowercase(), text.to_lowercase());
            match p.as_str() {
                "*" => true,
                "a*" => t.starts_with('a'),
                "*b" => t.ends_with('b'),
                "siemens*" => t.starts_with("siemens"),
                exact => exact == t,
            }
        }
    };
    when.zone.as_deref().is_none_or(|zone| zone == s.zone)
        && when.network.is_none_or(|net| net.contains(&s.address))
        && when.port.is_none_or(|port| port == s.port)
        && when.protocol.as_deref().is_none_or(|protocol| protocol == s.protocol)
        && text(&when.vendor, s.vendor)
        && text(&when.model, s.model)
}

proptest! {
    #[test]
    fn a_policy_written_and_read_is_the_same_policy(policy in policy()) {
        prop_assert_eq!(policy.check(), Ok(()));
        prop_assert_eq!(&Policy::from_toml(&policy.to_toml().unwrap()).unwrap(), &policy);
        let json = policy.to_json().unwrap();
        prop_assert_eq!(&Policy::from_json(&json).unwrap(), &policy);
        prop_assert_eq!(&serde_json::from_str::<Policy>(&json).unwrap(), &policy);
    }

    #[test]
    fn decide_agrees_with_a_naive_reading_of_the_policy(policy in policy(), named in named()) {
        let subject = subject(named);
        let decision = policy.decide(&subject);
        let got = decision.permitted.then(|| {
            let in_order = known(subject.protocol).unwrap().consents.iter();
            let given = in_order.filter(|consent| decision.consents.contains(consent.name));
            (decision.level, given.map(|consent| consent.name.to_owned()).collect::<Vec<_>>())
        });
        prop_assert_eq!(got, naive(&policy, &subject));
        let unit_0 = decision.consents.contains("unit_0");
        prop_assert!(unit_0 || !decision.units.contains(&0));
    }

    #[test]
    fn explain_never_disagrees_with_decide(policy in policy(), named in named()) {
        let subject = subject(named);
        let (decision, explanation) = (policy.decide(&subject), policy.explain(&subject));
        let text = explanation.to_string();
        let verdict = if decision.permitted { "may be asked" } else { "is left alone" };
        prop_assert!(text.lines().next().unwrap().contains(verdict));
        for reason in &decision.because {
            let line = format!("  {reason}");
            prop_assert!(text.lines().any(|l| l == line), "{}\n{}", text, line);
        }
        if decision.permitted {
            let line = format!("level: {}, ", decision.level);
            prop_assert!(text.contains(&line));
            for consent in known(subject.protocol).unwrap().consents {
                let word = if decision.consents.contains(consent.name) { "yes" } else { "no" };
                let line = format!("allow.{}: {word}, ", consent.name);
                prop_assert!(text.contains(&line));
            }
        }
        prop_assert_eq!(explanation.decision, decision);
    }

    #[test]
    fn no_vendor_or_model_gets_past_the_upper_bound(policy in policy(), named in named()) {
        let s = subject(named);
        let decision = policy.decide(&s);
        let bound = policy.upper_bound(s.zone, s.address, s.protocol, s.port);
        prop_assert!(bound.permitted || !decision.permitted);
        prop_assert!(!decision.permitted || decision.level <= bound.level);
        prop_assert!(decision.consents.is_subset(&bound.consents));
        prop_assert!(decision.units.iter().all(|unit| bound.units.contains(unit)));
    }

    #[test]
    fn a_damaged_policy_is_an_error_or_a_policy_never_a_panic(
        policy in policy(),
        place in any::<proptest::sample::Index>(),
        scrap in "[-a-z0-9\"\\[\\]{}=.,: \n]{0,3}",
        json in any::<bool>(),
    ) {
        let text = if json { policy.to_json() } else { policy.to_toml() }.unwrap();
        let mut letters: Vec<char> = text.chars().collect();
        let place = place.index(letters.len());
        letters.splice(place..(place + scrap.len()).min(letters.len()), scrap.chars());
        let damaged: String = letters.into_iter().collect();
        let read = if json { Policy::from_json(&damaged) } else { Policy::from_toml(&damaged) };
        if let Ok(policy) = read {
            prop_assert_eq!(policy.check(), Ok(()));
        }
    }
}
