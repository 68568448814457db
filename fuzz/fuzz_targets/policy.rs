//! Policies from files: a text is one that keeps every hard limit, or an error that says what is wrong
//! in words that can be shown.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::Policy;

fuzz_target!(|text: &str| {
    for read in [Policy::from_toml(text), Policy::from_json(text)] {
        match read {
            Ok(policy) => assert_eq!(policy.check(), Ok(()), "it breaks a rule of its own"),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
});
