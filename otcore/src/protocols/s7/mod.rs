//! S7 communication over ISO-on-TCP: port 102, the controllers of the SIMATIC S7 family.
//!
//! A device is recognised by its answer to Setup Communication, and named by its system status
//! lists (SZL), which the operating system of the controller keeps and which hold no process data:
//! 0x0011 gives order number and versions, 0x001C names and serial numbers. A connection is asked
//! for as gently as there is: of the kind that anybody may have, then of that of an operator
//! station, and as a programming device only if the policy consents. It ends with a FIN and never
//! with a COTP disconnect request, which some interfaces do not survive (CVE-2025-40944).
//!
//! S7comm-plus and MMS live on the same port. They are told apart, and not spoken.
//!
//! References: RFC 1006 and RFC 905 for the transport; the lists in Siemens' System Software for
//! S7-300/400, System and Standard Functions (A5E02789976); the framing of S7 as public captures
//! of controllers and their programming software show it.

mod interpret;
mod probe;
#[cfg(any(test, feature = "sim"))]
pub mod sim;
mod wire;

pub use probe::Probe;
pub use wire::*;
