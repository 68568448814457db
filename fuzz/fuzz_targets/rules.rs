//! Rules from a file: whatever parses asks for something, concludes something, and claims no more than
//! a rule may.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::fingerprint::parse;
use otcore::model::Confidence;

fuzz_target!(|text: &str| {
    for rule in parse("modbus", text).unwrap_or_default() {
        assert!(!rule.when.is_empty());
        assert!(!rule.then.is_empty() || rule.finding.is_some());
        assert!(rule.confidence <= Confidence::Inferred);
    }
});
