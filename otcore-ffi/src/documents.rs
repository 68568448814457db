//! Stored results for C: compared, joined, decoded anew, and handed on in other forms.
#![allow(unsafe_code)] // exported names are unsafe attributes; see `guard` for what stands behind them
#![allow(clippy::missing_safety_doc)] // the rules for all functions are at the head of otcore.h

use std::ffi::c_char;

use otcore::blocking::{diff, export, join, redecode};

use crate::guard::{document, give, guard, owned, text};
use crate::{OtcoreStatus, OtcoreText};

/// What differs between two documents, as JSON. Silence counts only where the later one asked.
///
/// @param before       A report, an inventory, or lines of assets or exchanges, of at most 1 GiB.
/// @param after        A later one.
/// @param across_zones 1 to know a device again in another zone, 0 not to.
/// @param out          Receives the text; free it with otcore_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otcore_diff_json(
    before: *const c_char,
    after: *const c_char,
    across_zones: u32,
    out: *mut *mut OtcoreText,
) -> OtcoreStatus {
    guard(|| unsafe {
        give(out, || {
            let (before, after) = (document(before, "before")?, document(after, "after")?);
            owned(diff(before, after, across_zones != 0))
        })
    })
}

/// Which assets of a document are one device, and why, as JSON.
///
/// @param results      As `before` of otcore_diff_json().
/// @param across_zones 1 to join across zones, 0 not to.
/// @param out          Receives the text; free it with otcore_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otcore_join_json(
    results: *const c_char,
    across_zones: u32,
    out: *mut *mut OtcoreText,
) -> OtcoreStatus {
    guard(|| unsafe { give(out, || owned(join(document(results, "results")?, across_zones != 0))) })
}

/// The assets that the exchanges of a document decode to with this build, as JSON. Nothing is sent.
///
/// @param results As `before` of otcore_diff_json().
/// @param out     Receives the text; free it with otcore_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otcore_redecode_json(
    results: *const c_char,
    out: *mut *mut OtcoreText,
) -> OtcoreStatus {
    guard(|| unsafe { give(out, || owned(redecode(document(results, "results")?))) })
}

/// A document in another form.
///
/// @param results As `before` of otcore_diff_json().
/// @param format  json, ndjson, observations, csv, cyclonedx, coverage, coverage-csv, or html.
/// @param out     Receives the text; free it with otcore_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otcore_export(
    results: *const c_char,
    format: *const c_char,
    out: *mut *mut OtcoreText,
) -> OtcoreStatus {
    guard(|| unsafe {
        give(out, || owned(export(document(results, "results")?, text(format, "format")?)))
    })
}
