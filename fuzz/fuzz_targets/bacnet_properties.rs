//! The results of one object hold no more than was sent.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::protocols::bacnet::{MOST_PROPERTIES, Value, properties};
use otcore::wire::Reader;

fuzz_target!(|bytes: &[u8]| {
    let Ok(found) = properties(&mut Reader::new(bytes)) else { return };
    assert!(found.len() <= usize::from(MOST_PROPERTIES));
    let held: usize = found.iter().map(|one| one.found.as_ref().map_or(0, length)).sum();
    assert!(held <= bytes.len(), "bytes that were not sent");
});

fn length(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.bytes.len(),
        Value::Octets(bytes) | Value::Bits(bytes) | Value::Constructed(bytes) => bytes.len(),
        _ => 0,
    }
}
