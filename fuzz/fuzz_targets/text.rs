//! Text of devices, whatever it holds: what is shown is bounded, acts on nothing, and stays as it is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::model::{LONGEST_TEXT, decode, printable};

fuzz_target!(|bytes: &[u8]| {
    let text = decode(bytes);
    assert!(text.chars().count() <= LONGEST_TEXT);
    assert_eq!(printable(&text), text);
    assert_eq!(decode(text.as_bytes()), text, "a second time it is another");
    let given = String::from_utf8_lossy(bytes);
    let shown = printable(&given);
    assert!(!shown.chars().any(|c| c.is_control()));
    assert_eq!(printable(&shown), shown);
});
