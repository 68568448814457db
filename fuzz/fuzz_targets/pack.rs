//! Data packs: any bytes are a pack or an error, even if somebody who is trusted signed them.
#![no_main]

use std::io::Cursor;
use std::sync::LazyLock;

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use minisign::KeyPair;
use otcore::pack::{Keys, Pack};

static SIGNER: LazyLock<(KeyPair, Keys)> = LazyLock::new(|| {
    let pair = KeyPair::generate_unencrypted_keypair().expect("random numbers");
    let keys = Keys::parse(&pair.pk.to_base64()).expect("our own key");
    (pair, keys)
});

fuzz_target!(|bytes: &[u8]| {
    let (pair, keys) = &*SIGNER;
    assert!(Pack::open(bytes, keys, Timestamp::MIN).is_err(), "nobody signed it");
    let comment = Some("otcore data pack");
    let signature = minisign::sign(Some(&pair.pk), &pair.sk, Cursor::new(bytes), None, comment);
    let pack = [signature.expect("a signature").to_string().as_bytes(), bytes].concat();
    drop(Pack::open(&pack, keys, Timestamp::MIN));
    drop(Keys::parse(&String::from_utf8_lossy(bytes)));
});
