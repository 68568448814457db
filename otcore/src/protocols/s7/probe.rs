//! What we ask an S7 device, in order.

use async_trait::async_trait;

use super::{
    Component, Connect, Function, Kind, List, MOST_CALLS, MOST_PARTS, ModuleIdentification, Place,
    ReadNextPart, ReadSzl, S7, SetupCommunication, Szl, interpret, refusal,
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
        let mut talk = Talk { host, found, parts: MOST_PARTS, malformed: None, protected: false };
        let Some(mut line) = talk.connect().await? else { return Ok(Outcome::Refused) };
        let result = talk.converse(&mut line).await;
        line.close().await;
        result
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
}

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
            let order_number = self.identity(line).await?;
            if self.host.level() >= Level::Structure {
                self.structure(line, &order_number).await?;
            }
            if self.host.level() >= Level::State {
                self.state(line).await?;
            }
        }
        self.outcome()
    }

    /// Who it is. Gives the order number, or nothing.
    async fn identity(&mut self, line: &mut Line<'a>) -> Result<String, ProbeError> {
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
        if szl.is_some_and(|szl| szl.is_cut_short()) {
            self.missing(line, &components).await?;
        }
        Ok(order_number)
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

    /// What a list that was cut short still owes, record by record.
    async fn missing(
        &mut self,
        line: &mut Line<'a>,
        components: &[Component],
    ) -> Result<(), ProbeError> {
        if !components.iter().any(|component| matches!(component, Component::MemoryCard(_))) {
            self.list(line, List::MemoryCard).await?;
        }
        if !components.iter().any(|component| matches!(component, Component::Location(_))) {
            self.list(line, List::Location).await?;
        }
        Ok(())
    }

    /// Interfaces, limits, and the modules of the rack where such controllers know them.
    async fn structure(
        &mut self,
        line: &mut Line<'a>,
        order_number: &str,
    ) -> Result<(), ProbeError> {
        self.list(line, List::EthernetDetails).await?;
        self.list(line, List::CommunicationLimits).await?;
        if let Some(list) = list_of_modules(order_number) {
            self.list(line, list).await?;
        }
        Ok(())
    }

    async fn state(&mut self, line: &mut Line<'a>) -> Result<(), ProbeError> {
        self.list(line, List::OperatingMode).await?;
        if self.list(line, List::Protection).await?.is_empty() {
            self.list(line, List::ProtectionOfCpu).await?;
        }
        self.list(line, List::Leds).await?;
        Ok(())
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
