//! Modbus/TCP: port 502, one server per address or many units behind a gateway.
//!
//! A device is recognised by Read Device Identification (function 0x2B, MEI type 0x0E), which
//! reads names from ROM and touches no process data. A device that does not know it proves itself
//! by its exception, and may say its name through Report Server ID (0x11). Nothing is ever written,
//! and no register is read unless a policy opts in to a documented identification map.
//!
//! References: Modbus Application Protocol Specification V1.1b3; Modbus Messaging on TCP/IP
//! Implementation Guide V1.0b; SunSpec Device Information Model Specification.

mod interpret;
mod probe;
#[cfg(any(test, feature = "sim"))]
pub mod sim;
mod wire;

pub use probe::Probe;
pub use wire::*;
