//! Stores and data packs as bindings reach them: text and bytes in, values out.
#![cfg(feature = "sim")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test says what went wrong by stopping

mod pack_support;
mod store_support;

use otcore::blocking::{Inventory, Packs, Plant, Scanner, Settings, Store};
use otcore::{Error, ErrorKind};
use pack_support::{Signer, card, rules};
use store_support::Folder;

/// A pack that is good for a long time, and calls Modbus devices of Tarnwick by this class.
fn pack(signer: &Signer, version: u64, class: &str) -> Vec<u8> {
    let expires = "2120-01-01T00:00:00Z".parse().unwrap();
    let card = otcore::pack::Card { expires, ..card(version) };
    signer.pack(card, &[("modbus.toml", &rules("Tarnwick", class))])
}

fn scanned(packs: &Packs) -> Inventory {
    let plant = Plant::start(0).unwrap();
    let target = plant.devices()[0].target();
    let scanner = Scanner::new(&Settings::default()).unwrap().with_packs(packs);
    scanner.start(&target).unwrap().finish().unwrap().into()
}

fn class(inventory: &Inventory) -> Option<&str> {
    let asset = inventory.asset(inventory.paths()[0]).unwrap();
    asset.node.identity.value(otcore::model::Field::DeviceClass)
}

fn refused<T: std::fmt::Debug>(result: Result<T, Error>, words: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
    assert!(error.to_string().contains(words), "{words}: {error}");
}

#[test]
fn what_was_seen_is_kept_and_read_anew_under_the_pack_in_use() {
    let (signer, store) = (Signer::new(), Store::in_memory());
    let packs = Packs::new(&signer.public()).unwrap();
    let found = scanned(&packs);
    assert_eq!(store.keep(&found).unwrap(), 1);
    assert_eq!(store.inventory(&packs).unwrap().paths(), found.paths());
    assert_eq!(store.places().unwrap()[0].address.to_string(), "127.20.4.11");

    let new = pack(&signer, 1, "milk-pump");
    for changes in [store.preview(&packs, &new).unwrap(), found.preview(&packs, &new).unwrap()] {
        let changes = &changes.changed[0].changes;
        let told = changes.iter().find(|change| change.field == "identity.device_class").unwrap();
        assert_eq!(told.to.as_ref().unwrap().value, "milk-pump", "{told:?}");
    }
    assert_ne!(class(&store.inventory(&packs).unwrap()), Some("milk-pump"), "only a preview");

    assert_eq!(packs.apply(&new).unwrap().version, 1);
    for under in [
        store.inventory(&packs).unwrap(),
        store.redecoded(&packs).unwrap(),
        found.redecoded(&packs).unwrap(),
        scanned(&packs),
    ] {
        assert_eq!(class(&under), Some("milk-pump"));
    }
    let history = store.history(&packs, found.paths()[0], "device_class").unwrap();
    assert_eq!(history.iter().map(|claim| &*claim.value).collect::<Vec<_>>(), ["milk-pump"]);

    assert_eq!(packs.roll_back().unwrap(), None, "what is compiled in");
    assert_ne!(class(&store.inventory(&packs).unwrap()), Some("milk-pump"));
    store.check().unwrap();
    refused(store.history(&packs, found.paths()[0], "shoe_size"), "shoe_size");
}

#[test]
fn a_report_from_a_file_and_mere_assets_are_kept_too() {
    let packs = Packs::built_in();
    let found = scanned(&packs);
    let report = Inventory::read(&found.json().unwrap()).unwrap();
    let observations = Inventory::read(&found.export("observations").unwrap()).unwrap();
    let assets = Inventory::read(&found.export("json").unwrap()).unwrap();
    for inventory in [report, observations, assets] {
        let store = Store::in_memory();
        assert_eq!(store.keep(&inventory).unwrap(), 1);
        let kept = store.inventory(&packs).unwrap();
        assert_eq!(kept.paths(), found.paths());
        assert_eq!(class(&kept), class(&found));
    }
}

#[test]
fn a_pack_is_refused_with_the_reason_and_changes_nothing() {
    let (signer, stranger) = (Signer::new(), Signer::new());
    refused(Packs::new("shopping list"), "shopping list");
    refused(Packs::built_in().apply(&pack(&signer, 1, "plc")), "not trusted");
    let packs = Packs::new(&signer.public()).unwrap();
    refused(packs.roll_back(), "nothing was in use before");
    packs.apply(&pack(&signer, 2, "plc")).unwrap();
    let mut changed = pack(&signer, 3, "plc");
    *changed.last_mut().unwrap() ^= 1;
    refused(packs.apply(&changed), "tampered");
    refused(packs.open(&pack(&stranger, 3, "plc")), "not trusted");
    refused(packs.apply(&pack(&signer, 2, "plc")), "roll back instead");
    refused(Store::in_memory().preview(&packs, &changed), "tampered");
    assert_eq!(packs.in_use().unwrap().version, 2);
}

#[test]
fn a_folder_keeps_the_pack_in_use_from_run_to_run() {
    let (folder, signer) = (Folder::new("blocking"), Signer::new());
    let path = folder.file("pack");
    let again = || Packs::in_folder(&signer.public(), path.to_str().unwrap()).unwrap();
    let version = |packs: &Packs| packs.in_use().map(|card| card.version);
    let packs = again();
    assert_eq!((version(&packs), packs.refused()), (None, None));
    packs.apply(&pack(&signer, 1, "one")).unwrap();
    packs.apply(&pack(&signer, 2, "two")).unwrap();
    refused(packs.apply(&pack(&signer, 1, "one")), "roll back instead");
    assert_eq!(version(&again()), Some(2));
    assert_eq!(packs.roll_back().unwrap().unwrap().version, 1);
    assert_eq!((version(&packs), version(&again())), (Some(1), Some(1)));

    std::fs::write(path.join("in-use.otpack"), b"gone bad").unwrap();
    let packs = again();
    assert_eq!(version(&packs), None);
    assert!(packs.refused().unwrap().contains("no data pack"), "{:?}", packs.refused());
    packs.apply(&pack(&signer, 3, "three")).unwrap();
    assert_eq!(version(&again()), Some(3));
}

#[cfg(feature = "store-sqlite")]
#[test]
fn a_store_in_a_file_is_there_in_the_next_run() {
    let (folder, packs) = (Folder::new("blocking-file"), Packs::built_in());
    let file = folder.file("plant.otcore");
    let open = || Store::open(file.to_str().unwrap());
    let found = scanned(&packs);
    open().unwrap().keep(&found).unwrap();
    let store = open().unwrap();
    assert_eq!(store.inventory(&packs).unwrap().paths(), found.paths());
    store.check().unwrap();
    drop(store);
    std::fs::write(&file, "shopping list").unwrap();
    refused(open(), "no store of this engine");
}

#[cfg(not(feature = "store-sqlite"))]
#[test]
fn a_build_without_stores_in_files_says_so() {
    refused(Store::open("plant.otcore"), "without `store-sqlite`");
}
