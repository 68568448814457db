//! Policies as TOML and JSON, both ways.

use std::path::Path;

use ipnet::IpNet;
use jiff::civil::Weekday;
use serde::{Deserialize, Deserializer};

use super::tree::{Node, Table, Tree};
use super::window::DAYS;
use super::{KNOWN, Policy, PolicyError, Profile, ProtocolPolicy, Rule, Then, When, Window};
use crate::safety::Level;

const POLICY: &[&str] = &[
    "profile",
    "monitor_defaults",
    "monitor",
    "exclude",
    "never_ports",
    "limits",
    "protocols",
    "rule",
    "window",
];
const PROTOCOL: &[&str] = &["enabled", "ports", "level", "allow", "units", "outstations", "master"];
const RULE: &[&str] = &["name", "when", "then"];
const WHEN: &[&str] = &["zone", "network", "port", "protocol", "vendor", "model"];
const THEN: &[&str] = &["skip", "level", "allow", "deny", "units"];
const WINDOW: &[&str] = &["days", "from", "to", "zone"];

impl Policy {
    /// Reads a policy written as TOML. What it does not say is as in its profile, and the profile
    /// is `gentle` unless it says otherwise.
    ///
    /// # Errors
    /// Names the first key that is unknown, unreadable, out of range or contradicts another.
    pub fn from_toml(text: &str) -> Result<Self, PolicyError> {
        let tree: Tree = toml::from_str(text).map_err(|error| {
            let line = error.span().and_then(|span| text.get(..span.start));
            let line = line.map_or(1, |before| before.matches('\n').count() + 1);
            syntax("TOML", format!("line {line}: {}", error.message()))
        })?;
        Self::from_tree(&tree)
    }

    /// Reads a policy written as JSON, with the same keys as TOML.
    ///
    /// # Errors
    /// As for [`from_toml`](Self::from_toml).
    pub fn from_json(text: &str) -> Result<Self, PolicyError> {
        let tree: Tree =
            serde_json::from_str(text).map_err(|error| syntax("JSON", error.to_string()))?;
        Self::from_tree(&tree)
    }

    /// Reads a policy from a file whose name ends in `.toml` or `.json`.
    ///
    /// # Errors
    /// If the file cannot be read, has another ending, or as for [`from_toml`](Self::from_toml).
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, PolicyError> {
        let path = path.as_ref();
        let refuse =
            |detail: String| PolicyError::File { path: path.display().to_string(), detail };
        let read = || std::fs::read_to_string(path).map_err(|error| refuse(error.to_string()));
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("toml") => Self::from_toml(&read()?),
            Some("json") => Self::from_json(&read()?),
            _ => Err(refuse("its name must end in .toml or .json".to_owned())),
        }
    }

    /// The whole policy as TOML; reading it gives the same policy.
    ///
    /// # Errors
    /// If [`check`](Self::check) finds something wrong.
    pub fn to_toml(&self) -> Result<String, PolicyError> {
        self.check()?;
        toml::to_string(self).map_err(|error| syntax("TOML", error.to_string()))
    }

    /// The whole policy as JSON; reading it gives the same policy.
    ///
    /// # Errors
    /// If [`check`](Self::check) finds something wrong.
    pub fn to_json(&self) -> Result<String, PolicyError> {
        self.check()?;
        serde_json::to_string_pretty(self).map_err(|error| syntax("JSON", error.to_string()))
    }

    fn from_tree(tree: &Tree) -> Result<Self, PolicyError> {
        let table = Node::root(&tree.0).table(POLICY)?;
        let profile = table.read("profile", profile)?.unwrap_or_default();
        let mut policy = Self::of(profile);
        read_networks(&mut policy, &table)?;
        if let Some(limits) = table.at("limits") {
            for (key, node) in limits.any_table()?.entries() {
                let facts = super::limits::facts(key).map_err(|error| error.under("limits"))?;
                policy.limits.set(key, node.number(facts.min, facts.max)?)?;
            }
        }
        if let Some(protocols) = table.at("protocols") {
            let names: Vec<&str> = KNOWN.iter().map(|known| known.name).collect();
            for (name, node) in protocols.table(&names)?.entries() {
                if let Some(settings) = policy.protocols.get_mut(name) {
                    read_protocol(settings, node)?;
                }
            }
        }
        policy.rules = table.read("rule", |node| each(node, rule))?.unwrap_or_default();
        policy.windows = table.read("window", |node| each(node, window))?.unwrap_or_default();
        policy.check()?;
        Ok(policy)
    }
}

impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let tree = Tree::deserialize(deserializer)?;
        Self::from_tree(&tree).map_err(serde::de::Error::custom)
    }
}

fn syntax(format: &'static str, detail: String) -> PolicyError {
    PolicyError::Syntax { format, detail }
}

fn each<'a, T>(
    node: Node<'a>,
    read: impl FnMut(Node<'a>) -> Result<T, PolicyError>,
) -> Result<Vec<T>, PolicyError> {
    node.list()?.into_iter().map(read).collect()
}

fn read_networks(policy: &mut Policy, table: &Table<'_>) -> Result<(), PolicyError> {
    if let Some(defaults) = table.read("monitor_defaults", Node::flag)? {
        policy.monitor_defaults = defaults;
    }
    let networks = |key| table.read(key, |node| each(node, network));
    policy.monitor = networks("monitor")?.unwrap_or_default();
    policy.exclude = networks("exclude")?.unwrap_or_default();
    policy.never_ports = table.read("never_ports", ports)?.unwrap_or_default();
    Ok(())
}

fn read_protocol(settings: &mut ProtocolPolicy, node: Node<'_>) -> Result<(), PolicyError> {
    let table = node.table(PROTOCOL)?;
    if let Some(enabled) = table.read("enabled", Node::flag)? {
        settings.enabled = enabled;
    }
    if let Some(ports) = table.read("ports", ports)? {
        settings.ports = ports;
    }
    if let Some(level) = table.read("level", level)? {
        settings.level = level;
    }
    settings.allow = table.read("allow", Node::texts)?.unwrap_or_default();
    settings.units = table.read("units", units)?.unwrap_or_default();
    settings.outstations = table.read("outstations", outstations)?.unwrap_or_default();
    settings.master = table.read("master", outstation)?;
    Ok(())
}

fn rule(node: Node<'_>) -> Result<Rule, PolicyError> {
    let table = node.table(RULE)?;
    let missing = |key: &str, expected| PolicyError::Missing {
        key: format!("{}.{key}", table.path),
        expected,
    };
    let name = table.read("name", Node::text)?;
    let name = name.ok_or_else(|| missing("name", "every rule has a name"))?.to_owned();
    let when = table.read("when", when)?.unwrap_or_default();
    let then = table.read("then", then)?;
    let then = then.ok_or_else(|| missing("then", "every rule says what it changes"))?;
    Ok(Rule { name, when, then })
}

fn when(node: Node<'_>) -> Result<When, PolicyError> {
    let table = node.table(WHEN)?;
    let text = |key| table.read(key, |node| node.text().map(str::to_owned));
    Ok(When {
        zone: text("zone")?,
        network: table.read("network", network)?,
        port: table.read("port", |node| node.number(1, 65535))?,
        protocol: text("protocol")?,
        vendor: text("vendor")?,
        model: text("model")?,
    })
}

fn then(node: Node<'_>) -> Result<Then, PolicyError> {
    let table = node.table(THEN)?;
    Ok(Then {
        skip: table.read("skip", Node::flag)?,
        level: table.read("level", level)?,
        allow: table.read("allow", Node::texts)?.unwrap_or_default(),
        deny: table.read("deny", Node::texts)?.unwrap_or_default(),
        units: table.read("units", units)?,
    })
}

fn window(node: Node<'_>) -> Result<Window, PolicyError> {
    let table = node.table(WINDOW)?;
    let needed = |key: &str| {
        let expected = "a window opens at `from` and closes at `to`";
        let missing = PolicyError::Missing { key: format!("{}.{key}", table.path), expected };
        table.at(key).ok_or(missing)?.text()
    };
    let (from, to) = (needed("from")?, needed("to")?);
    let zone = table.read("zone", Node::text)?.unwrap_or("UTC");
    let window = Window::daily(from, to, zone).map_err(|error| error.under(&table.path))?;
    let days = table.read("days", |node| each(node, day))?;
    Ok(match days {
        Some(days) => window.on(days),
        None => window,
    })
}

/// Stricter than `IpNet`'s own parser, which takes `010.0.0.0/8`: others read that as octal.
fn network(node: Node<'_>) -> Result<IpNet, PolicyError> {
    let parts = node.value.as_str().and_then(|text| text.split_once('/'));
    let parsed = parts.and_then(|(address, length)| {
        let plain = length.bytes().all(|byte| byte.is_ascii_digit())
            && (length == "0" || !length.starts_with('0'));
        let length = length.parse().ok().filter(|_| plain)?;
        IpNet::new(address.parse().ok()?, length).ok()
    });
    let expected = "a network such as \"10.20.0.0/16\", one address ends in /32 or /128";
    parsed.ok_or_else(|| node.unreadable(expected))
}

fn ports(node: Node<'_>) -> Result<Vec<u16>, PolicyError> {
    each(node, |port| port.number(1, 65535))
}

fn units(node: Node<'_>) -> Result<Vec<u8>, PolicyError> {
    each(node, |unit| unit.number(0, 255))
}

fn outstations(node: Node<'_>) -> Result<Vec<u16>, PolicyError> {
    each(node, outstation)
}

/// The addresses above are reserved (IEEE 1815-2012, clause 9.2.4.1.2.6).
fn outstation(node: Node<'_>) -> Result<u16, PolicyError> {
    node.number(0, 65_519)
}

fn profile(node: Node<'_>) -> Result<Profile, PolicyError> {
    let names: Vec<(&str, Profile)> = Profile::ALL.map(|profile| (profile.name(), profile)).into();
    named(node, "profile", &names)
}

fn level(node: Node<'_>) -> Result<Level, PolicyError> {
    let names: Vec<(&str, Level)> = Level::ALL.map(|level| (level.name(), level)).into();
    named(node, "level", &names)
}

fn day(node: Node<'_>) -> Result<Weekday, PolicyError> {
    named(node, "day", &DAYS)
}

fn named<T: Copy>(
    node: Node<'_>,
    what: &'static str,
    names: &[(&'static str, T)],
) -> Result<T, PolicyError> {
    let path = node.path.clone();
    let text = node.text()?;
    let hit = names.iter().find(|(name, _)| *name == text);
    hit.map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        PolicyError::unknown_name(&path, text, (what, &known))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn complaint(toml: &str) -> String {
        Policy::from_toml(toml).unwrap_err().to_string()
    }

    #[test]
    fn an_empty_file_is_the_gentle_policy() {
        assert_eq!(Policy::from_toml("").unwrap(), Policy::gentle());
        assert_eq!(Policy::from_json("{}").unwrap(), Policy::gentle());
    }

    #[test]
    fn a_value_of_the_wrong_kind_anywhere_is_named_with_its_place() {
        for (toml, place) in [
            ("profile = 1", "profile"),
            ("profile = 'bold'", "profile"),
            ("monitor_defaults = 'no'", "monitor_defaults"),
            ("monitor = '10.0.0.0/8'", "monitor"),
            ("monitor = ['10.0.0.0']", "monitor"),
            ("exclude = [7]", "exclude"),
            ("exclude = ['10.0.0.0/33']", "exclude"),
            ("never_ports = 80", "never_ports"),
            ("never_ports = [0]", "never_ports"),
            ("limits = 1", "limits"),
            ("limits.device_packets_per_s = 'few'", "limits.device_packets_per_s"),
            ("protocols = 1", "protocols"),
            ("protocols.modbus = true", "protocols.modbus"),
            ("protocols.modbus.enabled = 1", "protocols.modbus.enabled"),
            ("protocols.modbus.ports = [70000]", "protocols.modbus.ports"),
            ("protocols.modbus.level = 3", "protocols.modbus.level"),
            ("protocols.modbus.allow = 'umas'", "protocols.modbus.allow"),
            ("protocols.modbus.units = [256]", "protocols.modbus.units"),
            ("protocols.dnp3.outstations = [65520]", "protocols.dnp3.outstations"),
            ("protocols.dnp3.master = 'first'", "protocols.dnp3.master"),
            ("rule = 1", "rule"),
            ("rule = [1]", "rule"),
            ("rule = [{ name = 1 }]", "name"),
            ("rule = [{ then = { skip = true } }]", "name"),
            ("rule = [{ name = 'a' }]", "then"),
            ("rule = [{ name = 'a', when = 1 }]", "when"),
            ("rule = [{ name = 'a', when = { zone = 1 } }]", "when.zone"),
            ("rule = [{ name = 'a', when = { network = 'x' } }]", "when.network"),
            ("rule = [{ name = 'a', when = { port = 0 } }]", "when.port"),
            ("rule = [{ name = 'a', when = { protocol = 1 } }]", "when.protocol"),
            ("rule = [{ name = 'a', when = { vendor = 1 } }]", "when.vendor"),
            ("rule = [{ name = 'a', when = { model = 1 } }]", "when.model"),
            ("rule = [{ name = 'a', then = 1 }]", "then"),
            ("rule = [{ name = 'a', then = { skip = 1 } }]", "then.skip"),
            ("rule = [{ name = 'a', then = { level = 'all' } }]", "then.level"),
            ("rule = [{ name = 'a', then = { allow = 1 } }]", "then.allow"),
            ("rule = [{ name = 'a', then = { deny = 1 } }]", "then.deny"),
            ("rule = [{ name = 'a', then = { units = 1 } }]", "then.units"),
            ("window = 1", "window"),
            ("window = [1]", "window"),
            ("window = [{ to = '05:00' }]", "from"),
            ("window = [{ from = '22:00' }]", "to"),
            ("window = [{ from = 22, to = '05:00' }]", "from"),
            ("window = [{ from = '22:00', to = '05:00', zone = 1 }]", "zone"),
            ("window = [{ from = '25:00', to = '05:00' }]", "window"),
            ("window = [{ from = '22:00', to = '05:00', days = 'sat' }]", "days"),
            ("window = [{ from = '22:00', to = '05:00', days = ['holiday'] }]", "days"),
        ] {
            let said = complaint(toml);
            assert!(said.contains(place), "{toml}: {said}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_and_one_that_is_no_policy_say_so() {
        let folder = std::env::temp_dir().join(format!("otcore-no-policy-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (toml, json) = (folder.join("plant.toml"), folder.join("plant.json"));
        let complaint = |path: &Path| Policy::from_file(path).unwrap_err().to_string();
        assert!(complaint(&toml).contains("plant.toml"));
        assert!(complaint(&json).contains("plant.json"));
        assert!(complaint(&folder.join("plant.yaml")).contains("must end in .toml or .json"));
        std::fs::write(&toml, "profile = 'careful'").unwrap();
        std::fs::write(&json, r#"{"profile": "careful"}"#).unwrap();
        let careful = Policy::of(Profile::Careful);
        assert_eq!(Policy::from_file(&toml).unwrap(), careful);
        assert_eq!(Policy::from_file(&json).unwrap(), careful);
        std::fs::write(&json, "[").unwrap();
        assert!(Policy::from_file(&json).is_err());
        assert!(Policy::from_json("7").unwrap_err().to_string().contains("table"));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_policy_that_contradicts_itself_is_not_written() {
        let mut policy = Policy::gentle();
        policy.limits.device_packets_per_s = 0;
        assert!(policy.to_toml().is_err() && policy.to_json().is_err());
    }

    #[test]
    fn everything_a_file_can_say_is_understood() {
        let policy = Policy::from_toml(
            r#"
            profile = "careful"
            monitor_defaults = false
            monitor = ["203.0.113.0/24"]
            exclude = ["203.0.113.128/25"]
            never_ports = [8080]

            [limits]
            device_packets_per_s = 4

            [protocols.modbus]
            ports = [502, 503]
            level = "structure"
            allow = ["umas"]
            units = [255, 1]

            [[rule]]
            name = "meters"
            when = { network = "203.0.113.0/26", model = "PM*" }
            then = { level = "identify", allow = ["sweep"], deny = ["umas"], units = [1, 2] }

            [[window]]
            days = ["sat", "sun"]
            from = "22:00"
            to = "05:00"
            zone = "Europe/Berlin"
            "#,
        )
        .unwrap();
        let meters = Rule {
            name: "meters".into(),
            when: When {
                network: "203.0.113.0/26".parse().ok(),
                model: Some("PM*".into()),
                ..When::default()
            },
            then: Then {
                level: Some(Level::Identify),
                allow: vec!["sweep".into()],
                deny: vec!["umas".into()],
                units: Some(vec![1, 2]),
                ..Then::default()
            },
        };
        let weekend = Window::daily("22:00", "05:00", "Europe/Berlin").unwrap();
        let mut expected = Policy::careful()
            .without_default_networks()
            .monitor("203.0.113.0/24".parse().unwrap())
            .exclude("203.0.113.128/25".parse().unwrap())
            .never_port(8080)
            .protocol("modbus", |modbus| {
                modbus.port(503).level(Level::Structure).allow("umas").unit(255).unit(1)
            })
            .rule(meters)
            .window(weekend.on([Weekday::Sunday, Weekday::Saturday]));
        expected.limits.device_packets_per_s = 4;
        assert_eq!(policy, expected);
    }

    #[test]
    fn a_typo_names_its_path_and_the_key_that_was_meant() {
        for (toml, expected) in [
            ("exlude = []", "exlude: unknown key, did you mean `exclude`?"),
            (
                "limits.device_packet_per_s = 5",
                "limits.device_packet_per_s: unknown key, did you mean `device_packets_per_s`?",
            ),
            ("protocols.modbuss = {}", "protocols.modbuss: unknown key, did you mean `modbus`?"),
            (
                "protocols.s7.levle = \"state\"",
                "protocols.s7.levle: unknown key, did you mean `level`?",
            ),
            ("[[rule]]\nnmae = \"x\"", "rule[0].nmae: unknown key, did you mean `name`?"),
            (
                "[[rule]]\nname = \"x\"\nthen = { skpi = true }",
                "rule[0].then.skpi: unknown key, did you mean `skip`?",
            ),
            (
                "[[rule]]\nname = \"x\"\nwhen = { vendr = \"a\" }",
                "rule[0].when.vendr: unknown key, did you mean `vendor`?",
            ),
            ("[[window]]\nform = \"1\"", "window[0].form: unknown key, did you mean `from`?"),
            ("pineapple = 1", "pineapple: unknown key"),
        ] {
            assert_eq!(complaint(toml), expected);
        }
    }

    #[test]
    fn a_wrong_word_names_what_would_do() {
        for (toml, expected) in [
            (
                "profile = \"gentel\"",
                "profile = \"gentel\": no such profile, did you mean `gentle`?, \
                 known are gentle, careful, lab",
            ),
            (
                "protocols.modbus.allow = [\"swep\"]",
                "protocols.modbus.allow = \"swep\": no such consent, did you mean \
                 `sweep`?, known are umas, sunspec, sweep, unit_0",
            ),
            (
                "protocols.s7.level = \"all\"",
                "protocols.s7.level = \"all\": no such level, known are \
                 detect, identify, structure, state",
            ),
            (
                "[[window]]\nfrom = \"1:00\"\nto = \"02:00\"",
                "window[0].from = \"1:00\": expected a time of day such as \"22:00\"",
            ),
        ] {
            assert_eq!(complaint(toml), expected);
        }
        let day = complaint("[[window]]\nfrom=\"01:00\"\nto=\"02:00\"\ndays=[\"monday\"]");
        assert!(day.starts_with("window[0].days[0] = \"monday\": no such day"), "{day}");
    }

    #[test]
    fn every_cap_holds_in_a_file_and_the_error_has_the_full_path() {
        for row in crate::gate::policy::TABLE {
            for value in [row.max + 1, row.min.wrapping_sub(1)] {
                let Ok(value) = i64::try_from(value) else { continue };
                let text = complaint(&format!("limits.{} = {value}", row.key));
                let (key, min, max) = (row.key, row.min, row.max);
                let range = format!("out of range, allowed is {min} to {max}");
                assert_eq!(text, format!("limits.{key} = {value}: {range}"));
            }
        }
        let text = complaint("limits.device_packets_per_s = -1");
        assert_eq!(text, "limits.device_packets_per_s = -1: out of range, allowed is 4 to 20");
        let text = complaint("protocols.s7.ports = [70000]");
        assert_eq!(text, "protocols.s7.ports[0] = 70000: out of range, allowed is 1 to 65535");
    }

    #[test]
    fn values_of_the_wrong_kind_say_what_was_expected() {
        for (toml, expected) in [
            (
                "limits.udp_retries = \"one\"",
                "limits.udp_retries = \"one\": expected a whole number",
            ),
            ("limits.udp_retries = 1.0", "limits.udp_retries = 1.0: expected a whole number"),
            ("limits = 3", "limits = 3: expected a table"),
            ("monitor = \"10.0.0.0/8\"", "monitor = \"10.0.0.0/8\": expected a list"),
            ("monitor_defaults = 1", "monitor_defaults = 1: expected true or false"),
            ("[[rule]]\nname = 3", "rule[0].name = 3: expected text in quotes"),
        ] {
            assert_eq!(complaint(toml), expected);
        }
        for trick in [
            "10.0.0.1",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0.0/08",
            "010.0.0.0/8",
            "0x7f.1/8",
            "host.example/24",
            "fe80::1%eth0/64",
        ] {
            let text = complaint(&format!("monitor = [{trick:?}]"));
            assert!(
                text.starts_with(&format!("monitor[0] = {trick:?}: expected a network")),
                "{text}"
            );
        }
    }

    #[test]
    fn a_key_that_stands_there_twice_is_refused() {
        let text = r#"{"exclude": ["10.0.0.0/8"], "exclude": []}"#;
        let error = Policy::from_json(text).unwrap_err().to_string();
        assert!(error.contains("duplicate key `exclude`"), "{error}");
        let error = complaint("profile = \"gentle\"\nprofile = \"careful\"");
        assert!(
            error.starts_with("the policy is not valid TOML: line 2: duplicate key"),
            "{error}"
        );
    }

    #[test]
    fn a_file_is_read_by_its_ending() {
        let folder = std::env::temp_dir().join(format!("otcore-policy-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let policy = Policy::careful().exclude("10.9.0.0/16".parse().unwrap());
        let texts = [("a.toml", policy.to_toml().unwrap()), ("a.json", policy.to_json().unwrap())];
        for (name, text) in texts {
            std::fs::write(folder.join(name), text).unwrap();
            assert_eq!(Policy::from_file(folder.join(name)).unwrap(), policy, "{name}");
        }
        let error = |name: &str| Policy::from_file(folder.join(name)).unwrap_err().to_string();
        let (missing, other) = (error("missing.toml"), error("a.yaml"));
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(missing.starts_with("cannot read the policy file "), "{missing}");
        assert!(other.ends_with("its name must end in .toml or .json"), "{other}");
    }

    #[test]
    fn a_rule_without_a_condition_is_written_without_one() {
        let rule = |when| Rule {
            name: "a".into(),
            when,
            then: Then { skip: Some(true), ..Then::default() },
        };
        let everywhere = Policy::gentle().rule(rule(When::default()));
        assert!(!everywhere.to_toml().unwrap().contains("when"));
        let there = When { zone: Some("line-3".into()), ..When::default() };
        assert!(Policy::gentle().rule(rule(there)).to_toml().unwrap().contains("when"));
    }
}
