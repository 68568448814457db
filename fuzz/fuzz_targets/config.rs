//! Settings that programs hand in as one text: it is some, or an error, and a wrong one changes nothing.
//! No file is opened.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::blocking::Config;

fuzz_target!(|text: &str| {
    let mut config = Config::read(text).unwrap_or_default();
    for key in Config::KEYS {
        let before = config.clone();
        match config.set(key, Some(text)) {
            Err(error) => {
                assert!(!error.to_string().is_empty());
                assert_eq!(config, before, "{key}: a wrong value changed something");
            }
            Ok(()) => config.set(key, None).expect("anything can be unset"),
        }
    }
});
