//! Lines and bills of materials, whatever devices are called: one line for each record, and everything
//! is sound JSON that holds what was put in.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::export::Format;
use otcore::model::Document;
use otcore_fuzz::hostile;

fuzz_target!(|text: &str| {
    let document = hostile::document(text);
    let write = |format: Format| format.write(&document).expect("every document can be written");
    let lines = write(Format::Ndjson);
    assert_eq!(lines.matches('\n').count(), document.assets.len(), "one line for each");
    assert!(lines.ends_with('\n') && !lines.contains('\r'));
    let again = Document::read(&lines).expect("what was written can be read");
    assert_eq!(again.assets, document.assets, "something was lost");
    for format in [Format::Json, Format::Cyclonedx, Format::Coverage] {
        let value: serde_json::Value = serde_json::from_str(&write(format)).expect("sound JSON");
        assert!(value.is_array() || value.is_object());
    }
});
