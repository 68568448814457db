//! What a claim can be about.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::canonical;

/// A kind of field: all of them, and their names in JSON.
pub trait Named: Copy + Ord + 'static {
    /// All fields of this kind.
    const ALL: &'static [Self];

    /// The name in JSON.
    fn name(self) -> &'static str;

    /// What is compared when values of this field are: two of which it is the same say the same.
    fn folded(self, value: &str) -> Cow<'_, str> {
        canonical::folded(self.name(), value)
    }

    /// The field with this name.
    fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|field| field.name() == name)
    }
}

macro_rules! fields {
    ($(#[$meta:meta])* $kind:ident { $($(#[$vmeta:meta])* $field:ident = $name:literal,)+ }) => {
        $(#[$meta])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[non_exhaustive]
        pub enum $kind { $($(#[$vmeta])* #[serde(rename = $name)] $field,)+ }

        impl Named for $kind {
            const ALL: &'static [Self] = &[$(Self::$field,)+];

            fn name(self) -> &'static str {
                match self { $(Self::$field => $name,)+ }
            }
        }
    };
}

fields! {
    /// Who and what a device is.
    Field {
        /// Who made it.
        Vendor = "vendor",
        /// What it is called by its maker.
        Model = "model",
        /// What it is ordered by.
        OrderNumber = "order_number",
        /// The number of this very piece.
        SerialNumber = "serial_number",
        /// Version of the hardware.
        HardwareRevision = "hardware_revision",
        /// Version of the firmware.
        Firmware = "firmware",
        /// Version of the boot loader.
        Bootloader = "bootloader",
        /// What it calls itself, or what it is called in the plant.
        DeviceName = "device_name",
        /// Where it is.
        Location = "location",
        /// What it is for.
        Description = "description",
        /// Its place in the plant's own numbering.
        PlantId = "plant_id",
        /// Who answers for it.
        Owner = "owner",
        /// What kind of device it is.
        DeviceClass = "device_class",
        /// What runs on it.
        OperatingSystem = "operating_system",
        /// The maker's product code.
        ProductCode = "product_code",
        /// The maker's product name, where it differs from the model.
        ProductName = "product_name",
        /// The maker's page.
        VendorUrl = "vendor_url",
        /// What the user's program calls itself.
        UserApplication = "user_application",
        /// Whose work it says it is.
        Copyright = "copyright",
        /// The number of the memory card that is plugged in.
        MemoryCard = "memory_card",
        /// The number that its maker has in a registry, as `cip:1`.
        VendorId = "vendor_id",
        /// The number of its kind in a registry, as `cip:14`.
        DeviceType = "device_type",
        /// The name of the hardware in the Common Platform Enumeration 2.3.
        CpeHardware = "cpe_hardware",
        /// The name of the firmware, with its version, in the Common Platform Enumeration 2.3.
        CpeFirmware = "cpe_firmware",
        /// The universally unique identifier of this very piece (RFC 9562).
        DeviceUuid = "device_uuid",
    }
}

fields! {
    /// How a device is at the moment.
    StateField {
        /// Run, Stop, Program, Fault.
        OperatingMode = "operating_mode",
        /// The same as the device codes it.
        OperatingModeRaw = "operating_mode_raw",
        /// The run indicator of Modbus Report Server ID: on or off.
        RunIndicator = "run_indicator",
        /// Position of the key switch.
        KeySwitch = "key_switch",
        /// Level of protection.
        ProtectionLevel = "protection_level",
        /// Health bits, in words.
        Health = "health",
        /// What its clock says.
        Clock = "clock",
        /// Name of the user's project.
        ProjectName = "project_name",
        /// Revision of the user's project.
        ProjectRevision = "project_revision",
        /// When the user's project was last changed, by the clock of the tool that did it.
        ProjectChanged = "project_changed",
        /// Changes when the program or its configuration does.
        ChangeDigest = "change_digest",
        /// Changes when the configuration does, where the device tells it apart from the program.
        ConfigurationDigest = "configuration_digest",
        /// Why it last started.
        RestartReason = "restart_reason",
        /// When it last started, by its own clock.
        RestartTime = "restart_time",
    }
}

fields! {
    /// What an interface says of itself.
    InterfaceField {
        /// Hardware address.
        Mac = "mac",
        /// IP address.
        Ip = "ip",
        /// Network mask.
        Mask = "mask",
        /// Default gateway.
        Gateway = "gateway",
        /// Host name.
        HostName = "host_name",
        /// Megabits per second, and whether both ends send at once.
        Speed = "speed",
        /// To whom its hardware address was given.
        Maker = "maker",
    }
}

fields! {
    /// How a device speaks a protocol.
    ServiceField {
        /// A variant of the protocol.
        Dialect = "dialect",
        /// How much of the protocol it says it knows.
        Conformity = "conformity",
        /// The unit, slot or address that it answers for itself.
        Unit = "unit",
        /// Limits that it states.
        Limits = "limits",
        /// Objects that it has.
        Objects = "objects",
        /// Ports that lead on from it, such as to a backplane.
        Ports = "ports",
        /// What an operator should know.
        Note = "note",
    }
}
