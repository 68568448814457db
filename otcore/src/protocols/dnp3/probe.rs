//! What we ask a DNP3 outstation, in order.

use std::io::ErrorKind;

use async_trait::async_trait;

use super::{
    Attributes, CallLink, Dnp3, Function, Heard, ReadAttributes, SELF_ADDRESS, Value, interpret,
    refusal,
};
use crate::gate::policy::{Decision, Limits};
use crate::gate::{Refusal, Silence};
use crate::model::{Asset, Exchange, Outcome, Transport, decode};
use crate::protocol::Protocol;
use crate::protocols::{self, Bounds};
use crate::safety::{Facts, Level, ReadOnly, Sealed};
use crate::session::{Findings, Host, ProbeError, Session};

/// The consent to open a connection.
const CONNECT: &str = "connect";
/// The consent to ask by datagrams.
const DATAGRAMS: &str = "datagrams";

/// Whom a call may come from where nobody says who the master is: most outstations do not look.
const ANY_MASTER: u16 = 1;
/// The likeliest link addresses, after the one that every outstation has which knows the feature:
/// those that makers and examples begin with.
const LIKELY: [u16; 15] = [1, 10, 4, 3, 2, 100, 1024, 5, 20, 0, 6, 7, 8, 9, 11];
/// Attributes that are asked for where an outstation gives neither a list nor all at once.
const WITHOUT_A_LIST: usize = 2;

const MANUFACTURER: u8 = 252;
const PRODUCT_NAME: u8 = 250;

/// Finds out which outstations answer at an address.
#[derive(Debug)]
pub struct Probe;

impl Sealed for Probe {}

#[async_trait]
impl protocols::Probe for Probe {
    fn name(&self) -> &'static str {
        Dnp3::NAME
    }

    fn title(&self) -> &'static str {
        "DNP3"
    }

    fn port(&self) -> u16 {
        20000
    }

    fn carriers(&self) -> &'static [Transport] {
        &[Transport::Udp, Transport::Tcp]
    }

    fn functions(&self) -> Vec<&'static Facts> {
        Function::ALL.iter().map(|function| function.facts()).collect()
    }

    fn rules(&self) -> &'static str {
        include_str!("rules.toml")
    }

    fn bounds(&self, decision: &Decision, _: &[u8], limits: &Limits) -> Bounds {
        let longest = self.functions().iter().map(|facts| facts.max_request).max().unwrap_or(0);
        let named = u64::try_from(decision.outstations.len()).unwrap_or(u64::MAX).max(1);
        let named = named.min(limits.units_per_gateway.into());
        let own = named * u64::from(limits.requests_per_conversation);
        let requests = own + u64::from(limits.link_addresses);
        let bytes = requests * u64::from(longest);
        let by = |consent: &str| decision.consents.contains(consent);
        let datagrams = by(DATAGRAMS).then(|| Bounds::datagrams(requests, bytes, limits));
        let connection = by(CONNECT).then(|| Bounds::tcp(1, requests, bytes, limits));
        datagrams.unwrap_or_default().and(connection.unwrap_or_default())
    }

    /// Every link address is called, those that somebody named first, as long as there is time.
    fn looking_ms(&self, limits: &Limits) -> u64 {
        let wait = limits.gateway_response_timeout_ms.max(limits.udp_retry_gap_ms);
        let calls = u64::from(limits.units_per_gateway) + u64::from(limits.link_addresses);
        let most = calls + u64::from(limits.udp_retries);
        most.saturating_mul(wait.into()).min(1_000 * u64::from(limits.device_time_s))
    }

    fn missing_consent(&self, decision: &Decision) -> Option<&'static str> {
        let any = [CONNECT, DATAGRAMS].iter().any(|consent| decision.consents.contains(*consent));
        (!any).then_some(CONNECT)
    }

    async fn probe(&self, host: Host<'_>, found: &mut Findings) -> Result<Outcome, ProbeError> {
        if host.outstations().is_empty() && host.limits().link_addresses == 0 {
            return Ok(Outcome::SkippedByPolicy); // a connection would carry no question
        }
        let master = host.master();
        let mut talk = Talk { host, found, master, speaks: false, is_over: false };
        if talk.host.consents_to(DATAGRAMS) {
            let result = talk.by_datagrams().await;
            let only = talk.host.option("udp") == Some(1) || !talk.host.consents_to(CONNECT);
            match result {
                // Nobody was heard, so somebody may still take a connection.
                Err(error) if !talk.speaks && !only && is_nobody(&error) => {}
                result => return result,
            }
        }
        if !talk.host.consents_to(CONNECT) {
            return Err(Refusal::NeedsConsent { consent: CONNECT }.into());
        }
        talk.by_connection().await
    }

    fn interpret(&self, exchanges: &[&Exchange]) -> Option<Asset> {
        interpret::interpret(exchanges)
    }

    #[cfg(any(test, feature = "sim"))]
    fn simulate(&self) -> Box<dyn crate::sim::Device> {
        super::sim::typical()
    }
}

/// One conversation, from the first call to the goodbye.
struct Talk<'a, 'f> {
    host: Host<'a>,
    found: &'f mut Findings,
    /// The link address of the master whose questions are answered.
    master: Option<u16>,
    /// Somebody has answered.
    speaks: bool,
    /// Nothing more is to be asked.
    is_over: bool,
}

type Line<'a> = Session<'a, Dnp3>;

impl<'a> Talk<'a, '_> {
    async fn by_datagrams(&mut self) -> Result<Outcome, ProbeError> {
        let mut line = self.host.open_datagrams(self.towards(SELF_ADDRESS)).await?;
        let result = self.converse(&mut line, Transport::Udp).await;
        let heard = line.was_heard();
        line.close().await;
        self.speaks |= heard;
        result
    }

    async fn by_connection(&mut self) -> Result<Outcome, ProbeError> {
        let mut line = self.host.open(self.towards(SELF_ADDRESS)).await?;
        let result = self.converse(&mut line, Transport::Tcp).await;
        line.close().await;
        result
    }

    fn towards(&self, outstation: u16) -> Dnp3 {
        Dnp3 { outstation, master: self.master.unwrap_or(ANY_MASTER) }
    }

    async fn converse(
        &mut self,
        line: &mut Line<'a>,
        carrier: Transport,
    ) -> Result<Outcome, ProbeError> {
        let most = usize::try_from(self.host.limits().units_per_gateway).unwrap_or(usize::MAX);
        let named: Vec<u16> = self.host.outstations().iter().copied().take(most).collect();
        let mut silence = None;
        for address in &named {
            match self.call(line, *address).await {
                Ok(heard) => self.outstation(line, heard, carrier).await?,
                Err(error) => silence = Some(unless_not_meant(error)?),
            }
            if self.is_over || (self.speaks && silence.is_some()) {
                break;
            }
        }
        if self.speaks {
            return Ok(self.outcome());
        }
        self.hunt(line, &named, carrier, silence).await
    }

    /// Nobody of those named answered, or nobody was named: the likeliest addresses, one by one.
    async fn hunt(
        &mut self,
        line: &mut Line<'a>,
        named: &[u16],
        carrier: Transport,
        mut silence: Option<ProbeError>,
    ) -> Result<Outcome, ProbeError> {
        let most = usize::try_from(self.host.limits().link_addresses).unwrap_or(usize::MAX);
        let likely = std::iter::once(SELF_ADDRESS).chain(LIKELY);
        for address in likely.filter(|address| !named.contains(address)).take(most) {
            match self.call(line, address).await {
                Ok(heard) => {
                    self.outstation(line, heard, carrier).await?;
                    return Ok(self.outcome());
                }
                Err(error) => silence = Some(unless_not_meant(error)?),
            }
            // Who said something else, or too late, and then nothing, may be in trouble.
            if line.was_heard() {
                break;
            }
        }
        match silence {
            Some(silence) => Err(silence),
            None => Ok(Outcome::Silent), // all that were likely had been named
        }
    }

    /// Whether somebody has this link address, or speaks up meanwhile.
    async fn call(&mut self, line: &mut Line<'a>, address: u16) -> Result<Heard, ProbeError> {
        line.turn_to(self.towards(address));
        let heard = line.ask(&CallLink, self.found).await?;
        self.speaks = true;
        Ok(heard)
    }

    /// Everything that the level allows to ask one outstation.
    async fn outstation(
        &mut self,
        line: &mut Line<'a>,
        heard: Heard,
        carrier: Transport,
    ) -> Result<(), ProbeError> {
        if self.host.level() < Level::Identify {
            return Ok(());
        }
        self.master = self.host.master().or(heard.master).or(self.master);
        line.go_on_as(self.towards(heard.outstation));
        if self.master.is_none() {
            // What it said of its own accord since the first call comes before the answer.
            match line.ask(&CallLink, self.found).await {
                Ok(again) => self.master = again.master,
                Err(error) => {
                    unless_not_meant(error)?;
                    self.is_over = true;
                }
            }
        }
        if self.master.is_none() {
            return Ok(());
        }
        line.go_on_as(self.towards(heard.outstation));
        self.attributes(line, carrier).await
    }

    /// What it says of itself: which attributes it has, then all of them in one answer, and one by
    /// one what that answer has no room for.
    async fn attributes(
        &mut self,
        line: &mut Line<'a>,
        carrier: Transport,
    ) -> Result<(), ProbeError> {
        let mut said = Said::default();
        let list = self.read(line, Function::ReadAttributeList).await?;
        let listed = list.and_then(|list| list.listed());
        // An answer of several frames may come as several datagrams, and each is looked at alone.
        if !self.is_over && carrier == Transport::Tcp {
            let all = self.read(line, Function::ReadAllAttributes).await?;
            let is_complete = all.as_ref().is_some_and(|all| all.is_complete);
            said.add(all);
            if is_complete {
                return self.meet(&said);
            }
        }
        let mut refused = 0;
        for (variation, function) in Function::SINGLE {
            let is_listed = listed.as_ref().is_none_or(|listed| listed.contains(&variation));
            if !is_listed || said.variations.contains(&variation) {
                continue;
            }
            let blind = listed.is_none() && said.variations.is_empty();
            if self.is_over || line.questions_left() == 0 || (blind && refused >= WITHOUT_A_LIST) {
                break;
            }
            let answer = self.read(line, function).await?;
            refused += usize::from(answer.is_none());
            said.add(answer);
        }
        self.meet(&said)
    }

    /// It says who it is: the policy may now know a better rule for it.
    fn meet(&mut self, said: &Said) -> Result<(), ProbeError> {
        match said.model.is_empty() {
            true => Ok(()),
            false => self.host.learn::<Dnp3>(&said.vendor, &said.model),
        }
    }

    /// The answer to one read; `None` if it is refused, or if nothing more is to be asked.
    async fn read(
        &mut self,
        line: &mut Line<'a>,
        function: Function,
    ) -> Result<Option<Attributes>, ProbeError> {
        match line.ask(&ReadAttributes(function), self.found).await {
            Ok(attributes) => Ok(Some(attributes)),
            Err(ProbeError::Refused { code, busy: false }) => {
                self.is_over |= refusal::is_of_every_read(code);
                Ok(None)
            }
            // It does not take this master's questions, or waits for a confirmation; and what was
            // learned of its link stands, also when its line is too slow for more.
            Err(
                ProbeError::Silent { means: Silence::NotMeant, .. }
                | ProbeError::Gate(Refusal::Spent { limit: "device_time_s", .. }),
            ) => {
                self.is_over = true;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn outcome(&self) -> Outcome {
        let exchanges: Vec<&Exchange> = self.found.exchanges.iter().collect();
        let asset = interpret::interpret(&exchanges);
        match asset.is_some_and(|asset| asset.is_identified()) {
            true => Outcome::Identified,
            false => Outcome::PresentNoIdentity,
        }
    }
}

/// What an outstation has said of itself so far.
#[derive(Default)]
struct Said {
    variations: Vec<u8>,
    vendor: String,
    model: String,
}

impl Said {
    fn add(&mut self, answer: Option<Attributes>) {
        for attribute in answer.into_iter().flat_map(|answer| answer.attributes) {
            self.variations.push(attribute.variation);
            match (attribute.variation, attribute.value) {
                (MANUFACTURER, Value::Text(text)) => self.vendor = decode(&text),
                (PRODUCT_NAME, Value::Text(text)) => self.model = decode(&text),
                _ => {}
            }
        }
    }
}

/// The silence to a call that nobody may have been meant by; every other error ends the conversation.
fn unless_not_meant(error: ProbeError) -> Result<ProbeError, ProbeError> {
    match error {
        ProbeError::Silent { means: Silence::NotMeant, .. } => Ok(error),
        error => Err(error),
    }
}

/// Whether nobody listens for datagrams, as far as can be told.
fn is_nobody(error: &ProbeError) -> bool {
    match error {
        ProbeError::Silent { .. } => true,
        ProbeError::NotConnected(why) => why.kind() == ErrorKind::ConnectionRefused,
        _ => false,
    }
}
