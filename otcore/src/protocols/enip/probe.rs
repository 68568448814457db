//! What we ask an EtherNet/IP device, in order.

use std::io::ErrorKind;

use async_trait::async_trait;

use super::{
    Enip, Function, Identity, ListIdentity, MOST_SLOTS, data, interpret, refusal, session,
};
use crate::gate::Refusal;
use crate::gate::policy::{Decision, Limits};
use crate::model::{Asset, Exchange, Outcome, Transport, decode};
use crate::protocol::Protocol;
use crate::protocols::{self, Bounds};
use crate::safety::{Facts, Level, ReadOnly, Sealed};
use crate::session::{Findings, Host, ProbeError, Session};
use crate::wire::{Reader, WireError};

mod rack;

/// The device profile of controllers.
pub(super) const CONTROLLER: u16 = 14;
/// The device profile of what connects a rack to a network.
pub(super) const ADAPTER: u16 = 12;
/// The vendor whose own objects are asked for.
pub(super) const ROCKWELL: u16 = 1;

/// RegisterSession, one question at least, and the end of the session.
const LEAST_QUESTIONS: u32 = 3;
/// Questions to one module at most: who it is, in two ways, and two more of each in two ways.
const PER_MODULE: u64 = 5;

/// Finds out who answers on an EtherNet/IP port.
#[derive(Debug)]
pub struct Probe;

impl Sealed for Probe {}

#[async_trait]
impl protocols::Probe for Probe {
    fn name(&self) -> &'static str {
        Enip::NAME
    }

    fn title(&self) -> &'static str {
        "EtherNet/IP"
    }

    fn port(&self) -> u16 {
        44818
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

    fn tables(&self) -> &'static [(&'static str, &'static str)] {
        &data::TABLES
    }

    /// One datagram and its repetition, and a connection in case of silence or for more than a name.
    fn bounds(&self, decision: &Decision, _: &[u8], limits: &Limits) -> Bounds {
        let longest = self.functions().iter().map(|facts| facts.max_request).max().unwrap_or(0);
        let own = u64::from(limits.requests_per_conversation);
        let walks = decision.consents.contains("backplane") && decision.level >= Level::Structure;
        let slots = if walks { u64::from(MOST_SLOTS) } else { 0 };
        let requests = own + slots * PER_MODULE.min(own);
        let datagram = u64::from(Function::ListIdentity.facts().max_request);
        let connection = Bounds::tcp(1, requests, requests * u64::from(longest), limits);
        Bounds::datagrams(1, datagram, limits).and(connection)
    }

    async fn probe(&self, host: Host<'_>, found: &mut Findings) -> Result<Outcome, ProbeError> {
        let mut talk =
            Talk { host, found, device: None, malformed: None, speaks: false, absent: false };
        let silence = talk.by_datagram().await?;
        if talk.is_done() {
            return talk.outcome();
        }
        if let Some(silence) = silence.filter(|_| talk.host.questions_left() == 0) {
            return Err(silence);
        }
        // Who has answered would be connected to for nothing, also if it did not say its name.
        if talk.speaks && talk.host.questions_left() < LEAST_QUESTIONS {
            return talk.outcome();
        }
        talk.by_connection().await
    }

    /// The session handle and the sender context.
    fn is_passing(&self, place: usize) -> bool {
        (4..8).contains(&place) || (12..20).contains(&place)
    }

    fn interpret(&self, exchanges: &[&Exchange]) -> Option<Asset> {
        interpret::interpret(exchanges)
    }

    #[cfg(any(test, feature = "sim"))]
    fn simulate(&self) -> Box<dyn crate::sim::Device> {
        super::sim::typical()
    }
}

/// One conversation, from the first datagram to the goodbye.
struct Talk<'a, 'f> {
    host: Host<'a>,
    found: &'f mut Findings,
    /// Who it says it is.
    device: Option<Identity>,
    /// What was wrong with the first answer that made no sense.
    malformed: Option<WireError>,
    /// It has answered List Identity, if only to refuse it.
    speaks: bool,
    /// What was refused last was refused for want of the object.
    absent: bool,
}

type Line<'a> = Session<'a, Enip>;

impl<'a> Talk<'a, '_> {
    /// Who is there, by one datagram. Gives the silence if there was one, or what stood for it: a
    /// device that does not listen for datagrams may still take a connection.
    async fn by_datagram(&mut self) -> Result<Option<ProbeError>, ProbeError> {
        let mut line = self.host.open_datagrams(Enip::default()).await?;
        let result = self.list_identity(&mut line).await;
        let heard = line.was_heard();
        line.close().await;
        match result {
            Ok(()) => Ok(None),
            // Who said something else, and then nothing, is not asked again in another way.
            Err(silence @ ProbeError::Silent { .. }) if !heard => Ok(Some(silence)),
            // Nobody listens there; of a host that nobody gets to it is not worth another packet.
            Err(ProbeError::NotConnected(why)) if why.kind() == ErrorKind::ConnectionRefused => {
                Ok(Some(ProbeError::NotConnected(why)))
            }
            Err(error) => Err(error),
        }
    }

    async fn list_identity(&mut self, line: &mut Line<'a>) -> Result<(), ProbeError> {
        match line.ask(&ListIdentity, self.found).await {
            Ok(identities) => {
                self.speaks = true;
                self.meet(identities.into_iter().next())
            }
            Err(ProbeError::Refused { busy: false, .. }) => {
                self.speaks = true;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// The device says who it is: the policy may now know a better rule for it.
    fn meet(&mut self, device: Option<Identity>) -> Result<(), ProbeError> {
        let Some(device) = device else { return Ok(()) };
        let (vendor, model) = (data::vendor(device.vendor).unwrap_or_default(), name(&device));
        self.device = Some(device);
        match model.as_str() {
            "" => Ok(()),
            model => self.host.learn::<Enip>(vendor, model),
        }
    }

    /// Whether everything is known that the level asks for.
    fn is_done(&self) -> bool {
        match self.host.level() {
            Level::Detect => self.speaks,
            Level::Identify => self.device.is_some(),
            _ => false,
        }
    }

    async fn by_connection(&mut self) -> Result<Outcome, ProbeError> {
        let mut line = self.host.open(Enip::default()).await?;
        let result = self.converse(&mut line).await;
        line.close().await;
        result
    }

    async fn converse(&mut self, line: &mut Line<'a>) -> Result<Outcome, ProbeError> {
        if !self.speaks {
            self.list_identity(line).await?;
        }
        if self.is_done() || line.questions_left() < LEAST_QUESTIONS {
            return self.outcome();
        }
        let answer = match line.ask(&Function::RegisterSession, self.found).await {
            Err(ProbeError::Refused { busy: false, .. }) => return self.outcome(),
            answer => answer?,
        };
        let ours = Enip::within(session(&answer)?);
        line.go_on_as(ours);
        let result = self.in_session(line, ours).await;
        self.end_session(line, ours, &result).await;
        result?;
        self.outcome()
    }

    /// The session is given back, unless nobody is there any more to give it to.
    async fn end_session(
        &mut self,
        line: &mut Line<'a>,
        ours: Enip,
        result: &Result<(), ProbeError>,
    ) {
        let gone = matches!(
            result,
            Err(ProbeError::HungUp(_) | ProbeError::Silent { .. } | ProbeError::NotConnected(_))
        );
        // Answers to earlier questions may have kept us from waiting for the last.
        if !gone && !line.is_waiting() {
            line.go_on_as(ours);
            // If it does not leave, the end of the connection ends the session too.
            let _ = line.tell(&Function::UnregisterSession).await;
        }
    }

    async fn in_session(&mut self, line: &mut Line<'a>, ours: Enip) -> Result<(), ProbeError> {
        if self.device.is_none() {
            self.identity(line).await?;
        }
        let deep = self.host.level() >= Level::Structure;
        if deep {
            self.network(line).await?;
        }
        let device = self.device.clone().unwrap_or_default();
        if self.host.level() >= Level::State {
            self.state(line, &device).await?;
        }
        if deep {
            let slots = self.slots(line, &device).await?;
            self.objects(line).await?;
            self.rack(line, ours, &device, slots).await?;
        }
        Ok(())
    }

    /// What changes with its program and its configuration.
    async fn state(&mut self, line: &mut Line<'a>, device: &Identity) -> Result<(), ProbeError> {
        if is_logix(device) {
            self.read_or(line, Function::ReadNames, &[Function::ReadAllNames]).await?;
            self.read(line, Function::ReadProgramChanges).await?;
        }
        self.all(line, &[Function::ReadConsistency]).await
    }

    /// Who it is, from the Identity object: all at once, as a list, or one by one.
    async fn identity(&mut self, line: &mut Line<'a>) -> Result<(), ProbeError> {
        if let Some(body) = self.read(line, Function::ReadIdentity).await? {
            return self.meet(Some(Identity::read(&body)?));
        }
        let list = self.read(line, Function::ReadIdentityList).await?;
        if let Some(identity) = list.and_then(|body| Identity::read_list(&body).ok()) {
            return self.meet(Some(identity));
        }
        let mut identity = Identity::default();
        for (number, attribute) in ONE_BY_ONE {
            match self.read(line, attribute).await? {
                Some(body) => identity.attribute(number, &mut Reader::new(&body))?,
                None if number == 1 => return Ok(()), // every vendor has a number
                None => {}
            }
        }
        self.meet(Some(identity))
    }

    /// Its addresses and its link.
    async fn network(&mut self, line: &mut Line<'a>) -> Result<(), ProbeError> {
        let one_by_one = [Function::ReadTcpIpAddress, Function::ReadHostName];
        self.read_or(line, Function::ReadTcpIp, &one_by_one).await?;
        let one_by_one = [Function::ReadHardwareAddress, Function::ReadLinkSpeed];
        self.read_or(line, Function::ReadEthernetLink, &one_by_one).await
    }

    /// What else it has, most useful first: who runs out of questions does without the rest.
    async fn objects(&mut self, line: &mut Line<'a>) -> Result<(), ProbeError> {
        self.read(line, Function::ListServices).await?;
        let most = self.read(line, Function::ReadMostIdentities).await?;
        let most = most.and_then(|body| Reader::new(&body).u16_le("instances").ok()).unwrap_or(1);
        let further = usize::from(most).saturating_sub(1).min(FURTHER_IDENTITIES.len());
        self.all(line, FURTHER_IDENTITIES.get(..further).unwrap_or_default()).await?;
        if most > 1 || self.has_two_links() {
            self.read(line, Function::ReadSecondLink).await?;
        }
        self.read(line, Function::ReadPorts).await?;
        self.read_or(line, Function::ReadObjects, &[Function::ReadAllObjects]).await
    }

    /// Drives and adapters have a second link for a ring; so do many others, but theirs says the same.
    fn has_two_links(&self) -> bool {
        self.device.as_ref().is_some_and(|device| device.device_type == ADAPTER)
    }

    /// Ask for each; what is refused is not there.
    async fn all(&mut self, line: &mut Line<'a>, asked: &[Function]) -> Result<(), ProbeError> {
        for function in asked {
            self.read(line, *function).await?;
        }
        Ok(())
    }

    /// Ask for `all`, or for `parts` of it where it is not to be had and the object is there.
    async fn read_or(
        &mut self,
        line: &mut Line<'a>,
        all: Function,
        parts: &[Function],
    ) -> Result<(), ProbeError> {
        match self.read(line, all).await? {
            None if !self.absent => self.all(line, parts).await,
            _ => Ok(()),
        }
    }

    /// The answer to one question; `None` if it is refused, or if only the question is left that
    /// ends the session.
    async fn read(
        &mut self,
        line: &mut Line<'a>,
        function: Function,
    ) -> Result<Option<Vec<u8>>, ProbeError> {
        if line.questions_left() < 2 {
            return Ok(None);
        }
        match line.ask(&function, self.found).await {
            Ok(body) => Ok(Some(body)),
            // Who refuses the encapsulation of a read has ended the session.
            Err(ProbeError::Refused { code, busy: false }) if !refusal::ends_session(code) => {
                self.absent = refusal::is_of_no_object(code);
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
            (false, None) => Ok(Outcome::PresentNoIdentity),
        }
    }
}

/// Attributes 1 to 7 of the Identity object, most useful first.
const ONE_BY_ONE: [(u16, Function); 7] = [
    (1, Function::ReadVendorId),
    (7, Function::ReadProductName),
    (6, Function::ReadSerialNumber),
    (4, Function::ReadRevision),
    (2, Function::ReadDeviceType),
    (3, Function::ReadProductCode),
    (5, Function::ReadStatus),
];

/// Instances 2 to 4 of the Identity object.
const FURTHER_IDENTITIES: [Function; 3] =
    [Function::ReadSecondIdentity, Function::ReadThirdIdentity, Function::ReadFourthIdentity];

/// Whether it is a controller of the Logix family, which has objects of its own and puts its mode into
/// its status word. Rockwell's other controllers have the same device type: Micro800, MicroLogix,
/// SLC 500 and PLC-5.
pub(super) fn is_logix(identity: &Identity) -> bool {
    const OTHERS: [&str; 8] =
        ["2080-", "1761-", "1762-", "1763-", "1764-", "1766-", "1747-", "1785-"];
    let name = name(identity);
    let other = OTHERS.iter().any(|other| name.starts_with(other));
    identity.vendor == ROCKWELL && identity.device_type == CONTROLLER && !other
}

/// What a device calls itself.
pub(super) fn name(identity: &Identity) -> String {
    decode(&identity.name)
}

/// Whether the answer ends what we may ask of a module, or of everything.
fn is_forbidden(error: &ProbeError) -> bool {
    matches!(error, ProbeError::Gate(Refusal::SkippedByRule(_)))
}
