//! Scans an OT network from the command line: the program otscan, which the Python package has too.

mod args;
mod explain;
mod inspect;
mod memory;
mod pack;
mod quarantine;
mod scan;
mod select;
mod stop;
mod store;
mod stored;

use std::ffi::OsString;
use std::io;

use clap::Parser;
use clap::error::ErrorKind;
use otcore::model::printable;

use crate::out;
use args::{Command, CommandLine, Format};

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

/// Carry out a command line, whose first word is the name of the program. Returns the exit status:
/// 0 completed, 1 completed with devices not identified, 2 bad usage or input, 3 aborted, 4 harm
/// suspected.
#[must_use]
pub fn run<A: Into<OsString> + Clone>(arguments: impl IntoIterator<Item = A>) -> u8 {
    let done = match CommandLine::try_parse_from(arguments) {
        Ok(CommandLine { command }) => carry_out(command),
        Err(error) => not_a_command(&error),
    };
    let status = done.unwrap_or_else(|complaint| {
        out::notice(&format!("otscan: {}", printable(&complaint.to_string())));
        Status::BadInput
    });
    status as u8
}

fn carry_out(command: Command) -> Result<Status, Complaint> {
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
        Command::Diff(args) => stored::diff(&args),
        Command::Report(args) => stored::report(&args),
        Command::Export(args) => stored::export(&args),
        Command::Inspect(args) => inspect::inspect(&args),
        Command::Redecode(args) => stored::redecode(&args),
        Command::Quarantine(args) => quarantine::quarantine(args),
        Command::Store(args) => store::store(&args),
        Command::Pack(args) => pack::pack(args),
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
    printed(out::results(text))
}

/// What becomes of results that went to standard output: nobody has to read them.
fn printed(written: io::Result<()>) -> Result<Status, Complaint> {
    match written {
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
