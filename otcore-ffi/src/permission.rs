//! What a scanner may ask of whom: its policy, a decision in plain words, and whom it leaves alone.
#![allow(unsafe_code)] // exported names are unsafe attributes; see `guard` for what stands behind them
#![allow(clippy::missing_safety_doc)] // the rules for all functions are at the head of otcore.h

use std::ffi::c_char;
use std::num::NonZero;

use otcore::blocking::json;

use crate::guard::{find, give, guard, owned, put, text};
use crate::{OtcoreScanner, OtcoreStatus, OtcoreText};

/// The policy of a scanner with every limit that it has, as JSON.
///
/// @param scanner The scanner.
/// @param out     Receives the text; free it with otcore_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otcore_policy_json(
    scanner: *const OtcoreScanner,
    out: *mut *mut OtcoreText,
) -> OtcoreStatus {
    guard(|| unsafe {
        give(out, || owned(find(scanner)?.scanner.policy().to_json().map_err(otcore::Error::from)))
    })
}

/// What a scanner may ask of an address in a protocol now, and which rule decides so, as JSON.
/// Nothing is sent.
///
/// @param scanner  The scanner.
/// @param address  The address.
/// @param protocol The protocol, such as `modbus`.
/// @param port     The port, or 0 for the usual one of the policy.
/// @param out      Receives the text; free it with otcore_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otcore_explain_json(
    scanner: *const OtcoreScanner,
    address: *const c_char,
    protocol: *const c_char,
    port: u16,
    out: *mut *mut OtcoreText,
) -> OtcoreStatus {
    guard(|| unsafe {
        give(out, || {
            let (address, protocol) = (text(address, "address")?, text(protocol, "protocol")?);
            let port = NonZero::new(port).map(NonZero::get);
            owned(json(&find(scanner)?.scanner.explain(address, protocol, port)?))
        })
    })
}

/// What a scanner remembers of devices, as JSON: whom it leaves alone, since when and why.
///
/// @param scanner The scanner.
/// @param out     Receives the text; free it with otcore_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otcore_memory_json(
    scanner: *const OtcoreScanner,
    out: *mut *mut OtcoreText,
) -> OtcoreStatus {
    guard(|| unsafe { give(out, || owned(json(&find(scanner)?.scanner.remembered()?))) })
}

/// Let every device at an address be asked again. Only a person decides that, who has looked at it.
///
/// @param scanner The scanner; its zone is the one that is meant, and its scans know it at once.
/// @param address The address.
/// @param out     Receives how many devices were left alone until now. Left alone if this fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn otcore_memory_clear(
    scanner: *const OtcoreScanner,
    address: *const c_char,
    out: *mut usize,
) -> OtcoreStatus {
    guard(|| unsafe { put(out, || Ok(find(scanner)?.scanner.clear(text(address, "address")?)?)) })
}
