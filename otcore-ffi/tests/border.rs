//! The border as a C program sees it: what is right works, what is wrong is a number.
#![allow(unsafe_code)] // C has nothing else
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

use std::ffi::{CStr, CString, c_char};
use std::ptr::{null, null_mut, without_provenance_mut};
use std::thread;

use OtcoreStatus as Status;
use otcore::blocking::Plant;
use otcore::sim::Running;
use otcore_ffi::*;
use serde_json::Value;

fn c(text: impl Into<Vec<u8>>) -> CString {
    CString::new(text).unwrap()
}

fn told() -> String {
    unsafe { CStr::from_ptr(otcore_last_error()) }.to_str().unwrap().to_owned()
}

/// The text as JSON, freed.
fn taken(text: *mut OtcoreText) -> Value {
    let bytes = unsafe { CStr::from_ptr(otcore_text_str(text)) }.to_bytes().to_vec();
    assert_eq!(otcore_text_len(text), bytes.len());
    assert_eq!(otcore_text_free(text), Status::Ok);
    serde_json::from_slice(&bytes).unwrap()
}

fn gentle() -> *mut OtcoreScanner {
    let mut scanner = null_mut();
    let status = unsafe { otcore_scanner_new(null(), &raw mut scanner) };
    assert_eq!(status, Status::Ok, "{}", told());
    scanner
}

fn settings(text: &str) -> *mut OtcoreSettings {
    let mut settings = null_mut();
    let status = unsafe { otcore_settings_new(c(text).as_ptr(), &raw mut settings) };
    assert_eq!(status, Status::Ok, "{}", told());
    settings
}

fn set(settings: *const OtcoreSettings, key: &str, value: &str) -> Status {
    unsafe { otcore_settings_set(settings, c(key).as_ptr(), c(value).as_ptr()) }
}

fn started(scanner: *const OtcoreScanner, targets: &str) -> *mut OtcoreScan {
    let mut scan = null_mut();
    let status = unsafe { otcore_scan_start(scanner, c(targets).as_ptr(), &raw mut scan) };
    assert_eq!(status, Status::Ok, "{}", told());
    scan
}

fn report(scan: *const OtcoreScan) -> Value {
    let mut text = null_mut();
    assert_eq!(
        unsafe { otcore_scan_finish(scan, OTCORE_FOREVER, &raw mut text) },
        Status::Ok,
        "{}",
        told()
    );
    taken(text)
}

/// Status of a plan, which must leave no text behind.
fn refused(scanner: *const OtcoreScanner, targets: *const c_char) -> Status {
    let mut text = without_provenance_mut(8);
    let status = unsafe { otcore_plan_json(scanner, targets, &raw mut text) };
    assert!(text.is_null());
    status
}

#[test]
fn a_scan_of_the_pretend_plant_identifies_its_devices() {
    let plant = Plant::start(0).unwrap();
    let names = ["compact-plc", "m340", "drive"];
    let devices: Vec<_> = plant.devices().iter().filter(|d| names.contains(&&*d.name)).collect();
    let targets: Vec<_> = devices.iter().map(|device| device.target()).collect();
    let scanner = gentle();
    let scan = started(scanner, &targets.join(" "));
    assert_eq!(otcore_scanner_free(scanner), Status::Ok);
    let events = events(scan);
    let report = report(scan);
    for device in &devices {
        let asset = at(&report["assets"], "addresses", &device.addr.ip().to_string());
        for (field, value) in &device.expected.found.identity {
            assert_eq!(asset["identity"][field]["value"], value.as_str(), "{}", device.name);
        }
    }
    assert_eq!(report["completed"], true);
    assert_eq!(events.iter().filter(|event| event["event"] == "asset").count(), devices.len());
    assert_eq!(events.last().unwrap()["event"], "finished");
    assert_eq!(plant.harm(), Vec::<String>::new());
    assert_eq!(otcore_scan_free(scan), Status::Ok);
}

fn events(scan: *const OtcoreScan) -> Vec<Value> {
    let mut events = Vec::new();
    loop {
        let mut text = null_mut();
        match unsafe { otcore_scan_next(scan, 100, &raw mut text) } {
            Status::Ok => events.push(taken(text)),
            Status::Pending => assert!(text.is_null()),
            status => {
                assert_eq!(status, Status::End);
                return events;
            }
        }
    }
}

/// The object of a list whose list `field` holds `value`, or an object with it under `address`.
fn at<'a>(list: &'a Value, field: &str, value: &str) -> &'a Value {
    let holds = |object: &&Value| {
        object[field].as_array().is_some_and(|all| all.iter().any(|one| holds_text(one, value)))
    };
    list.as_array().unwrap().iter().find(holds).unwrap_or_else(|| panic!("no {value} in {list}"))
}

fn holds_text(one: &Value, text: &str) -> bool {
    one == text || one["address"] == text
}

#[test]
fn an_aborted_scan_keeps_what_it_found_and_gives_it_twice() {
    let plant = Plant::start(0).unwrap();
    let targets: Vec<_> = plant.devices().iter().map(Running::target).collect();
    let scanner = gentle();
    let scan = started(scanner, &targets.join(","));
    let mut text = null_mut();
    while unsafe { otcore_scan_next(scan, 100, &raw mut text) } != Status::End {
        if otcore_text_len(text) > 0 && taken(text)["event"] == "asset" {
            assert_eq!(otcore_scan_abort(scan), Status::Ok);
        }
    }
    let found = report(scan);
    assert_eq!(found["completed"], false);
    assert!(!found["assets"].as_array().unwrap().is_empty());
    assert_eq!(report(scan), found);
    assert_eq!(otcore_scan_free(scan), Status::Ok);
    assert_eq!(otcore_scanner_free(scanner), Status::Ok);
}

#[test]
fn a_scan_freed_while_another_thread_waits_for_it_ends_there() {
    let plant = Plant::start(0).unwrap();
    let scanner = gentle();
    let slow = plant.devices().iter().find(|device| device.name == "slow").unwrap();
    let scan = started(scanner, &slow.target());
    let number = scan.addr();
    let waiting = thread::spawn(move || report(without_provenance_mut(number)));
    thread::sleep(std::time::Duration::from_millis(200));
    assert_eq!(otcore_scan_free(scan), Status::Ok);
    assert_eq!(waiting.join().unwrap()["completed"], false);
    assert_eq!(otcore_scan_abort(scan), Status::BadHandle);
    assert_eq!(otcore_scanner_free(scanner), Status::Ok);
}

#[test]
fn the_manifest_is_the_one_of_the_engine() {
    let mut text = null_mut();
    assert_eq!(unsafe { otcore_manifest_json(&raw mut text) }, Status::Ok);
    assert_eq!(taken(text), serde_json::to_value(otcore::manifest()).unwrap());
}

#[test]
fn a_plan_is_made_under_the_policy_and_names_that_were_given() {
    let settings = settings("{\"zone\": \"line-3\"}");
    assert_eq!(set(settings, "source", "hub-7"), Status::Ok, "{}", told());
    assert_eq!(set(settings, "policy", "profile = \"careful\""), Status::Ok, "{}", told());
    let mut scanner = null_mut();
    assert_eq!(unsafe { otcore_scanner_new(settings, &raw mut scanner) }, Status::Ok);
    assert_eq!(otcore_settings_free(settings), Status::Ok);
    let mut text = null_mut();
    let targets = c("10.20.4.0/30");
    assert_eq!(unsafe { otcore_plan_json(scanner, targets.as_ptr(), &raw mut text) }, Status::Ok);
    let plan = taken(text);
    assert_eq!([&plan["profile"], &plan["zone"], &plan["source"]], ["careful", "line-3", "hub-7"]);
    assert_eq!(plan["devices"], 4);
    assert_eq!(otcore_scanner_free(scanner), Status::Ok);
}

#[test]
fn null_stale_foreign_and_doubly_freed_handles_are_errors() {
    let mut text = null_mut();
    let on_stack = 7_u64;
    let scanner = gentle();
    let other_kind: *mut OtcoreScan = scanner.cast();
    let foreign: *mut OtcoreScan = (&raw const on_stack).cast_mut().cast();
    for scan in [null_mut(), other_kind, foreign, without_provenance_mut(usize::MAX)] {
        assert_eq!(unsafe { otcore_scan_next(scan, 0, &raw mut text) }, Status::BadHandle);
        assert_eq!(unsafe { otcore_scan_finish(scan, 0, &raw mut text) }, Status::BadHandle);
        assert_eq!(otcore_scan_abort(scan), Status::BadHandle);
        assert!(otcore_text_str(scan.cast()).is_null());
        assert_eq!(otcore_text_len(scan.cast()), 0);
    }
    assert_eq!(otcore_scan_free(other_kind), Status::BadHandle);
    assert_eq!(told(), "this is no scan, or one that was freed already");
    assert_eq!(refused(scanner, c("10.0.4.300").as_ptr()), Status::Target);
    assert_eq!(otcore_scanner_free(scanner), Status::Ok);
    assert_eq!(otcore_scanner_free(scanner), Status::BadHandle);
    assert_eq!(refused(scanner, c("10.0.0.7").as_ptr()), Status::BadHandle);
    assert_eq!(otcore_scanner_free(null_mut()), Status::Ok);
}

#[test]
fn null_and_crooked_pointers_are_errors() {
    let scanner = gentle();
    let mut place: [*mut OtcoreText; 2] = [null_mut(); 2];
    let crooked = (&raw mut place).cast::<*mut OtcoreText>().wrapping_byte_add(1);
    for out in [null_mut(), crooked] {
        assert_eq!(unsafe { otcore_manifest_json(out) }, Status::BadPointer);
    }
    assert_eq!(refused(scanner, null()), Status::BadPointer);
    assert_eq!(told(), "targets is NULL");
    assert_eq!(unsafe { otcore_scanner_new(null(), null_mut()) }, Status::BadPointer);
    assert_eq!(otcore_scanner_free(scanner), Status::Ok);
}

#[test]
fn what_is_no_text_is_an_error() {
    let scanner = gentle();
    assert_eq!(refused(scanner, c(b"10.0.0.\xFF".as_slice()).as_ptr()), Status::BadText);
    let longest = 16 << 20;
    let huge = vec![b' '; longest + 1];
    assert_eq!(refused(scanner, c(huge).as_ptr()), Status::TooLong);
    assert_eq!(refused(scanner, c(vec![b' '; longest]).as_ptr()), Status::EmptyScope);
    assert_eq!(refused(scanner, c(vec![b'x'; longest]).as_ptr()), Status::Target);
    assert!(told().len() < 1000, "{}", told().len());
    assert_eq!(otcore_scanner_free(scanner), Status::Ok);
}

#[test]
fn every_wrong_input_is_an_error_of_its_kind() {
    let scanner = gentle();
    let cases = [
        ("10.0.4.300", Status::Target),
        ("@/etc/hostname", Status::Target),
        ("8.8.8.8", Status::EmptyScope),
        ("", Status::EmptyScope),
    ];
    for (targets, expected) in cases {
        assert_eq!(refused(scanner, c(targets).as_ptr()), expected, "{targets}: {}", told());
        let mut scan = null_mut();
        let status = unsafe { otcore_scan_start(scanner, c(targets).as_ptr(), &raw mut scan) };
        assert_eq!(status, expected, "{targets}");
        assert!(scan.is_null());
    }
    assert_eq!(otcore_scanner_free(scanner), Status::Ok);
    let made = |text: &str| {
        let mut settings = null_mut();
        let status = unsafe { otcore_settings_new(c(text).as_ptr(), &raw mut settings) };
        assert!(settings.is_null());
        status
    };
    assert_eq!(made("policy = { profil = \"gentle\" }"), Status::Policy);
    assert!(told().contains("profil"), "{}", told());
    assert_eq!(made("{"), Status::Policy);
    assert_eq!(made("zone = \"line 3\""), Status::Naming);
    let settings = settings("");
    assert_eq!(set(settings, "zonne", "line-3"), Status::Policy);
    assert!(told().contains("zonne") && told().contains("source"), "{}", told());
    assert_eq!(set(settings, "zone", "line 3"), Status::Naming);
    assert_eq!(set(settings, "journal", "/"), Status::Ok);
    let mut scanner = null_mut();
    assert_eq!(unsafe { otcore_scanner_new(settings, &raw mut scanner) }, Status::File);
    assert_eq!(otcore_settings_free(settings), Status::Ok);
}

#[test]
fn stored_results_are_compared_joined_decoded_and_handed_on() {
    let plant = Plant::start(0).unwrap();
    let scanner = gentle();
    let scan = started(scanner, &plant.devices()[0].target());
    let report = report(scan);
    assert_eq!(otcore_scan_free(scan), Status::Ok);
    assert_eq!(otcore_scanner_free(scanner), Status::Ok);
    let (before, after) = (c("[]"), c(report.to_string()));
    let mut text = null_mut();
    let json = |status, text: *mut OtcoreText| {
        assert_eq!(status, Status::Ok, "{}", told());
        taken(text)
    };
    let diff = unsafe { otcore_diff_json(before.as_ptr(), after.as_ptr(), 0, &raw mut text) };
    assert_eq!(json(diff, text)["new"].as_array().unwrap().len(), 1);
    let joined = unsafe { otcore_join_json(after.as_ptr(), 1, &raw mut text) };
    assert!(json(joined, text).to_string().contains("127.20.4.11"));
    let decoded = unsafe { otcore_redecode_json(after.as_ptr(), &raw mut text) };
    assert_eq!(json(decoded, text)[0]["identity"], report["assets"][0]["identity"]);
    let exported = |format: &str, text: *mut *mut OtcoreText| unsafe {
        otcore_export(after.as_ptr(), c(format).as_ptr(), text)
    };
    let sheet = exported("json", &raw mut text);
    assert_eq!(json(sheet, text), report["assets"]);
    assert_eq!(exported("pdf", &raw mut text), Status::Naming);
    assert!(text.is_null() && told().contains("cyclonedx"), "{}", told());
    let list = c("shopping list");
    let refused = unsafe { otcore_join_json(list.as_ptr(), 0, &raw mut text) };
    assert_eq!(refused, Status::File);
    assert_eq!(unsafe { otcore_join_json(null(), 0, &raw mut text) }, Status::BadPointer);
}

#[test]
fn a_scanner_says_what_it_may_do_and_which_rule_decides() {
    let settings = settings("policy = { profile = \"careful\", exclude = [\"10.20.9.0/24\"] }");
    let mut scanner = null_mut();
    assert_eq!(unsafe { otcore_scanner_new(settings, &raw mut scanner) }, Status::Ok);
    assert_eq!(otcore_settings_free(settings), Status::Ok);
    let mut text = null_mut();
    assert_eq!(unsafe { otcore_policy_json(scanner, &raw mut text) }, Status::Ok);
    assert_eq!(taken(text)["profile"], "careful");
    let mut explain = |address: &str, protocol: &str, port| {
        let (address, protocol) = (c(address), c(protocol));
        let (address, protocol) = (address.as_ptr(), protocol.as_ptr());
        let status =
            unsafe { otcore_explain_json(scanner, address, protocol, port, &raw mut text) };
        assert_eq!(text.is_null(), status != Status::Ok);
        (status == Status::Ok).then(|| taken(text)).ok_or(status)
    };
    let usual = explain("10.20.4.7", "modbus", 0).unwrap();
    assert_eq!((&usual["port"], &usual["decision"]["permitted"]), (&502.into(), &true.into()));
    let excluded = explain("10.20.9.7", "modbus", 1502).unwrap();
    let decided = (&excluded["port"], &excluded["decision"]["permitted"]);
    assert_eq!(decided, (&1502.into(), &false.into()));
    assert!(excluded.to_string().contains("10.20.9.0/24"), "{excluded}");
    assert_eq!(explain("10.20.4.300", "modbus", 0), Err(Status::Target));
    assert_eq!(explain("10.20.4.7", "gopher", 0), Err(Status::Target));
    assert_eq!(otcore_scanner_free(scanner), Status::Ok);
}

#[test]
fn a_device_that_went_dark_is_left_alone_until_a_person_clears_it() {
    let plant = Plant::start(0).unwrap();
    let dark = plant.devices().iter().find(|device| device.name == "goes-dark").unwrap();
    let scanner = gentle();
    let outcome = || {
        let scan = started(scanner, &dark.target());
        let report = report(scan);
        assert_eq!(otcore_scan_free(scan), Status::Ok);
        report["outcomes"][0]["outcome"].clone()
    };
    let remembered = || {
        let mut text = null_mut();
        assert_eq!(unsafe { otcore_memory_json(scanner, &raw mut text) }, Status::Ok);
        taken(text)
    };
    let clear = |address: &str, count: &mut usize| unsafe {
        otcore_memory_clear(scanner, c(address).as_ptr(), count)
    };
    let address = dark.addr.ip().to_string();
    assert_eq!(outcome(), "went_dark");
    assert_eq!(outcome(), "skipped_by_policy");
    assert!(remembered()[0]["quarantined"]["why"].is_string(), "{}", remembered());
    let mut count = 7;
    assert_eq!((clear("10.0.4.300", &mut count), count), (Status::Target, 7));
    assert_eq!((clear(&address, &mut count), count), (Status::Ok, 1));
    assert_eq!((clear(&address, &mut count), count), (Status::Ok, 0));
    assert!(remembered()[0]["quarantined"].is_null(), "{}", remembered());
    assert_ne!(outcome(), "skipped_by_policy");
    assert_eq!(otcore_scanner_free(scanner), Status::Ok);
}

#[test]
fn every_setting_is_reached_by_its_key() {
    let folder = std::env::temp_dir().join(format!("otcore-settings-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let settings = settings("");
    for key in otcore::blocking::Config::KEYS {
        let value = match key {
            "policy" => "profile = \"careful\"".to_owned(),
            "level" => "identify".to_owned(),
            "protocols" => "modbus".to_owned(),
            "zone" => "line-3".to_owned(),
            "source" => "hub-7".to_owned(),
            path => file(path),
        };
        assert_eq!(set(settings, key, &value), Status::Ok, "{key}: {}", told());
    }
    assert_eq!(set(settings, "protocols", "gopher"), Status::Policy);
    let mut scanner = null_mut();
    assert_eq!(unsafe { otcore_scanner_new(settings, &raw mut scanner) }, Status::Ok, "{}", told());
    let plant = Plant::start(0).unwrap();
    let scan = started(scanner, &plant.devices()[0].target());
    assert_eq!(report(scan)["zone"], "line-3");
    assert_eq!(otcore_scan_free(scan), Status::Ok);
    assert_eq!(otcore_scanner_free(scanner), Status::Ok);
    assert_eq!(otcore_settings_free(settings), Status::Ok);
    let journal = std::fs::read_to_string(file("journal")).unwrap();
    assert!(journal.lines().all(|line| line.starts_with('{')) && journal.contains("modbus"));
    let capture = std::fs::read(file("capture")).unwrap();
    assert!(capture.starts_with(&[0x0A, 0x0D, 0x0D, 0x0A]), "a section header of pcapng");
    assert!(folder.join("memory").exists());
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn each_thread_has_its_own_last_error() {
    assert_eq!(refused(null(), null()), Status::BadHandle);
    let here = told();
    assert_eq!(thread::spawn(told).join().unwrap(), "");
    assert_eq!(told(), here);
}

#[test]
fn many_threads_make_and_free_at_the_same_time() {
    let work = || {
        for _ in 0..200 {
            let scanner = gentle();
            assert_eq!(refused(scanner, c("10.0.4.300").as_ptr()), Status::Target);
            assert_eq!(otcore_scanner_free(scanner), Status::Ok);
            assert_eq!(otcore_scanner_free(scanner), Status::BadHandle);
        }
    };
    let threads: Vec<_> = (0..4).map(|_| thread::spawn(work)).collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}
