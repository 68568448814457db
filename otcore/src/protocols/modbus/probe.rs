//! What we ask a Modbus device, in order.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use super::interpret::{self, Said};
use super::{
    Base, Code, Conformity, CpuId, Function, Modbus, Next, Pages, ReadDeviceId, ReportServerId,
    SunSpecCommon, SunSpecMarker, UmasReadId, UmasReadProjectInfo, exception,
};
use crate::gate::Silence;
use crate::gate::policy::{Decision, Limits};
use crate::model::{Asset, Exchange, Outcome, decode};
use crate::protocol::Protocol;
use crate::protocols::{self, Bounds};
use crate::safety::{Facts, Level, ReadOnly, Sealed};
use crate::session::{Findings, Host, ProbeError, Session};

/// The device itself, by the recommendation of the Messaging Guide (4.4.1.1): 0xFF.
const SELF: u8 = 0xFF;
/// What devices that mistake the unit id for a serial address answer to.
const FIRST: u8 = 1;

/// Finds out who answers on a Modbus port, and which units live behind it.
#[derive(Debug)]
pub struct Probe;

impl Sealed for Probe {}

#[async_trait]
impl protocols::Probe for Probe {
    fn name(&self) -> &'static str {
        Modbus::NAME
    }

    fn title(&self) -> &'static str {
        "Modbus/TCP"
    }

    fn port(&self) -> u16 {
        502
    }

    fn functions(&self) -> Vec<&'static Facts> {
        Function::ALL.iter().map(|function| function.facts()).collect()
    }

    fn rules(&self) -> &'static str {
        include_str!("rules.toml")
    }

    fn bounds(&self, decision: &Decision, named_units: &[u8], limits: &Limits) -> Bounds {
        let direct = named_units.len().max(2); // the device itself, or unit 1
        let most = usize::try_from(limits.units_per_gateway).unwrap_or(usize::MAX);
        let nested = match decision.level >= Level::Structure && named_units.is_empty() {
            true if decision.consents.contains("sweep") => most,
            true => decision.units.len().max(1).min(most),
            false => 0,
        };
        let units = u64::try_from(direct + nested).unwrap_or(u64::MAX);
        let requests = units * u64::from(limits.requests_per_conversation);
        let longest = self.functions().iter().map(|facts| facts.max_request).max().unwrap_or(0);
        Bounds::tcp(2, requests, requests * u64::from(longest), limits)
    }

    async fn probe(&self, host: Host<'_>, found: &mut Findings) -> Result<Outcome, ProbeError> {
        let mut talk = Talk { host, found, answers: Outcomes::default() };
        let named = talk.host.named_units().to_vec();
        match named.is_empty() {
            true => talk.device_itself().await,
            false => talk.units_named(&named).await,
        }
    }

    /// The transaction identifier.
    fn is_passing(&self, place: usize) -> bool {
        (0..2).contains(&place)
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
    answers: Outcomes,
}

/// What the units said of themselves so far.
#[derive(Default)]
struct Outcomes(BTreeMap<u8, UnitAnswer>);

/// What one unit said.
#[derive(Clone, Debug, PartialEq, Eq)]
enum UnitAnswer {
    /// It named itself, in these words.
    Named(BTreeSet<Said>),
    /// It answered but has no name.
    Nameless,
    /// A gateway says that nobody is there.
    Absent,
}

/// What a unit turns out to be while it is asked.
enum Is {
    Named { vendor: String, model: String },
    Nameless,
    Absent,
}

type Line<'a> = Session<'a, Modbus>;

impl<'a> Talk<'a, '_> {
    /// Unit 255 is the device itself; unit 1 is asked only if nobody is there at 255.
    async fn device_itself(&mut self) -> Result<Outcome, ProbeError> {
        let mut line = self.host.open(Modbus { unit: SELF }).await?;
        let result = match self.first_unit(&mut line).await {
            Err(ProbeError::HungUp(_)) if self.found.exchanges.is_empty() => {
                // Some servers hang up on a unit they do not have instead of refusing it.
                line.close().await;
                line = self.host.open(Modbus { unit: FIRST }).await?;
                self.unit(&mut line, FIRST).await
            }
            other => other,
        };
        let result = match result {
            Ok(answer) => self.structure(&mut line, answer).await,
            Err(error) => Err(error),
        };
        line.close().await;
        result
    }

    async fn first_unit(&mut self, line: &mut Line<'a>) -> Result<UnitAnswer, ProbeError> {
        match self.unit(line, SELF).await {
            Ok(UnitAnswer::Absent) => line.turn_to(Modbus { unit: FIRST }),
            Err(ProbeError::Silent { means: Silence::NeverAnswered, .. }) if line.is_alive() => {
                line.turn_from_silence(Modbus { unit: FIRST });
            }
            other => return other,
        }
        self.unit(line, FIRST).await
    }

    /// The target names its units: those and no others.
    async fn units_named(&mut self, units: &[u8]) -> Result<Outcome, ProbeError> {
        self.check_unit_0(units)?;
        let first = units.first().copied().unwrap_or(SELF);
        let mut line = self.host.open(Modbus { unit: first }).await?;
        let result = self.walk(&mut line, units, None).await;
        line.close().await;
        result.map(|()| self.answers.outcome())
    }

    /// Modules and children: the units that the policy expects behind this address.
    async fn structure(
        &mut self,
        line: &mut Line<'a>,
        itself: UnitAnswer,
    ) -> Result<Outcome, ProbeError> {
        if self.host.level() < Level::Structure {
            return Ok(self.answers.outcome());
        }
        let mut units: Vec<u8> = self.host.expected_units().to_vec();
        if self.host.consents_to("sweep") {
            units.extend(1..=247);
        } else if units.is_empty() {
            units.push(FIRST);
        }
        self.check_unit_0(&units)?;
        units.retain(|unit| !self.answers.0.contains_key(unit));
        let mut seen = BTreeSet::new();
        units.retain(|unit| seen.insert(*unit));
        units.truncate(usize::try_from(self.host.limits().units_per_gateway).unwrap_or(usize::MAX));
        // Whoever refused 255, or was silent to it, looks at the unit.
        let is_self = self.answers.0.get(&SELF) == Some(&itself);
        self.walk(line, &units, Some(&itself).filter(|_| is_self)).await?;
        Ok(self.answers.outcome())
    }

    /// One unit after the other, until too many in a row are absent, or the first turns out to be
    /// the device `itself`, which then does not look at the unit it is asked for.
    async fn walk(
        &mut self,
        line: &mut Line<'a>,
        units: &[u8],
        mut itself: Option<&UnitAnswer>,
    ) -> Result<(), ProbeError> {
        let mut absent = 0;
        for unit in units {
            line.turn_to(Modbus { unit: *unit });
            let answer = self.unit(line, *unit).await?;
            if itself.take().is_some_and(|itself| answers_for_everyone(itself, &answer)) {
                return Ok(());
            }
            absent = if answer == UnitAnswer::Absent { absent + 1 } else { 0 };
            if absent >= self.host.limits().dead_units_in_a_row {
                return Ok(());
            }
        }
        Ok(())
    }

    fn check_unit_0(&self, units: &[u8]) -> Result<(), ProbeError> {
        if units.contains(&0) && !self.host.consents_to("unit_0") {
            return Err(crate::gate::Refusal::NeedsConsent { consent: "unit_0" }.into());
        }
        Ok(())
    }

    /// Everything that the level allows to ask one unit.
    async fn unit(&mut self, line: &mut Line<'a>, unit: u8) -> Result<UnitAnswer, ProbeError> {
        self.host.meet_stranger();
        let first = self.found.exchanges.len();
        let is = self.identity(line).await?;
        self.keep(unit, &is, first);
        if !matches!(is, Is::Absent) && self.host.level() >= Level::Identify {
            let is = self.more(line, is).await?;
            self.keep(unit, &is, first);
        }
        Ok(self.answers.0.get(&unit).cloned().unwrap_or(UnitAnswer::Nameless))
    }

    fn keep(&mut self, unit: u8, is: &Is, first: usize) {
        let exchanges = self.found.exchanges.get(first..).unwrap_or_default();
        let answer = match is {
            Is::Absent => UnitAnswer::Absent,
            Is::Nameless => UnitAnswer::Nameless,
            Is::Named { .. } => {
                UnitAnswer::Named(exchanges.iter().filter_map(interpret::said).collect())
            }
        };
        self.answers.0.insert(unit, answer);
    }

    /// Read Device Identification, as far as the unit conforms.
    async fn identity(&mut self, line: &mut Line<'a>) -> Result<Is, ProbeError> {
        let mut pages = Pages::default();
        match self.stream(line, Code::Basic, 0, &mut pages).await {
            Err(ProbeError::Refused { code, .. }) if exception::is_absent(code) => {
                return Ok(Is::Absent);
            }
            Err(ProbeError::Refused { code: exception::ILLEGAL_FUNCTION, .. }) => {
                return Ok(Is::Nameless);
            }
            Err(ProbeError::Refused { busy: false, .. }) => {}
            other => other?,
        }
        if self.host.level() >= Level::Identify {
            self.further_streams(line, &mut pages).await?;
            self.single_objects(line, &mut pages).await?;
        }
        let text = |object: u8| pages.objects().get(&object).map(|v| decode(v)).unwrap_or_default();
        let model = if text(5).is_empty() { text(1) } else { text(5) };
        match pages.objects().values().any(|value| !decode(value).is_empty()) {
            true => Ok(Is::Named { vendor: text(0), model }),
            false => Ok(Is::Nameless),
        }
    }

    /// Regular and extended objects, if the conformity level promises them. Each stream begins
    /// where the one before ended; a server that does not have that object begins anew or refuses,
    /// and is then asked from the start.
    async fn further_streams(
        &mut self,
        line: &mut Line<'a>,
        pages: &mut Pages,
    ) -> Result<(), ProbeError> {
        let conformity = pages.conformity().unwrap_or(Conformity(0));
        for (code, start) in [(Code::Regular, 0x03), (Code::Extended, 0x80)] {
            if !conformity.promises(code) {
                return Ok(());
            }
            let streamed = match self.stream(line, code, start, pages).await {
                Err(ProbeError::Refused { code: exception::ILLEGAL_DATA_ADDRESS, .. }) => {
                    self.stream(line, code, 0, pages).await
                }
                other => other,
            };
            match streamed {
                Err(ProbeError::Refused { busy: false, .. }) => return Ok(()),
                other => other?,
            }
        }
        Ok(())
    }

    /// Objects that no stream gave, one by one, where the unit says that it takes such questions or
    /// refuses streams.
    async fn single_objects(
        &mut self,
        line: &mut Line<'a>,
        pages: &mut Pages,
    ) -> Result<(), ProbeError> {
        const NAMES: [u8; 5] = [0x00, 0x01, 0x02, 0x04, 0x05]; // those that say who it is
        let refuses_streams = pages.conformity().is_none();
        if !refuses_streams && !pages.conformity().is_some_and(Conformity::individual) {
            return Ok(());
        }
        let mandatory = if refuses_streams { NAMES.len() } else { 3 };
        for object in NAMES.into_iter().take(mandatory) {
            if pages.objects().get(&object).is_some_and(|value| !value.is_empty()) {
                continue;
            }
            let request = ReadDeviceId { code: Code::Individual, object };
            match line.ask(&request, self.found).await {
                Ok(page) => drop(pages.next(page)),
                // Without the first there will be no other; without a later one there may.
                Err(ProbeError::Refused { busy: false, .. }) if object > 0 => {}
                Err(ProbeError::Refused { busy: false, .. }) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn stream(
        &mut self,
        line: &mut Line<'a>,
        code: Code,
        start: u8,
        pages: &mut Pages,
    ) -> Result<(), ProbeError> {
        let mut object = start;
        loop {
            let page = line.ask(&ReadDeviceId { code, object }, self.found).await?;
            match pages.next(page) {
                Next::Ask(next) => object = next,
                Next::Done => return Ok(()),
            }
        }
    }

    /// What names the device beyond its objects, gentlest first.
    async fn more(&mut self, line: &mut Line<'a>, mut is: Is) -> Result<Is, ProbeError> {
        if let Is::Named { vendor, model } = &is {
            self.host.learn::<Modbus>(vendor, model)?;
            if self.host.consents_to("umas") && is_schneider(vendor, model) {
                self.umas(line).await?;
            }
        } else if self.host.consents_to("sunspec") {
            is = self.sunspec(line).await?;
        }
        // Report Server ID last: some servers never answer it, hang up on it, or lie about its
        // length.
        let nameless = matches!(is, Is::Nameless);
        if nameless || self.host.level() >= Level::State {
            match line.ask(&ReportServerId, self.found).await {
                Ok(id) if nameless && !decode(&id.text).is_empty() => {
                    is = Is::Named { vendor: String::new(), model: decode(&id.text) };
                }
                Ok(_) | Err(ProbeError::Refused { busy: false, .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(is)
    }

    async fn umas(&mut self, line: &mut Line<'a>) -> Result<(), ProbeError> {
        let cpu: CpuId = match line.ask(&UmasReadId, self.found).await {
            Err(ProbeError::Refused { busy: false, .. }) => return Ok(()),
            other => other?,
        };
        self.host.learn::<Modbus>("Schneider Electric", &decode(&cpu.name))?;
        match line.ask(&UmasReadProjectInfo, self.found).await {
            Err(ProbeError::Refused { busy: false, .. }) => Ok(()),
            other => other.map(drop),
        }
    }

    /// The common model of a device that keeps a SunSpec map.
    async fn sunspec(&mut self, line: &mut Line<'a>) -> Result<Is, ProbeError> {
        for base in Base::ALL {
            match line.ask(&SunSpecMarker { base }, self.found).await {
                Ok(true) => {
                    let common = line.ask(&SunSpecCommon { base }, self.found).await?;
                    let (vendor, model) = (decode(&common.manufacturer), decode(&common.model));
                    self.host.learn::<Modbus>(&vendor, &model)?;
                    return Ok(Is::Named { vendor, model });
                }
                Ok(false) | Err(ProbeError::Refused { busy: false, .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Is::Nameless)
    }
}

impl Outcomes {
    /// The best that any unit said.
    fn outcome(&self) -> Outcome {
        let has = |wanted: fn(&UnitAnswer) -> bool| self.0.values().any(wanted);
        if has(|answer| matches!(answer, UnitAnswer::Named(_))) {
            Outcome::Identified
        } else if has(|answer| *answer == UnitAnswer::Nameless) {
            Outcome::PresentNoIdentity
        } else {
            Outcome::GatewayUnitAbsent
        }
    }
}

/// A device that says for unit 1 the very words of unit 255 does not look at the unit.
fn answers_for_everyone(itself: &UnitAnswer, other: &UnitAnswer) -> bool {
    itself == other && matches!(itself, UnitAnswer::Named(_))
}

fn is_schneider(vendor: &str, model: &str) -> bool {
    let vendor = vendor.to_lowercase();
    let makers = ["schneider", "telemecanique", "modicon"];
    let models = ["BMX", "BME", "TSX", "140 ", "TM2", "171 "];
    makers.iter().any(|maker| vendor.contains(maker))
        || models.iter().any(|prefix| model.starts_with(prefix))
}
