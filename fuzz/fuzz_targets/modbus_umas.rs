//! Both UMAS answers: what follows the status FE.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::protocol::Request;
use otcore::protocols::modbus::{UmasReadId, UmasReadProjectInfo};
use otcore::wire::Reader;

fuzz_target!(|body: &[u8]| {
    if let Ok(cpu) = UmasReadId.read(&mut Reader::new(body)) {
        assert!(cpu.name.len() + 23 <= body.len());
        drop(cpu.firmware());
    }
    if let Ok(project) = UmasReadProjectInfo.read(&mut Reader::new(body)) {
        assert!(project.name.len() + 39 <= body.len());
        drop(project.revision_text());
        drop(project.changed.map(|time| time.to_string()));
    }
});
