//! A server id: what follows function code 0x11.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::protocol::Request;
use otcore::protocols::modbus::ReportServerId;
use otcore::wire::Reader;

fuzz_target!(|body: &[u8]| {
    if let Ok(server) = ReportServerId.read(&mut Reader::new(body)) {
        let read = server.id.len() + usize::from(server.run.is_some()) + server.text.len();
        assert!(read < body.len(), "bytes that were not sent");
    }
});
