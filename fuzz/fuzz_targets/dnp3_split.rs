//! Any stream has a first message, is incomplete, or is none; the same bytes always say the same.
//! The splitter walks frames and pieces of fragments, so it stands for link and transport both.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::protocol::Protocol;
use otcore::protocols::dnp3::Dnp3;

fuzz_target!(|stream: &[u8]| {
    if let Ok(Some(length)) = Dnp3::split(stream) {
        assert!((10..=stream.len()).contains(&length));
        assert_eq!(Dnp3::split(&stream[..length]), Ok(Some(length)));
        for shorter in 0..length {
            assert_eq!(Dnp3::split(&stream[..shorter]), Ok(None));
        }
    }
    let _ = Dnp3::selector(stream);
});
