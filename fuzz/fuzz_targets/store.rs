//! Stores: a file that was changed anywhere is read, or is an error; and one that finds itself in order
//! still says what was written.
//!
//! The input is a list of changes: two bytes of a place, counted from the end of the file if the
//! highest bit is set, and the byte to put there.
#![no_main]

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use otcore::fingerprint::Knowledge;
use otcore::model::{Asset, Exchange, HexBytes, Outcome, OutcomeRecord, Transport};
use otcore::store::{InventoryStore, Look, Place, Sqlite};
use otcore::{Inventory, Source, Zone};

/// The file as it was written, and what it says.
static WHOLE: LazyLock<(Vec<u8>, Inventory)> = LazyLock::new(|| {
    let path = file("whole");
    remove(&path);
    let store = Sqlite::open(&path).expect("a folder for temporary files");
    store.append(&(0..8).map(look).collect::<Vec<_>>()).expect("looks of our own");
    let inventory = store.inventory(&Knowledge::built_in()).expect("looks of our own");
    drop(store);
    (std::fs::read(&path).expect("the file that was written"), inventory)
});

fuzz_target!(|changes: &[u8]| {
    let (whole, said) = &*WHOLE;
    let mut bytes = whole.clone();
    for change in changes.chunks_exact(3) {
        let [high, low, new] = change else { continue };
        let place = usize::from(u16::from_be_bytes([high & 0x7F, *low])) % bytes.len();
        let place = if high & 0x80 == 0 { place } else { bytes.len() - 1 - place };
        bytes[place] = *new;
    }
    let path = file("changed");
    remove(&path);
    std::fs::write(&path, &bytes).expect("a folder for temporary files");
    if let Ok(store) = Sqlite::open(&path) {
        let known = Knowledge::built_in();
        let in_order = store.check().is_ok();
        let inventory = store.inventory(&known);
        drop(store.history(&known, "line-3/10.0.0.3", "vendor"));
        assert!(!in_order || inventory.as_ref().is_ok_and(|read| read == said), "{inventory:?}");
        drop(store.append(&[look(3)]));
    }
});

fn file(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("otcore-fuzz-{}-{name}", std::process::id()))
}

fn remove(path: &Path) {
    for end in ["", "-wal", "-shm", "-journal"] {
        drop(std::fs::remove_file(format!("{}{end}", path.display())));
    }
}

/// A look at a device that says who it is, by Modbus and by a person.
fn look(device: u8) -> Look {
    let (zone, address) =
        ("line-3".parse::<Zone>().expect("a zone"), IpAddr::from([10, 0, 0, device]));
    let mut look = Look::new(Place::at(&zone, address, 502), Timestamp::UNIX_EPOCH);
    let said = b"\x00\x07\x00\x00\x00\x15\xff\x2b\x0e\x01\x82\x00\x00\x02\x00\x04ACME\x01\x03TW9";
    look.exchanges.push(Exchange {
        zone: zone.clone(),
        source: Source::default(),
        address,
        port: 502,
        transport: Transport::Tcp,
        protocol: "modbus".into(),
        function: "ReadDeviceIdBasic".into(),
        request: HexBytes::from(b"\x00\x07\x00\x00\x00\x05\xff\x2b\x0e\x01\x00".to_vec()),
        response: HexBytes::from(said.to_vec()),
        at: Timestamp::UNIX_EPOCH,
        rtt_micros: 900,
    });
    let outcome = OutcomeRecord::new(zone.clone(), address, "modbus", 502, Outcome::Identified);
    look.outcomes.push(outcome);
    look.claims.push(Asset::new(zone, address));
    look
}
