//! One value, whatever it is, and the text in it, whatever set its characters are of.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::model::printable;
use otcore::protocols::bacnet::{Text, Value, moment};

fuzz_target!(|bytes: &[u8]| {
    match Value::alone(bytes) {
        Value::Text(text) => shown(&text),
        Value::Constructed(stamp) => drop(moment(&stamp)),
        _ => {}
    }
    if let [charset, text @ ..] = bytes {
        shown(&Text { charset: *charset, bytes: text.to_vec() });
    }
});

fn shown(text: &Text) {
    let shown = text.shown();
    assert_eq!(printable(&shown), shown, "something that controls a terminal");
    assert!(shown.chars().count() <= 512, "longer than any text is shown");
}
