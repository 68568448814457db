//! Tables and rules in place of those that are compiled in: they are read, or the error names the
//! file; and whatever they say, results can be shown.
//!
//! The first byte chooses the file.
#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use otcore::Knowledge;
use otcore::export::{self, Look};
use otcore::model::printable;
use otcore::scan::redecode;
use otcore_fuzz::stored::{Said, said};

static SAID: Said = LazyLock::new(|| said("modbus"));

fuzz_target!(|input: &[u8]| {
    let [which, content @ ..] = input else { return };
    let names: Vec<String> = Knowledge::files().into_keys().collect();
    let name = &names[usize::from(*which) % names.len()];
    match Knowledge::from_files(&BTreeMap::from([(name.clone(), content.to_vec())])) {
        Err(error) => assert!(error.to_string().starts_with(name.as_str()), "{name}: {error}"),
        Ok(known) => {
            if let Some(vendor) = known.vendor(&String::from_utf8_lossy(content)) {
                assert!(!vendor.is_empty());
            }
            let assets = redecode(&known, &SAID);
            let shown = export::table(&assets, Look::default());
            assert!(shown.lines().all(|line| printable(line) == line));
        }
    }
});
