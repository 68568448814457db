//! A journal from a file: a line is an entry, or an error, and is written as it was read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::gate::journal::{Entry, Journal, JsonLines};

fuzz_target!(|text: &str| {
    for line in text.lines() {
        let Ok(entry) = serde_json::from_str::<Entry>(line) else { continue };
        let mut written = Vec::new();
        JsonLines::new(&mut written).record(&entry).expect("memory has room");
        let (end, line) = written.split_last().expect("a line");
        assert!(*end == b'\n' && !line.contains(&b'\n'), "more than one line");
        assert_eq!(serde_json::from_slice::<Entry>(line).expect("our own line"), entry);
    }
});
