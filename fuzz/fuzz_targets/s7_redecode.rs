//! Stored answers of S7 controllers, changed anywhere: what is read from them stands on them.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use otcore_fuzz::stored::{Said, read_again, said};

static SAID: Said = LazyLock::new(|| said("s7"));

fuzz_target!(|input: &[u8]| read_again(&SAID, input));
