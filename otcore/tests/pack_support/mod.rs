//! Packs made and signed for a test.
#![allow(dead_code)] // each test uses its part

use std::collections::BTreeMap;
use std::io::Cursor;

use jiff::Timestamp;
use minisign::KeyPair;
use otcore::pack::{Card, Engines, Keys, Version, draft};

/// Somebody who signs packs.
pub(crate) struct Signer(KeyPair);

impl Signer {
    pub(crate) fn new() -> Self {
        Self(KeyPair::generate_unencrypted_keypair().unwrap())
    }

    pub(crate) fn keys(&self) -> Keys {
        Keys::parse(&self.public()).unwrap()
    }

    /// The file that minisign writes a public key to.
    pub(crate) fn public(&self) -> String {
        self.0.pk.to_box().unwrap().to_string()
    }

    /// These bytes with a good signature in front, whatever they are.
    pub(crate) fn sign(&self, signed: &[u8]) -> Vec<u8> {
        let comment = (Some("made for a test"), Some("otcore data pack"));
        let (pk, sk) = (&self.0.pk, &self.0.sk);
        let signature = minisign::sign(Some(pk), sk, Cursor::new(signed), comment.0, comment.1);
        [signature.unwrap().to_string().as_bytes(), signed].concat()
    }

    pub(crate) fn pack(&self, card: Card, files: &[(&str, &str)]) -> Vec<u8> {
        self.sign(&drafted(card, files))
    }
}

pub(crate) fn drafted(card: Card, files: &[(&str, &str)]) -> Vec<u8> {
    let file = |(name, text): &(&str, &str)| ((*name).to_owned(), text.as_bytes().to_vec());
    draft(card, &files.iter().map(file).collect::<BTreeMap<_, _>>()).unwrap()
}

pub(crate) fn card(version: u64) -> Card {
    let this = Version::of_this_engine();
    Card {
        name: "plant-names".into(),
        version,
        about: "names for a test".into(),
        expires: "2027-01-01T00:00:00Z".parse().unwrap(),
        engine: Engines { from: this, to: this },
        parts: Vec::new(),
    }
}

/// A day on which that card is good.
pub(crate) fn today() -> Timestamp {
    "2026-11-26T12:00:00Z".parse().unwrap()
}

/// Modbus rules that call every device of a vendor like this.
pub(crate) fn rules(vendor: &str, class: &str) -> String {
    format!(
        r#"
        [[rule]]
        id = "modbus/of-a-pack"
        reference = "made up for this test"
        when = {{ vendor = {{ starts_with = "{vendor}" }} }}
        then = {{ device_class = "{class}" }}
        examples = []
        "#
    )
}
