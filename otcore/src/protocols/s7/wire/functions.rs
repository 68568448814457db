//! Everything that may be asked over S7, and why it changes nothing.

use crate::safety::{never, read_only};

const ISO: &str = "RFC 1006, 4; RFC 905, 13.3 connection request; the kinds of connection in \
     Siemens' documentation of the TSAP";
const SETUP: &str = "observed: the first question of every S7 client, answered without a password \
     (capture of an IM151-8 PN/DP CPU)";
const LISTS: &str = "Siemens, System Software for S7-300/400, System and Standard Functions, \
     chapter System Status Lists; read in the capture of an IM151-8 PN/DP CPU";

const FREE: &str = "asks for a connection of the kind that is not reserved for anybody; it ends \
     with the TCP connection";
const STATUS_LIST: &str = "reads a partial list of the system status, which the operating system \
     of the controller composes; nothing is stored, acknowledged or subscribed";

/// How many modules are called, or one module as how many kinds of partner, at most: each call is a
/// connection of its own to a device that has few.
pub const MOST_CALLS: u16 = 2;

/// How many continuations are asked for in one conversation at most, over all lists.
pub const MOST_PARTS: u16 = 16;

read_only! {
    never never::S7;
    /// Everything that may be asked over S7.
    pub enum Function {
        /// COTP connection request, kind 03: any communication partner.
        ConnectBasic {
            selector: [0xE0, 0x03],
            level: Detect,
            max_request: 22,
            max_count: MOST_CALLS,
            consent: None,
            why_safe: FREE,
            source: ISO,
        },
        /// COTP connection request, kind 02: an operator station.
        ConnectOperator {
            selector: [0xE0, 0x02],
            level: Detect,
            max_request: 22,
            max_count: 1,
            consent: None,
            why_safe: "asks for a connection of the kind of operator stations, after a gentler one \
                was refused; it ends with the TCP connection",
            source: ISO,
        },
        /// COTP connection request, kind 01: a programming device.
        ConnectProgrammer {
            selector: [0xE0, 0x01],
            level: Detect,
            max_request: 22,
            max_count: 1,
            consent: Some("programmer"),
            why_safe: "asks for a connection of the kind of programming devices, of which small \
                controllers have one; it ends with the TCP connection",
            source: ISO,
        },
        /// Setup Communication: how long messages may be.
        SetupCommunication {
            selector: [0x01, 0xF0],
            level: Detect,
            max_request: 25,
            max_count: 1,
            consent: None,
            why_safe: "agrees on the size of messages of this connection and on one question at a \
                time; nothing of it outlives the connection",
            source: SETUP,
        },
        /// SZL 0x0011: order number, versions of hardware, firmware and boot loader.
        ReadModuleIdentification {
            selector: [0x07, 0x11, 0x44, 0x01, 0x00, 0x11, 0x00, 0x00],
            level: Identify,
            max_request: 33,
            max_count: 1,
            consent: None,
            why_safe: STATUS_LIST,
            source: LISTS,
        },
        /// SZL 0x001C: names, serial numbers, location.
        ReadComponentIdentification {
            selector: [0x07, 0x11, 0x44, 0x01, 0x00, 0x1C, 0x00, 0x00],
            level: Identify,
            max_request: 33,
            max_count: 1,
            consent: None,
            why_safe: STATUS_LIST,
            source: LISTS,
        },
        /// SZL 0x011C, index 8: the number of the memory card alone.
        ReadMemoryCard {
            selector: [0x07, 0x11, 0x44, 0x01, 0x01, 0x1C, 0x00, 0x08],
            level: Structure,
            max_request: 33,
            max_count: 1,
            consent: None,
            why_safe: STATUS_LIST,
            source: LISTS,
        },
        /// SZL 0x011C, index 11: the location alone.
        ReadLocation {
            selector: [0x07, 0x11, 0x44, 0x01, 0x01, 0x1C, 0x00, 0x0B],
            level: Structure,
            max_request: 33,
            max_count: 1,
            consent: None,
            why_safe: STATUS_LIST,
            source: LISTS,
        },
        /// SZL 0x0000: which lists there are.
        ReadListOfLists {
            selector: [0x07, 0x11, 0x44, 0x01, 0x00, 0x00, 0x00, 0x00],
            level: Structure,
            max_request: 33,
            max_count: 1,
            consent: None,
            why_safe: STATUS_LIST,
            source: LISTS,
        },
        /// SZL 0x0037: addresses of the Ethernet interfaces.
        ReadEthernetDetails {
            selector: [0x07, 0x11, 0x44, 0x01, 0x00, 0x37, 0x00, 0x00],
            level: Structure,
            max_request: 33,
            max_count: 1,
            consent: None,
            why_safe: STATUS_LIST,
            source: LISTS,
        },
        /// SZL 0x0131, index 1: size and number of connections.
        ReadCommunicationLimits {
            selector: [0x07, 0x11, 0x44, 0x01, 0x01, 0x31, 0x00, 0x01],
            level: Structure,
            max_request: 33,
            max_count: 1,
            consent: None,
            why_safe: STATUS_LIST,
            source: LISTS,
        },
        /// SZL 0x0091: every module that is plugged in (S7-400).
        ReadModules {
            selector: [0x07, 0x11, 0x44, 0x01, 0x00, 0x91, 0x00, 0x00],
            level: Structure,
            max_request: 33,
            max_count: 1,
            consent: None,
            why_safe: STATUS_LIST,
            source: LISTS,
        },
        /// SZL 0x0D91, index 0: the modules of the central rack (S7-300, ET 200 CPUs).
        ReadModulesOfRack {
            selector: [0x07, 0x11, 0x44, 0x01, 0x0D, 0x91, 0x00, 0x00],
            level: Structure,
            max_request: 33,
            max_count: 1,
            consent: None,
            why_safe: STATUS_LIST,
            source: LISTS,
        },
        /// SZL 0x0424: operating mode.
        ReadOperatingMode {
            selector: [0x07, 0x11, 0x44, 0x01, 0x04, 0x24, 0x00, 0x00],
            level: State,
            max_request: 33,
            max_count: 1,
            consent: None,
            why_safe: STATUS_LIST,
            source: LISTS,
        },
        /// SZL 0x0232, index 4: protection level, key switch, checksums.
        ReadProtection {
            selector: [0x07, 0x11, 0x44, 0x01, 0x02, 0x32, 0x00, 0x04],
            level: State,
            max_request: 33,
            max_count: 1,
            consent: None,
            why_safe: STATUS_LIST,
            source: LISTS,
        },
        /// SZL 0x0132, index 4: the same on controllers without 0x0232.
        ReadProtectionOfCpu {
            selector: [0x07, 0x11, 0x44, 0x01, 0x01, 0x32, 0x00, 0x04],
            level: State,
            max_request: 33,
            max_count: 1,
            consent: None,
            why_safe: STATUS_LIST,
            source: LISTS,
        },
        /// SZL 0x0074: which lights are on.
        ReadLeds {
            selector: [0x07, 0x11, 0x44, 0x01, 0x00, 0x74, 0x00, 0x00],
            level: State,
            max_request: 33,
            max_count: 1,
            consent: None,
            why_safe: "reads which lights are on; switching one is another function",
            source: LISTS,
        },
        /// The continuation of the list that was read last.
        ReadNextPart {
            selector: [0x07, 0x12, 0x44, 0x01],
            level: Identify,
            max_request: 33,
            max_count: MOST_PARTS,
            consent: None,
            why_safe: "asks for the rest of an answer that did not fit into one message",
            source: LISTS,
        },
    }
}
