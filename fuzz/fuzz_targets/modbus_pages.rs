//! Whatever a device pages out, asking ends. Each page is one length byte and that many bytes, of
//! which the first chooses the code that is asked.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::protocol::Request;
use otcore::protocols::modbus::{Code, Next, Pages, ReadDeviceId};
use otcore::wire::Reader;

const CODES: [Code; 4] = [Code::Basic, Code::Regular, Code::Extended, Code::Individual];

fuzz_target!(|replies: &[u8]| {
    let mut pages = Pages::default();
    let mut asked = [const { Vec::new() }; 4];
    let mut rest = replies;
    while let Some((len, tail)) = rest.split_first() {
        let (reply, tail) = tail.split_at(usize::from(*len).min(tail.len()));
        rest = tail;
        let Some((code, body)) = reply.split_first() else { continue };
        let code = usize::from(code % 4);
        let Ok(page) = ReadDeviceId::first(CODES[code]).read(&mut Reader::new(body)) else {
            continue;
        };
        if let Next::Ask(object) = pages.next(page) {
            asked[code].push(object);
        }
    }
    for objects in asked {
        assert!(objects.len() <= 8, "{} follow-ups", objects.len());
        assert!(objects.is_sorted_by(|a, b| a < b), "the next object did not rise");
    }
    assert!(pages.objects().len() <= 256);
});
