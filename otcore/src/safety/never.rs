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

/// BACnet/IP: services that write, create, command, subscribe or play somebody else's part, reads that
/// are heavy or have no bound, and everything that is said to more than one address. A selector begins
/// with the function of the BVLC; in 0A (Original-Unicast-NPDU) follow what of the NPDU's control byte
/// matters (20 for another network, 80 for a message of the network layer) and either the kind of that
/// message, or the kind of the APDU (00 confirmed, 10 unconfirmed) and its service. Of a read follow the
/// type of its object and its properties, two bytes each.
/// Source: ASHRAE 135, clauses 6, 13 to 17 and 21, annex J.
pub const BACNET: Never = &[
    &[0x00],                                  // BVLC-Result is an answer
    &[0x01],                                  // Write-Broadcast-Distribution-Table
    &[0x03],                                  // answers
    &[0x04],                                  // Forwarded-NPDU: says that somebody else asks
    &[0x05],                                  // Register-Foreign-Device: a table entry
    &[0x07],                                  // answers
    &[0x08],                                  // Delete-Foreign-Device-Table-Entry
    &[0x09],                                  // Distribute-Broadcast-To-Network
    &[0x0B, 0x20],                            // a broadcast for another network
    &[0x0B, 0x80],                            // a broadcast of the network layer
    &[0x0B, 0xA0],                            // both
    &[0x0B, 0x00, 0x00],                      // a broadcast that somebody would have to confirm
    &[0x0B, 0x00, 0x10, 0x00],                // I-Am to everybody, and all that follows but Who-Is
    &[0x0B, 0x00, 0x10, 0x01],                // I-Have
    &[0x0B, 0x00, 0x10, 0x02],                // UnconfirmedCOVNotification
    &[0x0B, 0x00, 0x10, 0x03],                // UnconfirmedEventNotification
    &[0x0B, 0x00, 0x10, 0x04],                // UnconfirmedPrivateTransfer
    &[0x0B, 0x00, 0x10, 0x05],                // UnconfirmedTextMessage
    &[0x0B, 0x00, 0x10, 0x06],                // TimeSynchronization
    &[0x0B, 0x00, 0x10, 0x07],                // Who-Has
    &[0x0B, 0x00, 0x10, 0x09],                // UTCTimeSynchronization
    &[0x0B, 0x00, 0x10, 0x0A],                // WriteGroup
    &[0x0B, 0x00, 0x10, 0x0B],                // UnconfirmedCOVNotificationMultiple
    &[0x0B, 0x00, 0x10, 0x0C],                // UnconfirmedAuditNotification
    &[0x0B, 0x00, 0x10, 0x0D],                // Who-Am-I
    &[0x0B, 0x00, 0x10, 0x0E],                // You-Are: gives a device its number
    &[0x0C],                                  // Secure-BVLL
    &[0x0A, 0xA0],       // messages of the network layer for networks behind a router
    &[0x0A, 0x80, 0x01], // I-Am-Router-To-Network: routing tables
    &[0x0A, 0x80, 0x02], // I-Could-Be-Router-To-Network
    &[0x0A, 0x80, 0x03], // Reject-Message-To-Network
    &[0x0A, 0x80, 0x04], // Router-Busy-To-Network: silences others
    &[0x0A, 0x80, 0x05], // Router-Available-To-Network
    &[0x0A, 0x80, 0x06], // Initialize-Routing-Table
    &[0x0A, 0x80, 0x07], // its acknowledgement
    &[0x0A, 0x80, 0x08], // Establish-Connection-To-Network: dials
    &[0x0A, 0x80, 0x09], // Disconnect-Connection-To-Network
    &[0x0A, 0x80, 0x0A], // Challenge-Request and what else belongs to security
    &[0x0A, 0x80, 0x0B], // Security-Payload
    &[0x0A, 0x80, 0x0C], // Security-Response
    &[0x0A, 0x80, 0x0D], // Request-Key-Update
    &[0x0A, 0x80, 0x0E], // Update-Key-Set
    &[0x0A, 0x80, 0x0F], // Update-Distribution-Key
    &[0x0A, 0x80, 0x10], // Request-Master-Key
    &[0x0A, 0x80, 0x11], // Set-Master-Key
    &[0x0A, 0x80, 0x13], // Network-Number-Is: others take it over
    &[0x0A, ANY, 0x00, 0x00], // AcknowledgeAlarm
    &[0x0A, ANY, 0x00, 0x01], // ConfirmedCOVNotification
    &[0x0A, ANY, 0x00, 0x02], // ConfirmedEventNotification
    &[0x0A, ANY, 0x00, 0x03], // GetAlarmSummary: heavy
    &[0x0A, ANY, 0x00, 0x04], // GetEnrollmentSummary: heavy
    &[0x0A, ANY, 0x00, 0x05], // SubscribeCOV
    &[0x0A, ANY, 0x00, 0x06], // AtomicReadFile: heavy
    &[0x0A, ANY, 0x00, 0x07], // AtomicWriteFile
    &[0x0A, ANY, 0x00, 0x08], // AddListElement
    &[0x0A, ANY, 0x00, 0x09], // RemoveListElement
    &[0x0A, ANY, 0x00, 0x0A], // CreateObject
    &[0x0A, ANY, 0x00, 0x0B], // DeleteObject
    &[0x0A, ANY, 0x00, 0x0D], // ReadPropertyConditional
    &[0x0A, ANY, 0x00, 0x0F], // WriteProperty
    &[0x0A, ANY, 0x00, 0x10], // WritePropertyMultiple
    &[0x0A, ANY, 0x00, 0x11], // DeviceCommunicationControl: silences
    &[0x0A, ANY, 0x00, 0x12], // ConfirmedPrivateTransfer
    &[0x0A, ANY, 0x00, 0x13], // ConfirmedTextMessage
    &[0x0A, ANY, 0x00, 0x14], // ReinitializeDevice
    &[0x0A, ANY, 0x00, 0x15], // VT-Open
    &[0x0A, ANY, 0x00, 0x16], // VT-Close
    &[0x0A, ANY, 0x00, 0x17], // VT-Data
    &[0x0A, ANY, 0x00, 0x18], // Authenticate
    &[0x0A, ANY, 0x00, 0x19], // RequestKey
    &[0x0A, ANY, 0x00, 0x1A], // ReadRange: heavy
    &[0x0A, ANY, 0x00, 0x1B], // LifeSafetyOperation
    &[0x0A, ANY, 0x00, 0x1C], // SubscribeCOVProperty
    &[0x0A, ANY, 0x00, 0x1D], // GetEventInformation: heavy
    &[0x0A, ANY, 0x00, 0x1E], // SubscribeCOVPropertyMultiple
    &[0x0A, ANY, 0x00, 0x1F], // ConfirmedCOVNotificationMultiple
    &[0x0A, ANY, 0x00, 0x20], // ConfirmedAuditNotification
    &[0x0A, ANY, 0x00, 0x21], // AuditLogQuery: heavy
    &[0x0A, ANY, 0x10, 0x00], // I-Am: somebody else's part
    &[0x0A, ANY, 0x10, 0x01], // I-Have
    &[0x0A, ANY, 0x10, 0x02], // UnconfirmedCOVNotification
    &[0x0A, ANY, 0x10, 0x03], // UnconfirmedEventNotification
    &[0x0A, ANY, 0x10, 0x04], // UnconfirmedPrivateTransfer
    &[0x0A, ANY, 0x10, 0x05], // UnconfirmedTextMessage
    &[0x0A, ANY, 0x10, 0x06], // TimeSynchronization
    &[0x0A, ANY, 0x10, 0x07], // Who-Has: heavy
    &[0x0A, ANY, 0x10, 0x09], // UTCTimeSynchronization
    &[0x0A, ANY, 0x10, 0x0A], // WriteGroup
    &[0x0A, ANY, 0x10, 0x0B], // UnconfirmedCOVNotificationMultiple
    &[0x0A, ANY, 0x10, 0x0C], // UnconfirmedAuditNotification
    &[0x0A, ANY, 0x10, 0x0D], // Who-Am-I
    &[0x0A, ANY, 0x10, 0x0E], // You-Are: gives somebody another number
    &[0x0A, ANY, 0x00, ANY, ANY, 0x00, 0x08], // every property there is: no bound
    &[0x0A, ANY, 0x00, ANY, ANY, 0x00, 0x50], // every optional one
    &[0x0A, ANY, 0x00, ANY, ANY, 0x00, 0x69], // every required one
    &[0x0A, ANY, 0x00, ANY, ANY, 0x00, 0x4C], // the whole object list: no bound
];

/// DNP3: whatever is not a call to one link address or a read of group 0. A selector begins with the
/// function of the link layer; in 04 (unconfirmed user data) follow the function of the application
/// layer, and group, variation and qualifier of each object.
/// Source: IEEE 1815-2012, clauses 4.4 (application functions), 9.2.6 (link functions), annex A.
pub const DNP3: Never = &[
    &[0x00],                       // Reset Link States: the next frame of the master is lost
    &[0x01],                       // Reset User Process
    &[0x02],                       // Test Link States
    &[0x03],                       // confirmed data: needs the link to be reset
    &[0x04, 0x00],                 // CONFIRM: takes events from their master
    &[0x04, 0x02],                 // WRITE
    &[0x04, 0x03],                 // SELECT
    &[0x04, 0x04],                 // OPERATE
    &[0x04, 0x05],                 // DIRECT_OPERATE
    &[0x04, 0x06],                 // DIRECT_OPERATE_NR
    &[0x04, 0x07],                 // IMMED_FREEZE
    &[0x04, 0x08],                 // IMMED_FREEZE_NR
    &[0x04, 0x09],                 // FREEZE_CLEAR
    &[0x04, 0x0A],                 // FREEZE_CLEAR_NR
    &[0x04, 0x0B],                 // FREEZE_AT_TIME
    &[0x04, 0x0C],                 // FREEZE_AT_TIME_NR
    &[0x04, 0x0D],                 // COLD_RESTART
    &[0x04, 0x0E],                 // WARM_RESTART
    &[0x04, 0x0F],                 // INITIALIZE_DATA
    &[0x04, 0x10],                 // INITIALIZE_APPL
    &[0x04, 0x11],                 // START_APPL
    &[0x04, 0x12],                 // STOP_APPL
    &[0x04, 0x13],                 // SAVE_CONFIG
    &[0x04, 0x14],                 // ENABLE_UNSOLICITED
    &[0x04, 0x15],                 // DISABLE_UNSOLICITED
    &[0x04, 0x16],                 // ASSIGN_CLASS
    &[0x04, 0x17],                 // DELAY_MEASURE
    &[0x04, 0x18],                 // RECORD_CURRENT_TIME
    &[0x04, 0x19],                 // OPEN_FILE
    &[0x04, 0x1A],                 // CLOSE_FILE
    &[0x04, 0x1B],                 // DELETE_FILE
    &[0x04, 0x1C],                 // GET_FILE_INFO
    &[0x04, 0x1D],                 // AUTHENTICATE_FILE
    &[0x04, 0x1E],                 // ABORT_FILE
    &[0x04, 0x1F],                 // ACTIVATE_CONFIG
    &[0x04, 0x20],                 // AUTHENTICATE_REQ
    &[0x04, 0x21],                 // AUTH_REQ_NO_ACK
    &[0x04, 0x81],                 // RESPONSE: the part of an outstation
    &[0x04, 0x82],                 // UNSOLICITED_RESPONSE
    &[0x04, 0x83],                 // AUTHENTICATE_RESP
    &[0x04, 0x01, 0x3C],           // READ of classes 0 to 3: points and events
    &[0x04, 0x01, 0x02],           // READ of events: binary inputs
    &[0x04, 0x01, 0x04],           // double-bit binary inputs
    &[0x04, 0x01, 0x0B],           // binary outputs
    &[0x04, 0x01, 0x0D],           // commands to binary outputs
    &[0x04, 0x01, 0x16],           // counters
    &[0x04, 0x01, 0x17],           // frozen counters
    &[0x04, 0x01, 0x20],           // analog inputs
    &[0x04, 0x01, 0x21],           // frozen analog inputs
    &[0x04, 0x01, 0x2A],           // analog outputs
    &[0x04, 0x01, 0x2B],           // commands to analog outputs
    &[0x04, 0x01, 0x46],           // files
    &[0x04, 0x01, 0x58],           // data sets
    &[0x04, 0x01, 0x6F],           // octet strings
    &[0x04, 0x01, 0x71],           // virtual terminals
    &[0x04, 0x01, 0x78],           // authentication
    &[0x04, 0x01, 0x7A],           // security statistics
    &[0x04, 0x01, ANY, ANY, 0x06], // READ of all there is of something: no bound
    &[0x04, 0x01, 0x00, ANY, ANY, 0x3C], // the same classes behind an attribute
];

/// The table of every protocol.
pub const ALL: &[(&str, Never)] =
    &[("modbus", MODBUS), ("s7", S7), ("enip", ENIP), ("bacnet", BACNET), ("dnp3", DNP3)];

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
        assert!(lists(BACNET, &[0x0A, 0x00, 0x00, 0x0F, 0x08, 0x00, 0x4D]));
        assert!(lists(BACNET, &[0x0A, 0x20, 0x00, 0x14]), "behind a router too");
        assert!(lists(BACNET, &[0x0A, 0x00, 0x00, 0x0C, 0x08, 0x00, 0x4C]), "the whole list");
        assert!(!lists(BACNET, &[0x0A, 0x00, 0x00, 0x0C, 0x08, 0x40, 0x4C]), "its length");
        assert!(lists(DNP3, &[0x00]), "the link is not reset");
        assert!(lists(DNP3, &[0x04, 0x01, 0x3C, 0x02, 0x06]), "a class of events");
        assert!(!lists(DNP3, &[0x04, 0x01, 0x00, 0xFE, 0x00]));
        let every = |function| lists(DNP3, &[0x04, function, 0x00, 0xFE, 0x00]);
        let other: Vec<u8> = (0..=0x21).filter(|function| !every(*function)).collect();
        assert_eq!(other, [0x01], "of all functions only READ may be asked");
    }

    #[test]
    fn every_protocol_has_a_table_of_its_own_and_what_is_none_has_none() {
        for (name, never) in ALL {
            assert_eq!(of(name), Some(*never), "{name}");
        }
        assert!(of("profinet").is_none());
    }
}
