//! The border to C, called in any order with handles that are right, freed, foreign or none: every call
//! says how it ended, no bug shows, and nothing is left behind.
//!
//! Each call is one byte that says which, and one that says with which handle. Nothing is scanned.
#![no_main]

use std::ffi::{CString, c_char};
use std::ptr::{null, null_mut, without_provenance_mut};

use OtcoreStatus as Status;
use libfuzzer_sys::fuzz_target;
use otcore_ffi::*;

/// Numbers that C has, and what they were made as.
#[derive(Default)]
struct Held {
    handles: Vec<usize>,
}

impl Held {
    fn pick<T>(&self, which: u8) -> *mut T {
        let known = usize::from(which).checked_sub(2).map(|at| at % self.handles.len().max(1));
        match (which, known.and_then(|at| self.handles.get(at))) {
            (0, _) => null_mut(),
            (_, Some(handle)) => without_provenance_mut(*handle),
            _ => without_provenance_mut(8),
        }
    }

    /// Keep what a call made; NULL is nothing, and must be what a failed call gives.
    fn keep<T>(&mut self, status: Status, handle: *mut T) -> Status {
        assert_eq!(status == Status::Ok, !handle.is_null(), "{status:?}");
        self.handles.extend((!handle.is_null()).then(|| handle.addr()));
        status
    }
}

fuzz_target!(|calls: &[u8]| {
    let mut held = Held::default();
    for call in calls.chunks_exact(3).take(64) {
        let [which, with, text] = call else { continue };
        let status = unsafe { one(&mut held, *which, *with, *text) };
        assert_ne!(status, Status::Panic, "a bug was caught at the border");
        assert_ne!(status, Status::Internal, "a bug in the engine");
    }
    for handle in held.handles {
        let freed = [
            otcore_settings_free(without_provenance_mut(handle)),
            otcore_scanner_free(without_provenance_mut(handle)),
            otcore_store_free(without_provenance_mut(handle)),
            otcore_packs_free(without_provenance_mut(handle)),
            otcore_text_free(without_provenance_mut(handle)),
        ];
        let times = freed.iter().filter(|status| **status == Status::Ok).count();
        assert!(times <= 1, "freed {times} times");
        assert_eq!(otcore_text_len(without_provenance_mut(handle)), 0, "still there");
    }
});

const TEXTS: [&str; 16] = [
    "",
    "{}",
    "[]",
    "zone",
    "line-3",
    "level",
    "state",
    "policy",
    "{\"profile\":\"careful\"}",
    "zone = \"a\"",
    "10.0.4.7",
    "modbus",
    "default/10.0.4.7",
    "firmware",
    "/zone",
    "csv",
];

unsafe fn one(held: &mut Held, which: u8, with: u8, text: u8) -> Status {
    let given = CString::new(TEXTS[usize::from(text) % TEXTS.len()]).expect("a text of ours");
    let second = CString::new(TEXTS[usize::from(text >> 4)]).expect("a text of ours");
    let text: *const c_char = if text == 0xFF { null() } else { given.as_ptr() };
    let (mut made, mut number) = (null_mut(), 0_usize);
    let mut other = null_mut();
    unsafe {
        match which % 22 {
            0 => {
                let mut settings = null_mut();
                let status = otcore_settings_new(text, &raw mut settings);
                held.keep(status, settings)
            }
            1 => otcore_settings_set(held.pick(with), text, second.as_ptr()),
            2 => otcore_settings_packs(held.pick(with), held.pick(with.wrapping_add(1))),
            3 => otcore_settings_free(held.pick(with)),
            4 => {
                let mut scanner = null_mut();
                let status = otcore_scanner_new(held.pick(with), &raw mut scanner);
                held.keep(status, scanner)
            }
            5 => otcore_scanner_free(held.pick(with)),
            6 => {
                let status = otcore_plan_json(held.pick(with), text, &raw mut made);
                held.keep(status, made)
            }
            7 => {
                let status = otcore_policy_json(held.pick(with), &raw mut made);
                held.keep(status, made)
            }
            8 => {
                let status =
                    otcore_explain_json(held.pick(with), text, second.as_ptr(), 0, &raw mut made);
                held.keep(status, made)
            }
            9 => {
                let status = otcore_memory_json(held.pick(with), &raw mut made);
                held.keep(status, made)
            }
            10 => otcore_memory_clear(held.pick(with), text, &raw mut number),
            11 => {
                let mut store = null_mut();
                let status = otcore_store_open(null(), &raw mut store);
                held.keep(status, store)
            }
            12 => otcore_store_keep(held.pick(with), text, &raw mut number),
            13 => {
                let packs = held.pick(with.wrapping_add(1));
                let status = otcore_store_json(held.pick(with), packs, &raw mut made);
                held.keep(status, made)
            }
            14 => {
                let status = otcore_store_history_json(
                    held.pick(with),
                    null(),
                    text,
                    second.as_ptr(),
                    &raw mut made,
                );
                held.keep(status, made)
            }
            15 => otcore_store_check(held.pick(with)),
            16 => otcore_store_free(held.pick(with)),
            17 => {
                let status = otcore_packs_new(text, null(), &raw mut other);
                held.keep(status, other)
            }
            18 => otcore_packs_free(held.pick(with)),
            19 => {
                let status = otcore_text_get(held.pick(with), text, &raw mut made);
                held.keep(status, made)
            }
            20 => otcore_text_count(held.pick(with), text, &raw mut number),
            _ => otcore_text_free(held.pick(with)),
        }
    }
}
