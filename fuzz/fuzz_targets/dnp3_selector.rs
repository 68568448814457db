//! Bytes that would be let out as a question of DNP3 change no device, and a device hears the same question.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::protocols::dnp3::Dnp3;
use otcore_fuzz::{devices, selector};

fuzz_target!(|message: &[u8]| selector::check::<Dnp3>(&*devices::typical("dnp3"), message));
