//! Stored results from files: a text is a document, or an error; and whatever a document holds can
//! be compared, joined and handed on.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::export::{self, Format, Look};
use otcore::model::{Document, Joining, Later, diff, join};

fuzz_target!(|text: &str| {
    let Ok(document) = Document::read(text) else { return };
    for format in Format::ALL {
        let written = format.write(&document).expect("every document can be written");
        if matches!(format, Format::Json | Format::Ndjson) {
            let again = Document::read(&written).expect("what was written can be read");
            assert_eq!(again.assets, document.assets);
        }
    }
    drop(export::table(&document, Look::default()));
    drop(join(&document.assets, &Joining::default()));
    let later = Later {
        assets: &document.assets,
        asked: &document.asked,
        outcomes: &document.outcomes,
        exchanges: &document.exchanges,
        repeats: |_, earlier, later| earlier == later,
        joining: Joining::default(),
    };
    let diff = diff(&document.assets, &later);
    assert!(diff.is_empty(), "a document differs from itself");
    drop(export::changes(&diff, Look::default()));
});
