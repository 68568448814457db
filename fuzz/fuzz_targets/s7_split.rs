//! The splitter takes whole messages off any stream, and never more than is there.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::protocol::Protocol;
use otcore::protocols::s7::S7;

fuzz_target!(|stream: &[u8]| {
    let mut rest = stream;
    while let Ok(Some(len)) = S7::split(rest) {
        assert!((7..=2048).contains(&len), "a message of {len} bytes");
        let (message, tail) = rest.split_at(len);
        assert_eq!(S7::split(message), Ok(Some(len)), "a message is whole by itself");
        drop(S7::selector(message));
        rest = tail;
    }
});
