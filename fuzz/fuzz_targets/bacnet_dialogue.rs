//! A whole scan of a BACnet device that answers as the input says: every promise holds, and the results
//! are explained by what it sent.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otcore_fuzz::dialogue;

fuzz_target!(|input: &[u8]| dialogue::run("bacnet", input));
