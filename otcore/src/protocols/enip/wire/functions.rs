//! Everything that may be asked over EtherNet/IP, and why it changes nothing.

use crate::safety::{never, read_only};

const IDENTITY: &str = "ODVA, volume 1, clause 5A-2; answered in every capture of a device";
const TCP_IP: &str = "ODVA, volume 2, clause 5-4";
const LINK: &str = "ODVA, volume 2, clause 5-5";
const NAMES: &str = "observed: asked by Rockwell's own software of every controller (capture of a \
     1756-L61 in a ControlLogix rack)";
const CHANGES: &str = "observed: polled by Rockwell's own software to notice changes (captures of \
     a program download and of a plant with four ControlLogix controllers)";
const CHASSIS: &str = "observed: asked by Rockwell's own software of the modules of a rack (the \
     same capture)";
const BACKPLANE: &str = "ODVA, volume 1, clause 3-5.5.4; observed in the same capture";

const READ: &str = "reads attributes of an object, unconnected; the service has no way to change \
     one";
const ROUTED: &str = "reads attributes of an object, unconnected, in a module behind the \
     backplane; the path goes to one slot and no further";

/// So many instances of Identity are read at most.
pub const MOST_IDENTITIES: u8 = 4;

/// No backplane has more slots that are asked, whatever a device says.
pub const MOST_SLOTS: u8 = 64;

read_only! {
    never never::ENIP;
    /// Everything that may be asked over EtherNet/IP.
    pub enum Function {
        /// List Identity: who is there. In a datagram, in its repetition, and over TCP if both stay silent.
        ListIdentity {
            selector: [0x63],
            level: Detect,
            max_request: 24,
            max_count: 3,
            consent: None,
            why_safe: "asks for what every device tells everybody, without a session and without a trace; the \
                delay it allows is the shortest that the standard knows",
            source: "ODVA, volume 2, clause 2-4.2",
        },
        /// List Services: what it offers over this encapsulation.
        ListServices {
            selector: [0x04],
            level: Structure,
            max_request: 24,
            max_count: 1,
            consent: None,
            why_safe: "asks for a constant, without a session and without a trace",
            source: "ODVA, volume 2, clause 2-4.6",
        },
        /// RegisterSession: leave to read objects on this connection.
        RegisterSession {
            selector: [0x65],
            level: Identify,
            max_request: 28,
            max_count: 1,
            consent: None,
            why_safe: "takes a handle that ends with the TCP connection, and is given back before",
            source: "ODVA, volume 2, clause 2-4.4",
        },
        /// UnRegisterSession: the end of it.
        UnregisterSession {
            selector: [0x66],
            level: Identify,
            max_request: 24,
            max_count: 1,
            consent: None,
            why_safe: "gives back the handle of our own session, so that nothing lingers",
            source: "ODVA, volume 2, clause 2-4.5",
        },
        /// Identity, everything.
        ReadIdentity {
            selector: [0x6F, 0x01, 0x01, 0x01],
            level: Identify,
            max_request: 46,
            max_count: 1,
            consent: None,
            why_safe: READ,
            source: IDENTITY,
        },
        /// Identity, attributes 1 to 7 in one answer.
        ReadIdentityList {
            selector: [0x6F, 0x03, 0x01, 0x01, 1, 2, 3, 4, 5, 6, 7],
            level: Identify,
            max_request: 62,
            max_count: 1,
            consent: None,
            why_safe: READ,
            source: IDENTITY,
        },
        /// Identity, attribute 1: vendor id.
        ReadVendorId {
            selector: [0x6F, 0x0E, 0x01, 0x01, 0x01],
            level: Identify,
            max_request: 48,
            max_count: 1,
            consent: None,
            why_safe: READ,
            source: IDENTITY,
        },
        /// Identity, attribute 2: device type.
        ReadDeviceType {
            selector: [0x6F, 0x0E, 0x01, 0x01, 0x02],
            level: Identify,
            max_request: 48,
            max_count: 1,
            consent: None,
            why_safe: READ,
            source: IDENTITY,
        },
        /// Identity, attribute 3: product code.
        ReadProductCode {
            selector: [0x6F, 0x0E, 0x01, 0x01, 0x03],
            level: Identify,
            max_request: 48,
            max_count: 1,
            consent: None,
            why_safe: READ,
            source: IDENTITY,
        },
        /// Identity, attribute 4: revision.
        ReadRevision {
            selector: [0x6F, 0x0E, 0x01, 0x01, 0x04],
            level: Identify,
            max_request: 48,
            max_count: 1,
            consent: None,
            why_safe: READ,
            source: IDENTITY,
        },
        /// Identity, attribute 5: status.
        ReadStatus {
            selector: [0x6F, 0x0E, 0x01, 0x01, 0x05],
            level: Identify,
            max_request: 48,
            max_count: 1,
            consent: None,
            why_safe: READ,
            source: IDENTITY,
        },
        /// Identity, attribute 6: serial number.
        ReadSerialNumber {
            selector: [0x6F, 0x0E, 0x01, 0x01, 0x06],
            level: Identify,
            max_request: 48,
            max_count: 1,
            consent: None,
            why_safe: READ,
            source: IDENTITY,
        },
        /// Identity, attribute 7: product name.
        ReadProductName {
            selector: [0x6F, 0x0E, 0x01, 0x01, 0x07],
            level: Identify,
            max_request: 48,
            max_count: 1,
            consent: None,
            why_safe: READ,
            source: IDENTITY,
        },
        /// Identity, how many instances there may be.
        ReadMostIdentities {
            selector: [0x6F, 0x0E, 0x01, 0x00, 0x02],
            level: Structure,
            max_request: 48,
            max_count: 1,
            consent: None,
            why_safe: READ,
            source: IDENTITY,
        },
        /// Identity, instance 2.
        ReadSecondIdentity {
            selector: [0x6F, 0x01, 0x01, 0x02],
            level: Structure,
            max_request: 46,
            max_count: 1,
            consent: None,
            why_safe: READ,
            source: IDENTITY,
        },
        /// Identity, instance 3.
        ReadThirdIdentity {
            selector: [0x6F, 0x01, 0x01, 0x03],
            level: Structure,
            max_request: 46,
            max_count: 1,
            consent: None,
            why_safe: READ,
            source: IDENTITY,
        },
        /// Identity, instance 4.
        ReadFourthIdentity {
            selector: [0x6F, 0x01, 0x01, 0x04],
            level: Structure,
            max_request: 46,
            max_count: 1,
            consent: None,
            why_safe: READ,
            source: IDENTITY,
        },
        /// TCP/IP Interface, everything.
        ReadTcpIp {
            selector: [0x6F, 0x01, 0xF5, 0x01],
            level: Structure,
            max_request: 46,
            max_count: 1,
            consent: None,
            why_safe: READ,
            source: TCP_IP,
        },
        /// TCP/IP Interface, attribute 5: addresses and domain.
        ReadTcpIpAddress {
            selector: [0x6F, 0x0E, 0xF5, 0x01, 0x05],
            level: Structure,
            max_request: 48,
            max_count: 1,
            consent: None,
            why_safe: READ,
            source: TCP_IP,
        },
        /// TCP/IP Interface, attribute 6: host name.
        ReadHostName {
            selector: [0x6F, 0x0E, 0xF5, 0x01, 0x06],
            level: Structure,
            max_request: 48,
            max_count: 1,
            consent: None,
            why_safe: READ,
            source: TCP_IP,
        },
        /// Ethernet Link, everything. Get_and_Clear, which resets its counters, has another code.
        ReadEthernetLink {
            selector: [0x6F, 0x01, 0xF6, 0x01],
            level: Structure,
            max_request: 46,
            max_count: 1,
            consent: None,
            why_safe: READ,
            source: LINK,
        },
        /// Ethernet Link, attribute 3: hardware address.
        ReadHardwareAddress {
            selector: [0x6F, 0x0E, 0xF6, 0x01, 0x03],
            level: Structure,
            max_request: 48,
            max_count: 1,
            consent: None,
            why_safe: READ,
            source: LINK,
        },
        /// Ethernet Link, attribute 1: speed.
        ReadLinkSpeed {
            selector: [0x6F, 0x0E, 0xF6, 0x01, 0x01],
            level: Structure,
            max_request: 48,
            max_count: 1,
            consent: None,
            why_safe: READ,
            source: LINK,
        },
        /// Ethernet Link, instance 2.
        ReadSecondLink {
            selector: [0x6F, 0x01, 0xF6, 0x02],
            level: Structure,
            max_request: 46,
            max_count: 1,
            consent: None,
            why_safe: READ,
            source: LINK,
        },
        /// Port, class attribute 8: which ports lead where.
        ReadPorts {
            selector: [0x6F, 0x0E, 0xF4, 0x00, 0x08],
            level: Structure,
            max_request: 48,
            max_count: 1,
            consent: None,
            why_safe: READ,
            source: "ODVA, volume 1, clause 3-7",
        },
        /// Message Router, attribute 1: which objects there are.
        ReadObjects {
            selector: [0x6F, 0x0E, 0x02, 0x01, 0x01],
            level: Structure,
            max_request: 48,
            max_count: 1,
            consent: None,
            why_safe: READ,
            source: "ODVA, volume 1, clause 5A-3",
        },
        /// Message Router, everything: the same where it is not to be had alone.
        ReadAllObjects {
            selector: [0x6F, 0x01, 0x02, 0x01],
            level: Structure,
            max_request: 46,
            max_count: 1,
            consent: None,
            why_safe: READ,
            source: "ODVA, volume 1, clause 5A-3; answered in the same capture",
        },
        /// Identity, attribute 9: a number that changes with the configuration.
        ReadConsistency {
            selector: [0x6F, 0x0E, 0x01, 0x01, 0x09],
            level: State,
            max_request: 48,
            max_count: 1,
            consent: None,
            why_safe: READ,
            source: IDENTITY,
        },
        /// Names of the controller and its project, in class 0x64 of Rockwell.
        ReadNames {
            selector: [0x6F, 0x03, 0x64, 0x01, 1, 2],
            level: State,
            max_request: 52,
            max_count: 1,
            consent: None,
            why_safe: READ,
            source: NAMES,
        },
        /// The same names where they are not to be had as a list.
        ReadAllNames {
            selector: [0x6F, 0x01, 0x64, 0x01],
            level: State,
            max_request: 46,
            max_count: 1,
            consent: None,
            why_safe: READ,
            source: NAMES,
        },
        /// Words that change with the program, in class 0xAC of Rockwell.
        ReadProgramChanges {
            selector: [0x6F, 0x01, 0xAC, 0x01],
            level: State,
            max_request: 46,
            max_count: 1,
            consent: None,
            why_safe: READ,
            source: CHANGES,
        },
        /// Chassis: how many slots, in class 0x66 of Rockwell.
        ReadChassis {
            selector: [0x6F, 0x01, 0x66, 0x01],
            level: Structure,
            max_request: 46,
            max_count: 1,
            consent: Some("backplane"),
            why_safe: READ,
            source: CHASSIS,
        },
        /// Identity of the module in a slot.
        ReadModuleIdentity {
            selector: [0x6F, 0x52, 0x06, 0x01, 0x01, 0x01, 0x01],
            level: Structure,
            max_request: 60,
            max_count: 1,
            consent: Some("backplane"),
            why_safe: ROUTED,
            source: BACKPLANE,
        },
        /// Identity of the module in a slot, attributes 1 to 7 in one answer.
        ReadModuleIdentityList {
            selector: [0x6F, 0x52, 0x06, 0x01, 0x03, 0x01, 0x01, 1, 2, 3, 4, 5, 6, 7],
            level: Structure,
            max_request: 76,
            max_count: 1,
            consent: Some("backplane"),
            why_safe: ROUTED,
            source: BACKPLANE,
        },
        /// TCP/IP Interface of the module in a slot.
        ReadModuleTcpIp {
            selector: [0x6F, 0x52, 0x06, 0x01, 0x01, 0xF5, 0x01],
            level: Structure,
            max_request: 60,
            max_count: 1,
            consent: Some("backplane"),
            why_safe: ROUTED,
            source: BACKPLANE,
        },
        /// Ethernet Link of the module in a slot.
        ReadModuleLink {
            selector: [0x6F, 0x52, 0x06, 0x01, 0x01, 0xF6, 0x01],
            level: Structure,
            max_request: 60,
            max_count: 1,
            consent: Some("backplane"),
            why_safe: ROUTED,
            source: BACKPLANE,
        },
        /// Names of the controller in a slot, in class 0x64 of Rockwell.
        ReadModuleNames {
            selector: [0x6F, 0x52, 0x06, 0x01, 0x03, 0x64, 0x01, 1, 2],
            level: State,
            max_request: 66,
            max_count: 1,
            consent: Some("backplane"),
            why_safe: ROUTED,
            source: NAMES,
        },
        /// The same names where they are not to be had as a list.
        ReadAllModuleNames {
            selector: [0x6F, 0x52, 0x06, 0x01, 0x01, 0x64, 0x01],
            level: State,
            max_request: 60,
            max_count: 1,
            consent: Some("backplane"),
            why_safe: ROUTED,
            source: NAMES,
        },
        /// Words that change with the program of the controller in a slot.
        ReadModuleChanges {
            selector: [0x6F, 0x52, 0x06, 0x01, 0x01, 0xAC, 0x01],
            level: State,
            max_request: 60,
            max_count: 1,
            consent: Some("backplane"),
            why_safe: ROUTED,
            source: CHANGES,
        },
    }
}
