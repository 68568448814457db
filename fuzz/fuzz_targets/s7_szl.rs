//! A system status list: the bytes of all its parts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::protocols::s7::{
    Catalogue, CommunicationLimits, Component, Interface, Led, List, ModuleIdentification,
    ModuleStatus, OperatingMode, Protection, Szl,
};

fuzz_target!(|bytes: &[u8]| {
    for list in List::ALL {
        let Ok(szl) = Szl::read(list, bytes) else { continue };
        let _ = Catalogue::read(&szl).map(|catalogue| catalogue.may_hold(list));
        for (record, end) in szl.records() {
            assert_eq!(&bytes[end - record.len()..end], record, "bytes that were not sent");
            read(record);
        }
    }
});

fn read(record: &[u8]) {
    if let Some(module) = ModuleIdentification::read(record) {
        let _ = (module.version(), module.hardware_version());
    }
    if let Some(protection) = Protection::read(record) {
        let _ = (protection.switch(), protection.checksums());
    }
    if let Some(status) = ModuleStatus::read(record) {
        let _ = (status.is_in_rack(), status.health());
    }
    let _ = OperatingMode::read(record).map(OperatingMode::name);
    let _ = Led::read(record).map(Led::fault);
    let _ = (Component::read(record), CommunicationLimits::read(record), Interface::read(record));
}
