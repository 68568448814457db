//! The file that remembers devices: it is read, or the error names the line; a quarantine in it stays
//! until a person clears it.
#![no_main]

use std::net::SocketAddr;

use libfuzzer_sys::fuzz_target;
use otcore::Zone;
use otcore::gate::Device;
use otcore::gate::memory::{DeviceMemory, InFile, Quarantine, Record};

fuzz_target!(|content: &[u8]| {
    let path = std::env::temp_dir().join(format!("otcore-fuzz-{}-memory", std::process::id()));
    std::fs::write(&path, content).expect("a folder for temporary files");
    let memory = match InFile::open(&path) {
        Ok(memory) => memory,
        Err(error) => return assert!(error.to_string().starts_with("device memory "), "{error}"),
    };
    let (zone, at) = (Zone::default(), SocketAddr::from(([10, 0, 4, 7], 502)));
    let since = jiff::Timestamp::UNIX_EPOCH;
    let quarantined = Some(Quarantine { since, why: "silence".into() });
    let record = Record { quarantined, ..Record::default() };
    memory.remember(&zone, Device::at(at), record.clone()).expect("a file that was opened");
    let all = memory.all().expect("a file that was opened");
    drop(memory);
    let again = InFile::open(&path).expect("our own file");
    assert_eq!(again.all().expect("our own file"), all);
    assert_eq!(again.recall(&zone, Device::at(at)).expect("our own file"), record);
    assert_eq!(again.clear(&zone, at.ip()).expect("our own file"), 1);
    let cleared = again.recall(&zone, Device::at(at)).expect("our own file");
    assert_eq!(cleared.quarantined, None);
});
