//! How a store with a million observations is to live with: a measurement, run by hand.
//!
//! `cargo test --release -p otcore --features store-sqlite --test store_million -- --ignored --nocapture`
#![cfg(feature = "store-sqlite")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::print_stdout, clippy::cast_precision_loss)] // it tells figures

mod store_support;

use std::net::IpAddr;
use std::time::Instant;

use otcore::fingerprint::Knowledge;
use otcore::store::{InventoryStore, Look, Place, Sqlite};
use store_support::{Folder, Seen, zone};

const DEVICES: u32 = 2000;
/// Looks at each device. Each brings two exchanges and an outcome: three observations.
const TIMES: u32 = 167;

#[test]
#[ignore = "a measurement of about a minute; its figures are in docs/store.md"]
fn a_million_observations_stay_usable() {
    let folder = Folder::new("million");
    let path = folder.file("plant.otcore");
    let store = Sqlite::open(&path).unwrap();
    let begun = Instant::now();
    for time in 0..TIMES {
        let looks: Vec<Look> = (0..DEVICES).map(|device| look(device, time)).collect();
        for some in looks.chunks(100) {
            store.append(some).unwrap();
        }
    }
    let took = begun.elapsed().as_secs_f64();
    let count = f64::from(DEVICES * TIMES * 3);
    println!("insert: {count} observations in {took:.1} s, {:.0} a second", count / took);
    drop(store);
    let size = std::fs::metadata(&path).unwrap().len() as f64;
    println!("file: {:.0} MB, {:.0} bytes an observation", size / 1e6, size / count);
    let store = timed("open", || Sqlite::open(&path).unwrap());
    let known = Knowledge::built_in();
    let now = timed("inventory of 2000 devices", || store.inventory(&known).unwrap());
    let one = format!("line-3/{}", address(1234));
    let history = || store.history(&known, &one, "firmware").unwrap();
    assert_eq!(timed("history of one field", history).len(), 17);
    timed("one look, acknowledged", || store.append(&[look(1234, TIMES)]).unwrap());
    timed("check of every byte", || store.check().unwrap());
    let again = timed("decoded again, every look", || store.redecode(&known).unwrap());
    assert_eq!(again.len(), now.len());
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let value = work();
    println!("{what}: {:.3} s", begun.elapsed().as_secs_f64());
    value
}

/// A look a day; the firmware changes every ten days.
fn look(device: u32, time: u32) -> Look {
    let seen = Seen { deep: true, ..Seen::new(1, i64::from(time) * 86_400, "") };
    let mut look = Seen { firmware: format!("V{}.0", time / 10), ..seen }.look();
    look.place = Place::at(&zone(), address(device), 502);
    look.exchanges.iter_mut().for_each(|exchange| exchange.address = address(device));
    look.outcomes.iter_mut().for_each(|outcome| outcome.address = address(device));
    look
}

fn address(device: u32) -> IpAddr {
    IpAddr::from((0x0A00_0000 + device).to_be_bytes())
}
