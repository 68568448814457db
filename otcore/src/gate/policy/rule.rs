//! Exceptions from the general settings, for the devices that match.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::Serialize;

use super::Subject;
use crate::safety::Level;

/// An exception: what to do differently when a device matches.
///
/// ```
/// use otcore::gate::policy::{Rule, Then, When};
///
/// let rule = Rule {
///     name: "old controllers".into(),
///     when: When { model: Some("bmx*".into()), ..When::default() },
///     then: Then { skip: Some(true), ..Then::default() },
/// };
/// assert_eq!(rule.name, "old controllers");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// How explanations call it. Unique within a policy.
    pub name: String,
    /// Which devices it is about.
    #[serde(skip_serializing_if = "When::is_empty")]
    pub when: When,
    /// What it changes.
    pub then: Then,
}

/// Which devices a rule is about: all that is given must hold, nothing given matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct When {
    /// The zone, letter by letter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The network the address lies in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<IpNet>,
    /// The port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The protocol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// The vendor, upper and lower case alike, with `*` for anything at either end. Does not match
    /// while the vendor is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// The model, in the same way as the vendor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

/// What a rule changes; what is not given is left to later rules and the general settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Then {
    /// Whether the device is left alone. `false` protects it from later rules that say `true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip: Option<bool>,
    /// How deep it is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// What may be done.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<String>,
    /// What must not be done; wins over `allow` of the same rule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<String>,
    /// Units asked for behind a gateway, in this order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub units: Option<Vec<u8>>,
}

/// Whether a rule is about a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Match {
    No,
    /// It may turn out to be, once vendor or model are known.
    Maybe,
    Yes,
}

impl When {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the rule is about `subject`; conditions on an unknown vendor or model count as
    /// `unknown`.
    pub(super) fn matches(&self, subject: &Subject<'_>, unknown: Match) -> Match {
        let place = [
            holds(self.zone.as_deref(), |zone| zone == subject.zone),
            holds(self.network, |network| contains(&network, subject.address)),
            holds(self.port, |port| port == subject.port),
            holds(self.protocol.as_deref(), |protocol| protocol == subject.protocol),
        ];
        let vendor = fits(self.vendor.as_deref(), subject.vendor, unknown);
        let model = fits(self.model.as_deref(), subject.model, unknown);
        if place.contains(&false) { Match::No } else { vendor.min(model) }
    }
}

impl Then {
    /// What this rule says about a consent, if anything.
    pub(super) fn consent(&self, name: &str) -> Option<bool> {
        let says = |list: &[String]| list.iter().any(|consent| consent == name);
        if says(&self.deny) { Some(false) } else { says(&self.allow).then_some(true) }
    }
}

/// Whether the address lies in the network. An IPv4 address in IPv6 clothes counts as IPv4.
pub(super) fn contains(network: &IpNet, address: IpAddr) -> bool {
    network.contains(&address.to_canonical())
}

fn holds<T>(condition: Option<T>, test: impl FnOnce(T) -> bool) -> bool {
    condition.is_none_or(test)
}

fn fits(pattern: Option<&str>, text: Option<&str>, unknown: Match) -> Match {
    match (pattern, text) {
        (None, _) => Match::Yes,
        (Some(_), None) => unknown,
        (Some(pattern), Some(text)) if like(pattern, text) => Match::Yes,
        _ => Match::No,
    }
}

/// Whether the text matches a pattern with `*` at its ends, upper and lower case alike.
fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let (open_start, rest) = open(pattern.strip_prefix('*'), &pattern);
    let (open_end, middle) = open(rest.strip_suffix('*'), rest);
    match (open_start, open_end) {
        (false, false) => text == middle,
        (false, true) => text.starts_with(middle),
        (true, false) => text.ends_with(middle),
        (true, true) => text.contains(middle),
    }
}

fn open<'a>(stripped: Option<&'a str>, whole: &'a str) -> (bool, &'a str) {
    stripped.map_or((false, whole), |rest| (true, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything_at_either_end() {
        assert!(like("siemens*", "SIEMENS AG"));
        assert!(like("*ag", "Siemens AG"));
        assert!(like("*mens*", "Siemens AG"));
        assert!(like("Siemens AG", "siemens ag"));
        assert!(like("*", ""));
        assert!(!like("siemens", "Siemens AG"));
        assert!(!like("siemens*", "The Siemens AG"));
        assert!(!like("*ag", "AG Siemens"));
    }

    fn subject(vendor: Option<&'static str>) -> Subject<'static> {
        let address = IpAddr::from([10, 0, 0, 5]);
        Subject { zone: "a", address, protocol: "modbus", port: 502, vendor, model: None }
    }

    #[test]
    fn a_condition_on_the_vendor_does_not_match_while_it_is_unknown() {
        let when = When { vendor: Some("*".into()), ..When::default() };
        assert_eq!(when.matches(&subject(None), Match::No), Match::No);
        assert_eq!(when.matches(&subject(None), Match::Maybe), Match::Maybe);
        assert_eq!(when.matches(&subject(Some("x")), Match::No), Match::Yes);
    }

    #[test]
    fn all_given_conditions_must_hold() {
        let when = When {
            zone: Some("a".into()),
            network: "10.0.0.0/24".parse().ok(),
            port: Some(502),
            protocol: Some("modbus".into()),
            ..When::default()
        };
        let good = subject(None);
        assert_eq!(when.matches(&good, Match::No), Match::Yes);
        let in_ipv6_clothes = Subject { address: "::ffff:10.0.0.5".parse().unwrap(), ..good };
        assert_eq!(when.matches(&in_ipv6_clothes, Match::No), Match::Yes);
        for bad in [
            Subject { zone: "b", ..good },
            Subject { address: IpAddr::from([10, 0, 1, 5]), ..good },
            Subject { port: 503, ..good },
            Subject { protocol: "s7", ..good },
        ] {
            assert_eq!(when.matches(&bad, Match::Maybe), Match::No, "{bad:?}");
        }
    }
}
