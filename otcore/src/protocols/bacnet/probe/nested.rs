//! Who else is at the address of a device: others beside it, and others behind it.

use std::collections::BTreeSet;
use std::time::Duration;

use super::device::{BEHIND, Device, HERE};
use super::{Line, Talk, is_forbidden};
use crate::gate::Silence;
use crate::protocols::bacnet::{
    Address, Bacnet, Function, IAm, Read, WhatIsNetworkNumber, WhoIs, WhoIsRouter,
};
use crate::safety::Level;
use crate::session::ProbeError;

impl<'a> Talk<'a, '_> {
    /// Call, and ask whoever answers. Calls come last: whoever is silent to one is asked nothing more.
    pub(super) async fn nested(
        &mut self,
        line: &mut Line<'a>,
        device: &Device,
    ) -> Result<(), ProbeError> {
        let here = self.call_once_more(line).await?;
        // What is left for the device itself, whoever else is asked meanwhile.
        let left = line.questions_left();
        self.beside(line, device, here).await?;
        let networks = match self.host.option("network").map(u16::try_from) {
            Some(network) => network.into_iter().collect(),
            None if left > 0 => self.networks(line).await?,
            None => Vec::new(),
        };
        if self.host.consents_to("routed") {
            self.behind(line, device, &networks).await?;
        }
        match left > 1 && !networks.is_empty() {
            true => self.network_number(line).await,
            false => Ok(()),
        }
    }

    /// Everybody at this address, unless they were called before.
    async fn call_once_more(&mut self, line: &mut Line<'a>) -> Result<Vec<IAm>, ProbeError> {
        match self.called.take() {
            Some(here) => Ok(here),
            // Who answers by a broadcast that nobody hears would only seem to be silent.
            None if line.questions_left() > 1 && line.hears_reply_port() => {
                self.call(line, None).await
            }
            None => Ok(Vec::new()),
        }
    }

    /// Others that answer at the same address under other numbers.
    async fn beside(
        &mut self,
        line: &mut Line<'a>,
        device: &Device,
        here: Vec<IAm>,
    ) -> Result<(), ProbeError> {
        let mut seen = BTreeSet::from([device.instance]);
        let others = here.into_iter().filter(|i_am| seen.insert(i_am.instance));
        let others: Vec<IAm> = others.take(self.most_devices()).collect();
        for i_am in others {
            if !self.has_time_for_device() {
                return Ok(());
            }
            line.turn_to(Bacnet::default());
            self.one_of_many(line, Device::heard(&i_am, &HERE)).await?;
        }
        Ok(())
    }

    /// The networks that it leads to.
    async fn networks(&mut self, line: &mut Line<'a>) -> Result<Vec<u16>, ProbeError> {
        line.turn_to(Bacnet::default());
        match line.gather(&WhoIsRouter, self.found).await {
            Ok(networks) => {
                let networks: BTreeSet<u16> = networks.into_iter().flatten().collect();
                Ok(networks.into_iter().filter(|network| !matches!(network, 0 | 0xFFFF)).collect())
            }
            Err(ProbeError::Refused { busy: false, .. }) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Which network its own is: a router should know, but old ones do not know the question.
    async fn network_number(&mut self, line: &mut Line<'a>) -> Result<(), ProbeError> {
        line.turn_to(Bacnet::default());
        match line.ask(&WhatIsNetworkNumber, self.found).await {
            Ok(_) | Err(ProbeError::Refused { busy: false, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Call each network, and ask whoever lives there, one after the other. Where nobody does, the
    /// router shows that it still answers before it hands on another call.
    async fn behind(
        &mut self,
        line: &mut Line<'a>,
        router: &Device,
        networks: &[u16],
    ) -> Result<(), ProbeError> {
        let mut asked = BTreeSet::new();
        let (mut nobody, mut silence) = (0, None);
        for network in networks.iter().take(self.most_devices()) {
            if asked.len() >= self.most_devices() || !self.has_time_for_device() {
                break;
            }
            if let Some(silence) = silence.take() {
                if nobody >= self.host.limits().dead_units_in_a_row {
                    return Err(silence);
                }
                self.still_answers(line, router).await?;
            }
            match self.call_network(line, *network).await {
                Err(error @ ProbeError::Silent { means: Silence::NobodyBehind, .. }) => {
                    (nobody, silence) = (nobody + 1, Some(error));
                }
                heard => {
                    nobody = 0;
                    self.who_lives_there(line, heard?, &mut asked).await?;
                }
            }
        }
        silence.map_or(Ok(()), Err)
    }

    /// Everybody on one network; nobody if there is no way to it.
    async fn call_network(
        &mut self,
        line: &mut Line<'a>,
        network: u16,
    ) -> Result<Vec<IAm>, ProbeError> {
        let named = self.host.option("instance").filter(|_| self.host.option("network").is_some());
        let range = named.map(|instance| instance..=instance);
        line.turn_to(Bacnet::behind(Address::all(network)));
        match line.gather(&WhoIs { range, routed: true }, self.found).await {
            Err(ProbeError::Refused { busy: false, .. }) => Ok(Vec::new()),
            heard => heard,
        }
    }

    /// The question that it answered first. A refusal is as good an answer.
    async fn still_answers(
        &mut self,
        line: &mut Line<'a>,
        router: &Device,
    ) -> Result<(), ProbeError> {
        line.turn_to(Bacnet::default());
        let again = Read::of(Function::ReadObjectIdentifier, router.instance);
        match line.ask(&again, self.found).await {
            Ok(_) | Err(ProbeError::Refused { busy: false, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Whoever answered the call on a network, one after the other.
    async fn who_lives_there(
        &mut self,
        line: &mut Line<'a>,
        heard: Vec<IAm>,
        asked: &mut BTreeSet<Address>,
    ) -> Result<(), ProbeError> {
        for i_am in heard {
            let Some(address) = i_am.from else { continue };
            if asked.len() >= self.most_devices() || !asked.insert(address) {
                continue;
            }
            if !self.has_time_for_device() {
                return Ok(());
            }
            line.turn_to(Bacnet::behind(address));
            self.one_of_many(line, Device::heard(&i_am, &BEHIND)).await?;
        }
        Ok(())
    }

    /// Who it is and how it is, as far as its kind may be asked.
    async fn one_of_many(
        &mut self,
        line: &mut Line<'a>,
        mut device: Device,
    ) -> Result<(), ProbeError> {
        self.host.meet_stranger();
        match self.identity(line, &mut device).await {
            Err(error) if is_forbidden(&error) => return Ok(()),
            // The router lost the way to it.
            Err(ProbeError::Refused { busy: false, .. }) => return Ok(()),
            identity => identity?,
        }
        match self.host.level() >= Level::State {
            true => self.state(line, &device).await,
            false => Ok(()),
        }
    }

    fn most_devices(&self) -> usize {
        usize::try_from(self.host.limits().units_per_gateway).unwrap_or(usize::MAX)
    }

    /// Whether two answers of a device can be waited for.
    fn has_time_for_device(&self) -> bool {
        let limits = self.host.limits();
        let question = limits.response_timeout_ms.max(limits.gateway_response_timeout_ms);
        self.host.time_left() > Duration::from_millis(question.saturating_mul(2).into())
    }
}
