//! The C interface: opaque handles, status codes, JSON for whole objects, events pulled or pushed.
//!
//! What C sees is `include/otcore.h`, written from this folder by `scripts/header`. Every function
//! is one expression inside one [`mod@guard`], which holds everything that can go wrong at the border.
#![allow(unsafe_code)] // exported names are unsafe attributes; see `guard` for what stands behind them
#![allow(clippy::missing_safety_doc)] // the rules for all functions are at the head of otcore.h

mod documents;
mod guard;
mod packs;
mod permission;
mod status;
mod stores;
mod values;

use std::ffi::{CString, c_char, c_void};
use std::sync::{Mutex, OnceLock};

use otcore::Event;
use otcore::blocking::{Config, Log, Next, Packs, Scanner, SharedScan, Store, Tree, json};

pub use documents::{otcore_diff_json, otcore_export, otcore_join_json, otcore_redecode_json};
pub use packs::{
    otcore_packs_apply, otcore_packs_free, otcore_packs_json, otcore_packs_new,
    otcore_packs_preview_json, otcore_packs_redecode_json, otcore_packs_roll_back,
    otcore_packs_verify_json, otcore_settings_packs,
};
pub use permission::{
    otcore_explain_json, otcore_memory_clear, otcore_memory_json, otcore_policy_json,
};
pub use status::OtcoreStatus;
pub use stores::{
    otcore_store_check, otcore_store_free, otcore_store_history_json, otcore_store_json,
    otcore_store_keep, otcore_store_open,
};
pub use values::{OTCORE_FOREVER, OtcoreProgress, OtcoreScanState, OtcoreSeverity};

use guard::{
    bytes_of, event_text, find, forget, found, give, guard, last_error, lend, lines_to, lock,
    optional_text, owned, put, shown, text, told_to, value_of, waiting, watched,
};

/// What a scanner is made from.
#[derive(Debug, Default)]
pub struct OtcoreSettings {
    config: Mutex<Config>,
    log: Mutex<Log>,
    packs: Mutex<Packs>,
}

/// Plans and starts scans under one policy.
#[derive(Debug)]
pub struct OtcoreScanner {
    scanner: Scanner,
    log: Log,
}

/// A running or finished scan.
#[derive(Debug)]
pub struct OtcoreScan(SharedScan);

/// Keeps what scans saw.
#[derive(Debug)]
pub struct OtcoreStore(Store);

/// What devices are called: what is compiled in, or a data pack of somebody who is trusted.
#[derive(Debug)]
pub struct OtcorePacks(Packs);

/// A text that otcore gives away.
#[derive(Debug)]
pub struct OtcoreText {
    /// An event becomes text only when somebody wants to have it all.
    bytes: OnceLock<CString>,
    tree: Tree,
    event: Option<Event>,
}

/// Told of each event of a scan.
///
/// @param event The event as JSON, freed by otcore when this returns; NULL once, after the last one.
/// @param user  What otcore_scan_watch() was given.
pub type OtcoreEventCallback =
    Option<unsafe extern "C" fn(event: *const OtcoreText, user: *mut c_void)>;

/// Told of what scans do, line by line.
///
/// @param severity How much it matters.
/// @param line     One line, safe to show; valid until this returns.
/// @param user     What otcore_settings_log() was given.
pub type OtcoreLogCallback =
    Option<unsafe extern "C" fn(severity: OtcoreSeverity, line: *const c_char, user: *mut c_void)>;

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

/// Make settings.
///
/// @param config All of them as TOML, or as JSON if it begins with a brace, with the keys of
///               otcore_settings_set(), `policy` being a table or an object; NULL for the defaults.
/// @param out    Receives the settings; free them with otcore_settings_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otcore_settings_new(
    config: *const c_char,
    out: *mut *mut OtcoreSettings,
) -> OtcoreStatus {
    guard(|| unsafe {
        give(out, || {
            let config = optional_text(config, "config")?.unwrap_or_default();
            Ok(OtcoreSettings { config: Mutex::new(Config::read(config)?), ..Default::default() })
        })
    })
}

/// Change one of the settings. If it is wrong nothing changes.
///
/// | key       | value                                                              | default   |
/// |-----------|--------------------------------------------------------------------|-----------|
/// | policy    | what may be done, as TOML, or as JSON if it begins with a brace    | gentle    |
/// | level     | how deep to ask: detect, identify, structure, state                | by policy |
/// | protocols | those to use only, such as `modbus s7`; a list in a text of all    | by policy |
/// | zone      | the network the addresses live in                                  | default   |
/// | source    | who looks, stamped on every claim                                  | otcore    |
/// | journal   | the file that everything sent and received is appended to          | none      |
/// | capture   | the file that the same is appended to as a capture (pcapng)        | none      |
/// | memory    | the file that remembers devices, such as those in quarantine       | none      |
///
/// @param settings The settings.
/// @param key      Which one.
/// @param value    Its new value; NULL for the default.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otcore_settings_set(
    settings: *const OtcoreSettings,
    key: *const c_char,
    value: *const c_char,
) -> OtcoreStatus {
    guard(|| unsafe {
        let (key, value) = (text(key, "key")?, optional_text(value, "value")?);
        Ok(lock(&find(settings)?.config).set(key, value)?)
    })
}

/// Have a callback told of what scans do, line by line.
///
/// It is called in the thread of the call that notices, so several times at once if several threads
/// use the same scanner, and for pushed events in the thread `otcore-events`. It may call any
/// function of this library.
///
/// @param settings The settings; scanners that were made before are not changed.
/// @param callback The callback; NULL for none. It must not throw or jump out.
/// @param user     Handed to it as it is. It must stay valid until the settings, every scanner made
///                 from them and every scan of those are freed, and no call with one of them is in
///                 progress in another thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otcore_settings_log(
    settings: *const OtcoreSettings,
    callback: OtcoreLogCallback,
    user: *mut c_void,
) -> OtcoreStatus {
    guard(|| unsafe {
        *lock(&find(settings)?.log) = lines_to(callback, user);
        Ok(())
    })
}

/// Free settings. Scanners made from them stay.
#[unsafe(no_mangle)]
pub extern "C" fn otcore_settings_free(settings: *mut OtcoreSettings) -> OtcoreStatus {
    guard(|| forget(settings))
}

/// Make a scanner. The files of its settings are opened here.
///
/// @param settings What it is made from; NULL for the defaults.
/// @param out      Receives the scanner; free it with otcore_scanner_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otcore_scanner_new(
    settings: *const OtcoreSettings,
    out: *mut *mut OtcoreScanner,
) -> OtcoreStatus {
    guard(|| unsafe {
        give(out, || {
            let settings = found(settings)?.unwrap_or_default();
            let scanner = lock(&settings.config).scanner()?.with_packs(&lock(&settings.packs));
            Ok(OtcoreScanner { scanner, log: lock(&settings.log).clone() })
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
        give(out, || owned(json(&find(scanner)?.scanner.plan(text(targets, "targets")?)?)))
    })
}

/// Free a scanner. Its scans go on.
#[unsafe(no_mangle)]
pub extern "C" fn otcore_scanner_free(scanner: *mut OtcoreScanner) -> OtcoreStatus {
    guard(|| forget(scanner))
}

/// Plan a scan of the targets and start it in a thread of its own.
///
/// A scan that nobody reads events from waits for a reader: otcore_scan_next(),
/// otcore_scan_watch() or otcore_scan_finish().
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
        give(out, || {
            let (found, targets) = (find(scanner)?, text(targets, "targets")?);
            Ok(OtcoreScan(SharedScan::start(&found.scanner, targets, found.log.clone())?))
        })
    })
}

/// Wait for the next event of a scan.
///
/// @param scan       The scan. Events have one reader at a time; another one waits for its turn.
/// @param timeout_ms How long to wait at most, in milliseconds; 0 only looks.
/// @param out        Receives the event as JSON; free it with otcore_text_free().
/// @return ::OTCORE_STATUS_OK for an event, ::OTCORE_STATUS_PENDING if none came in time,
///         ::OTCORE_STATUS_END after the last one, or if events go to a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otcore_scan_next(
    scan: *const OtcoreScan,
    timeout_ms: u32,
    out: *mut *mut OtcoreText,
) -> OtcoreStatus {
    guard(|| unsafe {
        give(out, || match find(scan)?.0.next(waiting(timeout_ms)) {
            Next::Event(event) => Ok(event_text(event)),
            Next::Pending => Err(OtcoreStatus::Pending.into()),
            _ => Err(OtcoreStatus::End.into()),
        })
    })
}

/// Have a callback told of every event of a scan, in one thread of its own that is called
/// `otcore-events`, one after the other.
///
/// A slow callback slows the scan down. It may call any function of this library, also
/// otcore_scan_free() for its own scan.
///
/// @param scan     The scan.
/// @param callback The callback. It must not throw or jump out.
/// @param user     Handed to it as it is. It must stay valid until the callback was told of the end,
///                 or otcore_scan_free() returned; that waits for a callback in progress, unless it
///                 is called from there, which is then the last time that it is told of anything.
/// @return ::OTCORE_STATUS_WATCHED if events go to a callback already.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otcore_scan_watch(
    scan: *const OtcoreScan,
    callback: OtcoreEventCallback,
    user: *mut c_void,
) -> OtcoreStatus {
    guard(|| unsafe { watched(find(scan)?.0.watch(told_to(callback, user)?)?) })
}

/// How far a scan is, without waiting and without reading an event.
///
/// @param scan The scan.
/// @param out  Receives it; left alone if this fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otcore_scan_progress(
    scan: *const OtcoreScan,
    out: *mut OtcoreProgress,
) -> OtcoreStatus {
    guard(|| unsafe { put(out, || Ok(find(scan)?.0.status().into())) })
}

/// Start no new conversation with a device; those under way finish within their budget.
#[unsafe(no_mangle)]
pub extern "C" fn otcore_scan_pause(scan: *const OtcoreScan) -> OtcoreStatus {
    guard(|| find(scan).map(|scan| scan.0.pause()))
}

/// Go on after otcore_scan_pause().
#[unsafe(no_mangle)]
pub extern "C" fn otcore_scan_resume(scan: *const OtcoreScan) -> OtcoreStatus {
    guard(|| find(scan).map(|scan| scan.0.resume()))
}

/// Stop a scan: no connection is opened and no question sent once this returns. What was found
/// stays, and otcore_scan_finish() gives it.
#[unsafe(no_mangle)]
pub extern "C" fn otcore_scan_abort(scan: *const OtcoreScan) -> OtcoreStatus {
    guard(|| find(scan).map(|scan| scan.0.abort()))
}

/// Wait for the end of a scan and take everything that it found, as JSON. It may be called again
/// and gives the same. Events that nobody read are dropped; a callback is told of all of them first.
///
/// @param scan       The scan.
/// @param timeout_ms How long to wait at most, in milliseconds, or ::OTCORE_FOREVER.
/// @param out        Receives the text; free it with otcore_text_free().
/// @return ::OTCORE_STATUS_PENDING if it is not over in time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otcore_scan_finish(
    scan: *const OtcoreScan,
    timeout_ms: u32,
    out: *mut *mut OtcoreText,
) -> OtcoreStatus {
    guard(|| unsafe {
        give(out, || match find(scan)?.0.finish(waiting(timeout_ms))? {
            Some(report) => owned(json(&*report)),
            None => Err(OtcoreStatus::Pending.into()),
        })
    })
}

/// Free a scan. If it still runs it is stopped as by otcore_scan_abort(); what it found is lost.
/// Its callback is not called again once this returns.
#[unsafe(no_mangle)]
pub extern "C" fn otcore_scan_free(scan: *mut OtcoreScan) -> OtcoreStatus {
    guard(|| forget(scan))
}

/// The bytes of a text: UTF-8 that ends with NUL.
///
/// @return Valid until the text is freed; NULL if `text` is no text.
#[unsafe(no_mangle)]
pub extern "C" fn otcore_text_str(text: *const OtcoreText) -> *const c_char {
    lend(text, std::ptr::null(), |text| bytes_of(text).as_ptr())
}

/// How many bytes a text has, without the NUL at its end.
///
/// @return 0 if `text` is no text.
#[unsafe(no_mangle)]
pub extern "C" fn otcore_text_len(text: *const OtcoreText) -> usize {
    lend(text, 0, |text| bytes_of(text).to_bytes().len())
}

/// One value out of a text of JSON, so that a program needs no reader of its own.
///
/// @param text    The text.
/// @param pointer Where it is (RFC 6901), such as `/assets/0/identity/vendor/value`.
/// @param out     Receives the value: a text as it is, anything else as JSON; free it with
///                otcore_text_free().
/// @return ::OTCORE_STATUS_NOTHING if there is no such value, or it is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otcore_text_get(
    text: *const OtcoreText,
    pointer: *const c_char,
    out: *mut *mut OtcoreText,
) -> OtcoreStatus {
    guard(|| unsafe {
        give(out, || {
            let (text, pointer) = (find(text)?, guard::text(pointer, "pointer")?);
            owned(Ok(value_of(&text, pointer).ok_or(OtcoreStatus::Nothing)?))
        })
    })
}

/// How many values a list or an object in a text of JSON has.
///
/// @param text    The text.
/// @param pointer Where it is, such as `/assets`.
/// @param out     Receives the number; 0 if there is no such list or object. Left alone if this
///                fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otcore_text_count(
    text: *const OtcoreText,
    pointer: *const c_char,
    out: *mut usize,
) -> OtcoreStatus {
    guard(|| unsafe {
        put(out, || {
            let (text, pointer) = (find(text)?, guard::text(pointer, "pointer")?);
            Ok(text.tree.count(shown(&text), pointer))
        })
    })
}

/// Free a text.
#[unsafe(no_mangle)]
pub extern "C" fn otcore_text_free(text: *mut OtcoreText) -> OtcoreStatus {
    guard(|| forget(text))
}
