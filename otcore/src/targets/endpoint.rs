//! Endpoints: one device spoken to in one protocol, `s7://10.0.4.7:102?rack=0&slot=2`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::TargetError;
use super::error::shown;
use super::parse::{decimal, host};

/// What an endpoint of one protocol can say.
#[derive(Debug, PartialEq, Eq)]
pub struct Scheme {
    /// The protocol, as before `://`.
    pub protocol: &'static str,
    /// The port that is meant when none is given.
    pub port: u16,
    /// The options it can have.
    pub options: &'static [OptionRule],
}

/// One option of an endpoint: a number from 0 to `max`.
#[derive(Debug, PartialEq, Eq)]
pub struct OptionRule {
    /// The option, as before `=`.
    pub name: &'static str,
    /// The largest value.
    pub max: u32,
    /// Whether several values may be given, separated by commas.
    pub list: bool,
}

/// Every protocol that an endpoint can name.
pub const SCHEMES: &[Scheme] = &[
    // Unit identifier: one byte (Modbus Messaging on TCP/IP V1.0b, clause 3.1.3).
    Scheme { protocol: "modbus", port: 502, options: &[list("unit", 255)] },
    // The last byte of the called TSAP: three bits of rack, five of slot.
    Scheme { protocol: "s7", port: 102, options: &[one("rack", 7), one("slot", 31)] },
    // Link address of a backplane port segment: one byte (CIP volume 1, appendix C, port segment).
    Scheme { protocol: "enip", port: 44818, options: &[one("slot", 255)] },
    // Object instance: 22 bits, the highest being the wildcard (ASHRAE 135, clause 12.11). Networks:
    // 65535 is all of them, and 0 the own one, which needs no naming (clause 6.2.2).
    Scheme {
        protocol: "bacnet",
        port: 47808,
        options: &[one("instance", 4_194_302), one("network", 65_534)],
    },
    // FFF0 to FFFF are reserved, self and broadcast addresses (IEEE 1815, data link layer).
    Scheme {
        protocol: "dnp3",
        port: 20000,
        options: &[list("outstation", 65_519), one("master", 65_519), one("udp", 1)],
    },
];

const fn one(name: &'static str, max: u32) -> OptionRule {
    OptionRule { name, max, list: false }
}

const fn list(name: &'static str, max: u32) -> OptionRule {
    OptionRule { name, max, list: true }
}

impl Scheme {
    /// The scheme of `protocol`, if endpoints can have it.
    #[must_use]
    pub fn of(protocol: &str) -> Option<&'static Self> {
        SCHEMES.iter().find(|scheme| scheme.protocol == protocol)
    }

    fn option_names(&self) -> String {
        self.options.iter().map(|rule| rule.name).collect::<Vec<_>>().join(", ")
    }
}

/// One device spoken to in one protocol.
///
/// ```
/// # use otcore::targets::Endpoint;
/// let endpoint: Endpoint = "s7://10.0.4.7?rack=0&slot=2".parse()?;
/// assert_eq!((endpoint.protocol, endpoint.port), ("s7", None));
/// assert_eq!(endpoint.options.value("slot"), Some(2));
/// # Ok::<(), otcore::targets::TargetError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Endpoint {
    /// The protocol, one of [`SCHEMES`].
    pub protocol: &'static str,
    /// The device.
    pub host: Host,
    /// The port, if one was given.
    pub port: Option<u16>,
    /// What else was given.
    pub options: Options,
}

impl Endpoint {
    /// The port given, else that of the protocol.
    #[must_use]
    pub fn port_or_default(&self) -> Option<u16> {
        self.port.or_else(|| Scheme::of(self.protocol).map(|scheme| scheme.port))
    }
}

/// Where a device is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// Its address.
    Address(IpAddr),
    /// Its name, in lower case.
    Name(String),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// The options of an endpoint, each within its range.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Options {
    given: Vec<(&'static str, Vec<u32>)>,
    units: Vec<u8>,
}

impl Options {
    /// The value of an option, the first one if it has several; `None` if it was not given.
    #[must_use]
    pub fn value(&self, option: &str) -> Option<u32> {
        self.values(option).first().copied()
    }

    /// All values of an option in the order given; none if it was not given.
    #[must_use]
    pub fn values(&self, option: &str) -> &[u32] {
        let given = self.given.iter().find(|(name, _)| *name == option);
        given.map_or(&[], |(_, values)| values)
    }

    /// The Modbus units to ask, in the order given; none if the choice is left to the probe.
    #[must_use]
    pub fn units(&self) -> &[u8] {
        &self.units
    }

    /// Whether nothing was given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.given.is_empty()
    }
}

/// As a map from option to values.
impl serde::Serialize for Options {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.given.iter().map(|(option, values)| (option, values)))
    }
}

/// The endpoint in its one right form, options in the order given.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.protocol, self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        for (index, (option, values)) in self.options.given.iter().enumerate() {
            let separator = if index == 0 { '?' } else { '&' };
            let values: Vec<_> = values.iter().map(u32::to_string).collect();
            write!(f, "{separator}{option}={}", values.join(","))?;
        }
        Ok(())
    }
}

impl FromStr for Endpoint {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let (protocol, rest) = text
            .split_once("://")
            .ok_or_else(|| TargetError::Unrecognised { text: shown(text) })?;
        refuse_misplaced(text, protocol, rest)?;
        let scheme = Scheme::of(&protocol.to_ascii_lowercase()).ok_or_else(|| {
            TargetError::UnknownProtocol { text: shown(text), protocol: shown(protocol) }
        })?;
        let (authority, query) = rest
            .split_once('?')
            .map_or((rest, None), |(authority, query)| (authority, Some(query)));
        let (host, port) = host_and_port(text, authority)?;
        let options = query.map_or(Ok(Options::default()), |query| options(text, scheme, query))?;
        Ok(Self { protocol: scheme.protocol, host, port, options })
    }
}

/// The protocols of [`SCHEMES`], for messages.
pub(super) fn protocols() -> String {
    SCHEMES.iter().map(|scheme| scheme.protocol).collect::<Vec<_>>().join(", ")
}

/// The protocol whose usual port this is, else the first.
pub(super) fn likely_protocol(port: u32) -> &'static str {
    let by_port = SCHEMES.iter().find(|scheme| u32::from(scheme.port) == port);
    by_port.or(SCHEMES.first()).map_or("", |scheme| scheme.protocol)
}

fn refuse_misplaced(text: &str, protocol: &str, rest: &str) -> Result<(), TargetError> {
    let misplaced = |text: &str, part| Err(TargetError::Misplaced { text: shown(text), part });
    if let Some((_, after)) = rest.rsplit_once('@') {
        // A password must not end up in a message.
        return misplaced(&format!("{protocol}://…@{after}"), "user name");
    }
    if rest.contains('#') {
        return misplaced(text, "fragment");
    }
    let authority = rest.split('?').next().unwrap_or_default();
    if authority.contains('/') { misplaced(text, "path") } else { Ok(()) }
}

fn host_and_port(text: &str, authority: &str) -> Result<(Host, Option<u16>), TargetError> {
    let bad_host = |host| TargetError::BadHost { text: shown(text), host: shown(host) };
    let bracketed = authority.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let (inner, after) = match bracketed {
        Some((inner, after)) if inner.contains(':') => (inner, after),
        Some(_) => return Err(bad_host(authority)),
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port = match (after, after.strip_prefix(':')) {
        ("", _) => None,
        // An IPv6 address without brackets lands here too.
        (_, Some(port)) if !port.contains(':') => Some(self::port(text, port)?),
        _ => return Err(bad_host(authority)),
    };
    let host = host(text, inner)?.ok_or_else(|| bad_host(inner))?;
    Ok((host, port))
}

fn port(text: &str, port: &str) -> Result<u16, TargetError> {
    let number = decimal(port).and_then(|number| u16::try_from(number).ok());
    number
        .filter(|&number| number != 0)
        .ok_or_else(|| TargetError::BadPort { text: shown(text), port: shown(port) })
}

fn options(text: &str, scheme: &'static Scheme, query: &str) -> Result<Options, TargetError> {
    let mut options = Options::default();
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let rule = scheme.options.iter().find(|rule| rule.name == name);
        let rule = rule.ok_or_else(|| TargetError::UnknownOption {
            text: shown(text),
            protocol: scheme.protocol,
            option: shown(name),
            allowed: scheme.option_names(),
        })?;
        if !options.values(rule.name).is_empty() {
            return Err(TargetError::DuplicateOption {
                text: shown(text),
                option: name.to_owned(),
            });
        }
        options.given.push((rule.name, values(text, rule, value)?));
    }
    let units = options.values("unit").iter();
    options.units = units.filter_map(|&unit| u8::try_from(unit).ok()).collect();
    Ok(options)
}

fn values(text: &str, rule: &OptionRule, value: &str) -> Result<Vec<u32>, TargetError> {
    let mut values = Vec::new();
    let separator = if rule.list { ',' } else { '&' };
    for value in value.split(separator) {
        let number = decimal(value).filter(|&number| number <= rule.max);
        let number = number.ok_or_else(|| TargetError::OptionValue {
            text: shown(text),
            option: rule.name,
            value: shown(value),
            max: rule.max,
        })?;
        if values.contains(&number) {
            let option = format!("{}={number}", rule.name);
            return Err(TargetError::DuplicateOption { text: shown(text), option });
        }
        values.push(number);
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn endpoint(text: &str) -> Endpoint {
        text.parse().unwrap()
    }

    fn refused(text: &str) -> String {
        text.parse::<Endpoint>().unwrap_err().to_string()
    }

    #[test]
    fn every_part_of_an_endpoint_is_read() {
        let modbus = endpoint("modbus://[fd00::1]:1502?unit=17,1,2");
        assert_eq!(modbus.host, Host::Address("fd00::1".parse().unwrap()));
        assert_eq!(modbus.port, Some(1502));
        assert_eq!(modbus.options.units(), [17, 1, 2]);
        let dnp3 = endpoint("dnp3://RTU-9.plant?outstation=65519,4&master=1");
        assert_eq!(dnp3.host, Host::Name("rtu-9.plant".to_owned()));
        assert_eq!(dnp3.options.values("outstation"), [65519, 4]);
        assert_eq!(dnp3.options.value("unit"), None);
        assert_eq!(dnp3.port_or_default(), Some(20000));
        assert_eq!(endpoint("S7://10.0.4.7").to_string(), "s7://10.0.4.7");
        assert!(endpoint("enip://plc").options.is_empty());
    }

    #[test]
    fn a_mapped_address_in_an_endpoint_is_ipv4() {
        assert_eq!(endpoint("s7://[::ffff:10.0.4.7]"), endpoint("s7://10.0.4.7"));
    }

    #[test]
    fn a_bad_endpoint_is_refused_in_words_that_name_the_culprit() {
        let table = [
            ("ssh://10.0.4.7", "ssh: use modbus, s7, enip, bacnet, dnp3"),
            ("s7://10.0.4.7?rack=0&slots=2", "s7 has no option \"slots\": use rack, slot"),
            ("s7://10.0.4.7?", "s7 has no option \"\": use rack, slot"),
            ("s7://10.0.4.7?rack=0&rack=0", "says rack twice"),
            ("modbus://10.0.4.7?unit=1,1", "says unit=1 twice"),
            ("s7://10.0.4.7?rack=8", "rack cannot be \"8\": write a number from 0 to 7"),
            ("s7://10.0.4.7?slot=1,2", "slot cannot be \"1,2\": write a number from 0 to 31"),
            ("s7://10.0.4.7?slot", "slot cannot be \"\": write a number from 0 to 31"),
            ("enip://10.0.4.7?slot=+1", "slot cannot be \"+1\""),
            ("enip://10.0.4.7?slot=0x1", "slot cannot be \"0x1\""),
            ("bacnet://10.0.4.7?instance=4194303", "write a number from 0 to 4194302"),
            ("dnp3://10.0.4.7?outstation=65520", "write a number from 0 to 65519"),
            ("modbus://10.0.4.7?unit=99999999999999999999", "write a number from 0 to 255"),
            ("modbus://10.0.4.7/", "has a path: write protocol://host[:port][?option=value]"),
            ("modbus://10.0.4.7/a?unit=1", "has a path"),
            ("modbus://10.0.4.7?unit=1#top", "has a fragment"),
            ("modbus://10.0.4.7:0", "\"0\" is not a port: write a number from 1 to 65535"),
            ("modbus://10.0.4.7:65536", "\"65536\" is not a port"),
            ("modbus://10.0.4.7:", "\"\" is not a port"),
            ("modbus://fd00::1", "an IPv6 address in brackets"),
            ("modbus://[fd00::1", "\"[fd00::1\" is not a host"),
            ("modbus://[fd00::1]502", "\"[fd00::1]502\" is not a host"),
            ("modbus://[10.0.4.7]", "\"[10.0.4.7]\" is not a host"),
            ("modbus://", "\"\" is not a host"),
            ("modbus://plc_3", "\"plc_3\" is not a host"),
            ("modbus://0x7f.1:502", "0x7f.1 is not a plain IPv4 address"),
            ("modbus://[fe80::1%25eth0]", "has a zone id"),
            ("modbus://255.255.255.255", "contains the broadcast address"),
            ("modbus://[ff02::1]", "contains multicast addresses"),
        ];
        for (text, words) in table {
            assert!(refused(text).contains(words), "{text}: {}", refused(text));
        }
    }

    #[test]
    fn a_password_never_shows_in_a_message() {
        for text in ["modbus://admin:hunter2@10.0.4.7", "modbus://a:hunter2/?#@10.0.4.7"] {
            assert_eq!(
                refused(text),
                "modbus://…@10.0.4.7 has a user name: write protocol://host[:port][?option=value]"
            );
        }
    }

    fn endpoints() -> impl Strategy<Value = String> {
        let host = prop_oneof![
            any::<[u8; 3]>().prop_map(|[a, b, c]| format!("10.{a}.{b}.{c}")),
            any::<u64>().prop_map(|n| format!("[fd00::{:x}:{:x}]", n >> 48, n & 0xFFFF)),
            "[a-z][a-z0-9]{0,9}(-[a-z0-9]{1,5})?(\\.[a-z]{1,5})?",
        ];
        let port = prop::option::of(1..=u16::MAX);
        let scheme = prop::sample::select((0..SCHEMES.len()).collect::<Vec<_>>());
        (scheme, host, port, any::<[Option<u32>; 3]>()).prop_map(|(scheme, host, port, given)| {
            let scheme = &SCHEMES[scheme];
            let port = port.map(|port| format!(":{port}")).unwrap_or_default();
            let options: Vec<_> = scheme
                .options
                .iter()
                .zip(given)
                .filter_map(|(rule, value)| {
                    let value = value? % (rule.max + 1);
                    let more =
                        if rule.list { format!(",{}", (value + 1) % 256) } else { String::new() };
                    Some(format!("{}={value}{more}", rule.name))
                })
                .collect();
            let query = if options.is_empty() { "" } else { "?" };
            format!("{}://{host}{port}{query}{}", scheme.protocol, options.join("&"))
        })
    }

    proptest! {
        #[test]
        fn what_an_endpoint_shows_reads_back_as_itself(text in endpoints()) {
            let read = endpoint(&text);
            prop_assert_eq!(endpoint(&read.to_string()), read);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "(modbus|s7)?(://)?[\\[\\]:/?&=#@%.,0-9a-z]{0,30}") {
            if let Ok(read) = text.parse::<Endpoint>() {
                prop_assert_eq!(endpoint(&read.to_string()), read);
            }
        }
    }
}
