//! Policies from files: a text is one, or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::gate::policy::Policy;

fuzz_target!(|text: &str| {
    drop(Policy::from_toml(text));
    drop(Policy::from_json(text));
});
