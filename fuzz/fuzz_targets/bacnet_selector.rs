//! Bytes that would be let out as a question of BACnet change no device, and a device hears the same question.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::protocols::bacnet::Bacnet;
use otcore_fuzz::{devices, selector};

fuzz_target!(|message: &[u8]| selector::check::<Bacnet>(&*devices::typical("bacnet"), message));
