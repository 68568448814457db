//! What may be done, as data: networks, limits, protocols, rules and windows.
//!
//! A [`Policy`] is written by a person, in code or in a file, and never widened by anything that
//! happens later. [`Policy::decide`] answers for one device and one protocol,
//! [`Policy::explain`] says the same to a person and names what decided.
//!
//! ```
//! use otcore::gate::policy::{Policy, Subject};
//!
//! let policy = Policy::from_toml(r#"
//!     profile = "careful"
//!     exclude = ["10.20.9.0/24"]
//!
//!     [protocols.dnp3]
//!     enabled = true
//!
//!     [[rule]]
//!     name = "presses are left alone"
//!     when = { zone = "line-3", vendor = "schuler*" }
//!     then = { skip = true }
//! "#)?;
//! let press = Subject {
//!     zone: "line-3",
//!     address: "10.20.4.7".parse().unwrap(),
//!     protocol: "modbus",
//!     port: 502,
//!     vendor: Some("Schuler AG"),
//!     model: None,
//! };
//! assert!(!policy.decide(&press).permitted);
//! println!("{}", policy.explain(&press));
//! # Ok::<(), otcore::gate::policy::PolicyError>(())
//! ```
mod borders;
mod check;
mod decide;
mod error;
mod explain;
mod file;
mod known;
mod limits;
mod reference;
mod rule;
mod scope;
#[cfg(test)]
mod testing;
mod tree;
mod window;

use std::collections::BTreeMap;
use std::fmt;

use ipnet::IpNet;
use serde::Serialize;

use crate::safety::Level;

pub use decide::{By, Decision, Reason, Subject};
pub use error::PolicyError;
pub use explain::{AppliedLimit, Explanation, WindowState};
pub use known::{Consent, KNOWN, KnownProtocol, NEVER_PORTS, NeverPorts, default_monitored, known};
pub use limits::{Bound, LimitFacts, Limits, Per, TABLE};
pub use rule::{Rule, Then, When};
pub use scope::ScopeAnswer;
pub use window::Window;

/// What may be done: which networks, how much, which protocols, how deep, and when.
///
/// A policy built in code is only as good as [`check`](Policy::check) says; one read from a file
/// has been checked.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Policy {
    /// Where the limits start from.
    pub profile: Profile,
    /// Whether [`default_monitored`] is monitored too.
    pub monitor_defaults: bool,
    /// Networks monitored besides the defaults.
    pub monitor: Vec<IpNet>,
    /// Networks never touched, whatever is monitored.
    pub exclude: Vec<IpNet>,
    /// Ports never touched besides [`NEVER_PORTS`].
    pub never_ports: Vec<u16>,
    /// How much may be done.
    pub limits: Limits,
    /// How each protocol may be used; one entry for every one of [`KNOWN`].
    pub protocols: BTreeMap<String, ProtocolPolicy>,
    /// Exceptions. For each key the first matching rule that sets it decides.
    #[serde(rename = "rule", skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
    /// When anything may be sent at all; no window means always.
    #[serde(rename = "window", skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<Window>,
}

/// A set of limits to start from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// For plants that run.
    #[default]
    Gentle,
    /// About half as intrusive as gentle, and about twice as slow.
    Careful,
    /// Every limit at its hard cap. Only builds with the feature `lab` accept it.
    Lab,
}

/// How one protocol may be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ProtocolPolicy {
    /// Whether it is asked at all.
    pub enabled: bool,
    /// The ports it is asked on.
    pub ports: Vec<u16>,
    /// How deep it is asked.
    pub level: Level,
    /// What it may do beyond its harmless questions, see [`KnownProtocol::consents`].
    pub allow: Vec<String>,
    /// Units asked for behind a gateway, in this order. Only for protocols that have units.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<u8>,
    /// Link addresses of the outstations behind one address, in this order. Only for protocols that
    /// have outstations; a target that names its own is asked for those.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outstations: Vec<u16>,
    /// The link address that questions come from, which must be that of a master the outstations
    /// know. Only for protocols that have outstations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub master: Option<u16>,
}

impl Policy {
    /// The default: slow enough for plants that run.
    #[must_use]
    pub fn gentle() -> Self {
        Self::of(Profile::Gentle)
    }

    /// About half as intrusive as [`gentle`](Self::gentle).
    #[must_use]
    pub fn careful() -> Self {
        Self::of(Profile::Careful)
    }

    /// Every limit at its hard cap, for devices on a bench that nobody depends on.
    #[cfg(feature = "lab")]
    #[must_use]
    pub fn lab() -> Self {
        Self::of(Profile::Lab)
    }

    fn of(profile: Profile) -> Self {
        let defaults = KNOWN.iter().map(|known| (known.name.to_owned(), ProtocolPolicy::of(known)));
        Self {
            profile,
            monitor_defaults: true,
            monitor: Vec::new(),
            exclude: Vec::new(),
            never_ports: Vec::new(),
            limits: Limits::of(profile),
            protocols: defaults.collect(),
            rules: Vec::new(),
            windows: Vec::new(),
        }
    }

    /// Monitors this network too.
    #[must_use]
    pub fn monitor(mut self, network: IpNet) -> Self {
        self.monitor.push(network);
        self
    }

    /// Monitors only the networks named with [`monitor`](Self::monitor).
    #[must_use]
    pub fn without_default_networks(mut self) -> Self {
        self.monitor_defaults = false;
        self
    }

    /// Never touches this network.
    #[must_use]
    pub fn exclude(mut self, network: IpNet) -> Self {
        self.exclude.push(network);
        self
    }

    /// Never touches this port.
    #[must_use]
    pub fn never_port(mut self, port: u16) -> Self {
        self.never_ports.push(port);
        self
    }

    /// How much may be done.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Replaces the limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Changes how one protocol may be used. [`check`](Self::check) finds names that do not exist.
    ///
    /// ```
    /// use otcore::gate::policy::Policy;
    ///
    /// let policy = Policy::gentle()
    ///     .protocol("s7", |s7| s7.off())
    ///     .protocol("dnp3", |dnp3| dnp3.on().allow("connect"));
    /// assert!(policy.check().is_ok());
    /// ```
    #[must_use]
    pub fn protocol(
        mut self,
        name: &str,
        change: impl FnOnce(ProtocolPolicy) -> ProtocolPolicy,
    ) -> Self {
        let before = self.protocols.remove(name).unwrap_or_else(ProtocolPolicy::nothing);
        self.protocols.insert(name.to_owned(), change(before));
        self
    }

    /// Adds a rule after those already there.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Adds a time at which something may be sent.
    #[must_use]
    pub fn window(mut self, window: Window) -> Self {
        self.windows.push(window);
        self
    }

    /// Every network that is monitored: the defaults, if they are on, then those named.
    pub fn monitored(&self) -> impl Iterator<Item = &IpNet> {
        let defaults = if self.monitor_defaults { default_monitored() } else { &[] };
        defaults.iter().chain(&self.monitor)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::gentle()
    }
}

impl ProtocolPolicy {
    /// The defaults of this protocol.
    #[must_use]
    pub fn of(known: &KnownProtocol) -> Self {
        Self {
            enabled: known.enabled,
            ports: vec![known.default_port],
            level: known.level,
            allow: known.given.iter().map(|name| (*name).to_owned()).collect(),
            units: Vec::new(),
            outstations: Vec::new(),
            master: None,
        }
    }

    fn nothing() -> Self {
        Self {
            enabled: false,
            ports: Vec::new(),
            level: Level::Detect,
            allow: Vec::new(),
            units: Vec::new(),
            outstations: Vec::new(),
            master: None,
        }
    }

    /// Is asked.
    #[must_use]
    pub fn on(mut self) -> Self {
        self.enabled = true;
        self
    }

    /// Is not asked.
    #[must_use]
    pub fn off(mut self) -> Self {
        self.enabled = false;
        self
    }

    /// Is asked on this port too.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.ports.push(port);
        self
    }

    /// Is asked this deep.
    #[must_use]
    pub fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// May do this, see [`KnownProtocol::consents`].
    #[must_use]
    pub fn allow(mut self, consent: &str) -> Self {
        self.allow.push(consent.to_owned());
        self
    }

    /// Is asked for this unit behind a gateway, after those already named.
    #[must_use]
    pub fn unit(mut self, unit: u8) -> Self {
        self.units.push(unit);
        self
    }

    /// Is asked for the outstation of this link address, after those already named.
    #[must_use]
    pub fn outstation(mut self, address: u16) -> Self {
        self.outstations.push(address);
        self
    }

    /// Is asked from the link address of this master.
    #[must_use]
    pub fn master(mut self, address: u16) -> Self {
        self.master = Some(address);
        self
    }
}

impl Profile {
    /// All profiles.
    pub const ALL: [Self; 3] = [Self::Gentle, Self::Careful, Self::Lab];

    /// The name in policies and on command lines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gentle => "gentle",
            Self::Careful => "careful",
            Self::Lab => "lab",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
