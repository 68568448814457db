//! Targets somebody typed: a text is some, or an error; and what is read is spelled so that it is read
//! again as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::targets::Targets;

fuzz_target!(|text: &str| {
    if text.contains('@') {
        return; // `@path` would read a file
    }
    match Targets::parse([text]) {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(targets) => {
            let spelled: Vec<String> = targets.iter().map(ToString::to_string).collect();
            let again = Targets::parse(spelled.iter().map(String::as_str));
            let again = again.expect("its own spelling");
            assert_eq!(again.addresses(), targets.addresses(), "{spelled:?}");
            assert!(again.endpoints().eq(targets.endpoints()), "{spelled:?}");
        }
    }
});
