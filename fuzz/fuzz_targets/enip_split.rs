//! The splitter takes whole messages off any stream, and never more than is there.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::protocol::Protocol;
use otcore::protocols::enip::Enip;

fuzz_target!(|stream: &[u8]| {
    let mut rest = stream;
    while let Ok(Some(len)) = Enip::split(rest) {
        assert!((24..=4120).contains(&len), "a message of {len} bytes");
        let (message, tail) = rest.split_at(len);
        assert_eq!(Enip::split(message), Ok(Some(len)), "a message is whole by itself");
        drop(Enip::selector(message));
        rest = tail;
    }
});
