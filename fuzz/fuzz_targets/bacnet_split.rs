//! The splitter takes whole messages off any bytes, and never more than is there.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::protocol::Protocol;
use otcore::protocols::bacnet::Bacnet;

fuzz_target!(|stream: &[u8]| {
    let mut rest = stream;
    while let Ok(Some(len)) = Bacnet::split(rest) {
        assert!((4..=0xFFFF).contains(&len), "a message of {len} bytes");
        let (message, tail) = rest.split_at(len);
        assert_eq!(Bacnet::split(message), Ok(Some(len)), "a message is whole by itself");
        drop(Bacnet::selector(message));
        rest = tail;
    }
});
