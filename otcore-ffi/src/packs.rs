//! Data packs for C: whose are trusted, which one is in use, and what is known with it.
#![allow(unsafe_code)] // exported names are unsafe attributes; see `guard` for what stands behind them
#![allow(clippy::missing_safety_doc)] // the rules for all functions are at the head of otcore.h

use std::ffi::{c_char, c_void};

use otcore::blocking::{Inventory, Packs, json};

use crate::guard::{
    bytes, document, find, forget, give, guard, known, lock, optional_text, owned, text,
};
use crate::{OtcorePacks, OtcoreSettings, OtcoreStatus, OtcoreText};

/// Say whose data packs are trusted. What devices are called is what is compiled in, until a pack
/// is applied.
///
/// @param keys   Public keys of minisign, one a line, as in the file that minisign writes one to.
/// @param folder The folder that keeps the pack in use from one run to the next, for one program at
///               a time; NULL for none. A pack in it that is no longer good is not used:
///               otcore_packs_json() says why.
/// @param out    Receives them; free them with otcore_packs_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otcore_packs_new(
    keys: *const c_char,
    folder: *const c_char,
    out: *mut *mut OtcorePacks,
) -> OtcoreStatus {
    guard(|| unsafe {
        give(out, || {
            let (keys, folder) = (text(keys, "keys")?, optional_text(folder, "folder")?);
            let packs =
                folder.map_or_else(|| Packs::new(keys), |path| Packs::in_folder(keys, path));
            Ok(OtcorePacks(packs?))
        })
    })
}

/// Which pack is in use, as JSON: its card under `in_use`, or null for what is compiled in; and
/// under `refused` why the one in the folder is not used, or null.
///
/// @param packs The packs.
/// @param out   Receives the text; free it with otcore_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otcore_packs_json(
    packs: *const OtcorePacks,
    out: *mut *mut OtcoreText,
) -> OtcoreStatus {
    guard(|| unsafe { give(out, || owned(json(&find(packs)?.0.status()))) })
}

/// Whether a pack may be used now, with its key, its dates and all that is in it. Nothing changes.
///
/// @param packs  Whose keys are trusted.
/// @param pack   The bytes of the pack, which are not kept.
/// @param length How many there are.
/// @param out    Receives its card as JSON; free it with otcore_text_free().
/// @return ::OTCORE_STATUS_FILE if it may not; otcore_last_error() says why.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otcore_packs_verify_json(
    packs: *const OtcorePacks,
    pack: *const c_void,
    length: usize,
    out: *mut *mut OtcoreText,
) -> OtcoreStatus {
    guard(|| unsafe {
        give(out, || {
            let (packs, pack) = (find(packs)?, bytes(pack, length, "pack")?);
            owned(json(packs.0.open(pack)?.card()))
        })
    })
}

/// Use a pack from now on, and in the folder, if there is one, from run to run. Scans that run end
/// with what they began with.
///
/// @param packs  The packs.
/// @param pack   The bytes of the pack, which are not kept.
/// @param length How many there are.
/// @return ::OTCORE_STATUS_FILE if it may not be used; what was in use stays.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otcore_packs_apply(
    packs: *const OtcorePacks,
    pack: *const c_void,
    length: usize,
) -> OtcoreStatus {
    guard(|| unsafe {
        find(packs)?.0.apply(bytes(pack, length, "pack")?)?;
        Ok(())
    })
}

/// Use again what was in use before the pack that was applied last.
///
/// @param packs The packs.
/// @return ::OTCORE_STATUS_FILE if there is nothing to go back to.
#[unsafe(no_mangle)]
pub extern "C" fn otcore_packs_roll_back(packs: *const OtcorePacks) -> OtcoreStatus {
    guard(|| {
        find(packs)?.0.roll_back()?;
        Ok(())
    })
}

/// As otcore_redecode_json(), with what is known with the pack in use.
///
/// @param packs   The packs.
/// @param results As `before` of otcore_diff_json().
/// @param out     Receives the text; free it with otcore_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otcore_packs_redecode_json(
    packs: *const OtcorePacks,
    results: *const c_char,
    out: *mut *mut OtcoreText,
) -> OtcoreStatus {
    guard(|| unsafe {
        give(out, || {
            let (packs, results) = (find(packs)?, document(results, "results")?);
            owned(Inventory::read(results)?.redecoded(&packs.0)?.json())
        })
    })
}

/// What a document would say otherwise with a pack than with the one in use, as JSON. Nothing
/// changes.
///
/// @param packs   Whose keys are trusted.
/// @param pack    The bytes of the pack, which are not kept.
/// @param length  How many there are.
/// @param results As `before` of otcore_diff_json().
/// @param out     Receives the text; free it with otcore_text_free().
/// @return ::OTCORE_STATUS_FILE if the pack may not be used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otcore_packs_preview_json(
    packs: *const OtcorePacks,
    pack: *const c_void,
    length: usize,
    results: *const c_char,
    out: *mut *mut OtcoreText,
) -> OtcoreStatus {
    guard(|| unsafe {
        give(out, || {
            let (packs, pack) = (find(packs)?, bytes(pack, length, "pack")?);
            owned(json(&Inventory::read(document(results, "results")?)?.preview(&packs.0, pack)?))
        })
    })
}

/// Have scanners call devices by what is in use of these packs whenever a scan starts.
///
/// @param settings The settings; scanners that were made before are not changed.
/// @param packs    The packs, which may be freed before; NULL for what is compiled in.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otcore_settings_packs(
    settings: *const OtcoreSettings,
    packs: *const OtcorePacks,
) -> OtcoreStatus {
    guard(|| {
        *lock(&find(settings)?.packs) = known(packs)?;
        Ok(())
    })
}

/// Free packs. Scanners that use them go on to.
#[unsafe(no_mangle)]
pub extern "C" fn otcore_packs_free(packs: *mut OtcorePacks) -> OtcoreStatus {
    guard(|| forget(packs))
}
