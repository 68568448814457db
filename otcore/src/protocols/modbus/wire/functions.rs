//! Everything that may be asked over Modbus, and why it changes nothing.

use crate::safety::{never, read_only};

const DEVICE_ID: &str =
    "Modbus Application Protocol V1.1b3, 6.21 Read Device Identification (43/14)";
const SERVER_ID: &str = "Modbus Application Protocol V1.1b3, 6.13 Report Server ID (17)";
const UMAS: &str = "observed: the first questions a programming tool asks a Modicon controller, \
     answered without a session (capture of a 140 CPU 311 10)";
const SUNSPEC: &str = "Modbus Application Protocol V1.1b3, 6.3 Read Holding Registers (03); \
     SunSpec Information Model Specification, map base and common model (model 1)";

const STREAM: &str = "reads the identification objects, which are constants; the server keeps no \
     state between pages";
const UNRESERVED: &str = "a read with pairing key 00: no session is opened and no reservation is \
     taken, so nobody is locked out";
const MARKER: &str = "two registers which SunSpec reserves for its marker; a device without \
     SunSpec answers with whatever it holds there or refuses";
const COMMON: &str = "asked only where the marker was read: the common model holds constants such \
     as manufacturer, model and serial number";

read_only! {
    never never::MODBUS;
    /// Everything that may be asked over Modbus.
    pub enum Function {
        /// Read Device Identification, basic stream: objects 0 to 2.
        ReadDeviceIdBasic {
            selector: [0x2B, 0x0E, 0x01],
            level: Detect,
            max_request: 11,
            max_count: 9,
            consent: None,
            why_safe: STREAM,
            source: DEVICE_ID,
        },
        /// Read Device Identification, regular stream: objects up to 0x7F.
        ReadDeviceIdRegular {
            selector: [0x2B, 0x0E, 0x02],
            level: Identify,
            max_request: 11,
            max_count: 10,
            consent: None,
            why_safe: STREAM,
            source: DEVICE_ID,
        },
        /// Read Device Identification, extended stream: objects up to 0xFF.
        ReadDeviceIdExtended {
            selector: [0x2B, 0x0E, 0x03],
            level: Identify,
            max_request: 11,
            max_count: 10,
            consent: None,
            why_safe: STREAM,
            source: DEVICE_ID,
        },
        /// Read Device Identification, one object.
        ReadDeviceIdIndividual {
            selector: [0x2B, 0x0E, 0x04],
            level: Identify,
            max_request: 11,
            max_count: 5,
            consent: None,
            why_safe: "reads one identification object, which is a constant",
            source: DEVICE_ID,
        },
        /// Report Server ID.
        ReportServerId {
            selector: [0x11],
            level: Identify,
            max_request: 8,
            max_count: 1,
            consent: None,
            why_safe: "reads the type of the server and its run indicator; takes no operand",
            source: SERVER_ID,
        },
        /// UMAS READ_ID: which controller this is.
        UmasReadId {
            selector: [0x5A, 0x00, 0x02],
            level: Identify,
            max_request: 10,
            max_count: 1,
            consent: Some("umas"),
            why_safe: UNRESERVED,
            source: UMAS,
        },
        /// UMAS READ_PROJECT_INFO: name, revision and last change of the project.
        UmasReadProjectInfo {
            selector: [0x5A, 0x00, 0x03, 0x00],
            level: Identify,
            max_request: 11,
            max_count: 1,
            consent: Some("umas"),
            why_safe: UNRESERVED,
            source: UMAS,
        },
        /// The SunSpec marker at register 40000.
        SunSpecMarker40000 {
            selector: [0x03, 0x9C, 0x40, 0x00, 0x02],
            level: Identify,
            max_request: 12,
            max_count: 1,
            consent: Some("sunspec"),
            why_safe: MARKER,
            source: SUNSPEC,
        },
        /// The SunSpec marker at register 50000.
        SunSpecMarker50000 {
            selector: [0x03, 0xC3, 0x50, 0x00, 0x02],
            level: Identify,
            max_request: 12,
            max_count: 1,
            consent: Some("sunspec"),
            why_safe: MARKER,
            source: SUNSPEC,
        },
        /// The SunSpec marker at register 0.
        SunSpecMarker0 {
            selector: [0x03, 0x00, 0x00, 0x00, 0x02],
            level: Identify,
            max_request: 12,
            max_count: 1,
            consent: Some("sunspec"),
            why_safe: MARKER,
            source: SUNSPEC,
        },
        /// The SunSpec common model of a map at register 40000.
        SunSpecCommon40000 {
            selector: [0x03, 0x9C, 0x42, 0x00, 0x44],
            level: Identify,
            max_request: 12,
            max_count: 1,
            consent: Some("sunspec"),
            why_safe: COMMON,
            source: SUNSPEC,
        },
        /// The SunSpec common model of a map at register 50000.
        SunSpecCommon50000 {
            selector: [0x03, 0xC3, 0x52, 0x00, 0x44],
            level: Identify,
            max_request: 12,
            max_count: 1,
            consent: Some("sunspec"),
            why_safe: COMMON,
            source: SUNSPEC,
        },
        /// The SunSpec common model of a map at register 0.
        SunSpecCommon0 {
            selector: [0x03, 0x00, 0x02, 0x00, 0x44],
            level: Identify,
            max_request: 12,
            max_count: 1,
            consent: Some("sunspec"),
            why_safe: COMMON,
            source: SUNSPEC,
        },
    }
}
