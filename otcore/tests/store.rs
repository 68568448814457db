//! Stores keep what was seen, and tell what is known now and how it came to be.
#![cfg(feature = "store-sqlite")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod store_support;

use std::collections::BTreeMap;

use otcore::fingerprint::Knowledge;
use otcore::model::{Asset, Field};
use otcore::store::{InMemory, InventoryStore, Look, Place, Sqlite, StoreError, Which};
use proptest::prelude::*;
use store_support::{Folder, Seen, copy, zone};

fn known() -> Knowledge {
    Knowledge::built_in()
}

/// Both kinds of store, with the same in them.
fn both(folder: &Folder, looks: &[Look]) -> [Box<dyn InventoryStore>; 2] {
    let file = Sqlite::open(folder.file("plant.otcore")).unwrap();
    let stores: [Box<dyn InventoryStore>; 2] = [Box::new(InMemory::default()), Box::new(file)];
    for store in &stores {
        store.append(looks).unwrap();
    }
    stores
}

fn only_asset(store: &dyn InventoryStore) -> Asset {
    let inventory = store.inventory(&known()).unwrap();
    assert_eq!(inventory.len(), 1);
    inventory.iter().next().unwrap().clone()
}

#[test]
fn a_new_firmware_takes_back_the_old_one_and_history_keeps_both() {
    let folder = Folder::new("history");
    let seen = [(0, "V1.0"), (10, "V1.0"), (20, "V2.0"), (30, "V1.0")];
    let looks: Vec<Look> = seen.iter().map(|(at, v)| Seen::new(7, *at, v).look()).collect();
    for store in both(&folder, &looks) {
        let asset = only_asset(&*store);
        assert_eq!(asset.node.identity.value(Field::Firmware), Some("V1.0"));
        assert!(!asset.node.identity.is_disputed(Field::Firmware));
        assert_eq!(asset.node.identity.claims(Field::Firmware).count(), 1);
        let history = store.history(&known(), "line-3/10.0.0.7", "firmware").unwrap();
        let values: Vec<_> = history.iter().map(|claim| claim.value.as_str()).collect();
        assert_eq!(values, ["V1.0", "V2.0", "V1.0"]);
        assert!(history.is_sorted_by_key(|claim| claim.evidence.at));
        let place = &store.places().unwrap()[0];
        assert_eq!(store.looks(place, Which::All).unwrap(), looks);
        assert_eq!(store.looks(place, Which::Live).unwrap(), looks[3..]);
    }
}

#[test]
fn what_a_later_look_does_not_ask_for_stays_with_its_time() {
    let folder = Folder::new("shallow");
    let deep = Seen { deep: true, units: vec![255, 17], ..Seen::new(7, 0, "V1.0") };
    let looks = [deep.look(), Seen::new(7, 10, "V2.0").look()];
    for store in both(&folder, &looks) {
        let asset = only_asset(&*store);
        let identity = &asset.node.identity;
        assert_eq!(identity.value(Field::Firmware), Some("V2.0"));
        let model = identity.best(Field::Model).or_else(|| identity.best(Field::ProductName));
        assert!(model.is_some(), "{identity:?}");
        assert!(identity.best(Field::UserApplication).unwrap().evidence.at < looks[1].at);
        let path = "line-3/10.0.0.7";
        assert_eq!(store.history(&known(), path, "user_application").unwrap().len(), 1);
    }
}

#[test]
fn a_conclusion_ends_with_what_it_stands_on() {
    let folder = Folder::new("conclusion");
    let rules = r#"
        [[rule]]
        id = "modbus/old-firmware"
        reference = "made up for this test"
        when = { firmware = { is = "V1.0" } }
        then = { device_class = "old" }
        examples = []
    "#;
    let files = BTreeMap::from([("modbus.toml".to_owned(), rules.as_bytes().to_vec())]);
    let knowledge = Knowledge::from_files(&files).unwrap();
    for store in both(&folder, &[Seen::new(7, 0, "V1.0").look()]) {
        let old = || {
            let assets = store.inventory(&knowledge).unwrap();
            assert_eq!(assets, store.redecode(&knowledge).unwrap());
            let asset = assets.iter().next().unwrap();
            asset.node.identity.claims(Field::DeviceClass).any(|claim| claim.value == "old")
        };
        assert!(old());
        store.append(&[Seen::new(7, 10, "V2.0").look()]).unwrap();
        assert!(!old(), "nothing says V1.0 any more");
    }
}

#[test]
fn two_sources_that_disagree_stay_a_dispute() {
    let folder = Folder::new("dispute");
    let other = Seen { source: "other", ..Seen::new(7, 10, "V2.0") };
    let looks = [Seen::new(7, 0, "V1.0").look(), other.look()];
    for store in both(&folder, &looks) {
        assert!(only_asset(&*store).node.identity.is_disputed(Field::Firmware));
    }
}

#[test]
fn what_a_person_says_is_kept_and_wins() {
    let folder = Folder::new("said");
    let stores = both(&folder, &[Seen::new(7, 0, "V1.0").look()]);
    for store in stores {
        let mut said = Asset::new(zone(), "10.0.0.7".parse().unwrap());
        let mut claim = only_asset(&*store).node.identity.best(Field::Firmware).unwrap().clone();
        claim.value = "V9".into();
        claim.confidence = otcore::model::Confidence::Entered;
        let evidence = std::sync::Arc::make_mut(&mut claim.evidence);
        evidence.method = otcore::model::Method::Import;
        said.node.identity.add(Field::Firmware, claim);
        let look = Look::said(Seen::new(7, 5, "").look().at, said).unwrap();
        store.append(&[look, Seen::new(7, 10, "V2.0").look()]).unwrap();
        let asset = only_asset(&*store);
        assert_eq!(asset.node.identity.value(Field::Firmware), Some("V9"));
        assert_eq!(asset.node.identity.claims(Field::Firmware).count(), 2);
        assert_eq!(store.inventory(&known()).unwrap(), store.redecode(&known()).unwrap());
    }
}

#[test]
fn new_knowledge_says_more_about_old_bytes_without_a_packet() {
    let folder = Folder::new("redecode");
    let rules = r#"
        [[rule]]
        id = "modbus/tarnwick-9"
        reference = "made up for this test"
        when = { vendor = { starts_with = "Tarnwick" } }
        then = { device_class = "plc" }
        examples = []
    "#;
    let files = BTreeMap::from([("modbus.toml".to_owned(), rules.as_bytes().to_vec())]);
    let better = Knowledge::from_files(&files).unwrap();
    for store in both(&folder, &[Seen::new(7, 0, "V1.0").look()]) {
        let class = |knowledge: &Knowledge| {
            let assets = store.redecode(knowledge).unwrap();
            assert_eq!(assets, store.inventory(knowledge).unwrap());
            let asset = assets.iter().next().unwrap().clone();
            asset.node.identity.value(Field::DeviceClass).map(str::to_owned)
        };
        assert_eq!(class(&known()), None);
        assert_eq!(class(&better).as_deref(), Some("plc"));
        assert_eq!(class(&known()), None, "and nothing of it stays behind");
    }
}

#[test]
fn what_does_not_belong_to_a_look_is_refused_and_nothing_of_it_is_kept() {
    let folder = Folder::new("misplaced");
    let mut wrong = Seen::new(7, 0, "V1.0").look();
    wrong.exchanges[0].address = "10.0.0.8".parse().unwrap();
    for store in both(&folder, &[]) {
        let error = store.append(&[Seen::new(7, 0, "V1.0").look(), wrong.clone()]).unwrap_err();
        assert!(matches!(error, StoreError::Misplaced { .. }), "{error}");
        assert!(store.places().unwrap().is_empty());
        let nowhere = store.history(&known(), "line-3", "firmware").unwrap_err();
        assert!(matches!(nowhere, StoreError::NoSuchPath(_)));
        let nothing = store.history(&known(), "line-3/10.0.0.7", "colour").unwrap_err();
        assert!(matches!(nothing, StoreError::NoSuchField(_)));
    }
}

#[test]
fn a_file_of_a_newer_engine_is_refused_and_stays_as_it_is() {
    let folder = Folder::new("newer");
    let path = folder.file("plant.otcore");
    drop(Sqlite::open(&path).unwrap());
    rusqlite_of(&path, "PRAGMA user_version = 999");
    let before = std::fs::read(&path).unwrap();
    let error = Sqlite::open(&path).unwrap_err();
    let StoreError::Newer { found: 999, known: 1, .. } = error else { panic!("{error}") };
    assert!(error.to_string().contains("update the engine"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_file_that_is_something_else_is_refused_and_stays_as_it_is() {
    let folder = Folder::new("alien");
    for (name, content) in [("text", b"shopping list".to_vec()), ("zeros", vec![0; 8192])] {
        let path = folder.file(name);
        std::fs::write(&path, &content).unwrap();
        let error = Sqlite::open(&path).unwrap_err();
        assert!(matches!(error, StoreError::NotAStore { .. }), "{name}: {error}");
        assert_eq!(std::fs::read(&path).unwrap(), content);
    }
    let path = folder.file("another database");
    rusqlite_of(&path, "CREATE TABLE look (id INTEGER)");
    assert!(matches!(Sqlite::open(&path).unwrap_err(), StoreError::NotAStore { .. }));
    rusqlite_of(&path, "PRAGMA application_id = 0x6F74636F; PRAGMA user_version = 1");
    assert!(matches!(Sqlite::open(&path).unwrap_err(), StoreError::Damaged { .. }));
    assert!(matches!(Sqlite::open("/").unwrap_err(), StoreError::File { .. }));
}

#[test]
fn a_database_of_somebody_else_stays_as_it_is_though_a_journal_lies_beside_it() {
    let folder = Folder::new("persistent");
    for (name, version) in [("plain", 0), ("numbered", 1), ("later", 7)] {
        let path = folder.file(name);
        rusqlite_of(
            &path,
            &format!(
                "PRAGMA journal_mode = PERSIST; CREATE TABLE recipe (id INTEGER);
                 PRAGMA user_version = {version}"
            ),
        );
        assert!(folder.file(&format!("{name}-journal")).exists());
        let before = std::fs::read(&path).unwrap();
        let error = Sqlite::open(&path).unwrap_err();
        assert!(matches!(error, StoreError::NotAStore { .. }), "{name}: {error}");
        assert_eq!(std::fs::read(&path).unwrap(), before, "{name}");
    }
}

#[test]
fn what_was_kept_cannot_be_changed_even_by_hand() {
    let folder = Folder::new("append-only");
    let path = folder.file("plant.otcore");
    Sqlite::open(&path).unwrap().append(&[Seen::new(7, 0, "V1.0").look()]).unwrap();
    for sql in [
        "DELETE FROM look",
        "UPDATE look SET at = 0",
        "DELETE FROM exchange",
        "UPDATE exchange SET response = x''",
        "DELETE FROM word",
        "UPDATE word SET body = '{}'",
    ] {
        let error = rusqlite::Connection::open(&path).unwrap().execute_batch(sql).unwrap_err();
        assert!(error.to_string().contains("is never"), "{sql}: {error}");
    }
}

#[test]
fn several_may_have_the_file_open_at_once() {
    let folder = Folder::new("many");
    let path = folder.file("plant.otcore");
    let add = |device: u8| {
        let store = Sqlite::open(&path).unwrap();
        (0..20).for_each(|at| store.append(&[Seen::new(device, at, "V1.0").look()]).unwrap());
    };
    std::thread::scope(|scope| (1..5).for_each(|device| drop(scope.spawn(move || add(device)))));
    let store = Sqlite::open(&path).unwrap();
    store.check().unwrap();
    let looks: usize = store.places().unwrap().iter().map(|p| all(&store, p).len()).sum();
    assert_eq!(looks, 80);
}

fn all(store: &Sqlite, place: &Place) -> Vec<Look> {
    store.looks(place, Which::All).unwrap()
}

#[test]
fn any_damaged_byte_is_an_error_or_harmless_and_never_another_inventory() {
    let folder = Folder::new("damage");
    let (path, broken) = (folder.file("plant.otcore"), folder.file("broken.otcore"));
    let looks: Vec<Look> =
        (0..40).map(|n| Seen::new(n, i64::from(n), &format!("V{n}")).look()).collect();
    let store = Sqlite::open(&path).unwrap();
    store.append(&looks).unwrap();
    let truth = store.inventory(&known()).unwrap();
    drop(store); // closing writes everything into the one file
    let whole = std::fs::read(&path).unwrap();
    let mut found = 0;
    for (round, at) in (0..whole.len()).step_by(whole.len() / 300).enumerate() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (round % 8);
        std::fs::write(&broken, &bytes).unwrap();
        let read = Sqlite::open(&broken).and_then(|store| {
            let inventory = store.inventory(&known())?;
            store.check().map(|()| inventory)
        });
        match read {
            Ok(inventory) => assert_eq!(inventory, truth, "byte {at}"),
            Err(StoreError::File { why, .. }) => panic!("byte {at}: {why}"),
            Err(_) => found += 1,
        }
        for end in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(folder.file(&format!("broken.otcore{end}")));
        }
    }
    assert!(found > 100, "only {found} of 300 damages were found");
}

#[test]
fn a_power_cut_anywhere_in_the_log_leaves_the_beginning_of_what_was_kept() {
    let folder = Folder::new("torn");
    let (path, torn) = (folder.file("plant.otcore"), folder.file("torn.otcore"));
    let store = Sqlite::open(&path).unwrap();
    let looks: Vec<Look> = (0..12).map(|at| Seen::new(7, at, &format!("V{at}")).look()).collect();
    looks.iter().for_each(|look| store.append(std::slice::from_ref(look)).unwrap());
    let log = std::fs::read(folder.file("plant.otcore-wal")).unwrap();
    let mut last = 0;
    for length in (0..=log.len()).step_by(397).chain([log.len()]) {
        copy(&path, &torn);
        std::fs::write(folder.file("torn.otcore-wal"), &log[..length]).unwrap();
        let _ = std::fs::remove_file(folder.file("torn.otcore-shm"));
        let store = Sqlite::open(&torn).unwrap();
        store.check().unwrap();
        let kept = store.places().unwrap().first().map(|p| all(&store, p)).unwrap_or_default();
        assert_eq!(kept, looks[..kept.len()], "{length} bytes of the log");
        assert!(kept.len() >= last, "{length} bytes of the log");
        last = kept.len();
    }
    assert_eq!(last, looks.len());
}

/// Do something to the file that the engine would never do.
fn rusqlite_of(path: &std::path::Path, sql: &str) {
    rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

fn seen() -> impl Strategy<Value = Seen> {
    let units = prop_oneof![Just(vec![255]), Just(vec![255, 17]), Just(vec![17]), Just(vec![])];
    let source = prop_oneof![Just("agent"), Just("other")];
    (1u8..3, 0i64..12, "[12]", units, source, any::<bool>()).prop_map(
        |(device, second, firmware, units, source, deep)| Seen {
            source,
            units,
            deep,
            ..Seen::new(device, second, &firmware)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_kind_of_store_says_the_same_from_live_looks_and_from_all_in_any_order(
        seen in prop::collection::vec(seen(), 0..14),
        split in 0usize..14,
    ) {
        let folder = Folder::new("same");
        let looks: Vec<Look> = seen.iter().map(Seen::look).collect();
        let (first, second) = looks.split_at(split.min(looks.len()));
        let stores = both(&folder, first);
        let mut backwards = looks.clone();
        backwards.reverse();
        let other = InMemory::default();
        other.append(&backwards).unwrap();
        let expected = other.redecode(&known()).unwrap();
        for store in &stores {
            store.append(second).unwrap();
            prop_assert_eq!(&store.inventory(&known()).unwrap(), &expected);
            prop_assert_eq!(&store.redecode(&known()).unwrap(), &expected);
        }
        drop(stores);
        let again = Sqlite::open(folder.file("plant.otcore")).unwrap();
        again.check().unwrap();
        prop_assert_eq!(&again.inventory(&known()).unwrap(), &expected);
    }
}
