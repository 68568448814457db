//! Everything that may be asked over DNP3, and why it changes nothing.

use crate::safety::{never, read_only};

const LINK: &str = "IEEE 1815-2012, 9.2.6 Request Link Status (9), answered by Link Status (11)";
const ATTRIBUTES: &str = "IEEE 1815-2012, annex A.1 Device attributes (group 0), 4.4.2 Read (1)";

const STATUS: &str = "asks one link address whether it is there; the standard sends it as a \
     keep-alive, and it touches neither counters nor the state of the link";
const CONSTANT: &str = "reads a description of the device: no point, no event and no class is \
     touched, so there is nothing to confirm and nothing is taken from a master";

read_only! {
    never never::DNP3;
    /// Everything that may be asked over DNP3.
    pub enum Function {
        /// Request Link Status: whether somebody has a link address.
        RequestLinkStatus {
            selector: [0x09],
            level: Detect,
            max_request: 10,
            max_count: 4,
            consent: None,
            why_safe: STATUS,
            source: LINK,
        },
        /// Device attributes: which ones it has.
        ReadAttributeList {
            selector: [0x04, 0x01, 0x00, 255, 0x00],
            level: Identify,
            max_request: 20,
            max_count: 1,
            consent: None,
            why_safe: CONSTANT,
            source: ATTRIBUTES,
        },
        /// Device attributes: all of them.
        ReadAllAttributes {
            selector: [0x04, 0x01, 0x00, 254, 0x00],
            level: Identify,
            max_request: 20,
            max_count: 1,
            consent: None,
            why_safe: CONSTANT,
            source: ATTRIBUTES,
        },
        /// Device attributes: the name of its maker.
        ReadManufacturer {
            selector: [0x04, 0x01, 0x00, 252, 0x00],
            level: Identify,
            max_request: 20,
            max_count: 1,
            consent: None,
            why_safe: CONSTANT,
            source: ATTRIBUTES,
        },
        /// Device attributes: its product name and model.
        ReadProductName {
            selector: [0x04, 0x01, 0x00, 250, 0x00],
            level: Identify,
            max_request: 20,
            max_count: 1,
            consent: None,
            why_safe: CONSTANT,
            source: ATTRIBUTES,
        },
        /// Device attributes: its serial number.
        ReadSerialNumber {
            selector: [0x04, 0x01, 0x00, 248, 0x00],
            level: Identify,
            max_request: 20,
            max_count: 1,
            consent: None,
            why_safe: CONSTANT,
            source: ATTRIBUTES,
        },
        /// Device attributes: the version of its software.
        ReadSoftwareVersion {
            selector: [0x04, 0x01, 0x00, 242, 0x00],
            level: Identify,
            max_request: 20,
            max_count: 1,
            consent: None,
            why_safe: CONSTANT,
            source: ATTRIBUTES,
        },
        /// Device attributes: the version of its hardware.
        ReadHardwareVersion {
            selector: [0x04, 0x01, 0x00, 243, 0x00],
            level: Identify,
            max_request: 20,
            max_count: 1,
            consent: None,
            why_safe: CONSTANT,
            source: ATTRIBUTES,
        },
        /// Device attributes: the name that its user gave it.
        ReadDeviceName {
            selector: [0x04, 0x01, 0x00, 247, 0x00],
            level: Identify,
            max_request: 20,
            max_count: 1,
            consent: None,
            why_safe: CONSTANT,
            source: ATTRIBUTES,
        },
        /// Device attributes: where its user says it is.
        ReadLocation {
            selector: [0x04, 0x01, 0x00, 245, 0x00],
            level: Identify,
            max_request: 20,
            max_count: 1,
            consent: None,
            why_safe: CONSTANT,
            source: ATTRIBUTES,
        },
        /// Device attributes: the id that its user gave it.
        ReadPlantId {
            selector: [0x04, 0x01, 0x00, 246, 0x00],
            level: Identify,
            max_request: 20,
            max_count: 1,
            consent: None,
            why_safe: CONSTANT,
            source: ATTRIBUTES,
        },
        /// Device attributes: who its user says owns it.
        ReadOwner {
            selector: [0x04, 0x01, 0x00, 244, 0x00],
            level: Identify,
            max_request: 20,
            max_count: 1,
            consent: None,
            why_safe: CONSTANT,
            source: ATTRIBUTES,
        },
        /// Device attributes: the subset of DNP3 that it knows.
        ReadConformance {
            selector: [0x04, 0x01, 0x00, 249, 0x00],
            level: Identify,
            max_request: 20,
            max_count: 1,
            consent: None,
            why_safe: CONSTANT,
            source: ATTRIBUTES,
        },
        /// Device attributes: the version of secure authentication that it knows.
        ReadSecureAuthentication {
            selector: [0x04, 0x01, 0x00, 209, 0x00],
            level: Identify,
            max_request: 20,
            max_count: 1,
            consent: None,
            why_safe: CONSTANT,
            source: ATTRIBUTES,
        },
        /// Device attributes: the id of its configuration.
        ReadConfigurationId {
            selector: [0x04, 0x01, 0x00, 196, 0x00],
            level: Identify,
            max_request: 20,
            max_count: 1,
            consent: None,
            why_safe: CONSTANT,
            source: ATTRIBUTES,
        },
        /// Device attributes: the version of its configuration.
        ReadConfigurationVersion {
            selector: [0x04, 0x01, 0x00, 197, 0x00],
            level: Identify,
            max_request: 20,
            max_count: 1,
            consent: None,
            why_safe: CONSTANT,
            source: ATTRIBUTES,
        },
        /// Device attributes: when its configuration was last changed.
        ReadConfigurationChanged {
            selector: [0x04, 0x01, 0x00, 199, 0x00],
            level: Identify,
            max_request: 20,
            max_count: 1,
            consent: None,
            why_safe: CONSTANT,
            source: ATTRIBUTES,
        },
        /// Device attributes: when its configuration was built.
        ReadConfigurationBuilt {
            selector: [0x04, 0x01, 0x00, 198, 0x00],
            level: Identify,
            max_request: 20,
            max_count: 1,
            consent: None,
            why_safe: CONSTANT,
            source: ATTRIBUTES,
        },
        /// Device attributes: the signature of its configuration.
        ReadConfigurationDigest {
            selector: [0x04, 0x01, 0x00, 200, 0x00],
            level: Identify,
            max_request: 20,
            max_count: 1,
            consent: None,
            why_safe: CONSTANT,
            source: ATTRIBUTES,
        },
        /// Device attributes: the name of the system it belongs to.
        ReadSystemName {
            selector: [0x04, 0x01, 0x00, 208, 0x00],
            level: Identify,
            max_request: 20,
            max_count: 1,
            consent: None,
            why_safe: CONSTANT,
            source: ATTRIBUTES,
        },
        /// Device attributes: who operates it.
        ReadOperator {
            selector: [0x04, 0x01, 0x00, 207, 0x00],
            level: Identify,
            max_request: 20,
            max_count: 1,
            consent: None,
            why_safe: CONSTANT,
            source: ATTRIBUTES,
        },
    }
}

impl Function {
    /// Reads of a single attribute, each with its variation, most useful first.
    pub(in crate::protocols::dnp3) const SINGLE: [(u8, Self); 18] = [
        (252, Self::ReadManufacturer),
        (250, Self::ReadProductName),
        (248, Self::ReadSerialNumber),
        (242, Self::ReadSoftwareVersion),
        (243, Self::ReadHardwareVersion),
        (247, Self::ReadDeviceName),
        (245, Self::ReadLocation),
        (246, Self::ReadPlantId),
        (244, Self::ReadOwner),
        (249, Self::ReadConformance),
        (209, Self::ReadSecureAuthentication),
        (196, Self::ReadConfigurationId),
        (197, Self::ReadConfigurationVersion),
        (199, Self::ReadConfigurationChanged),
        (198, Self::ReadConfigurationBuilt),
        (200, Self::ReadConfigurationDigest),
        (208, Self::ReadSystemName),
        (207, Self::ReadOperator),
    ];
}
