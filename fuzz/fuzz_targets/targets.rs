//! Targets somebody typed: a text is some, or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::targets::Targets;

fuzz_target!(|text: &str| {
    // `@path` would read a file.
    if !text.contains('@') {
        drop(Targets::parse([text]));
    }
});
