//! Texts that C hands in, whatever bytes they are: each function takes them or says what is wrong, no
//! bug shows, and the last error is a text that can be shown.
#![no_main]

use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr::{null, null_mut};

use OtcoreStatus as Status;
use libfuzzer_sys::fuzz_target;
use otcore_ffi::*;

fuzz_target!(|bytes: &[u8]| {
    let text = CString::new(bytes.split(|byte| *byte == 0).next().unwrap_or_default());
    let text = text.expect("it ends at the first NUL");
    let given = text.as_ptr();
    let (csv, none) = (c"csv".as_ptr(), c"[]".as_ptr());
    let (mut scanner, mut store, mut packs) = (null_mut(), null_mut(), null_mut());
    unsafe {
        assert_eq!(otcore_scanner_new(null(), &raw mut scanner), Status::Ok);
        assert_eq!(otcore_store_open(null(), &raw mut store), Status::Ok);
        makes(|out| otcore_diff_json(given, none, 0, out));
        makes(|out| otcore_diff_json(none, given, 1, out));
        makes(|out| otcore_join_json(given, 1, out));
        makes(|out| otcore_redecode_json(given, out));
        makes(|out| otcore_export(given, csv, out));
        makes(|out| otcore_export(none, given, out));
        makes(|out| otcore_explain_json(scanner, given, c"modbus".as_ptr(), 502, out));
        makes(|out| otcore_explain_json(scanner, c"10.0.4.7".as_ptr(), given, 0, out));
        makes(|out| otcore_store_history_json(store, null(), given, given, out));
        let mut number = 0;
        says(otcore_store_keep(store, given, &raw mut number));
        makes(|out| otcore_store_json(store, null(), out));
        says(otcore_memory_clear(scanner, given, &raw mut number));
        let mut settings = null_mut();
        says(otcore_settings_new(given, &raw mut settings));
        says(otcore_settings_free(settings));
        if says(otcore_packs_new(given, null(), &raw mut packs)) == Status::Ok {
            let pack: *const c_void = bytes.as_ptr().cast();
            makes(|out| otcore_packs_verify_json(packs, pack, bytes.len(), out));
            says(otcore_packs_apply(packs, pack, bytes.len()));
            says(otcore_packs_free(packs));
        }
    }
    assert_eq!(otcore_store_free(store), Status::Ok);
    assert_eq!(otcore_scanner_free(scanner), Status::Ok);
});

/// A call that makes a text, or says why not.
fn makes(call: impl FnOnce(*mut *mut OtcoreText) -> Status) {
    let mut text = null_mut();
    let status = says(call(&raw mut text));
    assert_eq!(status == Status::Ok, !text.is_null());
    if !text.is_null() {
        assert_eq!(shown(otcore_text_str(text)).len(), otcore_text_len(text));
        assert_eq!(otcore_text_free(text), Status::Ok);
    }
}

fn says(status: Status) -> Status {
    assert_ne!(status, Status::Panic, "a bug was caught at the border");
    assert_ne!(status, Status::Internal, "a bug in the engine");
    if status != Status::Ok {
        assert!(!shown(otcore_last_error()).is_empty(), "{status:?} without a reason");
    }
    status
}

fn shown<'a>(text: *const c_char) -> &'a str {
    unsafe { CStr::from_ptr(text) }.to_str().expect("what is given away is UTF-8")
}
