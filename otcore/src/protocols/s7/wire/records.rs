//! What the records of the system status lists hold.
//!
//! Every decoder takes one record without trusting its length: `None` if it is too short to say
//! anything.

use crate::wire::{Reader, WireError};

/// A record of list 0x0011.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleIdentification {
    /// What is identified, see [`ModuleIdentification::MODULE`] and the others.
    pub index: u16,
    /// Order number, padded with blanks.
    pub order_number: Vec<u8>,
    /// In records of the full length only: shorter ones do not say which bytes they left out.
    version: Option<[u8; 4]>,
}

impl ModuleIdentification {
    /// The module itself.
    pub const MODULE: u16 = 0x0001;
    /// Its basic hardware.
    pub const HARDWARE: u16 = 0x0006;
    /// Its firmware.
    pub const FIRMWARE: u16 = 0x0007;
    /// What loads its firmware: not the firmware.
    pub const BOOT_LOADER: u16 = 0x0081;

    /// Decode one record.
    #[must_use]
    pub fn read(record: &[u8]) -> Option<Self> {
        whole(record, |r| {
            let index = r.u16_be("index")?;
            let order_number = r.take(20, "order number")?.to_vec();
            let version = r.take(2, "module type").and_then(|_| r.array("version")).ok();
            Ok(Self { index, order_number, version })
        })
    }

    /// `V3.2.6` for a letter and three numbers; `None` where no letter is in front, as in records
    /// of hardware.
    #[must_use]
    pub fn version(&self) -> Option<String> {
        let [letter, major, minor, patch] = self.version?;
        let letter = char::from(letter);
        letter.is_ascii_uppercase().then(|| format!("{letter}{major}.{minor}.{patch}"))
    }

    /// The number of the hardware version; `None` if it is not given.
    #[must_use]
    pub fn hardware_version(&self) -> Option<u16> {
        let [high, low, ..] = self.version?;
        Some(u16::from_be_bytes([high, low])).filter(|version| *version != 0)
    }
}

/// A record of list 0x001C.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Component {
    /// What the user calls the automation system.
    SystemName(Vec<u8>),
    /// What the user calls the module.
    ModuleName(Vec<u8>),
    /// Its place in the plant's own numbering.
    PlantId(Vec<u8>),
    /// Whose work it is.
    Copyright(Vec<u8>),
    /// The number of this very piece.
    SerialNumber(Vec<u8>),
    /// What its maker calls it.
    ModuleType(Vec<u8>),
    /// The number of the memory card.
    MemoryCard(Vec<u8>),
    /// The number of the maker, as in identification and maintenance records.
    Manufacturer(u16),
    /// Where it is.
    Location(Vec<u8>),
}

impl Component {
    /// Decode one record. Systems with two controllers set upper bits of the index.
    #[must_use]
    pub fn read(record: &[u8]) -> Option<Self> {
        whole(record, |r| {
            let index = r.u16_be("index")? & 0x00FF;
            let mut text = |length| r.take(length, "text").map(<[u8]>::to_vec);
            Ok(Some(match index {
                0x01 => Self::SystemName(text(24)?),
                0x02 => Self::ModuleName(text(24)?),
                0x03 => Self::PlantId(text(32)?),
                0x04 => Self::Copyright(text(26)?),
                0x05 => Self::SerialNumber(text(24)?),
                0x07 => Self::ModuleType(text(32)?),
                0x08 => Self::MemoryCard(text(32)?),
                0x09 => Self::Manufacturer(r.u16_be("manufacturer")?),
                0x0B => Self::Location(text(32)?),
                _ => return Ok(None),
            }))
        })?
    }
}

/// List 0x0131, index 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommunicationLimits {
    /// The longest message in bytes.
    pub pdu: u16,
    /// How many connections there can be.
    pub connections: u16,
}

impl CommunicationLimits {
    /// Decode the record.
    #[must_use]
    pub fn read(record: &[u8]) -> Option<Self> {
        whole(record, |r| {
            r.take(2, "index")?;
            Ok(Self { pdu: r.u16_be("pdu size")?, connections: r.u16_be("connections")? })
        })
    }
}

/// List 0x0232 or 0x0132, index 4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protection {
    /// The level that holds: 1 none, 2 no writing, 3 neither reading nor writing.
    pub level: u16,
    switch: u16,
    checksums: [u8; 8],
}

impl Protection {
    /// Decode the record.
    #[must_use]
    pub fn read(record: &[u8]) -> Option<Self> {
        whole(record, |r| {
            r.take(6, "index, level of the switch, level of the parameters")?;
            let level = r.u16_be("level")?;
            let switch = r.u16_be("mode switch")?;
            r.take(6, "start-up switch, validity")?;
            Ok(Self { level, switch, checksums: r.array("checksums")? })
        })
    }

    /// Where the mode switch stands; `None` if that is not known.
    #[must_use]
    pub fn switch(&self) -> Option<&'static str> {
        match self.switch {
            1 => Some("RUN"),
            2 => Some("RUN-P"),
            3 => Some("STOP"),
            4 => Some("MRES"),
            _ => None,
        }
    }

    /// Checksums of hardware configuration and program; `None` if there are none.
    #[must_use]
    pub fn checksums(&self) -> Option<[u8; 8]> {
        Some(self.checksums).filter(|checksums| checksums.iter().any(|byte| *byte != 0))
    }
}

/// List 0x0424.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperatingMode {
    /// The mode in the low half, the one before in the high half.
    pub raw: u8,
}

impl OperatingMode {
    /// Decode the record.
    #[must_use]
    pub fn read(record: &[u8]) -> Option<Self> {
        whole(record, |r| {
            r.take(3, "event")?;
            Ok(Self { raw: r.u8("mode")? })
        })
    }

    /// The mode now. Only the low half says it: 0x84 is "stop, and before that it ran".
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.raw & 0x0F {
            0x1..=0x4 => "Stop",
            0x5..=0x7 => "Startup",
            0x8 | 0x9 => "Run",
            0xA => "Hold",
            0xB => "Link-up",
            0xC => "Update",
            0xD => "Fault",
            0xE => "Self-test",
            0xF => "No power",
            _ => "Unknown",
        }
    }
}

/// A record of list 0x0037.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interface {
    /// By which the program knows it.
    pub logical_address: u16,
    /// IP address; zeros if it has none.
    pub ip: [u8; 4],
    /// Network mask.
    pub mask: [u8; 4],
    /// Default gateway; its own address if it has none.
    pub gateway: [u8; 4],
    /// Hardware address.
    pub mac: [u8; 6],
}

impl Interface {
    /// Decode one record.
    #[must_use]
    pub fn read(record: &[u8]) -> Option<Self> {
        whole(record, |r| {
            Ok(Self {
                logical_address: r.u16_be("logical address")?,
                ip: r.array("ip address")?,
                mask: r.array("mask")?,
                gateway: r.array("gateway")?,
                mac: r.array("mac address")?,
            })
        })
    }
}

/// A record of list 0x0091 or 0x0D91.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModuleStatus {
    /// Rack, or a station of a fieldbus if the high byte is set.
    pub station: u16,
    /// Slot.
    pub slot: u8,
    /// Submodule; 0 is the module itself.
    pub submodule: u8,
    /// The type that the configuration expects; 0 if it expects none.
    pub expected: u16,
    /// The type that is plugged in.
    pub actual: u16,
    status: u16,
}

impl ModuleStatus {
    const ERROR: u16 = 0x01;
    const EXISTS: u16 = 0x02;
    const NOT_AVAILABLE: u16 = 0x04;
    const DISABLED: u16 = 0x08;
    const STATION_ERROR: u16 = 0x10;

    /// Decode one record.
    #[must_use]
    pub fn read(record: &[u8]) -> Option<Self> {
        whole(record, |r| {
            let station = r.u16_be("station")?;
            let (slot, submodule) = (r.u8("slot")?, r.u8("submodule")?);
            r.take(2, "logical address")?;
            let (expected, actual) = (r.u16_be("expected type")?, r.u16_be("actual type")?);
            r.take(2, "reserved")?;
            let status = r.u16_be("status")?;
            Ok(Self { station, slot, submodule, expected, actual, status })
        })
    }

    /// Whether it is a module that is there, in a rack of the controller itself.
    #[must_use]
    pub const fn is_in_rack(self) -> bool {
        self.station < 0x0100 && self.submodule == 0 && self.status & Self::EXISTS != 0
    }

    /// How it is, in words.
    #[must_use]
    pub fn health(self) -> String {
        let words = [
            (Self::ERROR, "error"),
            (Self::NOT_AVAILABLE, "not available"),
            (Self::DISABLED, "disabled"),
            (Self::STATION_ERROR, "station error"),
        ];
        let mut wrong: Vec<&str> = { words.iter() }
            .filter(|(bit, _)| self.status & bit != 0)
            .map(|(_, word)| *word)
            .collect();
        if self.expected != 0 && self.expected != self.actual {
            wrong.push("not the module that was configured");
        }
        if wrong.is_empty() { "ok".to_owned() } else { wrong.join(", ") }
    }
}

/// A record of list 0x0074.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Led {
    id: u16,
    /// Whether it is on.
    pub on: bool,
    /// Whether it flashes.
    pub flashes: bool,
}

impl Led {
    /// Decode one record.
    #[must_use]
    pub fn read(record: &[u8]) -> Option<Self> {
        whole(record, |r| {
            let id = r.u16_be("led")?;
            Ok(Self { id, on: r.u8("on")? != 0, flashes: r.u8("flashing")? != 0 })
        })
    }

    /// The name of a light that says that something is wrong, or that it is being meddled with;
    /// `None` for others. The high byte of the number is the rack or controller.
    #[must_use]
    pub const fn fault(self) -> Option<&'static str> {
        match self.id & 0x00FF {
            0x01 => Some("SF"),
            0x06 => Some("FRCE"),
            0x0B => Some("BUS1F"),
            0x0C => Some("BUS2F"),
            0x15 => Some("MAINT"),
            _ => None,
        }
    }
}

fn whole<T>(
    record: &[u8],
    read: impl FnOnce(&mut Reader<'_>) -> Result<T, WireError>,
) -> Option<T> {
    read(&mut Reader::new(record)).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn module(version: [u8; 4]) -> ModuleIdentification {
        ModuleIdentification { index: 7, order_number: Vec::new(), version: Some(version) }
    }

    #[test]
    fn a_short_record_says_its_order_number_and_no_version() {
        // A server in Python leaves out two bytes of each record.
        let record = [&[0, 1][..], b"6ES7 315-2EH14-0AB0\0", &[0, 3, 3, 0]].concat();
        let module = ModuleIdentification::read(&record).unwrap();
        assert_eq!(module.order_number, b"6ES7 315-2EH14-0AB0\0");
        assert_eq!((module.version(), module.hardware_version()), (None, None));
    }

    #[test]
    fn a_version_is_a_letter_and_three_numbers() {
        assert_eq!(module([b'V', 3, 2, 6]).version().as_deref(), Some("V3.2.6"));
        assert_eq!(module([b'A', 0x20, 9, 9]).version().as_deref(), Some("A32.9.9"));
        assert_eq!(module([0, 3, 0, 1]).version(), None);
        assert_eq!(module([0, 3, 0, 1]).hardware_version(), Some(3));
        assert_eq!(module([0, 0, 0, 0]).hardware_version(), None);
    }

    #[test]
    fn a_stop_after_running_is_a_stop() {
        assert_eq!(OperatingMode { raw: 0x84 }.name(), "Stop");
        assert_eq!(OperatingMode { raw: 0x48 }.name(), "Run");
        assert_eq!(OperatingMode { raw: 0x0D }.name(), "Fault");
        assert_eq!(OperatingMode { raw: 0x00 }.name(), "Unknown");
    }

    #[test]
    fn the_second_controller_of_a_redundant_system_has_names_too() {
        let mut record = vec![0x80, 0x01];
        record.extend([b'H'; 24]);
        assert_eq!(Component::read(&record), Some(Component::SystemName(vec![b'H'; 24])));
    }

    #[test]
    fn a_module_that_is_not_the_configured_one_says_so() {
        let record = [0, 0, 4, 0, 0, 0, 0, 0xC0, 0, 0xC4, 0, 0, 0xB4, 0x03, 0, 0x11];
        let status = ModuleStatus::read(&record).unwrap();
        assert!(status.is_in_rack());
        assert_eq!(status.health(), "error, not the module that was configured");
    }

    #[test]
    fn a_station_on_a_fieldbus_is_no_module_of_the_rack() {
        let record = [1, 3, 4, 0, 0, 0, 0, 0xC0, 0, 0xC4, 0, 0, 0xB4, 0x02, 0, 0x11];
        assert!(!ModuleStatus::read(&record).unwrap().is_in_rack());
    }

    proptest! {
        #[test]
        fn any_record_is_read_or_says_nothing(record: Vec<u8>) {
            let _ = ModuleIdentification::read(&record).map(|r| (r.version(), r.hardware_version()));
            let _ = Component::read(&record);
            let _ = CommunicationLimits::read(&record);
            let _ = Protection::read(&record).map(|r| (r.switch(), r.checksums()));
            let _ = OperatingMode::read(&record).map(OperatingMode::name);
            let _ = Interface::read(&record);
            let _ = ModuleStatus::read(&record).map(|r| (r.is_in_rack(), r.health()));
            let _ = Led::read(&record).map(Led::fault);
        }
    }
}
