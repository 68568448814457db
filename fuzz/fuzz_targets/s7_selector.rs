//! Bytes that would be let out as a question of S7 change no device, and a device hears the same question.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::protocols::s7::S7;
use otcore_fuzz::{devices, selector};

fuzz_target!(|message: &[u8]| selector::check::<S7>(&*devices::typical("s7"), message));
