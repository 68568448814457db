//! Scans an OT network from the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(otcore_examples::otscan::run(std::env::args_os()))
}
