//! Makes the assets of a report again from nothing but the stored questions and answers.
//!
//! `otcore-redecode REPORT.json` prints the assets in the form that the report has them in.

use std::error::Error;
use std::process::ExitCode;

use otcore::fingerprint::Knowledge;
use otcore::model::Exchange;
use otcore::scan;
use otcore_examples::out;
use serde::Deserialize;

/// All that is needed of a report.
#[derive(Deserialize)]
struct Stored {
    exchanges: Vec<Exchange>,
}

fn main() -> ExitCode {
    match redecode() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            out::notice(&format!("otcore-redecode: {error}"));
            ExitCode::from(2)
        }
    }
}

fn redecode() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("name the report to read")?;
    let stored: Stored = serde_json::from_slice(&std::fs::read(path)?)?;
    let assets = scan::redecode(&Knowledge::built_in(), &stored.exchanges);
    Ok(out::results(&serde_json::to_string_pretty(&assets)?)?)
}
