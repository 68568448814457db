//! Data packs are used only if they are whole, trusted, in time and for this engine; and whatever
//! is in one, the same questions are asked.
#![cfg(feature = "sim")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod pack_support;
mod store_support;

use std::collections::BTreeMap;
use std::sync::Arc;

use otcore::fingerprint::Knowledge;
use otcore::model::{DataPack, Field, REPORT_SCHEMA, reread};
use otcore::pack::{Engines, Folder, InUse, Keys, MOST_BYTES, Pack, PackError, Shelf};
use otcore::sim::Plant;
use otcore::store::{InMemory, InventoryStore};
use otcore::{Document, Inventory, Report, Scanner, Targets};
use pack_support::{Signer, card, drafted, rules, today};
use proptest::prelude::*;
use store_support::Seen;

fn good(signer: &Signer) -> Vec<u8> {
    signer.pack(card(3), &[("modbus.toml", &rules("Tarnwick", "plc"))])
}

fn refused(bytes: &[u8], signer: &Signer) -> PackError {
    Pack::open(bytes, &signer.keys(), today()).unwrap_err()
}

#[test]
fn a_good_pack_says_who_signed_it_and_what_it_is() {
    let signer = Signer::new();
    let pack = Pack::open(&good(&signer), &signer.keys(), today()).unwrap();
    assert_eq!((pack.card().name.as_str(), pack.card().version), ("plant-names", 3));
    assert!(pack.signer().starts_with("RW"), "{}", pack.signer());
    let own = |knowledge: &Knowledge| knowledge.rules().iter().any(|r| r.id == "modbus/of-a-pack");
    assert!(own(pack.knowledge()) && !own(&Knowledge::built_in()));
    let s7 = |rule: &&otcore::fingerprint::Rule| rule.id.starts_with("s7/");
    let kept = pack.knowledge().rules().iter().filter(s7).count();
    assert_eq!(kept, Knowledge::built_in().rules().iter().filter(s7).count());
}

#[test]
fn what_the_reference_implementation_signed_is_good() {
    let pack = include_bytes!("vectors/packs/nothing-new.otpack");
    let keys = Keys::parse(include_str!("vectors/packs/reference.pub")).unwrap();
    assert_eq!(Pack::open(pack, &keys, today()).unwrap().card().name, "nothing-new");
}

#[test]
fn every_reason_to_refuse_a_pack_is_told() {
    let (signer, stranger) = (Signer::new(), Signer::new());
    let told = |error: PackError, words: &str| {
        assert!(error.to_string().contains(words), "{error}");
    };
    told(Pack::open(&good(&stranger), &signer.keys(), today()).unwrap_err(), "not trusted");
    let mut changed = good(&signer);
    *changed.last_mut().unwrap() ^= 1;
    told(refused(&changed, &signer), "tampered");
    let late = Pack::open(&good(&signer), &signer.keys(), card(3).expires);
    told(late.unwrap_err(), "expired at 2027-01-01T00:00:00Z");
    let version = |text: &str| text.parse().unwrap();
    let engine = |from, to| {
        let engine = Engines { from: version(from), to: version(to) };
        signer.pack(otcore::pack::Card { engine, ..card(3) }, &[])
    };
    told(refused(&engine("900.0.0", "901.0.0"), &signer), "needs engine 900.0.0 or newer");
    told(refused(&engine("0.0.1", "0.0.2"), &signer), "for engines up to 0.0.2");
    told(refused(&signer.sign(b"otcore-pack-2\n{}\n"), &signer), "update the engine");
    told(refused(b"", &signer), "no signature");
    told(refused(&vec![b'\n'; MOST_BYTES + 1], &signer), "more than");
    told(refused(b"shopping list\n\n\n\n\n", &signer), "does not begin as one");
    told(Keys::parse("shopping list").unwrap_err(), "shopping list");
    told(Keys::parse("# nothing\n").unwrap_err(), "no minisign public key");
}

#[test]
fn a_pack_with_knowledge_that_this_engine_cannot_read_is_refused() {
    let signer = Signer::new();
    let signed = |line: &str, contents: &str| {
        signer.sign(format!("otcore-pack-1\n{line}\n{contents}").as_bytes())
    };
    let line = |parts: &str| {
        let text = serde_json::to_string(&card(3)).unwrap();
        text.replace("\"parts\":[]", &format!("\"parts\":[{parts}]"))
    };
    let cases = [
        (line(r#"{"name":"modbus.toml","bytes":4}"#), "rule", "modbus"),
        (line(r#"{"name":"requests.toml","bytes":4}"#), "rule", "requests.toml"),
        (line(r#"{"name":"../modbus.toml","bytes":4}"#), "rule", "modbus.toml"),
        (line(r#"{"name":"modbus.toml","bytes":1}"#), "\u{fffd}", "2 bytes belong to no file"),
        (line(r#"{"name":"modbus.toml","bytes":5}"#), "rule", "longer than the pack"),
        (line(r#"{"name":"modbus.toml","bytes":18446744073709551615}"#), "rule", "longer than"),
        (line(r#"{"name":"modbus.toml","bytes":-1}"#), "rule", "card"),
        (line(r#"{"name":"s7.toml","bytes":0},{"name":"s7.toml","bytes":0}"#), "", "twice"),
        (line("").replace("plant-names", "plant names"), "", "not allowed"),
        (line("").replace("\"about\"", "\"requests\""), "", "requests"),
        ("{".repeat(1 << 15), "", "card"),
        ("[".repeat(1 << 17), "", "does not end"),
        (String::new(), "", "card"),
    ];
    for (line, contents, words) in cases {
        let error = refused(&signed(&line, contents), &signer).to_string();
        assert!(error.contains(words), "{words}: {error}");
    }
    assert!(refused(&signer.sign(b""), &signer).to_string().contains("no layout"));
}

#[test]
fn a_shelf_exchanges_what_is_in_use_and_goes_back_once() {
    let signer = Signer::new();
    let pack = |version| {
        let bytes = signer.pack(card(version), &[]);
        Pack::open(&bytes, &signer.keys(), today()).unwrap()
    };
    let (shelf, version) =
        (Shelf::new(), |shelf: &Shelf| shelf.in_use().card.map(|card| card.version));
    assert_eq!(shelf.roll_back().unwrap_err(), PackError::NothingBefore);
    shelf.put(pack(3)).unwrap();
    for old in [2, 3] {
        let error = shelf.put(pack(old)).unwrap_err().to_string();
        assert!(error.contains("roll back instead"), "{error}");
    }
    shelf.put(pack(4)).unwrap();
    assert_eq!(version(&shelf), Some(4));
    assert_eq!(shelf.roll_back().unwrap().map(|card| card.version), Some(3));
    assert_eq!(shelf.roll_back().unwrap_err(), PackError::NothingBefore);
    assert_eq!(version(&shelf), Some(3));
    shelf.put(pack(5)).unwrap();
    let shelf = Shelf::new();
    shelf.put(pack(1)).unwrap();
    assert_eq!(shelf.roll_back().unwrap(), None, "what is compiled in");
}

#[test]
fn a_folder_keeps_the_pack_in_use_and_the_one_before_it() {
    let folder = store_support::Folder::new("packs");
    let (signer, stranger) = (Signer::new(), Signer::new());
    let packs = Folder::new(folder.file("pack"), signer.keys());
    let pack = |version| signer.pack(card(version), &[]);
    let in_use = |now| packs.in_use(now).map(|pack| pack.map(|pack| pack.card().version));
    assert_eq!(in_use(today()), Ok(None));
    assert_eq!(packs.roll_back(today()).unwrap_err(), PackError::NothingBefore);
    packs.put(&pack(1), today()).unwrap();
    packs.put(&pack(2), today()).unwrap();
    assert!(matches!(packs.put(&pack(2), today()), Err(PackError::NotNewer { .. })));
    assert!(matches!(packs.put(&pack(1), today()), Err(PackError::NotNewer { .. })));
    let strange = stranger.pack(card(3), &[]);
    assert_eq!(packs.put(&strange, today()).unwrap_err(), PackError::UnknownKey);
    assert_eq!(in_use(today()), Ok(Some(2)));
    assert!(matches!(in_use(card(1).expires), Err(PackError::Expired { .. })));
    let back = packs.roll_back(today()).unwrap().unwrap();
    assert_eq!((back.card().version, in_use(today())), (1, Ok(Some(1))));
    assert_eq!(packs.roll_back(today()).unwrap_err(), PackError::NothingBefore);
    std::fs::write(folder.file("pack/in-use.otpack"), &strange).unwrap();
    assert_eq!(in_use(today()), Err(PackError::UnknownKey), "even what lies in the folder");
    std::fs::remove_file(folder.file("pack/in-use.otpack")).unwrap();
    packs.put(&pack(1), today()).unwrap();
    assert!(packs.roll_back(today()).unwrap().is_none(), "what is compiled in");
    assert_eq!(in_use(today()), Ok(None));
}

#[test]
fn whoever_asks_while_packs_are_exchanged_gets_one_of_them_whole() {
    let (shelf, signer) = (Shelf::new(), Signer::new());
    let pack = |version: u64| {
        let bytes =
            signer.pack(card(version), &[("modbus.toml", &rules("", &version.to_string()))]);
        Pack::open(&bytes, &signer.keys(), today()).unwrap()
    };
    let packs: Vec<Pack> = (1..30).map(pack).collect();
    let whole = || {
        let InUse { card, knowledge } = shelf.in_use();
        let own = knowledge.rules().iter().find(|rule| rule.id == "modbus/of-a-pack");
        let class = own.map(|rule| rule.then[&Field::DeviceClass].clone());
        assert_eq!(card.map(|card| card.version.to_string()), class);
    };
    std::thread::scope(|scope| {
        let readers = [(); 3].map(|()| scope.spawn(|| (0..2000).for_each(|_| whole())));
        packs.into_iter().for_each(|pack| shelf.put(pack).unwrap());
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
}

#[test]
fn a_preview_names_what_a_stored_inventory_would_say_otherwise() {
    let signer = Signer::new();
    let pack = Pack::open(&good(&signer), &signer.keys(), today()).unwrap();
    let store = InMemory::default();
    store.append(&[Seen::new(7, 0, "V1.0").look(), Seen::new(8, 0, "V2.0").look()]).unwrap();
    let said = |knowledge: &Knowledge| -> Inventory { store.inventory(knowledge).unwrap() };
    let (now, then) = (said(&Knowledge::built_in()), said(pack.knowledge()));
    assert!(reread(&now, &now).is_empty());
    let diff = reread(&now, &then);
    let paths: Vec<_> = diff.changed.iter().map(|changed| changed.spot.path.as_str()).collect();
    assert_eq!(paths, ["line-3/10.0.0.7", "line-3/10.0.0.8"]);
    for changed in &diff.changed {
        let [change] = &changed.changes[..] else { panic!("{changed:?}") };
        assert_eq!((change.field.as_str(), &change.from), ("identity.device_class", &None));
        let to = change.to.as_ref().unwrap();
        assert_eq!(to.value, "plc");
        assert_eq!(to.evidence.rule.as_deref(), Some("modbus/of-a-pack"));
    }
    let back = reread(&then, &now);
    let lost = back.changed.iter().flat_map(|changed| &changed.changes);
    assert_eq!(lost.filter(|change| change.from.is_some() && change.to.is_none()).count(), 2);
}

/// Scan three devices of the pretend plant, always with the same tags; `meanwhile` while it runs.
async fn scan(shelf: &Arc<Shelf>, meanwhile: impl FnOnce()) -> Report {
    let plant = Plant::demo().start().await.unwrap();
    let devices = ["compact-plc", "drive", "serial-gateway"];
    let targets = devices.map(|name| plant.device(name).unwrap().target());
    let scanner = Scanner::builder().seed(1).shelf(Arc::clone(shelf)).build().unwrap();
    let plan = scanner.plan(&Targets::parse(targets.iter().map(String::as_str)).unwrap()).unwrap();
    let scan = scanner.start(plan);
    meanwhile();
    let report = scan.finish().await;
    assert!(plant.violations().is_empty());
    report
}

/// Every question, without the port, which is another one each time.
fn questions(report: &Report) -> Vec<(String, String)> {
    let asked = report.exchanges.iter().map(|e| (e.function.clone(), e.request.to_string()));
    let mut asked: Vec<_> = asked.collect();
    asked.sort();
    asked
}

fn classes(report: &Report) -> Vec<String> {
    let class = |asset: &otcore::Asset| {
        asset.node.identity.value(Field::DeviceClass).unwrap_or_default().to_owned()
    };
    report.assets.iter().map(class).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_ends_with_the_knowledge_it_began_with_and_asks_the_same_with_any() {
    let (shelf, signer) = (Arc::new(Shelf::new()), Signer::new());
    let every = rules("", "named by the pack");
    let pack = signer.pack(card(3), &[("modbus.toml", &every)]);
    let pack = Pack::open(&pack, &signer.keys(), today()).unwrap();
    let manifest = otcore::manifest().to_string();
    let before = scan(&shelf, || shelf.put(pack).unwrap()).await;
    assert!(!classes(&before).contains(&"named by the pack".to_owned()), "{:?}", classes(&before));
    assert_eq!(before.data_pack, None);
    let after = scan(&shelf, || ()).await;
    let named = DataPack { name: card(3).name, version: 3 };
    assert_eq!(after.data_pack, Some(named.clone()), "a report says which pack named its assets");
    let json = serde_json::to_value(&after).unwrap();
    let schema = serde_json::from_str(REPORT_SCHEMA).unwrap();
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&json));
    let read = Document::read(&json.to_string()).unwrap();
    assert_eq!(read.scans[0].data_pack, Some(named));
    assert!(otcore::export::html(&read).contains("named by data pack"));
    assert!(classes(&after).contains(&"named by the pack".to_owned()), "{:?}", classes(&after));
    assert!(!questions(&before).is_empty());
    assert_eq!(questions(&before), questions(&after));
    assert_eq!(before.counters.requests, after.counters.requests);
    assert_eq!(manifest, otcore::manifest().to_string());
    shelf.roll_back().unwrap();
    let back = scan(&shelf, || ()).await;
    assert!(!classes(&back).contains(&"named by the pack".to_owned()), "{:?}", classes(&back));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_says_of_a_scan_what_its_report_says() {
    let report = scan(&Arc::new(Shelf::new()), || ()).await;
    let store = InMemory::default();
    store.append(&report.looks()).unwrap();
    assert!(!report.assets.is_empty());
    assert_eq!(store.inventory(&Knowledge::built_in()).unwrap(), report.assets);
}

/// Of the parts that are cheap to refuse, every bit; of the rest, which takes a signature, some.
#[test]
fn any_flipped_bit_in_the_signature_is_refused() {
    let signer = Signer::new();
    let pack = signer.pack(card(3), &[]);
    let signature = pack.windows(13).position(|bytes| bytes == b"otcore-pack-1").unwrap();
    let keys = signer.keys();
    for bit in 0..signature * 8 {
        let mut pack = pack.clone();
        pack[bit / 8] ^= 1 << (bit % 8);
        assert!(Pack::open(&pack, &keys, today()).is_err(), "bit {bit} of the signature");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_flipped_bit_and_any_other_length_is_refused(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let signer = Signer::new();
        let (pack, keys) = (good(&signer), signer.keys());
        let at = at.index(pack.len());
        let mut flipped = pack.clone();
        flipped[at] ^= 1 << bit;
        prop_assert!(Pack::open(&flipped, &keys, today()).is_err());
        prop_assert!(Pack::open(&pack[..at], &keys, today()).is_err());
        prop_assert!(Pack::open(&[&pack[..], &pack[..at + 1]].concat(), &keys, today()).is_err());
        prop_assert!(Pack::open(&pack, &keys, today()).is_ok());
    }

    #[test]
    fn bytes_that_were_signed_by_a_friend_are_read_without_harm(
        line in "[a-z0-9{}\":,\\[\\]-]{0,80}",
        rest in prop::collection::vec(any::<u8>(), 0..200),
        sizes in prop::collection::vec(any::<usize>(), 0..4),
    ) {
        let signer = Signer::new();
        let part = |(n, bytes): (usize, &usize)| format!(r#"{{"name":"{n}","bytes":{bytes}}}"#);
        let parts: Vec<String> = sizes.iter().enumerate().map(part).collect();
        let card = serde_json::to_string(&card(1)).unwrap();
        let card = card.replace("\"parts\":[]", &format!("\"parts\":[{}]", parts.join(",")));
        for line in [line, card] {
            let signed = [format!("otcore-pack-1\n{line}\n").as_bytes(), &rest].concat();
            let _ = Pack::open(&signer.sign(&signed), &signer.keys(), today());
        }
        let _ = Pack::open(&rest, &signer.keys(), today());
    }

    #[test]
    fn a_pack_holds_what_was_drafted(texts in prop::collection::vec("# [a-z\n ]{0,40}", 0..3)) {
        let texts: Vec<String> = texts.iter().map(|text| text.replace('\n', "\n# ")).collect();
        let names = ["modbus.toml", "s7.toml", "enip.toml"];
        let files: Vec<(&str, &str)> = names.into_iter().zip(texts.iter().map(String::as_str)).collect();
        let signer = Signer::new();
        let bytes = signer.sign(&drafted(card(1), &files));
        let pack = Pack::open(&bytes, &signer.keys(), today()).unwrap();
        let parts: BTreeMap<_, _> = pack.card().parts.iter().map(|p| (p.name.as_str(), p.bytes)).collect();
        let expected: BTreeMap<_, _> = files.iter().map(|(name, text)| (*name, text.len())).collect();
        prop_assert_eq!(parts, expected);
        prop_assert!(bytes.len() > texts.iter().map(String::len).sum());
    }
}
