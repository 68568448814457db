//! DNP3 (IEEE 1815): port 20000 over TCP and UDP, the outstations of substations and pipelines.
//!
//! Many outstations have room for one master, and a new connection ends that of the station which
//! operates them. So nothing is asked in DNP3 unless a policy turns it on, and over TCP only with the
//! consent `connect`. Link addresses are called one after the other, never in a burst, and once one
//! has answered, the device attributes of group 0 say who it is. Points are never read, nor classes
//! of events; nothing is ever confirmed, since a confirmation takes events from their master.
//!
//! References: IEEE 1815-2012, clauses 4 (application layer), 8 (transport function), 9 (data link
//! layer), 13 (IP networking), annex A (object library, group 0).

mod interpret;
mod probe;
#[cfg(any(test, feature = "sim"))]
pub mod sim;
mod wire;
mod words;

pub use probe::Probe;
pub use wire::*;
