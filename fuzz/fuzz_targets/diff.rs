//! What differs between two documents: nothing between one and itself, everything new and gone is
//! really there and not there, and the other way round it is the other way round.
//!
//! The two documents stand before and behind a form feed.
#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use otcore::export::{Look, changes};
use otcore::model::{Document, Joining, printable};
use otcore::scan::compare;

fuzz_target!(|text: &str| {
    let (before, after) = text.split_once('\u{c}').unwrap_or((text, "[]"));
    let (Ok(before), Ok(after)) = (Document::read(before), Document::read(after)) else { return };
    for one in [&before, &after] {
        assert!(compare(one, one, Joining::default()).is_empty(), "it differs from itself");
    }
    let diff = compare(&before, &after, Joining::default());
    let paths = |document: &Document| -> BTreeSet<String> {
        document.assets.iter().map(|asset| asset.path().to_owned()).collect()
    };
    let (old, new) = (paths(&before), paths(&after));
    let told = serde_json::to_value(&diff).expect("a difference can be written");
    let named = |what: &str| -> BTreeSet<String> {
        let list = told[what].as_array().expect("a list").iter();
        list.filter_map(|one| one["path"].as_str().map(str::to_owned)).collect()
    };
    assert!(named("new").iter().filter(|path| !path_is_below(path)).all(|path| new.contains(path)));
    assert!(
        named("gone").iter().filter(|path| !path_is_below(path)).all(|path| old.contains(path))
    );
    let shown = changes(&diff, Look::default());
    assert!(shown.lines().all(|line| printable(line) == line), "something that acts on a terminal");
});

/// Whether it is a module or a child rather than a device.
fn path_is_below(path: &str) -> bool {
    path.split('/').count() > 2
}
