//! The page, whatever devices are called: there is no tag but those of this program, and nothing runs.
#![no_main]

use std::collections::BTreeSet;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use otcore::export::html;
use otcore_fuzz::hostile;

/// The tags of a page about devices with harmless names, each as it is written.
static OURS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let harmless = ["Pump", "a b c d e f g h i j", "1\n2\n3\n4\n5\n6\n7\n8\n9"];
    harmless.iter().flat_map(|name| tags(&html(&hostile::document(name)))).collect()
});

fuzz_target!(|text: &str| {
    let page = html(&hostile::document(text));
    for tag in tags(&page) {
        assert!(OURS.contains(&tag), "a tag of somebody else: {tag}");
    }
    assert!(!page.chars().any(|c| c.is_control() && c != '\n'), "something that acts");
});

/// Everything between < and >, with numbers in it made alike.
fn tags(page: &str) -> BTreeSet<String> {
    let tags = page.split('<').skip(1).map(|rest| rest.split('>').next().unwrap_or_default());
    tags.map(|tag| tag.chars().filter(|c| !c.is_ascii_digit()).collect()).collect()
}
