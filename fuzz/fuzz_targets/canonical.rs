//! One form of what is written in many: versions have one order, and doing it twice changes nothing.
//!
//! The input is three texts between line ends.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::model::{Field, Named, Version, company, order_number};

fuzz_target!(|text: &str| {
    for field in Field::ALL {
        let once = field.folded(text).into_owned();
        assert_eq!(field.folded(&once), once, "{}", field.name());
    }
    assert_eq!(company(&company(text)), company(text));
    assert_eq!(order_number(&order_number(text)), order_number(text));
    let versions: Vec<Version> = text.lines().take(3).filter_map(Version::read).collect();
    for a in &versions {
        assert_eq!(Version::read(&a.to_string()).as_ref(), Some(a), "{a} is read as another");
        for b in &versions {
            assert_eq!(a.cmp(b), b.cmp(a).reverse());
            assert_eq!(a == b, a.cmp(b).is_eq());
            for c in &versions {
                assert!(!(a <= b && b <= c) || a <= c, "{a} {b} {c}");
            }
        }
    }
});
