//! Whether a policy makes sense: ranges, names that exist, statements that do not contradict.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::known::{known, never_ports};
use super::{KNOWN, KnownProtocol, Policy, PolicyError, Profile, ProtocolPolicy, Rule, Then, When};

type Checked = Result<(), PolicyError>;

impl Policy {
    /// Whether this policy can be used. Policies read from a file have passed it.
    ///
    /// # Errors
    /// Names the first key that is out of range, names something that does not exist, or
    /// contradicts another.
    pub fn check(&self) -> Result<(), PolicyError> {
        if self.profile == Profile::Lab && !cfg!(feature = "lab") {
            return Err(PolicyError::NeedsLabFeature { key: "profile".to_owned() });
        }
        self.check_networks()?;
        check_ports("never_ports", &self.never_ports)?;
        self.limits.check().map_err(|error| error.under("limits"))?;
        self.check_protocols()?;
        self.check_rules()?;
        for (i, window) in self.windows.iter().enumerate() {
            window.check().map_err(|error| error.under(&format!("window[{i}]")))?;
        }
        Ok(())
    }

    fn check_networks(&self) -> Checked {
        for (key, networks) in [("monitor", &self.monitor), ("exclude", &self.exclude)] {
            for (i, network) in networks.iter().enumerate() {
                check_network(&format!("{key}[{i}]"), network)?;
            }
        }
        if !self.monitor_defaults && self.monitor.is_empty() {
            let why = "no network is monitored at all; name some in `monitor`";
            return Err(PolicyError::contradiction("monitor_defaults", &false, why));
        }
        Ok(())
    }

    fn check_protocols(&self) -> Checked {
        let missing = KNOWN.iter().find(|known| !self.protocols.contains_key(known.name));
        if let Some(missing) = missing {
            let key = format!("protocols.{}", missing.name);
            let expected = "set enabled = false to switch a protocol off";
            return Err(PolicyError::Missing { key, expected });
        }
        for (name, settings) in &self.protocols {
            let Some(known) = known(name) else {
                return Err(PolicyError::unknown_key(name, &protocol_names()).under("protocols"));
            };
            let checked = self.check_protocol(known, settings);
            checked.map_err(|error| error.under(&format!("protocols.{name}")))?;
        }
        self.check_ports_are_shared_out()
    }

    fn check_protocol(&self, known: &KnownProtocol, settings: &ProtocolPolicy) -> Checked {
        check_ports("ports", &settings.ports)?;
        for port in &settings.ports {
            self.check_port_may_be_opened(*port, settings.enabled)?;
        }
        if settings.enabled && settings.ports.is_empty() {
            let why = "the protocol is on but has no port; set enabled = false to switch it off";
            return Err(PolicyError::contradiction("ports", &"[]", why));
        }
        check_consents("allow", &settings.allow, known.consents.iter())?;
        if !settings.units.is_empty() && !known.has_units {
            return Err(no_units("units", &settings.units, known.name));
        }
        self.check_outstations(known, settings)?;
        self.check_units("units", &settings.units)
    }

    fn check_outstations(&self, known: &KnownProtocol, settings: &ProtocolPolicy) -> Checked {
        let ProtocolPolicy { outstations, master, .. } = settings;
        let named = [("outstations", outstations.first()), ("master", master.as_ref())];
        for (key, first) in named {
            if let Some(first) = first.filter(|_| !known.has_outstations) {
                let why = format!("{} has no link addresses", known.name);
                return Err(PolicyError::contradiction(key, first, why));
            }
        }
        if let Some(address) = outstations.iter().chain(master).find(|address| **address > 65_519) {
            let why = "link addresses above 65519 are reserved";
            return Err(PolicyError::contradiction("outstations", address, why));
        }
        let most = self.limits.units_per_gateway;
        if u32::try_from(outstations.len()).is_ok_and(|count| count <= most) {
            return Ok(());
        }
        let why = format!("more outstations than limits.units_per_gateway ({most}) allows");
        Err(PolicyError::contradiction("outstations", &format!("{outstations:?}"), why))
    }

    fn check_port_may_be_opened(&self, port: u16, enabled: bool) -> Checked {
        if let Some(row) = never_ports(port) {
            let why = format!("this port is never touched, {} listen there", row.why);
            return Err(PolicyError::contradiction("ports", &port, why));
        }
        if enabled && self.never_ports.contains(&port) {
            let why = "`never_ports` forbids this port";
            return Err(PolicyError::contradiction("ports", &port, why));
        }
        Ok(())
    }

    /// A port gets only its own protocol, and a device is not tried on too many.
    fn check_ports_are_shared_out(&self) -> Checked {
        let mut owners: BTreeMap<u16, &str> = BTreeMap::new();
        for (name, settings) in self.protocols.iter().filter(|(_, settings)| settings.enabled) {
            for port in &settings.ports {
                let owner = owners.insert(*port, name).filter(|owner| owner != name);
                if let Some(owner) = owner {
                    let key = format!("protocols.{name}.ports");
                    let why = format!("`protocols.{owner}` has this port already, switch one off");
                    return Err(PolicyError::contradiction(&key, &port, why));
                }
            }
        }
        let most = self.limits.ports_per_device;
        if u32::try_from(owners.len()).is_ok_and(|ports| ports <= most) {
            return Ok(());
        }
        let why = format!("the enabled protocols have {} ports, switch some off", owners.len());
        Err(PolicyError::contradiction("limits.ports_per_device", &most, why))
    }

    fn check_rules(&self) -> Checked {
        let mut names = BTreeSet::new();
        for (i, rule) in self.rules.iter().enumerate() {
            let place = format!("rule[{i}]");
            if !names.insert(&rule.name) {
                let why = "another rule has this name already";
                return Err(PolicyError::contradiction("name", &rule.name, why).under(&place));
            }
            self.check_rule(rule).map_err(|error| error.under(&place))?;
        }
        Ok(())
    }

    fn check_rule(&self, rule: &Rule) -> Checked {
        if rule.name.trim().is_empty() {
            let (key, expected) = ("name".to_owned(), "every rule has a name");
            return Err(PolicyError::Missing { key, expected });
        }
        check_when(&rule.when).map_err(|error| error.under("when"))?;
        let then = check_then(&rule.then, rule.when.protocol.as_deref());
        then.map_err(|error| error.under("then"))?;
        self.check_units("then.units", rule.then.units.as_deref().unwrap_or_default())
    }

    fn check_units(&self, key: &str, units: &[u8]) -> Checked {
        // Modbus over Serial Line V1.02, clause 2.2: 248 to 255 are reserved; 255 is used for the
        // gateway itself.
        if let Some(unit) = units.iter().find(|unit| (248..=254).contains(*unit)) {
            let why = "units 248 to 254 are reserved, use 0 to 247 or 255";
            return Err(PolicyError::contradiction(key, unit, why));
        }
        let most = self.limits.units_per_gateway;
        if u32::try_from(units.len()).is_ok_and(|count| count <= most) {
            return Ok(());
        }
        let why = format!("more units than limits.units_per_gateway ({most}) allows");
        Err(PolicyError::contradiction(key, &format!("{units:?}"), why))
    }
}

fn check_when(when: &When) -> Checked {
    if let Some(network) = &when.network {
        check_network("network", network)?;
    }
    if let Some(port) = when.port {
        check_ports("port", &[port])?;
    }
    if let Some(protocol) = &when.protocol
        && known(protocol).is_none()
    {
        let names = ("protocol", &*protocol_names());
        return Err(PolicyError::unknown_name("protocol", protocol, names));
    }
    check_pattern("vendor", when.vendor.as_deref())?;
    check_pattern("model", when.model.as_deref())
}

fn check_then(then: &Then, protocol: Option<&str>) -> Checked {
    let nothing = Then::default();
    if *then == nothing {
        let why = "the rule changes nothing; set skip, level, allow, deny or units";
        return Err(PolicyError::contradiction("skip", &"nothing", why));
    }
    if then.skip == Some(true) && *then != (Then { skip: Some(true), ..nothing }) {
        let why = "a rule that skips a device can set nothing else";
        return Err(PolicyError::contradiction("skip", &true, why));
    }
    let protocols = || KNOWN.iter().filter(|known| protocol.is_none_or(|name| name == known.name));
    for (key, consents) in [("allow", &then.allow), ("deny", &then.deny)] {
        let known = protocols().flat_map(|known| known.consents);
        check_consents(key, consents, known)?;
    }
    if let Some(units) = &then.units
        && !protocols().any(|known| known.has_units)
    {
        return Err(no_units("units", units, protocol.unwrap_or_default()));
    }
    Ok(())
}

fn check_network(key: &str, network: &IpNet) -> Checked {
    let truncated = network.trunc();
    if truncated != *network {
        let address = network.addr();
        let why = format!(
            "the address is no start of a network, use {truncated} or {address}/{}",
            network.max_prefix_len()
        );
        return Err(PolicyError::contradiction(key, network, why));
    }
    if let IpNet::V6(v6) = network
        && v6.prefix_len() >= 96
        && v6.addr().to_ipv4_mapped().is_some()
    {
        let why = "IPv4 in IPv6 clothes matches nothing, write the IPv4 network";
        return Err(PolicyError::contradiction(key, network, why));
    }
    Ok(())
}

fn check_ports(key: &str, ports: &[u16]) -> Checked {
    let (min, max) = (1, u64::from(u16::MAX));
    if ports.contains(&0) {
        let (key, value) = (key.to_owned(), "0".to_owned());
        return Err(PolicyError::OutOfRange { key, value, min, max });
    }
    Ok(())
}

fn check_consents<'a>(
    key: &str,
    consents: &[String],
    known: impl Iterator<Item = &'a super::Consent>,
) -> Checked {
    let names: Vec<&str> = known.map(|consent| consent.name).collect();
    let Some(stranger) = consents.iter().find(|name| !names.contains(&name.as_str())) else {
        return Ok(());
    };
    Err(PolicyError::unknown_name(key, stranger, ("consent", &names)))
}

fn check_pattern(key: &str, pattern: Option<&str>) -> Checked {
    let Some(pattern) = pattern else { return Ok(()) };
    let start = pattern.strip_prefix('*').unwrap_or(pattern);
    let middle = start.strip_suffix('*').unwrap_or(start);
    if !pattern.is_empty() && !middle.contains('*') {
        return Ok(());
    }
    Err(PolicyError::Unreadable {
        key: key.to_owned(),
        value: format!("{pattern:?}"),
        expected: "some text, with * only at its ends".to_owned(),
    })
}

fn no_units(key: &str, units: &[u8], protocol: &str) -> PolicyError {
    let why = format!("{protocol} has no units behind a gateway");
    PolicyError::contradiction(key, &format!("{units:?}"), why)
}

fn protocol_names() -> Vec<&'static str> {
    KNOWN.iter().map(|known| known.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::policy::Window;

    #[track_caller]
    fn complaint(policy: &Policy) -> String {
        policy.check().unwrap_err().to_string()
    }

    #[track_caller]
    fn in_file(toml: &str) -> String {
        Policy::from_toml(toml).unwrap_err().to_string()
    }

    #[test]
    fn every_profile_is_a_valid_policy() {
        assert_eq!(Policy::gentle().check(), Ok(()));
        assert_eq!(Policy::careful().check(), Ok(()));
        #[cfg(feature = "lab")]
        assert_eq!(Policy::lab().check(), Ok(()));
    }

    #[test]
    fn the_laboratory_profile_needs_its_feature() {
        let read = Policy::from_toml("profile = \"lab\"").map_err(|error| error.to_string());
        if cfg!(feature = "lab") {
            assert_eq!(read.map(|policy| policy.limits.device_packets_per_s), Ok(20));
        } else {
            let expected = "profile = \"lab\": this build has no laboratory profile, build with \
                            the feature `lab`";
            assert_eq!(read, Err(expected.to_owned()));
        }
    }

    #[test]
    fn a_port_that_is_never_touched_goes_to_no_protocol() {
        for row in crate::gate::policy::NEVER_PORTS {
            for port in [*row.ports.start(), *row.ports.end()] {
                let text = complaint(&Policy::gentle().protocol("modbus", |p| p.port(port)));
                let start = format!("protocols.modbus.ports = {port}: this port is never touched");
                assert!(text.starts_with(&start), "{text}");
            }
        }
        let text = in_file("never_ports = [102]");
        assert_eq!(text, "protocols.s7.ports = 102: `never_ports` forbids this port");
        let off = "never_ports = [102]\nprotocols.s7.enabled = false";
        assert!(Policy::from_toml(off).is_ok());
    }

    #[test]
    fn a_port_gets_only_its_own_protocol() {
        let text = in_file("protocols.s7.ports = [502]");
        let expected = "protocols.s7.ports = 502: `protocols.modbus` has this port already, \
                        switch one off";
        assert_eq!(text, expected);
    }

    #[test]
    fn contradictions_name_the_key_and_the_way_out() {
        for (toml, expected) in [
            (
                "limits.gateway_response_timeout_ms = 2000",
                "limits.gateway_response_timeout_ms = 2000: must not be shorter than",
            ),
            ("limits.ports_per_device = 3", "limits.ports_per_device = 3: the enabled protocols"),
            ("monitor_defaults = false", "monitor_defaults = false: no network is monitored"),
            ("protocols.s7.ports = []", "protocols.s7.ports = []: the protocol is on but has no"),
            ("protocols.s7.ports = [0]", "protocols.s7.ports[0] = 0: out of range"),
            ("protocols.s7.units = [1]", "protocols.s7.units = [1]: s7 has no units"),
            ("protocols.s7.master = 1", "protocols.s7.master = 1: s7 has no link addresses"),
            (
                "limits.units_per_gateway = 1\nprotocols.dnp3.outstations = [1, 2]",
                "protocols.dnp3.outstations = [1, 2]: more outstations than \
                 limits.units_per_gateway (1)",
            ),
            (
                "protocols.bacnet.allow = [\"umas\"]",
                "protocols.bacnet.allow = \"umas\": no such consent, known are routed, bbmd, reply_port, broadcast",
            ),
            ("protocols.modbus.units = [248]", "protocols.modbus.units = 248: units 248 to 254"),
            (
                "limits.units_per_gateway = 1\nprotocols.modbus.units = [1, 2]",
                "protocols.modbus.units = [1, 2]: more units than limits.units_per_gateway (1)",
            ),
            (
                "[[rule]]\nname = \"a\"\nthen = { skip = true, level = \"state\" }",
                "rule[0].then.skip = true: a rule that skips a device can set nothing else",
            ),
            ("[[rule]]\nname = \"a\"\nthen = {}", "rule[0].then.skip = nothing: the rule changes"),
            ("[[rule]]\nname = \"a\"", "rule[0].then is missing: every rule says what"),
            ("[[rule]]\nthen = { skip = true }", "rule[0].name is missing: every rule has a name"),
            (
                "[[rule]]\nname = \"a\"\nwhen = { protocol = \"s7\" }\nthen = { units = [1] }",
                "rule[0].then.units = [1]: s7 has no units behind a gateway",
            ),
            (
                "[[rule]]\nname = \"a\"\nwhen = { protocol = \"s77\" }\nthen = { skip = true }",
                "rule[0].when.protocol = \"s77\": no such protocol, did you mean `s7`?",
            ),
            (
                "[[rule]]\nname = \"a\"\nwhen = { model = \"a*b\" }\nthen = { skip = true }",
                "rule[0].when.model = \"a*b\": expected some text, with * only at its ends",
            ),
            (
                "[[window]]\nfrom = \"01:00\"\nto = \"02:00\"\ndays = []",
                "window[0].days = []: names no day",
            ),
            (
                "[[window]]\nfrom = \"01:00\"\nto = \"02:00\"\nzone = \"Mars/Base\"",
                "window[0].zone = \"Mars/Base\": unknown time zone",
            ),
        ] {
            let text = in_file(toml);
            assert!(text.starts_with(expected), "{text}");
        }
    }

    #[test]
    fn a_network_that_could_mean_two_things_is_refused() {
        let text = in_file("exclude = [\"10.20.9.7/24\"]");
        let expected = "exclude[0] = 10.20.9.7/24: the address is no start of a network, use \
                        10.20.9.0/24 or 10.20.9.7/32";
        assert_eq!(text, expected);
        let text = in_file("exclude = [\"::ffff:10.20.9.0/120\"]");
        assert!(text.starts_with("exclude[0] = ::ffff:10.20.9.0/120: IPv4 in IPv6"), "{text}");
    }

    #[test]
    fn a_policy_built_in_code_gets_the_same_errors() {
        let mut policy = Policy::gentle();
        policy.limits.device_packets_per_s = 21;
        let expected = "limits.device_packets_per_s = 21: out of range, allowed is 4 to 20";
        assert_eq!(complaint(&policy), expected);
        assert_eq!(policy.to_toml().unwrap_err().to_string(), expected);

        let text = complaint(&Policy::gentle().protocol("modbsu", ProtocolPolicy::on));
        assert_eq!(text, "protocols.modbsu: unknown key, did you mean `modbus`?");

        let mut policy = Policy::gentle();
        policy.protocols.remove("s7");
        assert!(complaint(&policy).starts_with("protocols.s7 is missing"));

        let never = Window::daily("01:00", "02:00", "UTC").unwrap().on([]);
        let text = complaint(&Policy::gentle().window(never));
        assert!(text.starts_with("window[0].days = []: names no day"), "{text}");
    }

    #[test]
    fn two_rules_cannot_share_a_name() {
        let then = || Then { skip: Some(true), ..Then::default() };
        let rule = || Rule { name: "a".into(), when: When::default(), then: then() };
        let text = complaint(&Policy::gentle().rule(rule()).rule(rule()));
        assert_eq!(text, "rule[1].name = a: another rule has this name already");
    }

    #[test]
    fn reserved_link_addresses_are_refused_and_the_last_one_below_them_is_not() {
        let with = |address| {
            Policy::gentle().protocol("dnp3", |dnp3| dnp3.outstation(address).master(address))
        };
        assert_eq!(with(65_519).check(), Ok(()));
        assert!(complaint(&with(65_520)).contains("65520"));
    }
}
