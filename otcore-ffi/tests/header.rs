//! The header that is checked in is the one that the source gives.

use std::path::Path;

#[test]
fn the_header_says_what_the_source_says() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = home.join("include/otcore.h");
    let config = cbindgen::Config::from_file(home.join("cbindgen.toml")).unwrap();
    let builder = cbindgen::Builder::new().with_src(home.join("src/lib.rs")); // and its modules
    let mut fresh = Vec::new();
    builder.with_config(config).generate().unwrap().write(&mut fresh);
    if std::env::var_os("OTCORE_WRITE_HEADER").is_some() {
        std::fs::write(&path, &fresh).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let fresh = String::from_utf8(fresh).unwrap();
    assert!(kept == fresh, "include/otcore.h is not up to date: run scripts/header\n\n{fresh}");
}
