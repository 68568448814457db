//! Wrong use of callbacks, threads and handles ends in numbers, never in a crash or a hang.
#![allow(unsafe_code)] // C has nothing else
#![allow(clippy::unwrap_used)] // helpers of tests

use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr::{null, null_mut, without_provenance_mut};
use std::sync::Mutex;
use std::thread;

use OtcoreStatus as Status;
use otcore::blocking::Plant;
use otcore_ffi::*;

/// What callbacks of a test were told: a number for each event, and the lines of the log.
#[derive(Default)]
struct Told {
    events: Mutex<Vec<String>>,
    lines: Mutex<Vec<String>>,
    scan: Mutex<usize>,
}

fn c(text: &str) -> CString {
    CString::new(text).unwrap()
}

fn string(text: *const c_char) -> String {
    unsafe { CStr::from_ptr(text) }.to_str().unwrap().to_owned()
}

fn user(told: &Told) -> *mut c_void {
    (&raw const *told).cast_mut().cast()
}

fn of<'a>(user: *mut c_void) -> &'a Told {
    unsafe { &*user.cast() }
}

fn value(text: *const OtcoreText, pointer: &str) -> Option<String> {
    let mut out = null_mut();
    match unsafe { otcore_text_get(text, c(pointer).as_ptr(), &raw mut out) } {
        Status::Ok => {
            let value = string(otcore_text_str(out));
            assert_eq!(otcore_text_free(out), Status::Ok);
            Some(value)
        }
        status => {
            assert_eq!(status, Status::Nothing);
            None
        }
    }
}

unsafe extern "C" fn told_event(event: *const OtcoreText, user: *mut c_void) {
    let name = value_or_end(event);
    of(user).events.lock().unwrap().push(name);
}

fn value_or_end(event: *const OtcoreText) -> String {
    if event.is_null() { "the end".to_owned() } else { value(event, "/event").unwrap() }
}

/// Frees what is not its own, its own scan, and asks for everything again.
unsafe extern "C" fn wild_event(event: *const OtcoreText, user: *mut c_void) {
    let told = of(user);
    told.events.lock().unwrap().push(value_or_end(event));
    assert_eq!(otcore_text_free(event.cast_mut()), Status::Ok);
    let scan: *mut OtcoreScan = without_provenance_mut(*told.scan.lock().unwrap());
    let (mut report, mut next) = (null_mut(), null_mut());
    unsafe {
        assert_eq!(otcore_scan_watch(scan, Some(told_event), user), Status::Watched);
        assert_eq!(otcore_scan_next(scan, 0, &raw mut next), Status::End);
        assert_eq!(otcore_scan_abort(scan), Status::Ok);
        assert_eq!(otcore_scan_finish(scan, OTCORE_FOREVER, &raw mut report), Status::Ok);
    }
    assert_eq!(value(report, "/completed").as_deref(), Some("false"));
    assert_eq!(otcore_text_free(report), Status::Ok);
    assert_eq!(otcore_scan_free(scan), Status::Ok);
    assert_eq!(otcore_scan_free(scan), Status::BadHandle);
}

unsafe extern "C" fn told_line(severity: OtcoreSeverity, line: *const c_char, user: *mut c_void) {
    of(user).lines.lock().unwrap().push(format!("{severity:?} {}", string(line)));
    assert!(!string(otcore_version()).is_empty());
}

/// Frees the scan that it is told of, in the thread that pushes events.
unsafe extern "C" fn freeing_line(_: OtcoreSeverity, _: *const c_char, user: *mut c_void) {
    if thread::current().name() == Some("otcore-events") {
        let told = of(user);
        let scan: *mut OtcoreScan = without_provenance_mut(*told.scan.lock().unwrap());
        assert_eq!(otcore_scan_free(scan), Status::Ok);
        told.events.lock().unwrap().push("freed".to_owned());
    }
}

fn scanner(told: &Told) -> *mut OtcoreScanner {
    logging(told, told_line)
}

fn logging(
    told: &Told,
    line: unsafe extern "C" fn(OtcoreSeverity, *const c_char, *mut c_void),
) -> *mut OtcoreScanner {
    let (mut settings, mut scanner) = (null_mut(), null_mut());
    unsafe {
        assert_eq!(otcore_settings_new(null(), &raw mut settings), Status::Ok);
        assert_eq!(otcore_settings_log(settings, Some(line), user(told)), Status::Ok);
        assert_eq!(otcore_scanner_new(settings, &raw mut scanner), Status::Ok);
    }
    assert_eq!(otcore_settings_free(settings), Status::Ok);
    scanner
}

fn started(scanner: *const OtcoreScanner, plant: &Plant, names: &[&str]) -> *mut OtcoreScan {
    let devices = plant.devices().iter().filter(|device| names.contains(&&*device.name));
    let targets: Vec<_> = devices.map(otcore::sim::Running::target).collect();
    let mut scan = null_mut();
    let targets = c(&targets.join(" "));
    assert_eq!(unsafe { otcore_scan_start(scanner, targets.as_ptr(), &raw mut scan) }, Status::Ok);
    scan
}

#[test]
fn events_and_lines_are_pushed_and_the_report_comes_after_them() {
    let (plant, told) = (Plant::start(0).unwrap(), Told::default());
    let scanner = scanner(&told);
    let scan = started(scanner, &plant, &["compact-plc", "goes-dark"]);
    let mut report = null_mut();
    unsafe {
        assert_eq!(otcore_scan_watch(scan, None, null_mut()), Status::BadPointer);
        assert_eq!(otcore_scan_watch(scan, Some(told_event), user(&told)), Status::Ok);
        assert_eq!(otcore_scan_finish(scan, OTCORE_FOREVER, &raw mut report), Status::Ok);
    }
    assert_eq!(told.events.lock().unwrap().last().unwrap(), "the end");
    assert_eq!(value(report, "/assets/0/identity/model/value").as_deref(), Some("Compact C24"));
    assert_eq!(value(report, "/assets/0/identity/colour"), None);
    let mut devices = 7;
    let count = unsafe { otcore_text_count(report, c("/assets").as_ptr(), &raw mut devices) };
    assert_eq!((count, devices > 0), (Status::Ok, true));
    let mut progress = progress();
    assert_eq!(unsafe { otcore_scan_progress(scan, &raw mut progress) }, Status::Ok);
    assert_eq!((progress.percent, progress.state), (100, OtcoreScanState::Over));
    let lines = told.lines.lock().unwrap().join("\n");
    assert!(lines.starts_with("Info scan of ") && lines.ends_with("Info scan ends"), "{lines}");
    assert!(lines.contains("Debug 127.20.4.11 modbus/"), "{lines}");
    assert!(lines.contains("Warning 127.20."), "a device went dark: {lines}");
    for freed in [otcore_text_free(report), otcore_scan_free(scan), otcore_scanner_free(scanner)] {
        assert_eq!(freed, Status::Ok);
    }
}

fn progress() -> OtcoreProgress {
    OtcoreProgress {
        done: 0,
        planned: 0,
        answered: 0,
        packets: 0,
        percent: 0,
        state: OtcoreScanState::Running,
    }
}

#[test]
fn a_callback_that_calls_back_in_and_frees_its_own_scan_is_told_nothing_more() {
    let (plant, told) = (Plant::start(0).unwrap(), Told::default());
    let scanner = scanner(&told);
    let number = told.scan.lock().unwrap();
    let scan = started(scanner, &plant, &["compact-plc", "slow"]);
    assert_eq!(unsafe { otcore_scan_watch(scan, Some(wild_event), user(&told)) }, Status::Ok);
    *{ number } = scan.addr(); // the callback waits for it
    let mut text = null_mut();
    while unsafe { otcore_scan_finish(scan, 10, &raw mut text) } != Status::BadHandle {
        assert_eq!(otcore_text_free(text), Status::Ok);
        thread::yield_now();
    }
    assert_eq!(told.events.lock().unwrap().len(), 1);
    assert_eq!(otcore_scanner_free(scanner), Status::Ok);
}

#[test]
fn a_log_that_frees_its_scan_is_followed_by_no_event() {
    let (plant, told) = (Plant::start(0).unwrap(), Told::default());
    let scanner = logging(&told, freeing_line);
    let number = told.scan.lock().unwrap();
    let scan = started(scanner, &plant, &["compact-plc", "drive", "slow"]);
    assert_eq!(unsafe { otcore_scan_watch(scan, Some(told_event), user(&told)) }, Status::Ok);
    *{ number } = scan.addr(); // the log waits for it
    let mut text = null_mut();
    while unsafe { otcore_scan_finish(scan, 10, &raw mut text) } != Status::BadHandle {
        assert_eq!(otcore_text_free(text), Status::Ok);
        thread::yield_now();
    }
    thread::sleep(std::time::Duration::from_millis(100));
    let events = told.events.lock().unwrap();
    assert_eq!(events.last().map(String::as_str), Some("freed"), "{events:?}");
    assert_eq!(otcore_scanner_free(scanner), Status::Ok);
}

#[test]
fn a_callback_is_never_called_after_its_scan_was_freed() {
    let plant = Plant::start(0).unwrap();
    for _ in 0..20 {
        let told = Told::default();
        let scanner = scanner(&told);
        let scan = started(scanner, &plant, &["compact-plc", "drive", "m340"]);
        assert_eq!(unsafe { otcore_scan_watch(scan, Some(told_event), user(&told)) }, Status::Ok);
        assert_eq!(otcore_scan_free(scan), Status::Ok);
        assert_eq!(otcore_scanner_free(scanner), Status::Ok);
        drop(told); // a call after this would write to what is gone: the sanitizers look
    }
}

#[test]
fn a_paused_scan_starts_nothing_and_goes_on_when_told() {
    let (plant, told) = (Plant::start(0).unwrap(), Told::default());
    let scanner = scanner(&told);
    let scan = started(scanner, &plant, &["compact-plc", "drive"]);
    assert_eq!(otcore_scan_pause(scan), Status::Ok);
    let (mut progress, mut text) = (progress(), null_mut());
    assert_eq!(unsafe { otcore_scan_progress(scan, &raw mut progress) }, Status::Ok);
    assert_eq!((progress.state, progress.planned), (OtcoreScanState::Paused, 2));
    assert_eq!(unsafe { otcore_scan_finish(scan, 50, &raw mut text) }, Status::Pending);
    assert!(text.is_null());
    assert_eq!(otcore_scan_resume(scan), Status::Ok);
    assert_eq!(unsafe { otcore_scan_finish(scan, OTCORE_FOREVER, &raw mut text) }, Status::Ok);
    assert_eq!(value(text, "/completed").as_deref(), Some("true"));
    for freed in [otcore_text_free(text), otcore_scan_free(scan), otcore_scanner_free(scanner)] {
        assert_eq!(freed, Status::Ok);
    }
}

#[test]
fn every_function_refuses_null_and_what_is_no_handle() {
    let on_heap = Box::new(7_u64);
    let foreign: *mut c_void = (&raw const *on_heap).cast_mut().cast();
    let (mut text, mut number, mut progress) = (null_mut(), 0, progress());
    let mut scanner = null_mut();
    for bad in [null_mut(), foreign, without_provenance_mut(1_000_001)] {
        let key = c("zone");
        let statuses = unsafe {
            [
                otcore_settings_set(bad.cast(), key.as_ptr(), null()),
                otcore_settings_log(bad.cast(), None, null_mut()),
                otcore_settings_packs(bad.cast(), null()),
                otcore_store_check(bad.cast()),
                otcore_store_keep(bad.cast(), key.as_ptr(), &raw mut number),
                otcore_store_json(bad.cast(), null(), &raw mut text),
                otcore_store_history_json(
                    bad.cast(),
                    null(),
                    key.as_ptr(),
                    key.as_ptr(),
                    &raw mut text,
                ),
                otcore_packs_json(bad.cast(), &raw mut text),
                otcore_packs_apply(bad.cast(), foreign, 1),
                otcore_packs_roll_back(bad.cast()),
                otcore_packs_verify_json(bad.cast(), foreign, 1, &raw mut text),
                otcore_packs_preview_json(bad.cast(), foreign, 1, key.as_ptr(), &raw mut text),
                otcore_packs_redecode_json(bad.cast(), key.as_ptr(), &raw mut text),
                otcore_plan_json(bad.cast(), key.as_ptr(), &raw mut text),
                otcore_policy_json(bad.cast(), &raw mut text),
                otcore_explain_json(bad.cast(), key.as_ptr(), key.as_ptr(), 0, &raw mut text),
                otcore_memory_json(bad.cast(), &raw mut text),
                otcore_memory_clear(bad.cast(), key.as_ptr(), &raw mut number),
                otcore_scan_next(bad.cast(), OTCORE_FOREVER, &raw mut text),
                otcore_scan_finish(bad.cast(), OTCORE_FOREVER, &raw mut text),
                otcore_scan_watch(bad.cast(), Some(told_event), null_mut()),
                otcore_scan_progress(bad.cast(), &raw mut progress),
                otcore_scan_pause(bad.cast()),
                otcore_scan_resume(bad.cast()),
                otcore_scan_abort(bad.cast()),
                otcore_text_get(bad.cast(), key.as_ptr(), &raw mut text),
                otcore_text_count(bad.cast(), key.as_ptr(), &raw mut number),
            ]
        };
        assert_eq!(statuses, [Status::BadHandle; 27], "{bad:?}");
    }
    assert_eq!(unsafe { otcore_scanner_new(foreign.cast(), &raw mut scanner) }, Status::BadHandle);
    assert_eq!(unsafe { otcore_scan_progress(null(), null_mut()) }, Status::BadPointer);
    assert_eq!(unsafe { otcore_text_count(null(), null(), null_mut()) }, Status::BadPointer);
    for freed in [
        otcore_settings_free(foreign.cast()),
        otcore_scanner_free(foreign.cast()),
        otcore_scan_free(foreign.cast()),
        otcore_store_free(foreign.cast()),
        otcore_packs_free(foreign.cast()),
        otcore_text_free(foreign.cast()),
    ] {
        assert_eq!(freed, Status::BadHandle);
    }
    assert_eq!(*on_heap, 7);
}
