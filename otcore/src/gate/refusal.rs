//! Why the gate said no.

use std::net::IpAddr;

use jiff::Timestamp;

use super::device::Device;
use crate::frame::NotReadOnly;

/// Why everything stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StopReason {
    /// Somebody asked for it.
    Asked,
    /// Devices went dark after our questions; no more is risked.
    HarmSuspected,
    /// The journal cannot be written, so what is sent could not be proven.
    JournalFailed,
    /// The run was about to send more than its plan allows.
    PlanExceeded,
    /// The maintenance window closed, or none was open when it began.
    WindowClosed,
}

impl StopReason {
    /// In words, for a person.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Asked => "stopped on request",
            Self::HarmSuspected => {
                "stopped because devices went silent after a question: harm suspected"
            }
            Self::JournalFailed => "stopped because the journal cannot be written",
            Self::PlanExceeded => "stopped because the plan would have been exceeded",
            Self::WindowClosed => "stopped because no maintenance window is open",
        }
    }
}

/// Why the gate said no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Not in the networks to scan.
    #[error("{0} is out of scope; name its network with `monitor` and in the targets")]
    OutOfScope(IpAddr),
    /// A port that is never touched.
    #[error("port {0} is never touched")]
    NeverPort(u16),
    /// The scan is over for everybody.
    #[error("{}", .0.in_words())]
    Stopped(StopReason),
    /// No maintenance window is open.
    #[error("no maintenance window is open now")]
    WindowClosed,
    /// It went dark in this or an earlier run.
    #[error("{device} is quarantined since {since}: {why}; a person must clear it")]
    Quarantined {
        /// Which device.
        device: Device,
        /// When it went dark.
        since: Timestamp,
        /// After what.
        why: String,
    },
    /// Another process of this host was with it for longer than we wait.
    #[error(
        "another process of this host has been with {device} for `limits.other_process_s` = \
         {waited_s} s; if none is scanning, one hangs"
    )]
    WithAnother {
        /// Which device.
        device: Device,
        /// For how long we waited.
        waited_s: u32,
    },
    /// It was scanned a short while ago.
    #[error("{device} was scanned at {at:.0}; `limits.revisit_after_s` says when it may be again")]
    Fresh {
        /// Which device.
        device: Device,
        /// When.
        at: Timestamp,
    },
    /// It had no room or time, and gets some.
    #[error("{device} was busy and is left alone until {until:.0}")]
    CoolingDown {
        /// Which device.
        device: Device,
        /// Until when.
        until: Timestamp,
    },
    /// It hung up after it had answered, so it gets no further connection in this scan.
    #[error("{0} broke off after it had answered and is left alone for this scan")]
    LeftAlone(Device),
    /// It was silent to a call after it had answered other questions.
    #[error(
        "{device} was silent to {function} and is left alone for this scan: nobody may have been \
         meant, or it does not listen any more"
    )]
    NotMeant {
        /// Which device.
        device: Device,
        /// The call, by its name in the manifest.
        function: &'static str,
    },
    /// Its answers get slower.
    #[error("{0} answers slower and slower and is left alone for this scan")]
    Slowing(Device),
    /// A device of the same kind went dark.
    #[error("a device of the same kind ({0}) went dark in this run")]
    SameKindWentDark(String),
    /// What it is must not be asked any more.
    #[error("{0} is a kind of device that is never questioned further")]
    Sensitive(String),
    /// Its whole subnet is left alone.
    #[error("the subnet of {0} reported itself unreachable and is left alone")]
    SubnetLeftAlone(IpAddr),
    /// Devices granted the transport of this protocol and were silent to it.
    #[error(
        "devices granted the transport of {protocol} and were silent to it, as {address} might be; \
         {protocol} is not asked any further there in this run"
    )]
    ProtocolLeftAlone {
        /// Which protocol.
        protocol: &'static str,
        /// Who is not asked for that reason.
        address: IpAddr,
    },
    /// A number of the policy is used up for this device.
    #[error("`limits.{limit}` = {allowed} is used up for {device}")]
    Spent {
        /// Which device.
        device: Device,
        /// The key in the policy.
        limit: &'static str,
        /// Its value.
        allowed: u64,
    },
    /// A rule of the policy skips devices of this kind.
    #[error("a rule of the policy skips {0}")]
    SkippedByRule(String),
    /// The target asks for something that the policy must opt in to.
    #[error("the target asks for `{consent}`, which the policy does not allow; add it to `allow`")]
    NeedsConsent {
        /// What must be allowed.
        consent: &'static str,
    },
    /// The plan allows no more packets to this device.
    #[error("the plan's {planned} packets for {device} are used up")]
    PlanSpent {
        /// Which device.
        device: Device,
        /// How many the plan allows.
        planned: u64,
    },
    /// A frame did not read back as the question it was built from.
    #[error(transparent)]
    NotReadOnly(#[from] NotReadOnly),
    /// Other processes of this host cannot be kept away from the device.
    #[error("the locks of this host cannot be used: {0}")]
    HostLock(String),
    /// What is remembered of devices cannot be read, so a quarantine might be missed.
    #[error("the device memory cannot be used: {0}")]
    Memory(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_to_stop_is_told_in_words_of_its_own() {
        let all = [
            StopReason::Asked,
            StopReason::HarmSuspected,
            StopReason::JournalFailed,
            StopReason::PlanExceeded,
            StopReason::WindowClosed,
        ];
        let words: std::collections::BTreeSet<_> = all.map(StopReason::in_words).into();
        assert_eq!(words.len(), 5);
        assert!(words.iter().all(|words| words.starts_with("stopped ")), "{words:?}");
    }
}
