//! The splitter takes whole messages off any stream, and never more than is there.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::protocol::Protocol;
use otcore::protocols::modbus::Modbus;

fuzz_target!(|stream: &[u8]| {
    let mut rest = stream;
    while let Ok(Some(len)) = Modbus::split(rest) {
        assert!((8..=260).contains(&len), "a message of {len} bytes");
        let (message, tail) = rest.split_at(len);
        assert_eq!(Modbus::split(message), Ok(Some(len)), "a message is whole by itself");
        drop(Modbus::selector(message));
        rest = tail;
    }
});
