//! What we ask an S7 device, in order.

use std::collections::VecDeque;

use async_trait::async_trait;

use super::{
    Catalogue, Component, Connect, Function, Kind, List, MOST_CALLS, MOST_PARTS,
    ModuleIdentification, Place, ReadNextPart, ReadSzl, S7, SetupCommunication, Szl, interpret,
    refusal,
};
use crate::gate::Refusal;
use crate::gate::policy::{Decision, Limits};
use crate::model::{Asset, Exchange, Outcome, decode};
use crate::protocol::Protocol;
use crate::protocols::{self, Bounds};
use crate::safety::{Facts, Level, ReadOnly, Sealed};
use crate::session::{Findings, Host, ProbeError, Session};
use crate::wire::WireError;

/// Slots in which a controller is likely to sit, likeliest first: 2 in an S7-300 and its like, 1
/// in an S7-1200 and S7-1500.
const SLOTS: [u8; 2] = [2, 1];

/// Finds out who answers on an S7 port.
#[derive(Debug)]
pub struct Probe;

impl Sealed for Probe {}

#[async_trait]
impl protocols::Probe for Probe {
    fn name(&self) -> &'static str {
        S7::NAME
    }

    fn title(&self) -> &'static str {
        "S7 communication"
    }

    fn port(&self) -> u16 {
        102
    }

    fn functions(&self) -> Vec<&'static Facts> {
        Function::ALL.iter().map(|function| function.facts()).collect()
    }

    fn rules(&self) -> &'static str {
        include_str!("rules.toml")
    }

    /// Each refused connection costs its request; only the last one carries the conversation.
    fn bounds(&self, _: &Decision, _: &[u8], limits: &Limits) -> Bounds {
        let connections = u64::from(limits.connections_per_scan.min(MOST_CALLS.into()));
        let requests = connections - 1 + u64::from(limits.requests_per_conversation);
        let longest = self.functions().iter().map(|facts| facts.max_request).max().unwrap_or(0);
        Bounds::tcp(connections, requests, requests * u64::from(longest), limits)
    }

    async fn probe(&self, host: Host<'_>, found: &mut Findings) -> Result<Outcome, ProbeError> {
        let mut talk = Talk {
            host,
            found,
            parts: MOST_PARTS,
            malformed: None,
            protected: false,
            has_lists: false,
            catalogue: Asked::NotYet,
        };
        let Some(mut line) = talk.connect().await? else { return Ok(Outcome::Refused) };
        let result = talk.converse(&mut line).await;
        line.close().await;
        result
    }

    /// The protocol data unit reference.
    fn is_passing(&self, place: usize) -> bool {
        (11..13).contains(&place)
    }

    fn interpret(&self, exchanges: &[&Exchange]) -> Option<Asset> {
        interpret::interpret(exchanges)
    }

    #[cfg(any(test, feature = "sim"))]
    fn simulate(&self) -> Box<dyn crate::sim::Device> {
        super::sim::typical()
    }
}

/// One conversation, from the first question to the goodbye.
struct Talk<'a, 'f> {
    host: Host<'a>,
    found: &'f mut Findings,
    /// How many continuations may still be asked for.
    parts: u16,
    /// What was wrong with the first list that made no sense.
    malformed: Option<WireError>,
    /// A list was refused for want of a password.
    protected: bool,
    /// A list was answered.
    has_lists: bool,
    /// What the device says which lists it has, once it was asked.
    catalogue: Asked,
}

/// Whether the list of lists was asked for, and what came of it.
enum Asked {
    NotYet,
    /// `None` if the device does not say, or not all of it.
    Once(Option<Catalogue>),
}

/// What decides what else is asked.
struct Identity {
    /// Empty if it says none.
    order_number: String,
    /// Lists that hold what was cut off another.
    owed: Vec<List>,
}

/// The list of lists comes in two messages. It is asked for once a list was refused, and only where
/// more are still to be asked than it would cost itself. An S7-300 or S7-400 has nearly all, and two
/// questions more would take the place of two that it answers.
const WORTH_A_CATALOGUE: usize = 3;

type Line<'a> = Session<'a, S7>;

/// A list as it came, part by part.
type Bytes = Vec<u8>;

impl<'a> Talk<'a, '_> {
    /// The first connection that is granted; `None` if every one is refused in good order.
    ///
    /// Refusals come as a COTP message or by hanging up. Silence is none: who does not answer is
    /// not asked again.
    async fn connect(&mut self) -> Result<Option<Line<'a>>, ProbeError> {
        let mut hung_up = None;
        for (tried, request) in self.candidates().into_iter().enumerate() {
            let mut line = match self.host.open(S7).await {
                Ok(line) => line,
                // Another protocol has used up connections before: those we had were refused.
                Err(ProbeError::Gate(Refusal::Spent { .. })) if tried > 0 => break,
                Err(error) => return Err(error),
            };
            let refused = match line.ask(&request, self.found).await {
                Ok(()) => return Ok(Some(line)),
                Err(ProbeError::Refused { busy: false, .. }) => None,
                Err(error @ ProbeError::HungUp(_)) => Some(error),
                Err(error) => {
                    line.close().await;
                    return Err(error);
                }
            };
            line.close().await;
            hung_up = refused;
        }
        hung_up.map_or(Ok(None), Err)
    }

    /// Whom to call as what, gentlest first: no more than two, or than the policy allows connections.
    /// What the target says is not guessed.
    fn candidates(&self) -> Vec<Connect> {
        let named = |option| self.host.option(option).and_then(|value| u8::try_from(value).ok());
        let rack = named("rack").unwrap_or(0);
        let programmer = self.host.consents_to("programmer").then_some(Kind::Programmer);
        let calls: [(Kind, u8); MOST_CALLS as usize] = match named("slot") {
            Some(slot) => [(Kind::Basic, slot), (programmer.unwrap_or(Kind::Operator), slot)],
            None => [(Kind::Basic, SLOTS[0]), (programmer.unwrap_or(Kind::Basic), SLOTS[1])],
        };
        let places = calls.into_iter().filter_map(|(kind, slot)| {
            let place = Place::new(rack, slot)?;
            Some(Connect { kind, place })
        });
        let most = self.host.limits().connections_per_scan.min(MOST_CALLS.into());
        places.take(usize::try_from(most).unwrap_or(usize::MAX)).collect()
    }

    async fn converse(&mut self, line: &mut Line<'a>) -> Result<Outcome, ProbeError> {
        line.ask(&SetupCommunication, self.found).await?;
        if self.host.level() >= Level::Identify {
            let identity = self.identity(line).await?;
            self.further(line, &identity).await?;
        }
        self.outcome()
    }

    /// Who it is.
    async fn identity(&mut self, line: &mut Line<'a>) -> Result<Identity, ProbeError> {
        let list = List::ModuleIdentification;
        let bytes = self.list(line, list).await?;
        let modules = self.szl(list, &bytes).into_iter().flat_map(|szl| szl.records());
        let module = modules
            .filter_map(|(record, _)| ModuleIdentification::read(record))
            .find(|module| module.index == ModuleIdentification::MODULE);
        let order_number = module.map(|module| decode(&module.order_number)).unwrap_or_default();

        let list = List::ComponentIdentification;
        let bytes = self.list(line, list).await?;
        let szl = self.szl(list, &bytes);
        let components: Vec<Component> = szl
            .iter()
            .flat_map(Szl::records)
            .filter_map(|(record, _)| Component::read(record))
            .collect();
        self.learn(&order_number, &components)?;
        let owed = match szl.is_some_and(|szl| szl.is_cut_short()) {
            true => owed(&components),
            false => Vec::new(),
        };
        Ok(Identity { order_number, owed })
    }

    /// The device says who it is: the policy may now know a better rule for it.
    fn learn(&mut self, order_number: &str, components: &[Component]) -> Result<(), ProbeError> {
        let is_siemens = components.contains(&Component::Manufacturer(interpret::SIEMENS))
            || interpret::is_siemens(order_number);
        let model = components.iter().find_map(|component| match component {
            Component::ModuleType(name) => Some(decode(name)).filter(|name| !name.is_empty()),
            _ => None,
        });
        let model = model.unwrap_or_else(|| order_number.to_owned());
        match model.as_str() {
            "" => Ok(()),
            model => self.host.learn::<S7>(if is_siemens { interpret::MAKER } else { "" }, model),
        }
    }

    /// What the level allows beyond the identity, without what the device says that it has not.
    async fn further(
        &mut self,
        line: &mut Line<'a>,
        identity: &Identity,
    ) -> Result<(), ProbeError> {
        let mut lists = further_lists(self.host.level(), identity);
        let is_known = list_of_modules(&identity.order_number).is_some();
        while let Some(list) = lists.pop_front() {
            if !self.may_have(list) {
                continue;
            }
            if !self.list(line, list).await?.is_empty() {
                // The second protection list is for controllers without the first.
                lists.retain(|next| (list, *next) != (List::Protection, List::ProtectionOfCpu));
            } else if !is_known && lists.len() >= WORTH_A_CATALOGUE {
                self.ask_for_catalogue(line).await?;
            }
        }
        Ok(())
    }

    /// Once, and only of a device that has lists at all.
    async fn ask_for_catalogue(&mut self, line: &mut Line<'a>) -> Result<(), ProbeError> {
        if self.has_lists && matches!(self.catalogue, Asked::NotYet) {
            let bytes = self.list(line, List::Lists).await?;
            let szl = Szl::read(List::Lists, &bytes).ok();
            self.catalogue = Asked::Once(szl.and_then(|szl| Catalogue::read(&szl)));
        }
        Ok(())
    }

    fn may_have(&self, list: List) -> bool {
        match &self.catalogue {
            Asked::Once(Some(catalogue)) => catalogue.may_hold(list),
            Asked::Once(None) | Asked::NotYet => true,
        }
    }

    /// Every part of a list; nothing if the device does not have it.
    async fn list(&mut self, line: &mut Line<'a>, list: List) -> Result<Bytes, ProbeError> {
        let mut part = match line.ask(&ReadSzl { list }, self.found).await {
            Err(ProbeError::Refused { code, busy: false }) => {
                self.protected |= refusal::wants_password(code);
                return Ok(Bytes::new());
            }
            other => other?,
        };
        let mut bytes = part.bytes;
        while part.more && self.parts > 0 {
            self.parts -= 1;
            let next = ReadNextPart { sequence: part.sequence };
            part = match line.ask(&next, self.found).await {
                Err(ProbeError::Refused { busy: false, .. }) => break,
                other => other?,
            };
            bytes.append(&mut part.bytes);
        }
        self.has_lists = true;
        Ok(bytes)
    }

    /// The list in `bytes`, if there is one. That one makes no sense does not end the conversation:
    /// the next may.
    fn szl<'b>(&mut self, list: List, bytes: &'b [u8]) -> Option<Szl<'b>> {
        match Szl::read(list, bytes) {
            Ok(szl) => Some(szl),
            Err(error) if !bytes.is_empty() => {
                self.malformed.get_or_insert(error);
                None
            }
            Err(_) => None,
        }
    }

    fn outcome(&mut self) -> Result<Outcome, ProbeError> {
        let exchanges: Vec<&Exchange> = self.found.exchanges.iter().collect();
        let asset = interpret::interpret(&exchanges);
        match (asset.is_some_and(|asset| asset.is_identified()), self.malformed.take()) {
            (true, _) => Ok(Outcome::Identified),
            (false, Some(error)) => Err(error.into()),
            (false, None) if self.protected => Ok(Outcome::AuthRequired),
            (false, None) => Ok(Outcome::PresentNoIdentity),
        }
    }
}

/// What a list of components that was cut short still owes, record by record.
fn owed(components: &[Component]) -> Vec<List> {
    let has_card = components.iter().any(|one| matches!(one, Component::MemoryCard(_)));
    let has_location = components.iter().any(|one| matches!(one, Component::Location(_)));
    let card = Some(List::MemoryCard).filter(|_| !has_card);
    card.into_iter().chain(Some(List::Location).filter(|_| !has_location)).collect()
}

/// Interfaces, limits, and the modules of the rack where such controllers know them; then mode,
/// protection and lights. What an earlier list still owes comes last: it costs much for what it brings.
fn further_lists(level: Level, identity: &Identity) -> VecDeque<List> {
    let mut lists = VecDeque::new();
    if level >= Level::Structure {
        lists.extend([List::EthernetDetails, List::CommunicationLimits]);
        lists.extend(list_of_modules(&identity.order_number));
    }
    if level >= Level::State {
        let protection = [List::Protection, List::ProtectionOfCpu];
        lists.extend([List::OperatingMode].into_iter().chain(protection).chain([List::Leds]));
    }
    if level >= Level::Structure {
        lists.extend(&identity.owed);
    }
    lists
}

/// The list in which controllers with this order number keep their modules, if any.
fn list_of_modules(order_number: &str) -> Option<List> {
    const S7_400: [&str; 1] = ["6ES7 4"];
    const S7_300: [&str; 4] = ["6ES7 3", "6ES7 151-7", "6ES7 151-8", "6ES7 154-8"];
    let begins = |prefixes: &[&str]| prefixes.iter().any(|p| order_number.starts_with(p));
    match (begins(&S7_400), begins(&S7_300)) {
        (true, _) => Some(List::Modules),
        (_, true) => Some(List::ModulesOfRack),
        _ => None,
    }
}
