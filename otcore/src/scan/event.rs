//! What a scan tells while it runs.

use serde::Serialize;

use super::plan::Skipped;
use crate::gate::StopReason;
use crate::model::{Asset, OutcomeRecord};

/// What a scan tells while it runs.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// Part of what was asked for is not visited.
    Skipped(Skipped),
    /// A phase begins, ends or is left out.
    Phase {
        /// Which.
        phase: Phase,
        /// What becomes of it.
        state: PhaseState,
    },
    /// A conversation ended. Addresses at which nobody answered are only counted, unless they were
    /// named one by one.
    Outcome(Box<OutcomeRecord>),
    /// Something was found out about a device.
    Asset(Box<Asset>),
    /// How far the scan is.
    Progress(Progress),
    /// Nothing follows.
    Finished {
        /// Why it ended early, if it did.
        stopped: Option<StopReason>,
    },
}

impl Event {
    /// What kind of event it is, as in JSON.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Skipped(_) => "skipped",
            Self::Phase { .. } => "phase",
            Self::Outcome(_) => "outcome",
            Self::Asset(_) => "asset",
            Self::Progress(_) => "progress",
            Self::Finished { .. } => "finished",
        }
    }
}

/// How far a scan is; at the end `done` equals `planned` unless it was stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Progress {
    /// Devices dealt with.
    pub done: u64,
    /// Devices of the plan.
    pub planned: u64,
    /// Devices that answered.
    pub answered: u64,
    /// Packets sent, the kernel's own included.
    pub packets: u64,
}

impl Progress {
    /// From 0 to 100.
    #[must_use]
    pub fn percent(self) -> u64 {
        match self.planned {
            0 => 100,
            planned => self.done.saturating_mul(100) / planned,
        }
    }
}

/// The parts of a scan, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Phase {
    /// Who might be there.
    Discovery,
    /// Which ports are open.
    PortCheck,
    /// What is known without asking.
    InitialEnrichment,
    /// Questions in the protocols of the plant.
    OtQueries,
    /// Questions in the protocols of offices.
    ItQueries,
}

impl Phase {
    /// All phases, in their order.
    pub const ALL: [Self; 5] = [
        Self::Discovery,
        Self::PortCheck,
        Self::InitialEnrichment,
        Self::OtQueries,
        Self::ItQueries,
    ];
}

/// What becomes of a phase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PhaseState {
    /// It begins.
    Started,
    /// It is done.
    Finished,
    /// It is left out, for this reason.
    Skipped(&'static str),
}
