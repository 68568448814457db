//! Both SunSpec answers: what follows function code 0x03.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::protocol::Request;
use otcore::protocols::modbus::{Base, SunSpecCommon, SunSpecMarker};
use otcore::wire::Reader;

fuzz_target!(|body: &[u8]| {
    for base in Base::ALL {
        let marker = SunSpecMarker { base };
        if marker.read(&mut Reader::new(body)) == Ok(true) {
            assert!(body.starts_with(b"\x04SunS"));
        }
        let common = SunSpecCommon { base };
        if let Ok(model) = common.read(&mut Reader::new(body)) {
            assert!(model.manufacturer.len() <= 32 && model.serial_number.len() <= 32);
        }
    }
});
