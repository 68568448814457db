//! What we ask a BACnet device, in order.

use std::collections::BTreeMap;

use async_trait::async_trait;
use device::{Device, HERE};

use super::{
    Bacnet, Function, IAm, Property, Read, ReadSeveral, Value, WILDCARD, WhoIs, call, data,
    interpret, property_of, refusal,
};
use crate::gate::policy::{Decision, Limits};
use crate::gate::{Refusal, Silence};
use crate::model::{Asset, Exchange, Outcome, Transport};
use crate::protocol::Protocol;
use crate::protocols::{self, Bounds};
use crate::safety::{Facts, Level, ReadOnly, Sealed};
use crate::session::{Crowd, Findings, Host, ProbeError, Session};
use crate::wire::WireError;

mod device;
mod nested;
mod structure;

/// Where devices answer that do not look at the port they were asked from.
const PORT: u16 = 47808;

/// Finds out who answers on a BACnet port, and which devices live behind it.
#[derive(Debug)]
pub struct Probe;

impl Sealed for Probe {}

#[async_trait]
impl protocols::Probe for Probe {
    fn name(&self) -> &'static str {
        Bacnet::NAME
    }

    fn title(&self) -> &'static str {
        "BACnet/IP"
    }

    fn port(&self) -> u16 {
        PORT
    }

    fn carriers(&self) -> &'static [Transport] {
        &[Transport::Udp]
    }

    fn functions(&self) -> Vec<&'static Facts> {
        Function::ALL.iter().map(|function| function.facts()).collect()
    }

    fn rules(&self) -> &'static str {
        include_str!("rules.toml")
    }

    fn tables(&self) -> &'static [(&'static str, &'static str)] {
        &data::TABLES
    }

    /// The device itself, and as many behind its address as the policy lets be asked of any gateway;
    /// with consent every network behind it is called once, and where nobody answers it is asked
    /// whether it still does.
    fn bounds(&self, decision: &Decision, _: &[u8], limits: &Limits) -> Bounds {
        let longest = self.functions().iter().map(|facts| facts.max_request).max().unwrap_or(0);
        let own = u64::from(limits.requests_per_conversation);
        let units = u64::from(limits.units_per_gateway);
        let deep = decision.level >= Level::Structure;
        let nested = if deep { units * own } else { 0 };
        let calls = if deep && decision.consents.contains("routed") { 2 * units } else { 0 };
        let questions = own + nested + calls;
        Bounds::datagrams(questions, questions * u64::from(longest), limits)
    }

    async fn probe(&self, host: Host<'_>, found: &mut Findings) -> Result<Outcome, ProbeError> {
        let mut line = match host.consents_to("reply_port") {
            true => host.open_datagrams_hearing(Bacnet::default(), PORT).await?,
            false => host.open_datagrams(Bacnet::default()).await?,
        };
        let mut talk =
            Talk { host, found, speaks: false, called: None, malformed: None, secured: false };
        let result = talk.converse(&mut line).await;
        line.close().await;
        match result {
            // Whoever is not meant by a call says nothing, and nothing more is asked of it.
            Err(ProbeError::Silent {
                means: Silence::NotMeant | Silence::NobodyBehind, ..
            }) if talk.speaks => talk.outcome(),
            Err(error) => Err(error),
            Ok(()) => talk.outcome(),
        }
    }

    fn calls(&self) -> bool {
        true
    }

    async fn call(&self, crowd: &mut Crowd<'_>, found: &mut Findings) -> Result<bool, ProbeError> {
        call::everybody(crowd, found).await
    }

    fn interpret(&self, exchanges: &[&Exchange]) -> Option<Asset> {
        interpret::interpret(exchanges)
    }

    #[cfg(any(test, feature = "sim"))]
    fn simulate(&self) -> Box<dyn crate::sim::Device> {
        super::sim::typical()
    }
}

/// One conversation, from the first datagram to the last.
struct Talk<'a, 'f> {
    host: Host<'a>,
    found: &'f mut Findings,
    /// It has answered, if only to refuse.
    speaks: bool,
    /// Who answered a call at its address, once it was called.
    called: Option<Vec<IAm>>,
    /// What was wrong with the first answer that made no sense.
    malformed: Option<WireError>,
    /// It wants questions that prove who asks.
    secured: bool,
}

type Line<'a> = Session<'a, Bacnet>;

impl<'a> Talk<'a, '_> {
    async fn converse(&mut self, line: &mut Line<'a>) -> Result<(), ProbeError> {
        let Some(mut device) = self.device_itself(line).await? else { return Ok(()) };
        if self.host.level() == Level::Detect {
            return Ok(());
        }
        self.identity(line, &mut device).await?;
        if self.host.level() >= Level::State {
            self.state(line, &device).await?;
        }
        if self.host.level() >= Level::Structure {
            self.structure(line, &device).await?;
            self.nested(line, &device).await?;
        }
        Ok(())
    }

    /// Its number, by a read, whose answer comes back to us alone; and where that is refused or gets no
    /// answer, by a call, whose answer may go to a whole network.
    async fn device_itself(&mut self, line: &mut Line<'a>) -> Result<Option<Device>, ProbeError> {
        let named = self.host.option("instance").filter(|_| self.host.option("network").is_none());
        let read = Read::of(Function::ReadObjectIdentifier, named.unwrap_or(WILDCARD));
        match line.ask(&read, self.found).await {
            Ok(Value::Object(device)) => {
                self.speaks = true;
                return Ok(Some(Device::numbered(device.instance)));
            }
            Ok(_) => {
                self.speaks = true;
                self.malformed = Some(WireError::Invalid { field: "device", value: 0 });
            }
            Err(ProbeError::Refused { code, busy: false }) => {
                self.speaks = true;
                self.secured = refusal::is_for_security(code);
            }
            // Who said something else, and then nothing, is not asked again in another way.
            Err(ProbeError::Silent { means: Silence::NeverAnswered, .. }) if !line.was_heard() => {}
            Err(error) => return Err(error),
        }
        let range = named.map(|instance| instance..=instance);
        let here = self.call(line, range).await?;
        Ok(here.first().map(|i_am| Device::heard(i_am, &HERE)))
    }

    /// Who answers a call at this address, from there and not from behind it.
    async fn call(
        &mut self,
        line: &mut Line<'a>,
        range: Option<std::ops::RangeInclusive<u32>>,
    ) -> Result<Vec<IAm>, ProbeError> {
        let heard = line.gather(&WhoIs { range, routed: false }, self.found).await?;
        self.speaks = true;
        let here = |i_am: &IAm| i_am.from.is_none() && self.is_its_own(i_am);
        let here: Vec<IAm> = heard.into_iter().filter(here).collect();
        self.called = Some(here.clone());
        Ok(here)
    }

    /// Whether it speaks for itself: a device that hands broadcasts on hands on those of others.
    fn is_its_own(&self, i_am: &IAm) -> bool {
        let address = self.found.exchanges.last().map(|exchange| exchange.address);
        i_am.origin.is_none_or(|origin| address == Some(origin.ip.into()))
    }

    /// Names and versions: all in one answer, or one by one.
    async fn identity(
        &mut self,
        line: &mut Line<'a>,
        device: &mut Device,
    ) -> Result<(), ProbeError> {
        let way = device.way;
        let said = match self.several(line, device, way.identity).await? {
            Some(said) => said,
            None => self.names(line, device).await?,
        };
        let text = |number| said.get(&number).and_then(interpret::text).unwrap_or_default();
        let (vendor, model) = (text(interpret::VENDOR_NAME), text(interpret::MODEL_NAME));
        if !model.is_empty() {
            self.host.learn::<Bacnet>(&vendor, &model)?;
        }
        let more = self.several(line, device, way.description).await?.unwrap_or_default();
        if let Some(Value::Unsigned(revision)) = more.get(&interpret::PROTOCOL_REVISION) {
            device.revision = *revision;
        }
        Ok(())
    }

    /// Names and versions one by one, and the number of a maker without a name.
    async fn names(
        &mut self,
        line: &mut Line<'a>,
        device: &Device,
    ) -> Result<BTreeMap<u32, Value>, ProbeError> {
        let said = self.one_by_one(line, device, device.way.names).await?;
        let vendor = said.get(&interpret::VENDOR_NAME).and_then(interpret::text);
        if let (true, Some(number)) = (vendor.unwrap_or_default().is_empty(), device.way.number) {
            self.one_by_one(line, device, &[number]).await?;
        }
        Ok(said)
    }

    /// What changes while it works.
    async fn state(&mut self, line: &mut Line<'a>, device: &Device) -> Result<(), ProbeError> {
        let mut device = device.clone();
        let way = device.way;
        if self.several(line, &mut device, way.state).await?.is_none() {
            self.one_by_one(line, &device, way.status).await?;
        }
        Ok(())
    }

    /// Properties that are not to be had together.
    async fn one_by_one(
        &mut self,
        line: &mut Line<'a>,
        device: &Device,
        functions: &[Function],
    ) -> Result<BTreeMap<u32, Value>, ProbeError> {
        let mut said = BTreeMap::new();
        for function in functions {
            let value = self.read(line, &Read::of(*function, device.instance)).await?;
            if let (Some(value), Some((number, _))) = (value, property_of(*function)) {
                said.insert(number, value);
            }
        }
        Ok(said)
    }

    /// Several properties, by their numbers, without those that it does not have. `None` if it does not
    /// know the question, or the answer would be too long; then it is not asked so again.
    async fn several(
        &mut self,
        line: &mut Line<'a>,
        device: &mut Device,
        function: Function,
    ) -> Result<Option<BTreeMap<u32, Value>>, ProbeError> {
        if !device.several || line.questions_left() == 0 {
            return Ok(None);
        }
        let request = ReadSeveral::of(function, device.instance);
        match line.ask(&request, self.found).await {
            Ok(properties) => Ok(Some(by_number(properties))),
            Err(ProbeError::Refused { code, busy: false }) if refusal::is_of_device(code) => {
                device.several = false;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// One property; `None` if it does not have it.
    async fn read(
        &mut self,
        line: &mut Line<'a>,
        read: &Read,
    ) -> Result<Option<Value>, ProbeError> {
        if line.questions_left() == 0 {
            return Ok(None);
        }
        match line.ask(read, self.found).await {
            Ok(value) => Ok(Some(value)),
            Err(ProbeError::Refused { code, busy: false }) if refusal::is_of_device(code) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn outcome(&mut self) -> Result<Outcome, ProbeError> {
        let exchanges: Vec<&Exchange> = self.found.exchanges.iter().collect();
        let asset = interpret::interpret(&exchanges);
        match (asset.is_some_and(|asset| asset.is_identified()), self.malformed.take()) {
            (true, _) => Ok(Outcome::Identified),
            (false, Some(error)) => Err(error.into()),
            (false, None) if self.secured => Ok(Outcome::AuthRequired),
            (false, None) => Ok(Outcome::PresentNoIdentity),
        }
    }
}

fn by_number(properties: Vec<Property>) -> BTreeMap<u32, Value> {
    let found = properties.into_iter();
    found.filter_map(|property| Some((property.number, property.found.ok()?))).collect()
}

/// Whether the answer ends what we may ask of one device, rather than of everything.
fn is_forbidden(error: &ProbeError) -> bool {
    matches!(error, ProbeError::Gate(Refusal::SkippedByRule(_)))
}
