//! What changes a device, per protocol.
//!
//! Data for the compile-time check in [`read_only!`](super::read_only) and for the tripwire of the
//! simulators. A row is the beginning of a selector: whatever starts with it is forbidden.
//! [`ANY`] stands for any one byte.

/// Any one byte in a row.
pub const ANY: u16 = 0x100;

/// Rows of forbidden selector beginnings.
pub type Never = &'static [&'static [u16]];

/// Modbus: writes, diagnostics that restart, silence or clear, device-state reads that consume,
/// and programming through UMAS. Source: Modbus Application Protocol V1.1b3, clause 6; UMAS as
/// observed on Modicon controllers.
pub const MODBUS: Never = &[
    &[0x05],            // Write Single Coil
    &[0x06],            // Write Single Register
    &[0x07],            // Read Exception Status: serial only; some servers drop the connection
    &[0x08],            // Diagnostics: 01 restarts, 04 silences, 0A and 14 clear counters
    &[0x0B],            // Get Comm Event Counter: serial only
    &[0x0C],            // Get Comm Event Log: stateful per client on some relays
    &[0x0F],            // Write Multiple Coils
    &[0x10],            // Write Multiple Registers
    &[0x14],            // Read File Record
    &[0x15],            // Write File Record
    &[0x16],            // Mask Write Register
    &[0x17],            // Read/Write Multiple Registers
    &[0x18],            // Read FIFO Queue
    &[0x28],            // Program (Concept)
    &[0x2B, 0x0D],      // CANopen General Reference
    &[0x5A, ANY, 0x01], // UMAS INIT_COMM: takes a session slot
    &[0x5A, ANY, 0x10], // UMAS TAKE_PLC_RESERVATION
    &[0x5A, ANY, 0x11], // UMAS RELEASE_PLC_RESERVATION
    &[0x5A, ANY, 0x12], // UMAS KEEP_ALIVE
    &[0x5A, ANY, 0x20], // UMAS READ_MEMORY_BLOCK: project memory
    &[0x5A, ANY, 0x23], // UMAS WRITE_VARIABLES
    &[0x5A, ANY, 0x25], // UMAS WRITE_COILS_REGISTERS
    &[0x5A, ANY, 0x30], // UMAS INITIALIZE_UPLOAD
    &[0x5A, ANY, 0x31], // UMAS UPLOAD_BLOCK
    &[0x5A, ANY, 0x32], // UMAS END_UPLOAD
    &[0x5A, ANY, 0x33], // UMAS INITIALIZE_DOWNLOAD
    &[0x5A, ANY, 0x34], // UMAS DOWNLOAD_BLOCK
    &[0x5A, ANY, 0x35], // UMAS END_DOWNLOAD
    &[0x5A, ANY, 0x40], // UMAS START_PLC
    &[0x5A, ANY, 0x41], // UMAS STOP_PLC
    &[0x5A, ANY, 0x71], // UMAS WRITE_IO_OBJECT
    &[0x7D],            // firmware
    &[0x7E],            // program
];

/// S7 over ISO-on-TCP: jobs and functions that write, stop, load, log on or subscribe, and the
/// goodbye that some interfaces do not survive. A selector begins with the kind of the COTP message
/// (E0 connect, 80 disconnect), or with the kind of the S7 message: 01 a job and its function; 07
/// user data, its method (11 a question, 12 its continuation), kind and group, and subfunction.
/// Source: function codes and groups as the public documentation of S7comm lists them; for the
/// disconnect CVE-2025-40944.
pub const S7: Never = &[
    &[0x80],            // COTP disconnect request: some interfaces need a power cycle after it
    &[0x01, 0x04],      // Read Var: process data
    &[0x01, 0x05],      // Write Var
    &[0x01, 0x1A],      // Request Download
    &[0x01, 0x1B],      // Download Block
    &[0x01, 0x1C],      // Download Ended
    &[0x01, 0x1D],      // Start Upload: holds an upload slot
    &[0x01, 0x1E],      // Upload
    &[0x01, 0x1F],      // End Upload
    &[0x01, 0x28],      // PLC control: start, compress, activate blocks
    &[0x01, 0x29],      // PLC stop
    &[0x02],            // acknowledgements are the device's to send
    &[0x03],            // the same, with data
    &[0x07, ANY, 0x40], // mode transition
    &[0x07, ANY, 0x41], // programmer commands: force, memory reset, flash LED
    &[0x07, ANY, 0x42], // cyclic data: a subscription
    &[0x07, ANY, 0x43], // block functions: the program
    &[0x07, ANY, 0x44, 0x02], // message service: a subscription
    &[0x07, ANY, 0x44, 0x03], // diagnostic message, stop
    &[0x07, ANY, 0x44, 0x0B], // alarms: acknowledge
    &[0x07, ANY, 0x44, 0x0E], // alarms: lock and unlock
    &[0x07, ANY, 0x45], // security: a wrong password may lock out
    &[0x07, ANY, 0x46], // programmable block send and receive
    &[0x07, ANY, 0x47], // time: one of its functions sets the clock
    &[0x07, ANY, 0x4F], // NC programming
    &[0x72],            // S7comm-plus: even reading creates a session object first
];

/// EtherNet/IP: connected messages, and services that write, reset, start, stop, create, clear or
/// connect, of the device itself and of a module that Unconnected Send leads to. A selector begins
/// with the command of the encapsulation; in 6F (SendRRData) follow service, class, instance and
/// attributes, and after 52.06.01 (Unconnected Send) those of the request inside.
/// Source: ODVA, The CIP Networks Library, volume 1, appendix A; for services above 32, whose meaning
/// belongs to the class, everything but reading that any class is known to mean by them.
pub const ENIP: Never = &[
    &[0x70],            // SendUnitData: connected messages
    &[0xC8],            // StartDTLS
    &[0x6F, ANY, 0x37], // File: its upload holds a session
    &[0x6F, 0x02],      // Set_Attributes_All
    &[0x6F, 0x04],      // Set_Attribute_List
    &[0x6F, 0x05],      // Reset
    &[0x6F, 0x06],      // Start
    &[0x6F, 0x07],      // Stop
    &[0x6F, 0x08],      // Create
    &[0x6F, 0x09],      // Delete
    &[0x6F, 0x0A],      // Multiple_Service_Packet: hides others
    &[0x6F, 0x0D],      // Apply_Attributes
    &[0x6F, 0x10],      // Set_Attribute_Single
    &[0x6F, 0x15],      // Restore
    &[0x6F, 0x16],      // Save
    &[0x6F, 0x19],      // Insert_Member
    &[0x6F, 0x1A],      // Remove_Member
    &[0x6F, 0x1B],      // Group_Sync
    &[0x6F, 0x4B],      // Execute PCCC, upload, flash: what it is depends on the class
    &[0x6F, 0x4C],      // Get_and_Clear, Read Tag: what it is depends on the class
    &[0x6F, 0x4D],      // Write Tag
    &[0x6F, 0x4E],      // Forward_Close, Read-Modify-Write
    &[0x6F, 0x4F],      // downloads
    &[0x6F, 0x50],      // downloads
    &[0x6F, 0x51],      // downloads
    &[0x6F, 0x53],      // Write Tag Fragmented
    &[0x6F, 0x54],      // Forward_Open: takes a connection
    &[0x6F, 0x55],      // symbol walks
    &[0x6F, 0x5B],      // Large_Forward_Open: takes a connection
    &[0x6F, 0x52, 0x06, 0x01, 0x02],
    &[0x6F, 0x52, 0x06, 0x01, 0x04],
    &[0x6F, 0x52, 0x06, 0x01, 0x05],
    &[0x6F, 0x52, 0x06, 0x01, 0x06],
    &[0x6F, 0x52, 0x06, 0x01, 0x07],
    &[0x6F, 0x52, 0x06, 0x01, 0x08],
    &[0x6F, 0x52, 0x06, 0x01, 0x09],
    &[0x6F, 0x52, 0x06, 0x01, 0x0A],
    &[0x6F, 0x52, 0x06, 0x01, 0x0D],
    &[0x6F, 0x52, 0x06, 0x01, 0x10],
    &[0x6F, 0x52, 0x06, 0x01, 0x15],
    &[0x6F, 0x52, 0x06, 0x01, 0x16],
    &[0x6F, 0x52, 0x06, 0x01, 0x19],
    &[0x6F, 0x52, 0x06, 0x01, 0x1A],
    &[0x6F, 0x52, 0x06, 0x01, 0x1B],
    &[0x6F, 0x52, 0x06, 0x01, 0x4B],
    &[0x6F, 0x52, 0x06, 0x01, 0x4C],
    &[0x6F, 0x52, 0x06, 0x01, 0x4D],
    &[0x6F, 0x52, 0x06, 0x01, 0x4E],
    &[0x6F, 0x52, 0x06, 0x01, 0x4F],
    &[0x6F, 0x52, 0x06, 0x01, 0x50],
    &[0x6F, 0x52, 0x06, 0x01, 0x51],
    &[0x6F, 0x52, 0x06, 0x01, 0x53],
    &[0x6F, 0x52, 0x06, 0x01, 0x54],
    &[0x6F, 0x52, 0x06, 0x01, 0x55],
    &[0x6F, 0x52, 0x06, 0x01, 0x5B],
    &[0x6F, 0x52, 0x06, 0x01, 0x52], // through a module into a further network
    &[0x6F, 0x52, 0x06, 0x01, ANY, 0x37],
];

/// The table of every protocol.
pub const ALL: &[(&str, Never)] = &[("modbus", MODBUS), ("s7", S7), ("enip", ENIP)];

/// What changes a device, in this protocol; `None` if no table was written for it.
#[must_use]
pub fn of(protocol: &str) -> Option<Never> {
    ALL.iter().find(|(name, _)| *name == protocol).map(|(_, never)| *never)
}

/// Whether `selector` begins with a row of `never`.
#[must_use]
#[allow(clippy::indexing_slicing)] // const fn: no iterators here
pub const fn lists(never: Never, selector: &[u8]) -> bool {
    let mut row = 0;
    while row < never.len() {
        if begins(selector, never[row]) {
            return true;
        }
        row += 1;
    }
    false
}

#[allow(clippy::indexing_slicing)]
const fn begins(selector: &[u8], row: &[u16]) -> bool {
    if selector.len() < row.len() {
        return false;
    }
    let mut i = 0;
    while i < row.len() {
        if row[i] != ANY && row[i] != selector[i] as u16 {
            return false;
        }
        i += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_begins_with_a_row_is_forbidden() {
        assert!(lists(MODBUS, &[0x05]));
        assert!(lists(MODBUS, &[0x2B, 0x0D, 0x01]));
        assert!(lists(MODBUS, &[0x5A, 0x33, 0x41]));
        assert!(!lists(MODBUS, &[0x2B, 0x0E, 0x01]));
        assert!(!lists(MODBUS, &[0x5A, 0x00, 0x02]));
        assert!(!lists(MODBUS, &[0x5A]), "shorter than its row");
        assert!(lists(S7, &[0x07, 0x11, 0x44, 0x02]));
        assert!(lists(ENIP, &[0x6F, 0x4C, 0xF6, 0x01]));
        assert!(lists(ENIP, &[0x6F, 0x52, 0x06, 0x01, 0x05, 0x01, 0x01]));
        assert!(!lists(ENIP, &[0x6F, 0x52, 0x06, 0x01, 0x01, 0x01, 0x01]));
        assert!(!lists(S7, &[0x07, 0x11, 0x44, 0x01, 0x00, 0x1C, 0x00, 0x00]));
    }
}
