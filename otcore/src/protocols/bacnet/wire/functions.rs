//! Everything that may be asked over BACnet/IP, and why it changes nothing.
//!
//! A selector begins with the function of the BVLC. After `0A`, which carries an NPDU to one address,
//! follow the parts of its control byte that matter (`20` for another network, `80` for a message of
//! the network layer), the kind of the APDU, its service, the type of the object, and two bytes for
//! every property. `40` in a property means its size, element 0; `80` one or more of its elements.

use crate::safety::{never, read_only};

const ONE: &str = "ASHRAE 135, clauses 15.5 and 12.11; answered in every capture of a device";
const SEVERAL: &str = "ASHRAE 135, clauses 15.7 and 12.11";
const WILDCARD: &str = "ASHRAE 135, clause 15.5.2: instance 4194303 is whichever device is asked";
const LIST: &str = "ASHRAE 135, clause 12.11; read in a capture of a stack's own explorer";
const PORT: &str =
    "ASHRAE 135, clauses 15.5.2 and 12.56: instance 4194303 is the port that is asked";

const READ: &str = "reads listed properties of one object, in one answer that is not segmented; the \
     service has no way to change one";
const ROUTED: &str = "reads listed properties of one object through a router, in one answer that is \
     not segmented; it goes to one address on one network";

/// No question has more properties, nor more elements of a list.
pub const MOST_PROPERTIES: u8 = 8;

read_only! {
    never never::BACNET;
    /// Everything that may be asked over BACnet/IP.
    pub enum Function {
        /// The number of the device, by the number that every device answers to.
        ReadObjectIdentifier {
            selector: [0x0A, 0x00, 0x00, 0x0C, 0x08, 0x00, 0x4B],
            level: Detect, max_request: 17, max_count: 17, consent: None,
            why_safe: READ,
            source: WILDCARD,
        },
        /// Who-Is, to this address alone.
        WhoIs {
            selector: [0x0A, 0x00, 0x10, 0x08],
            level: Detect, max_request: 18, max_count: 2, consent: None,
            why_safe: "asks for what every device tells everybody; it is sent to one address only, though a device may \
                tell its answer to its whole network",
            source: "ASHRAE 135, clause 16.10",
        },
        /// Who-Is to everybody in a network at once, for a range of numbers.
        CallEverybody {
            selector: [0x0B, 0x00, 0x10, 0x08],
            level: Detect, max_request: 18, max_count: 6, consent: Some("broadcast"),
            why_safe: "asks for what every device tells everybody; only if the policy opts in, with a range of \
                numbers that is narrowed when answers pile up, and never beyond the network",
            source: "ASHRAE 135, clauses 16.10 and J.2.12",
        },
        /// Names and versions, in one answer.
        ReadIdentity {
            selector: [
                0x0A, 0x00, 0x00, 0x0E, 0x08, 0x00, 0x4D, 0x00, 0x79, 0x00, 0x78, 0x00, 0x46,
                0x00, 0x2C, 0x00, 0x0C, 0x01, 0x74, 0x00, 0x3E],
            level: Identify, max_request: 34, max_count: 1, consent: None,
            why_safe: READ,
            source: SEVERAL,
        },
        /// What it is for and how it speaks, in one answer.
        ReadDescription {
            selector: [
                0x0A, 0x00, 0x00, 0x0E, 0x08, 0x00, 0x1C, 0x00, 0x3A, 0x00, 0xA8, 0x00, 0x62,
                0x00, 0x8B, 0x00, 0x6B, 0x01, 0xFB],
            level: Identify, max_request: 32, max_count: 1, consent: None,
            why_safe: READ,
            source: SEVERAL,
        },
        /// Its name.
        ReadObjectName {
            selector: [0x0A, 0x00, 0x00, 0x0C, 0x08, 0x00, 0x4D],
            level: Identify, max_request: 17, max_count: 1, consent: None,
            why_safe: READ,
            source: ONE,
        },
        /// Who made it.
        ReadVendorName {
            selector: [0x0A, 0x00, 0x00, 0x0C, 0x08, 0x00, 0x79],
            level: Identify, max_request: 17, max_count: 1, consent: None,
            why_safe: READ,
            source: ONE,
        },
        /// What it is.
        ReadModelName {
            selector: [0x0A, 0x00, 0x00, 0x0C, 0x08, 0x00, 0x46],
            level: Identify, max_request: 17, max_count: 1, consent: None,
            why_safe: READ,
            source: ONE,
        },
        /// Its firmware.
        ReadFirmwareRevision {
            selector: [0x0A, 0x00, 0x00, 0x0C, 0x08, 0x00, 0x2C],
            level: Identify, max_request: 17, max_count: 1, consent: None,
            why_safe: READ,
            source: ONE,
        },
        /// What runs on it.
        ReadApplicationSoftware {
            selector: [0x0A, 0x00, 0x00, 0x0C, 0x08, 0x00, 0x0C],
            level: Identify, max_request: 17, max_count: 1, consent: None,
            why_safe: READ,
            source: ONE,
        },
        /// Who made it, as a number.
        ReadVendorIdentifier {
            selector: [0x0A, 0x00, 0x00, 0x0C, 0x08, 0x00, 0x78],
            level: Identify, max_request: 17, max_count: 1, consent: None,
            why_safe: READ,
            source: ONE,
        },
        /// Its serial number.
        ReadSerialNumber {
            selector: [0x0A, 0x00, 0x00, 0x0C, 0x08, 0x01, 0x74],
            level: Identify, max_request: 18, max_count: 1, consent: None,
            why_safe: READ,
            source: ONE,
        },
        /// What it is for.
        ReadDescriptionText {
            selector: [0x0A, 0x00, 0x00, 0x0C, 0x08, 0x00, 0x1C],
            level: Identify, max_request: 17, max_count: 1, consent: None,
            why_safe: READ,
            source: ONE,
        },
        /// Where it is.
        ReadLocation {
            selector: [0x0A, 0x00, 0x00, 0x0C, 0x08, 0x00, 0x3A],
            level: Identify, max_request: 17, max_count: 1, consent: None,
            why_safe: READ,
            source: ONE,
        },
        /// The profile that it follows.
        ReadProfileName {
            selector: [0x0A, 0x00, 0x00, 0x0C, 0x08, 0x00, 0xA8],
            level: Structure, max_request: 17, max_count: 1, consent: None,
            why_safe: READ,
            source: ONE,
        },
        /// Which revision of the standard it follows.
        ReadProtocolRevision {
            selector: [0x0A, 0x00, 0x00, 0x0C, 0x08, 0x00, 0x8B],
            level: Structure, max_request: 17, max_count: 1, consent: None,
            why_safe: READ,
            source: ONE,
        },
        /// The identifier that it was given for good.
        ReadDeviceUuid {
            selector: [0x0A, 0x00, 0x00, 0x0C, 0x08, 0x01, 0xFB],
            level: Structure, max_request: 18, max_count: 1, consent: None,
            why_safe: READ,
            source: ONE,
        },
        /// The network port that the question came in by: addresses, network, speed.
        ReadNetworkPort {
            selector: [
                0x0A, 0x00, 0x00, 0x0E, 0x38, 0x01, 0x90, 0x01, 0x9B, 0x01, 0x91, 0x01, 0xA7,
                0x01, 0xA9, 0x01, 0x9C, 0x01, 0xAB, 0x01, 0xA4],
            level: Structure, max_request: 41, max_count: 1, consent: None,
            why_safe: READ,
            source: PORT,
        },
        /// Who-Is-Router-To-Network: which networks it leads to.
        WhoIsRouter {
            selector: [0x0A, 0x80, 0x00],
            level: Structure, max_request: 7, max_count: 1, consent: None,
            why_safe: "asks for a table; nothing enters it by that",
            source: "ASHRAE 135, clause 6.4.1",
        },
        /// What-Is-Network-Number: which network this is.
        WhatIsNetworkNumber {
            selector: [0x0A, 0x80, 0x12],
            level: Structure, max_request: 7, max_count: 1, consent: None,
            why_safe: "asks for a number; unlike Network-Number-Is it tells none",
            source: "ASHRAE 135, clause 6.4.19",
        },
        /// Read-Broadcast-Distribution-Table: to which other networks it hands broadcasts on.
        ReadBroadcastTable {
            selector: [0x02],
            level: Structure, max_request: 4, max_count: 1, consent: Some("bbmd"),
            why_safe: "asks for a table; nothing enters it by that",
            source: "ASHRAE 135, clause J.2.4",
        },
        /// Read-Foreign-Device-Table: who from elsewhere has registered there.
        ReadForeignTable {
            selector: [0x06],
            level: Structure, max_request: 4, max_count: 1, consent: Some("bbmd"),
            why_safe: "asks for a table; it registers nobody",
            source: "ASHRAE 135, clause J.2.7",
        },
        /// How many objects it has: element 0 of its object list.
        ReadObjectCount {
            selector: [0x0A, 0x00, 0x00, 0x0C, 0x08, 0x40, 0x4C],
            level: Structure, max_request: 19, max_count: 1, consent: None,
            why_safe: READ,
            source: LIST,
        },
        /// One element of its object list.
        ReadObject {
            selector: [0x0A, 0x00, 0x00, 0x0C, 0x08, 0x80, 0x4C],
            level: Structure, max_request: 22, max_count: 64, consent: None,
            why_safe: READ,
            source: LIST,
        },
        /// A few elements of its object list, at most eight.
        ReadObjects {
            selector: [0x0A, 0x00, 0x00, 0x0E, 0x08, 0x80, 0x4C],
            level: Structure, max_request: 73, max_count: 64, consent: None,
            why_safe: READ,
            source: LIST,
        },
        /// Status, revision of its configuration, last restart and clock, in one answer.
        ReadState {
            selector: [
                0x0A, 0x00, 0x00, 0x0E, 0x08, 0x00, 0x70, 0x00, 0x9B, 0x00, 0xC4, 0x00, 0xCB,
                0x00, 0x38, 0x00, 0x39],
            level: State, max_request: 29, max_count: 1, consent: None,
            why_safe: READ,
            source: SEVERAL,
        },
        /// Whether it works.
        ReadSystemStatus {
            selector: [0x0A, 0x00, 0x00, 0x0C, 0x08, 0x00, 0x70],
            level: State, max_request: 17, max_count: 1, consent: None,
            why_safe: READ,
            source: ONE,
        },
        /// A number that changes with its configuration.
        ReadDatabaseRevision {
            selector: [0x0A, 0x00, 0x00, 0x0C, 0x08, 0x00, 0x9B],
            level: State, max_request: 17, max_count: 1, consent: None,
            why_safe: READ,
            source: ONE,
        },
        /// Why it last started.
        ReadRestartReason {
            selector: [0x0A, 0x00, 0x00, 0x0C, 0x08, 0x00, 0xC4],
            level: State, max_request: 17, max_count: 1, consent: None,
            why_safe: READ,
            source: ONE,
        },
        /// When it last started.
        ReadRestartTime {
            selector: [0x0A, 0x00, 0x00, 0x0C, 0x08, 0x00, 0xCB],
            level: State, max_request: 17, max_count: 1, consent: None,
            why_safe: READ,
            source: ONE,
        },
        /// Who-Is on a network behind it.
        RoutedWhoIs {
            selector: [0x0A, 0x20, 0x10, 0x08],
            level: Structure, max_request: 22, max_count: 4, consent: Some("routed"),
            why_safe: "asks for what every device tells everybody; the router hands it on to one network, never to all",
            source: "ASHRAE 135, clauses 16.10 and 6.5.3",
        },
        /// Names and versions of a device on a network behind it, in one answer.
        ReadRoutedIdentity {
            selector: [
                0x0A, 0x20, 0x00, 0x0E, 0x08, 0x00, 0x4D, 0x00, 0x79, 0x00, 0x78, 0x00, 0x46,
                0x00, 0x2C, 0x00, 0x0C, 0x01, 0x74, 0x00, 0x3E],
            level: Structure, max_request: 45, max_count: 1, consent: Some("routed"),
            why_safe: ROUTED,
            source: SEVERAL,
        },
        /// What that device is for, in one answer.
        ReadRoutedDescription {
            selector: [
                0x0A, 0x20, 0x00, 0x0E, 0x08, 0x00, 0x1C, 0x00, 0x3A, 0x00, 0xA8, 0x00, 0x62,
                0x00, 0x8B, 0x00, 0x6B, 0x01, 0xFB],
            level: Structure, max_request: 43, max_count: 1, consent: Some("routed"),
            why_safe: ROUTED,
            source: SEVERAL,
        },
        /// Its name, on a network behind it.
        ReadRoutedObjectName {
            selector: [0x0A, 0x20, 0x00, 0x0C, 0x08, 0x00, 0x4D],
            level: Structure, max_request: 28, max_count: 1, consent: Some("routed"),
            why_safe: ROUTED,
            source: ONE,
        },
        /// Who made it, on a network behind it.
        ReadRoutedVendorName {
            selector: [0x0A, 0x20, 0x00, 0x0C, 0x08, 0x00, 0x79],
            level: Structure, max_request: 28, max_count: 1, consent: Some("routed"),
            why_safe: ROUTED,
            source: ONE,
        },
        /// What it is, on a network behind it.
        ReadRoutedModelName {
            selector: [0x0A, 0x20, 0x00, 0x0C, 0x08, 0x00, 0x46],
            level: Structure, max_request: 28, max_count: 1, consent: Some("routed"),
            why_safe: ROUTED,
            source: ONE,
        },
        /// Its firmware, on a network behind it.
        ReadRoutedFirmwareRevision {
            selector: [0x0A, 0x20, 0x00, 0x0C, 0x08, 0x00, 0x2C],
            level: Structure, max_request: 28, max_count: 1, consent: Some("routed"),
            why_safe: ROUTED,
            source: ONE,
        },
        /// What runs on it, on a network behind it.
        ReadRoutedApplicationSoftware {
            selector: [0x0A, 0x20, 0x00, 0x0C, 0x08, 0x00, 0x0C],
            level: Structure, max_request: 28, max_count: 1, consent: Some("routed"),
            why_safe: ROUTED,
            source: ONE,
        },
        /// Its serial number, on a network behind it.
        ReadRoutedSerialNumber {
            selector: [0x0A, 0x20, 0x00, 0x0C, 0x08, 0x01, 0x74],
            level: Structure, max_request: 29, max_count: 1, consent: Some("routed"),
            why_safe: ROUTED,
            source: ONE,
        },
        /// What it is for, on a network behind it.
        ReadRoutedDescriptionText {
            selector: [0x0A, 0x20, 0x00, 0x0C, 0x08, 0x00, 0x1C],
            level: Structure, max_request: 28, max_count: 1, consent: Some("routed"),
            why_safe: ROUTED,
            source: ONE,
        },
        /// Where it is, on a network behind it.
        ReadRoutedLocation {
            selector: [0x0A, 0x20, 0x00, 0x0C, 0x08, 0x00, 0x3A],
            level: Structure, max_request: 28, max_count: 1, consent: Some("routed"),
            why_safe: ROUTED,
            source: ONE,
        },
        /// Which revision of the standard it follows, on a network behind it.
        ReadRoutedProtocolRevision {
            selector: [0x0A, 0x20, 0x00, 0x0C, 0x08, 0x00, 0x8B],
            level: Structure, max_request: 28, max_count: 1, consent: Some("routed"),
            why_safe: ROUTED,
            source: ONE,
        },
        /// Status, revision and clock of that device, in one answer.
        ReadRoutedState {
            selector: [
                0x0A, 0x20, 0x00, 0x0E, 0x08, 0x00, 0x70, 0x00, 0x9B, 0x00, 0xC4, 0x00, 0xCB,
                0x00, 0x38, 0x00, 0x39],
            level: State, max_request: 40, max_count: 1, consent: Some("routed"),
            why_safe: ROUTED,
            source: SEVERAL,
        },
        /// Whether it works, on a network behind it.
        ReadRoutedSystemStatus {
            selector: [0x0A, 0x20, 0x00, 0x0C, 0x08, 0x00, 0x70],
            level: State, max_request: 28, max_count: 1, consent: Some("routed"),
            why_safe: ROUTED,
            source: ONE,
        },
        /// A number that changes with its configuration, on a network behind it.
        ReadRoutedDatabaseRevision {
            selector: [0x0A, 0x20, 0x00, 0x0C, 0x08, 0x00, 0x9B],
            level: State, max_request: 28, max_count: 1, consent: Some("routed"),
            why_safe: ROUTED,
            source: ONE,
        },
    }
}
