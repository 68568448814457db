//! Sets of addresses are sets: what is in and what is out is never mixed up.
//!
//! The input is two lists of targets between line ends.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::targets::{AddressSet, Targets};

fn set(text: &str) -> Option<AddressSet> {
    let text = (!text.contains('@')).then_some(text)?;
    Some(text.parse::<Targets>().ok()?.addresses())
}

fuzz_target!(|text: &str| {
    let mut lines = text.lines();
    let (Some(a), Some(b)) = (lines.next().and_then(set), lines.next().and_then(set)) else {
        return;
    };
    let (both, either, only) = (a.intersect(&b), a.union(&b), a.subtract(&b));
    let borders = a.ranges().chain(b.ranges()).flat_map(|range| [range.first(), range.last()]);
    for address in borders {
        let (in_a, in_b) = (a.contains(address), b.contains(address));
        assert_eq!(both.contains(address), in_a && in_b);
        assert_eq!(either.contains(address), in_a || in_b);
        assert_eq!(only.contains(address), in_a && !in_b);
    }
    if let Some(all) = a.count().checked_add(b.count()) {
        assert_eq!(either.count() + both.count(), all);
    }
    assert_eq!(only.count() + both.count(), a.count());
    assert_eq!(only.union(&both), a);
});
