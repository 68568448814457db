//! What crosses the border by value rather than behind a handle.

use otcore::blocking::{Severity, Status};

/// To wait without an end, wherever a timeout is asked for.
pub const OTCORE_FOREVER: u32 = 0xFFFF_FFFF;

/// How much a line of the log matters.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtcoreSeverity {
    /// A person should look: a device went dark.
    Warning = 1,
    /// A scan begins, pauses, ends.
    Info = 2,
    /// How each conversation ended.
    Debug = 3,
}

impl From<Severity> for OtcoreSeverity {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Warning => Self::Warning,
            Severity::Info => Self::Info,
            Severity::Debug => Self::Debug,
        }
    }
}

/// What a scan is doing.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtcoreScanState {
    /// It runs.
    Running = 0,
    /// No new conversation is started.
    Paused = 1,
    /// It is over, and every event was read: otcore_scan_finish() gives the report at once.
    Over = 2,
}

/// How far a scan is, as of the last event that was read.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtcoreProgress {
    /// Devices dealt with.
    pub done: u64,
    /// Devices of the plan.
    pub planned: u64,
    /// Devices that answered.
    pub answered: u64,
    /// Packets sent, those of the system included.
    pub packets: u64,
    /// From 0 to 100.
    pub percent: u32,
    /// What it is doing.
    pub state: OtcoreScanState,
}

impl From<Status> for OtcoreProgress {
    fn from(status: Status) -> Self {
        let progress = status.progress;
        Self {
            done: progress.done,
            planned: progress.planned,
            answered: progress.answered,
            packets: progress.packets,
            percent: u32::try_from(progress.percent()).unwrap_or(100),
            state: match (status.over, status.paused) {
                (true, _) => OtcoreScanState::Over,
                (false, true) => OtcoreScanState::Paused,
                (false, false) => OtcoreScanState::Running,
            },
        }
    }
}
