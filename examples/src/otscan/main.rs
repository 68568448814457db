//! Scans an OT network from the command line.

mod args;
mod explain;
mod memory;
mod quarantine;
mod scan;
mod select;
mod stop;

use std::io;
use std::process::ExitCode;

use args::{Command, CommandLine, Format};
use clap::Parser;
use clap::error::ErrorKind;
use otcore::model::printable;
use otcore_examples::out;

/// Why nothing was done: what is wrong, with what, and the way out, in one line.
type Complaint = Box<dyn std::error::Error>;

/// How it ended, for the shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Status {
    Completed = 0,
    NotAllIdentified = 1,
    BadInput = 2,
    Aborted = 3,
    HarmSuspected = 4,
}

fn main() -> ExitCode {
    let done = match CommandLine::try_parse() {
        Ok(CommandLine { command }) => run(command),
        Err(error) => not_a_command(&error),
    };
    let status = done.unwrap_or_else(|complaint| {
        out::notice(&format!("otscan: {}", printable(&complaint.to_string())));
        Status::BadInput
    });
    ExitCode::from(status as u8)
}

fn run(command: Command) -> Result<Status, Complaint> {
    match command {
        Command::Scan(args) => scan::scan(&args),
        Command::Plan(args) => plan(&args),
        Command::Manifest(args::Manifest { format }) => {
            let manifest = otcore::manifest();
            print(&match format {
                Format::Text => manifest.to_string(),
                Format::Json => json(&manifest)?,
            })
        }
        Command::Explain(args) => explain::explain(&args),
        Command::Quarantine(args) => quarantine::quarantine(args),
    }
}

fn plan(args: &args::Plan) -> Result<Status, Complaint> {
    let (scanner, targets) = select::for_plan(&args.selection)?;
    let plan = scanner.plan(&targets)?;
    print(&match args.format {
        Format::Text => plan.to_string(),
        Format::Json => json(&plan)?,
    })
}

fn json(value: &impl serde::Serialize) -> Result<String, Complaint> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

/// Print results; that nobody reads them any more is fine.
fn print(text: &str) -> Result<Status, Complaint> {
    match out::results(text) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("the results cannot be written to standard output: {error}").into())
        }
        _ => Ok(Status::Completed),
    }
}

/// Help that was asked for is a result, everything else a complaint.
fn not_a_command(error: &clap::Error) -> Result<Status, Complaint> {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => print(&error.render().to_string()),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            out::notice(error.render().to_string().trim_end());
            Ok(Status::BadInput)
        }
        _ => Err(args::complaint(error).into()),
    }
}
