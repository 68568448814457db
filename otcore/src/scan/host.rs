//! One device is one task, and its conversations run one after another: it never has two guests.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::time::Instant;

use super::calls::{BROADCAST, Call, Called};
use super::plan::{Conversation, Stop, permitted};
use crate::fingerprint;
use crate::gate::policy::{Decision, Subject};
use crate::gate::sabotage::Saboteur;
use crate::gate::{Gate, Refusal, Silence, Spending, Visit};
use crate::model::{Asset, Evidence, Exchange, Outcome, OutcomeRecord, Source, Zone};
use crate::pack::InUse;
use crate::protocols::{self, Probe};
use crate::safety::Level;
use crate::session::{Crowd, Dialer, Findings, Host, ProbeError};
use crate::targets::{AddressSet, Options, subnet_of};
use crate::wire::WireError;

/// What every visit of a scan shares.
pub(super) struct Crew {
    pub(super) gate: Gate,
    pub(super) dialer: Arc<dyn Dialer>,
    pub(super) known: InUse,
    pub(super) zone: Zone,
    pub(super) source: Source,
    pub(super) first_tag: u16,
    /// Who was called at once, and who answered.
    pub(super) called: Vec<Called>,
}

/// What a visit brought home.
#[derive(Debug)]
pub(super) struct Visited {
    pub(super) named: bool,
    pub(super) asset: Option<Asset>,
    pub(super) exchanges: Vec<Exchange>,
    pub(super) outcomes: Vec<OutcomeRecord>,
    /// Why it was not asked, where that says nothing of the device itself.
    pub(super) left_out: Vec<String>,
    pub(super) spending: Spending,
}

impl Visited {
    /// In which protocol the device has said all that `next` would be about.
    fn spares(&self, next: &Conversation, most: Level) -> Option<String> {
        if next.named || most > Level::Identify {
            return None;
        }
        let mut records = self.outcomes.iter();
        records.find(|record| record.outcome == Outcome::Identified).map(|r| r.protocol.clone())
    }
}

/// What the policy says of the conversations of a stop, each in its place; or why there is none, as a plan
/// may have been made under another policy.
pub(super) type Decided = Arc<[Result<Permitted, String>]>;

/// How deep a conversation may go.
#[derive(Debug)]
pub(super) struct Permitted {
    /// As far as is known of the device.
    decision: Arc<Decision>,
    /// The most, once its vendor and model are known.
    most: Level,
}

impl Crew {
    /// What the policy says of this address of `stop`.
    pub(super) fn decide(&self, address: IpAddr, stop: &Stop) -> Decided {
        let subject = |what: &Conversation| Subject {
            zone: self.zone.as_str(),
            address,
            protocol: what.protocol,
            port: what.port,
            vendor: None,
            model: None,
        };
        let policy = self.gate.policy();
        let decided = |what: &Conversation| {
            let most = self.permitted(address, what)?.level;
            let decision = policy.decide(&subject(what)).for_target(&what.options);
            Ok(Permitted { decision: Arc::new(decision), most })
        };
        stop.conversations.iter().map(decided).collect()
    }

    fn permitted(&self, address: IpAddr, what: &Conversation) -> Result<Decision, String> {
        let probe = protocols::by_name(what.protocol).ok_or("nobody here speaks it")?;
        let at = SocketAddr::new(address, what.port);
        permitted(self.gate.policy(), &self.zone, probe, at, &what.options)
    }

    /// Visit the device at `address` for what `stop` says, as far as `decided`.
    pub(super) async fn visit(&self, address: IpAddr, stop: &Stop, decided: Decided) -> Visited {
        let mut visited = Visited {
            named: stop.named,
            asset: None,
            exchanges: Vec::new(),
            outcomes: Vec::new(),
            left_out: Vec::new(),
            spending: Spending::default(),
        };
        let conversations = || stop.conversations.iter().zip(&*decided);
        let Some((first, _)) = conversations().find(|(_, decision)| decision.is_ok()) else {
            let refused = conversations().filter_map(|(c, decision)| {
                let why = decision.as_ref().err()?.clone();
                Some(self.unasked(address, c, Outcome::SkippedByPolicy, why))
            });
            visited.outcomes.extend(refused);
            return visited; // nobody stands in its way
        };
        let heard = self.called.iter().flat_map(|called| &called.exchanges);
        visited.exchanges.extend(heard.filter(|e| e.address == address).cloned());
        let endpoint = SocketAddr::new(address, first.port);
        match self.gate.visit(endpoint, stop.per_device.packets).await {
            Ok(visit) => {
                for (conversation, decision) in conversations() {
                    match self.may_ask(address, conversation, decision, &visited) {
                        Ok(decision) => {
                            self.converse(&visit, conversation, decision, &mut visited).await;
                        }
                        Err((outcome, why)) => {
                            visited.outcomes.push(self.unasked(
                                address,
                                conversation,
                                outcome,
                                why,
                            ));
                        }
                    }
                }
                visited.spending = visit.spending();
            }
            Err(refusal) => match about_many(&refusal).filter(|_| !stop.named) {
                Some(why) => visited.left_out.push(why),
                None => visited.outcomes.extend(
                    stop.conversations
                        .iter()
                        .map(|c| self.unasked(address, c, refused(&refusal), refusal.to_string())),
                ),
            },
        }
        visited.asset = fingerprint::interpret(&self.known.knowledge, &visited.exchanges);
        if Saboteur::Evidence.is_at_work() {
            visited.exchanges.drain(..visited.exchanges.len().min(1));
        }
        visited
    }

    /// What to ask by, or what to say of a conversation that is not held.
    fn may_ask<'a>(
        &self,
        address: IpAddr,
        what: &Conversation,
        permitted: &'a Result<Permitted, String>,
        visited: &Visited,
    ) -> Result<&'a Arc<Decision>, (Outcome, String)> {
        let skipped = |why| (Outcome::SkippedByPolicy, why);
        let Permitted { decision, most } =
            permitted.as_ref().map_err(|why| skipped(why.clone()))?;
        if self.was_silent(address, what) {
            // It heard a call to its whole network, so it is not asked by itself.
            return Err((Outcome::Silent, "silent to the call to its whole network".to_owned()));
        }
        match visited.spares(what, *most) {
            Some(known) => Err(skipped(format!(
                "already identified in {known}; a level above `identify` asks on"
            ))),
            None => Ok(decision),
        }
    }

    /// Call everybody in a network, as the policy opted in to, and keep who answered.
    pub(super) async fn call(&self, call: &Call) -> (Called, Vec<Spending>) {
        let mut found = Findings::default();
        let mut crowd = Crowd {
            gate: &self.gate,
            dialer: &*self.dialer,
            network: call.network,
            port: call.port,
            zone: &self.zone,
            source: &self.source,
            tag: self.first_tag,
            spent: Vec::new(),
        };
        let probe = protocols::by_name(call.protocol).filter(|probe| self.agrees(*probe, call));
        let called = match probe {
            Some(probe) => probe.call(&mut crowd, &mut found).await.map_err(|why| why.to_string()),
            None => Err("the policy consents to no call to some who would hear it".to_owned()),
        };
        let (everybody, failed) = match called {
            Ok(everybody) => (everybody, None),
            Err(why) => (false, Some(why)),
        };
        let spent = crowd.spent;
        let heard = found.exchanges.iter().map(|exchange| exchange.address).collect();
        let (call, exchanges) = (call.clone(), found.exchanges);
        (Called { call, everybody, failed, heard, exchanges }, spent)
    }

    /// Whether the policy consents to a call to each who would hear it.
    fn agrees(&self, probe: &dyn Probe, call: &Call) -> bool {
        let policy = self.gate.policy();
        let borders = policy.borders();
        let hosts = AddressSet::hosts_of(call.network);
        hosts.ranges().flat_map(|range| borders.cut(range)).all(|piece| {
            let at = SocketAddr::new(piece.first(), call.port);
            permitted(policy, &self.zone, probe, at, &Options::default())
                .is_ok_and(|most| most.consents.contains(BROADCAST))
        })
    }

    fn was_silent(&self, address: IpAddr, what: &Conversation) -> bool {
        let silent = |called: &Called| called.was_silent(what.protocol, address, what.port);
        !what.named && self.called.iter().any(silent)
    }

    async fn converse(
        &self,
        visit: &Visit,
        conversation: &Conversation,
        decision: &Arc<Decision>,
        visited: &mut Visited,
    ) {
        let Some(probe) = protocols::by_name(conversation.protocol) else { return };
        let endpoint = SocketAddr::new(visit.device().address(), conversation.port);
        let host = Host {
            visit,
            dialer: &*self.dialer,
            endpoint,
            zone: &self.zone,
            source: &self.source,
            named_units: &conversation.named_units,
            options: &conversation.options,
            for_strangers: Arc::clone(decision),
            decision: Arc::clone(decision),
            first_tag: self.first_tag,
        };
        let (before, started) = (visit.spending(), Instant::now());
        let mut found = Findings::default();
        let ended = probe.probe(host, &mut found).await;
        if let Err(ProbeError::Gate(refusal)) = &ended
            && let Some(why) = about_many(refusal).filter(|_| !visited.named)
            && found.exchanges.is_empty()
        {
            visited.left_out.push(why);
            return;
        }
        let (outcome, detail) = outcome(ended, probe, &found);
        let malformed = outcome == Outcome::Malformed;
        let evidence = found.exchanges.last().filter(|_| malformed).map(Evidence::of);
        let spent = visit.spending().since(before);
        let mut record = self.record(endpoint, probe.name(), outcome);
        record.detail = detail;
        record.evidence = evidence;
        record.packets = u32::try_from(spent.packets).unwrap_or(u32::MAX);
        record.packets_planned = most_packets(conversation);
        record.connections = spent.connections;
        record.requests = spent.requests;
        record.bytes_in = spent.bytes_in;
        record.bytes_out = spent.bytes_out;
        record.millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        visited.outcomes.push(record);
        visited.exchanges.append(&mut found.exchanges);
    }

    /// Of a conversation that was not held.
    fn unasked(
        &self,
        address: IpAddr,
        what: &Conversation,
        outcome: Outcome,
        why: String,
    ) -> OutcomeRecord {
        let endpoint = SocketAddr::new(address, what.port);
        let mut record = self.record(endpoint, what.protocol, outcome);
        record.packets_planned = most_packets(what);
        record.detail = Some(why);
        record
    }

    fn record(&self, at: SocketAddr, protocol: &str, outcome: Outcome) -> OutcomeRecord {
        OutcomeRecord::new(self.zone.clone(), at.ip(), protocol, at.port(), outcome)
    }
}

fn most_packets(conversation: &Conversation) -> u32 {
    u32::try_from(conversation.bounds.packets).unwrap_or(u32::MAX)
}

/// How a conversation ended, honestly, and in which words.
fn outcome(
    ended: Result<Outcome, ProbeError>,
    probe: &dyn Probe,
    found: &Findings,
) -> (Outcome, Option<String>) {
    let error = match ended {
        Ok(outcome) => return (outcome, None),
        Err(error) => error,
    };
    let outcome = match &error {
        ProbeError::Refused { busy: true, .. } => Outcome::Busy,
        ProbeError::Refused { .. } => Outcome::PresentNoIdentity,
        ProbeError::Malformed(WireError::Foreign { protocol }) if protocol == "tls" => {
            Outcome::TlsRequired
        }
        ProbeError::Malformed(WireError::Foreign { .. }) => Outcome::Unsupported,
        ProbeError::Malformed(_) => Outcome::Malformed,
        ProbeError::Silent { means: Silence::WentDark | Silence::TransportOnly, .. } => {
            Outcome::WentDark
        }
        ProbeError::Silent { .. } | ProbeError::ConnectTimeout(_) => Outcome::Silent,
        ProbeError::NotConnected(error) => not_connected(error),
        ProbeError::HungUp(_) => Outcome::ResetAfter,
        ProbeError::Gate(refusal) => refused(refusal),
    };
    // Whoever said its name before things went wrong has said its name; the detail says the rest.
    let said = probe.interpret(&found.exchanges.iter().collect::<Vec<_>>());
    let named = said.is_some_and(|asset| asset.is_identified());
    let keeps_name = !matches!(outcome, Outcome::WentDark | Outcome::Aborted);
    let outcome = if named && keeps_name { Outcome::Identified } else { outcome };
    (outcome, Some(error.to_string()))
}

/// That a host is not there is said by the last network on the way; anything else is about the way, or about
/// this host: it has no way there, no file descriptor, or a firewall of its own.
fn not_connected(error: &io::Error) -> Outcome {
    match error.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => Outcome::Refused,
        io::ErrorKind::HostUnreachable | io::ErrorKind::TimedOut => Outcome::Silent,
        _ => Outcome::NotReached,
    }
}

/// Why an address is left out, if that says nothing of who lives there: it is told once for as many as there
/// are, or a large range would fill memory.
fn about_many(refusal: &Refusal) -> Option<String> {
    match refusal {
        Refusal::SubnetLeftAlone(address) => Some(format!(
            "subnet {} reported itself unreachable and is left alone",
            subnet_of(*address)
        )),
        Refusal::ProtocolLeftAlone { protocol, .. } => Some(format!(
            "devices granted the transport of {protocol} and were silent to it; {protocol} is not \
             asked any further there in this run"
        )),
        Refusal::HostLock(_) => Some(refusal.to_string()),
        _ => None,
    }
}

fn refused(refusal: &Refusal) -> Outcome {
    match refusal {
        Refusal::Stopped(_) => Outcome::Aborted,
        Refusal::Fresh { .. } => Outcome::SkippedFresh,
        Refusal::CoolingDown { .. } | Refusal::Slowing(_) => Outcome::Busy,
        Refusal::LeftAlone(_) => Outcome::ResetAfter,
        Refusal::NotMeant { .. } => Outcome::Silent,
        Refusal::Spent {
            limit: "device_bytes" | "device_packets_per_s" | "unasked_bytes", ..
        }
        | Refusal::PlanSpent { .. } => Outcome::Malformed, // it floods, or drips without end
        _ => Outcome::SkippedByPolicy,
    }
}

#[cfg(test)]
mod tests {
    use io::ErrorKind;

    use super::*;

    #[test]
    fn only_what_says_something_of_the_device_is_silence() {
        let outcome = |kind: ErrorKind| not_connected(&kind.into());
        assert_eq!(outcome(ErrorKind::ConnectionRefused), Outcome::Refused);
        assert_eq!(outcome(ErrorKind::HostUnreachable), Outcome::Silent);
        for ours in [
            ErrorKind::PermissionDenied,
            ErrorKind::NetworkUnreachable,
            ErrorKind::NetworkDown,
            ErrorKind::AddrNotAvailable,
        ] {
            assert_eq!(outcome(ours), Outcome::NotReached);
        }
        // No file descriptor is left.
        #[cfg(unix)]
        assert_eq!(not_connected(&io::Error::from_raw_os_error(24)), Outcome::NotReached);
    }
}
