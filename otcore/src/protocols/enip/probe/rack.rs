//! The modules of a rack, asked through the device at its head.

use std::time::Duration;

use super::{ADAPTER, CONTROLLER, Line, MOST_SLOTS, Talk, is_forbidden, is_logix, name};
use crate::protocols::enip::{Chassis, Enip, Function, Identity, data, refusal};
use crate::safety::Level;
use crate::session::ProbeError;

/// A device that is itself in so many slots routes to none.
const ECHOES: u32 = 2;

/// What is in a slot.
enum Slot {
    Module(Identity),
    /// The device at the head of the rack itself, or what gives itself out for it.
    Itself,
    /// Somebody who does not say who it is.
    Nameless,
    Empty,
    /// There is no way to any slot.
    NoWay,
}

/// Which slots are asked.
pub(super) enum Slots {
    /// None: the policy does not consent, or there is no rack.
    None,
    /// The one that the target names.
    One(u8),
    /// As many as the chassis says it has.
    Counted(u8),
    /// Nobody says how many: until a few in a row are empty.
    Unknown,
}

impl<'a> Talk<'a, '_> {
    /// Which slots there are to ask.
    pub(super) async fn slots(
        &mut self,
        line: &mut Line<'a>,
        device: &Identity,
    ) -> Result<Slots, ProbeError> {
        let named = self.host.option("slot").and_then(|slot| u8::try_from(slot).ok());
        match named {
            _ if !self.host.consents_to("backplane") => Ok(Slots::None),
            Some(slot) => Ok(Slots::One(slot)),
            None if !has_rack(device) => Ok(Slots::None),
            None => {
                let body = self.read(line, Function::ReadChassis).await?;
                let chassis = body.and_then(|body| Chassis::read(&body).ok());
                let counted = chassis.map(|chassis| chassis.slots).filter(|slots| *slots > 0);
                Ok(counted.map_or(Slots::Unknown, |slots| {
                    Slots::Counted(u8::try_from(slots).unwrap_or(u8::MAX))
                }))
            }
        }
    }

    /// Walk the slots, for as long as there is time to give the session back.
    pub(super) async fn rack(
        &mut self,
        line: &mut Line<'a>,
        ours: Enip,
        device: &Identity,
        slots: Slots,
    ) -> Result<(), ProbeError> {
        let (asked, learned) = match slots {
            Slots::None => return Ok(()),
            Slots::One(slot) => (slot..=slot, true),
            Slots::Counted(slots) => (0..=slots.min(self.most_slots()).saturating_sub(1), true),
            Slots::Unknown => (0..=self.most_slots().saturating_sub(1), false),
        };
        let patience = self.host.limits().dead_units_in_a_row;
        let (mut empty, mut echoes) = (0, 0);
        for slot in asked {
            if !self.has_time_for_slot() {
                break;
            }
            line.turn_to_slot(ours.slot(slot));
            self.host.meet_stranger();
            match self.slot(line, device).await? {
                Slot::Module(module) => {
                    empty = 0;
                    self.module(line, &module).await?;
                }
                Slot::Itself => (empty, echoes) = (0, echoes + 1),
                Slot::Nameless => empty = 0,
                Slot::Empty => empty += 1,
                Slot::NoWay => break,
            }
            if echoes >= ECHOES || (!learned && empty >= patience) {
                break;
            }
        }
        line.turn_to(ours);
        Ok(())
    }

    fn most_slots(&self) -> u8 {
        let most = self.host.limits().units_per_gateway.min(MOST_SLOTS.into());
        u8::try_from(most).unwrap_or(MOST_SLOTS)
    }

    /// Whether a slot can be asked everything, and the session be given back after that.
    fn has_time_for_slot(&self) -> bool {
        let limits = self.host.limits();
        let question = limits.response_timeout_ms.max(limits.gateway_response_timeout_ms);
        let needed = limits.slot_gap_ms.saturating_add(question.saturating_mul(2));
        self.host.time_left() > Duration::from_millis(needed.into())
    }

    async fn slot(&mut self, line: &mut Line<'a>, device: &Identity) -> Result<Slot, ProbeError> {
        let all = line.ask(&Function::ReadModuleIdentity, self.found).await;
        let (answer, read): (_, fn(&[u8]) -> _) = match all {
            Err(ProbeError::Refused { code, busy: false }) if refusal::is_of_module(code) => {
                let list = line.ask(&Function::ReadModuleIdentityList, self.found).await;
                (list, Identity::read_list)
            }
            answer => (answer, Identity::read),
        };
        match answer {
            Ok(body) => match read(&body) {
                Ok(module) if module.is_same_piece(device) => Ok(Slot::Itself),
                Ok(module) => Ok(Slot::Module(module)),
                Err(error) => {
                    self.malformed.get_or_insert(error);
                    Ok(Slot::Nameless)
                }
            },
            Err(ProbeError::Refused { code, busy: false }) => Ok(match code {
                code if refusal::is_empty_slot(code) => Slot::Empty,
                code if refusal::is_itself(code) => Slot::Itself,
                code if refusal::is_of_module(code) => Slot::Nameless,
                _ => Slot::NoWay,
            }),
            Err(error) => Err(error),
        }
    }

    /// What else a module is asked, if its kind may be asked.
    async fn module(&mut self, line: &mut Line<'a>, module: &Identity) -> Result<(), ProbeError> {
        let is_logix = is_logix(module) && self.host.level() >= Level::State;
        if module.device_type != ADAPTER && !is_logix {
            return Ok(());
        }
        let vendor = data::vendor(module.vendor).unwrap_or_default();
        match self.host.learn::<Enip>(vendor, &name(module)) {
            Err(error) if is_forbidden(&error) => return Ok(()),
            learned => learned?,
        }
        if !is_logix {
            return self.all(line, &[Function::ReadModuleTcpIp, Function::ReadModuleLink]).await;
        }
        let names = (Function::ReadModuleNames, [Function::ReadAllModuleNames]);
        self.read_or(line, names.0, &names.1).await?;
        self.all(line, &[Function::ReadModuleChanges]).await
    }
}

/// Controllers and adapters of a rack. The smallest controllers have none, and do not route.
fn has_rack(device: &Identity) -> bool {
    const WITHOUT: &str = "2080-";
    let kind = matches!(device.device_type, ADAPTER | CONTROLLER);
    kind && !name(device).starts_with(WITHOUT)
}
