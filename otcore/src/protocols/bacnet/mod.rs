//! BACnet/IP: port 47808 over UDP, the controllers, routers and sensors of buildings.
//!
//! A device is asked its number by one datagram, of the instance that every device answers to, and who
//! refuses that is called by Who-Is, at its address alone: the answer to a read comes back to us, the
//! answer to Who-Is may go to a whole network. Names, versions and state are then read in one answer
//! for each group of properties; where that is refused, too long or unknown, one by one. Nothing is
//! segmented, subscribed or registered, and nothing broadcast unless the policy opts in. Devices behind
//! a router are asked at its address, slowly, and only if the policy consents.
//!
//! References: ANSI/ASHRAE 135, BACnet: A Data Communication Protocol for Building Automation and
//! Control Networks, clauses 6 (network layer), 12 (objects), 15 and 16 (services), 20 (encoding) and
//! annex J (BACnet/IP).

mod call;
mod data;
mod interpret;
mod probe;
#[cfg(any(test, feature = "sim"))]
pub mod sim;
mod wire;

pub use probe::Probe;
pub use wire::*;
