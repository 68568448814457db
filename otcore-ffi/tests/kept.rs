//! Stores and data packs as a C program sees them.
#![allow(unsafe_code)] // C has nothing else
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests

#[path = "../../otcore/tests/pack_support/mod.rs"]
mod pack_support;

use std::ffi::{CStr, CString, c_void};
use std::path::PathBuf;
use std::ptr::{null, null_mut};

use OtcoreStatus as Status;
use otcore::blocking::Plant;
use otcore_ffi::*;
use pack_support::{Signer, card, rules};
use serde_json::Value;

fn c(text: impl Into<Vec<u8>>) -> CString {
    CString::new(text).unwrap()
}

fn told() -> String {
    unsafe { CStr::from_ptr(otcore_last_error()) }.to_str().unwrap().to_owned()
}

fn made<T>(make: impl FnOnce(*mut *mut T) -> Status) -> *mut T {
    let mut out = null_mut();
    assert_eq!(make(&raw mut out), Status::Ok, "{}", told());
    out
}

/// The text that a call gives, as JSON.
fn json(make: impl FnOnce(*mut *mut OtcoreText) -> Status) -> Value {
    let text = made(make);
    let bytes = unsafe { CStr::from_ptr(otcore_text_str(text)) }.to_bytes().to_vec();
    assert_eq!(otcore_text_free(text), Status::Ok);
    serde_json::from_slice(&bytes).unwrap()
}

fn refused<T>(make: impl FnOnce(*mut *mut T) -> Status, words: &str) {
    let mut out = null_mut();
    assert_eq!(make(&raw mut out), Status::File, "{words}");
    assert!(out.is_null());
    assert!(told().contains(words), "{words}: {}", told());
}

/// The report of a scan of one device of the plant, which calls it by what these packs say.
fn report(packs: *const OtcorePacks) -> CString {
    let plant = Plant::start(0).unwrap();
    let target = c(plant.devices()[0].target());
    let settings = made(|out| unsafe { otcore_settings_new(null(), out) });
    assert_eq!(unsafe { otcore_settings_packs(settings, packs) }, Status::Ok);
    let scanner = made(|out| unsafe { otcore_scanner_new(settings, out) });
    let scan = made(|out| unsafe { otcore_scan_start(scanner, target.as_ptr(), out) });
    let report = json(|out| unsafe { otcore_scan_finish(scan, OTCORE_FOREVER, out) });
    for freed in
        [otcore_settings_free(settings), otcore_scanner_free(scanner), otcore_scan_free(scan)]
    {
        assert_eq!(freed, Status::Ok);
    }
    c(report.to_string())
}

fn class(asset: &Value) -> &Value {
    &asset["identity"]["device_class"]["value"]
}

fn opened(path: Option<&PathBuf>) -> *mut OtcoreStore {
    let path = path.map(|path| c(path.to_str().unwrap()));
    made(|out| unsafe {
        otcore_store_open(path.as_ref().map_or(null(), |path| path.as_ptr()), out)
    })
}

fn keep(store: *const OtcoreStore, report: &CString) -> usize {
    let mut count = 7;
    let status = unsafe { otcore_store_keep(store, report.as_ptr(), &raw mut count) };
    assert_eq!(status, Status::Ok, "{}", told());
    count
}

/// Rules under which devices of Tarnwick are of this class, signed.
fn pack(signer: &Signer, version: u64, class: &str) -> Vec<u8> {
    let expires = "2120-01-01T00:00:00Z".parse().unwrap();
    let card = otcore::pack::Card { expires, ..card(version) };
    signer.pack(card, &[("modbus.toml", &rules("Tarnwick", class))])
}

fn trusting(signer: &Signer, folder: Option<&PathBuf>) -> *mut OtcorePacks {
    let keys = c(signer.public());
    let folder = folder.map(|path| c(path.to_str().unwrap()));
    let folder = folder.as_ref().map_or(null(), |path| path.as_ptr());
    made(|out| unsafe { otcore_packs_new(keys.as_ptr(), folder, out) })
}

fn apply(packs: *const OtcorePacks, pack: &[u8]) -> Status {
    unsafe { otcore_packs_apply(packs, pack.as_ptr().cast(), pack.len()) }
}

fn in_use(packs: *const OtcorePacks) -> Value {
    json(|out| unsafe { otcore_packs_json(packs, out) })
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("otcore-ffi-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn what_was_seen_is_kept_from_one_run_to_the_next() {
    let folder = folder("store");
    let path = folder.join("plant.otcore");
    let report = report(null());
    let store = opened(Some(&path));
    assert_eq!(keep(store, &report), 1);
    assert_eq!(otcore_store_free(store), Status::Ok);
    assert_eq!(otcore_store_free(store), Status::BadHandle);

    let store = opened(Some(&path));
    assert_eq!(otcore_store_check(store), Status::Ok);
    let known = json(|out| unsafe { otcore_store_json(store, null(), out) });
    let found: Value = serde_json::from_slice(report.as_bytes()).unwrap();
    assert_eq!(known[0]["identity"], found["assets"][0]["identity"]);
    let (place, field) = (c(known[0]["path"].as_str().unwrap()), c("firmware"));
    let history = json(|out| unsafe {
        otcore_store_history_json(store, null(), place.as_ptr(), field.as_ptr(), out)
    });
    assert_eq!(history[0]["value"], known[0]["identity"]["firmware"]["value"]);
    let no_field = c("shoe_size");
    refused(
        |out| unsafe {
            otcore_store_history_json(store, null(), place.as_ptr(), no_field.as_ptr(), out)
        },
        "shoe_size",
    );
    let list = c("shopping list");
    let mut count = 7;
    assert_eq!(unsafe { otcore_store_keep(store, list.as_ptr(), &raw mut count) }, Status::File);
    assert_eq!(count, 7);
    assert_eq!(otcore_store_free(store), Status::Ok);

    let no_store = folder.join("notes.txt");
    std::fs::write(&no_store, "this is no store, and stays as it is").unwrap();
    let path = c(no_store.to_str().unwrap());
    refused(|out| unsafe { otcore_store_open(path.as_ptr(), out) }, "notes.txt");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn devices_are_called_by_the_pack_in_use() {
    let (signer, store) = (Signer::new(), opened(None));
    let packs = trusting(&signer, None);
    let report_before = report(packs);
    assert_eq!(keep(store, &report_before), 1);
    let known = || json(|out| unsafe { otcore_store_json(store, packs, out) });
    let decoded =
        || json(|out| unsafe { otcore_packs_redecode_json(packs, report_before.as_ptr(), out) });
    let new = pack(&signer, 1, "milk-pump");
    let (bytes, length) = (new.as_ptr().cast(), new.len());
    let card = json(|out| unsafe { otcore_packs_verify_json(packs, bytes, length, out) });
    assert_eq!((&card["name"], &card["version"]), (&"plant-names".into(), &1.into()));
    let changes = json(|out| unsafe {
        otcore_packs_preview_json(packs, bytes, length, report_before.as_ptr(), out)
    });
    let changes = changes["changed"][0]["changes"].to_string();
    assert!(changes.contains("milk-pump"), "{changes}");
    assert_eq!(in_use(packs)["in_use"], Value::Null);
    assert_ne!(class(&known()[0]), "milk-pump");

    assert_eq!(apply(packs, &new), Status::Ok, "{}", told());
    assert_eq!(in_use(packs)["in_use"], card);
    assert_eq!(class(&known()[0]), "milk-pump");
    assert_eq!(class(&decoded()[0]), "milk-pump");
    let after: Value = serde_json::from_slice(report(packs).as_bytes()).unwrap();
    assert_eq!(class(&after["assets"][0]), "milk-pump");
    let built_in = json(|out| unsafe { otcore_store_json(store, null(), out) });
    assert_ne!(class(&built_in[0]), "milk-pump");

    assert_eq!(otcore_packs_roll_back(packs), Status::Ok);
    assert_ne!(class(&decoded()[0]), "milk-pump");
    assert_eq!(otcore_packs_roll_back(packs), Status::File);
    assert!(told().contains("nothing was in use before"), "{}", told());
    assert_eq!(otcore_packs_free(packs), Status::Ok);
    assert_eq!(otcore_store_free(store), Status::Ok);
}

#[test]
fn a_pack_of_a_stranger_or_a_changed_one_is_refused() {
    let (signer, stranger) = (Signer::new(), Signer::new());
    let packs = trusting(&signer, None);
    let mut changed = pack(&signer, 1, "plc");
    *changed.last_mut().unwrap() ^= 1;
    for (pack, words) in [
        (pack(&stranger, 1, "plc"), "not trusted"),
        (changed, "tampered"),
        (b"shopping list".to_vec(), "pack"),
        (Vec::new(), "pack"),
    ] {
        assert_eq!(apply(packs, &pack), Status::File);
        assert!(told().contains(words), "{words}: {}", told());
        let (bytes, length) = (pack.as_ptr().cast(), pack.len());
        refused(|out| unsafe { otcore_packs_verify_json(packs, bytes, length, out) }, words);
    }
    assert_eq!(in_use(packs)["in_use"], Value::Null);
    assert_eq!(otcore_packs_free(packs), Status::Ok);
    let no_key = c("shopping list");
    refused(|out| unsafe { otcore_packs_new(no_key.as_ptr(), null(), out) }, "shopping list");
}

#[test]
fn a_folder_keeps_the_pack_in_use_and_says_why_it_is_not_used() {
    let (signer, folder) = (Signer::new(), folder("packs"));
    let packs = trusting(&signer, Some(&folder));
    assert_eq!(apply(packs, &pack(&signer, 3, "plc")), Status::Ok, "{}", told());
    assert_eq!(otcore_packs_free(packs), Status::Ok);
    let packs = trusting(&signer, Some(&folder));
    assert_eq!(in_use(packs)["in_use"]["version"], 3);
    assert_eq!(otcore_packs_free(packs), Status::Ok);
    let packs = trusting(&Signer::new(), Some(&folder));
    let status = in_use(packs);
    assert!(status["in_use"].is_null(), "{status}");
    assert!(status["refused"].as_str().unwrap().contains("not trusted"), "{status}");
    assert_eq!(otcore_packs_free(packs), Status::Ok);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn what_is_no_pack_no_store_or_no_place_for_a_result_is_an_error() {
    let (store, keys) = (opened(None), c(Signer::new().public()));
    let packs = made(|out| unsafe { otcore_packs_new(keys.as_ptr(), null(), out) });
    let one = 0_u8;
    let pack: *const c_void = (&raw const one).cast();
    let (mut text, mut count) = (null_mut(), 0);
    let (mut no_packs, mut no_store) = (null_mut(), null_mut());
    let (wrong_store, wrong_packs): (*const OtcoreStore, *const OtcorePacks) =
        (packs.cast(), store.cast());
    let bad_handles = unsafe {
        [
            otcore_store_check(wrong_store),
            otcore_store_keep(wrong_store, keys.as_ptr(), &raw mut count),
            otcore_store_json(wrong_store, null(), &raw mut text),
            otcore_store_json(store, wrong_packs, &raw mut text),
            otcore_store_history_json(
                store,
                wrong_packs,
                keys.as_ptr(),
                keys.as_ptr(),
                &raw mut text,
            ),
            otcore_packs_json(wrong_packs, &raw mut text),
            otcore_packs_apply(null(), pack, 1),
            otcore_packs_roll_back(wrong_packs),
            otcore_packs_verify_json(wrong_packs, pack, 1, &raw mut text),
            otcore_packs_preview_json(wrong_packs, pack, 1, keys.as_ptr(), &raw mut text),
            otcore_packs_redecode_json(wrong_packs, keys.as_ptr(), &raw mut text),
            otcore_settings_packs(null(), packs),
            otcore_store_free(packs.cast()),
            otcore_packs_free(store.cast()),
        ]
    };
    assert_eq!(bad_handles, [Status::BadHandle; 14]);
    let bad_pointers = unsafe {
        [
            otcore_packs_apply(packs, null(), 1),
            otcore_packs_verify_json(packs, pack, 1, null_mut()),
            otcore_packs_new(null(), null(), &raw mut no_packs),
            otcore_store_open(null(), null_mut()),
            otcore_store_keep(store, null(), &raw mut count),
            otcore_store_keep(store, keys.as_ptr(), null_mut()),
            otcore_store_history_json(store, null(), null(), null(), &raw mut text),
        ]
    };
    assert_eq!(bad_pointers, [Status::BadPointer; 7]);
    assert_eq!(unsafe { otcore_packs_apply(packs, pack, usize::MAX) }, Status::TooLong);
    let no_text = c(b"\xFF".as_slice());
    assert_eq!(unsafe { otcore_store_open(no_text.as_ptr(), &raw mut no_store) }, Status::BadText);
    assert_eq!(otcore_packs_free(packs), Status::Ok);
    assert_eq!(otcore_store_free(store), Status::Ok);
}

#[test]
fn a_store_and_packs_are_used_in_many_threads_at_once() {
    let (signer, store) = (Signer::new(), opened(None));
    let (packs, report) = (trusting(&signer, None), report(null()));
    let (store_number, packs_number) = (store.addr(), packs.addr());
    let many: Vec<Vec<u8>> = (1..=8).map(|version| pack(&signer, version, "plc")).collect();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let packs = std::ptr::without_provenance::<OtcorePacks>(packs_number);
            many.iter().for_each(|pack| assert_eq!(apply(packs, pack), Status::Ok));
        });
        for _ in 0..2 {
            scope.spawn(|| {
                let store = std::ptr::without_provenance::<OtcoreStore>(store_number);
                let packs = std::ptr::without_provenance::<OtcorePacks>(packs_number);
                for _ in 0..8 {
                    assert_eq!(keep(store, &report), 1);
                    let known = json(|out| unsafe { otcore_store_json(store, packs, out) });
                    assert_eq!(known.as_array().unwrap().len(), 1);
                }
            });
        }
    });
    assert_eq!(in_use(packs)["in_use"]["version"], 8);
    assert_eq!(otcore_packs_free(packs), Status::Ok);
    assert_eq!(otcore_store_free(store), Status::Ok);
}
