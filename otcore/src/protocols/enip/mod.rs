//! EtherNet/IP with CIP: port 44818 over UDP and TCP, the controllers, drives and adapters of ODVA.
//!
//! A device is asked who it is by one datagram, List Identity, and its answer says nearly
//! everything: vendor, type, product, revision, serial number, name and status. Nothing is connected
//! for that. Over TCP the same is asked where datagrams get no answer, and the Identity object is
//! read in a session where List Identity is refused. Structure and state come from reading
//! attributes, unconnected: never a Forward Open, never a connected message. Modules behind a
//! backplane are asked by Unconnected Send, slowly, and only if the policy consents.
//!
//! References: ODVA, The CIP Networks Library, volume 1 (CIP) and volume 2 (EtherNet/IP adaptation);
//! for what is Rockwell's own, captures of a ControlLogix rack and public descriptions.

mod data;
mod interpret;
mod probe;
#[cfg(any(test, feature = "sim"))]
pub mod sim;
mod wire;

pub use probe::Probe;
pub use wire::*;
