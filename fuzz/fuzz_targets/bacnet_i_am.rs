//! Who says who it is, from here or from elsewhere.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::protocols::bacnet::{IAm, WILDCARD};

fuzz_target!(|message: &[u8]| {
    if let Ok(i_am) = IAm::read(message) {
        assert!(i_am.instance <= WILDCARD);
        if let Some(from) = i_am.from {
            assert!(from.mac.as_bytes().len() <= message.len());
            drop(from.to_string());
        }
    }
});
