//! The C interface: opaque handles, status codes, JSON for whole objects, pull for events.
//!
//! What C sees is `include/otcore.h`, written from this file by `scripts/header`. Every function
//! is one expression inside one [`mod@guard`], which holds everything that can go wrong at the border.
#![allow(unsafe_code)] // exported names are unsafe attributes; see `guard` for what stands behind them
#![allow(clippy::missing_safety_doc)] // the rules for all functions are at the head of otcore.h

mod guard;
mod status;

use std::ffi::{CString, c_char};
use std::time::Duration;

use otcore::blocking::{Next, Scan, Scanner, Settings, json};

pub use status::OtcoreStatus;

use guard::{find, forget, give, guard, last_error, lend, optional_text, owned, text};

/// Plans and starts scans under one policy.
#[derive(Debug)]
pub struct OtcoreScanner(Scanner);

/// A running or finished scan.
#[derive(Debug)]
pub struct OtcoreScan(Scan);

/// A text that otcore gives away.
#[derive(Debug)]
pub struct OtcoreText(CString);

/// The version of this library.
///
/// @return A text that is always valid.
#[unsafe(no_mangle)]
pub extern "C" fn otcore_version() -> *const c_char {
    const { guard::constant(concat!(env!("CARGO_PKG_VERSION"), "\0")) }
}

/// Why the last call of this thread that failed did so: one line that names what is wrong, and the
/// way out.
///
/// @return A text that is valid until the next call of this thread fails; empty if none did.
#[unsafe(no_mangle)]
pub extern "C" fn otcore_last_error() -> *const c_char {
    last_error()
}

/// Everything that this build can send, as JSON.
///
/// @param out Receives the text; free it with otcore_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otcore_manifest_json(out: *mut *mut OtcoreText) -> OtcoreStatus {
    guard(|| unsafe { give(out, || owned(json(&otcore::manifest()))) })
}

/// Make a scanner.
///
/// @param policy What may be done, as TOML, or as JSON if it begins with a brace; NULL for the
///               gentle policy.
/// @param zone   The network the addresses live in; NULL for "default".
/// @param source Who looks, stamped on every claim; NULL for "otcore".
/// @param out    Receives the scanner; free it with otcore_scanner_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otcore_scanner_new(
    policy: *const c_char,
    zone: *const c_char,
    source: *const c_char,
    out: *mut *mut OtcoreScanner,
) -> OtcoreStatus {
    guard(|| unsafe {
        give(out, || {
            Ok(OtcoreScanner(Scanner::new(&Settings {
                policy: optional_text(policy, "policy")?,
                zone: optional_text(zone, "zone")?,
                source: optional_text(source, "source")?,
                ..Settings::default()
            })?))
        })
    })
}

/// What would be sent to whom, with upper bounds, as JSON. Names are resolved, nothing else is sent.
///
/// @param scanner The scanner that would do it.
/// @param targets Addresses, networks, ranges, names and endpoints, separated by spaces or commas.
/// @param out     Receives the text; free it with otcore_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otcore_plan_json(
    scanner: *const OtcoreScanner,
    targets: *const c_char,
    out: *mut *mut OtcoreText,
) -> OtcoreStatus {
    guard(|| unsafe {
        give(out, || owned(json(&find(scanner)?.0.plan(text(targets, "targets")?)?)))
    })
}

/// Free a scanner. Its scans go on.
#[unsafe(no_mangle)]
pub extern "C" fn otcore_scanner_free(scanner: *mut OtcoreScanner) -> OtcoreStatus {
    guard(|| forget(scanner))
}

/// Plan a scan of the targets and start it in a thread of its own.
///
/// A scan that nobody reads events from waits for a reader, until otcore_scan_finish().
///
/// @param scanner The scanner; it may be freed before the scan.
/// @param targets As for otcore_plan_json().
/// @param out     Receives the scan; free it with otcore_scan_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otcore_scan_start(
    scanner: *const OtcoreScanner,
    targets: *const c_char,
    out: *mut *mut OtcoreScan,
) -> OtcoreStatus {
    guard(|| unsafe {
        give(out, || Ok(OtcoreScan(find(scanner)?.0.start(text(targets, "targets")?)?)))
    })
}

/// Wait for the next event of a scan.
///
/// @param scan       The scan. Events have one reader at a time; another one waits for its turn.
/// @param timeout_ms How long to wait at most, in milliseconds; 0 only looks.
/// @param out        Receives the event as JSON; free it with otcore_text_free().
/// @return ::OTCORE_STATUS_OK for an event, ::OTCORE_STATUS_PENDING if none came in time,
///         ::OTCORE_STATUS_END after the last one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otcore_scan_next(
    scan: *const OtcoreScan,
    timeout_ms: u32,
    out: *mut *mut OtcoreText,
) -> OtcoreStatus {
    guard(|| unsafe {
        give(out, || match find(scan)?.0.next(Duration::from_millis(timeout_ms.into())) {
            Next::Event(event) => owned(json(&event)),
            Next::Pending => Err(OtcoreStatus::Pending.into()),
            _ => Err(OtcoreStatus::End.into()),
        })
    })
}

/// Stop a scan: no connection is opened and no question sent once this returns. What was found
/// stays, and otcore_scan_finish() gives it.
#[unsafe(no_mangle)]
pub extern "C" fn otcore_scan_abort(scan: *const OtcoreScan) -> OtcoreStatus {
    guard(|| find(scan).map(|scan| scan.0.abort()))
}

/// Wait for the end of a scan and take everything that it found, as JSON. It may be called again
/// and gives the same. Events that nobody read are dropped.
///
/// @param scan The scan.
/// @param out  Receives the text; free it with otcore_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otcore_scan_finish(
    scan: *const OtcoreScan,
    out: *mut *mut OtcoreText,
) -> OtcoreStatus {
    guard(|| unsafe { give(out, || owned(json(&*find(scan)?.0.finish()?))) })
}

/// Free a scan. If it still runs it is stopped as by otcore_scan_abort(); what it found is lost.
#[unsafe(no_mangle)]
pub extern "C" fn otcore_scan_free(scan: *mut OtcoreScan) -> OtcoreStatus {
    guard(|| forget(scan))
}

/// The bytes of a text: UTF-8 that ends with NUL.
///
/// @return Valid until the text is freed; NULL if `text` is no text.
#[unsafe(no_mangle)]
pub extern "C" fn otcore_text_str(text: *const OtcoreText) -> *const c_char {
    lend(text, std::ptr::null(), |text| text.0.as_ptr())
}

/// How many bytes a text has, without the NUL at its end.
///
/// @return 0 if `text` is no text.
#[unsafe(no_mangle)]
pub extern "C" fn otcore_text_len(text: *const OtcoreText) -> usize {
    lend(text, 0, |text| text.0.as_bytes().len())
}

/// Free a text.
#[unsafe(no_mangle)]
pub extern "C" fn otcore_text_free(text: *mut OtcoreText) -> OtcoreStatus {
    guard(|| forget(text))
}
