//! Stores of inventories for C: what scans saw is kept, and read anew whenever somebody asks.
#![allow(unsafe_code)] // exported names are unsafe attributes; see `guard` for what stands behind them
#![allow(clippy::missing_safety_doc)] // the rules for all functions are at the head of otcore.h

use std::ffi::c_char;

use otcore::blocking::{Inventory, Store, json};

use crate::guard::{document, find, forget, give, guard, known, optional_text, owned, put, text};
use crate::{OtcorePacks, OtcoreStatus, OtcoreStore, OtcoreText};

/// Open a store of inventories.
///
/// @param path The file, which is made if there is none; NULL for a store that lasts as long as its
///             handle.
/// @param out  Receives the store; free it with otcore_store_free().
/// @return ::OTCORE_STATUS_FILE if the file cannot be read or written, is no store, or is damaged;
///         always for a file if this library was built without stores in files.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otcore_store_open(
    path: *const c_char,
    out: *mut *mut OtcoreStore,
) -> OtcoreStatus {
    guard(|| unsafe {
        give(out, || {
            let path = optional_text(path, "path")?;
            Ok(OtcoreStore(path.map_or_else(|| Ok(Store::in_memory()), Store::open)?))
        })
    })
}

/// Keep what a document saw, all or nothing: the questions and answers of a report, or else what it
/// claims. Once this returns it is as safe as the store can make it.
///
/// @param store   The store.
/// @param results As `before` of otcore_diff_json().
/// @param out     Receives of how many devices that is something. Left alone if this fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otcore_store_keep(
    store: *const OtcoreStore,
    results: *const c_char,
    out: *mut usize,
) -> OtcoreStatus {
    guard(|| unsafe {
        put(out, || {
            let (store, results) = (find(store)?, document(results, "results")?);
            Ok(store.0.keep(&Inventory::read(results)?)?)
        })
    })
}

/// What is known now of every device, as JSON: the newest of everything that is said the same way.
///
/// @param store The store.
/// @param packs With what is in use of these; NULL for what is compiled in.
/// @param out   Receives the text, an array of assets; free it with otcore_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otcore_store_json(
    store: *const OtcoreStore,
    packs: *const OtcorePacks,
    out: *mut *mut OtcoreText,
) -> OtcoreStatus {
    guard(|| unsafe { give(out, || owned(find(store)?.0.inventory(&known(packs)?)?.json())) })
}

/// How a field of a device, a module or what is behind one came to be what it is, as JSON: the
/// claims that said something else than the one before, the oldest first.
///
/// @param store The store.
/// @param packs As for otcore_store_json().
/// @param path  Whose, such as `line-3/10.20.4.7` or `line-3/10.20.4.7/s7/102/4`.
/// @param field The field, such as `firmware`.
/// @param out   Receives the text; free it with otcore_text_free().
/// @return ::OTCORE_STATUS_FILE if there is no such field, or the path is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otcore_store_history_json(
    store: *const OtcoreStore,
    packs: *const OtcorePacks,
    path: *const c_char,
    field: *const c_char,
    out: *mut *mut OtcoreText,
) -> OtcoreStatus {
    guard(|| unsafe {
        give(out, || {
            let (path, field) = (text(path, "path")?, text(field, "field")?);
            owned(json(&find(store)?.0.history(&known(packs)?, path, field)?))
        })
    })
}

/// Read all of a store and compare it with what was written. Takes as long as it is large.
///
/// @param store The store.
/// @return ::OTCORE_STATUS_FILE with the first thing that does not fit.
#[unsafe(no_mangle)]
pub extern "C" fn otcore_store_check(store: *const OtcoreStore) -> OtcoreStatus {
    guard(|| Ok(find(store)?.0.check()?))
}

/// Free a store, and close its file.
#[unsafe(no_mangle)]
pub extern "C" fn otcore_store_free(store: *mut OtcoreStore) -> OtcoreStatus {
    guard(|| forget(store))
}
