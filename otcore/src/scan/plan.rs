//! What would be sent to whom, with upper bounds, before any packet leaves.

mod time;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use serde::Serialize;

use super::calls::{self, Call};
use crate::error::{Error, ErrorKind};
use crate::gate::Device;
use crate::gate::policy::{Decision, Limits, Policy, Profile, ScopeAnswer};
use crate::model::{Source, Zone};
use crate::protocols::{self, Bounds, Probe};
use crate::safety::Level;
use crate::targets::{AddressRange, AddressSet, Endpoint, Host, Options, Targets};

/// Who is visited and at most how much is sent. Nothing is sent by making one.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Plan {
    /// The network the addresses live in.
    pub zone: Zone,
    /// Who looks.
    pub source: Source,
    /// The profile of the policy.
    pub profile: Profile,
    /// Who is visited, and for what. No address is in two stops.
    pub stops: Vec<Stop>,
    /// Which networks are called at once before that. Whoever is silent to a call is not asked by
    /// itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<Call>,
    /// What was asked for and is not visited, with the reason.
    pub skipped: Vec<Skipped>,
    /// How many devices there are at most.
    #[serde(serialize_with = "at_most_u64")]
    pub devices: u128,
    /// The most that the whole run can cost.
    pub bounds: Bounds,
    /// How long the run takes at most, in seconds, if every device takes all of its time.
    pub seconds_at_most: u64,
}

/// A range of addresses that are treated alike.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Stop {
    /// The addresses.
    #[serde(serialize_with = "as_text")]
    pub range: AddressRange,
    /// Whether somebody named this very device, rather than a range that holds it.
    pub named: bool,
    /// What each of them is asked, in this order.
    pub conversations: Vec<Conversation>,
    /// The most that one of them can cost.
    pub per_device: Bounds,
}

/// One protocol with one device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Conversation {
    /// The protocol.
    pub protocol: &'static str,
    /// The port.
    pub port: u16,
    /// Whether a target names this very protocol. If none does, a device that has said who it is in
    /// an earlier conversation is spared this one, unless the level asks for more than an identity.
    pub named: bool,
    /// How deep at most.
    pub level: Level,
    /// What the policy opts in to.
    pub consents: BTreeSet<String>,
    /// Units that the target names.
    pub named_units: Vec<u8>,
    /// Everything else that the target says: rack, slot, address.
    #[serde(skip_serializing_if = "Options::is_empty")]
    pub options: Options,
    /// What may be asked, by its name in the manifest.
    pub functions: Vec<&'static str>,
    /// The most that it can cost.
    pub bounds: Bounds,
}

/// What was asked for and is not visited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// The addresses or the endpoint.
    pub what: String,
    /// How many addresses that is; in JSON at most 2^64 - 1.
    #[serde(serialize_with = "at_most_u64")]
    pub addresses: u128,
    /// Why, in words.
    pub reason: String,
}

/// What a plan is made from, besides the targets.
pub(crate) struct Basis<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) zone: &'a Zone,
    pub(crate) source: &'a Source,
    /// The protocols to use; all that the policy enables if none is named.
    pub(crate) protocols: &'a BTreeSet<String>,
    /// Addresses in quarantine, with the reason in words.
    pub(crate) quarantined: &'a BTreeMap<IpAddr, String>,
}

impl Plan {
    pub(crate) fn make(basis: &Basis<'_>, targets: &Targets) -> Result<Self, Error> {
        if let Some(name) = targets.names().first() {
            let text = format!("{name} is not resolved yet: resolve the targets before planning");
            return Err(Error::new(ErrorKind::Name, text));
        }
        let mut making = Making { basis, stops: Vec::new(), skipped: Vec::new() };
        let endpoints: Vec<Endpoint> = targets.endpoints().collect();
        let mut named = AddressSet::new();
        for (address, group) in by_address(&endpoints) {
            named.insert(address.into());
            making.named_device(address, &group, targets.networks().contains(address));
        }
        making.networks(&targets.networks().subtract(&named));
        making.finish()
    }

    /// Every address that may be spoken to.
    #[must_use]
    pub fn scope(&self) -> AddressSet {
        self.stops.iter().map(|stop| stop.range).collect()
    }
}

struct Making<'a> {
    basis: &'a Basis<'a>,
    stops: Vec<Stop>,
    skipped: Vec<Skipped>,
}

impl Making<'_> {
    /// One device that endpoints name, with or without a network around it.
    fn named_device(&mut self, address: IpAddr, endpoints: &[&Endpoint], in_network: bool) {
        if !self.is_in_scope(address.into()) {
            return;
        }
        let mut conversations = Vec::new();
        for endpoint in endpoints {
            let named = self.named_conversation(address, endpoint);
            // Naming a device twice is no reason to ask it twice.
            conversations.extend(named.filter(|named| !conversations.contains(named)));
        }
        if in_network {
            let usual = self.usual_conversations(address).0;
            let new = |c: &Conversation| !conversations.iter().any(|n: &Conversation| n.same_as(c));
            let usual: Vec<_> = usual.into_iter().filter(new).collect();
            conversations.extend(usual);
        }
        // On loopback every port is a device of its own and is visited on its own.
        let mut devices: BTreeMap<Device, Vec<Conversation>> = BTreeMap::new();
        for conversation in conversations {
            let device = Device::at(SocketAddr::new(address, conversation.port));
            devices.entry(device).or_default().push(conversation);
        }
        for conversations in devices.into_values() {
            self.stop(address.into(), conversations, true);
        }
    }

    fn named_conversation(&mut self, address: IpAddr, endpoint: &Endpoint) -> Option<Conversation> {
        let Some(probe) = protocols::by_name(endpoint.protocol) else {
            let reason = format!("this build has no probe for {}", endpoint.protocol);
            self.skip(endpoint.to_string(), 1, reason);
            return None;
        };
        let port = endpoint.port_or_default().unwrap_or(probe.port());
        match self.conversation(probe, address, port, &endpoint.options) {
            Ok(conversation) => Some(Conversation { named: true, ..conversation }),
            Err(reason) => {
                self.skip(endpoint.to_string(), 1, reason);
                None
            }
        }
    }

    /// Everything that was asked for by address only.
    fn networks(&mut self, asked: &AddressSet) {
        let borders = self.basis.policy.borders();
        for range in asked.ranges() {
            for piece in borders.cut(range) {
                if !self.is_in_scope(piece) {
                    continue;
                }
                let (conversations, reasons) = self.usual_conversations(piece.first());
                let spared = self.spare_quarantined(piece);
                if conversations.is_empty() {
                    self.skip(piece.to_string(), piece.count(), reasons.join("; "));
                    continue;
                }
                for range in spared.ranges() {
                    self.stop(range, conversations.clone(), range.count() == 1);
                }
            }
        }
    }

    /// The piece without its quarantined addresses, which are reported.
    fn spare_quarantined(&mut self, piece: AddressRange) -> AddressSet {
        let mut dark = AddressSet::new();
        for (address, why) in self.basis.quarantined {
            if piece.contains(*address) {
                dark.insert((*address).into());
                self.skip(address.to_string(), 1, why.clone());
            }
        }
        AddressSet::from(piece).subtract(&dark)
    }

    /// Whether a piece between two borders is in scope; what is not is reported.
    fn is_in_scope(&mut self, piece: AddressRange) -> bool {
        let answer = self.basis.policy.scope(piece.first());
        let quarantined = self.basis.quarantined.get(&piece.first()).filter(|_| piece.count() == 1);
        let reason = match (answer, quarantined) {
            (ScopeAnswer::Monitored(_), None) => return true,
            (ScopeAnswer::Monitored(_), Some(why)) => why.clone(),
            (ScopeAnswer::NotMonitored, _) => {
                "not in a monitored network; name its network with `monitor`".to_owned()
            }
            (answer, _) => answer.to_string(),
        };
        self.skip(piece.to_string(), piece.count(), reason);
        false
    }

    /// What the policy lets us ask here, and why nothing if nothing.
    fn usual_conversations(&self, address: IpAddr) -> (Vec<Conversation>, Vec<String>) {
        let (mut conversations, mut reasons) = (Vec::new(), Vec::new());
        let wanted = |probe: &&&dyn Probe| {
            self.basis.protocols.is_empty() || self.basis.protocols.contains(probe.name())
        };
        for probe in protocols::ALL.iter().filter(wanted) {
            let settings = self.basis.policy.protocols.get(probe.name());
            let ports = settings.map(|settings| settings.ports.clone()).unwrap_or_default();
            for port in ports {
                match self.conversation(*probe, address, port, &Options::default()) {
                    Ok(conversation) => conversations.push(conversation),
                    Err(reason) => reasons.push(reason),
                }
            }
        }
        let allowed = usize::try_from(self.basis.policy.limits.ports_per_device).unwrap_or(1);
        conversations.truncate(allowed);
        if conversations.is_empty() && reasons.is_empty() {
            reasons.push("no protocol of this build is asked for".to_owned());
        }
        (conversations, reasons)
    }

    fn conversation(
        &self,
        probe: &dyn Probe,
        address: IpAddr,
        port: u16,
        options: &Options,
    ) -> Result<Conversation, String> {
        let Basis { policy, zone, .. } = self.basis;
        let at = SocketAddr::new(address, port);
        let decision = permitted(policy, zone, probe, at, options)?;
        let limits = &policy.limits;
        Ok(Conversation {
            protocol: probe.name(),
            port,
            named: false,
            level: decision.level,
            functions: functions(probe, &decision),
            bounds: probe.bounds(&decision, options.units(), limits),
            consents: decision.consents,
            named_units: options.units().to_vec(),
            options: options.clone(),
        })
    }

    fn stop(&mut self, range: AddressRange, conversations: Vec<Conversation>, named: bool) {
        let limits = &self.basis.policy.limits;
        let all = conversations.iter().fold(Bounds::default(), |sum, c| sum.and(c.bounds));
        let connections = all.connections.min(limits.ports_per_device.into());
        let per_device = Bounds { connections, ..all };
        if !conversations.is_empty() {
            self.stops.push(Stop { range, named, conversations, per_device });
        }
    }

    fn skip(&mut self, what: String, addresses: u128, reason: String) {
        self.skipped.push(Skipped { what, addresses, reason });
    }

    fn finish(self) -> Result<Plan, Error> {
        if self.stops.is_empty() {
            let why = self.skipped.first();
            let why = why.map(|skipped| format!("{}: {}", skipped.what, skipped.reason));
            let why = why.unwrap_or_else(|| "no target was given".to_owned());
            let text = format!("nothing is left to scan ({why})");
            return Err(Error::new(ErrorKind::EmptyScope, text));
        }
        let calls = calls::calls(self.basis.policy, &self.stops);
        let (devices, bounds) = totals(&self.stops, &calls, &self.basis.policy.limits);
        let seconds_at_most = time::longest(self.basis.policy, &self.stops, &bounds);
        Ok(Plan {
            zone: self.basis.zone.clone(),
            source: self.basis.source.clone(),
            profile: self.basis.policy.profile,
            stops: self.stops,
            calls,
            skipped: self.skipped,
            devices,
            bounds,
            seconds_at_most,
        })
    }
}

/// How many devices there are, and the most that they and the calls can take.
pub(super) fn totals(stops: &[Stop], calls: &[Call], limits: &Limits) -> (u128, Bounds) {
    let devices = stops.iter().map(|stop| stop.range.count()).fold(0, u128::saturating_add);
    let all = stops.iter().map(|stop| stop.per_device.times(stop.range.count()));
    (devices, all.fold(calls::bounds(calls, limits), Bounds::and))
}

impl Conversation {
    fn same_as(&self, other: &Self) -> bool {
        self.protocol == other.protocol && self.port == other.port
    }
}

/// The most that a policy permits in a conversation with the device at `at`, or why there is none.
pub(super) fn permitted(
    policy: &Policy,
    zone: &Zone,
    probe: &dyn Probe,
    at: SocketAddr,
    options: &Options,
) -> Result<Decision, String> {
    let decision = policy.upper_bound(zone.as_str(), at.ip(), probe.name(), at.port());
    if !decision.permitted {
        let reasons: Vec<_> = decision.because.iter().map(ToString::to_string).collect();
        return Err(reasons.join("; "));
    }
    let decision = decision.for_target(options);
    match probe.missing_consent(&decision) {
        Some(consent) => Err(words::needs(probe.name(), consent)),
        None => Ok(decision),
    }
}

/// What may be asked at this level with these consents.
fn functions(probe: &dyn Probe, decision: &Decision) -> Vec<&'static str> {
    let consents = &decision.consents;
    let allowed = probe.functions().into_iter().filter(|facts| {
        facts.level <= decision.level && facts.consent.is_none_or(|key| consents.contains(key))
    });
    allowed.map(|facts| facts.name).collect()
}

fn by_address(endpoints: &[Endpoint]) -> BTreeMap<IpAddr, Vec<&Endpoint>> {
    let mut groups: BTreeMap<IpAddr, Vec<&Endpoint>> = BTreeMap::new();
    for endpoint in endpoints {
        if let Host::Address(address) = endpoint.host {
            groups.entry(address.to_canonical()).or_default().push(endpoint);
        }
    }
    groups
}

/// Larger integers are none to most readers of JSON.
fn at_most_u64<S: serde::Serializer>(count: &u128, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_u64(u64::try_from(*count).unwrap_or(u64::MAX))
}

fn as_text<S: serde::Serializer>(range: &AddressRange, out: S) -> Result<S::Ok, S::Error> {
    out.collect_str(range)
}
