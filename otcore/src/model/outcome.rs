//! How a conversation ended, honestly.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::claim::Evidence;
use super::names::Zone;

/// How a conversation ended. Never just open or closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// It said who it is.
    Identified,
    /// It speaks the protocol and says nothing about itself.
    PresentNoIdentity,
    /// Something answered in another protocol.
    Unsupported,
    /// A gateway answered for a unit that is not there.
    GatewayUnitAbsent,
    /// It has no room or time now.
    Busy,
    /// It wants credentials first.
    AuthRequired,
    /// It wants an encrypted connection.
    TlsRequired,
    /// It refused the connection.
    Refused,
    /// Nothing came back.
    Silent,
    /// This host, or a network on the way, said that nothing gets there: who lives there was not asked.
    NotReached,
    /// It hung up after a question.
    ResetAfter,
    /// What came back makes no sense in this protocol.
    Malformed,
    /// The policy did not let it be asked.
    SkippedByPolicy,
    /// It was scanned a short while ago.
    SkippedFresh,
    /// It answered and then fell silent after a question.
    WentDark,
    /// The scan was stopped.
    Aborted,
}

impl Outcome {
    /// All outcomes.
    pub const ALL: [Self; 16] = [
        Self::Identified,
        Self::PresentNoIdentity,
        Self::Unsupported,
        Self::GatewayUnitAbsent,
        Self::Busy,
        Self::AuthRequired,
        Self::TlsRequired,
        Self::Refused,
        Self::Silent,
        Self::NotReached,
        Self::ResetAfter,
        Self::Malformed,
        Self::SkippedByPolicy,
        Self::SkippedFresh,
        Self::WentDark,
        Self::Aborted,
    ];

    /// Whether somebody was there.
    #[must_use]
    pub const fn answered(self) -> bool {
        !matches!(
            self,
            Self::Silent
                | Self::NotReached
                | Self::SkippedByPolicy
                | Self::SkippedFresh
                | Self::Aborted
        )
    }

    /// The name in code and documents, for example `PresentNoIdentity`.
    #[must_use]
    pub fn name(self) -> String {
        format!("{self:?}")
    }

    /// For an operator.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Identified => "identified",
            Self::PresentNoIdentity => "there, but nameless",
            Self::Unsupported => "speaks something else",
            Self::GatewayUnitAbsent => "gateway, unit absent",
            Self::Busy => "busy, left alone",
            Self::AuthRequired => "wants credentials",
            Self::TlsRequired => "wants TLS",
            Self::Refused => "refused to connect",
            Self::Silent => "silent",
            Self::NotReached => "not reached from here",
            Self::ResetAfter => "hung up on a question",
            Self::Malformed => "answered garbage",
            Self::SkippedByPolicy => "skipped by policy",
            Self::SkippedFresh => "skipped, scanned recently",
            Self::WentDark => "WENT DARK, quarantined",
            Self::Aborted => "aborted",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.in_words())
    }
}

/// How one conversation with one device ended, and what it cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeRecord {
    /// The network the device lives in.
    pub zone: Zone,
    /// Where it is.
    pub address: IpAddr,
    /// In which protocol.
    pub protocol: String,
    /// On which port.
    pub port: u16,
    /// How it ended.
    pub outcome: Outcome,
    /// What happened, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The bytes that made no sense.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    /// Packets sent, the kernel's own included.
    pub packets: u32,
    /// The most packets that the plan allowed it.
    #[serde(default)]
    pub packets_planned: u32,
    /// Connections opened.
    pub connections: u32,
    /// Questions asked.
    pub requests: u32,
    /// Payload bytes sent.
    pub bytes_out: u64,
    /// Payload bytes received.
    pub bytes_in: u64,
    /// How long it took.
    pub millis: u64,
}

impl OutcomeRecord {
    /// A conversation that ended like this at no cost.
    #[must_use]
    pub fn new(zone: Zone, address: IpAddr, protocol: &str, port: u16, outcome: Outcome) -> Self {
        Self {
            zone,
            address: address.to_canonical(),
            protocol: protocol.to_owned(),
            port,
            outcome,
            detail: None,
            evidence: None,
            packets: 0,
            packets_planned: 0,
            connections: 0,
            requests: 0,
            bytes_out: 0,
            bytes_in: 0,
            millis: 0,
        }
    }
}
