//! Lists of targets from a file: they are read as they would be typed, or the error names the line.
//! No other file is opened.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::targets::Targets;

fuzz_target!(|text: &str| {
    if text.contains('@') {
        return; // `@path` would read another file
    }
    let path = std::env::temp_dir().join(format!("otcore-fuzz-{}-targets", std::process::id()));
    std::fs::write(&path, text).expect("a folder for temporary files");
    match Targets::from_file(&path) {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(targets) => {
            let whole = targets.addresses();
            let (networks, count) = (targets.networks(), whole.count());
            assert!(networks.count() <= count);
            assert_eq!(networks.subtract(&whole).count(), 0);
            for endpoint in targets.endpoints() {
                let again: Targets = endpoint.to_string().parse().expect("its own spelling");
                assert_eq!(again.endpoints().collect::<Vec<_>>(), [endpoint]);
            }
        }
    }
});
