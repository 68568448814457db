//! Bytes that would be let out as a question of EtherNet/IP change no device, and a device hears the same question.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore::protocols::enip::Enip;
use otcore_fuzz::{devices, selector};

fuzz_target!(|message: &[u8]| selector::check::<Enip>(&*devices::typical("enip"), message));
