//! How fast the parts of otcore are, next to floors by hand and to other programs.
//!
//! `cargo run --release -p otcore-benches [-- PART... --json FILE]`, the parts being `codecs`, `events`
//! and `exports`; without one, the codecs. `scripts/test speed` builds what the events need, runs all
//! of them and writes `docs/speed.md`.
#![expect(clippy::print_stdout, reason = "the tables are what this program is for")]

mod bacnet;
mod codecs;
mod dnp3;
mod enip;
mod events;
mod exports;
mod floor;
mod measure;
mod memory;
mod message;
mod modbus;
mod options;
mod ours;
mod python;
mod report;
mod rseip;
mod s7;
mod tokio_modbus;

use std::error::Error;

use serde::Serialize;

use options::Options;
use report::{Codec, Events, Export};

/// What was measured.
#[derive(Debug, Default, Serialize)]
struct Results {
    codecs: Vec<Codec>,
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<Events>,
    exports: Vec<Export>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).peekable();
    match arguments.peek().map(String::as_str) {
        // What this program starts itself as, for measurements of a whole process.
        Some("read-events") => say(&events::read(arguments.skip(1))?),
        Some("write-export") => say(&exports::write(arguments.skip(1))?),
        _ => measure(&Options::parse(arguments)?),
    }
}

fn say(result: &impl Serialize) -> Result<(), Box<dyn Error>> {
    println!("{}", serde_json::to_string(result)?);
    Ok(())
}

fn measure(options: &Options) -> Result<(), Box<dyn Error>> {
    let mut results = Results::default();
    if options.has("codecs") {
        let tell = |codec: &Codec| println!("{codec}");
        results.codecs = codecs::measured(options.rounds, options.only.as_deref(), tell)?;
    }
    if options.has("events") {
        let events = events::measured(options.devices, options.scans)?;
        println!("{events}");
        results.events = Some(events);
    }
    if options.has("exports") {
        results.exports = exports::measured(options.assets, |export| print!("{export}"))?;
    }
    if let Some(file) = &options.json {
        std::fs::write(file, serde_json::to_string_pretty(&results)? + "\n")?;
    }
    Ok(())
}
