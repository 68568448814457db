//! Settings that programs hand in as one text: it is some, or an error. No file is opened.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::blocking::Config;

fuzz_target!(|text: &str| {
    if let Ok(mut config) = Config::read(text) {
        for key in Config::KEYS {
            drop(config.set(key, Some(text)));
        }
    }
});
