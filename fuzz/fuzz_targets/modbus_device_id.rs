//! A page of identification objects: what follows function code 0x2B.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::protocol::Request;
use otcore::protocols::modbus::{Code, ReadDeviceId};
use otcore::wire::Reader;

fuzz_target!(|body: &[u8]| {
    if let Ok(page) = ReadDeviceId::first(Code::Basic).read(&mut Reader::new(body)) {
        let kept: usize = page.objects.iter().map(|(_, value)| value.len() + 2).sum();
        assert!(kept + 6 <= body.len(), "objects that were not sent");
    }
});
