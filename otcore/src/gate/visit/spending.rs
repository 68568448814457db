//! What a visit has cost so far.

use serde::{Deserialize, Serialize};

/// What a visit has cost so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spending {
    /// Packets that left, the kernel's own included.
    pub packets: u64,
    /// Connections that were established.
    pub connections: u32,
    /// Connection attempts.
    pub attempts: u32,
    /// Questions asked.
    pub requests: u32,
    /// Payload bytes sent.
    pub bytes_out: u64,
    /// Payload bytes received.
    pub bytes_in: u64,
}

impl Spending {
    /// What was spent since `earlier`.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            packets: self.packets.saturating_sub(earlier.packets),
            connections: self.connections.saturating_sub(earlier.connections),
            attempts: self.attempts.saturating_sub(earlier.attempts),
            requests: self.requests.saturating_sub(earlier.requests),
            bytes_out: self.bytes_out.saturating_sub(earlier.bytes_out),
            bytes_in: self.bytes_in.saturating_sub(earlier.bytes_in),
        }
    }
}
